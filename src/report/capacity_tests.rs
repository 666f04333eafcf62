//! Every output of a capacity run, and what must hold for any.

use std::cell::RefCell;

use insta::assert_snapshot;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

use super::{
    CapacityReport, Document, File, Printed, Style,
    capacity_sample::{compared, cut_short, nothing, pools, scenario, single, starved, sweep},
    csv_capacity,
    format::plain,
    html, markdown,
    schema_tests::accepted,
    terminal::{self, SCREEN},
    view::View,
};
use crate::{
    analysis::capacity::{Advice, Apart, CapacityAnalysis, FailReason, Headroom, Limit},
    results::{Capacity, Ended, HarnessLimit, PlannedGenerators},
    scenario::{Client, Overrides, Protocol},
};

type Found = (Capacity, CapacityAnalysis);

fn report((capacity, analysis): &Found) -> CapacityReport {
    CapacityReport { capacity: capacity.clone(), scenario: scenario(), analysis: analysis.clone() }
}

fn view(found: &Found) -> View {
    report(found).view(&[])
}

fn files(found: &Found) -> Vec<File> {
    report(found).files()
}

fn headline(found: &Found) -> String {
    plain(&report(found).headline().sentence)
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn terminal_text() {
    let at = |found: Found, width, colour| report(&found).terminal(Style { colour, width, verbose: true });
    assert_snapshot!("capacity_terminal_pools", at(pools(), 110, false));
    assert_snapshot!("capacity_terminal_single", at(single(), 80, false));
    assert_snapshot!("capacity_terminal_colour", at(starved(Some(16_000.0)), 100, true));
    let brief = |found: Found| report(&found).terminal(Style { colour: false, width: 100, verbose: false });
    assert_snapshot!("capacity_terminal_summary", brief(pools()));
    for found in [pools(), single(), sweep(), starved(Some(16_000.0)), cut_short(1, Ended::Interrupted)] {
        let text = brief(found);
        assert!(text.lines().count() <= SCREEN, "{text}");
    }
}

#[test]
fn documents() {
    assert_snapshot!("capacity_markdown_pools", markdown::render(&view(&pools())));
    assert_snapshot!("capacity_markdown_single", markdown::render(&view(&single())));
    let little = markdown::render(&view(&cut_short(1, Ended::Interrupted)));
    assert_snapshot!("capacity_markdown_little", little.split("## Method").next().unwrap());
    assert_snapshot!("capacity_markdown_sweep", markdown::render(&view(&sweep())));
}

#[test]
fn tables_and_json_for_programs() {
    let answers = report(&pools());
    assert_snapshot!("capacity.csv", text(csv_capacity::arms(&answers)));
    let trials = text(csv_capacity::trials(&answers));
    let some: Vec<_> = trials.lines().take(14).chain(trials.lines().skip(60).step_by(11)).collect();
    assert_snapshot!("capacity_trials.csv", some.join("\n"));
}

#[test]
fn every_trial_and_every_arm_has_its_row() {
    for found in [pools(), single(), sweep(), starved(None), cut_short(0, Ended::Interrupted)] {
        let answers = report(&found);
        for (table, rows) in [
            (csv_capacity::trials(&answers), answers.capacity.trials.len()),
            (csv_capacity::arms(&answers), answers.capacity.plan.arms.len()),
        ] {
            let mut reader = ::csv::Reader::from_reader(table.as_slice());
            // Records of another length than the header are refused.
            assert_eq!(reader.records().map(Result::unwrap).count(), rows);
        }
    }
}

#[test]
fn every_answer_in_a_sentence() {
    let mut said = Vec::new();
    let mut say = |found: &Found| {
        let headline = view(found).headline;
        said.push(plain(&[vec![headline.sentence], headline.remarks].concat().join("\n    ")));
    };
    say(&single());
    say(&starved(Some(16_000.0)));
    say(&starved(None));
    say(&sweep());
    for ended in [Ended::Running, Ended::Budget, Ended::Interrupted, Ended::Errors, Ended::Lost, Ended::LoadFailed] {
        say(&cut_short(1, ended));
    }
    say(&cut_short(0, Ended::Interrupted));
    let mut uncertain = single();
    let known = uncertain.1.arms[0].sustainable.as_mut().unwrap();
    (known.confirmed, known.above, known.recommended) = (false, None, None);
    say(&uncertain);
    for reason in [
        FailReason::Late(0.052),
        FailReason::Shortfall(0.9),
        FailReason::Backlog(0.031),
        FailReason::Errors(0.2),
        FailReason::Unclear,
    ] {
        let mut failed = cut_short(8, Ended::Finished);
        failed.1.arms[0].first_failure = Some((25_500.0, reason));
        say(&failed);
    }
    for (advice, limit) in [
        (Advice::Grow, Limit::Pool(0.97)),
        (Advice::NoBenefit, Limit::ServerCpu(0.92)),
        (Advice::NoBenefit, Limit::Client(Some(0.92))),
        (Advice::Worse, Limit::Command("ZADD".to_owned(), 0.71, 1.2e6)),
        (Advice::Inconclusive(Some(0.18)), Limit::RoundTrip(210_000.0)),
        (Advice::NoBenefit, Limit::Unknown),
    ] {
        let (capacity, analysis) = pools();
        say(&(
            capacity,
            CapacityAnalysis { comparisons: vec![compared(0, advice, limit, [0.98, 1.3, 0.5])], ..analysis },
        ));
    }
    let (capacity, mut analysis) = pools();
    analysis.comparisons.truncate(1);
    for larger in [true, false] {
        let mut apart = analysis.clone();
        apart.comparisons[0].advice = if larger { Advice::Grow } else { Advice::Worse };
        apart.comparisons[0].apart = Some(Apart { rate: 12_200.0, larger });
        say(&(capacity.clone(), apart));
    }
    analysis.comparisons[0].rates.clear();
    analysis.comparisons[0].advice = Advice::Inconclusive(None);
    say(&(capacity, analysis));
    assert_snapshot!("capacity_answers", said.join("\n"));
}

#[test]
fn every_finding_in_words() {
    let (mut capacity, mut analysis) = pools();
    capacity.software.profile = "debug".to_owned();
    capacity.scenario = String::new();
    analysis.comparisons[1].advice = Advice::Worse;
    analysis.fleet.max_clients = Some(500);
    analysis.headroom = Some(Headroom {
        arm: 0,
        current: 22_000.0,
        stated: false,
        times: 1.08,
        bounded: true,
        growth: Some(0.05),
        months: Some(0.0),
    });
    analysis.arms[0].first_failure = Some((12_750.0, FailReason::Errors(0.2)));
    analysis.arms[1].limit = Limit::Command("ZADD".to_owned(), 0.71, 1.2e6);
    analysis.arms[2].client_limited = Some((20_000.0, HarnessLimit::Words("schedule lag".to_owned())));
    analysis.arms[3].sustainable.as_mut().unwrap().confirmed = false;
    for (_, met, _) in &mut analysis.arms[3].by_limit {
        *met = Some(23_000.0);
    }
    let small = analysis.arms[0].sustainable.as_mut().unwrap();
    (small.rate, small.above, small.recommended) = (1_100.0, Some(1_200.0), Some(880.0));
    let found = (capacity, analysis);
    let said: Vec<_> =
        view(&found).notes().map(|note| format!("{}\n    {}", plain(&note.fact), plain(&note.advice))).collect();
    assert_snapshot!("capacity_findings", said.join("\n"));
}

/// The only trial passes at the rate of the scenario.
#[test]
fn a_lower_bound_is_no_reason_for_advice() {
    let (capacity, mut analysis) = single();
    let own = scenario().offered_rate().unwrap();
    let known = analysis.arms[0].sustainable.as_mut().unwrap();
    (known.rate, known.above, known.recommended, known.confirmed) = (own, None, None, false);
    analysis.headroom = analysis.headroom.map(|headroom| Headroom { times: 1.0, bounded: false, ..headroom });
    let document = markdown::render(&view(&(capacity, analysis)));
    assert!(document.contains("at least") && document.contains("no higher rate was tried"), "{document}");
    for advice in ["run it at", "Spread the load", "should be planned for", "Plan for more capacity", "saturated"] {
        assert!(!document.contains(advice), "{advice}:\n{document}");
    }
}

#[test]
fn a_run_that_found_nothing_claims_nothing() {
    for found in [
        cut_short(0, Ended::Interrupted),
        cut_short(1, Ended::Interrupted),
        cut_short(1, Ended::Running),
        starved(None),
        (cut_short(0, Ended::Running).0, nothing()),
    ] {
        let document = markdown::render(&view(&found));
        assert!(!headline(&found).contains("ustainable"), "{}", headline(&found));
        for claim in ["recommended", "Headroom", "Pool sizes", "is the limit (", "costs the server"] {
            assert!(!document.contains(claim), "{claim} was not measured:\n{document}");
        }
        let json: serde_json::Value = serde_json::from_str(&report(&found).json().unwrap()).unwrap();
        for arm in json["arms"].as_array().unwrap() {
            assert!(arm["sustainable_per_s"].is_null() && arm["maximum_per_s"].is_null(), "{arm}");
        }
        assert!(files(&found).iter().all(|(_, bytes)| !bytes.is_empty()));
    }
    assert!(headline(&starved(None)).contains("the rate of the server is unknown"));
    assert!(headline(&starved(Some(16_000.0))).starts_with("The harness with fred was the limit at"));
}

/// Of a found result with one client for all services.
fn with(client: Client, found: &(Capacity, CapacityAnalysis)) -> CapacityReport {
    let overrides = Overrides { options: vec![client.into()], ..Overrides::default() };
    CapacityReport { scenario: overrides.apply(&scenario().source, "sample").unwrap(), ..report(found) }
}

#[test]
fn where_the_harness_was_the_limit_the_answer_says_with_which_client_and_what_to_do() {
    let mut busy = single();
    busy.1.arms[0].limit = Limit::Client(Some(0.97));
    let (mut pool, mut sweep) = (pools(), sweep());
    (pool.1.comparisons[0].advice, pool.1.comparisons[0].limit) = (Advice::NoBenefit, Limit::Client(Some(0.92)));
    sweep.1.arms[1].client_limited = Some((20_000.0, HarnessLimit::Words("schedule lag".to_owned())));
    for (client, harness, next, is_proposed) in [
        (Client::Fred, "harness with fred was the limit", "repeat with --client wire", true),
        (Client::Wire, "harness with the wire client was the limit", "more cores or a machine of its own", false),
    ] {
        for found in [&starved(Some(16_000.0)), &starved(None), &busy, &pool] {
            let view = with(client, found).view(&[]);
            let sentence = &view.headline.sentence;
            assert!(sentence.contains(harness) && sentence.contains(next), "{sentence}");
            assert_eq!(sentence.contains("--client wire"), is_proposed, "{sentence}");
        }
        let sentence = with(client, &sweep).view(&[]).headline.sentence;
        assert!(sentence.contains(next) && sentence.contains("--client wire") == is_proposed, "{sentence}");
        let starved = with(client, &starved(Some(16_000.0))).view(&[]);
        assert_eq!(starved.notes().any(|note| note.advice.contains("--client wire")), is_proposed);
        assert!(starved.notes().any(|note| note.advice.contains("several machines (--scale)")));
    }
    let mut scaled = starved(Some(16_000.0));
    scaled.0.plan.generators = Some(PlannedGenerators { number: 4, start_in_ns: 2_000_000_000, launcher: None });
    let view = with(Client::Wire, &scaled).view(&[]);
    assert!(view.headline.sentence.contains("use more generators (--scale)"), "{}", view.headline.sentence);
    assert!(markdown::render(&view).contains("**Generators**: 4, "), "who sent the load is named");
    let mut divided = pools();
    let finds = |found: &(Capacity, CapacityAnalysis)| {
        with(Client::Wire, found).view(&[]).notes().any(|note| note.fact.contains("is divided among"))
    };
    let smallest = divided.0.plan.arms.iter().filter_map(|arm| arm.pool).min().unwrap();
    for (number, expected) in [(smallest / 10, false), (smallest / 10 + 1, true)] {
        divided.0.plan.generators = Some(PlannedGenerators { number, start_in_ns: 0, launcher: None });
        assert_eq!(finds(&divided), expected, "{number} of {smallest}");
    }
}

#[test]
fn the_harness_has_fred_only_where_fred_puts_on_load() {
    let written = |client| markdown::render(&with(client, &single()).view(&[]));
    assert!(written(Client::Fred).contains("**Harness**: plimsoll 0.1.0 (3f2c9d1), fred 10.1.0, release build"));
    assert!(written(Client::Wire).contains("**Harness**: plimsoll 0.1.0 (3f2c9d1), release build"));
}

#[test]
fn the_client_stands_where_it_belongs_to_the_whole_answer() {
    let mut uncertain = single();
    uncertain.1.arms[0].sustainable.as_mut().unwrap().confirmed = false;
    let mut lost = single();
    lost.0.ended = Ended::Lost;
    let mut grow = pools();
    grow.1.comparisons.truncate(1);
    for (found, begins) in [
        (single(), "Sustainable with the wire client: "),
        (uncertain, "Sustainable, not confirmed, with the wire client: "),
        (starved(None), "The harness with the wire client was the limit at "),
        (grow, "Grow the pool from 25 to 50 with the wire client: "),
    ] {
        let sentence = plain(&with(Client::Wire, &found).view(&[]).headline.sentence);
        assert!(sentence.starts_with(begins), "{sentence}");
    }
    let options = vec![Client::Wire.into(), Protocol::Resp3.into()];
    let both = Overrides { options, ..Overrides::default() }.apply(&scenario().source, "sample").unwrap();
    for (found, begins) in [
        (single(), "Sustainable with the wire client and RESP3: "),
        (starved(None), "The harness with the wire client and RESP3 was the limit at "),
    ] {
        let report = CapacityReport { scenario: both.clone(), ..report(&found) };
        let sentence = plain(&report.view(&[]).headline.sentence);
        assert!(sentence.starts_with(begins), "{sentence}");
    }
    let sentence = with(Client::Wire, &lost).view(&[]).headline.sentence;
    assert!(sentence.starts_with("The server was lost in trial ") && sentence.ends_with("with the wire client."));
}

#[test]
fn a_server_that_was_lost_comes_before_what_was_found() {
    let mut lost = single();
    lost.0.ended = Ended::Lost;
    assert!(headline(&lost).starts_with("The server was lost in "), "{}", headline(&lost));
    let view = view(&lost);
    assert!(
        view.headline.remarks[0].starts_with("Result before the loss, doubtful until the cause is known: Sustainable")
    );
    assert!(view.notes().next().unwrap().fact.starts_with("The server was lost"));
    assert!(!plain(&markdown::render(&view)).contains("recommended"));
}

#[test]
fn a_terminal_of_any_width_is_kept_to() {
    let found = report(&pools());
    for width in 60..160 {
        let text = found.terminal(Style { colour: false, width, verbose: true });
        for line in text.lines() {
            assert!(console::measure_text_width(line) <= width, "{width}: {line}");
        }
    }
}

#[test]
fn a_saved_run_gives_the_same_files_again() {
    let (capacity, analysis) = pools();
    let first = files(&(capacity.clone(), analysis.clone()));
    let saved = serde_json::to_string(&capacity).unwrap();
    let second = files(&(serde_json::from_str(&saved).unwrap(), analysis));
    assert_eq!(first.len(), second.len());
    for ((name, bytes), (same_name, same_bytes)) in first.iter().zip(&second) {
        assert_eq!(name, same_name);
        assert!(bytes == same_bytes, "{name} differs");
    }
    let names: Vec<_> = first.iter().map(|(name, _)| name.as_str()).collect();
    for name in ["report.html", "report.md", "trials.csv", "capacity.csv", "scenario.toml", "charts/pools.svg"] {
        assert!(names.contains(&name), "{name} is missing in {names:?}");
    }
}

/// Text that tries to be something else.
fn hostile() -> impl Strategy<Value = String> {
    (any::<String>(), "[<>&\"'|`*_,;\r\n\u{1b}\\[\\]()]{0,12}", any::<String>())
        .prop_map(|(before, middle, after)| format!("{before}{middle}<script>alert(1)</script>{after}"))
}

/// The sample in which every name of the user and of the server is this text.
struct Quoting(Found);

impl Quoting {
    fn new() -> Self {
        let (mut capacity, mut analysis) = single();
        analysis.arms[0].client_limited = Some((20_000.0, HarnessLimit::Words(String::new())));
        analysis.arms[0].limit = Limit::Command(String::new(), 0.7, 1e6);
        analysis.fleet.services = vec![(String::new(), 1, 50)];
        capacity.plan.arms.push(capacity.plan.arms[0].clone());
        analysis.arms.push(analysis.arms[0].clone());
        Self((capacity, analysis))
    }

    fn view(&mut self, text: &str) -> View {
        let (capacity, analysis) = &mut self.0;
        for arm in &mut capacity.plan.arms {
            text.clone_into(&mut arm.name);
            arm.settings = vec![(text.to_owned(), text.to_owned())];
        }
        for trial in &mut capacity.trials {
            trial.client_limited = Some(HarnessLimit::Words(text.to_owned()));
        }
        for arm in &mut analysis.arms {
            arm.client_limited = Some((20_000.0, HarnessLimit::Words(text.to_owned())));
            arm.limit = Limit::Command(text.to_owned(), 0.7, 1e6);
        }
        text.clone_into(&mut analysis.fleet.services[0].0);
        view(&self.0)
    }
}

#[test]
fn no_text_becomes_markup() {
    let quoting = RefCell::new(Quoting::new());
    let harmless = html::render(&quoting.borrow_mut().view("harmless")).matches('<').count();
    let shape = |document: &str| (document.lines().count(), document.matches('<').count());
    let lines = shape(&markdown::render(&quoting.borrow_mut().view("harmless")));
    proptest!(|(text in hostile())| {
        let view = quoting.borrow_mut().view(&text);
        prop_assert_eq!(html::render(&view).matches('<').count(), harmless);
        prop_assert_eq!(shape(&markdown::render(&view)), lines);
        let page = terminal::render(&view, Style { colour: false, width: 80, verbose: true });
        prop_assert!(page.chars().all(|letter| letter == '\n' || !letter.is_control()));
    });
}

#[test]
fn the_json_keeps_to_its_schema() {
    let found = [pools(), single(), sweep(), starved(None), starved(Some(16_000.0)), cut_short(1, Ended::Interrupted)];
    let documents = found.map(|found| report(&found).json().unwrap());
    assert_snapshot!("capacity_json_accepted", accepted(Printed::Capacity, &documents));
}
