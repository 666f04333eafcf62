//! One capacity run from the claimed folder to the exit code.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{
    announce,
    args::Arguments,
    lines::{self, Course},
    plan::{Task, census, estimate},
    resume,
    trial::{Stage, Turn},
};
use crate::{
    analysis::capacity::{Estimate, Next, Planner, judge, verdict},
    cli::{
        consent,
        environment::{environment, software, stamp},
        exit::{Exit, Failure},
        journal::Journal,
        lease::{Lease, Tenant},
        output::{self, Look},
        scale::Fleet,
    },
    load::Progress,
    report::{
        CapacityReport,
        format::{plain, rate},
    },
    results::{CAPACITY_VERSION, Capacity, Ended, PlannedGenerators},
    target::{Besides, Source, Target},
};

/// Time in which a server answers that a failed trial did not lose.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Budget of a capacity run, and the part used.
struct Time {
    estimate: Estimate,
    /// By the trials of those that it goes on from, in nanoseconds.
    spent: u64,
    started: Instant,
}

impl Time {
    /// Elapsed nanoseconds of the budget.
    fn elapsed(&self) -> u64 {
        self.spent + self.started.elapsed().as_nanos() as u64
    }
}

/// State of a capacity run.
pub(super) struct Session {
    pub(super) arguments: Arguments,
    pub(super) look: Look,
    pub(super) task: Task,
    pub(super) journal: Journal,
    pub(super) lease: Lease,
    /// Generators that send the load; `None` where this process does.
    pub(super) fleet: Option<Fleet>,
}

impl Session {
    /// Target, plan, trials, report; the data is removed again however far it came.
    pub(super) fn carry_out(mut self, source: &Source) -> Result<Exit, Failure> {
        let tenants = self.prepare(source);
        let measured = tenants.and_then(|tenants| self.measure(tenants));
        let result = measured.and_then(|capacity| self.report(capacity));
        self.lease.release();
        self.lease.display.clear();
        result
    }

    /// The server, as each variant uses it.
    fn prepare(&self, source: &Source) -> Result<Vec<Tenant>, Failure> {
        let lease = &self.lease;
        let private = matches!(source, Source::Embedded { .. });
        lease.display.step(if private { "Starting a private server" } else { "Checking the target" });
        let Task { arms, saved, .. } = &self.task;
        let widest = self.task.widest();
        let crowd = self.task.crowd()?;
        // The private server takes as many connections as there ever are at once.
        let both = self.task.both();
        let crowds = [crowd.as_ref(), both.as_ref(), Some(&arms[widest])].into_iter().flatten();
        let most = crowds.max_by_key(|scenario| scenario.connections()).unwrap_or(&arms[widest]);
        let (_, server) = lease.wait(Target::prepare(source.clone(), most))?;
        let target = |arm| match &server {
            Some(server) => lease.wait(async { Target::of_private(server, arm)?.found().await }),
            None => lease.wait(Target::prepare(source.clone(), arm)).map(|(target, _)| target),
        };
        let targets: Vec<_> = arms.iter().map(target).collect::<Result<_, _>>()?;
        if let Some(server) = server {
            lease.cleanup.hold_server(server);
        }
        let besides = |arm| Besides { here: self.task.beside(arm), elsewhere: 0 };
        let all = targets.into_iter().zip(arms).enumerate();
        let checked = all.map(|(index, (target, arm))| lease.check(target, arm, besides(index)));
        let tenants: Vec<_> = checked.collect::<Result<_, _>>()?;
        if let Some(crowd) = &crowd {
            lease.wait(tenants[0].target.preflight(crowd))?;
        }
        if let Some((folder, saved)) = saved {
            resume::check_target(folder, saved, &tenants[widest].facts)?;
        }
        Ok(tenants)
    }

