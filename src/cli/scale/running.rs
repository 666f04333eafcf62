//! Processes that were started, and what is heard of their generators.

use std::{
    collections::{BTreeMap, BTreeSet},
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
use rustix::process::Signal;
use tokio_util::sync::CancellationToken;

use super::{
    agreement::{self, lost},
    launcher::Launcher,
    process::{Event, Process, hear},
};
use crate::{
    analysis::Merger,
    cli::{
        exit::Failure,
        progress::Display,
        shard::{
            UNFOLLOWED,
            lines::{self, Contact, Introduction, Order, Report},
        },
    },
    load::SecondReport,
    results::{Run, sha256},
    target::ReferenceTime,
};

/// Time without a sign of life after which a generator is taken for lost: three times the interval of the signs.
const SILENCE: Duration = Duration::from_secs(3);

/// Interval at which generators hear that their load is followed.
const ALIVE: Duration = Duration::from_secs(1);

/// Time that generators have to end once they were asked to.
const ENDING: Duration = Duration::from_secs(5);

/// Time after which a wait for generators is mentioned where no progress is shown.
const SLOW: Duration = Duration::from_secs(10);

/// Time that launchers have to give back what they hold.
const GIVING_BACK: Duration = Duration::from_secs(2);

/// Time in which what a process wrote before its end arrives.
const LAST_WORDS: Duration = Duration::from_millis(500);

const POLL: Duration = Duration::from_millis(20);

/// Processes that were started, and what was heard of the generators.
pub(super) struct Running {
    processes: Vec<Process>,
    events: Receiver<Event>,
    generators: u32,
    /// Whether all of them are processes of this machine.
    is_local: bool,
    /// The machines that they are started on, by their numbers, where those are known.
    hosts: Vec<String>,
    /// When this process listened last.
    listened: Instant,
    /// A line that could not be read, and when that was: launchers that end print into those of generators.
    garbled: Option<(Instant, String)>,
    introduced: BTreeMap<u32, Introduction>,
    heard: BTreeMap<u32, Instant>,
    /// The last lines of launchers, which say why something ended.
    said: Vec<String>,
    /// When generators heard last that their load is followed.
    followed: Option<Instant>,
    load: UnderWay,
}

/// What was heard of the load that is under way.
#[derive(Default)]
pub(super) struct UnderWay {
    contacts: BTreeMap<u32, (Instant, Contact)>,
    /// Time from the agreed start until each began, in nanoseconds.
    late: BTreeMap<u32, u64>,
    /// Generators whose recordings have arrived.
    done: BTreeSet<u32>,
    merger: Merger,
    /// Whether the generators were asked to end it.
    stopped: bool,
}

/// What all generators have to do before the load goes on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// Be there.
    Here,
    /// Have opened their connections.
    Connected,
}

/// How long generators are waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) time: Duration,
    /// Whether the time counts from the first sign of one: where an engine places them, that may take any time.
    pub(super) is_queued: bool,
}

