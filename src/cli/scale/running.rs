//! Processes that were started, and what is heard of their generators.

use std::{
    collections::BTreeMap,
    io::Write as _,
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::anyhow;
use rustix::process::{Pid, Signal, kill_process_group};

use super::process::{Event, Process, hear};
use crate::{
    cli::{
        environment::software,
        exit::Failure,
        interrupt::Interrupt,
        progress::Display,
        shard::lines::{self, Introduction, Order, Report},
    },
    load::{Progress, Relay, SecondReport},
    measure::{Nanos, Timeframe, nanos},
    results::{ClockReference, Run, Software, sha256},
    scenario::Scenario,
    target::ReferenceTime,
    workload::scheduled,
};

/// Time without a sign of life after which a generator is taken for lost: three times the interval of the signs.
const SILENCE: Duration = Duration::from_secs(3);

/// Time that generators have to end once they were asked to.
const ENDING: Duration = Duration::from_secs(5);

/// Largest difference of clocks of two machines, where the start goes by these.
const APART: i64 = 250_000_000;

/// Time after which a wait for generators is mentioned where no progress is shown.
const SLOW: Duration = Duration::from_secs(10);

/// Time in which what a process wrote before its end arrives.
const LAST_WORDS: Duration = Duration::from_millis(500);

const POLL: Duration = Duration::from_millis(20);

/// Processes that were started, and what was heard of the generators.
pub(super) struct Running {
    processes: Vec<Process>,
    events: Receiver<Event>,
    generators: u32,
    introduced: BTreeMap<u32, (Instant, Introduction)>,
    heard: BTreeMap<u32, Instant>,
    /// Requests of the measured period that fell due, of those that were reported.
    scheduled: u64,
    parts: BTreeMap<u32, Run>,
    /// Whether the generators were asked to end.
    stopped: bool,
    /// The last lines of launchers, which say why something ended.
    said: Vec<String>,
}

pub(super) fn lost(reason: String) -> Failure {
    Failure::unusable(anyhow!(reason))
}

impl Running {
    /// Starts processes, each with the number of the generator that it is, where it is one.
    pub(super) fn start(
        name: &str,
        generators: u32,
        commands: Vec<(Option<u32>, Command)>,
        has_input: bool,
    ) -> Result<Self, Failure> {
        let (sender, events) = mpsc::channel();
        let mut running = Self {
            processes: Vec::new(),
            events,
            generators,
            introduced: BTreeMap::new(),
            heard: BTreeMap::new(),
            scheduled: 0,
            parts: BTreeMap::new(),
            stopped: false,
            said: Vec::new(),
        };
        for (number, mut command) in commands {
            let input = if has_input { Stdio::piped() } else { Stdio::null() };
            command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
            // A Ctrl-C in the terminal is for this process, which ends the others itself.
            command.process_group(0);
            let child = command.spawn();
            let mut child =
                child.map_err(|error| Failure::usage(anyhow!(error).context(format!("could not start {name}"))))?;
            let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
            let input = child.stdin.take();
            let closed = Arc::<AtomicBool>::default();
            running.processes.push(Process { child, input, number, ended: None, closed: Arc::clone(&closed) });
            hear(stdout, sender.clone(), closed, true).map_err(Failure::unusable)?;
            hear(stderr, sender.clone(), Arc::default(), false).map_err(Failure::unusable)?;
        }
        Ok(running)
    }

    /// The recordings, by the numbers of the generators.
    pub(super) fn take_parts(&mut self) -> BTreeMap<u32, Run> {
        std::mem::take(&mut self.parts)
    }

    /// Writes an order to all. One that does not take it is found by its end.
    pub(super) fn tell(&mut self, order: &Order) {
        for process in &mut self.processes {
            if let Some(input) = &mut process.input {
                for line in lines::lines(0, 0, order) {
                    let _ = input.write_all(line.as_bytes());
                }
            }
        }
    }

    /// Has the load end: by an order, or where none is carried by a signal, which launchers pass on.
    fn stop(&mut self) {
        self.stopped = true;
        self.tell(&Order::Stop);
        for process in self.processes.iter().filter(|process| process.input.is_none() && process.ended.is_none()) {
            let _ = kill_process_group(Pid::from_child(&process.child), Signal::TERM);
        }
    }

    /// Takes in what was said for a moment; gives seconds of the load.
    fn listen(&mut self, display: &Display) -> Result<Vec<SecondReport>, Failure> {
        let mut seconds = Vec::new();
        let mut next = self.events.recv_timeout(POLL).ok();
        while let Some(event) = next {
            match event {
                Event::Said(number, report) => {
                    self.heard.insert(number, Instant::now());
                    match report {
                        Report::Ready(introduction) => {
                            if self.introduced.insert(number, (Instant::now(), *introduction)).is_some() {
                                let name = self.name(number);
                                return Err(lost(format!(
                                    "two processes are {name}: does the launcher start it twice?"
                                )));
                            }
                        }
                        Report::Second(second) => {
                            if second.second() >= 0 {
                                self.scheduled += second.scheduled();
                            }
                            seconds.push(*second);
                        }
                        Report::Alive => {}
                        Report::Failed(reason) => return Err(lost(format!("{} failed: {reason}", self.name(number)))),
                        Report::Done { sha256: noted, run } => {
                            if sha256(&run) != noted {
                                let name = self.name(number);
                                return Err(lost(format!("the recording of {name} was damaged on its way")));
                            }
                            let part = Run::from_json(&run).map_err(Failure::unusable)?;
                            let is_early = part.recording.period.interrupted && !self.stopped;
                            self.parts.insert(number, part);
                            if is_early {
                                return Err(lost(format!("{} was ended by a signal", self.name(number))));
                            }
                        }
                    }
                }
                Event::Alive(number) => drop(self.heard.insert(number, Instant::now())),
                Event::Line(line) => {
                    display.say(&line);
                    self.said.push(line);
                }
                Event::Garbled(reason) => return Err(lost(reason)),
            }
            next = self.events.try_recv().ok();
        }
        Ok(seconds)
    }

    /// Fails where a process has ended that still has something to do.
    fn check_processes(&mut self) -> Result<(), Failure> {
        for process in self.processes.iter_mut().filter(|process| process.ended.is_none()) {
            let status = process.child.try_wait().map_err(Failure::unusable)?;
            process.ended = status.map(|status| (Instant::now(), status));
        }
        let is_done = |process: &Process| match process.number {
            Some(number) => self.parts.contains_key(&number),
            None => self.parts.len() == self.generators as usize,
        };
        let gone = self.processes.iter().filter(|process| !is_done(process)).find_map(|process| {
            let (at, status) = process.ended?;
            let is_read = process.closed.load(Ordering::Acquire) && at.elapsed() > LAST_WORDS;
            (is_read || at.elapsed() > ENDING).then_some((process.number, status))
        });
        gone.map_or(Ok(()), |(number, status)| {
            let who = number.map_or_else(|| "the launcher".to_owned(), |number| self.name(number));
            Err(lost(format!("{who} ended ({status})")))
        })
    }

    fn name(&self, number: u32) -> String {
        match self.introduced.get(&number) {
            Some((_, known)) => format!("generator {number} of {} on {}", self.generators, known.host),
            None => format!("generator {number} of {}", self.generators),
        }
    }

    /// Waits until all generators are ready, for a time. Where an engine places them, which may take any time, that counts from the first
    /// sign of one.
    pub(super) fn until_ready(
        &mut self,
        (patience, is_queued): (Duration, bool),
        interrupt: &Interrupt,
        display: &Display,
    ) -> Result<(), Failure> {
        let (began, mut since, mut shown, mut said) = (Instant::now(), Instant::now(), usize::MAX, false);
        while self.introduced.len() < self.generators as usize {
            self.listen(display)?;
            self.check_processes()?;
            if interrupt.stop().is_cancelled() {
                return Err(Failure::interrupted());
            }
            let missing: Vec<_> = (0..self.generators).filter(|number| !self.introduced.contains_key(number)).collect();
            if missing.len() != shown {
                shown = missing.len();
                display.step(&format!("Waiting for {} of {} generators", missing.len(), self.generators));
            }
            if began.elapsed() > SLOW && !said {
                said = true;
                display.say(&format!("note: still waiting for {} of {} generators", missing.len(), self.generators));
            }
            if is_queued && self.heard.is_empty() {
                since = Instant::now();
            }
            if let (Some(first), true) = (missing.first(), since.elapsed() > patience) {
                let is_blind = self.processes.iter().any(|process| process.input.is_none());
                let remedy = if is_blind { "; give it longer with --start-in" } else { "" };
                return Err(lost(format!(
                    "generator {first} of {} was not ready in time: are there as many machines as generators, and plimsoll on \
                     each?{remedy}",
                    self.generators
                )));
            }
        }
        Ok(())
    }

    /// Refuses generators of another plimsoll, whose numbers may mean something else.
    pub(super) fn check_software(&self) -> Result<(), Failure> {
        let own = software();
        let other = self.introduced.iter().find(|(_, (_, known))| known.software != own);
        other.map_or(Ok(()), |(number, (_, known))| {
            let version = |software: &Software| {
                format!("{} {} ({})", software.version, software.commit.as_deref().unwrap_or(""), software.profile)
            };
            Err(Failure::usage(anyhow!(
                "{} runs plimsoll {}, and this is {}: install the same build everywhere (--program)",
                self.name(*number),
                version(&known.software),
                version(&own)
            )))
        })
    }

    /// Refuses generators that reach another server, or go by another clock, than this process.
    pub(super) fn check_clocks(&self, time: ReferenceTime, server: Option<&str>) -> Result<(), Failure> {
        let own = ReferenceTime::of_machine().now() as i64;
        for (number, (heard, known)) in &self.introduced {
            let name = self.name(*number);
            if known.server.as_deref() != server {
                return Err(lost(format!(
                    "{name} reaches another server by this address than the one that was checked here: use an address that means the \
                     same on all machines"
                )));
            }
            let is_machine = known.clock.reference == ClockReference::Machine;
            if is_machine != time.uncertainty().is_none() {
                return Err(lost(format!(
                    "the server answered TIME to only one of this process and {name}: repeat the run"
                )));
            }
            let difference = known.wall.saturating_add(nanos(heard.elapsed()) as i64) - own;
            if is_machine && difference.saturating_abs() > APART {
                return Err(lost(format!(
                    "the clock of {name} differs by {:.1} s from the one here, and the server does not answer TIME: set the clocks, or \
                     give the user the right to TIME (ACL SETUSER user +time)",
                    difference as f64 / 1e9
                )));
            }
        }
        Ok(())
    }

    pub(super) fn until(&mut self, begin: Instant, interrupt: &Interrupt, display: &Display) -> Result<(), Failure> {
        while Instant::now() < begin {
            self.listen(display)?;
            self.check_processes()?;
            if interrupt.stop().is_cancelled() {
                return Err(Failure::interrupted());
            }
        }
        Ok(())
    }

    pub(super) fn until_done(
        &mut self,
        mut relay: Relay,
        frame: &Timeframe,
        interrupt: &Interrupt,
        (display, on_progress): (&Display, &mut dyn FnMut(Progress)),
        scenario: &Scenario,
    ) -> Result<(), Failure> {
        let mut told = false;
        while self.parts.len() < self.generators as usize {
            let heard = self.listen(display);
            if interrupt.stop().is_cancelled() && !told {
                told = true;
                frame.end_at(frame.clock.now());
                self.stop();
            }
            let checked = heard.and_then(|seconds| {
                for second in seconds {
                    relay.add(second);
                }
                self.check_processes()?;
                self.check_silence()
            });
            if told && checked.is_err() {
                // What is missing was ended by the launcher.
                return Err(Failure::interrupted());
            }
            if let Err(failure) = checked {
                frame.end_at(frame.clock.now());
                return Err(self.invalid(&failure, frame.clock.now(), scenario));
            }
            if let Some(progress) = relay.news(frame) {
                on_progress(progress);
            }
        }
        Ok(())
    }

    fn check_silence(&self) -> Result<(), Failure> {
        let silent = (0..self.generators).find(|number| {
            let is_silent = self.heard.get(number).is_none_or(|heard| heard.elapsed() > SILENCE);
            is_silent && !self.parts.contains_key(number)
        });
        silent.map_or(Ok(()), |number| {
            Err(lost(format!("{} gave no sign of life for {} s", self.name(number), SILENCE.as_secs())))
        })
    }

    /// A run that lost a generator: which, when, and how much of it is not known.
    fn invalid(&self, failure: &Failure, now: Nanos, scenario: &Scenario) -> Failure {
        let mut so_far = scenario.clone();
        so_far.run.duration = Duration::from_nanos(now).saturating_sub(scenario.run.warmup).min(scenario.run.duration);
        let due: Option<u64> = scheduled(&so_far).into_iter().sum();
        let unknown = match due {
            Some(due) => format!(
                "{} of the {due} requests that were due until then are unaccounted for",
                due.saturating_sub(self.scheduled)
            ),
            None => format!("{} requests were reported until then", self.scheduled),
        };
        // The first one that calls itself an error is of the cause, the later ones are of its consequences.
        let cause = self.said.iter().find(|line| line.contains("error")).or(self.said.last());
        let said = cause.map(|line| format!(" ({line})")).unwrap_or_default();
        lost(format!(
            "invalid: {failure}{said} after {:.0} s of the load; {unknown}. The load of the others is not that of the scenario, so they \
             were stopped: repeat the run",
            now as f64 / 1e9
        ))
    }

    /// Has all processes end: those that are done by themselves, others at once.
    pub(super) fn end(&mut self, are_done: bool) {
        if !are_done {
            self.stop();
        }
        let limit = Instant::now() + if are_done { ENDING } else { LAST_WORDS };
        // Where nothing more can come, generators end.
        self.processes.iter_mut().for_each(|process| drop(process.input.take()));
        while Instant::now() < limit && self.processes.iter().any(|process| process.ended.is_none()) {
            for process in self.processes.iter_mut().filter(|process| process.ended.is_none()) {
                process.ended = process.child.try_wait().ok().flatten().map(|status| (Instant::now(), status));
            }
            // Else a full pipe would hold them.
            while self.events.try_recv().is_ok() {}
            thread::sleep(POLL);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for process in self.processes.iter_mut().filter(|process| process.ended.is_none()) {
            let _ = kill_process_group(Pid::from_child(&process.child), Signal::KILL);
            let _ = process.child.wait();
        }
    }
}
