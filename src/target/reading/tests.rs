//! Which node a request goes to, without a server.

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use tokio::{runtime::Builder, task::LocalSet};

use super::{client::NodeConnection, connection::ReadingConnection};
use crate::{
    measure::ErrorClass,
    operation::{Args, Kind, Reply, Request, Route},
    scenario::{Protocol, ReadFrom},
    target::{
        Answer, Connector, DriverConnection, Endpoint, Scheme, Served, TargetError, TargetUrl,
        login::{Access, Login},
        roster::Roster,
        slots::SlotTable,
    },
};

thread_local! {
    /// Addresses of nodes that are lost.
    static LOST: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// A node that answers every request with its own port.
struct Node {
    address: String,
    closed: Cell<bool>,
}

impl Node {
    fn new(connector: &Connector) -> Self {
        Self { address: connector.site().to_string(), closed: Cell::default() }
    }
}

impl NodeConnection for Node {
    async fn connect(connector: &Connector) -> Result<Self, TargetError> {
        Ok(Self::new(connector))
    }

    fn is_lost(&self) -> bool {
        LOST.with_borrow(|lost| lost.contains(&self.address))
    }
}

impl DriverConnection for Node {
    fn handshake(&self) -> Option<Duration> {
        None
    }

    async fn issue(&self, _: Request) -> Answer {
        let port = self.address.rsplit_once(':').unwrap().1.parse().unwrap();
        Ok(Reply { integer: Some(port), ..Reply::default() }).into()
    }

    async fn issue_all(&self, requests: &mut Vec<Request>, answers: &mut Vec<Answer>) {
        for request in requests.drain(..) {
            answers.push(self.issue(request).await);
        }
    }

    async fn recover(&self) {}

    async fn close(&self) {
        self.closed.set(true);
    }
}

fn endpoint(port: u16) -> Endpoint {
    Endpoint::Tcp { host: "n".to_owned(), port, scheme: Scheme::REDIS }
}

/// A connection to the primary 1 with the replicas 2 and 3, of which the numbers are one less.
async fn connection(from: ReadFrom) -> (ReadingConnection<Node, Node>, Arc<Roster>) {
    let nodes = [1, 2, 3].map(endpoint);
    let roster = Arc::new(Roster::new(Arc::new(SlotTable::new(nodes.to_vec())), false));
    roster.note(Some(&nodes[0]), [(&nodes[1], &nodes[0]), (&nodes[2], &nodes[0])]);
    let (service, login, protocol) = ("test".to_owned(), Login::default(), Protocol::Resp2);
    let access = Access { service, login, database: 0, protocol, read_from: from };
    let connector = Connector::new(&TargetUrl::of(endpoint(1)).site, None, access).reading_by(Arc::clone(&roster));
    let whole = Node::new(&connector);
    (ReadingConnection::open(whole, connector, Arc::clone(&roster)).await.unwrap(), roster)
}

fn request(route: Route) -> Request {
    Request { route, ..Request::new(Kind::Get, Bytes::from_static(b"key"), Args::None) }
}

/// Numbers of the nodes that serve some reads, as they are said to and as they do.
async fn served(connection: &ReadingConnection<Node, Node>, count: usize) -> Vec<Served> {
    let mut all = Vec::new();
    for _ in 0..count {
        let mut read = request(Route::Open);
        let said = connection.serves(&mut read);
        let answer = connection.issue(read).await;
        assert_eq!(answer.served, said);
        if let (Served::By(number) | Served::Replica(number), Ok(reply)) = (said, &answer.result) {
            assert_eq!(reply.integer, Some(i64::from(number) + 1), "the node that is named answers");
        }
        all.push(said);
    }
    all
}

fn run(test: impl Future<Output = ()>) {
    LocalSet::new().block_on(&Builder::new_current_thread().enable_all().build().unwrap(), test);
}

#[test]
fn reads_take_turns_and_all_else_goes_to_the_primary() {
    run(async {
        let (two, three) = (Served::Replica(1), Served::Replica(2));
        let (connection, _) = connection(ReadFrom::Replica).await;
        assert_eq!(served(&connection, 4).await, [two, three, two, three]);
        assert_eq!(connection.issue(request(Route::Primary)).await.served, Served::By(0));
        let (connection, _) = self::connection(ReadFrom::Any).await;
        assert_eq!(served(&connection, 4).await, [two, three, Served::By(0), two]);
        let mut batch: Vec<_> = [Route::Open, Route::Primary, Route::Open, Route::Open].map(request).into();
        let mut answers = Vec::new();
        connection.issue_all(&mut batch, &mut answers).await;
        let ports: Vec<_> = answers.iter().map(|answer| answer.result.as_ref().unwrap().integer.unwrap()).collect();
        assert_eq!(ports, [3, 1, 1, 2], "in the order of the requests");
    });
}

#[test]
fn a_lost_replica_is_left_out_and_the_primary_never_stands_in_for_replicas() {
    run(async {
        let (connection, _) = connection(ReadFrom::Replica).await;
        LOST.with_borrow_mut(|lost| lost.push("redis://n:2".to_owned()));
        assert_eq!(served(&connection, 3).await, [Served::Replica(2); 3]);
        LOST.with_borrow_mut(|lost| lost.push("redis://n:3".to_owned()));
        let answer = connection.issue(request(Route::Open)).await;
        assert_eq!((answer.served, answer.result.unwrap_err().class), (Served::Unknown, ErrorClass::ConnectionLost));
        let (connection, _) = self::connection(ReadFrom::Any).await;
        assert_eq!(served(&connection, 2).await, [Served::By(0); 2]);
        LOST.take();
        assert_eq!(served(&connection, 2).await.len(), 2);
    });
}

#[test]
fn a_failover_moves_the_reads() {
    run(async {
        let (connection, roster) = connection(ReadFrom::Replica).await;
        served(&connection, 2).await;
        roster.note(Some(&endpoint(2)), [(&endpoint(3), &endpoint(2)), (&endpoint(1), &endpoint(2))]);
        assert_eq!(served(&connection, 2).await, [Served::Replica(2); 2], "the former primary is not connected yet");
        tokio::task::yield_now().await;
        let both = served(&connection, 4).await;
        assert!(both.contains(&Served::Replica(0)) && !both.contains(&Served::Replica(1)), "{both:?}");
    });
}
