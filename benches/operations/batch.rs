//! One batch of requests of one operation, timed from its first request to its last reply; the data is put in order before
//! and after it, outside the time.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use plimsoll::{
    measure::{Clock, Nanos},
    operation::{Args, Kind, Reply, Request},
    scenario::{Action, Operation, Scenario},
    target::Connection,
    workload::RequestStream,
};
use tokio::task::JoinSet;

/// Elements that one command puts back.
const CHUNK: usize = 500;

/// One operation of the scenario.
pub(crate) struct Subject {
    /// Its name in the scenario.
    pub(crate) name: String,
    kind: Kind,
    /// Elements of the list, where it works on one.
    members: i64,
    place: u64,
    of: u64,
    stream: RequestStream,
    /// How many requests there were so far.
    asked: u64,
}

/// What a batch took.
pub(crate) struct Taken {
    /// From the first request to the last reply.
    pub(crate) whole: Duration,
    /// Each request, from being issued to its reply.
    pub(crate) each: Vec<Nanos>,
}

impl Subject {
    /// Every operation of the scenario's only service, which takes them in turns.
    pub(crate) fn all(scenario: &Scenario) -> Vec<Self> {
        let operations = &scenario.services[0].operations;
        let of = operations.len() as u64;
        let subject = |(place, operation): (u64, &Operation)| {
            let Action::Single(command) = &operation.action else { panic!("{} is one command", operation.name) };
            Self {
                name: operation.name.clone(),
                kind: command.kind,
                members: command.parameters.members as i64,
                place,
                of,
                stream: RequestStream::new(scenario, 0),
                asked: 0,
            }
        };
        (0..).zip(operations).map(subject).collect()
    }

    /// Every connection carries out `rounds` requests, one after another and without waiting for the others.
    ///
    /// # Panics
    /// Where a request fails or finds nothing, or a list has not its length again: what would be measured then is something else.
    pub(crate) async fn carry_out(&mut self, connections: &[Rc<Connection>], rounds: u64) -> Taken {
        let each: Vec<Vec<Request>> =
            connections.iter().map(|_| (0..rounds).map(|_| self.next_request()).collect()).collect();
        let requests = rounds as usize * connections.len();
        let key = each[0][0].key.clone();
        self.stock(&connections[0], &key, requests).await;

        let mut lines = JoinSet::new();
        let clock = Clock::start();
        let began = Instant::now();
        for (connection, requests) in connections.iter().zip(each) {
            lines.spawn_local(send(Rc::clone(connection), requests, clock, self.name.clone()));
        }
        let mut each = Vec::with_capacity(requests);
        while let Some(line) = lines.join_next().await {
            each.extend(line.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())));
        }
        let whole = began.elapsed();

        self.trim(&connections[0], &key).await;
        Taken { whole, each }
    }

    fn next_request(&mut self) -> Request {
        self.asked += 1;
        let request = self.stream.request(self.asked * self.of + self.place, 0);
        assert_eq!(request.kind, self.kind, "operations come in turns");
        request
    }

    /// Puts as many elements into the list as the batch will take.
    async fn stock(&self, connection: &Connection, list: &Bytes, mut elements: usize) {
        while matches!(self.kind, Kind::LPop | Kind::RPop) && elements > 0 {
            let values = vec![Bytes::from_static(&[b'v'; 64]); elements.min(CHUNK)];
            elements -= values.len();
            self.aside(connection, Kind::RPush, list, Args::Values(values)).await;
        }
    }

    /// Takes away what the batch has pushed, and sees that the list is as long as before.
    async fn trim(&self, connection: &Connection, list: &Bytes) {
        if matches!(self.kind, Kind::LPush | Kind::RPush) {
            self.aside(connection, Kind::LTrim, list, Args::Range(0, self.members - 1)).await;
        }
        if matches!(self.kind, Kind::LPush | Kind::RPush | Kind::LPop | Kind::RPop) {
            let length = self.aside(connection, Kind::LLen, list, Args::None).await.integer;
            assert_eq!(length, Some(self.members), "elements of the list after {}", self.name);
        }
    }

    /// Sends a command that is not measured.
    async fn aside(&self, connection: &Connection, kind: Kind, key: &Bytes, args: Args) -> Reply {
        let reply = connection.issue(Request::new(kind, key.clone(), args)).await;
        reply.unwrap_or_else(|failure| panic!("{} beside {}: {}", kind.spec().name, self.name, failure.message))
    }
}

/// Sends one request after another; gives the time of each.
async fn send(connection: Rc<Connection>, requests: Vec<Request>, clock: Clock, name: String) -> Vec<Nanos> {
    let mut taken = Vec::with_capacity(requests.len());
    for request in requests {
        let sent = clock.now();
        let reply = connection.issue(request).await;
        taken.push(clock.now() - sent);
        match reply {
            Ok(reply) => assert_eq!(reply.misses, 0, "{name} found nothing"),
            Err(failure) => panic!("{name} failed: {}", failure.message),
        }
    }
    taken
}
