//! What every chart of a capacity run must be: legible, right about its data, and absent where there is none.

use proptest::{collection::vec, option, prop_assert, proptest, strategy::Strategy, test_runner::Config};

use super::{
    capacity_charts, plots,
    series::{TOLD_APART, look},
};
use crate::{
    analysis::{
        Interval,
        capacity::{CapacityAnalysis, Limit},
    },
    report::{
        capacity_sample::{answer, cut_short, nothing, pools, scenario, single, starved, sweep},
        chart::svg,
        subject::CapacityReport,
    },
    results::{Arm, Capacity, Ended, HarnessLimit, Purpose, sample},
};

type Found = (Capacity, CapacityAnalysis);

/// Name, SVG and description of every chart.
fn pictures((capacity, analysis): &Found) -> Vec<(&'static str, String, String)> {
    let (capacity, analysis) = (capacity.clone(), analysis.clone());
    let plots = plots(&CapacityReport { capacity, scenario: scenario(), analysis });
    plots.into_iter().map(|plot| (plot.name, svg::document(&plot), plot.description)).collect()
}

fn names(found: &Found) -> Vec<&'static str> {
    pictures(found).into_iter().map(|(name, ..)| name).collect()
}

/// The texts of a picture, in order.
fn texts(svg: &str) -> Vec<&str> {
    let lines = svg.lines().filter(|line| line.starts_with("<text"));
    lines.map(|line| line.split_once('>').unwrap().1.trim_end_matches("</text>")).collect()
}

#[test]
fn no_two_series_look_alike() {
    let looks: Vec<_> = (0..TOLD_APART).map(look).map(|(pen, marker)| format!("{:?} {marker:?}", pen.colour)).collect();
    assert!(looks.iter().enumerate().all(|(place, one)| !looks[..place].contains(one)), "{looks:?}");
}

#[test]
fn what_was_not_measured_is_not_drawn() {
    assert_eq!(
        names(&pools()),
        ["throughput-latency", "pools", "sustainable-by-limit", "concurrency", "offered-achieved"]
    );
    assert_eq!(names(&single()), ["throughput-latency", "sustainable-by-limit", "offered-achieved"]);
    assert_eq!(names(&sweep()), ["throughput-latency", "sustainable-by-limit", "sweep", "offered-achieved"]);
    assert_eq!(names(&cut_short(1, Ended::Interrupted)), ["offered-achieved"], "one point makes no curve");
    assert!(names(&cut_short(0, Ended::Interrupted)).is_empty());
    assert!(names(&(cut_short(0, Ended::Running).0, nothing())).is_empty());
}

#[test]
fn says_what_it_always_said_of_the_samples() {
    let said = |found: &Found| {
        let of = |(name, svg, description): &(&str, String, String)| {
            format!("# {name}\n{description}\n\n{}", texts(svg).join("\n"))
        };
        pictures(found).iter().map(of).collect::<Vec<_>>().join("\n\n")
    };
    insta::assert_snapshot!("capacity_charts_pools", said(&pools()));
    insta::assert_snapshot!("capacity_charts_sweep", said(&sweep()));
}

#[test]
fn a_trial_in_which_the_harness_was_the_limit_tells_nothing_of_the_server() {
    let found = starved(Some(16_000.0));
    let limited = found.0.trials.last().unwrap();
    let svg = pictures(&found).into_iter().find(|(name, ..)| *name == "offered-achieved").unwrap().1;
    assert!(texts(&svg).contains(&"the harness was the limit"));
    let (_, svg, description) = pictures(&found).into_iter().find(|(name, ..)| *name == "throughput-latency").unwrap();
    assert_eq!(limited.offered, Some(22_500.0));
    assert!(!description.contains("22.5k") && !texts(&svg).contains(&"knee"), "{description}");
}

