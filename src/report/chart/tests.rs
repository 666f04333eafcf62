//! What every chart must be: the same on every machine, legible, and right about its data.

use std::time::Duration;

use hdrhistogram::Histogram;
use proptest::{collection::vec, option, prelude::any, prop_assert, proptest, strategy::Strategy, test_runner::Config};

use super::{
    palette::{BLUE, CONTEXT, ORANGE, SERIES, hex},
    plots, run_charts, svg,
};
use crate::{
    analysis::{
        Analysis, CommandTime, Conclusion, Distribution, Events, Moment, PERCENTILES, Percentile, PercentileValue,
        Proportion, Reason, Row, Scaling, Scope, ServerSide, Support, Timeline,
    },
    measure::{Counts, ErrorClass, Latencies, SeriesRole, SeriesSecond},
    report::subject::RunReport,
    results::{EventRecord, Verdict, sample},
};

/// A distribution as an analysis would make it.
fn distribution(values: &[u64], burstiness: f64) -> Distribution {
    let mut histogram = Histogram::<u64>::new(3).unwrap();
    for value in values {
        histogram.record(*value).unwrap();
    }
    let have = histogram.len();
    let percentiles = PERCENTILES.map(|percentile| {
        let share = 1.0 - percentile / 100.0;
        let value = if (have as f64 * share) < 10.0 {
            PercentileValue::TooFew { needed: (10.0 / share) as u64, have }
        } else {
            let nanos = histogram.value_at_quantile(percentile / 100.0);
            PercentileValue::Known { nanos, low: nanos, high: nanos, support: Support::Ample }
        };
        Percentile { percentile, value }
    });
    let mean = (have > 0).then(|| histogram.mean());
    Distribution { histogram, mean, burstiness, percentiles: percentiles.to_vec() }
}

fn row(service: Option<&str>, operation: Option<&str>, response: &[u64], burstiness: f64) -> Row {
    let part = |share: u64| {
        let values: Vec<_> = response.iter().map(|nanos| nanos / 10 * share).collect();
        distribution(&values, burstiness)
    };
    let scope =
        Scope { service: service.map(Into::into), operation: operation.map(Into::into), role: SeriesRole::Operation };
    let response = distribution(response, burstiness);
    Row {
        scope,
        counts: Counts { completed: response.histogram.len(), ..Counts::default() },
        unfinished: 0,
        rate: response.histogram.len() as f64,
        service_time: part(7),
        wait: part(3),
        failed: distribution(&[], 1.0),
        hit_ratio: None,
        bad: Proportion { count: 0, of: 0, share: 0.0, low: 0.0, high: 0.0 },
        bad_burstiness: 1.0,
        judged: response.percentile(99.0),
        times_faster: response.mean.map(|mean| 1e8 / mean),
        response,
        grade: None,
        verdict: Verdict::Pass,
    }
}

fn analysis(rows: Vec<(Row, Timeline)>) -> Analysis {
    let (rows, timelines) = rows.into_iter().unzip();
    let conclusion = Conclusion { verdict: Verdict::Pass, reasons: vec![Reason::Empty], harness_late: None };
    Analysis {
        conclusion,
        checks: Vec::new(),
        rows,
        timelines,
        findings: Vec::new(),
        events: Events::default(),
        pools: Vec::new(),
        nodes: Vec::new(),
        reads: Vec::new(),
        generators: Vec::new(),
        outages: Vec::new(),
        server: ServerSide::default(),
        client: None,
        audit: Vec::new(),
        families: Vec::new(),
        dependencies: Vec::new(),
        keyspace: None,
        scaling: Scaling::default(),
    }
}

