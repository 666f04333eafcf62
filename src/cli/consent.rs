//! Consent of the user, to load a target of another machine, to carry out commands, or to remove keys.

use std::{
    io::{self, BufRead as _, IsTerminal as _},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use anyhow::anyhow;

use super::{exit::Failure, interrupt::Interrupt, progress::Display};
use crate::{
    results::{TargetFacts, brief_address},
    scenario::Event,
};

/// How often a question is asked whether it still matters.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Something that takes the consent of the user.
pub(super) struct Question<'a> {
    /// What it is about: a whole sentence without its full stop.
    pub(super) about: &'a str,
    /// What is to be done, as a question without its mark.
    pub(super) what: &'a str,
    /// What was not done where the user refuses.
    pub(super) refused: &'a str,
}

/// Asks before loading a target that is not this machine; `how` completes the sentence that describes the load.
pub(super) fn ask(
    target: &TargetFacts,
    how: &str,
    yes: bool,
    display: &Display,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let address = brief_address(&target.address);
    let about = if target.elsewhere {
        format!(
            "{address} is an address of this machine, but the server is not a process of this machine (a tunnel, a \
             container?)"
        )
    } else {
        format!("{address} is on another machine")
    };
    let (what, refused) = (format!("Load it{how}"), format!("{address} was not loaded"));
    let question = Question { about: &about, what: &what, refused: &refused };
    question.ask(yes || target.is_here(), display, interrupt)
}

/// Asks before commands of a scenario's events are carried out.
pub(super) fn ask_for_commands(
    events: &[Event],
    yes: bool,
    display: &Display,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let commands = events.iter().filter_map(|event| event.action.command());
    let listed: Vec<_> = commands.map(|command| format!("`{command}`")).collect();
    let about = format!("events of the scenario carry out commands on this machine ({})", listed.join(", "));
    let question = Question { about: &about, what: "Carry them out", refused: "nothing was loaded" };
    question.ask(yes || listed.is_empty(), display, interrupt)
}

impl Question<'_> {
    /// Fails unless the user says yes, or has `given` consent already.
    pub(super) fn ask(&self, given: bool, display: &Display, interrupt: &Interrupt) -> Result<(), Failure> {
        let Self { about, what, refused } = self;
        match need(given, io::stdin().is_terminal() && io::stderr().is_terminal()) {
            Need::Nothing => return Ok(()),
            Need::Word => {
                return Err(Failure::usage(anyhow!(
                    "{about}, and no terminal is there to confirm \"{what}?\": confirm with --yes"
                )));
            }
            Need::Answer => {}
        }
        display.say(&format!("{about}. {what}? [y/N] "));
        let (said, answer) = mpsc::channel();
        // Nobody waits for the answer after a Ctrl-C; the thread ends with the process.
        thread::spawn(move || {
            let mut line = String::new();
            let _ = io::stdin().lock().read_line(&mut line);
            let _ = said.send(line);
        });
        loop {
            match answer.recv_timeout(POLL_INTERVAL) {
                Ok(line) if is_yes(&line) => return Ok(()),
                Err(RecvTimeoutError::Timeout) if !interrupt.stop().is_cancelled() => {}
                Err(RecvTimeoutError::Timeout) => return Err(Failure::interrupted()),
                _ => return Err(Failure::usage(anyhow!("{refused}: not confirmed"))),
            }
        }
    }
}

/// What it takes to go on.
#[derive(Debug, PartialEq, Eq)]
enum Need {
    Nothing,
    /// A question at the terminal, and a yes.
    Answer,
    /// `--yes`, since there is no terminal.
    Word,
}

fn need(given: bool, terminal: bool) -> Need {
    match (given, terminal) {
        (true, _) => Need::Nothing,
        (false, true) => Need::Answer,
        (false, false) => Need::Word,
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
        let tunnel = TargetFacts { elsewhere: true, ..given.clone() };
        assert_eq!([&private, &given, &elsewhere, &tunnel].map(TargetFacts::is_here), [true, true, false, false]);
        assert_eq!([true, false].map(|terminal| need(true, terminal)), [Need::Nothing, Need::Nothing]);
        assert_eq!([true, false].map(|terminal| need(false, terminal)), [Need::Answer, Need::Word]);
    }

    #[test]
    fn only_yes_is_yes() {
        assert!(is_yes("y\n") && is_yes(" YES\n"));
        assert!(!is_yes("\n") && !is_yes("no\n") && !is_yes("yesterday"));
    }
}
