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
    let address = &target.address;
    let who = if target.elsewhere {
        format!(
            "{address} is an address of this machine, but the server is none of its processes (a tunnel, a container?)"
        )
    } else {
        format!("{address} is not this machine")
    };
    match need(target, yes, io::stdin().is_terminal() && io::stderr().is_terminal()) {
        Need::Nothing => return Ok(()),
        Need::Word => {
            return Err(Failure::usage(anyhow!(
                "{who}, and there is no terminal to ask whether it may be loaded{how}; say so \
                 with --yes"
            )));
        }
        Need::Answer => {}
    }
    display.say(&format!("{who}. Load it{how}? [y/N] "));
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
            Err(RecvTimeoutError::Timeout) if !interrupt.stop().is_cancelled() => {}
            Err(RecvTimeoutError::Timeout) => return Err(Failure::interrupted()),
            _ => return Err(Failure::usage(anyhow!("{address} was not loaded, as nobody said yes"))),
        }
    }
}

/// What it takes to load a target.
#[derive(Debug, PartialEq, Eq)]
enum Need {
    Nothing,
    /// A question at the terminal, and a yes.
    Answer,
    /// `--yes`, since there is nobody to ask.
    Word,
}

fn need(target: &TargetFacts, yes: bool, terminal: bool) -> Need {
    if yes || target.is_here() {
        Need::Nothing
    } else if terminal {
        Need::Answer
    } else {
        Need::Word
    }
}

fn is_yes(line: &str) -> bool {
    ["y", "yes"].contains(&line.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample;

    #[test]
    fn only_a_target_elsewhere_takes_a_word() {
        let private = sample::run().target;
        let elsewhere = TargetFacts { private: false, same_machine: false, ..private.clone() };
        let given = TargetFacts { same_machine: true, ..elsewhere.clone() };
        for terminal in [false, true] {
            assert_eq!(need(&private, false, terminal), Need::Nothing);
            assert_eq!(need(&given, false, terminal), Need::Nothing);
            assert_eq!(need(&elsewhere, true, terminal), Need::Nothing);
        }
        let tunnel = TargetFacts { elsewhere: true, ..given };
        assert_eq!(need(&tunnel, false, false), Need::Word);
        assert_eq!(need(&elsewhere, false, true), Need::Answer);
        assert_eq!(need(&elsewhere, false, false), Need::Word);
    }

    #[test]
    fn only_yes_is_yes() {
        assert!(is_yes("y\n") && is_yes(" YES\n"));
        assert!(!is_yes("\n") && !is_yes("no\n") && !is_yes("yesterday"));
    }
}
