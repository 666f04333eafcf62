//! The audit of writes, beside the load: counters whose increments are compared with their replies.
//!
//! Each counter has one writer with a connection of its own, which sends an increment after the reply to the last one. A reply is the
//! value of the counter, so one that is not the last value plus one shows a loss at once. Increments without a reply may
//! have been executed or not, which bounds the losses from above.

use std::{
    future::pending,
    thread::{self, JoinHandle},
    time::Duration,
};

use bytes::Bytes;
use fred::{clients::Client, error::Error, interfaces::KeysInterface};
use tokio::{
    runtime::Builder,
    sync::watch,
    task::{LocalSet, spawn_local},
    time::{Instant, sleep, sleep_until, timeout_at},
};

use super::{Connector, Target, data::remove, failure};
use crate::{
    measure::{Nanos, Timeframe, nanos, yield_to_load},
    results::{LostWrites, WriteAuditRecord},
    scenario::{Scenario, WriteAuditPlan},
};

/// Time that an increment waits for its reply.
const REPLY_LIMIT: Duration = Duration::from_secs(10);

/// Time that reading the counters may take after the load: a failover may not be over yet.
const READING: Duration = Duration::from_secs(20);

/// Time for both after an interruption.
const INTERRUPTED: Duration = Duration::from_secs(1);

/// Between two looks at whether there is an interruption.
const LOOK: Duration = Duration::from_millis(20);

/// Between two attempts to read a counter.
const PAUSE: Duration = Duration::from_millis(200);

/// Writers that wait for the measured period, or that write. Dropped, they end.
pub struct WriteAudit {
    begin: watch::Sender<Option<Timeframe>>,
    /// Instant at which the writers give up, after an interruption.
    hurry: watch::Sender<Option<Instant>>,
    thread: JoinHandle<WriteAuditRecord>,
}

/// Name of a counter.
pub(super) fn counter(scenario: &Scenario, number: u64) -> Bytes {
    format!("{}{number}", WriteAuditPlan::stem(&scenario.services[0].keys.prefix)).into()
}

impl Target {
    /// Opens the connections of the writers, if the scenario has an audit of writes.
    pub fn audit_writes(&self, scenario: &Scenario) -> Option<WriteAudit> {
        let plan = scenario.audit_writes?;
        let connector = self.connectors[0].clone();
        let counters: Vec<_> = (0..WriteAuditPlan::COUNTERS).map(|number| counter(scenario, number)).collect();
        let interval = Duration::from_secs_f64(counters.len() as f64 / plan.rate);
        let (begin, frame) = watch::channel(None);
        let (hurry, limit) = watch::channel(None);
        let work = move || {
            yield_to_load();
            let Ok(runtime) = Builder::new_current_thread().enable_all().build() else {
                return WriteAuditRecord::default();
            };
            LocalSet::new().block_on(&runtime, async move {
                let count = counters.len() as u32;
                let writers: Vec<_> = (0..)
                    .zip(counters)
                    .map(|(number, key)| Writer::new(key, (interval, interval / count * number), limit.clone()))
                    .map(|writer| spawn_local(writer.work(connector.clone(), frame.clone())))
                    .collect();
                let mut all = WriteAuditRecord::default();
                for writer in writers {
                    all.merge(writer.await.unwrap_or_default());
                }
                all
            })
        };
        let thread = thread::Builder::new().name("plimsoll-writes".to_owned()).spawn(work).ok()?;
        Some(WriteAudit { begin, hurry, thread })
    }
}

impl WriteAudit {
    /// Begins, once it is known when the measured period does.
    pub fn begin(&self, frame: &Timeframe) {
        self.begin.send_replace(Some(frame.clone()));
    }

    /// The outcome, after the measured period: the counters are read and removed. After an interruption little time is left for that.
    pub fn finish(self, is_interrupted: impl Fn() -> bool) -> WriteAuditRecord {
        drop(self.begin);
        while !self.thread.is_finished() {
            if is_interrupted() && self.hurry.borrow().is_none() {
                self.hurry.send_replace(Some(Instant::now() + INTERRUPTED));
            }
            thread::sleep(LOOK);
        }
        self.thread.join().unwrap_or_default()
    }
}

/// What one writer does, and what it has observed.
struct Writer {
    key: Bytes,
    interval: Duration,
    /// Its first increment after the start of the measured period.
    offset: Duration,
    /// Instant at which it gives up, once there is one.
    limit: watch::Receiver<Option<Instant>>,
    /// The last acknowledged value.
    last: u64,
    /// Increments without a reply since then.
    unknown: u64,
    record: WriteAuditRecord,
}

impl Writer {
    fn new(key: Bytes, (interval, offset): (Duration, Duration), limit: watch::Receiver<Option<Instant>>) -> Self {
        let record = WriteAuditRecord { counters: 1, ..WriteAuditRecord::default() };
        Self { key, interval, offset, limit, last: 0, unknown: 0, record }
    }

