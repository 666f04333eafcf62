//! State of the run at this moment: updated by the load engine and the command line, copied for every scrape.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use strum::{IntoStaticStr, VariantArray};

use super::buckets::{Distribution, Ladder};
use crate::{
    load::{Phase, Progress, Second},
    measure::{Counts, Nanos, SeriesKey, Timeframe},
    scenario::{Scenario, Service},
};

/// The state of a run, shared by its writers and its renderer. None of them holds the lock for longer than it takes
/// to add up a second or to copy it.
#[derive(Debug, Clone)]
pub struct Board(Arc<Mutex<State>>);

/// State of the run.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) version: String,
    pub(super) scenario: String,
    /// The objective's latency.
    pub(super) latency: Nanos,
    /// The objective's percentile, in percent.
    pub(super) percentile: f64,
    pub(super) ladder: Ladder,
    /// Product and version, once they are known.
    pub(super) server: Option<(String, String)>,
    pub(super) services: Vec<ServiceState>,
    /// By their number in the run.
    pub(super) series: BTreeMap<u16, SeriesState>,
    pub(super) verdict: Option<Vec<(String, bool)>>,
    connecting: bool,
    frame: Option<Timeframe>,
    over: bool,
}

/// One service.
#[derive(Debug, Clone)]
pub(super) struct ServiceState {
    pub(super) name: String,
    /// Requests per second; nothing in a closed loop.
    pub(super) offered: Option<f64>,
    pub(super) scheduled: u64,
    pub(super) lag: Distribution,
    /// Connections that the pools are to have.
    pub(super) connections: u64,
    /// Number of opened connections.
    opened: u64,
    /// Number of lost connections that have not recovered.
    away: i64,
    /// Means over the last second.
    pub(super) in_use: f64,
    pub(super) waiting: f64,
    pub(super) lost: u64,
    pub(super) recovered: u64,
}

/// One series.
#[derive(Debug, Clone)]
pub(super) struct SeriesState {
    pub(super) key: SeriesKey,
    pub(super) response: Distribution,
    pub(super) service: Distribution,
    pub(super) wait: Distribution,
    pub(super) counts: Counts,
}

/// Phases, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum Stage {
    Preparing,
    Connecting,
    WarmUp,
    Measuring,
    Draining,
    Done,
}

impl Board {
    /// The board of a run that has not begun, by this version of the program.
    pub fn new(scenario: &Scenario, version: &str) -> Self {
        let latency = scenario.objective.latency.as_nanos() as Nanos;
        let ladder = Ladder::with(latency);
        let services = scenario.services.iter().map(|service| ServiceState::new(service, &ladder)).collect();
        Self(Arc::new(Mutex::new(State {
            version: version.to_owned(),
            scenario: scenario.name.clone(),
            latency,
            percentile: scenario.objective.percentile,
            ladder,
            server: None,
            services,
            series: BTreeMap::new(),
            verdict: None,
            connecting: false,
            frame: None,
            over: false,
        })))
    }

    /// The server turned out to be this.
    pub fn server(&self, product: &str, version: &str) {
        self.state().server = Some((product.to_owned(), version.to_owned()));
    }

    /// A snapshot of the load.
    pub fn progress(&self, progress: &Progress) {
        if progress.phase != Phase::Connecting {
            return;
        }
        let mut state = self.state();
        state.connecting = true;
        for (service, progress) in state.services.iter_mut().zip(&progress.services) {
            service.opened = progress.connections;
        }
    }

    /// The measured period is this.
    pub fn begin(&self, frame: Timeframe) {
        self.state().frame = Some(frame);
    }

    /// A second is over.
    pub fn second(&self, second: &Second<'_>) {
        self.state().add(second);
    }

    /// The load is over, and its connections are closed.
    pub fn end(&self) {
        self.state().over = true;
    }

    /// The verdict: every possible outcome, and whether it is the one.
    pub fn conclude(&self, outcomes: Vec<(String, bool)>) {
        self.state().verdict = Some(outcomes);
    }

    /// Whether the verdict is known.
    pub fn is_concluded(&self) -> bool {
        self.state().verdict.is_some()
    }

    /// A copy to render.
    pub(super) fn copy(&self) -> State {
        self.state().clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Current phase.
    pub(super) fn stage(&self) -> Stage {
        match &self.frame {
            _ if self.over => Stage::Done,
            None if self.connecting => Stage::Connecting,
            None => Stage::Preparing,
            Some(frame) => match frame.clock.now() {
                now if now >= frame.end() => Stage::Draining,
                now if now >= frame.start => Stage::Measuring,
                _ => Stage::WarmUp,
            },
        }
    }

    /// Whether the measured period has begun.
    pub(super) fn has_begun(&self) -> bool {
        self.frame.as_ref().is_some_and(|frame| frame.clock.now() >= frame.start)
    }

    fn add(&mut self, second: &Second<'_>) {
        let measured = second.second >= 0;
        let ladder = &self.ladder;
        for (id, key, series) in &second.series {
            // Those that nothing happened to are known, too: they count from 0 and do not appear in the middle.
            let state = self.series.entry(id.0).or_insert_with(|| SeriesState::new(key, ladder));
            if measured {
                state.response.add(ladder, &series.response);
                state.service.add(ladder, &series.service);
                state.wait.add(ladder, &series.wait);
                state.counts.merge(&series.counts);
            }
        }
        let length = second.length.max(1) as f64;
        for (index, interval) in second.services {
            let state = &mut self.services[*index];
            state.in_use = interval.in_use_ns as f64 / length;
            state.waiting = interval.waiting_ns as f64 / length;
            state.away += interval.lost as i64 - interval.recovered as i64;
            if measured {
                state.scheduled += interval.scheduled;
                state.lag.add(ladder, &interval.lag);
                state.lost += interval.lost;
                state.recovered += interval.recovered;
            }
        }
    }
}

impl ServiceState {
    fn new(service: &Service, ladder: &Ladder) -> Self {
        Self {
            name: service.name.clone(),
            offered: service.offered_rate(),
            scheduled: 0,
            lag: Distribution::empty(ladder),
            connections: service.connections(),
            opened: 0,
            away: 0,
            in_use: 0.0,
            waiting: 0.0,
            lost: 0,
            recovered: 0,
        }
    }

    /// Connections that are open at the moment.
    pub(super) fn open(&self) -> u64 {
        self.opened.saturating_sub(self.away.max(0).unsigned_abs())
    }
}

impl SeriesState {
    fn new(key: &SeriesKey, ladder: &Ladder) -> Self {
        let empty = || Distribution::empty(ladder);
        Self { key: key.clone(), response: empty(), service: empty(), wait: empty(), counts: Counts::default() }
    }
}
