//! What the user should know of the server, in words, with advice.

use super::{Note, Tone, server_resources::persistence_words};
use crate::{
    analysis::ServerFinding,
    report::format::{count, counted, duration, share},
};

/// The note for a finding about the server.
pub(super) fn note(finding: &ServerFinding) -> Note {
    let (tone, fact, advice) = match finding {
        ServerFinding::Saturated { busiest, command } => (
            Tone::Fair,
            format!(
                "The server's main thread was busy for {} of its busiest second{}.",
                share(*busiest),
                command.as_ref().map_or_else(String::new, |(name, busy)| {
                    format!("; {name} took the most of its time, {} of the measured period", share(*busy))
                }),
            ),
            "It is the limit: more connections only queue. Make commands cheaper, turn on io-threads where \
             cores are free, or spread the data over more servers.",
        ),
        ServerFinding::Restarts { count: restarts } => (
            Tone::Bad,
            match restarts {
                1 => "The server was restarted while it was measured.".to_owned(),
                _ => format!(
                    "The server was restarted {} while it was measured.",
                    counted(u64::from(*restarts), "time", "times")
                ),
            },
            "Its statistics count from the last restart; what came before is unknown. Look into its log for the reason.",
        ),
        ServerFinding::Evictions { count: evicted } => (
            Tone::Fair,
            format!("The server evicted {} for lack of memory.", counted(*evicted, "key", "keys")),
            "Evicting costs the command that needs the room, and what was evicted is missed later: raise maxmemory, or let \
             keys expire earlier.",
        ),
        ServerFinding::Rejected { count: rejected } => (
            Tone::Bad,
            format!("The server refused {}.", counted(*rejected, "connection", "connections")),
            "maxclients is reached: raise it (CONFIG SET maxclients ...), or use smaller pools.",
        ),
        ServerFinding::Persistence { work, seconds } => {
            let when: Vec<_> = seconds.iter().map(u32::to_string).collect();
            (
                Tone::Quiet,
                format!(
                    "{} in {} {}.",
                    match persistence_words(*work) {
                        words if words.starts_with(char::is_uppercase) => format!("An {words} was under way"),
                        words => format!("A {words} was under way"),
                    },
                    if when.len() == 1 { "second" } else { "seconds" },
                    when.join(", "),
                ),
                "A fork stalls the server and makes writes copy pages for a while: spikes there are explained by it.",
            )
        }
        ServerFinding::SlowCommands { count: entries, slowest: (command, micros) } => (
            Tone::Fair,
            format!(
                "The server's slow log has {} of the measured period; the slowest, {command}, took {}.",
                if *entries == 1 { "one entry".to_owned() } else { format!("{} entries", count(*entries)) },
                duration(*micros as f64 * 1e3),
            ),
            "While such a command runs, nobody else is served: send smaller batches or ranges, or split large keys.",
        ),
        ServerFinding::Strangers { share: part } => (
            Tone::Fair,
            format!("{} of the calls of these commands came from others.", share(*part)),
            "The server was not measured alone: repeat the run when it is quiet, or take a private one.",
        ),
    };
    Note::new(tone, fact, advice)
}
