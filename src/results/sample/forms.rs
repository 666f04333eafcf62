//! Documents of the form of today, one for each kind, in which every field occurs; and the fixtures of every form that there has been.

use serde_json::Value;

use super::{
    abstracts, client_cost,
    gate::{Worsening, gate},
    inspection::{node, sentinel},
    run, scaled, shard, small_capacity, small_ci,
};
use crate::{
    measure::{ErrorClass, Span},
    results::{
        Advisory, Asked, Baseline, Capacity, Ci, EventRecord, Gate, GateStage, LoadFailure, LostWrites, NodeFacts,
        NodeRecord, NodeRole, ResultsError, Run, ServerRecord, ServiceSilence, SlotSample, SlotShare, WriteAuditRecord,
        schema_of,
    },
};

/// A kind of document.
pub(crate) struct Kind {
    /// Name.
    pub(crate) name: &'static str,
    /// Document of today's form in which every field occurs.
    pub(crate) full: fn() -> Value,
    /// Reader, which gives what it would write again.
    pub(crate) read: fn(&str) -> Result<String, ResultsError>,
    /// Schema of today's form.
    pub(crate) schema: fn() -> Value,
}

/// Every kind of document.
pub(crate) const KINDS: [Kind; 5] = [
    Kind {
        name: "run",
        full: full_run,
        read: |text| Run::from_json(text).map(|run| run.to_json()),
        schema: schema_of::<Run>,
    },
    Kind {
        name: "capacity",
        full: || value(&small_capacity().to_json()),
        read: |text| Capacity::from_json(text).map(|capacity| capacity.to_json()),
        schema: schema_of::<Capacity>,
    },
    Kind {
        name: "gate",
        full: full_gate,
        read: |text| Gate::from_json(text).map(|gate| gate.to_json()),
        schema: schema_of::<Gate>,
    },
    Kind {
        name: "ci",
        full: || value(&small_ci().to_json()),
        read: |text| Ci::from_json(text).map(|ci| ci.to_json()),
        schema: schema_of::<Ci>,
    },
    Kind {
        name: "baseline",
        full: full_baseline,
        read: |text| Baseline::from_json(text).map(|baseline| baseline.to_json()),
        schema: schema_of::<Baseline>,
    },
];

