//! Processes that sent the load of one run together, each against the others.

use super::{
    distribution::Distribution,
    evidence::Evidence,
    spans::{total_until, without},
};
use crate::{
    measure::{Nanos, SECOND, Span, merged},
    results::{ClockReference, Generator, Run},
    scenario::{Order, Scenario, Service},
};

/// Ratio of a generator's p99 to the median p99 of the others from which its path or its machine is another one.
const DISAGREES: f64 = 3.0;

/// One of the processes that sent the load.
#[derive(Debug, Clone)]
pub struct GeneratorRow {
    /// What it was.
    pub generator: Generator,
    /// Response time of successes.
    pub response: Distribution,
    /// p99 of the schedule lag; `None` where no service has a schedule.
    pub lag_p99: Option<Nanos>,
    /// Largest share of the measured period in which one of its workers had something to do.
    /// `None` where its load failed before it could say so.
    pub busy: Option<f64>,
}

/// Something that the user should know of the generators.
#[derive(Debug, Clone, PartialEq)]
pub enum GeneratorFinding {
    /// One of them saw response times that the others did not see.
    Disagreement {
        /// Its name.
        generator: String,
        /// Its p99.
        own: Nanos,
        /// Median p99 of the others.
        others: Nanos,
    },
    /// One of them got no answer while others did.
    Silent {
        /// Its name.
        generator: String,
        /// The service whose requests were not answered for longest.
        service: String,
        /// When, since the start of the measured period.
        span: Span,
        /// Whether it got answers again before the run ended.
        ended: bool,
    },
    /// The start was agreed by each machine's own clock.
    OwnClocks,
    /// Their machines are not alike.
    DifferentMachines {
        /// Name of the first.
        first: String,
        /// Name of one with another machine.
        other: String,
    },
}

/// Largest error of a generator's start, in nanoseconds: how late it was, and how wrong its offset can be.
pub(in crate::analysis) fn misalignment(generator: &Generator) -> Nanos {
    let clock = generator.shard.clock;
    generator.shard.late_ns + clock.uncertainty_ns.unwrap_or(0)
}

/// Rows of the generators, in the order of their numbers; none where it was one process.
pub(super) fn generators(run: &Run) -> Vec<GeneratorRow> {
    let mut workers = run.recording.workers.iter();
    let row = |generator: &Generator| {
        let own = workers.by_ref().take(generator.workers as usize);
        let lag = merged([&generator.lag]);
        GeneratorRow {
            generator: generator.clone(),
            response: Distribution::new(merged([&generator.response]), 1.0),
            lag_p99: (!lag.is_empty()).then(|| lag.value_at_quantile(0.99)),
            busy: own.map(|worker| worker.busy).reduce(f64::max),
        }
    };
    run.generators.iter().map(row).collect()
}

/// What is to be said of them.
pub(super) fn findings(rows: &[GeneratorRow], scenario: &Scenario) -> impl Iterator<Item = GeneratorFinding> {
    // In a cycle each generator may have operations of its own.
    let alike = scenario.services.iter().all(|service| service.order != Order::Cycle);
    let disagreeing = alike.then(|| disagreeing(rows)).into_iter().flatten();
    disagreeing.chain(own_clocks(rows)).chain(different_machines(rows))
}

/// Spans in which a generator got no answer of a service whose commands do not wait by design.
pub(super) fn silent_spans<'a>(generator: &'a Generator, service: &Service) -> &'a [Span] {
    let own = generator.silences.iter().find(|silence| silence.service == service.name);
    own.filter(|_| !service.waits_by_design()).map_or(&[], |silence| &silence.spans)
}

/// Generators that got no answer for a second and more, mostly while others did: of each its longest silence.
pub(super) fn silent(evidence: &Evidence<'_>) -> Vec<GeneratorFinding> {
    let Evidence { run, scenario, silences, .. } = evidence;
    let measured = run.recording.period.measured_ns;
    let of_all = |service: &Service| {
        let own = silences.iter().find(|silence| silence.service == service.name);
        own.map_or(&[][..], |silence| &silence.spans)
    };
    let alone = |service: &Service, span: &Span| {
        let within = Span { to_ns: span.to_ns.min(measured), ..*span };
        let rest = total_until(&without(&[within], of_all(service)), measured);
        span.from_ns < measured && within.length() >= SECOND && 2 * rest > within.length()
    };
    let longest = |generator: &Generator| {
        let spans = scenario.services.iter().flat_map(|service| {
            silent_spans(generator, service)
                .iter()
                .filter(move |span| alone(service, span))
                .map(move |span| (service, span))
        });
        let (service, span) = spans.max_by_key(|(_, span)| span.length())?;
        Some(GeneratorFinding::Silent {
            generator: generator.name(),
            service: service.name.clone(),
            span: Span { to_ns: span.to_ns.min(measured), ..*span },
            ended: span.to_ns < measured,
        })
    };
    run.generators.iter().filter_map(longest).collect()
}

