//! What the client library costs: parts of the service time of each operation.

use super::{
    Block, Cell, RowKind, Section, Shown, Table, Tone,
    names::{capitalised, row_name},
};
use crate::{
    analysis::{Analysis, Check, CheckKind, ClientSide, Costs, Interval, Level, OperationCost, Split},
    report::format::{self, NOTHING, THIN},
    scenario::Scenario,
};

/// What the section shows; `None` where it was not measured.
pub(super) fn section(scenario: &Scenario, analysis: &Analysis) -> Option<Section> {
    let side = analysis.client.as_ref()?;
    let is_busy = |check: &Check| check.kind == CheckKind::WorkerCpu && check.level >= Level::Warn;
    let busy = analysis.checks.iter().any(is_busy);
    let whole = in_words(side, busy);
    let blocks = vec![Block::Paragraph(capitalised(&whole)), Block::Table(table(scenario, side))];
    let section = Section::new("client-library", "Client library", blocks).detailed(Shown::Everything);
    Some(section.brief_line("Client", Some(whole)))
}

/// The cost for all operations together. `busy` is whether a worker was in the measured period.
fn in_words(side: &ClientSide, busy: bool) -> String {
    let Some(split) = side.rows.last().and_then(|row| row.split) else {
        return format!("the cost of the client library is not known: too few requests in {}.", seconds(side));
    };
    let clause = clause(&split);
    let waits = if busy { ". A worker was busy, so this includes waits for it" } else { "" };
    format!("{clause}; median service time {} with fred, all services{waits}.", format::duration(split.fred))
}

/// Time and share of the client library, as the end of a sentence.
pub(super) fn clause(split: &Split) -> String {
    let (time, share) = (split.library(), share(split.library_share()));
    match split.costs() {
        Costs::More => format!("the client library takes {} ({share})", format::duration(time.point)),
        Costs::Less => {
            format!(
                "with fred it takes {} less than with the wire client ({share} of the time with fred)",
                format::duration(-time.point)
            )
        }
        Costs::Unclear => format!("the cost of the client library is not distinguishable from 0 ({share})"),
    }
}

/// A share with its interval: `13.4 % [11.6, 15.2]`.
fn share(share: Interval) -> String {
    let interval = interval(share).unwrap_or_else(|| "from fewer than six seconds, no interval".to_owned());
    format!("{}{THIN}% {interval}", percent(share.point))
}

fn interval(share: Interval) -> Option<String> {
    share.ends().map(|(low, high)| format!("[{}, {}]", percent(low), percent(high)))
}

/// A share in percent, which may be below 0.
fn percent(share: f64) -> String {
    format::signed(1.0 + share).trim_start_matches('+').to_owned()
}

fn table(scenario: &Scenario, side: &ClientSide) -> Table {
    let part = |row: &OperationCost, part: fn(&Split) -> Option<f64>| {
        let (split, nanos) = row.split.as_ref().and_then(|split| Some((split, part(split)?)))?;
        Some(Cell::times(&format!("{{}} ({}{THIN}%)", percent(split.share(nanos))), [nanos]))
    };
    let tone = |split: &Split| if split.costs() == Costs::Unclear { Tone::Quiet } else { Tone::Plain };
    let closed = scenario.services.iter().any(|service| service.offered_rate().is_none());
    Table::of("client-cost", "Parts of the median service time with fred", &side.rows)
        .kinds(|row| RowKind::of(row.service.as_deref(), row.operation.as_deref()))
        .head("Operation", |row| row_name(row.service.as_deref(), row.operation.as_deref()))
        .times("fred p50", 0, |row| Cell::time(row.split.map(|split| split.fred)))
        .times("wire p50", 1, |row| Cell::time(row.split.map(|split| split.wire)))
        .times("Server", 0, |row| part(row, |split| split.server))
        .times("Network and kernel", 0, |row| part(row, Split::network))
        .times("Client library", 0, |row| part(row, |split| Some(split.library().point)))
        .numbers("Interval", 0, |row| {
            row.split
                .and_then(|split| Some(Cell::new(format!("{}{THIN}%", interval(split.library_share())?), tone(&split))))
        })
        .table()
        .explained([
            ("fred p50, wire p50", "median service time with each client".to_owned()),
            ("Server", "mean time in the command over the measured period; none for several commands".to_owned()),
            (
                "Network and kernel",
                "service time with the wire client less the server's, event loop included".to_owned(),
            ),
            ("Client library", "service time with fred less that with the wire client, from second to second: not the difference of the two medians".to_owned()),
            (
                "Interval",
                format!("95{THIN}% interval of the client library's share; no cost is certain where it includes 0"),
            ),
        ])
        .noted([format!(
            "Both clients sent the load in turns of {}, after the measured period. {NOTHING} needs 30 requests of each \
             client in a second. Based on {}{}.",
            format::setting(side.turn),
            seconds(side),
            failed(side),
        )])
        .noted(closed.then(|| {
            "In a closed loop each client sends as fast as it is answered: the difference includes longer queues."
                .to_owned()
        }))
}

/// The seconds that count, of those that were planned.
fn seconds(side: &ClientSide) -> String {
    let counted = format::counted(side.seconds.into(), "second", "seconds");
    let left_out = match side.left_out {
        0 => String::new(),
        left_out => format!(", {left_out} left out as disturbed"),
    };
    let planned =
        if side.seconds + side.left_out < side.planned { format!(" of {}", side.planned) } else { String::new() };
    format!("{counted}{planned}{left_out}")
}

fn failed(side: &ClientSide) -> String {
    match side.failed {
        [0, 0] => String::new(),
        [wire, fred] => {
            format!("; {} requests failed with fred, {} with wire", format::count(fred), format::count(wire))
        }
    }
}
