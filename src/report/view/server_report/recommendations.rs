//! What is right already, what to change now, and what to weigh; each with the measurement that speaks for it. What the
//! measurement speaks against is told too, so that nobody does it for want of a number.

use super::blocks::plain_table;
use crate::{
    analysis::audit::{Rule, Severity},
    report::{
        format::{self, NOTHING, counted, duration, share},
        subject::RunReport,
        view::{
            Advice, Block, Column, Listing, Note, Section, Tone,
            audit::{advice, claim, evidence},
            method::quoted,
        },
    },
    scenario::Service,
};

/// What is in effect, by subject.
const IN_EFFECT: [(&str, &str, &[Rule]); 4] = [
    (
        "effect-connections",
        "Connections",
        &[Rule::MaxClients, Rule::IdleTimeout, Rule::TcpKeepalive, Rule::TcpBacklog, Rule::RejectedConnections],
    ),
    (
        "effect-memory",
        "Memory",
        &[
            Rule::MemoryLimit,
            Rule::MemoryHeadroom,
            Rule::MemoryOversized,
            Rule::EvictionPolicy,
            Rule::Fragmentation,
            Rule::Evictions,
            Rule::BigKeys,
        ],
    ),
    (
        "effect-security",
        "Authentication and security",
        &[
            Rule::DefaultUser,
            Rule::PasswordStrength,
            Rule::LeastPrivilege,
            Rule::DangerousCommands,
            Rule::Encryption,
            Rule::ProtectedMode,
        ],
    ),
    (
        "effect-diagnosis",
        "Persistence and diagnosis",
        &[
            Rule::Persistence,
            Rule::RdbCompression,
            Rule::RdbChecksum,
            Rule::AofPolicy,
            Rule::LastSave,
            Rule::SlowlogThreshold,
            Rule::SlowlogLength,
            Rule::LatencyMonitor,
        ],
    ),
];

pub(super) fn in_effect(facts: &RunReport) -> Section {
    let mut blocks = Vec::new();
    for (id, subject, rules) in IN_EFFECT {
        let passed: Vec<_> = rules
            .iter()
            .flat_map(|rule| facts.rulings(*rule))
            .filter(|ruling| ruling.severity == Severity::Passed)
            .map(|ruling| vec![claim(ruling).into(), evidence(&ruling.evidence).into()])
            .collect();
        if !passed.is_empty() {
            let columns = vec![Column::head("What is so"), Column::words("Evidence", 0)];
            blocks.push(plain_table(id, subject, columns, passed));
        }
    }
    Section::new("in-effect", "Current optimisations in effect", blocks)
}

pub(super) fn section(facts: &RunReport) -> Section {
    let serious = |severity| facts.ruled(severity).map(advice);
    let mut immediate: Vec<_> = serious(Severity::Critical).chain(serious(Severity::Warning)).collect();
    let pools: Vec<_> = facts.scenario.services.iter().filter_map(|service| pool(facts, service)).collect();
    immediate.extend(pools.iter().filter(|(needed, _)| *needed).map(|(_, advice)| advice.clone()));
    let mut advanced: Vec<_> = serious(Severity::Note).collect();
    advanced.extend(cluster(facts).filter(|(needed, _)| *needed).map(|(_, advice)| advice));
    let against: Vec<_> =
        pools.into_iter().chain(cluster(facts)).filter(|(needed, _)| !needed).map(|(_, advice)| advice.note).collect();

    let or_nothing = |advice: Vec<Advice>| {
        if advice.is_empty() {
            Block::Paragraph("Nothing that a measurement speaks for.".to_owned())
        } else {
            Block::Advice(advice)
        }
    };
    let mut blocks = vec![
        Block::Heading("Immediate opportunities".to_owned()),
        or_nothing(immediate),
        Block::Heading("Advanced optimisations".to_owned()),
        or_nothing(advanced),
    ];
    if !against.is_empty() {
        blocks.extend([Block::Heading("Weighed, and not called for".to_owned()), Block::Notes(against)]);
    }
    blocks.extend([Block::Heading("Databases by service".to_owned()), databases(facts)]);
    blocks.push(Block::Paragraph(
        "Databases of one server share its memory, its thread and its users. In a cluster there is database 0 only: services \
         are kept apart by the prefixes of their keys and the key patterns of their users."
            .to_owned(),
    ));
    Section::new("recommendations", "Optimisation recommendations", blocks)
}

