//! One capacity run from the claimed folder to the exit code.

use std::time::Instant;

use jiff::Timestamp;
use tokio::runtime::{self, Runtime};

use super::{
    announce,
    args::Arguments,
    exit_code::exit_code,
    lines::{self, Course},
    plan::{Errand, census, estimate},
    resume,
    trial::{Stage, Turn},
};
use crate::{
    analysis::capacity::{BlockPlan, Estimate, Next, Planner, TrialPlan, judge},
    cli::{
        claims::Claims,
        consent,
        data::same_data,
        environment::{environment, software},
        exit::{Exit, Failure},
        interrupt::Interrupt,
        journal::Journal,
        leftovers::Leftovers,
        output::{self, Look},
        progress::Display,
    },
    report::{
        CapacityReport, Document,
        format::{plain, rate},
    },
    results::{CAPACITY_VERSION, Capacity, Ended, PoolBlock, Run, TargetFacts, Trial},
    target::{Besides, Source, Target, TargetError},
};

/// Budget of a capacity run, and the part used.
struct Time {
    estimate: Estimate,
    /// By the trials of those that it goes on from, in nanoseconds.
    spent: u64,
    started: Instant,
}

impl Time {
    /// Nanoseconds of the budget that are used up.
    fn elapsed(&self) -> u64 {
        self.spent + self.started.elapsed().as_nanos() as u64
    }
}

/// State of a capacity run.
pub(super) struct Session {
    pub(super) arguments: Arguments,
    pub(super) look: Look,
    pub(super) errand: Errand,
    pub(super) journal: Journal,
    pub(super) display: Display,
    pub(super) leftovers: Leftovers,
    pub(super) claims: Claims,
}

/// The data on the server.
#[derive(Debug, Default)]
struct Data {
    /// Index of the variant whose data it is.
    of: Option<usize>,
    /// Whether keys that would be written exist already and are of another type.
    of_others: bool,
}

