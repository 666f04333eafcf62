//! A connection that reads from replicas.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    fmt,
    future::poll_fn,
    mem,
    ops::Add,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use super::{
    batch::{Batch, Found, Got, Share, shares},
    client::NodeConnection,
    replicas::{Nodes, Replica},
};
use crate::{
    measure::{ErrorClass, Failure},
    operation::{Request, Route},
    scenario::ReadFrom,
    target::{
        Answer, Connector, DriverConnection, Served, TargetError,
        driver::Redirection,
        failure,
        guarded::Guarded,
        roster::{Replicas, Roster},
    },
};

/// A connection to the primary, or to a cluster, and one to each replica.
pub struct ReadingConnection<W, N> {
    /// The one that there is without replicas.
    whole: Rc<Guarded<W>>,
    nodes: Rc<Nodes<N>>,
    from: ReadFrom,
    /// The replicas of each primary, as of a version of the roster.
    replicas: RefCell<Arc<Replicas>>,
    version: Cell<u64>,
    /// Number of the next read of each primary's keys.
    turns: RefCell<BTreeMap<u16, usize>>,
    /// Where turns begin.
    first: usize,
}

impl<W: DriverConnection, N: NodeConnection> ReadingConnection<W, N> {
    pub(super) async fn open(whole: W, connector: Connector, roster: Arc<Roster>) -> Result<Self, TargetError> {
        let (version, from, first) = (Cell::new(roster.version()), connector.read_from(), roster.connection());
        let replicas = roster.replicas();
        let nodes = Rc::new(Nodes::new(connector, roster));
        if from != ReadFrom::Primary {
            for number in replicas.values().flatten() {
                nodes.connect(*number).await?;
            }
        }
        let (whole, replicas) = (Rc::new(Guarded::new(whole)), RefCell::new(replicas));
        Ok(Self { whole, nodes, from, replicas, version, turns: RefCell::default(), first })
    }

    fn is_cluster(&self) -> bool {
        self.nodes.roster.is_cluster()
    }

    /// The next node in turn for a request that several can serve; nothing where none of them can be used.
    fn chosen(&self, request: &Request) -> Option<Route> {
        let roster = &self.nodes.roster;
        let version = roster.version();
        if self.version.replace(version) != version {
            let replicas = roster.replicas();
            self.nodes.follow(&replicas);
            self.replicas.replace(replicas);
        }
        // A command without a key, or with one that nobody has, is the business of the primaries.
        let Some(primary) = roster.primary_of(request) else { return Some(Route::Primary) };
        let replicas = self.replicas.borrow();
        let replicas = replicas.get(&primary).map_or(&[][..], Vec::as_slice);
        let places = replicas.len() + usize::from(self.from == ReadFrom::Any);
        let mut turns = self.turns.borrow_mut();
        let turn = turns.entry(primary).or_insert(self.first);
        for _ in 0..places {
            let place = *turn % places;
            *turn = turn.wrapping_add(1);
            match replicas.get(place) {
                Some(number) if self.nodes.usable(*number).is_some() => return Some(Route::Replica(*number)),
                None if !self.whole.is_recovering() => return Some(Route::Primary),
                _ => {}
            }
        }
        None
    }

    /// Decides where a request goes.
    fn placed(&self, request: &mut Request) -> Served {
        if request.route == Route::Open {
            request.route = self.chosen(request).unwrap_or(Route::Open);
        }
        match request.route {
            Route::Replica(number) => Served::Replica(number),
            Route::Open => Served::Unknown,
            Route::Primary if self.is_cluster() => self.whole.connection.serves(request),
            Route::Primary => self.primary(),
        }
    }

    /// The primary as it is known; not of a cluster, which has several.
    fn primary(&self) -> Served {
        self.nodes.roster.primary().map_or(Served::Unknown, Served::By)
    }

