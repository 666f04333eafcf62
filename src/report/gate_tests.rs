//! Every output of a gate, and what must hold for any.

use std::sync::LazyLock;

use insta::assert_snapshot;

use super::{Document, GateReport, Printed, Style, format::plain, schema_tests::accepted, terminal::SCREEN};
use crate::{
    results::{
        Ended, Gate, GateStage, Side,
        sample::gate::{Worsening, gate},
    },
    scenario::{Client, Overrides, Protocol},
};

const FIRST: [GateStage; 1] = [GateStage::Screen];
const BOTH: [GateStage; 2] = [GateStage::Screen, GateStage::Confirm];

fn report(gate: &Gate) -> GateReport {
    GateReport::new(gate.clone()).unwrap()
}

fn headline(gate: &Gate) -> String {
    plain(&report(gate).headline().sentence)
}

/// Reports of gates of every verdict, concluded once for all tests.
pub(super) static ALL: LazyLock<Vec<GateReport>> = LazyLock::new(|| all().iter().map(report).collect());

/// Indices of gates in [`ALL`].
const EQUAL: usize = 0;
const UNIFORM: usize = 2;
const TAIL: usize = 3;

/// Gates of every verdict.
fn all() -> Vec<Gate> {
    let mut invalid = gate(Worsening::None, 0.02, &FIRST);
    invalid.blocks.truncate(3);
    let mut lost = gate(Worsening::None, 0.02, &FIRST);
    lost.ended = Ended::Lost;
    let mut interrupted = gate(Worsening::None, 0.02, &FIRST);
    interrupted.blocks.clear();
    interrupted.ended = Ended::Interrupted;
    vec![
        gate(Worsening::None, 0.02, &FIRST),
        gate(Worsening::None, 0.4, &FIRST),
        gate(Worsening::Uniform(0.15), 0.02, &BOTH),
        gate(Worsening::Tail(5e6), 0.02, &BOTH),
        gate(Worsening::Uniform(-0.15), 0.02, &FIRST),
        invalid,
        lost,
        interrupted,
    ]
}

#[test]
fn the_first_sentence_is_the_verdict() {
    let lines: Vec<String> = ALL.iter().map(|report| plain(&report.headline().sentence)).collect();
    assert_snapshot!(lines.join("\n"));
}

#[test]
fn client_and_protocol_of_the_arms_are_named_unless_both_are_the_default() {
    let mut equal = gate(Worsening::None, 0.02, &FIRST);
    let with = |options| {
        let overrides = Overrides { options, ..Overrides::default() };
        overrides.apply(&gate(Worsening::None, 0.02, &FIRST).arms.a.scenario, "sample").unwrap().source
    };
    let text = with(vec![Client::Wire.into()]);
    equal.arms.a.scenario.clone_from(&text);
    assert!(
        headline(&equal).starts_with("No regression with fred instead of the wire client: "),
        "{}",
        headline(&equal)
    );
    let method = GateReport::new(equal.clone()).unwrap().markdown();
    assert!(method.contains("**Load on A by**: plimsoll 0.1.0 (3f2c9d1), release build"), "{method}");
    assert!(method.contains("**Load on B by**: plimsoll 0.1.0 (3f2c9d1), fred 10.1.0, release build"));
    equal.arms.b.scenario = text;
    assert!(headline(&equal).starts_with("No regression with the wire client: "), "{}", headline(&equal));
    equal.arms.b.scenario = with(vec![Client::Wire.into(), Protocol::Resp3.into()]);
    let expected = "No regression with the wire client and RESP3 instead of the wire client and RESP2: ";
    assert!(headline(&equal).starts_with(expected), "{}", headline(&equal));
    equal.arms.a.scenario = with(Vec::new());
    equal.arms.b.scenario = with(vec![Protocol::Resp3.into()]);
    assert!(headline(&equal).starts_with("No regression with RESP3 instead of RESP2: "), "{}", headline(&equal));
}

#[test]
fn what_ended_early_says_in_which_stage() {
    let mut early = gate(Worsening::Uniform(0.15), 0.02, &BOTH);
    early.blocks.truncate(11);
    for (ended, expected) in [
        (Ended::Interrupted, "The gate was interrupted after 3 of 8 blocks, in the second stage."),
        (Ended::Running, "The gate has not ended: this is the result after 3 of 8 blocks, in the second stage."),
    ] {
        early.ended = ended;
        let remarks: Vec<String> = report(&early).headline().remarks.iter().map(|remark| plain(remark)).collect();
        assert!(remarks.iter().any(|remark| remark == expected), "{remarks:?}");
    }
}