fn disagreeing(rows: &[GeneratorRow]) -> impl Iterator<Item = GeneratorFinding> {
    let p99 = |row: &GeneratorRow| row.response.percentile(99.0).nanos();
    let known: Vec<_> = rows.iter().filter_map(|row| Some((row, p99(row)?))).collect();
    let mut sorted: Vec<_> = known.iter().map(|(_, p99)| *p99).collect();
    sorted.sort_unstable();
    let disagrees = move |(row, own): (&GeneratorRow, Nanos)| {
        let mut others = sorted.clone();
        others.remove(others.binary_search(&own).ok()?);
        let median = *others.get(others.len() / 2)?;
        let disagrees = own as f64 >= DISAGREES * median as f64;
        disagrees.then(|| GeneratorFinding::Disagreement { generator: row.generator.name(), own, others: median })
    };
    known.into_iter().filter_map(disagrees).collect::<Vec<_>>().into_iter()
}

fn own_clocks(rows: &[GeneratorRow]) -> Option<GeneratorFinding> {
    let own = rows.iter().any(|row| row.generator.shard.clock.reference == ClockReference::Machine);
    own.then_some(GeneratorFinding::OwnClocks)
}

fn different_machines(rows: &[GeneratorRow]) -> Option<GeneratorFinding> {
    let first = &rows.first()?.generator.environment;
    let alike = |row: &GeneratorRow| {
        let own = &row.generator.environment;
        (&own.cpu, own.cores, &own.kernel) == (&first.cpu, first.cores, &first.kernel)
    };
    let different = rows.iter().find(|row| !alike(row))?;
    Some(GeneratorFinding::DifferentMachines { first: rows[0].generator.name(), other: different.generator.name() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::{Finding, analyse},
        results::{ServiceSilence, sample},
    };

    #[test]
    fn a_generator_with_three_times_the_p99_of_the_others_is_named() {
        let run = sample::scaled(4, |number| if number == 2 { 3_100_000 } else { 1_000_000 });
        let rows = generators(&run);
        let found: Vec<_> = findings(&rows, &sample::scenario()).collect();
        let [GeneratorFinding::Disagreement { generator, own, others }] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(generator, "generator 2 on node2");
        assert!((3.0..3.2).contains(&(*own as f64 / *others as f64)), "{own} and {others}");
        let alike = sample::scaled(4, |number| 1_000_000 + u64::from(number) * 100_000);
        assert_eq!(findings(&generators(&alike), &sample::scenario()).count(), 0);
    }

    #[test]
    fn a_generator_without_answers_is_named_unless_nobody_had_any() {
        let mut run = sample::scaled(4, |_| 1_000_000);
        let silence = |seconds: [u64; 2]| {
            let [from_ns, to_ns] = seconds.map(|second| second * SECOND);
            vec![ServiceSilence { service: "api".to_owned(), spans: vec![Span { from_ns, to_ns }] }]
        };
        let found = |run: &Run| {
            let findings = analyse(run, &sample::scenario()).findings;
            let silent = |finding: &Finding| match finding {
                Finding::Generators(GeneratorFinding::Silent { generator, span, ended, .. }) => {
                    Some((generator.clone(), [span.from_ns, span.to_ns].map(|at| at / SECOND), *ended))
                }
                _ => None,
            };
            findings.iter().filter_map(silent).collect::<Vec<_>>()
        };
        assert_eq!(found(&run), []);
        run.generators[3].silences = silence([5, 17]);
        assert_eq!(found(&run), [("generator 3 on node3".to_owned(), [5, 12], false)], "cut at the end of the period");
        run.generators[3].silences = silence([5, 7]);
        assert_eq!(found(&run), [("generator 3 on node3".to_owned(), [5, 7], true)]);
        run.generators.iter_mut().for_each(|generator| generator.silences = silence([5, 7]));
        for (second, [from, to]) in [(5, [5, 6]), (6, [6, 7])] {
            let span = Span { from_ns: from * SECOND, to_ns: to * SECOND };
            run.recording.services[0].seconds[second].silences = vec![span];
        }
        assert_eq!(found(&run), [], "the server was silent");
    }

    #[test]
    fn clocks_and_machines_that_differ_are_told() {
        let mut run = sample::scaled(2, |_| 1_000_000);
        run.generators[1].shard.clock.reference = ClockReference::Machine;
        run.generators[1].environment.cores = 64;
        let found: Vec<_> = findings(&generators(&run), &sample::scenario()).collect();
        let names = |number: u32| format!("generator {number} on node{number}");
        assert_eq!(
            found,
            [GeneratorFinding::OwnClocks, GeneratorFinding::DifferentMachines { first: names(0), other: names(1) }]
        );
    }

    #[test]
    fn a_start_is_as_wrong_as_its_parts_together() {
        let mut generator = sample::scaled(1, |_| 1_000).generators.remove(0);
        generator.shard.late_ns = 300;
        generator.shard.clock.uncertainty_ns = Some(50);
        assert_eq!(misalignment(&generator), 350);
    }

    #[test]
    fn the_workers_of_a_generator_are_its_own() {
        let mut run = sample::scaled(2, |_| 1_000_000);
        let workers = run.recording.workers.clone();
        run.generators.iter_mut().for_each(|generator| generator.workers = 1);
        run.recording.workers = vec![workers[0].clone(), workers[0].clone()];
        run.recording.workers[1].busy = 0.75;
        run.recording.workers[0].busy = 0.25;
        let busy: Vec<_> = generators(&run).iter().map(|row| row.busy).collect();
        assert_eq!(busy, [Some(0.25), Some(0.75)]);
    }
}
