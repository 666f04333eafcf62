//! One run from the claimed result folder to the exit code.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{client_cost, telemetry::Telemetry};
use crate::{
    analysis::baseline::CompareOptions,
    cli::{
        against::{BaselineRuns, again, compared, copy},
        conclude::save_and_conclude,
        consent,
        environment::{environment, software, stamp},
        exit::{Exit, Failure},
        lease::{Lease, Tenant},
        output::Style,
        scale::{Launch, Load, Sent, Watchers},
    },
    dependency,
    load::{self, OnSecond, Phase, Progress, Settings},
    measure::Timeframe,
    report::{Document, RunReport},
    results::{Calibration, Inspection, Reference, Run, SCHEMA_VERSION, rewrite},
    scenario::{Scenario, WriteAuditPlan},
    server::SampleLimits,
    target::{self, Besides, Execution, Observation, Observed, Source},
};

/// Options of a run besides its scenario.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(in crate::cli) struct RunOptions {
    /// Threads that put on the load, where the user chose their number.
    pub(in crate::cli) workers: Option<u16>,
    /// Whether the server is left unasked while it is measured.
    pub(in crate::cli) no_observation: bool,
    /// Whether the cost of the client library is measured after the load.
    pub(in crate::cli) client_cost: bool,
    /// Whether its keys are not looked at.
    pub(in crate::cli) no_keyspace_sampling: bool,
    /// Whether the scenario's keys stay on the server.
    pub(in crate::cli) keep_data: bool,
    /// Whether commands of events are confirmed.
    pub(in crate::cli) yes: bool,
    /// Document that is written besides the report.
    pub(in crate::cli) style: Option<Style>,
}

/// Baseline of a run.
pub(in crate::cli) struct Base {
    pub(in crate::cli) held: BaselineRuns,
    /// The folder that its result goes to, by which it is called.
    pub(in crate::cli) place: PathBuf,
    pub(in crate::cli) options: CompareOptions,
    /// Whether a regression counts like an objective that is missed.
    pub(in crate::cli) decides: bool,
}

/// State of a run.
pub(in crate::cli) struct Session {
    pub(in crate::cli) options: RunOptions,
    pub(in crate::cli) scenario: Scenario,
    /// Holds the claimed result folder.
    pub(in crate::cli) lease: Lease,
    /// Live metrics, if they are wanted.
    telemetry: Option<Telemetry>,
    /// Baseline of the run, if there is one.
    base: Option<Base>,
    /// Processes that send the load; `None` where this one does.
    launch: Option<Launch>,
}

impl Session {
    /// A run in a result folder that the cleanup of `lease` holds.
    pub(in crate::cli) fn new(options: RunOptions, scenario: Scenario, lease: Lease) -> Self {
        Self { options, scenario, lease, telemetry: None, base: None, launch: None }
    }

    /// Runs with live metrics.
    pub(super) fn with_telemetry(self, telemetry: Option<Telemetry>) -> Self {
        Self { telemetry, ..self }
    }

    /// The same with the load of other processes.
    pub(super) fn with_launch(self, launch: Option<Launch>) -> Self {
        Self { launch, ..self }
    }

    /// The same compared with a baseline at its end.
    pub(in crate::cli) fn with_baseline(self, base: Option<Base>) -> Self {
        Self { base, ..self }
    }

    /// Target, data, load, report; the data is removed again however far it came.
    ///
    /// The callback is called after the verdict, with the folder of the run unless saving failed.
    pub(in crate::cli) fn carry_out(
        mut self,
        source: Source,
        tell: impl FnOnce(&RunReport, Option<&Path>) -> Result<(), Failure>,
    ) -> Result<Exit, Failure> {
        let result = self.measure(source).and_then(|run| self.report(run, tell));
        if self.options.keep_data {
            self.lease.keep_data();
        }
        self.lease.release();
        if let Some(telemetry) = &self.telemetry {
            telemetry.wait_for_final_scrape(&self.lease);
        }
        self.lease.display.clear();
        result
    }

