//! From a run to conclusions: estimates, checks and the verdict. Pure and synchronous; says nothing in prose.
//!
//! The way of a run through this room: [`layout`] says which rows there are, [`tally`] adds up their series,
//! [`distribution`], [`proportion`] and [`burstiness`] make estimates of the sums, [`validity`] asks whether they can be
//! trusted, [`verdict`] judges, and [`findings`] picks out what the user should know.

pub mod audit;
pub mod baseline;
mod burstiness;
pub mod capacity;
mod client_cost;
mod coarse;
mod databases;
mod dependencies;
mod digest;
mod distribution;
mod draw;
mod effect;
mod estimates;
mod events;
mod evidence;
mod families;
mod finding;
mod findings;
pub mod gate;
mod generators;
mod grade;
mod judgement;
mod keyspace;
mod layout;
mod mean;
mod merge;
mod model;
mod nodes;
mod outages;
mod paired;
mod planned;
mod pools;
mod proportion;
mod reads;
mod round_trips;
mod row;
#[cfg(test)]
mod run_tests;
mod scaling;
mod served;
mod server;
mod server_findings;
mod silence;
mod spans;
mod tally;
mod timeline;
mod trend;
mod validity;
mod verdict;
mod worsening;

pub use client_cost::{ClientSide, Costs, OperationCost, Split, client_cost};
pub use databases::{DatabaseUse, databases};
pub use dependencies::{Answers, DependencyOutage, DependencySide, Latency};
pub use digest::{Cut, Occasion, digest};
pub use distribution::{Distribution, PERCENTILES, Percentile, PercentileValue, Support};
pub use effect::{Effect, Interval};
pub use events::{Burst, Events, Stall};
pub use families::{Family, FamilyKind};
pub use finding::Finding;
pub use findings::WAITS;
pub use generators::{GeneratorFinding, GeneratorRow};
pub use grade::Grade;
pub use judgement::{Check, Conclusion, Doubt, Level, Reason};
pub use keyspace::{DatabaseSide, KeyShare, KeyspaceSide, sampled_total};
#[cfg(test)]
pub(crate) use merge::BATCH;
pub use merge::{MergeError, Merger};
pub use model::Analysis;
pub use nodes::{Lag, NodeLoad, NodeRow, UNEVEN, spread};
pub use outages::{Bounds, Outage, STEADY, Subject};
pub use pools::PoolUse;
pub use proportion::Proportion;
pub use reads::ReadRow;
pub use round_trips::RoundTrips;
pub use row::{Row, Scope};
pub use scaling::{Bottleneck, PoolNeed, Scaling};
pub use server::{CommandTime, ServerSide, Slow, Totals};
pub use server_findings::ServerFinding;
pub use silence::Silence;
pub use timeline::{Moment, Timeline};

use evidence::Evidence;
use planned::Planned;

pub use crate::results::CheckKind;
use crate::{measure::ServiceRecord, results::Run, scenario::Scenario};

