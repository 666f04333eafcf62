//! Events: faults and changes of a private server, and commands of the user, at fixed times of the measured period.

use std::{fmt, str::FromStr, time::Duration};

use super::{
    action::EventAction,
    duration::{format_duration, parse_duration},
    field::{Format, Presence, Shape, Table, duration, field},
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

/// Something that is done to a private server, or on this machine, during the measured period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, since the start of the measured period.
    pub at: Duration,
    /// What.
    pub action: EventAction,
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
    use crate::scenario::{NodeChoice, parse};

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
        let [misspelt, bare] = ["kill:primry", "kill"].map(|action| error(&format!("at = \"1s\"\ndo = \"{action}\"")));
        assert!(misspelt.contains("event #1: do: \"primry\" is not a node; did you mean \"primary\"?"), "{misspelt}");
        assert!(bare.ends_with("do: \"kill\": expected kill:NODE, such as kill:primary"), "{bare}");
        assert_eq!("20s=config:a=b".parse::<Event>().unwrap().to_string(), "20s=config:a=b");
        assert!(error("at = \"1s\"").contains("do"), "{}", error("at = \"1s\""));
        let events = of("at = \"1.5s\"\ndo = \"stop:1:1s\"").unwrap().events;
        let action = EventAction::Stop(NodeChoice::Number(1), Duration::from_secs(1));
        assert_eq!(events, [Event { at: Duration::from_millis(1_500), action }]);
    }
}
