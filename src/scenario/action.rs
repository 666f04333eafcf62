//! Actions of events: their grammar.

use std::{fmt, str::FromStr, time::Duration};

use super::{
    duration::{format_duration, parse_duration},
    errors::nearest,
};

/// Word, form and an example of each action.
const ACTIONS: [(&str, &str, &str); 7] = [
    ("kill", "kill:NODE", "kill:primary"),
    ("stop", "stop:NODE:TIME", "stop:primary:5s"),
    ("restart", "restart:NODE", "restart:1"),
    ("failover", "failover", "failover"),
    ("reshard", "reshard:SLOTS", "reshard:100"),
    ("config", "config:NAME=VALUE", "config:maxmemory=100mb"),
    ("exec", "exec:COMMAND", "exec:date"),
];

const NODES: &str = "NODE is a number from 1, an address such as 127.0.0.1:7000, primary or replica";

/// Hash slots of a cluster.
const SLOTS: usize = 16_384;

/// What an event does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventAction {
    /// The node is killed (SIGKILL).
    Kill(NodeChoice),
    /// The node is suspended (SIGSTOP) for some time.
    Stop(NodeChoice, Duration),
    /// The node is started again, without its data; one that runs is killed first.
    Restart(NodeChoice),
    /// A replica takes over from its primary.
    Failover,
    /// A number of slots of a cluster move, with their keys, from one primary to another.
    Reshard(usize),
    /// A setting of all servers is changed.
    Config {
        /// Name.
        name: String,
        /// Value.
        value: String,
    },
    /// A command is carried out by the shell of this machine.
    Exec(String),
}

impl EventAction {
    /// The command of the user; `None` where a private server is acted on.
    pub fn command(&self) -> Option<&str> {
        match self {
            Self::Exec(command) => Some(command),
            Self::Kill(_)
            | Self::Stop(..)
            | Self::Restart(_)
            | Self::Failover
            | Self::Reshard(_)
            | Self::Config { .. } => None,
        }
    }
}

/// Node of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeChoice {
    /// By its place, from 1: primaries, then replicas, then Sentinels.
    Number(usize),
    /// By its address.
    Address(String),
    /// The first that is a primary at the time.
    Primary,
    /// The first that is a replica at the time.
    Replica,
}

impl FromStr for EventAction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, rest) = text.split_once(':').map_or((text, None), |(word, rest)| (word, Some(rest)));
        match (word, rest.filter(|rest| !rest.trim().is_empty())) {
            ("kill", Some(node)) => Ok(Self::Kill(node.parse()?)),
            ("restart", Some(node)) => Ok(Self::Restart(node.parse()?)),
            ("stop", Some(rest)) if rest.contains(':') => {
                let (node, time) = rest.rsplit_once(':').expect("it contains one");
                let time = parse_duration(time)?;
                if time.is_zero() {
                    return Err(format!("\"{text}\": expected a time above 0, such as stop:primary:5s"));
                }
                Ok(Self::Stop(node.parse()?, time))
            }
            ("failover", None) if rest.is_none() => Ok(Self::Failover),
            ("reshard", Some(slots)) => match slots.parse() {
                Ok(slots @ 1..=SLOTS) => Ok(Self::Reshard(slots)),
                _ => Err(format!("\"{slots}\" is not a number of slots from 1 to {SLOTS}")),
            },
            ("config", Some(rest)) if rest.split_once('=').is_some_and(|(name, _)| !name.trim().is_empty()) => {
                let (name, value) = rest.split_once('=').expect("it contains one");
                Ok(Self::Config { name: name.to_owned(), value: value.to_owned() })
            }
            // One line, as results and reports show it.
            ("exec", Some(command)) if !command.contains(char::is_control) => Ok(Self::Exec(command.to_owned())),
            _ => Err(misused(text, word)),
        }
    }
}

/// What is wrong with a text that has not the form of its action, or that is none.
fn misused(text: &str, word: &str) -> String {
    match ACTIONS.iter().find(|(name, ..)| *name == word) {
        Some(("failover", ..)) => format!("\"{text}\": failover takes no argument"),
        Some((_, form, example)) => format!("\"{text}\": expected {form}, such as {example}"),
        None => {
            let names: Vec<_> = ACTIONS.iter().map(|(name, ..)| *name).collect();
            let question = nearest(word, &names).map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default();
            format!("\"{text}\" is not an action{question} ({})", forms())
        }
    }
}