/// Concludes from a run what can be concluded. An interrupted run is taken for what there is of it.
pub fn analyse(run: &Run, scenario: &Scenario) -> Analysis {
    let recording = &run.recording;
    let limit = tally::RequestLimit {
        latency: scenario.objective.latency.as_nanos() as u64,
        percentile: scenario.objective.percentile,
    };
    let outlines = layout::outlines(recording);
    let tallies = tally::tallies(recording, &outlines, limit);
    let mut rows = Vec::with_capacity(outlines.len());
    let mut timelines = Vec::with_capacity(outlines.len());
    let mut judgements = Vec::with_capacity(outlines.len());
    let pauses = silence::pauses(recording);
    let silences = silence::silences(recording, scenario, &pauses);
    let lags = ServiceRecord::lag(&recording.services);
    let terms = estimates::Terms::new(recording, scenario, &silences, &pauses, &lags);
    for (outline, tally) in outlines.into_iter().zip(tallies) {
        timelines.push(Timeline::new(recording, &outline.scope, &tally.seconds));
        let (row, of_row) = estimates::row(outline.scope, tally, terms);
        rows.push(row);
        judgements.push(of_row);
    }
    let (nodes, reads) = (nodes::nodes(run, limit), reads::reads(run, limit));
    let generators = generators::generators(run);
    let evidence = Evidence { run, scenario, rows: &rows, timelines: &timelines, silences: &silences };
    let checks = validity::checks(&evidence);
    judge_silences(&mut judgements, &evidence, &silences);
    let judged: Vec<Conclusion> = rows
        .iter()
        .zip(&judgements)
        .map(|(row, judgement)| verdict::judge(judgement, checks.iter().filter(|check| verdict::concerns(check, row))))
        .collect();
    let outages = outages::outages(outages::Observed {
        recording,
        rows: &rows,
        timelines: &timelines,
        silences: &silences,
        nodes: &nodes,
        events: &run.events,
        objective: &scenario.objective,
    });
    let measured_ns = recording.period.measured_ns;
    let recovery = scenario.objective.recovery.map(|limit| limit.as_nanos() as u64);
    let recovery = recovery.and_then(|limit| Some((outages::worst(&outages, measured_ns, limit)?, limit)));
    let conclusion = verdict::conclude(&rows, &judged);
    let conclusion = match recovery {
        Some(((outage, verdict), limit)) => {
            conclusion.with_recovery(outage, outage.recovery(measured_ns), verdict, limit)
        }
        None => conclusion,
    };
    let unfinished = rows.last().map_or(0, |whole| whole.unfinished);
    let latency = scenario.objective.latency.as_nanos() as u64;
    let events = timelines.last().map_or_else(Events::default, |whole| {
        events::events(recording, whole, &silences, &pauses, (latency, unfinished))
    });
    let server = server::server_side(&evidence);
    let dependencies = dependencies::dependencies(&run.dependencies);
    let findings = findings::findings(
        (&evidence, &nodes, &generators),
        &checks,
        (&events, &Planned::new(&run.events, outages.iter().filter_map(Outage::explained))),
        &server,
        &dependencies,
        conclusion.verdict,
    );
    let keyspace = run.inspection.keyspace.as_ref().map(keyspace::keyspace);
    let pools = pools::pools(&evidence);
    let scaling = scaling::scaling(&evidence, &pools, &server);
    for (row, judged) in rows.iter_mut().zip(&judged) {
        let is_whole = row.scope.service.is_none();
        row.conclude(if is_whole { conclusion.verdict } else { judged.verdict }, &scenario.objective);
    }
    let audit = audit::audit(&audit::Subject {
        target: &run.target,
        inspection: &run.inspection,
        dependencies: &run.dependencies,
        scenario: Some(scenario),
        measured: Some(audit::Measured {
            record: &run.server,
            nodes: &run.nodes,
            side: &server,
            recording: &run.recording,
            rows: &rows,
        }),
    });
    let families = families::families(run, &rows);
    let client = client_cost::client_side(run, &server.commands);
    Analysis {
        conclusion,
        checks,
        rows,
        timelines,
        findings,
        events,
        pools,
        server,
        nodes,
        reads,
        generators,
        outages,
        client,
        families,
        audit,
        dependencies,
        keyspace,
        scaling,
    }
}

/// Adds to each service's row what the time without answers says.
fn judge_silences(judgements: &mut [verdict::RowJudgement], evidence: &Evidence<'_>, silences: &[Silence]) {
    for silence in silences {
        let is_own = |row: &Row| row.scope.operation.is_none() && row.scope.service.as_ref() == Some(&silence.service);
        let Some(position) = evidence.rows.iter().position(is_own) else { continue };
        let service = evidence.scenario.services.iter().find(|service| service.name == silence.service);
        let closed = service.is_some_and(|service| service.offered_rate().is_none());
        let waited =
            evidence.timelines[position].seconds.iter().any(|moment| moment.in_system.is_some_and(|n| n > 0.0));
        judgements[position].add_silence(
            &evidence.rows[position],
            silence,
            closed,
            waited,
            &evidence.scenario.objective,
        );
    }
}