/// The sample's scenario with one service and its run, and an analysis with these operations.
fn one_service(operations: &[(&str, &[u64])], timeline: Timeline) -> RunReport {
    let (run, mut scenario) = (sample::run(), sample::scenario());
    scenario.services.truncate(1);
    let mut rows: Vec<_> = operations
        .iter()
        .map(|(name, values)| (row(Some("api"), Some(name), values, 1.0), Timeline::default()))
        .collect();
    let all: Vec<_> = operations.iter().flat_map(|(_, values)| values.iter().copied()).collect();
    rows.push((row(Some("api"), None, &all, 1.0), timeline.clone()));
    rows.push((row(None, None, &all, 1.0), timeline));
    RunReport { run, scenario, analysis: analysis(rows), against: None }
}

/// SVG of every chart.
fn pictures(report: &RunReport) -> Vec<(&'static str, String)> {
    let plots = plots(report);
    plots.iter().map(|plot| (plot.name, svg::document(plot))).collect()
}

fn picture(name: &str, report: &RunReport) -> String {
    pictures(report).into_iter().find(|(found, _)| *found == name).unwrap().1
}

/// The texts of a picture, in order, without its title and description.
fn texts(svg: &str) -> Vec<&str> {
    let lines = svg.lines().filter(|line| line.starts_with("<text"));
    lines.map(|line| line.split_once('>').unwrap().1.trim_end_matches("</text>")).collect()
}

/// 2 000 values from `fastest` to ten times that.
fn spread(fastest: u64) -> Vec<u64> {
    (0..2_000).map(|number| fastest + fastest * number * 9 / 2_000).collect()
}

fn moments(count: u32, failed: u64) -> Timeline {
    let moment = |second| Moment {
        second,
        completed: 1_000,
        failed,
        response: Some((100_000, 2_000_000, 5_000_000)),
        ..Moment::default()
    };
    Timeline { seconds: (0..count).map(moment).collect() }
}

