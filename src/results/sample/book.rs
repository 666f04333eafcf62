//! Keeps books on single requests, so that a synthetic run holds what a real one would: counts, histograms and levels
//! that agree with each other.

use std::collections::BTreeMap;

use crate::measure::{
    Counts, ErrorClass, Latencies, Nanos, PackedHistogram, Period, Recording, SECOND, SeriesKey, SeriesRecord,
    SeriesRole, SeriesSecond, ServiceRecord, ServiceSecond, Span,
};

/// Outcome of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    Success { hits: u64, misses: u64 },
    Failed(ErrorClass),
    Unfinished,
}

/// One request, all instants counted from the start of the measured period.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub(crate) due: Nanos,
    /// Schedule lag.
    pub(crate) lag: Nanos,
    /// Wait for a connection, counted from the due instant.
    pub(crate) wait: Nanos,
    pub(crate) service: Nanos,
    pub(crate) end: End,
}

impl Request {
    /// A success without lag or wait.
    pub(crate) fn served(due: Nanos, service: Nanos) -> Self {
        Self { due, lag: 0, wait: 0, service, end: End::Success { hits: 0, misses: 0 } }
    }

    pub(crate) fn done(&self) -> Nanos {
        self.due + self.wait + self.service
    }
}

/// The books of one run.
#[derive(Debug)]
pub(crate) struct Book {
    seconds: u32,
    series: Vec<SeriesBook>,
    services: Vec<ServiceBook>,
}

#[derive(Debug)]
struct SeriesBook {
    service: usize,
    key: SeriesKey,
    commands: Vec<String>,
    expects_hits: bool,
    requests: Vec<Request>,
}

#[derive(Debug)]
struct ServiceBook {
    name: String,
    connections: u64,
    connect: Vec<Nanos>,
    lost: Vec<u32>,
    open: bool,
}

impl Book {
    /// Empty books over a measured period of a number of seconds.
    pub(crate) fn new(seconds: u32) -> Self {
        Self { seconds, series: Vec::new(), services: Vec::new() }
    }

    /// Opens the books of a service; `open` says whether its requests have due instants.
    pub(crate) fn service(&mut self, name: &str, connections: u64, open: bool) -> usize {
        let connect = (0..connections).map(|i| 300_000 + 17_000 * i).collect();
        self.services.push(ServiceBook { name: name.into(), connections, connect, lost: Vec::new(), open });
        self.services.len() - 1
    }

    /// Opens the books of a series; `read` says whether every key it reads was prefilled.
    pub(crate) fn series(&mut self, service: usize, operation: &str, role: SeriesRole, read: bool) -> usize {
        let key = SeriesKey { service: self.services[service].name.clone(), operation: operation.into(), role };
        let command = operation.rsplit(['/', '+']).next().unwrap_or_default().to_owned();
        let commands = vec![command];
        self.series.push(SeriesBook { service, key, commands, expects_hits: read, requests: Vec::new() });
        self.series.len() - 1
    }

    /// Names the commands of a series whose name is not that of its only command.
    pub(crate) fn commands(&mut self, series: usize, commands: &[&str]) {
        self.series[series].commands = commands.iter().map(|&command| command.to_owned()).collect();
    }

    /// Enters a request.
    pub(crate) fn enter(&mut self, series: usize, request: Request) {
        self.series[series].requests.push(request);
    }

    /// Enters the loss of a connection, which comes back in the same second.
    pub(crate) fn lose(&mut self, service: usize, second: u32) {
        self.services[service].lost.push(second);
    }

    /// Closes the books. Workers and host are left to the caller.
    pub(crate) fn close(&self) -> Recording {
        let measured_ns = u64::from(self.seconds) * SECOND;
        let period = Period {
            warmup_ns: 2 * SECOND,
            planned_ns: measured_ns,
            measured_ns,
            drain_ns: self.end() - measured_ns,
            interrupted: false,
        };
        let mut scratch = Latencies::default();
        Recording {
            period,
            series: self.series.iter().map(|book| book.close(&mut scratch)).collect(),
            nodes: Vec::new(),
            reads: Vec::new(),
            services: (0..self.services.len()).map(|service| self.close_service(service, &mut scratch)).collect(),
            workers: Vec::new(),
            host: Vec::new(),
        }
    }

    fn close_service(&self, index: usize, scratch: &mut Latencies) -> ServiceRecord {
        let book = &self.services[index];
        let requests = self.requests_of(index);
        let end = self.end();
        let seconds = end.div_ceil(SECOND) as u32;
        let silences = silences(&requests, end);
        ServiceRecord {
            name: book.name.clone(),
            connect: pack(scratch, &book.connect),
            handshake: None,
            connections: book.connections,
            parts: None,
            scheduled: requests.len() as u64,
            seconds: (0..seconds).map(|second| book.second(second, end, &requests, &silences, scratch)).collect(),
        }
    }

    /// When the last request was done, or the measured period over.
    fn end(&self) -> Nanos {
        let requests = self.series.iter().flat_map(|book| &book.requests);
        requests.map(Request::done).max().unwrap_or(0).max(u64::from(self.seconds) * SECOND)
    }

    fn requests_of(&self, service: usize) -> Vec<&Request> {
        self.series
            .iter()
            .filter(|series| series.service == service && series.key.role == SeriesRole::Operation)
            .flat_map(|series| &series.requests)
            .collect()
    }
}

