//! Events: faults and changes of a private server, and commands of the user, at fixed times of the measured period.

use std::{fmt, str::FromStr, time::Duration};

use super::{
    duration::{format_duration, parse_duration},
    field::{ACTIONS, Format, Presence, Shape, Table, duration, field},
    reader::Section,
};

/// One event in a file.
pub(super) const TABLE: Table = Table {
    name: "event",
    about: "A fault or change of a private server, or a command of the user, at a time of the measured period.",
    fields: &[
        field("at", "Time since the start of the measured period.", duration(0, 86_400_000), Presence::Required),
        field(
            "do",
            "`kill:NODE`, `stop:NODE:TIME` (suspended that long), `restart:NODE` (without its data), `failover` (a replica takes \
             over from the first primary), `reshard:SLOTS` (number of hash slots of a cluster that move with their keys from the \
             primary with the most to the one with the fewest) or `config:NAME=VALUE` (a setting of all servers). NODE is a number \
             from 1 (primaries, then replicas, then Sentinels), an address, `primary` or `replica` (the first of them at the time). \
             `exec:COMMAND` is carried out by the shell of this machine, for at most a minute, whatever the server; it has to be \
             confirmed before the load, or with --yes.",
            Shape::Text(Format::Action),
            Presence::Required,
        ),
    ],
    variants: None,
};

/// Hash slots of a cluster.
const SLOTS: usize = 16_384;

/// Something that is done to a private server, or on this machine, during the measured period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, since the start of the measured period.
    pub at: Duration,
    /// What.
    pub action: EventAction,
}

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
        let unknown = || format!("`{text}` is not an action; actions are {ACTIONS}");
        let (word, rest) = text.split_once(':').map_or((text, None), |(word, rest)| (word, Some(rest)));
        match (word, rest) {
            ("kill", Some(node)) => Ok(Self::Kill(node.parse().map_err(|()| unknown())?)),
            ("restart", Some(node)) => Ok(Self::Restart(node.parse().map_err(|()| unknown())?)),
            ("stop", Some(rest)) => {
                let (node, time) = rest.rsplit_once(':').ok_or_else(unknown)?;
                let time = parse_duration(time).ok().filter(|time| !time.is_zero()).ok_or_else(unknown)?;
                Ok(Self::Stop(node.parse().map_err(|()| unknown())?, time))
            }
            ("failover", None) => Ok(Self::Failover),
            ("reshard", Some(slots)) => {
                let slots = slots.parse().ok().filter(|slots| (1..=SLOTS).contains(slots)).ok_or_else(unknown)?;
                Ok(Self::Reshard(slots))
            }
            ("config", Some(rest)) => {
                let (name, value) = rest.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(unknown)?;
                Ok(Self::Config { name: name.to_owned(), value: value.to_owned() })
            }
            // One line, as results and reports show it.
            ("exec", Some(command)) if !command.trim().is_empty() && !command.contains(char::is_control) => {
                Ok(Self::Exec(command.to_owned()))
            }
            _ => Err(unknown()),
        }
    }
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
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "primary" => Ok(Self::Primary),
            "replica" => Ok(Self::Replica),
            _ if text.contains([':', '/']) => Ok(Self::Address(text.to_owned())),
            _ => text.parse().ok().filter(|number| *number > 0).map(Self::Number).ok_or(()),
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

impl FromStr for Event {
    type Err = String;

    /// Reads `TIME=ACTION`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (at, action) = text.split_once('=').ok_or("expected TIME=ACTION, such as 20s=kill:primary")?;
        Ok(Self { at: parse_duration(at)?, action: action.parse()? })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", format_duration(self.at), self.action)
    }
}

/// Why an event cannot take place in a measured period; `None` if it can.
pub(super) fn too_late(at: Duration, measured: Duration) -> Option<String> {
    (at >= measured).then(|| {
        format!(
            "{} is not within the measured period of {}: use an earlier time or a longer duration",
            format_duration(at),
            format_duration(measured)
        )
    })
}

/// The events of a scenario; none where it names none.
pub(super) fn read(root: &Section<'_>, measured: Option<Duration>) -> Option<Vec<Event>> {
    if !root.gives("event") {
        return Some(Vec::new());
    }
    root.sections("event")?.iter().map(|section| event(section, measured)).collect::<Vec<_>>().into_iter().collect()
}

fn event(section: &Section<'_>, measured: Option<Duration>) -> Option<Event> {
    let at = section.duration("at");
    if let Some(message) = at.zip(measured).and_then(|(at, measured)| too_late(at, measured)) {
        section.reject("at", message);
        return None;
    }
    let action = section.text("do").and_then(|text| match text.parse() {
        Ok(action) => Some(action),
        Err(reason) => {
            section.reject("do", reason);
            None
        }
    });
    Some(Event { at: at?, action: action? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

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
        for text in [
            "",
            "kill",
            "kill:",
            "kill:0",
            "stop:1",
            "stop:1:5",
            "stop:1:0s",
            "failover:1",
            "reshard",
            "reshard:0",
            "reshard:16385",
            "config:a",
            "exec",
            "exec: ",
            "exec:a\nb",
            "pause:1",
        ] {
            let error = text.parse::<EventAction>().unwrap_err();
            assert!(error.contains("is not an action; actions are kill:NODE, stop:NODE:TIME"), "{error}");
        }
        assert_eq!("20s=config:a=b".parse::<Event>().unwrap().to_string(), "20s=config:a=b");
    }

    #[test]
    fn wrong_events_are_reported_with_their_place() {
        let of = |lines: &str| {
            let text = format!(
                "name = \"x\"\n[[event]]\n{lines}\n[[service]]\nname = \"s\"\nload.rate = 1\n\
                 operation = [{{ command = \"GET\" }}]\n"
            );
            parse(&text, "x.toml")
        };
        let error = |lines: &str| of(lines).unwrap_err().to_string();
        let late = error("at = \"10s\"\ndo = \"failover\"");
        assert!(late.contains("x.toml:3:6: ") && late.contains("within the measured period of 10s"), "{late}");
        let unknown = error("at = \"1s\"\ndo = \"explode\"");
        assert!(unknown.contains("x.toml:4:6: ") && unknown.contains("explode\" is not an action"), "{unknown}");
        assert!(error("at = \"1s\"").contains("do"), "{}", error("at = \"1s\""));
        let events = of("at = \"1.5s\"\ndo = \"stop:1:1s\"").unwrap().events;
        let action = EventAction::Stop(NodeChoice::Number(1), Duration::from_secs(1));
        assert_eq!(events, [Event { at: Duration::from_millis(1_500), action }]);
    }
}
