//! The question that loading a target elsewhere takes.

use std::{
    io::{self, BufRead as _, IsTerminal as _},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use anyhow::anyhow;

use super::{exit::Failure, interrupt::Interrupt, progress::Display};
use crate::results::TargetFacts;

/// How often a question is asked whether it still matters.
const GLANCE: Duration = Duration::from_millis(100);

/// Asks before loading a target that is not this machine; `how` ends the sentence that says what will be done.
pub(super) fn ask(
    target: &TargetFacts,
    how: &str,
    yes: bool,
    display: &Display,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    if yes || target.private || target.same_machine {
        return Ok(());
    }
    let address = &target.address;
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(Failure::usage(anyhow!(
            "{address} is not this machine, and there is no terminal to ask whether it may be loaded{how}; say so with \
             --yes"
        )));
    }
    display.say(&format!("{address} is not this machine. Load it{how}? [y/N] "));
    let (said, answer) = mpsc::channel();
    // Nobody waits for the answer after a Ctrl-C; the thread ends with the process.
    thread::spawn(move || {
        let mut line = String::new();
        let _ = io::stdin().lock().read_line(&mut line);
        let _ = said.send(line);
    });
    loop {
        match answer.recv_timeout(GLANCE) {
            Ok(line) if is_yes(&line) => return Ok(()),
            Err(RecvTimeoutError::Timeout) if !interrupt.stop().is_requested() => {}
            Err(RecvTimeoutError::Timeout) => return Err(Failure::interrupted()),
            _ => return Err(Failure::usage(anyhow!("{address} was not loaded, as nobody said yes"))),
        }
    }
}

fn is_yes(line: &str) -> bool {
    ["y", "yes"].contains(&line.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        assert!(is_yes("y\n") && is_yes(" YES\n"));
        assert!(!is_yes("\n") && !is_yes("no\n") && !is_yes("yesterday"));
    }
}