/// A small run in which every field and every class of failure occurs.
fn full_run() -> Value {
    let mut run = run();
    run.calibration = abstracts(1)[0].calibration;
    (run.target.elsewhere, run.target.tls_insecure) = (true, true);
    let mut cost = client_cost(&[1.2]);
    cost.operations.truncate(1);
    cost.seconds[0].wire.truncate(1);
    cost.seconds[0].fred.truncate(1);
    run.client_cost = Some(cost);
    run.events = vec![EventRecord {
        action: "kill:1".to_owned(),
        planned_ns: 1,
        began_ns: Some(2),
        ended_ns: Some(3),
        node: Some("redis://127.0.0.1:7000".to_owned()),
        failure: Some("why".to_owned()),
        outcome: Some("exit code 1".to_owned()),
    }];
    let losses = vec![LostWrites { found_ns: 1, least: 2, most: 3 }];
    let message = Some("why".to_owned());
    run.write_audit = Some(WriteAuditRecord { counters: 16, sent: 9, losses, message, ..WriteAuditRecord::default() });
    (run.inspection.nodes, run.inspection.sentinels) = (vec![node()], vec![sentinel()]);
    let node = Some("redis://127.0.0.1:7000".to_owned());
    let busiest = vec![SlotShare { slot: 866, commands: 90, node }];
    run.inspection.slots = Some(SlotSample { commands: 900, least: 50, busiest });
    let (address, primary) = ("redis://127.0.0.1:7001".to_owned(), Some("redis://127.0.0.1:7000".to_owned()));
    let facts = NodeFacts { address, role: NodeRole::Replica, slots: 0, primary };
    (run.target.nodes, run.target.replicas) = (vec![facts.clone()], 1);
    let seconds = vec![run.server.seconds[0].clone()];
    let server = ServerRecord { seconds, ..ServerRecord::default() };
    run.nodes = vec![NodeRecord { before: facts.clone(), after: Some(facts), server }];
    run.server.seconds[0].levels.replication_offset = Some(14);
    let mut of_reads = run.recording.series[0].clone();
    of_reads.seconds.truncate(1);
    (run.recording.nodes, run.recording.reads) = (vec![of_reads.clone()], vec![of_reads]);
    run.recording.nodes[0].seconds[0].served = Some(Span { from_ns: 1, to_ns: 2 });
    let errors = ErrorClass::ALL.iter().map(|class| (*class, 1)).collect();
    let series = &mut run.recording.series[0];
    series.seconds.truncate(2);
    series.seconds[0].counts.errors = errors;
    series.messages = ErrorClass::ALL.iter().map(|class| (*class, "why".to_owned())).collect();
    run.recording.series.truncate(1);
    run.recording.services.truncate(1);
    run.recording.services[0].seconds.truncate(2);
    run.recording.host.truncate(1);
    run.recording.workers.truncate(1);
    let span = Span { from_ns: 1, to_ns: 2 };
    run.recording.workers[0].pauses = vec![span];
    run.recording.workers[0].core = Some(1);
    run.recording.services[0].parts = Some(2);
    run.recording.services[0].handshake = Some(run.recording.services[0].connect.clone());
    run.recording.services[0].seconds[0].silences = vec![span];
    run.recording.services[0].seconds[0].unanswered = true;
    let mut scaled = scaled(1, |_| 1_000_000);
    scaled.generators[0].calibration = run.calibration;
    scaled.generators[0].host.truncate(1);
    scaled.generators[0].same_machine = true;
    scaled.generators[0].silences = vec![ServiceSilence { service: "api".to_owned(), spans: vec![span] }];
    (run.generators, run.shard) = (scaled.generators, Some(shard(0, 1)));
    run.load_failure =
        Some(LoadFailure { reason: "why".to_owned(), after_ns: 12_000_000_000, due: Some(900), reported: 870 });
    value(&run.to_json())
}

/// A gate of two slices in which every field occurs.
fn full_gate() -> Value {
    let mut small = gate(Worsening::None, 0.02, &[GateStage::Screen, GateStage::Confirm]);
    small.blocks.retain(|block| block.number == 0);
    for block in &mut small.blocks {
        block.slices = vec![block.slices[0].clone(), block.slices[8].clone()];
        block.slices.iter_mut().for_each(|slice| slice.series.truncate(1));
    }
    small.series.truncate(1);
    (small.plan.workers, small.plan.advisory) = (Some(1), Some(Advisory::External("redis://cache:6379".to_owned())));
    value(&small.to_json())
}