#[test]
fn failures_that_only_one_stage_shows_are_reported() {
    let mut failing = gate(Worsening::None, 0.02, &BOTH);
    let first = failing.blocks.iter_mut().filter(|block| block.stage == GateStage::Screen);
    let slices = first.flat_map(|block| &mut block.slices).filter(|slice| slice.arm == Side::B);
    slices.for_each(|slice| slice.series[0].failed = 20);
    let sentence = headline(&failing);
    assert!(
        sentence.starts_with("Inconclusive: 2.") && sentence.contains("not confirmed by the second stage"),
        "{sentence}"
    );
}

#[test]
fn equals_that_differ_are_reported_at_the_top() {
    let mut drifting = gate(Worsening::None, 0.02, &FIRST);
    let faster = gate(Worsening::Uniform(-0.3), 0.0, &FIRST);
    let blocks = drifting.blocks.iter_mut().zip(faster.blocks);
    // The first slice of A in each quad is that of a faster server.
    for (block, faster) in blocks {
        let of_b = faster.slices.into_iter().find(|slice| slice.arm == Side::B).unwrap();
        for quad in 0..2 {
            let first = block.slices.iter_mut().find(|slice| slice.arm == Side::A && slice.quad == quad).unwrap();
            first.series = of_b.series.clone();
        }
    }
    assert!(report(&drifting).headline().remarks.iter().any(|remark| remark.starts_with("A differs from itself")));
}

#[test]
fn terminal_text() {
    let at = |gate: usize, width| ALL[gate].terminal(Style { colour: false, width, verbose: true });
    assert_snapshot!("gate_terminal_equal", at(EQUAL, 110));
    assert_snapshot!("gate_terminal_tail", at(TAIL, 80));
    for gate in [EQUAL, TAIL] {
        let text = ALL[gate].terminal(Style { colour: false, width: 100, verbose: false });
        assert!(text.lines().count() <= SCREEN, "{text}");
        assert!(text.contains("Trust: A compared with itself"), "{text}");
    }
    let equal = ALL[EQUAL].terminal(Style { colour: false, width: 100, verbose: false });
    let others = equal.lines().skip_while(|line| !line.contains("  Others: ")).take(2).collect::<String>();
    assert!(others.contains("gave no reason"), "what is left out is named: {equal}");
}

#[test]
fn documents() {
    let regression = &ALL[UNIFORM];
    assert_snapshot!("gate_markdown", regression.markdown());
    let files = regression.files();
    for name in ["gate.csv", "quantiles.csv"] {
        let (_, text) = files.iter().find(|(file, _)| file == name).unwrap();
        assert_snapshot!(name, String::from_utf8(text.clone()).unwrap());
    }
    // A quad of each kind and stage: of many slices all are alike.
    let (_, slices) = files.iter().find(|(file, _)| file == "slices.csv").unwrap();
    let slices = String::from_utf8(slices.clone()).unwrap();
    let of_first_quads = |line: &&str| {
        line.split(',').nth(1).is_some_and(|block| block == "block" || block == "0") && !line.contains(",1,")
    };
    assert_snapshot!("slices.csv", slices.lines().filter(of_first_quads).collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_slice_has_its_row_and_every_file_is_made_of_any_gate() {
    for (gate, report) in all().iter().zip(&*ALL) {
        let files = report.files();
        let (_, slices) = files.iter().find(|(name, _)| name == "slices.csv").unwrap();
        let made: usize = gate.blocks.iter().map(|block| block.slices.len()).sum();
        assert_eq!(String::from_utf8(slices.clone()).unwrap().lines().count(), made + 1);
        assert!(files.iter().any(|(name, _)| name == "report.html"));
    }
}

#[test]
fn charts_say_what_they_show() {
    let charts = ALL[TAIL].charts();
    let said: Vec<String> = charts.iter().map(|chart| format!("# {}\n{}", chart.name, chart.description)).collect();
    assert_snapshot!("gate_charts", said.join("\n\n"));
    assert!(ALL.last().unwrap().charts().is_empty());
}

#[test]
fn the_json_keeps_to_its_schema() {
    let documents: Vec<_> = ALL.iter().map(|report| report.json().unwrap()).collect();
    assert_snapshot!("gate_json_accepted", accepted(Printed::Gate, &documents));
}