    fn measure(&mut self, tenants: Vec<Tenant>) -> Result<Capacity, Failure> {
        let widest = self.task.widest();
        let Tenant { target, scenario, facts, .. } = &tenants[widest];
        let estimate = estimate(&self.task.plan, &self.task.scenario, facts.private);
        self.say(&announce::plan(&self.task, facts, estimate));
        let how = match self.task.plan.max_rate {
            Some(most) => format!(" with up to {}", plain(&rate(most))),
            None => " until it misses the objective".to_owned(),
        };
        let Lease { display, interrupt, .. } = &self.lease;
        consent::ask(facts, &how, self.arguments.consent.yes, display, interrupt)?;
        for tenant in &tenants {
            self.lease.claim(tenant)?;
        }
        if let Some(fleet) = &mut self.fleet {
            // Before the time counts: an engine may find room for them much later.
            fleet.gather(scenario, (&self.lease.display, self.lease.interrupt.stop()))?;
        }
        let started = Instant::now();
        let mut capacity = self.begin(&tenants[widest])?;
        let mut planner = Planner::of(&capacity, &self.task.scenario);
        let of_trials = capacity.trials.last().map_or(0, |trial| planner.over_ns(trial));
        let spent = capacity.blocks.last().map_or(0, |block| planner.block_over_ns(block)).max(of_trials);
        self.lease.display.step("Inspecting the server");
        let inspection = self.lease.race(target.inspect(Some(scenario), facts.same_machine, false))?;
        let workers = self.task.plan.workers.map(usize::from);
        let (facts, seed) = (facts.clone(), self.task.plan.seed);
        let mut stage = Stage { tenants, facts, inspection, workers, seed, fleet: self.fleet.take() };

        let time = Time { estimate, spent, started };
        capacity.ended = Ended::Running;
        let ended = self.trials(&mut stage, &mut planner, &mut capacity, &time);
        if let Some(fleet) = &mut stage.fleet {
            self.lease.display.step("Ending the generators");
            fleet.end(true);
        }
        let ended = match ended {
            Err(failure) if failure.exit == Exit::Interrupted => Ended::Interrupted,
            Err(failure) => return Err(self.broken_off(capacity, failure, &stage)),
            Ok(ended) => ended,
        };
        if capacity.trials.is_empty() && ended == Ended::Interrupted {
            return Err(Failure::interrupted());
        }
        capacity.ended = ended;
        Ok(capacity)
    }

    /// Makes and saves trials until there are no more to be made. What was saved stays where that fails.
    fn trials(
        &mut self,
        stage: &mut Stage,
        planner: &mut Planner,
        capacity: &mut Capacity,
        time: &Time,
    ) -> Result<Ended, Failure> {
        let arms = capacity.plan.arms.clone();
        let width = arms.iter().map(|arm| arm.name.chars().count()).max().unwrap_or_default();
        loop {
            if self.lease.interrupt.stop().is_cancelled() {
                return Ok(Ended::Interrupted);
            }
            // The budget has time for the first trial, however long its data took.
            let is_first = capacity.trials.is_empty();
            let elapsed = || if is_first { 0 } else { time.elapsed() };
            let arm = match planner.next(elapsed()) {
                Next::Done(ended) => return Ok(ended),
                Next::Trial(plan) => plan.arm,
                Next::Block(plan) => plan.from,
            };
            self.provide(&stage.tenants[arm as usize])?;
            let began_ns = time.elapsed();
            let left_ns = lines::left(capacity.plan.budget_ns, time.estimate.all_ns, began_ns);
            let mut files = Vec::new();
            // Writing the data of a variant may have taken what was left.
            match planner.next(elapsed()) {
                Next::Done(ended) => return Ok(ended),
                Next::Trial(plan) => {
                    let number = capacity.trials.len() as u32 + 1;
                    let course = Course { number, of: time.estimate.trials, bracket: planner.state(plan.arm), left_ns };
                    let arm = &arms[plan.arm as usize];
                    let mut show = |progress: &Progress| {
                        self.lease.display.timed(lines::under_way(course, arm, &plan, progress), progress);
                    };
                    let made = stage.carry_out(plan, Turn { number, began_ns }, &self.lease, &mut show)?;
                    let Some((run, trial)) = made else { return Ok(Ended::Interrupted) };
                    files.push((format!("{}/run.json", trial.folder), run.to_json().into_bytes()));
                    planner.record(&trial);
                    if !run.generators.is_empty() {
                        capacity.target.same_machine = run.generators.iter().any(|generator| generator.same_machine);
                    }
                    let judgement = judge(&trial, &stage.tenants[plan.arm as usize].scenario.objective);
                    self.say(&lines::over(&trial, arm, width, &judgement));
                    capacity.trials.push(trial);
                }
                Next::Block(plan) => {
                    let names = [plan.from, plan.to].map(|arm| arms[arm as usize].name.as_str());
                    let mut show = |progress: &Progress| {
                        self.lease.display.timed(lines::comparing(names, &plan, left_ns, progress), progress);
                    };
                    let made = stage.compare(plan, began_ns, &self.lease, &mut show)?;
                    let Some(block) = made else { return Ok(Ended::Interrupted) };
                    planner.record_block(&block);
                    self.say(&lines::compared(names, &block));
                    capacity.blocks.push(block);
                }
            }
            self.journal.write(files, capacity.to_json())?;
        }
    }