impl Running {
    /// Starts processes, each with the number of the generator that it is, where it is one.
    pub(super) fn start(
        name: &str,
        generators: u32,
        commands: Vec<(Option<u32>, Command)>,
        launcher: &Launcher,
    ) -> Result<Self, Failure> {
        let has_input = launcher.carries_input();
        let (sender, events) = mpsc::channel();
        let mut running = Self {
            processes: Vec::new(),
            events,
            generators,
            is_local: launcher.is_local(),
            hosts: launcher.hosts().to_vec(),
            listened: Instant::now(),
            garbled: None,
            introduced: BTreeMap::new(),
            heard: BTreeMap::new(),
            said: Vec::new(),
            followed: None,
            load: UnderWay::default(),
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

    /// Forgets the last load before the next one.
    pub(super) fn begin(&mut self) {
        self.load = UnderWay::default();
        self.said.clear();
    }

    /// The sum of the recordings so far.
    pub(super) fn take_merger(&mut self) -> Merger {
        std::mem::take(&mut self.load.merger)
    }

    /// Number of generators.
    pub(super) fn generators(&self) -> u32 {
        self.generators
    }

    /// Whether all recordings have arrived.
    pub(super) fn is_done(&self) -> bool {
        self.load.done.len() == self.generators as usize
    }

    /// Who each generator is, what it knows of its server, and how late it began.
    pub(super) fn known(&self) -> impl Iterator<Item = (u32, &Introduction, &Contact, u64)> {
        let contacts = self.load.contacts.iter();
        contacts.filter_map(|(number, (_, contact))| {
            let late = self.load.late.get(number).copied().unwrap_or_default();
            Some((*number, self.introduced.get(number)?, contact, late))
        })
    }

    /// What launchers said last that explains an end.
    pub(super) fn explanation(&self) -> Option<&str> {
        // The first one that calls itself an error is of the cause, the later ones are of its consequences.
        let explains = |line: &&String| ["error", "signal", "killed"].iter().any(|word| line.contains(word));
        self.said.iter().find(explains).or(self.said.last()).map(String::as_str)
    }

    /// Writes an order to all. One that does not take it is found by its end.
    pub(super) fn tell(&mut self, order: &Order) {
        let lines = lines::lines(0, 0, order);
        for input in self.processes.iter_mut().filter_map(|process| process.input.as_mut()) {
            for line in &lines {
                let _ = input.write_all(line.as_bytes());
            }
        }
    }

    /// Has the load end: by an order, or where none is carried by a signal, which launchers pass on.
    pub(super) fn stop(&mut self) {
        self.load.stopped = true;
        self.load.merger.interrupt();
        self.tell(&Order::Stop);
        for process in self.processes.iter().filter(|process| process.input.is_none()) {
            process.signal(Signal::TERM);
        }
    }

    /// Takes in what was said for a moment; gives seconds of the load, each with the generator that reports it. Fails where a generator
    /// has ended or says something wrong.
    pub(super) fn listen(&mut self, display: &Display) -> Result<Vec<(u32, SecondReport)>, Failure> {
        let mut seconds = Vec::new();
        if self.listened.elapsed() > ALIVE {
            // This process stood still, or did something else: what was said meanwhile is read first.
            self.heard.values_mut().for_each(|heard| *heard = Instant::now());
        }
        self.listened = Instant::now();
        let mut next = self.events.recv_timeout(POLL).ok();
        while let Some(event) = next {
            match event {
                Event::Said(number, report) => {
                    self.heard.insert(number, Instant::now());
                    match report {
                        Report::Second(second) => seconds.push((number, *second)),
                        other => self.take_in(number, other)?,
                    }
                }
                Event::Alive(number) => drop(self.heard.insert(number, Instant::now())),
                Event::Line(line) => {
                    display.say(&line);
                    self.said.push(line);
                }
                Event::Garbled(reason) => drop(self.garbled.get_or_insert((Instant::now(), reason))),
            }
            next = self.events.try_recv().ok();
        }
        self.check_processes()?;
        Ok(seconds)
    }

    fn take_in(&mut self, number: u32, report: Report) -> Result<(), Failure> {
        match report {
            Report::Here(introduction) => {
                agreement::check_build(&introduction, self.generators)?;
                if self.introduced.insert(number, *introduction).is_some() {
                    let name = self.name(number);
                    return Err(lost(format!("two processes are {name}: does the launcher start it twice?")));
                }
            }
            Report::Ready(contact) => drop(self.load.contacts.insert(number, (Instant::now(), contact))),
            Report::Begun { late_ns } => drop(self.load.late.insert(number, late_ns)),
            Report::Second(_) | Report::Alive => {}
            Report::Failed(reason) => return Err(lost(format!("{} failed: {reason}", self.name(number)))),
            Report::Done { sha256: noted, run } => {
                let name = self.name(number);
                if sha256(&run) != noted {
                    return Err(lost(format!("the recording of {name} was damaged on its way")));
                }
                let part = Run::from_json(&run).map_err(Failure::unusable)?;
                let is_early = part.recording.period.interrupted && !self.load.stopped;
                self.load.merger.add(&format!("generator {number}"), part);
                self.load.done.insert(number);
                if is_early {
                    return Err(lost(format!("{name} was ended by a signal, or this process stood still")));
                }
            }
        }
        Ok(())
    }

    /// Fails where a process has ended that still has something to do.
    fn check_processes(&mut self) -> Result<(), Failure> {
        self.processes.iter_mut().try_for_each(Process::note_end).map_err(Failure::unusable)?;
        let is_done = |process: &Process| match process.number {
            Some(number) => self.load.done.contains(&number),
            None => self.is_done(),
        };
        let gone = self.processes.iter().filter(|process| !is_done(process)).find_map(|process| {
            let (at, status) = process.ended?;
            let is_read = process.closed.load(Ordering::Acquire) && at.elapsed() > LAST_WORDS;
            (is_read || at.elapsed() > ENDING).then_some((process.number, status))
        });
        if let Some((number, status)) = gone {
            let who = number.map_or_else(|| "the launcher".to_owned(), |number| self.name(number));
            let is_known = number.is_none_or(|number| self.introduced.contains_key(&number));
            let hint = if is_known { "" } else { ": is plimsoll there, at the path of --program?" };
            return Err(lost(format!("{who} ended ({status}){hint}")));
        }
        match &self.garbled {
            Some((at, reason)) if at.elapsed() > ALIVE => Err(lost(reason.clone())),
            _ => Ok(()),
        }
    }

    fn name(&self, number: u32) -> String {
        let known = self.introduced.get(&number).map(|known| &known.host).or_else(|| self.hosts.get(number as usize));
        let host = known.map(|host| format!(" on {host}")).unwrap_or_default();
        format!("generator {number} of {}{host}", self.generators)
    }

    /// The generators that a step is still to be taken by.
    fn missing(&self, step: Step) -> Vec<u32> {
        let has_taken = |number: &u32| match step {
            Step::Here => self.introduced.contains_key(number),
            Step::Connected => self.load.contacts.contains_key(number),
        };
        (0..self.generators).filter(|number| !has_taken(number)).collect()
    }

    /// Waits until all generators have taken a step.
    pub(super) fn wait_for(
        &mut self,
        what: Step,
        patience: Patience,
        (display, stop): (&Display, &CancellationToken),
    ) -> Result<(), Failure> {
        let of = match what {
            Step::Here => "",
            Step::Connected => "the connections of ",
        };
        let (began, mut since, mut shown, mut said) = (Instant::now(), Instant::now(), usize::MAX, false);
        loop {
            let missing = self.missing(what);
            let Some(first) = missing.first() else { return Ok(()) };
            let waiting = format!("{of}{} of {} generators", missing.len(), self.generators);
            if missing.len() != shown {
                shown = missing.len();
                display.step(&format!("Waiting for {waiting}"));
            }
            if began.elapsed() > SLOW && !said {
                said = true;
                display.say(&format!("note: still waiting for {waiting}: {}", self.name(*first)));
            }
            if patience.is_queued && self.heard.is_empty() {
                since = Instant::now();
            }
            if since.elapsed() > patience.time {
                let is_blind = self.processes.iter().any(|process| process.input.is_none());
                let remedy = if is_blind { "; give it longer with --start-in" } else { "" };
                let name = self.name(*first);
                return Err(lost(match what {
                    Step::Here => format!(
                        "{name} did not start in time: are there as many machines as generators, and plimsoll on each?{remedy}"
                    ),
                    Step::Connected => format!("{name} did not open its connections in time{remedy}"),
                }));
            }
            self.listen(display)?;
            self.check_silence()?;
            if stop.is_cancelled() {
                return Err(Failure::interrupted());
            }
        }
    }

    /// Refuses generators that reach another server, or go by another clock, than this process.
    pub(super) fn check_clocks(&self, time: ReferenceTime, server: Option<&str>) -> Result<(), Failure> {
        let mut contacts = self.load.contacts.iter();
        contacts.try_for_each(|(number, contact)| agreement::check_clock(&self.name(*number), contact, (time, server)))
    }

    pub(super) fn wait_until(
        &mut self,
        begin: Instant,
        (display, stop): (&Display, &CancellationToken),
    ) -> Result<(), Failure> {
        while Instant::now() < begin {
            self.follow();
            self.listen(display)?;
            self.check_silence()?;
            if stop.is_cancelled() {
                return Err(Failure::interrupted());
            }
        }
        Ok(())
    }

    /// Lets generators know from time to time that their load is followed.
    pub(super) fn follow(&mut self) {
        if self.followed.is_none_or(|at| at.elapsed() >= ALIVE) {
            self.followed = Some(Instant::now());
            self.tell(&Order::Alive);
        }
    }

    /// Fails where a generator has reported nothing for too long.
    pub(super) fn check_silence(&self) -> Result<(), Failure> {
        let silent = (0..self.generators).find(|number| {
            let is_silent = self.heard.get(number).is_some_and(|heard| heard.elapsed() > SILENCE);
            is_silent && !self.load.done.contains(number)
        });
        silent.map_or(Ok(()), |number| {
            Err(lost(format!("{} reported nothing for {} s", self.name(number), SILENCE.as_secs())))
        })
    }

    /// Has all processes end: those that are done by themselves, others at once.
    pub(super) fn end(&mut self, are_done: bool) {
        if !are_done {
            self.stop();
        }
        // Where nothing more can come, generators end.
        self.processes.iter_mut().for_each(|process| drop(process.input.take()));
        self.wait_for_ends(if are_done { ENDING } else { LAST_WORDS });
        // Launchers have resources to give back, which a signal that cannot be caught would leave taken.
        for process in &self.processes {
            process.signal(Signal::TERM);
        }
        self.wait_for_ends(GIVING_BACK);
        if !are_done && !self.is_local && !self.is_done() {
            self.wait_for_the_unreachable();
        }
    }

    /// A generator whose machine cannot be reached any more writes until it notices that nobody follows its load; keys that are removed
    /// before would be there again.
    fn wait_for_the_unreachable(&self) {
        if let Some(last) = self.followed {
            thread::sleep((last + UNFOLLOWED + ALIVE).saturating_duration_since(Instant::now()));
        }
    }

    fn wait_for_ends(&mut self, time: Duration) {
        let limit = Instant::now() + time;
        while Instant::now() < limit && self.processes.iter().any(|process| process.ended.is_none()) {
            for process in &mut self.processes {
                let _ = process.note_end();
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
            process.signal(Signal::KILL);
            let _ = process.child.wait();
        }
    }
}