/// The copy of a baseline beside a run, as small as it can be with every field.
fn full_baseline() -> Value {
    let asked = Asked { name: "nightly".to_owned(), threshold: 0.2, allow_differences: false };
    let mut baseline = Baseline { asked: Some(asked), ..Baseline::new(abstracts(1)) };
    let run = &mut baseline.runs[0];
    run.interrupted = true;
    run.generators = vec![run.environment.clone()];
    run.rows.drain(1..3);
    run.course.truncate(2);
    for row in &mut run.rows {
        row.percentiles.truncate(1);
    }
    value(&baseline.to_json())
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, env, fs, path::Path};

    use super::*;
    use crate::results::{CallsBelow, HarnessLimit, Verdict};

    /// Fields that are named by a server.
    const OPEN: [&str; 5] = [
        "/inspection/settings",
        "/inspection/info",
        "/inspection/nodes/[]/settings",
        "/inspection/nodes/[]/info",
        "/inspection/sentinels/[]/facts",
    ];

    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/saved");

    /// Names of the fixtures of a kind, `KIND-FORMAT`+`LETTER.json`, the latest last.
    fn fixtures(kind: &str) -> Vec<String> {
        let names = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.starts_with(&format!("{kind}-"))).collect();
        names.sort();
        names
    }

    fn read(name: &str) -> String {
        fs::read_to_string(Path::new(FOLDER).join(name)).unwrap()
    }

    /// Paths of all fields. Items of a list count as one, and so do fields that a server names.
    fn form(value: &Value, at: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    let open = OPEN.contains(&at);
                    let path = format!("{at}/{}", if open { "*" } else { name });
                    form(field, &path, found);
                    found.insert(path);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| form(item, &format!("{at}/[]"), found)),
            _ => {}
        }
    }

    #[test]
    fn every_form_that_there_has_been_is_read() {
        for kind in KINDS {
            let schema = jsonschema::draft202012::new(&(kind.schema)()).unwrap();
            for name in fixtures(kind.name) {
                let written = (kind.read)(&read(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!((kind.read)(&written).unwrap(), written, "{name}");
                assert!(schema.is_valid(&value(&written)), "{name}");
            }
        }
    }

    #[test]
    fn the_form_of_today_has_a_fixture() {
        for Kind { name: kind, full, .. } in KINDS {
            let forms = |value: &Value| {
                let mut found = BTreeSet::new();
                form(value, "", &mut found);
                (value["schema_version"].clone(), found)
            };
            let (today, latest) = (full(), fixtures(kind).pop().expect("every kind has a fixture"));
            if forms(&today) == forms(&value(&read(&latest))) {
                continue;
            }
            let format = today["schema_version"].to_string();
            let letter = latest.strip_prefix(&format!("{kind}-{format}")).and_then(|rest| rest.bytes().next());
            let next = format!("{kind}-{format}{}.json", letter.map_or('a', |letter| char::from(letter + 1)));
            assert!(
                env::var_os("PLIMSOLL_WRITE_FIXTURES").is_some(),
                "the form of {kind} differs from {latest}, which must stay: write {next} with PLIMSOLL_WRITE_FIXTURES=1"
            );
            fs::write(Path::new(FOLDER).join(next), format!("{today}\n")).unwrap();
        }
    }

    #[test]
    fn what_an_earlier_form_lacks_is_filled_in() {
        let run = |name: &str| Run::from_json(&read(name)).unwrap();
        let first = run("run-1a.json");
        let worker = &first.recording.workers[0];
        assert!(worker.busy > 0.0 && (worker.busy - worker.cpu).abs() < 1e-12);
        let second = &first.recording.services[0].seconds[0];
        assert!((second.waiting - (second.in_system - second.in_use)).abs() < 1e-12 && second.waiting > 0.0);
        assert_eq!((first.server.seconds.len(), first.inspection.users.len(), first.dependencies.len()), (0, 0, 0));
        assert!(run("run-1d.json").server.events.iter().all(|event| event.ms > 0), "latest_ms is ms today");
        let capacity = Capacity::from_json(&read("capacity-1a.json")).unwrap();
        let trial = &capacity.trials[0];
        assert!((trial.throughput - trial.completed as f64 / 10.0).abs() < 1e-9);
        let command = trial.most_expensive.as_ref().unwrap();
        assert_eq!((command.name.as_str(), command.share, command.mean_ns), ("GET", 0.2, 3_000.0));
        let second = &Capacity::from_json(&read("capacity-2b.json")).unwrap().trials[1];
        let [limited, waived] = [&second.client_limited, &second.waived].map(|limit| limit.clone().unwrap());
        assert_eq!(limited, HarnessLimit::Words("worker 1 was busy".to_owned()));
        assert_eq!(waived, HarnessLimit::Words("it released requests late".to_owned()));
        let login = &run("run-2e.json").inspection.logins[0];
        assert_eq!(login.services.iter().map(|of| of.database).collect::<Vec<_>>(), [0, 5, 2]);
        let commands = run("run-2e.json").server.commands;
        assert_eq!(commands[0].histogram[1], CallsBelow { bound_us: 16, calls: 1_750 });
        let gate = Gate::from_json(&read("gate-1b.json")).unwrap();
        assert_eq!(gate.plan.advisory, Some(Advisory::Words("why".to_owned())));
        let baseline = Baseline::from_json(&read("baseline-1a.json")).unwrap();
        assert_eq!(baseline.runs[0].course[1].response.map(|worst| worst.p50), Some(403_616));
        let ci = Ci::from_json(&read("ci-1a.json")).unwrap();
        assert_eq!(ci.scenarios[2].checks[0].outcome, Verdict::Interrupted);
    }
}