/// Spans of 10 ms and more in which requests were under way and none was answered.
fn silences(requests: &[&Request], end: Nanos) -> Vec<Span> {
    let answered = |request: &Request| match request.end {
        End::Success { .. } => true,
        End::Failed(class) => class.is_reply(),
        End::Unfinished => false,
    };
    let done = |request: &Request| if matches!(request.end, End::Unfinished) { end } else { request.done() };
    // At one instant requests leave before others enter.
    let entered = requests.iter().map(|request| (request.due + request.lag, 1, false));
    let left = requests.iter().map(|request| (done(request), -1, answered(request)));
    let mut events: Vec<(Nanos, i64, bool)> = entered.chain(left).chain([(end, 0, true)]).collect();
    events.sort_unstable();
    let (mut in_system, mut since, mut failed, mut spans) = (0, 0, false, Vec::new());
    for (at, change, answer) in events {
        if change > 0 && in_system == 0 && !failed {
            since = at;
        }
        if answer {
            let silent = in_system > 0 || failed;
            spans.extend((silent && at - since >= SECOND / 100).then_some(Span { from_ns: since, to_ns: at }));
            (since, failed) = (at, false);
        }
        failed |= change < 0 && !answer;
        in_system += change;
    }
    spans
}

/// The parts of spans that lie within a second.
fn within(spans: &[Span], from: Nanos, to: Nanos) -> Vec<Span> {
    let part = |span: &Span| Span { from_ns: span.from_ns.max(from), to_ns: span.to_ns.min(to) };
    spans.iter().map(part).filter(|span| span.length() > 0).collect()
}

impl ServiceBook {
    fn second(
        &self,
        second: u32,
        end: Nanos,
        requests: &[&Request],
        silences: &[Span],
        scratch: &mut Latencies,
    ) -> ServiceSecond {
        let (from, to) = (u64::from(second) * SECOND, ((u64::from(second) + 1) * SECOND).min(end));
        let released = |request: &&&Request| (from..to).contains(&(request.due + request.lag));
        let mean_level = |since: fn(&Request) -> Nanos, until: fn(&Request) -> Nanos| {
            let overlap = |request: &&Request| until(request).min(to).saturating_sub(since(request).max(from));
            requests.iter().map(overlap).sum::<Nanos>() as f64 / (to - from) as f64
        };
        let waiting = |request: &&&Request| request.due < to && request.due + request.wait >= to;
        let lags: Vec<Nanos> =
            requests.iter().filter(released).filter(|_| self.open).map(|request| request.lag).collect();
        let lost = self.lost.iter().filter(|&&at| at == second).count() as u64;
        ServiceSecond {
            second,
            scheduled: requests.iter().filter(released).count() as u64,
            lag: pack(scratch, &lags),
            backlog: requests.iter().filter(waiting).count() as u64,
            in_system: mean_level(|request| request.due + request.lag, Request::done),
            waiting: mean_level(|request| request.due + request.lag, |request| request.due + request.wait),
            in_use: mean_level(|request| request.due + request.wait, Request::done),
            lost,
            recovered: lost,
            moved: 0,
            asked: 0,
            idle_checks: 0,
            silences: within(silences, from, to),
            unanswered: to == end && silences.last().is_some_and(|span| span.to_ns == end),
        }
    }
}

impl SeriesBook {
    fn close(&self, scratch: &mut Latencies) -> SeriesRecord {
        let mut by_second: BTreeMap<u32, Vec<&Request>> = BTreeMap::new();
        let finished = self.requests.iter().filter(|request| !matches!(request.end, End::Unfinished));
        for request in finished {
            by_second.entry((request.done() / SECOND) as u32).or_default().push(request);
        }
        let messages = self.requests.iter().filter_map(|request| match request.end {
            End::Failed(class) => Some((class, message(class).to_owned())),
            _ => None,
        });
        SeriesRecord {
            key: self.key.clone(),
            commands: self.commands.clone(),
            expects_hits: self.expects_hits,
            seconds: by_second.iter().map(|(second, requests)| close_second(*second, requests, scratch)).collect(),
            unfinished: self.requests.iter().filter(|request| matches!(request.end, End::Unfinished)).count() as u64,
            messages: messages.collect(),
        }
    }
}

fn close_second(second: u32, requests: &[&Request], scratch: &mut Latencies) -> SeriesSecond {
    let mut counts = Counts::default();
    let (mut response, mut service, mut wait, mut failed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for request in requests {
        counts.bytes_sent += 40;
        match request.end {
            End::Success { hits, misses } => {
                counts.completed += 1;
                counts.hits += hits;
                counts.misses += misses;
                counts.bytes_received += 5 + 256 * hits;
                response.push(request.wait + request.service);
                service.push(request.service);
                wait.push(request.wait);
            }
            End::Failed(class) => {
                *counts.errors.entry(class).or_default() += 1;
                failed.push(request.wait + request.service);
            }
            End::Unfinished => {}
        }
    }
    SeriesSecond {
        second,
        counts,
        response: pack(scratch, &response),
        service: pack(scratch, &service),
        wait: pack(scratch, &wait),
        failed: pack(scratch, &failed),
        served: None,
    }
}

fn pack(scratch: &mut Latencies, values: &[Nanos]) -> PackedHistogram {
    scratch.clear();
    for &value in values {
        scratch.record(value);
    }
    scratch.pack()
}

fn message(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::Timeout => "no reply within 1s",
        ErrorClass::Oom => "OOM command not allowed when used memory > 'maxmemory'.",
        ErrorClass::ConnectionLost => "connection reset by peer",
        _ => "refused",
    }
}