    fn measure(&mut self, source: Source) -> Result<Run, Failure> {
        let mut here = if self.options.client_cost { self.scenario.connections() } else { 0 };
        here += self.scenario.audit_writes.map_or(0, |_| WriteAuditPlan::COUNTERS);
        let tenant = self.lease.open(source, &self.scenario, Besides { here, elsewhere: 0 })?;
        let Tenant { target, facts, .. } = &tenant;
        let Lease { display, interrupt, .. } = &self.lease;
        consent::ask_for_commands(&self.scenario.events, self.options.yes, display, interrupt)?;
        let board = self.telemetry.as_ref().map(|telemetry| &telemetry.board);
        if let Some(board) = board {
            board.server(&facts.product, &facts.version);
        }
        let dependencies = dependency::Watch::begin(&self.scenario.dependencies);
        for dependency::Unreached { name, address, reason } in dependencies.unreached() {
            self.lease.display.say(&format!("warning: dependency {name} at {address} does not answer: {reason}"));
        }
        let mut fleet = self.launch.take().map(Launch::fleet);
        if let Some(fleet) = &mut fleet {
            // An engine may find room for them hours later: until then nothing is on the server.
            fleet.gather(&self.scenario, (display, interrupt.stop()))?;
        }
        self.lease.claim(&tenant)?;
        self.lease.fill(&tenant)?;

        let mut display = self.lease.display.clone();
        let workers = self.options.workers.map(usize::from);
        let settings = Settings { workers, same_machine: facts.same_machine, ..Settings::default() };
        let used = load::workers(&self.scenario, settings);
        if fleet.is_none() && workers.is_some_and(|workers| workers > used) {
            display.say(&format!(
                "note: only {} a part of the load: each part of a service needs a connection and a client of its own; \
                 set `parts` to divide an open loop",
                if used == 1 { "1 worker has".to_owned() } else { format!("{used} workers have") }
            ));
        }
        // Of the machine that sends the load.
        let before = if fleet.is_none() { self.reference()? } else { None };
        let mut started = None;
        let mut observation = if self.options.no_observation { Observation::none() } else { target.observe() };
        let mut show = |progress: Progress| {
            if progress.phase == Phase::Measuring && started.is_none() {
                started = Some(Timestamp::now() - progress.elapsed);
            }
            if let Some(board) = board {
                board.progress(&progress);
            }
            display.load(&progress);
        };
        let writes = target.audit_writes(&self.scenario);
        let mut events = None;
        let on_start = |frame: Timeframe| {
            events = Some(tenant.timetable.begin(&frame));
            if let Some(board) = board {
                board.begin(frame.clone());
            }
            dependencies.follow(&frame);
            if let Some(writes) = &writes {
                writes.begin(&frame);
            }
            observation.begin(frame);
        };
        let on_second = board.cloned().map(|board| -> OnSecond { Box::new(move |second| board.second(second)) });
        let stop = self.lease.interrupt.stop();
        let loaded = match &mut fleet {
            None => load::run_observed(&self.scenario, target, settings, stop, &mut show, on_start, on_second)
                .map(|recording| Sent { recording, generators: Vec::new(), failure: None })
                .map_err(Failure::from),
            Some(fleet) => {
                let load = Load {
                    scenario: &self.scenario,
                    halves: vec![(&self.scenario, target)],
                    turn: None,
                    workers,
                    calibrates: true,
                    clock: self.lease.clock(target)?,
                };
                let watchers = Watchers { display: &self.lease.display, stop, on_progress: &mut show, on_second };
                fleet.load(&load, watchers, on_start).inspect(|_| fleet.end(true))
            }
        };
        if let Some(board) = board {
            board.end();
        }
        let Sent { recording, generators, failure } = loaded?;
        display.step("Ending the events");
        let events = events.map(Execution::finish).unwrap_or_default();
        display.step("Reading the last figures of the server");
        let Observed { server, nodes } = observation.finish();
        if writes.is_some() {
            display.step("Reading the counters of the audit of writes");
        }
        let write_audit = writes.map(|writes| writes.finish(|| stop.is_cancelled()));
        let calibration = self.calibration(before);
        let dependencies = dependencies.finish();
        display.step("Inspecting the server");
        let look = async {
            if self.lease.reach(target).await.is_ok() {
                target.inspect(Some(&self.scenario), facts.same_machine, false).await
            } else {
                Inspection::default()
            }
        };
        let mut inspection = self.lease.runtime.block_on(self.lease.interrupt.finish(look)).unwrap_or_default();
        self.sample_keyspace(&tenant, &mut inspection);
        inspection.slots = target.sample_slots(&self.scenario, &recording);
        // Last, so that nothing else that is measured sees this load.
        let wanted = self.options.client_cost && !stop.is_cancelled();
        let client_cost = wanted.then(|| client_cost::measure(&tenant, &self.lease, settings)).flatten();
        Ok(Run {
            schema_version: SCHEMA_VERSION,
            software: software(),
            started: stamp(started.unwrap_or_else(Timestamp::now)),
            scenario: self.scenario.source.clone(),
            target: tenant.facts,
            environment: environment(),
            recording,
            server,
            nodes,
            inspection,
            dependencies,
            events,
            write_audit,
            calibration,
            client_cost,
            shard: None,
            generators,
            load_failure: failure,
        })
    }