/// Whether a larger pool is worth a try, and why.
fn pool(facts: &RunReport, service: &Service) -> Option<(bool, Advice)> {
    let need = facts.analysis.scaling.pools.iter().find(|need| need.pool.service == service.name)?;
    let (pool, needed) = (&need.pool, need.needed);
    let measured = format!(
        "{} of {} in use on average, {} requests waiting, p99 of the wait {}",
        share(pool.utilisation),
        counted(pool.places, "place", "places"),
        format::significant(pool.waiting),
        need.wait_p99.map_or_else(|| NOTHING.to_owned(), |wait| duration(wait as f64)),
    );
    let size = service.pool.size;
    let advice = Advice {
        note: Note {
            tone: if needed { Tone::Fair } else { Tone::Quiet },
            fact: if needed {
                format!("Pool of {}: {measured}: it may be too small.", service.name)
            } else {
                format!("A larger pool for {}: {measured}: more connections would only be idle.", service.name)
            },
            advice: if needed {
                format!(
                    "Before it is scaled from {size} to {}, measure both: connections add no capacity to a server that runs \
                     one command at a time; they help only where requests wait for one.",
                    size.saturating_mul(2)
                )
            } else {
                String::new()
            },
        },
        severity: Severity::Warning,
        commands: vec![Listing {
            title: "To find out whether the larger pool pays".to_owned(),
            language: "sh",
            text: format!(
                "plimsoll capacity scenario.toml{} --sweep service.{}.pool.size={size},{}",
                if facts.run.target.private {
                    String::new()
                } else {
                    format!(" --target {}", quoted(&facts.run.target.address))
                },
                service.name,
                size.saturating_mul(2)
            ),
            folded: false,
        }],
        source: "Pool: utilisation and wait as measured in this run.".to_owned(),
    };
    Some((needed, advice))
}

/// Whether more servers are worth a thought, and why.
fn cluster(facts: &RunReport) -> impl Iterator<Item = (bool, Advice)> {
    let rate = facts.analysis.rows.last().map_or(0.0, |row| row.rate);
    facts.analysis.scaling.server.into_iter().map(move |(busiest, needed)| {
        let measured = format!("{} of its main thread in the busiest second at {}", share(busiest), format::rate(rate));
        let advice = Advice {
            note: Note {
                tone: if needed { Tone::Fair } else { Tone::Quiet },
                fact: if needed {
                    format!("The server's main thread is nearly used up: {measured}.")
                } else {
                    format!("A cluster of several servers: one is enough for this load ({measured}).")
                },
                advice: if needed {
                    "First make the dear commands cheaper and try io-threads where cores are free; then spread the keys over \
                     the servers of a cluster. There the keys of one command must lie in one slot, and only database 0 \
                     exists."
                        .to_owned()
                } else {
                    String::new()
                },
            },
            severity: Severity::Note,
            commands: Vec::new(),
            source: "Main thread busy, second by second (docs/measurement.md).".to_owned(),
        };
        (needed, advice)
    })
}

/// The databases as they are, and as they could be.
fn databases(facts: &RunReport) -> Block {
    let columns = vec![
        Column::head("Service"),
        Column::numbers("Database now", None, 0),
        Column::numbers("Proposed", None, 0),
        Column::words("Keys under", 1),
        Column::numbers("Keys in that database", None, 2),
    ];
    let layout = crate::analysis::databases(&facts.scenario, &facts.run.inspection);
    let rows = facts.scenario.services.iter().zip(&layout).map(|(service, of_service)| {
        let keys = facts.run.server.databases.iter().find(|known| known.database == u64::from(of_service.now));
        vec![
            service.name.as_str().into(),
            of_service.now.to_string().into(),
            of_service.proposed.map_or_else(|| "none is left".to_owned(), |database| database.to_string()).into(),
            service.keys.prefix.as_str().into(),
            keys.map_or_else(|| NOTHING.to_owned(), |known| format::count(known.keys)).into(),
        ]
    });
    plain_table("databases", "Databases as they are, and as they could be", columns, rows.collect())
}
