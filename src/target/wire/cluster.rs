//! A connection to a cluster: one to each node, and requests go to the node that has their slot.
//!
//! A request that a node redirects is sent on to the node that it names: one request, whose time has the detour in it. A
//! command that was under way when a connection broke is not sent again.

use std::{cell::RefCell, fmt, ops::Add, rc::Rc, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::sync::Mutex;

use super::{
    connection::{Shared, Ticket, WireConnection},
    socket,
};
use crate::{
    measure::{ErrorClass, Failure},
    operation::{Args, Kind, Request},
    target::{
        Endpoint, TargetError,
        connector::Connector,
        driver::{Answer, Driver, DriverConnection, Losses, Redirection, Served},
        failure,
        guarded::{Guarded, UnderWay},
        link::REDIRECTIONS,
        slots::SlotTable,
    },
};

/// Opens connections of one service to a cluster. Cheap to clone.
#[derive(Clone)]
pub struct ClusterConnector {
    connector: Connector,
    slots: Arc<SlotTable>,
}

impl ClusterConnector {
    /// Opens connections to the same cluster, with the same login, as another; nothing where that is no cluster.
    pub(in crate::target) fn like(connector: Connector) -> Option<Self> {
        let slots = Arc::clone(connector.slots()?);
        Some(Self { connector, slots })
    }

    /// How its connections come about.
    pub(in crate::target) fn connector(&self) -> &Connector {
        &self.connector
    }
}

impl Driver for ClusterConnector {
    type Connection = ClusterConnection;

    async fn open(&self) -> Result<ClusterConnection, TargetError> {
        let connection = ClusterConnection {
            connector: self.connector.clone(),
            slots: Arc::clone(&self.slots),
            nodes: RefCell::default(),
            opening: Mutex::new(()),
        };
        for number in self.slots.owners() {
            connection.open(number).await?;
        }
        Ok(connection)
    }

    fn losses(&self) -> Arc<Losses> {
        self.connector.losses()
    }
}

impl fmt::Debug for ClusterConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClusterConnector").field(&self.connector).finish()
    }
}

/// A connection to each node of a cluster.
pub struct ClusterConnection {
    connector: Connector,
    slots: Arc<SlotTable>,
    /// By the number of the node.
    nodes: RefCell<Vec<Option<Rc<Node>>>>,
    opening: Mutex<()>,
}

struct Node {
    guarded: Rc<Guarded<WireConnection>>,
    endpoint: Endpoint,
}

impl Node {
    /// Sends a request. What comes before it is written together with it, so that no other request comes in between.
    fn send(&self, before: Option<&Request>, request: &Request) -> Sent {
        let connection = &self.guarded.connection;
        let before = before.and_then(|before| connection.send(before));
        Sent { before, ticket: connection.send(request), under_way: self.guarded.under_way() }
    }
}

/// A request that was sent.
struct Sent {
    before: Option<Ticket<Rc<Shared>>>,
    ticket: Option<Ticket<Rc<Shared>>>,
    under_way: UnderWay<WireConnection>,
}

impl Sent {
    async fn answered(self) -> Answer {
        if let Some(before) = self.before {
            before.await;
        }
        let answer = match self.ticket {
            Some(ticket) => ticket.await,
            None => Err(failure::lost()).into(),
        };
        self.under_way.end([&answer]);
        answer
    }
}

impl ClusterConnection {
    /// The node that a request belongs to, with its number; the outcome of the request where there is none.
    async fn of(&self, request: &Request) -> Result<(u16, Rc<Node>), Answer> {
        let number = self.number(request).ok_or_else(|| Answer::from(Err(nobody())))?;
        let lost = |failure| Answer { served: Served::By(number), ..Err(failure).into() };
        self.node(number).await.map(|node| (number, node)).map_err(lost)
    }

    fn number(&self, request: &Request) -> Option<u16> {
        match SlotTable::slot_of(&request.key) {
            // Any node will do.
            None => self.nodes.borrow().iter().position(Option::is_some).map(|number| number as u16),
            Some(slot) => self.slots.owner(slot),
        }
    }

    fn known(&self, number: u16) -> Option<Rc<Node>> {
        self.nodes.borrow().get(usize::from(number)).cloned().flatten()
    }

    /// The connection to a node, which is opened if there is none.
    async fn node(&self, number: u16) -> Result<Rc<Node>, Failure> {
        match self.known(number) {
            Some(node) => Ok(node),
            None => self
                .open(number)
                .await
                .map_err(|error| Failure { class: ErrorClass::ConnectionLost, message: error.to_string() }),
        }
    }