    /// Capacity file without trials, or the resumed one.
    fn begin(&self, Tenant { target, scenario, facts, .. }: &Tenant) -> Result<Capacity, Failure> {
        if let Some((_, saved)) = &self.task.saved {
            return Ok(Capacity { plan: self.task.plan.clone(), ..saved.clone() });
        }
        let current_rate = if let Some(census) = census(&self.task.plan, facts.private) {
            self.lease.display.wait("Counting the commands of other clients (--current-rate skips this)", census);
            self.lease.wait(target.command_rate(census))?
        } else {
            None
        };
        self.lease.display.step("Measuring the memory of connections");
        let connections = self.lease.wait(target.connection_levels(scenario))?;
        Ok(Capacity {
            schema_version: CAPACITY_VERSION,
            software: software(),
            started: stamp(Timestamp::now()),
            scenario: self.task.scenario.source.clone(),
            target: facts.clone(),
            environment: environment(),
            plan: self.task.plan.clone(),
            trials: Vec::new(),
            blocks: Vec::new(),
            connections,
            current_rate,
            ended: Ended::Running,
        })
    }

    /// Reason why no more trials could be made, with a remedy. The trials so far are reported.
    fn broken_off(&mut self, capacity: Capacity, failure: Failure, stage: &Stage) -> Failure {
        let made = capacity.trials.len();
        let lost = failure.exit == Exit::InvalidTargetOrMeasurement;
        if made > 0 {
            // Where it could not be saved before, it need not be now.
            let is_there =
                || stage.fleet.is_some() && self.lease.wait(stage.tenants[0].target.answers(TIMEOUT)).is_ok();
            let ended = match lost {
                false => Ended::Running,
                true if is_there() => Ended::LoadFailed,
                true => Ended::Lost,
            };
            let reported = self.report(Capacity { ended, ..capacity });
            if let (Err(unreported), true) = (reported, lost) {
                self.lease.display.say(&format!("error: {unreported}"));
            }
        }
        let what = if lost { format!("trial {} failed", made + 1) } else { "the search ended early".to_owned() };
        match self.journal.folder() {
            Some(folder) => {
                let words = |planned: &PlannedGenerators| {
                    let launcher = planned.launcher.as_deref().unwrap_or_default();
                    format!(" --scale {} --launcher '{launcher}'", planned.number)
                };
                let scale = self.task.plan.generators.as_ref().map(words).unwrap_or_default();
                failure.within(&format!("{what}; --resume {}{scale} continues it", folder.display()))
            }
            None => failure.within(&what),
        }
    }

    fn say(&self, text: &str) {
        if !self.arguments.output.quiet() {
            self.lease.display.say(text);
        }
    }

    /// Writes the data of a variant, unless it is there already.
    fn provide(&mut self, tenant: &Tenant) -> Result<(), Failure> {
        if !tenant.scenario.run.prefill || self.lease.has_data_of(&tenant.scenario) {
            return Ok(());
        }
        if self.lease.has_data() {
            self.lease.display.step("Removing the keys of the previous variant");
            if let Some(failure) = self.lease.empty().pop() {
                return Err(failure);
            }
        }
        self.lease.fill(tenant)
    }

    /// Saves, then prints; what was measured is also printed where it could not be saved.
    fn report(&mut self, capacity: Capacity) -> Result<Exit, Failure> {
        let measured = capacity.to_json();
        let make = || CapacityReport::new(capacity).map_err(Failure::usage);
        let (format, look) = (self.arguments.output.format(), self.look);
        let report = self.journal.report(measured, &self.lease.display, make, |report, folder| {
            output::tell(&output::summary(report, format, look, folder, None))
        })?;
        let offered = report.scenario.offered_rate().unwrap_or(0.0);
        Ok(Exit::of_ended(report.capacity.ended, verdict(&report.analysis, offered)))
    }
}
