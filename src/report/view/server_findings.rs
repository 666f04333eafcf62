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
                    format!("; {name} used most of it, {} of the measured period", share(*busy))
                }),
            ),
            "The main thread is the limit: further connections only queue. Use less expensive commands, enable \
             io-threads if cores are free, or spread the data over more servers.",
        ),
        ServerFinding::Restarts { count: restarts } => (
            Tone::Bad,
            match restarts {
                1 => "The server was restarted during the load.".to_owned(),
                _ => format!(
                    "The server was restarted {} during the load.",
                    counted(u64::from(*restarts), "time", "times")
                ),
            },
            "Its statistics count from the last restart. Its log has the reason.",
        ),
        ServerFinding::Evictions { count: evicted } => (
            Tone::Fair,
            format!("The server evicted {} for lack of memory.", counted(*evicted, "key", "keys")),
            "An eviction delays the command that needs the memory, and causes a later miss: raise maxmemory, or let \
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
                "A fork stalls the server, and writes copy pages for a while: it explains outliers at these times.",
            )
        }
        ServerFinding::SlowCommands { count: entries, slowest: (command, micros) } => (
            Tone::Fair,
            format!(
                "The server's slow log has {} of the measured period; the slowest, {command}, took {}.",
                if *entries == 1 { "one entry".to_owned() } else { format!("{} entries", count(*entries)) },
                duration(*micros as f64 * 1e3),
            ),
            "No other client is served while such a command runs: send smaller batches or ranges, or split large keys.",
        ),
        ServerFinding::Strangers { share: part } => (
            Tone::Fair,
            format!("{} of the calls of these commands came from other clients.", share(*part)),
            "The server had other load: repeat the run without it, or use a private server.",
        ),
    };
    Note::new(tone, fact, advice)
}