    /// Completes answers of the connection that is to no replica. Outside a cluster it does not say who answered: the primary as it
    /// is known, if that is the same as when the requests were sent.
    fn complete<'a>(&self, answers: impl IntoIterator<Item = &'a mut Answer>, before: Served) {
        if self.is_cluster() {
            return;
        }
        let after = self.primary();
        for answer in answers {
            answer.served = if before == after || answer.result.is_err() { before } else { Served::Redirected };
        }
    }

    /// Completes the answer of a replica: a redirection leads to a primary.
    async fn followed(&self, replica: &Replica<N>, served: Served, answer: Answer, again: Option<Request>) -> Answer {
        let failure = answer.result.as_ref().err();
        let redirection = failure.and_then(|failure| Redirection::of(failure, &replica.endpoint));
        let (Some((redirection, slot, endpoint)), Some(request)) = (redirection, again) else {
            return Answer { served, ..answer };
        };
        self.nodes.connector.losses().redirect(redirection);
        let table = self.nodes.roster.table();
        if redirection == Redirection::Moved {
            table.assign(slot, table.number(&endpoint));
            table.doubt();
        }
        Answer { served: Served::Redirected, ..self.whole.connection.issue(request).await }
    }

    /// What is sent to a primary where a node of a cluster redirects a request.
    fn again(&self, request: &Request) -> Option<Request> {
        self.is_cluster().then(|| Request { route: Route::Primary, ..request.clone() })
    }

    /// Carries out requests that go to the same node.
    async fn together(&self, share: Share, found: &Found) {
        let Share { route, served, places, mut requests } = share;
        let mut got = Got { places, answers: Vec::new(), found };
        let usable = if let Route::Replica(number) = route { self.nodes.usable(number) } else { None };
        match (route, usable) {
            (Route::Primary, _) => {
                let under_way = self.whole.under_way();
                self.whole.connection.issue_all(&mut requests, &mut got.answers).await;
                under_way.end(&got.answers);
                self.complete(&mut got.answers, served);
            }
            (Route::Replica(_), Some(replica)) => {
                let again: Vec<_> = requests.iter().map(|request| self.again(request)).collect();
                let under_way = replica.guarded.under_way();
                replica.guarded.connection.issue_all(&mut requests, &mut got.answers).await;
                under_way.end(&got.answers);
                for (place, again) in again.into_iter().enumerate().take(got.answers.len()) {
                    let answer = mem::replace(&mut got.answers[place], Err(failure::lost()).into());
                    got.answers[place] = self.followed(&replica, served, answer, again).await;
                }
            }
            (Route::Replica(_), None) => got.answers.resize_with(requests.len(), || lost(served)),
            (Route::Open, _) => got.answers.resize_with(requests.len(), || Err(nobody()).into()),
        }
    }
}

impl<W: DriverConnection, N: NodeConnection> DriverConnection for ReadingConnection<W, N> {
    /// Handshakes with all nodes together.
    fn handshake(&self) -> Option<Duration> {
        let of_replicas = self.nodes.all().into_iter().filter_map(|replica| replica.guarded.connection.handshake());
        self.whole.connection.handshake().into_iter().chain(of_replicas).reduce(Duration::add)
    }

    fn serves(&self, request: &mut Request) -> Served {
        self.placed(request)
    }

    async fn issue(&self, mut request: Request) -> Answer {
        let served = self.placed(&mut request);
        match request.route {
            Route::Primary => {
                let under_way = self.whole.under_way();
                let mut answer = self.whole.connection.issue(request).await;
                under_way.end([&answer]);
                self.complete([&mut answer], served);
                answer
            }
            Route::Replica(number) => {
                let Some(replica) = self.nodes.usable(number) else { return lost(served) };
                let again = self.again(&request);
                let under_way = replica.guarded.under_way();
                let answer = replica.guarded.connection.issue(request).await;
                under_way.end([&answer]);
                self.followed(&replica, served, answer, again).await
            }
            Route::Open => Err(nobody()).into(),
        }
    }

    async fn issue_all(&self, requests: &mut Vec<Request>, answers: &mut Vec<Answer>) {
        let batch = Batch { found: RefCell::new(requests.iter().map(|_| None).collect()), answers };
        let shares = shares(requests.drain(..).map(|mut request| {
            let served = self.placed(&mut request);
            (request, served)
        }));
        let together =
            |share| -> Pin<Box<dyn Future<Output = ()> + '_>> { Box::pin(self.together(share, &batch.found)) };
        let mut running: Vec<_> = shares.into_iter().map(together).collect();
        poll_fn(|context| {
            running.retain_mut(|share| share.as_mut().poll(context).is_pending());
            if running.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// The other nodes can be used meanwhile, so this waits no longer than it takes to not ask without rest.
    async fn recover(&self) {
        self.nodes.all().iter().for_each(|replica| replica.guarded.recover());
        if self.is_cluster() {
            self.whole.connection.recover().await;
        } else {
            self.whole.recover();
            self.nodes.roster.table().recover().await;
        }
    }

    async fn close(&self) {
        for replica in self.nodes.all() {
            replica.guarded.connection.close().await;
        }
        self.whole.connection.close().await;
    }
}

impl<W, N> fmt::Debug for ReadingConnection<W, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadingConnection").field("from", &self.from).finish_non_exhaustive()
    }
}

/// The outcome of a request to a replica whose connection is lost.
fn lost(served: Served) -> Answer {
    Answer { served, ..Err(failure::lost()).into() }
}

/// The failure of a read that no node can serve.
fn nobody() -> Failure {
    Failure { class: ErrorClass::ConnectionLost, message: "no replica can be reached".to_owned() }
}
