//! Probing all dependencies of a run: before the load, once a second while it runs, and once when it is over.

use std::{
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use super::Prober;
use crate::{
    measure::{Nanos, SECOND, Timeframe, yield_to_load},
    results::{DependencyRecord, Probe, ProbePhase},
    scenario::Dependency,
};

/// Longest time that a probe may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Dependencies that are being watched, each by a thread of its own. Dropped before its end, it ends by itself.
#[derive(Debug)]
pub struct Watch {
    posts: Vec<Post>,
}

/// A dependency that did not answer before the load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreached {
    /// Its name in the scenario.
    pub name: String,
    /// Its address.
    pub address: String,
    /// Reason.
    pub reason: String,
}

/// A dependency with its thread.
#[derive(Debug)]
struct Post {
    /// Facts that need no probe.
    blank: DependencyRecord,
    orders: Sender<Order>,
    first: Receiver<Probe>,
    thread: Option<JoinHandle<DependencyRecord>>,
}

/// Message to a probing thread.
enum Order {
    /// The load begins.
    Follow(Timeframe),
    /// End of the run.
    Finish,
}

impl Watch {
    /// Begins, with a probe of each dependency at once.
    pub fn begin(dependencies: &[Dependency]) -> Self {
        Self { posts: dependencies.iter().map(|dependency| Post::new(dependency, TIMEOUT)).collect() }
    }

    /// Waits for the first probes and returns the failed ones; takes two seconds at most.
    pub fn unreached(&self) -> Vec<Unreached> {
        let failed = self.posts.iter().filter_map(|post| {
            let reason = post.first.recv().ok()?.failure?;
            Some(Unreached { name: post.blank.name.clone(), address: post.blank.address.clone(), reason })
        });
        failed.collect()
    }

    /// Goes on once a second, from now to the end of the measured period.
    pub fn follow(&self, frame: &Timeframe) {
        for post in &self.posts {
            // A thread that could not be started has no probes to show of.
            let _ = post.orders.send(Order::Follow(frame.clone()));
        }
    }

    /// Probes a last time; takes four seconds at most. In the scenario's order.
    pub fn finish(self) -> Vec<DependencyRecord> {
        for post in &self.posts {
            let _ = post.orders.send(Order::Finish);
        }
        self.posts.into_iter().map(Post::finish).collect()
    }
}

impl Post {
    fn new(dependency: &Dependency, patience: Duration) -> Self {
        let (orders, received) = mpsc::channel();
        let (tell, first) = mpsc::channel();
        let blank = DependencyRecord {
            name: dependency.name.clone(),
            address: dependency.address.to_string(),
            status: dependency.status,
            probes: Vec::new(),
        };
        let mut record = blank.clone();
        let mut prober = Prober::new(dependency, patience);
        let keep_watch = move || {
            yield_to_load();
            let first = probe(&mut prober, ProbePhase::Before, None);
            record.probes.push(first.clone());
            let _ = tell.send(first);
            let mut frame = None;
            loop {
                match next_order(&received, frame.as_ref()) {
                    Ok(Order::Follow(timeframe)) => frame = Some(Schedule::new(timeframe)),
                    Ok(Order::Finish) => {
                        record.probes.push(probe(&mut prober, ProbePhase::After, None));
                        return record;
                    }
                    Err(RecvTimeoutError::Timeout) => {
                        if let Some(frame) = frame.as_mut().filter(|frame| frame.left().is_some()) {
                            let second = frame.begin_probe();
                            record.probes.push(probe(&mut prober, ProbePhase::During, second));
                            frame.end_probe();
                        }
                    }
                    // Nobody is interested any more.
                    Err(RecvTimeoutError::Disconnected) => return record,
                }
            }
        };
        let thread = thread::Builder::new().name("plimsoll-probe".to_owned()).spawn(keep_watch).ok();
        Self { blank, orders, first, thread }
    }

    fn finish(self) -> DependencyRecord {
        self.thread.and_then(|thread| thread.join().ok()).unwrap_or(self.blank)
    }
}

/// The next order; a timeout when the next probe is due.
fn next_order(orders: &Receiver<Order>, schedule: Option<&Schedule>) -> Result<Order, RecvTimeoutError> {
    match schedule.and_then(Schedule::left) {
        Some(left) => orders.recv_timeout(left),
        None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
    }
}

fn probe(prober: &mut Prober, phase: ProbePhase, second: Option<u32>) -> Probe {
    let (elapsed, result) = prober.probe();
    Probe { phase, second, elapsed_ns: elapsed.as_nanos() as u64, failure: result.err().map(|error| error.to_string()) }
}

/// When probes are due: in the middle of each second of the warm-up and of the measured period.
struct Schedule {
    frame: Timeframe,
    due: Nanos,
    asked: Nanos,
}

impl Schedule {
    fn new(frame: Timeframe) -> Self {
        let due = next_middle(frame.start, frame.clock.now());
        Self { frame, due, asked: 0 }
    }