#[test]
fn a_peak_that_is_not_to_be_believed_is_not_drawn() {
    let (capacity, mut analysis) = pools();
    let peak = |analysis: &CapacityAnalysis| {
        let svg = pictures(&(capacity.clone(), analysis.clone()));
        let svg = svg.into_iter().find(|(name, ..)| *name == "concurrency").unwrap().1;
        texts(&svg).iter().any(|text| text.starts_with("highest at"))
    };
    assert!(peak(&analysis));
    let usl = analysis.usl.as_mut().unwrap();
    usl.peak = Some(Interval { point: 900.0, low: Some(300.0), high: None });
    assert!(!peak(&analysis));
}

#[test]
fn names_are_never_cut() {
    let name = "values.size=4096 with-everything-that-the-service-of-a-long-name-has-been-set-to.and|more".repeat(2);
    let (mut capacity, analysis) = pools();
    capacity.plan.arms[1].name.clone_from(&name);
    let found = (capacity, analysis);
    for (chart, svg, _) in pictures(&found) {
        let squeezed = |text: &str| text.replace(' ', "");
        let whole = squeezed(&texts(&svg).concat());
        if chart != "pools" && chart != "concurrency" {
            assert!(whole.contains(&squeezed(&name)), "{chart}");
        }
    }
}

#[test]
fn every_chart_is_a_picture_with_words() {
    let (capacity, analysis) = pools();
    let answers = CapacityReport { capacity, scenario: scenario(), analysis };
    let drawn = capacity_charts(&answers);
    for chart in &drawn {
        let width = u32::from_be_bytes(chart.png[16..20].try_into().unwrap());
        assert_eq!((&chart.png[1..4], width), (b"PNG".as_slice(), 1600), "{}", chart.name);
        assert!(chart.svg.contains(r#"role="img""#) && chart.description.len() > 40, "{}", chart.description);
    }
    assert_eq!(drawn, capacity_charts(&answers), "the same run gives the same bytes");
}

fn any_found() -> impl Strategy<Value = Found> {
    let trial = (0_u32..3, option::of(0.0..1e7_f64), 0_u32..5, 0_u64..u64::MAX >> 20, proptest::bool::ANY);
    let rate = || option::of(0.0..1e7_f64);
    (vec(trial, 0..12), rate(), rate(), rate(), 0.0..1e6_f64, "\\PC{0,60}").prop_map(
        |(trials, known, above, knee, maximum, name)| {
            let trials = trials.into_iter().map(|(arm, offered, purpose, nanos, limited)| {
                let purposes = [Purpose::Search, Purpose::Confirm, Purpose::Above, Purpose::Curve, Purpose::Closed];
                let mut trial = sample::capacity::open(arm, 25, purposes[purpose as usize], None, 1_000.0);
                (trial.offered, trial.response.p99, trial.wait.p99) = (offered, nanos, nanos / 2);
                trial.client_limited = limited.then(|| HarnessLimit::Words("lag".to_owned()));
                if nanos % 5 == 0 {
                    (trial.scheduled, trial.completed, trial.measured_ns) = (0, 0, 0);
                }
                trial
            });
            let mut of_arm = answer(known.unwrap_or(1.0), Limit::Unknown);
            (of_arm.knee, of_arm.maximum) = (knee, maximum);
            for (place, (_, met, missed)) in of_arm.by_limit.iter_mut().enumerate() {
                (*met, *missed) = (known.filter(|_| place > 2), above);
            }
            let arms = [25, 50].map(|pool| Arm {
                name: name.clone(),
                coordinates: vec![("a".into(), name.clone()), ("b".into(), pool.to_string())],
                ..sample::capacity::arm(pool)
            });
            let arms = arms.to_vec();
            let analysis = CapacityAnalysis { arms: vec![of_arm.clone(), of_arm], ..nothing() };
            (sample::capacity::of(arms, trials.collect()), analysis)
        },
    )
}

#[test]
fn any_run_is_drawn() {
    proptest!(Config::with_cases(48), |(found in any_found())| {
        for (name, svg, _) in pictures(&found) {
            let body = svg.split_once("</style>").unwrap().1;
            for tag in body.lines().map(|line| line.split_once('>').map_or(line, |(tag, _)| tag)) {
                prop_assert!(!tag.contains("NaN") && !tag.contains("inf"), "{name}: {tag}");
            }
        }
    });
}