    async fn open(&self, number: u16) -> Result<Rc<Node>, TargetError> {
        let _turn = self.opening.lock().await;
        if let Some(node) = self.known(number) {
            return Ok(node);
        }
        let endpoint = self.slots.node(number).expect("a number is that of a node");
        let connector = self.connector.at(&endpoint);
        let (socket, handshake) = socket::open(&connector).await.map_err(|error| connector.explain(&error))?;
        let connection = WireConnection::new(connector, socket, handshake);
        let node = Rc::new(Node { guarded: Rc::new(Guarded::new(connection)), endpoint });
        let mut nodes = self.nodes.borrow_mut();
        if nodes.len() <= usize::from(number) {
            nodes.resize(usize::from(number) + 1, None);
        }
        nodes[usize::from(number)] = Some(Rc::clone(&node));
        Ok(node)
    }

    /// The outcome of a request that has been answered: follows redirections.
    async fn followed(&self, request: &Request, mut node: Rc<Node>, number: u16, mut answer: Answer) -> Answer {
        answer.served = Served::By(number);
        for _ in 0..REDIRECTIONS {
            let Err(failure) = &answer.result else { return answer };
            let Some((redirection, slot, endpoint)) = Redirection::of(failure, &node.endpoint) else {
                self.suspect(failure.class, &node);
                return answer;
            };
            self.connector.losses().redirect(redirection);
            let next = self.slots.number(&endpoint);
            if redirection == Redirection::Moved {
                self.slots.assign(slot, next);
                self.slots.doubt();
            }
            node = match self.node(next).await {
                Ok(node) => node,
                Err(failure) => return Answer { served: Served::Redirected, ..Err(failure).into() },
            };
            let asking = (redirection == Redirection::Ask).then(asking);
            let sent = node.send(asking.as_ref(), request);
            answer = Answer { served: Served::Redirected, ..sent.answered().await };
        }
        answer
    }

    /// Sees to a node that has refused a request, or whose connection is lost.
    fn suspect(&self, class: ErrorClass, node: &Node) {
        if matches!(class, ErrorClass::ConnectionLost | ErrorClass::Clusterdown | ErrorClass::Protocol) {
            self.slots.doubt();
        }
        node.guarded.recover();
    }
}

impl DriverConnection for ClusterConnection {
    /// Handshakes of all nodes together.
    fn handshake(&self) -> Option<Duration> {
        self.nodes
            .borrow()
            .iter()
            .flatten()
            .filter_map(|node| node.guarded.connection.handshake())
            .reduce(Duration::add)
    }

    fn serves(&self, request: &mut Request) -> Served {
        self.number(request).map_or(Served::Unknown, Served::By)
    }

    async fn issue(&self, request: Request) -> Answer {
        match self.of(&request).await {
            Ok((number, node)) => {
                let answer = node.send(None, &request).answered().await;
                self.followed(&request, node, number, answer).await
            }
            Err(answer) => answer,
        }
    }

    async fn issue_all(&self, requests: &mut Vec<Request>, answers: &mut Vec<Answer>) {
        let mut sent = Vec::with_capacity(requests.len());
        for request in requests.drain(..) {
            let node = self.of(&request).await.map(|(number, node)| (number, node.send(None, &request), node));
            sent.push((request, node));
        }
        for (request, node) in sent {
            answers.push(match node {
                Ok((number, sent, node)) => self.followed(&request, node, number, sent.answered().await).await,
                Err(answer) => answer,
            });
        }
    }

    /// The connection to a node that did not answer is seen to in the background, since the others can be used meanwhile.
    async fn recover(&self) {
        self.nodes.borrow().iter().flatten().for_each(|node| node.guarded.recover());
        self.slots.recover().await;
    }

    async fn close(&self) {
        let nodes: Vec<_> = self.nodes.take().into_iter().flatten().collect();
        for node in nodes {
            node.guarded.connection.close().await;
        }
    }
}

impl fmt::Debug for ClusterConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterConnection").field("connector", &self.connector).finish_non_exhaustive()
    }
}

fn asking() -> Request {
    Request::new(Kind::Raw, Bytes::new(), Args::Raw(vec![Bytes::from_static(b"ASKING")]))
}

/// The failure of a request whose slot no node has.
fn nobody() -> Failure {
    Failure { class: ErrorClass::Clusterdown, message: "CLUSTERDOWN no node is known for the hash slot".to_owned() }
}