    /// Measures the speed of the machine. A failure does not affect the run; an interruption ends it.
    fn reference(&self) -> Result<Option<Reference>, Failure> {
        self.lease.display.step("Measuring the machine");
        let measured = self.lease.race(target::reference())?;
        Ok(measured.map_err(|error| self.lease.display.say(&format!("warning: {error}"))).ok())
    }

    /// The machine before and after the load. A Ctrl-C that ended the load leaves it out.
    fn calibration(&self, before: Option<Reference>) -> Option<Calibration> {
        let before = before.filter(|_| !self.lease.interrupt.stop().is_cancelled())?;
        Some(Calibration { before, after: self.reference().ok()?? })
    }

    /// Looks at some keys while they are there. Whatever fails does not spoil the run, and a Ctrl-C ends it.
    fn sample_keyspace(&self, Tenant { target, facts, .. }: &Tenant, inspection: &mut Inspection) {
        if self.options.no_keyspace_sampling {
            return;
        }
        let run = &self.scenario.run;
        let limits = SampleLimits::of(facts.private).after(run.warmup + run.duration);
        self.lease.display.wait("Sampling the keys", limits.time);
        if let Ok((sample, withheld)) = self.lease.race(target.sample_keyspace(limits)) {
            inspection.keyspace = sample;
            inspection.withheld.extend(withheld);
        }
    }

    /// Saves, then shows; what was measured is also reported where it could not be saved.
    fn report(
        &mut self,
        run: Run,
        tell: impl FnOnce(&RunReport, Option<&Path>) -> Result<(), Failure>,
    ) -> Result<Exit, Failure> {
        let Lease { display, cleanup, .. } = &self.lease;
        display.step("Writing the report");
        let interrupted = run.recording.period.interrupted || self.lease.interrupt.stop().is_cancelled();
        let text = run.to_json();
        let folder = cleanup.take_folder().ok_or_else(Failure::no_folder)?;
        let (base, style) = (self.base.take(), self.options.style);
        let decides = base.as_ref().is_some_and(|base| base.decides);
        let files = |report: &RunReport| {
            let analysis = style.map(|Style::Analysis| report.analysis_files());
            let copy = report.against.as_ref().map(copy);
            copy.into_iter().chain(report.files()).chain(analysis.into_iter().flatten()).collect()
        };
        let mut place = PathBuf::new();
        let concluded = save_and_conclude(folder, ("run.json", text.as_bytes()), || {
            let mut report = RunReport::new(run).map_err(Failure::usage)?;
            if let Some(base) = base {
                report.against = Some(compared(base.held, &report, &base.place, base.options));
                place = base.place;
            }
            let files = files(&report);
            Ok((report, files))
        });
        cleanup.let_go_of_folder();
        let (mut report, mut saved) = concluded?;
        if let Ok(folder) = &saved
            && report.against.is_some()
            && folder.file_name() != place.file_name()
        {
            // Another result took the name meanwhile, and the comparison names the run by its folder.
            saved = saved.and_then(|folder| {
                report.against = again(&folder, &report)?;
                rewrite(&folder, files(&report)).map_err(Failure::usage)?;
                Ok(folder)
            });
        }
        if let Some(telemetry) = &self.telemetry {
            telemetry.conclude(report.analysis.conclusion.verdict);
        }
        display.clear();
        let printed = tell(&report, saved.as_deref().ok());
        Failure::first_of(saved, printed)?;
        let deciding = report.against.as_ref().filter(|_| decides).map(|against| against.comparison.verdict);
        Ok(Exit::of_run(report.analysis.conclusion.verdict, interrupted, deciding))
    }
}