fn stroked(svg: &str, colour: super::palette::Colour) -> usize {
    svg.matches(&format!(r#"fill="none" stroke="{}""#, hex(colour.rgb()))).count()
}

#[test]
fn draws_one_curve_per_operation_and_the_target() {
    let (fast, slow) = (spread(50_000), spread(900_000));
    let svg = picture("latency-by-percentile", &one_service(&[("GET", &fast), ("EVAL", &slow)], moments(9, 0)));
    // Each colour once for its curve and once in the legend.
    assert_eq!((stroked(&svg, SERIES[0]), stroked(&svg, SERIES[1]), stroked(&svg, SERIES[2])), (2, 2, 0));
    let texts = texts(&svg);
    assert!(texts.contains(&"target p99 &lt; 100 ms"), "{texts:?}");
    assert!(texts[texts.len() - 3].starts_with("EVAL: p99 "), "the slowest first: {texts:?}");
    assert!(texts.contains(&"99 %") && !texts.contains(&"99.9 %"), "2 000 requests say nothing of p99.9: {texts:?}");
}

#[test]
fn a_curve_ends_where_too_few_requests_lie_beyond() {
    let few: Vec<u64> = spread(50_000).into_iter().step_by(40).collect();
    let svg = picture("latency-by-percentile", &one_service(&[("GET", &few)], moments(9, 0)));
    assert!(texts(&svg).iter().any(|text| text.starts_with("GET: p50 ")), "50 requests: {svg}");
    let svg = picture("latency-by-percentile", &one_service(&[("GET", &few[..8])], moments(9, 0)));
    assert!(texts(&svg).contains(&"too few requests completed to draw a curve"), "{svg}");
}

#[test]
fn the_axis_of_percentiles_has_a_tick_for_each_nine_that_is_reached() {
    let many: Vec<u64> = (0..100_071).map(|number| 50_000 + number * 10).collect();
    let mut data = one_service(&[("GET", &many)], moments(9, 0));
    for row in &mut data.analysis.rows {
        row.response.burstiness = 40.0;
    }
    let svg = picture("latency-by-percentile", &data);
    let texts = texts(&svg);
    assert!(["99 %", "99.9 %", "99.99 %"].iter().all(|tick| texts.contains(tick)), "{texts:?}");
}

#[test]
fn many_operations_leave_the_slowest_in_colour() {
    let values: Vec<_> = (1..=30).map(|number| spread(number * 10_000)).collect();
    let names: Vec<_> = (1..=30).map(|number| format!("operation-{number}")).collect();
    let operations: Vec<_> =
        names.iter().zip(&values).map(|(name, values)| (name.as_str(), values.as_slice())).collect();
    let data = one_service(&operations, moments(9, 0));
    let svg = picture("latency-by-percentile", &data);
    assert!(stroked(&svg, CONTEXT) > 0);
    assert!(texts(&svg).contains(&"24 faster operations"), "{:?}", texts(&svg));
    assert!(SERIES.iter().all(|colour| stroked(&svg, *colour) == 2), "each colour once, and once in the legend");
    let svg = picture("against-target", &data);
    assert_eq!(texts(&svg).iter().filter(|text| text.starts_with("operation-")).count(), 30);
}

#[test]
fn marks_operations_beyond_the_target_by_shape_and_weight() {
    let (fast, slow) = (spread(50_000), spread(90_000_000));
    let svg = picture("against-target", &one_service(&[("GET", &fast), ("ZADD", &slow)], moments(9, 0)));
    assert!(stroked(&svg, ORANGE) == 2 && stroked(&svg, BLUE) == 1, "ZADD and the sum are late: {svg}");
    assert!(svg.lines().any(|line| line.contains("font-weight=\"bold\"") && line.contains(" ms</text>")), "{svg}");
    assert!(texts(&svg).contains(&"target 100 ms"));
}

#[test]
fn names_are_never_cut() {
    let name = "refresh-the-session-and-everything-that-hangs-on-it-in-one-transaction-with-a-long-name".repeat(3);
    let values = spread(50_000);
    let data = one_service(&[(&name, &values), ("GET", &values)], moments(9, 0));
    for chart in ["latency-by-percentile", "against-target", "wait-and-service"] {
        let svg = picture(chart, &data);
        assert!(texts(&svg).concat().contains(&name), "{chart}");
    }
}

#[test]
fn failures_have_a_panel_only_where_there_are_any() {
    let values = spread(50_000);
    let with = |failed| picture("over-time", &one_service(&[("GET", &values)], moments(9, failed)));
    assert!(!with(0).contains("failures per second"));
    assert!(with(3).contains("failures per second"));
    assert!(texts(&with(0)).contains(&"offered (1000/s)"));
}

#[test]
fn services_are_compared_only_where_there_are_several() {
    let values = spread(50_000);
    let mut data = one_service(&[("GET", &values)], moments(9, 0));
    let has = |data: &RunReport| pictures(data).iter().any(|(name, _)| *name == "services-over-time");
    assert!(!has(&data));
    data.analysis.rows.push(row(Some("chat"), None, &values, 1.0));
    data.analysis.timelines.push(moments(9, 0));
    assert!(has(&data));
}

#[test]
fn empty_short_and_failed_runs_are_drawn() {
    let mut data = one_service(&[], Timeline::default());
    let second = Timeline { seconds: moments(1, 0).seconds };
    let failed = Timeline { seconds: vec![Moment { second: 0, failed: 7, ..Moment::default() }] };
    data.run.recording.series.clear();
    for measured in [0, 300_000_000, 1_000_000_000] {
        data.run.recording.period.measured_ns = measured;
        let whole = |timeline: &Timeline| analysis(vec![(row(None, None, &[], 1.0), timeline.clone())]);
        for analysis in [analysis(Vec::new()), whole(&Timeline::default()), whole(&second), whole(&failed)] {
            data.analysis = analysis;
            for (name, svg) in pictures(&data) {
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name}: {svg}");
            }
        }
    }
}

#[test]
fn every_chart_is_a_picture_with_words() {
    let values = spread(50_000);
    let data = one_service(&[("GET", &values), ("SET", &values)], moments(12, 1));
    let drawn = run_charts(&data);
    let names: Vec<_> = drawn.iter().map(|chart| chart.name).collect();
    assert_eq!(
        names,
        ["against-target", "latency-by-percentile", "over-time", "heatmap", "wait-and-service", "pools", "server"],
        "of commands the server reported nothing"
    );
    for chart in &drawn {
        let width = u32::from_be_bytes(chart.png[16..20].try_into().unwrap());
        assert_eq!((&chart.png[1..4], width), (b"PNG".as_slice(), 1600), "{}", chart.name);
        assert!(chart.svg.contains(r#"role="img""#) && chart.svg.contains("<desc"), "{}", chart.name);
        let of_levels = ["pools", "server"].contains(&chart.name);
        let unit = |unit| chart.description.contains(unit);
        assert!(of_levels || unit("ms") || unit("µs"), "{}", chart.description);
    }
    assert_eq!(drawn, run_charts(&data), "the same run gives the same bytes");
}

fn command(name: &str, calls: u64, server: f64, client: Option<f64>) -> CommandTime {
    CommandTime {
        name: name.into(),
        calls,
        server,
        server_p99: Some(server * 4.0),
        client,
        client_median: client,
        busy: 0.1,
        rejected: None,
        failed: None,
    }
}

/// A run whose server reported of these commands.
fn with_commands(commands: Vec<CommandTime>) -> RunReport {
    let values = spread(50_000);
    let mut data = one_service(&[("GET", &values)], moments(9, 0));
    data.analysis.server.commands = commands;
    data
}

#[test]
fn commands_come_by_the_time_they_take_in_all() {
    let commands = vec![
        command("GET", 1_000, 2_000.0, Some(70_000.0)),
        command("MULTI", 10, 500.0, None),
        command("ZADD", 10, 900_000.0, Some(950_000.0)),
    ];
    let svg = picture("server-and-clients", &with_commands(commands));
    let texts = texts(&svg);
    let place = |wanted: &str| texts.iter().position(|text| *text == wanted).unwrap_or_else(|| panic!("{texts:?}"));
    assert!(place("GET") < place("ZADD") && place("ZADD") < place("MULTI"), "{texts:?}");
    for text in ["2 µs", "70 µs", "2.9 %", "95 %", "–"] {
        place(text);
    }
}

#[test]
fn of_many_commands_the_rest_are_named_in_the_description() {
    let name = |number: u32| format!("MODULE.COMMAND{number}|A-SUBCOMMAND-OF-A-LONG-NAME");
    let commands = (0..15).map(|number| command(&name(number), 100 - u64::from(number), 2e3, Some(1e6)));
    let data = with_commands(commands.collect());
    let svg = picture("server-and-clients", &data);
    let shown = texts(&svg).concat();
    assert!((0..12).all(|number| shown.contains(&name(number))), "{shown}");
    let description = svg.split_once("<desc").unwrap().1.split_once("</desc>").unwrap().0;
    assert!(!shown.contains(&name(13)) && description.contains(&name(13)), "{description}");
    assert!(shown.contains("Without 3 commands"), "{shown}");
    let without = with_commands(Vec::new());
    assert!(!pictures(&without).iter().any(|(name, _)| *name == "server-and-clients"));
}

fn moment() -> impl Strategy<Value = Moment> {
    let response = option::of((any::<u64>(), any::<u64>(), any::<u64>()));
    (any::<u32>(), any::<u32>(), any::<u32>(), response).prop_map(|(second, completed, failed, response)| Moment {
        second,
        completed: u64::from(completed),
        failed: u64::from(failed),
        response,
        ..Moment::default()
    })
}

fn any_row() -> impl Strategy<Value = (Row, Timeline)> {
    let name = || option::of("\\PC{0,90}");
    let values = vec((0_u32..42, any::<u64>()).prop_map(|(bits, value)| value % (1 << bits)), 0..60);
    let burstiness = (0.0..1e4_f64, any::<bool>()).prop_map(|(value, nan)| if nan { f64::NAN } else { value });
    (name(), name(), values, burstiness, vec(moment(), 0..12), any::<bool>()).prop_map(
        |(service, operation, values, burstiness, seconds, contradict)| {
            let mut row = row(service.as_deref(), operation.as_deref(), &values, burstiness);
            if contradict {
                row.response.percentiles.truncate(2);
                row.wait.mean = None;
                row.counts.errors.insert(ErrorClass::Timeout, 3);
            }
            (row, Timeline { seconds })
        },
    )
}

#[test]
fn any_analysis_is_drawn() {
    let (mut run, mut scenario) = (sample::run(), sample::scenario());
    run.recording.series.truncate(1);
    run.recording.series[0].seconds.clear();
    scenario.services.truncate(2);
    let anything = (vec(any_row(), 0..8), any::<u32>(), 0.0..100.0_f64, any::<u64>(), 0_u32..5_000_000, any::<u64>());
    proptest!(Config::with_cases(64), |((rows, latency, percentile, measured, second, nanos) in anything)| {
        let (mut run, mut scenario) = (run.clone(), scenario.clone());
        scenario.objective.latency = Duration::from_micros(latency.into());
        scenario.objective.percentile = percentile;
        run.recording.period.measured_ns = measured;
        let mut latencies = Latencies::default();
        latencies.record(nanos);
        run.recording.series[0].seconds = vec![SeriesSecond {
            second,
            counts: Counts::default(),
            response: latencies.pack(),
            service: latencies.pack(),
            wait: latencies.pack(),
            failed: latencies.pack(),
            served: None,
        }];
        for (name, svg) in pictures(&RunReport { run, scenario, analysis: analysis(rows), against: None }) {
            let body = svg.split_once("</style>").unwrap().1;
            for tag in body.lines().map(|line| line.split_once('>').map_or(line, |(tag, _)| tag)) {
                prop_assert!(!tag.contains("NaN") && !tag.contains("inf"), "{name}: {tag}");
            }
        }
    });
}

#[test]
fn says_what_it_always_said_of_the_sample() {
    let report = RunReport::new(sample::run()).unwrap();
    let mut said = Vec::new();
    for plot in plots(&report) {
        let svg = svg::document(&plot);
        said.push(format!("# {}: {}\n{}\n\n{}", plot.name, plot.title, plot.description, texts(&svg).join("\n")));
    }
    insta::assert_snapshot!(said.join("\n\n"));
}

#[test]
fn events_are_labelled_on_every_chart_over_time_where_there_is_space() {
    let mut report = RunReport::new(sample::run()).unwrap();
    let event = |action: &str, began_ns: Option<u64>| EventRecord {
        action: action.to_owned(),
        planned_ns: 0,
        began_ns,
        ended_ns: None,
        node: None,
        failure: None,
        outcome: None,
    };
    let second = 1_000_000_000;
    report.run.events = vec![
        event("failover", Some(8 * second)),
        event("stop:127.0.0.1:7000:5s", Some(3 * second)),
        event("kill:1", Some(3 * second + second / 2)),
        event("restart:1", None),
    ];
    for name in ["over-time", "services-over-time", "heatmap", "pools"] {
        let Some((_, svg)) = pictures(&report).into_iter().find(|(found, _)| *found == name) else { panic!("{name}") };
        let texts = texts(&svg);
        let has = |text: &str| texts.contains(&text);
        let shared = ["stop:127.0.0.1:7000:5s, kill:1", "stop, kill"].iter().any(|text| has(text));
        assert!(shared && !texts.join(" ").contains("restart"), "{name}: {texts:?}");
        assert!(texts.join(" ").contains("Lines with a label"), "{name}: {texts:?}");
        assert!(has("failover"), "{name}: {texts:?}");
    }
}