impl Session {
    /// Target, plan, trials, report; the data is removed again however far it came.
    pub(super) fn carry_out(mut self, source: &Source, interrupt: &Interrupt) -> Result<Exit, Failure> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::unusable)?;
        let result = self.prepare(&runtime, source, interrupt).and_then(|(targets, facts)| {
            let mut data = Data::default();
            let result = self
                .measure(&runtime, &targets, facts, &mut data, interrupt)
                .and_then(|capacity| self.report(capacity));
            self.remove_data(&runtime, &targets, &data, interrupt);
            result
        });
        self.display.clear();
        result
    }

    /// The server, and the way to it for each variant.
    fn prepare(
        &self,
        runtime: &Runtime,
        source: &Source,
        interrupt: &Interrupt,
    ) -> Result<(Vec<Target>, TargetFacts), Failure> {
        let private = matches!(source, Source::Embedded { .. });
        self.display.step(if private { "Starting a private server" } else { "Checking the target" });
        let Errand { arms, saved, .. } = &self.errand;
        let widest = self.errand.widest();
        let crowd = self.errand.crowd()?;
        let (targets, facts) = runtime.block_on(async {
            // The private server takes as many connections as there ever are at once.
            let both = self.errand.both();
            let crowds = [crowd.as_ref(), both.as_ref(), Some(&arms[widest])].into_iter().flatten();
            let most = crowds.max_by_key(|scenario| scenario.connections()).unwrap_or(&arms[widest]);
            let (_, server) = interrupt.or(Target::prepare(source.clone(), most)).await?;
            let mut targets = Vec::with_capacity(arms.len());
            for arm in arms {
                targets.push(match &server {
                    Some(server) => Target::of_private(server, arm).map_err(Failure::unusable)?,
                    None => interrupt.or(Target::prepare(source.clone(), arm)).await?.0,
                });
            }
            if let Some(server) = server {
                self.leftovers.hold_server(server);
            }
            let mut facts = Vec::with_capacity(arms.len());
            for (index, (target, arm)) in targets.iter().zip(arms).enumerate() {
                let besides = Besides { here: self.errand.beside(index), elsewhere: 0 };
                facts.push(interrupt.or(target.preflight_beside(arm, besides)).await?);
            }
            if let Some(crowd) = &crowd {
                interrupt.or(targets[0].preflight(crowd)).await?;
            }
            Ok::<_, Failure>((targets, facts.swap_remove(widest)))
        })?;
        if let Some((folder, saved)) = saved {
            resume::check_target(folder, saved, &facts)?;
        }
        Ok((targets, facts))
    }

    fn measure(
        &mut self,
        runtime: &Runtime,
        targets: &[Target],
        facts: TargetFacts,
        data: &mut Data,
        interrupt: &Interrupt,
    ) -> Result<Capacity, Failure> {
        let estimate = estimate(&self.errand.plan, &self.errand.scenario, facts.private);
        if !self.arguments.output.quiet() {
            self.display.say(&announce::plan(&self.errand, &facts, estimate));
        }
        let how = match self.errand.plan.max_rate {
            Some(most) => format!(" with up to {}", plain(&rate(most))),
            None => " until it fails its objective".to_owned(),
        };
        consent::ask(&facts, &how, self.arguments.consent.yes, &self.display, interrupt)?;
        for (target, arm) in targets.iter().zip(&self.errand.arms) {
            runtime.block_on(interrupt.or(self.claims.take(target, arm, &self.display)))?;
        }
        let started = Instant::now();
        let mut capacity = self.begin(runtime, targets, &facts, interrupt)?;
        let mut planner = Planner::of(&capacity, &self.errand.scenario);
        let of_trials = capacity.trials.last().map_or(0, |trial| planner.over_ns(trial));
        let spent = capacity.blocks.last().map_or(0, |block| planner.block_over_ns(block)).max(of_trials);
        self.display.step("Looking at the server");
        let widest = self.errand.widest();
        let looking = async {
            Ok::<_, TargetError>(
                targets[widest].inspect(Some(&self.errand.arms[widest]), facts.same_machine, false).await,
            )
        };
        let inspection = runtime.block_on(interrupt.or(looking))?;
        let workers = self.errand.plan.workers.map(usize::from);
        let stage = Stage { runtime, targets, facts, inspection, workers, seed: self.errand.plan.seed };

        let time = Time { estimate, spent, started };
        capacity.ended = Ended::Running;
        let ended = match self.trials(&stage, &mut planner, &mut capacity, data, &time, interrupt) {
            Err(failure) if failure.exit == Exit::Interrupted => Ended::Interrupted,
            Err(failure) => return Err(self.broken_off(capacity, failure)),
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
        stage: &Stage<'_>,
        planner: &mut Planner,
        capacity: &mut Capacity,
        data: &mut Data,
        time: &Time,
        interrupt: &Interrupt,
    ) -> Result<Ended, Failure> {
        loop {
            if interrupt.stop().is_cancelled() {
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
            self.provide(stage, arm as usize, data, interrupt)?;
            let began_ns = time.elapsed();
            let left_ns = lines::left(capacity.plan.budget_ns, time.estimate.all_ns, began_ns);
            let mut files = Vec::new();
            // Writing the data of a variant may have taken what was left.
            match planner.next(elapsed()) {
                Next::Done(ended) => return Ok(ended),
                Next::Trial(plan) => {
                    let number = capacity.trials.len() as u32 + 1;
                    let course = Course { number, of: time.estimate.trials, bracket: planner.state(plan.arm), left_ns };
                    let turn = Turn { number, began_ns };
                    let Some((run, trial)) = self.trial(stage, plan, turn, course, interrupt)? else {
                        return Ok(Ended::Interrupted);
                    };
                    files.push((format!("{}/run.json", trial.folder), run.to_json().into_bytes()));
                    planner.record(&trial);
                    self.tell(&trial);
                    capacity.trials.push(trial);
                }
                Next::Block(plan) => {
                    let Some(block) = self.block(stage, plan, (began_ns, left_ns), interrupt)? else {
                        return Ok(Ended::Interrupted);
                    };
                    planner.record_block(&block);
                    self.tell_block(&block);
                    capacity.blocks.push(block);
                }
            }
            self.journal.write(files, capacity.to_json())?;
        }
    }

    /// Makes a block of a comparison; `None` where the user ended it.
    fn block(
        &self,
        stage: &Stage<'_>,
        plan: BlockPlan,
        (began_ns, left_ns): (u64, u64),
        interrupt: &Interrupt,
    ) -> Result<Option<PoolBlock>, Failure> {
        let sides = [plan.from, plan.to].map(|arm| arm as usize);
        let names = sides.map(|arm| self.errand.plan.arms[arm].name.as_str());
        let mut show = |progress: &crate::load::Progress| {
            let of = progress.of.unwrap_or_default().as_millis() as u64;
            let text = lines::comparing(names, &plan, left_ns, progress);
            self.display.gauge(text, progress.elapsed.as_millis() as u64, of);
        };
        stage.compare(sides.map(|arm| &self.errand.arms[arm]), plan, began_ns, interrupt, &mut show)
    }

    /// Capacity file without trials, or the resumed one.
    fn begin(
        &self,
        runtime: &Runtime,
        targets: &[Target],
        facts: &TargetFacts,
        interrupt: &Interrupt,
    ) -> Result<Capacity, Failure> {
        if let Some((_, saved)) = &self.errand.saved {
            return Ok(Capacity { plan: self.errand.plan.clone(), ..saved.clone() });
        }
        let widest = self.errand.widest();
        let current_rate = if let Some(census) = census(&self.errand.plan, facts.private) {
            self.display.wait("Counting the commands of others (--current-rate spares it)", census);
            runtime.block_on(interrupt.or(targets[widest].command_rate(census)))?
        } else {
            None
        };
        self.display.step("Looking at the memory of connections");
        let connections = targets[widest].connection_levels(&self.errand.arms[widest]);
        Ok(Capacity {
            schema_version: CAPACITY_VERSION,
            software: software(),
            started: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            scenario: self.errand.scenario.source.clone(),
            target: facts.clone(),
            environment: environment(),
            plan: self.errand.plan.clone(),
            trials: Vec::new(),
            blocks: Vec::new(),
            connections: runtime.block_on(interrupt.or(connections))?,
            current_rate,
            ended: Ended::Running,
        })
    }

    /// Makes a trial; `None` where the user ended it.
    fn trial(
        &self,
        stage: &Stage<'_>,
        plan: TrialPlan,
        turn: Turn,
        course: Course,
        interrupt: &Interrupt,
    ) -> Result<Option<(Run, Trial)>, Failure> {
        let index = plan.arm as usize;
        let (arm, scenario) = (&self.errand.plan.arms[index], &self.errand.arms[index]);
        let mut show = |progress: &crate::load::Progress| {
            let of = progress.of.unwrap_or_default().as_millis() as u64;
            let text = lines::under_way(course, arm, &plan, progress);
            self.display.gauge(text, progress.elapsed.as_millis() as u64, of);
        };
        stage.carry_out(scenario, plan, turn, interrupt, &mut show)
    }

    /// Reason why no more trials could be made, with a remedy. The trials so far are reported.
    fn broken_off(&mut self, capacity: Capacity, failure: Failure) -> Failure {
        let made = capacity.trials.len();
        let lost = failure.exit == Exit::Unusable;
        if made > 0 {
            // Where it could not be saved before, it need not be now.
            let ended = if lost { Ended::Lost } else { Ended::Running };
            let reported = self.report(Capacity { ended, ..capacity });
            if let (Err(unreported), true) = (reported, lost) {
                self.display.say(&format!("error: {unreported}"));
            }
        }
        let what =
            if lost { format!("trial {} could not be made", made + 1) } else { "the search ended early".to_owned() };
        match self.journal.folder() {
            Some(folder) => failure.within(&format!("{what}; --resume {} continues it", folder.display())),
            None => failure.within(&what),
        }
    }

    fn tell(&self, trial: &Trial) {
        if self.arguments.output.quiet() {
            return;
        }
        let arms = &self.errand.plan.arms;
        let index = trial.arm as usize;
        let width = arms.iter().map(|arm| arm.name.chars().count()).max().unwrap_or_default();
        let judgement = judge(trial, &self.errand.arms[index].objective);
        self.display.say(&lines::over(trial, &arms[index], width, &judgement));
    }

    fn tell_block(&self, block: &PoolBlock) {
        if self.arguments.output.quiet() {
            return;
        }
        let names = [block.from, block.to].map(|arm| self.errand.plan.arms[arm as usize].name.as_str());
        self.display.say(&lines::compared(names, block));
    }

    /// Writes the data of a variant, unless it is there already.
    fn provide(&self, stage: &Stage<'_>, arm: usize, data: &mut Data, interrupt: &Interrupt) -> Result<(), Failure> {
        let Stage { runtime, targets, .. } = stage;
        let arms = &self.errand.arms;
        if !arms[arm].run.prefill || data.of.is_some_and(|of| same_data(&arms[of], &arms[arm])) {
            return Ok(());
        }
        if let Some(of) = data.of {
            self.display.step("Removing the keys of the variant before");
            runtime.block_on(interrupt.or(targets[of].cleanup(&arms[of])))?;
        }
        data.of = Some(arm);
        let mut show = |done, total| self.display.prefilled(done, total);
        let prefill = async {
            let written = targets[arm].prefill(&arms[arm], &mut show).await;
            // Then the keys that would be removed afterwards are another user's.
            data.of_others = matches!(written, Err(TargetError::OtherType { .. }));
            written
        };
        runtime.block_on(interrupt.or(prefill))
    }

    /// Saves, then prints; what was measured is also printed where it could not be saved.
    fn report(&mut self, capacity: Capacity) -> Result<Exit, Failure> {
        self.display.step("Writing the report");
        let (report, saved) = self.journal.conclude(capacity.to_json(), || {
            let report = CapacityReport::new(capacity).map_err(Failure::usage)?;
            let files = report.files();
            Ok((report, files))
        })?;
        self.display.clear();
        let folder = self.journal.folder().filter(|_| saved.is_ok());
        let told = output::tell(&output::summary(&report, self.arguments.output.format(), self.look, folder, None));
        Failure::first_of(saved, told)?;
        Ok(exit_code(&report))
    }

    /// Removes the scenario's keys from a server that stays, if they are its own, and gives the claims of them back. A failure
    /// does not spoil the result.
    fn remove_data(&mut self, runtime: &Runtime, targets: &[Target], data: &Data, interrupt: &Interrupt) {
        let of = data.of.filter(|_| !data.of_others && !self.leftovers.holds_server());
        let keys = of.map(|of| (&targets[of], &self.errand.arms[of]));
        self.claims.end(keys, runtime, interrupt, &self.display);
    }
}
