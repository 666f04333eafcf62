//! Outages with known edges.

use std::time::Duration;

use super::*;
use crate::{
    analysis::{Analysis, Reason, analyse, planned::before},
    measure::{ErrorClass, SeriesKey},
    results::{NodeRecord, NodeRole, Run, sample},
    scenario::Scenario,
};

const MS: Nanos = SECOND / 1_000;

fn exactly(at: Nanos) -> Span {
    Span { from_ns: at, to_ns: at }
}

/// The sample, with a span without an answer of its first service.
fn silenced(from_ns: Nanos, to_ns: Nanos) -> Run {
    let mut run = sample::run();
    let second = (from_ns / SECOND) as usize;
    run.recording.services[0].seconds[second].silences.push(Span { from_ns, to_ns });
    run
}

fn outages_of(run: &Run) -> Vec<Outage> {
    analyse(run, &sample::scenario()).outages
}

/// Adds failures of the first service in a second.
fn fail(run: &mut Run, second: u32, class: ErrorClass, count: u64) {
    let of = run.recording.series[0].seconds.iter_mut().find(|of| of.second == second).unwrap();
    *of.counts.errors.entry(class).or_default() += count;
}

fn event(action: &str, at: Nanos) -> EventRecord {
    EventRecord {
        action: action.to_owned(),
        planned_ns: at,
        began_ns: Some(at),
        ended_ns: Some(at),
        node: None,
        failure: None,
        outcome: None,
    }
}

#[test]
fn a_run_that_was_answered_all_the_time_has_none() {
    assert_eq!(outages_of(&sample::run()), []);
}

#[test]
fn an_outage_lasts_from_the_last_reply_to_the_first() {
    let mut run = silenced(2_600 * MS, 4_400 * MS);
    run.events = vec![event("config:a=b", 500 * MS), event("kill:primary", 2_590 * MS), event("restart:1", 5 * SECOND)];
    let found = outages_of(&run);
    let [outage] = &found[..] else { panic!("{found:?}") };
    assert_eq!(outage.subject, Subject::Service("api".to_owned()));
    assert_eq!((outage.began, outage.ended), (exactly(2_600 * MS), Some(exactly(4_400 * MS))));
    let length = outage.length(run.recording.period.measured_ns);
    assert_eq!(length, Bounds { least: 1_800 * MS, most: Some(1_800 * MS) });
    assert_eq!(
        outage.event.as_deref(),
        Some("kill:primary"),
        "not one that was over long before, nor one that came after"
    );
}

#[test]
fn a_short_silence_is_an_outage_only_where_requests_failed() {
    let mut run = silenced(2_100 * MS, 2_400 * MS);
    assert_eq!(outages_of(&run), []);
    fail(&mut run, 2, ErrorClass::ConnectionLost, 3);
    let found = outages_of(&run);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].failed >= 3, "{found:?}");
    // Less than the latency of the objective.
    let mut run = silenced(2_100 * MS, 2_190 * MS);
    fail(&mut run, 2, ErrorClass::ConnectionLost, 3);
    assert_eq!(outages_of(&run), []);
}

#[test]
fn error_replies_leave_the_edges_open() {
    let mut run = silenced(2_600 * MS, 4_400 * MS);
    fail(&mut run, 4, ErrorClass::Readonly, 5);
    let found = outages_of(&run);
    let ended = Span { from_ns: 4_400 * MS, to_ns: 5 * SECOND };
    assert_eq!((found[0].began, found[0].ended), (exactly(2_600 * MS), Some(ended)));
    assert_eq!(found[0].length(run.recording.period.measured_ns), Bounds { least: 1_800 * MS, most: Some(2_400 * MS) });
}

#[test]
fn seconds_of_errors_alone_are_an_outage() {
    let mut run = sample::run();
    for series in run.recording.series.iter_mut().filter(|series| series.key.service == "api") {
        for of in series.seconds.iter_mut().filter(|of| (3..6).contains(&of.second)) {
            let (completed, response) = (std::mem::take(&mut of.counts.completed), of.response.clone());
            of.counts.errors.insert(ErrorClass::Clusterdown, completed);
            (of.response, of.failed) = (of.failed.clone(), response);
        }
    }
    let found = outages_of(&run);
    let [outage] = &found[..] else { panic!("{found:?}") };
    assert_eq!(outage.began, Span { from_ns: 2 * SECOND, to_ns: 3 * SECOND });
    assert_eq!(outage.ended, Some(Span { from_ns: 6 * SECOND, to_ns: 7 * SECOND }));
    assert_eq!(outage.length(12 * SECOND), Bounds { least: 3 * SECOND, most: Some(5 * SECOND) });
}

#[test]
fn an_outage_without_an_end_has_no_upper_bound() {
    let mut run = silenced(9_500 * MS, 13 * SECOND);
    run.recording.services[0].seconds[12].unanswered = true;
    let found = outages_of(&run);
    assert_eq!((found.len(), found[0].ended, found[0].recovered_ns), (1, None, None), "{found:?}");
    assert_eq!(found[0].length(12 * SECOND), Bounds { least: 2_500 * MS, most: None });
}