/// The actions with their arguments, for messages.
pub(super) fn forms() -> String {
    let forms: Vec<_> = ACTIONS.iter().map(|(_, form, _)| *form).collect();
    format!("one of {}; {NODES}", forms.join(", "))
}

impl fmt::Display for EventAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill(node) => write!(f, "kill:{node}"),
            Self::Stop(node, time) => write!(f, "stop:{node}:{}", format_duration(*time)),
            Self::Restart(node) => write!(f, "restart:{node}"),
            Self::Failover => f.write_str("failover"),
            Self::Reshard(slots) => write!(f, "reshard:{slots}"),
            Self::Config { name, value } => write!(f, "config:{name}={value}"),
            Self::Exec(command) => write!(f, "exec:{command}"),
        }
    }
}

impl FromStr for NodeChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "primary" => Ok(Self::Primary),
            "replica" => Ok(Self::Replica),
            _ if text.contains([':', '/']) => Ok(Self::Address(text.to_owned())),
            _ => text.parse().ok().filter(|number| *number > 0).map(Self::Number).ok_or_else(|| {
                let meant = nearest(text, &["primary", "replica"]);
                let question = meant.map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default();
                format!("\"{text}\" is not a node{question} ({NODES})")
            }),
        }
    }
}

impl fmt::Display for NodeChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Address(address) => address.fmt(f),
            Self::Primary => f.write_str("primary"),
            Self::Replica => f.write_str("replica"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_read_as_they_are_written() {
        for text in [
            "kill:primary",
            "kill:redis://127.0.0.1:7000",
            "stop:2:5s",
            "stop:127.0.0.1:7000:500ms",
            "restart:replica",
            "failover",
            "reshard:16384",
            "config:maxmemory=10mb",
            "config:save=",
            "exec:echo a=b: 'c'",
        ] {
            assert_eq!(text.parse::<EventAction>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_wrong_action_is_told_what_it_takes() {
        const NODES: &str = "(NODE is a number from 1, an address such as 127.0.0.1:7000, primary or replica)";
        for (text, expected) in [
            ("kill", r#""kill": expected kill:NODE, such as kill:primary"#.to_owned()),
            ("kill:", r#""kill:": expected kill:NODE, such as kill:primary"#.to_owned()),
            ("kill:0", format!(r#""0" is not a node {NODES}"#)),
            ("kill:primry", format!(r#""primry" is not a node; did you mean "primary"? {NODES}"#)),
            ("restart: ", r#""restart: ": expected restart:NODE, such as restart:1"#.to_owned()),
            ("restart:all", format!(r#""all" is not a node {NODES}"#)),
            ("stop:1", r#""stop:1": expected stop:NODE:TIME, such as stop:primary:5s"#.to_owned()),
            ("stop:replcia:5s", format!(r#""replcia" is not a node; did you mean "replica"? {NODES}"#)),
            (
                "stop:1:5",
                r#""5" is not a duration: expected a number and ns, us, ms, s, m or h, as in "500ms""#.to_owned(),
            ),
            ("stop:1:0s", r#""stop:1:0s": expected a time above 0, such as stop:primary:5s"#.to_owned()),
            ("failover:1", r#""failover:1": failover takes no argument"#.to_owned()),
            ("reshard", r#""reshard": expected reshard:SLOTS, such as reshard:100"#.to_owned()),
            ("reshard:0", r#""0" is not a number of slots from 1 to 16384"#.to_owned()),
            ("reshard:16385", r#""16385" is not a number of slots from 1 to 16384"#.to_owned()),
            ("config:a", r#""config:a": expected config:NAME=VALUE, such as config:maxmemory=100mb"#.to_owned()),
            ("config:=1", r#""config:=1": expected config:NAME=VALUE, such as config:maxmemory=100mb"#.to_owned()),
            ("exec: ", r#""exec: ": expected exec:COMMAND, such as exec:date"#.to_owned()),
            ("exec:a\nb", "\"exec:a\nb\": expected exec:COMMAND, such as exec:date".to_owned()),
        ] {
            assert_eq!(text.parse::<EventAction>().unwrap_err(), expected);
        }
        for (text, question) in [("kil:1", r#"; did you mean "kill"?"#), ("explode", "")] {
            assert_eq!(
                text.parse::<EventAction>().unwrap_err(),
                format!(
                    "\"{text}\" is not an action{question} (one of kill:NODE, stop:NODE:TIME, restart:NODE, failover, \
                     reshard:SLOTS, config:NAME=VALUE, exec:COMMAND; NODE is a number from 1, an address such as \
                     127.0.0.1:7000, primary or replica)"
                )
            );
        }
    }
}