    /// Time until the next probe; `None` if there is none within the period, which the user can end early.
    fn left(&self) -> Option<Duration> {
        (self.due < self.frame.end()).then(|| Duration::from_nanos(self.due.saturating_sub(self.frame.clock.now())))
    }

    /// The second that a probe belongs to that begins now; `None` within the warm-up.
    fn begin_probe(&mut self) -> Option<u32> {
        self.asked = self.frame.clock.now();
        // One that was due within the period belongs to it, should this thread wake late.
        let within = self.asked.min(self.frame.end().saturating_sub(1));
        within.checked_sub(self.frame.start).map(|since| (since / SECOND) as u32)
    }

    /// After a slow answer the pause is as long as the answer took, so that what is in trouble is not pressed.
    fn end_probe(&mut self) {
        let elapsed = self.frame.clock.now().saturating_sub(self.asked);
        // One that began late, on a busy machine, does not make two of a second.
        self.due = next_middle(self.frame.start, self.asked + (2 * elapsed).max(SECOND / 2));
    }
}

/// The first middle of a second after an instant.
fn next_middle(start: Nanos, after: Nanos) -> Nanos {
    let offset = (start + SECOND / 2) % SECOND;
    let begun = (after + SECOND - offset) / SECOND;
    begun * SECOND + offset
}

#[cfg(test)]
mod tests {
    use std::{
        net::{Ipv4Addr, TcpListener},
        sync::{Arc, atomic::AtomicU64},
    };

    use super::*;
    use crate::{measure::Clock, scenario::Address};

    const MILLI: Nanos = 1_000_000;

    #[test]
    fn probes_fall_into_the_middle_of_seconds() {
        assert_eq!(next_middle(2_300 * MILLI, 0), 800 * MILLI);
        assert_eq!(next_middle(2_300 * MILLI, 800 * MILLI), 1_800 * MILLI);
        assert_eq!(next_middle(2_300 * MILLI, 1_799 * MILLI), 1_800 * MILLI);
        assert_eq!(next_middle(2_700 * MILLI, 0), 200 * MILLI);
        assert_eq!(next_middle(2_700 * MILLI, 250 * MILLI), 1_200 * MILLI);
        assert_eq!(next_middle(0, 0), 500 * MILLI);
    }

    #[test]
    fn a_late_probe_takes_its_second_with_it() {
        let frame = Timeframe::new(Clock::start(), 0, Arc::new(AtomicU64::new(10 * SECOND)));
        let mut schedule = Schedule { frame, due: 500 * MILLI, asked: 1_200 * MILLI };
        schedule.end_probe();
        assert_eq!(schedule.due, 2_500 * MILLI);
    }

    #[test]
    fn a_dependency_is_probed_before_during_and_after() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let address = Address::Tcp { host: "127.0.0.1".to_owned(), port };
        let dependency = Dependency { name: "db".to_owned(), address, status: None };
        let watch = Watch::begin(&[dependency]);
        assert_eq!(watch.unreached(), []);
        drop(listener);

        let clock = Clock::start();
        let end = Arc::new(AtomicU64::new(2_600 * MILLI));
        let frame = Timeframe::new(clock, 600 * MILLI, end);
        watch.follow(&frame);
        while clock.now() < frame.end() {
            thread::sleep(Duration::from_nanos(frame.end() - clock.now()));
        }
        let record = watch.finish().remove(0);
        assert_eq!((record.name.as_str(), record.address), ("db", format!("tcp://127.0.0.1:{port}")));
        let phases: Vec<_> = record.probes.iter().map(|probe| (probe.phase, probe.second)).collect();
        let (first, rest) = phases.split_first().unwrap();
        let (last, during) = rest.split_last().unwrap();
        assert_eq!((*first, *last), ((ProbePhase::Before, None), (ProbePhase::After, None)));
        // At 0.1 s of the warm-up of 0.6 s, and at 1.1 and 2.1 s; a busy machine may miss one.
        assert!((1..=3).contains(&during.len()), "{during:?}");
        assert!(during.iter().all(|(phase, second)| *phase == ProbePhase::During && *second < Some(2)), "{during:?}");
        assert_eq!(record.probes[0].failure, None);
        let refused = Some("connection refused".to_owned());
        assert!(record.probes[1..].iter().all(|probe| probe.failure == refused), "{:?}", record.probes);
    }

    #[test]
    fn what_hangs_keeps_nobody_waiting_and_a_watch_can_be_dropped() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let dependency = Dependency { name: "hangs".to_owned(), address: Address::Http { url }, status: None };
        let post = Post::new(&dependency, Duration::from_millis(50));
        let watch = Watch { posts: vec![post] };
        assert_eq!(watch.unreached()[0].reason, "no answer within 0.05 s");
        let Watch { mut posts } = watch;
        let Post { orders, thread, .. } = posts.remove(0);
        drop(orders);
        assert_eq!(thread.unwrap().join().unwrap().probes.len(), 1);
    }
}