/// A timeline with these numbers of late requests of 100 in each second.
fn timeline(late: &[u64]) -> Vec<Moment> {
    let moment = |(second, late): (u32, &u64)| Moment { second, completed: 100, late: *late, ..Moment::default() };
    (0..).zip(late).map(moment).collect()
}

#[test]
fn the_objective_is_met_again_where_it_stays_met() {
    let objective = sample::scenario().objective;
    let again = |late: &[u64]| recovered(&timeline(late), 1..late.len() as u32, &objective);
    assert_eq!(again(&[0, 90, 5, 0, 1, 0]), Some(3), "one of a hundred is allowed");
    assert_eq!(again(&[0, 90, 0, 0, 7, 0]), Some(5), "a relapse");
    assert_eq!(again(&[0, 90, 3]), None);
    let relapse: Vec<u64> = [vec![0, 90], vec![0; STEADY as usize], vec![50, 0]].concat();
    assert_eq!(again(&relapse), Some(2), "after {STEADY} seconds it is another matter");
}

#[test]
fn a_limit_between_the_bounds_is_inconclusive() {
    let verdict = |least: Nanos, most: Option<Nanos>| Bounds { least, most }.verdict(3 * SECOND);
    assert_eq!(verdict(2 * SECOND, Some(3 * SECOND)), Verdict::Pass);
    assert_eq!(verdict(3 * SECOND, Some(4 * SECOND)), Verdict::Inconclusive);
    assert_eq!(verdict(4 * SECOND, Some(5 * SECOND)), Verdict::Fail);
    assert_eq!(verdict(2 * SECOND, None), Verdict::Inconclusive);
    assert_eq!(verdict(4 * SECOND, None), Verdict::Fail);
}

fn with_limit(run: &Run, limit: Option<Duration>) -> Analysis {
    let scenario = sample::scenario();
    let objective = Objective { recovery: limit, max_error_rate: 1.0, percentile: 50.0, ..scenario.objective };
    analyse(run, &Scenario { objective, ..scenario })
}

#[test]
fn a_slow_recovery_fails_the_run() {
    let run = silenced(2_600 * MS, 4_400 * MS);
    let is_named = |analysis: &Analysis| {
        analysis.conclusion.reasons.iter().any(|reason| matches!(reason, Reason::Recovery { .. }))
    };
    let without = with_limit(&run, None);
    assert!(without.conclusion.verdict != Verdict::Fail && !is_named(&without), "{:?}", without.conclusion);
    let kept = with_limit(&run, Some(Duration::from_secs(10)));
    assert_eq!(kept.conclusion, without.conclusion);
    let missed = with_limit(&run, Some(Duration::from_secs(1)));
    assert!(missed.conclusion.verdict == Verdict::Fail && is_named(&missed), "{:?}", missed.conclusion);
    let none = with_limit(&sample::run(), Some(Duration::from_millis(1)));
    assert!(!is_named(&none), "no outage, nothing to recover from");
}

#[test]
fn the_event_is_the_last_that_began_before() {
    let of = |action: &str, began: Nanos, node: Option<&str>, failure: Option<&str>| EventRecord {
        node: node.map(str::to_owned),
        failure: failure.map(str::to_owned),
        ..event(action, began)
    };
    let began = exactly(2 * SECOND);
    let events = [
        of("config:a=b", 500 * MS, None, None),
        of("kill:1", 1_990 * MS, Some("a"), None),
        of("reshard:5", 1_995 * MS, None, Some("no second primary")),
        of("exec:x", 1_999 * MS, None, None),
        of("restart:1", 2_500 * MS, Some("a"), None),
    ];
    assert_eq!(before(&events, began, None), Some(&events[3]), "the failed one did nothing, and the restart ended it");
    assert_eq!(before(&events, began, Some("a")), Some(&events[1]), "the one on the node");
    assert_eq!(before(&events[..1], began, None), None, "over long before");
    let between = [of("kill:1", 2_002 * MS, Some("a"), None)];
    assert_eq!(before(&between, began, Some("a")), Some(&between[0]), "the request before it was the last to complete");
}

#[test]
fn a_recovery_limit_below_a_second_has_outages_of_its_own() {
    let run = silenced(2_100 * MS, 2_700 * MS);
    let count = |limit: Option<Duration>| with_limit(&run, limit).outages.len();
    assert_eq!((count(None), count(Some(Duration::from_millis(500)))), (0, 1));
}

/// The sample's operations as if two primaries had served them and a replica had taken over from the second.
fn failed_over() -> Run {
    let mut run = sample::run();
    let address = |number: u16| format!("redis://127.0.0.1:{}", 7000 + number);
    let facts = |number, role, slots| NodeFacts { address: address(number), role, slots, primary: None };
    run.target.nodes =
        vec![facts(0, NodeRole::Primary, 8_192), facts(1, NodeRole::Primary, 8_192), facts(2, NodeRole::Replica, 0)];
    let after = [Some(facts(0, NodeRole::Primary, 8_192)), None, Some(facts(2, NodeRole::Primary, 8_192))];
    for (before, after) in run.target.nodes.clone().iter().zip(after) {
        let server = run.server.clone();
        run.nodes.push(NodeRecord { before: before.clone(), after, server });
    }
    let busiest = run.recording.series[0].clone();
    let of_node = |number: u16, keep: fn(u32) -> bool| {
        let mut record = busiest.clone();
        record.key = SeriesKey { operation: address(number), ..record.key };
        record.seconds.retain(|second| keep(second.second));
        record
    };
    run.recording.nodes = vec![of_node(0, |_| true), of_node(1, |at| at < 4), of_node(2, |at| at >= 7)];
    run
}