    /// The output of `work`; `None` where it takes longer than `at_most`, or than there is time after an interruption.
    async fn within<T>(&mut self, at_most: Instant, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = timeout_at(at_most, work) => done.ok(),
            () = passed(&mut self.limit) => None,
        }
    }

    async fn work(mut self, connector: Connector, mut frame: watch::Receiver<Option<Timeframe>>) -> WriteAuditRecord {
        let opened = connector.connect_by_name().await;
        let Ok(frame) = frame.wait_for(Option::is_some).await.map(|frame| frame.clone()) else { return self.record };
        let Some(frame) = frame else { return self.record };
        let (client, _router) = match opened {
            Ok(opened) => opened,
            Err(error) => return self.unread(error.to_string()),
        };
        self.write(&client, &frame).await;
        // A new connection goes to the primary of then: one that was replaced may still answer on the old one.
        let reopened = self.within(Instant::now() + READING, connector.connect()).await.and_then(Result::ok);
        self.read(reopened.as_ref().map_or(&client, |(client, _)| client), &frame).await
    }

    /// Increments until the end of the measured period.
    async fn write(&mut self, client: &Client, frame: &Timeframe) {
        let mut due = frame.start + nanos(self.offset);
        while due < frame.end() {
            sleep_until(frame.clock.instant(due).into()).await;
            // An interrupt moves the end.
            if frame.clock.now() >= frame.end() {
                return;
            }
            self.record.sent += 1;
            let increment = client.incr::<u64, _>(self.key.clone());
            match self.within(Instant::now() + REPLY_LIMIT, increment).await {
                Some(Ok(value)) => self.acknowledged(value, now(frame)),
                Some(Err(error)) => self.failed(&error),
                None => self.unanswered("no reply in time".to_owned()),
            }
            // One that waited is not made up for.
            due = (due + nanos(self.interval)).max(frame.clock.now());
        }
    }

    fn acknowledged(&mut self, value: u64, found_ns: Nanos) {
        self.record.acknowledged += 1;
        self.compare(self.last + 1, value, found_ns);
        (self.last, self.unknown) = (value, 0);
    }

    /// Compares the value of the counter with the one that it has if no increment without a reply was executed.
    fn compare(&mut self, expected: u64, value: u64, found_ns: Nanos) {
        if value < expected {
            let least = expected - value;
            // No more than were acknowledged.
            let most = (least + self.unknown).min(self.last);
            self.record.losses.push(LostWrites { found_ns, least, most: most.max(least) });
        }
        self.record.repeated += value.saturating_sub(expected + self.unknown);
    }

    fn failed(&mut self, error: &Error) {
        let failure = failure::of_request(error);
        if failure.class.is_reply() {
            self.record.refused += 1;
            self.record.message.get_or_insert(failure.message);
        } else {
            self.unanswered(failure.message);
        }
    }

    fn unanswered(&mut self, message: String) {
        self.record.unknown += 1;
        self.unknown += 1;
        self.record.message.get_or_insert(message);
    }

    /// Reads the counter, as often as it takes, and removes it.
    async fn read(mut self, client: &Client, frame: &Timeframe) -> WriteAuditRecord {
        let deadline = Instant::now() + READING;
        let message = loop {
            let reading = client.get::<Option<u64>, _>(self.key.clone());
            let message = match self.within(deadline, reading).await {
                Some(Ok(value)) => {
                    self.compare(self.last, value.unwrap_or(0), now(frame));
                    // The clean-up of the run removes what is left.
                    let removal = remove(client, vec![self.key.clone()]);
                    self.within(deadline, removal).await;
                    return self.record;
                }
                Some(Err(error)) => failure::of_request(&error).message,
                None => break "no reply in time".to_owned(),
            };
            if self.within(deadline, sleep(PAUSE)).await.is_none() {
                break message;
            }
        };
        self.unread(message)
    }

    fn unread(mut self, message: String) -> WriteAuditRecord {
        self.record.unread = 1;
        self.record.message.get_or_insert(message);
        self.record
    }
}

/// Waits for the instant at which there is no time left, which may never come.
async fn passed(limit: &mut watch::Receiver<Option<Instant>>) {
    match limit.wait_for(Option::is_some).await.map(|at| *at) {
        Ok(Some(at)) => sleep_until(at).await,
        _ => pending().await,
    }
}

fn now(frame: &Timeframe) -> Nanos {
    frame.clock.now().saturating_sub(frame.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The record of a writer that got these values, `None` for increments without a reply, and read the last one.
    fn record(values: &[Option<u64>], read: u64) -> WriteAuditRecord {
        let mut writer = Writer::new("k".into(), (Duration::ZERO, Duration::ZERO), watch::channel(None).1);
        for (at, value) in (1..).zip(values) {
            writer.record.sent += 1;
            match value {
                Some(value) => writer.acknowledged(*value, at),
                None => writer.unanswered("lost".to_owned()),
            }
        }
        writer.compare(writer.last, read, 100);
        writer.record
    }

    fn lost(values: &[Option<u64>], read: u64) -> Vec<(Nanos, u64, u64)> {
        record(values, read).losses.iter().map(|lost| (lost.found_ns, lost.least, lost.most)).collect()
    }

    #[test]
    fn a_lower_value_is_a_loss() {
        assert_eq!(lost(&[Some(1), Some(2), Some(3)], 3), []);
        assert_eq!(lost(&[Some(1), Some(2), Some(3), Some(2)], 2), [(4, 2, 2)], "two of three");
        assert_eq!(lost(&[Some(1), Some(2), Some(3)], 0), [(100, 3, 3)], "found at the end");
        assert_eq!(lost(&[Some(1), None, Some(2)], 2), [], "the one without a reply was not executed");
        assert_eq!(lost(&[Some(1), None, Some(3)], 3), [], "it was");
        assert_eq!(
            lost(&[Some(1), Some(2), None, Some(2)], 2),
            [(4, 1, 2)],
            "it may have been executed instead of a lost one"
        );
        assert_eq!(lost(&[Some(1), None, Some(1)], 1), [(3, 1, 1)], "no more than were acknowledged");
    }

    #[test]
    fn a_higher_value_is_a_repetition() {
        assert_eq!(record(&[Some(1), Some(3)], 3).repeated, 1);
        assert_eq!(record(&[Some(1), None, Some(3)], 3).repeated, 0);
        assert_eq!(record(&[Some(1), None], 3).repeated, 1);
        let record = record(&[Some(1), None], 2);
        assert_eq!((record.sent, record.acknowledged, record.unknown, record.repeated), (2, 1, 1, 0));
    }
}
