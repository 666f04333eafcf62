//! The command line: one file per command. The only place where load and reports meet, and where anything is printed.

mod against;
mod args;
mod audit;
mod baseline;
mod capacity;
mod ci;
mod clean;
mod cleanup;
mod compare;
mod completions;
mod conclude;
mod consent;
mod data;
mod environment;
mod exit;
mod gate;
mod hint;
mod history;
mod interrupt;
mod journal;
mod lease;
mod list;
mod man;
mod merge;
mod output;
mod progress;
mod report;
mod run;
mod scale;
mod scenarios;
mod schema;
mod shape;
mod shard;
mod stderr;
mod turns;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub use exit::Exit;
use exit::Failure;
use output::Look;

/// Load and latency benchmark for Redis and Valkey.
///
/// A scenario describes services, each with its connections, its rate of requests and its mix of commands. plimsoll sends
/// this load, measures every request from the instant at which it is due, compares the response times with the scenario's
/// objective, and checks its own measurement.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, arg_required_else_help = true, propagate_version = true)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
struct Program {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    look: Look,
}

const EXAMPLES: &str = "\
Examples:
  plimsoll run                                      default scenario, private server
  plimsoll run queue --duration 30s                 another built-in scenario
  plimsoll run my.toml --target redis://host:6379   your own scenario and server
  plimsoll scale my.toml -n 3 --launcher 'ssh a,b,c'   load from three machines
  plimsoll merge results/api-shard-*                one run of shards that were sent separately
  plimsoll capacity --pool 50,100                   highest sustainable rate of two pool sizes
  plimsoll gate mixed --a config:io-threads=1 --b config:io-threads=4   is B slower than A?
  plimsoll audit --target redis://host:6379         settings, users and memory, without load
  plimsoll ci queue sessions --duration 60s         several scenarios, one exit code, files for CI
  plimsoll baseline save nightly results/queue-*    runs to compare later runs with
  plimsoll compare nightly results/queue-20260214T031700Z   slower than the baseline?
  plimsoll scenarios show sessions > my.toml        template of a scenario
  plimsoll list                                     saved results";

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<run::Command>),
    Scale(Box<scale::Arguments>),
    Capacity(Box<capacity::Arguments>),
    Gate(Box<gate::Arguments>),
    Audit(audit::Arguments),
    Ci(Box<ci::Arguments>),
    Baseline(baseline::Arguments),
    Compare(compare::Arguments),
    Merge(merge::Arguments),
    Shard(shard::Arguments),
    Report(report::Arguments),
    History(history::Arguments),
    Clean(clean::Arguments),
    List(list::Arguments),
    Scenarios(scenarios::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// Does what the command line says; the value is for `main` to return.
pub fn main() -> ExitCode {
    let program = match Program::of_command_line() {
        Ok(program) => program,
        Err(error) => {
            let error = hint::with_command(error);
            // Help that nobody reads to its end is no failure.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Exit::Usage } else { Exit::Success });
        }
    };
    let prepared = interrupt::outlive_file_size_limit().map_err(Failure::unusable);
    let exit = prepared.and_then(|()| program.carry_out()).unwrap_or_else(|failure| {
        stderr::print(&format!("error: {failure}"));
        failure.exit
    });
    exit.into()
}

impl Program {
    fn of_command_line() -> Result<Self, clap::Error> {
        Self::from_arg_matches(&amounts_with_sign(Self::command()).try_get_matches()?)
    }

    fn carry_out(self) -> Result<Exit, Failure> {
        match self.command {
            Command::Run(arguments) => run::run(&arguments, self.look),
            Command::Scale(arguments) => scale::run(&arguments, self.look),
            Command::Capacity(arguments) => capacity::run(*arguments, self.look),
            Command::Gate(arguments) => gate::run(&arguments, self.look),
            Command::Audit(arguments) => audit::run(arguments, self.look),
            Command::Ci(arguments) => ci::run(*arguments, self.look),
            Command::Baseline(arguments) => baseline::run(&arguments, self.look),
            Command::Compare(arguments) => compare::run(&arguments, self.look),
            Command::Shard(arguments) => shard::work(&arguments),
            Command::Merge(arguments) => merge::run(&arguments, self.look),
            Command::Report(arguments) => report::run(&arguments, self.look),
            Command::History(arguments) => history::run(&arguments, self.look),
            Command::Clean(arguments) => clean::run(&arguments),
            Command::List(arguments) => list::run(&arguments),
            Command::Scenarios(arguments) => scenarios::run(arguments),
            Command::Schema(arguments) => schema::run(&arguments),
            Command::Completions(arguments) => completions::run(&arguments, Self::command()),
            Command::Man(arguments) => man::run(&arguments, Self::command()),
        }
    }
}

/// Lets amounts be negative, so that it is said what is wrong with them: `-5s` is no option.
fn amounts_with_sign(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|argument| {
        let names = argument.get_value_names().unwrap_or_default();
        let is_amount = names.iter().any(|name| ["N", "PERCENT", "TIME"].contains(&name.as_str()));
        argument.allow_hyphen_values(is_amount)
    });
    command.mut_subcommands(amounts_with_sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        amounts_with_sign(Program::command()).debug_assert();
    }

    #[test]
    fn negative_amounts_are_no_options() {
        for words in [
            &["gate", "--threshold", "-3%"][..],
            &["gate", "--workers", "-1"],
            &["run", "--duration", "-5s"],
            &["capacity", "--max-rate", "-1"],
        ] {
            let words = [&["plimsoll"], words].concat();
            let message = amounts_with_sign(Program::command()).try_get_matches_from(&words).unwrap_err().to_string();
            assert!(message.contains(&format!("invalid value '{}' for '{}", words[3], words[2])), "{message}");
        }
    }

    #[test]
    fn every_command_and_argument_is_explained() {
        for command in Program::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
            }
        }
    }

    #[test]
    fn an_option_has_the_same_help_in_every_command() {
        const SHARED: [&str; 17] = [
            "target",
            "server-bin",
            "topology",
            "yes",
            "no-keyspace-sampling",
            "duration",
            "warmup",
            "rate",
            "seed",
            "set",
            "workers",
            "out",
            "force",
            "results",
            "format",
            "quiet",
            "allow-differences",
        ];
        // Options that mean something else there.
        let is_another = |command: &str, option: &str| match option {
            "target" => command == "clean",
            "yes" => ["ci", "clean", "run", "scale"].contains(&command),
            "workers" => command == "scale",
            "warmup" => command == "capacity",
            "rate" => command == "gate",
            "out" => ["compare", "history", "man"].contains(&command),
            "format" => ["audit", "compare", "history"].contains(&command),
            _ => false,
        };
        let program = Program::command();
        for option in SHARED {
            let mut helps = Vec::new();
            for command in program.get_subcommands().filter(|command| !is_another(command.get_name(), option)) {
                let own = command.get_arguments().find(|argument| argument.get_long() == Some(option));
                helps.extend(own.map(|own| (own.get_help().map(ToString::to_string), own.get_help_heading())));
            }
            assert!(helps.len() > 1, "{option}");
            helps.dedup();
            assert_eq!(helps.len(), 1, "{option}: {helps:?}");
        }
    }
}