#[test]
fn a_node_is_followed_by_the_one_that_took_over() {
    let found = outages_of(&failed_over());
    let [outage] = &found[..] else { panic!("{found:?}") };
    let Subject::Node { address, successor } = &outage.subject else { panic!("{outage:?}") };
    assert_eq!((address.as_str(), successor.as_deref()), ("redis://127.0.0.1:7001", Some("redis://127.0.0.1:7002")));
    assert_eq!(outage.began, Span { from_ns: 3 * SECOND, to_ns: 4 * SECOND });
    assert_eq!(outage.ended, Some(Span { from_ns: 7 * SECOND, to_ns: 8 * SECOND }));
}

/// Adds the instants of the first and the last success to the seconds of nodes: 200 ms after their beginning and before their end.
fn note_instants(run: &mut Run) {
    for second in run.recording.nodes.iter_mut().flat_map(|record| &mut record.seconds) {
        let from_ns = Nanos::from(second.second) * SECOND;
        second.served = Some(Span { from_ns: from_ns + 200 * MS, to_ns: from_ns + 800 * MS });
    }
}

#[test]
fn instants_of_successes_are_the_edges_of_an_outage() {
    let mut run = failed_over();
    note_instants(&mut run);
    let found = outages_of(&run);
    assert_eq!((found[0].began, found[0].ended), (exactly(3_800 * MS), Some(exactly(7_200 * MS))));
    assert_eq!(found[0].length(12 * SECOND), Bounds { least: 3_400 * MS, most: Some(3_400 * MS) });
    // Of two services, one was served until 3.9 s, the other again from 7.1 s on.
    let mut other = run.recording.nodes.clone();
    for second in other.iter_mut().flat_map(|record| &mut record.seconds) {
        let served = second.served.unwrap();
        second.served = Some(Span { from_ns: served.from_ns - 100 * MS, to_ns: served.to_ns + 100 * MS });
    }
    run.recording.nodes.extend(other);
    let found = outages_of(&run);
    assert_eq!((found[0].began, found[0].ended), (exactly(3_900 * MS), Some(exactly(7_100 * MS))));
}

#[test]
fn an_outage_of_a_node_need_not_have_a_whole_second_in_it() {
    let mut run = failed_over();
    run.recording.nodes.truncate(1);
    run.nodes.truncate(1);
    run.target.nodes.truncate(1);
    note_instants(&mut run);
    let seconds = &mut run.recording.nodes[0].seconds;
    seconds[4].served.as_mut().unwrap().to_ns = 4_300 * MS;
    assert_eq!(outages_of(&run), [], "0.9 s");
    run.recording.nodes[0].seconds[5].served.as_mut().unwrap().from_ns = 5_700 * MS;
    let found = outages_of(&run);
    let [outage] = &found[..] else { panic!("{found:?}") };
    assert_eq!((outage.began, outage.ended), (exactly(4_300 * MS), Some(exactly(5_700 * MS))));
}

/// Like [`failed_over`], with a node that comes back by itself.
fn came_back() -> Run {
    let mut run = failed_over();
    let mut back = run.recording.nodes[0].clone();
    back.key = run.recording.nodes[1].key.clone();
    back.seconds.retain(|second| !(4..7).contains(&second.second));
    run.recording.nodes = vec![run.recording.nodes[0].clone(), back];
    run
}

#[test]
fn a_node_that_comes_back_is_its_own_successor() {
    let run = came_back();
    let found = outages_of(&run);
    let [outage] = &found[..] else { panic!("{found:?}") };
    assert!(matches!(&outage.subject, Subject::Node { successor: None, .. }), "{outage:?}");
    assert_eq!(outage.length(12 * SECOND), Bounds { least: 3 * SECOND, most: Some(5 * SECOND) });
}

#[test]
fn slots_that_move_without_a_request_being_affected_are_no_outage() {
    let mut run = failed_over();
    let (mut before, mut after) = (run.recording.nodes[0].clone(), run.recording.nodes[0].clone());
    (before.key, after.key) = (run.recording.nodes[1].key.clone(), run.recording.nodes[2].key.clone());
    before.seconds.retain(|second| second.second < 4);
    after.seconds.retain(|second| second.second >= 4);
    for second in before.seconds.iter_mut().chain(&mut after.seconds) {
        second.counts.errors.clear();
    }
    (run.recording.nodes[1], run.recording.nodes[2]) = (before, after);
    assert_eq!(outages_of(&run), []);
    note_instants(&mut run);
    assert_eq!(outages_of(&run), [], "0.4 s");
}
