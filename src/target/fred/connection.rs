//! A connection to the server: the measured path.

use std::{
    cell::RefCell,
    fmt,
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use fred::{
    clients::{Client, WithOptions},
    interfaces::{ClientInterface, ClientLike, EventInterface},
    types::{Value, config::Options},
};
use tokio::{sync::broadcast::error::RecvError, task::AbortHandle, time::timeout};

use super::issue;
use crate::{
    measure::{ErrorClass, Failure},
    operation::{Reply, Request},
    target::{
        ask::ask,
        driver::{Answer, DriverConnection, Losses, Served},
        failure,
        link::{Link, TIMEOUT},
        reply::{Expectation, Shape, digits},
        roster::READONLY,
        slots::SlotTable,
    },
};

/// Time that giving a connection its name may take.
const NAMING_LIMIT: Duration = Duration::from_secs(1);

/// Time that a connection has to say goodbye.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// A connection of one service. When it is dropped, it is closed without a goodbye.
pub struct Connection {
    shared: Rc<Shared>,
    attendant: AbortHandle,
    router: Router,
    handshake: Option<Duration>,
    /// Places for requests that are sent together.
    places: RefCell<Vec<Place>>,
}

struct Shared {
    /// Fails what is issued while there is no connection, instead of keeping it for later.
    client: WithOptions<Client>,
    link: Arc<Link>,
    /// Which node of a cluster has which slots.
    slots: Option<Arc<SlotTable>>,
}

/// The task that drives a client; it ends, and its socket is closed, when this is dropped.
#[derive(Debug)]
pub(in crate::target) struct Router(pub(in crate::target) AbortHandle);

/// A client that is connected and logged in.
pub(in crate::target) struct Opened {
    pub(in crate::target) client: Client,
    pub(in crate::target) router: Router,
    /// Time of its TLS handshake.
    pub(in crate::target) handshake: Option<Duration>,
}

impl Router {
    pub(super) fn end(&self) {
        self.0.abort();
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.end();
    }
}

impl Connection {
    pub(in crate::target) async fn new(
        opened: Opened,
        name: &str,
        losses: Arc<Losses>,
        slots: Option<Arc<SlotTable>>,
        is_readonly: bool,
    ) -> Self {
        let Opened { client, router, handshake } = opened;
        let link = Arc::new(if slots.is_some() { Link::of_many(losses) } else { Link::new(losses) });
        let attendance = attend(client.clone(), name.to_owned(), link.clone(), is_readonly);
        let attendant = tokio::spawn(attendance).abort_handle();
        let max_attempts = Some(client.connection_config().max_command_attempts);
        let options = Options { fail_fast: true, max_attempts, ..Options::default() };
        let shared = Rc::new(Shared { client: client.with_options(&options), link, slots });
        let connection = Self { shared, attendant, router, handshake, places: RefCell::default() };
        // A user without the right to give names does without.
        let _ = timeout(NAMING_LIMIT, client.client_setname(name)).await;
        connection
    }

    /// Sends a request and waits for its reply, without a limit of time.
    ///
    /// Dropping the future gives the request up: its reply, should it still come, is thrown away. Replies stay in step
    /// with requests, but the next one queues behind it; [`Connection::recover`] waits until it is gone.
    #[inline]
    pub async fn issue(&self, request: Request) -> Result<Reply, Failure> {
        self.shared.issue(request).await
    }

    /// Sends requests together: fred writes what it is given in one turn at once. Its own pipeline is slower, since it copies
    /// every command.
    async fn issue_all(&self, requests: &mut Vec<Request>, answers: &mut Vec<Answer>) {
        let count = requests.len();
        let mut places = self.places.take();
        if places.len() < count {
            places.resize_with(count, || Place::new(Rc::clone(&self.shared)));
        }
        for (place, request) in places.iter().zip(requests.drain(..)) {
            *place.exchange.borrow_mut() = Exchange::Asked(request);
        }
        Batch { connection: self, places, count, answers }.await;
    }

    /// Returns when the connection answers again, after a timeout or a loss. Waits as long as that takes, for ever if the
    /// connection was closed; drop the future to stop.
    pub async fn recover(&self) {
        let Shared { client, link, slots } = &*self.shared;
        if let Some(slots) = slots {
            return slots.recover().await;
        }
        // Goes on by itself if it takes longer.
        let reconnect = async || matches!(timeout(TIMEOUT, client.force_reconnection()).await, Ok(Ok(())));
        link.recover(async || self.answers().await, reconnect).await;
    }

    /// Whether the server replies, be it with an error such as LOADING.
    async fn answers(&self) -> bool {
        match self.shared.client.ping::<()>(None).await {
            Ok(()) => true,
            Err(error) => failure::of_request(&error).class != ErrorClass::ConnectionLost,
        }
    }

    /// Whether there is no connection at the moment.
    pub(in crate::target) fn is_lost(&self) -> bool {
        self.shared.link.is_lost()
    }

    /// Says goodbye and closes the connection; takes a second at most.
    pub async fn close(&self) {
        self.shared.link.lose();
        self.attendant.abort();
        // Without the options: they would forbid a last word to a connection that is being closed.
        let client: &Client = &self.shared.client;
        let _ = timeout(CLOSE_LIMIT, client.quit()).await;
        self.router.end();
    }
}

impl DriverConnection for Connection {
    fn handshake(&self) -> Option<Duration> {
        self.handshake
    }

    fn serves(&self, request: &mut Request) -> Served {
        self.shared.owner(request).map_or(Served::Unknown, Served::By)
    }

    async fn issue(&self, request: Request) -> Answer {
        self.shared.served(request).await
    }

    fn issue_all(&self, requests: &mut Vec<Request>, answers: &mut Vec<Answer>) -> impl Future<Output = ()> {
        Self::issue_all(self, requests, answers)
    }

    fn recover(&self) -> impl Future<Output = ()> {
        Self::recover(self)
    }

    fn close(&self) -> impl Future<Output = ()> {
        Self::close(self)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("lost", &self.shared.link.is_lost()).finish_non_exhaustive()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.attendant.abort();
    }
}

impl Shared {
    /// Number of the node that has the slot of a request's key.
    #[inline]
    fn owner(&self, request: &Request) -> Option<u16> {
        let slots = self.slots.as_ref()?;
        slots.owner(SlotTable::slot_of(&request.key)?)
    }

    /// The outcome, with the node: fred does not say which one it was, so it is the one that has the slot, if that is the same
    /// before and after.
    #[inline]
    async fn served(&self, request: Request) -> Answer {
        let Some(slots) = &self.slots else { return self.issue(request).await.into() };
        let slot = SlotTable::slot_of(&request.key);
        let owner = || slot.and_then(|slot| slots.owner(slot));
        let before = owner();
        let result = self.issue(request).await;
        let served = match (before, owner()) {
            (Some(before), Some(after)) if before == after => Served::By(before),
            (None, None) => Served::Unknown,
            _ => Served::Redirected,
        };
        Answer { served, ..result.into() }
    }

    #[inline]
    async fn issue(&self, request: Request) -> Result<Reply, Failure> {
        if self.link.is_lost() {
            return Err(failure::lost());
        }
        let expectation = Expectation::of(&request);
        match issue::issue(&self.client, request).await {
            Ok(value) => Ok(expectation.reply(shape(&value), size(&value))),
            Err(error) => Err(failure::of_request(&error)),
        }
    }
}

/// Place of one of several requests that are sent together. It is used for one request after another: fred's future for a
/// request takes 7 KB, which is neither moved nor allocated here for each.
struct Place {
    work: Pin<Box<dyn Future<Output = ()>>>,
    exchange: Rc<RefCell<Exchange>>,
}

#[derive(Default)]
enum Exchange {
    #[default]
    Idle,
    Asked(Request),
    Waiting,
    Answered(Answer),
}

impl Place {
    fn new(shared: Rc<Shared>) -> Self {
        let exchange = Rc::new(RefCell::default());
        let work = Box::pin(work(shared, Rc::clone(&exchange)));
        Self { work, exchange }
    }

    /// Lets the request go on, and shows whether it has its answer.
    fn is_answered(&mut self, context: &mut Context<'_>) -> bool {
        if !matches!(*self.exchange.borrow(), Exchange::Answered(_)) {
            // It has no end.
            let _ = self.work.as_mut().poll(context);
        }
        matches!(*self.exchange.borrow(), Exchange::Answered(_))
    }
}

/// Carries out what is asked for, one request after another.
async fn work(shared: Rc<Shared>, exchange: Rc<RefCell<Exchange>>) {
    let asked = || match exchange.replace(Exchange::Waiting) {
        Exchange::Asked(request) => Poll::Ready(request),
        other => {
            exchange.replace(other);
            Poll::Pending
        }
    };
    loop {
        let request = poll_fn(|_| asked()).await;
        let answer = shared.served(request).await;
        exchange.replace(Exchange::Answered(Answer { received: Some(Instant::now()), ..answer }));
    }
}

/// Requests that were sent together. Dropped before the last reply, it keeps the replies that have come and gives the others up.
struct Batch<'a> {
    connection: &'a Connection,
    /// The first `count` of them have a request.
    places: Vec<Place>,
    count: usize,
    answers: &'a mut Vec<Answer>,
}

impl Future for Batch<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let count = self.count;
        let mut all = true;
        for place in &mut self.places[..count] {
            all &= place.is_answered(context);
        }
        if all { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let mut answered = 0;
        for place in &self.places[..self.count] {
            // Answers are distinguished by their order.
            let Exchange::Answered(answer) = place.exchange.take() else { break };
            self.answers.push(answer);
            answered += 1;
        }
        // A request that was given up ends with its place.
        self.places.drain(answered..self.count);
        self.connection.places.replace(std::mem::take(&mut self.places));
    }
}

/// Notes losses at once (fred itself keeps commands until its first attempt to reconnect has failed) and gives each new
/// connection its name, and before that the permission to read from a replica if it needs one.
async fn attend(client: Client, name: String, link: Arc<Link>, is_readonly: bool) {
    let (mut errors, mut reconnections) = (client.error_rx(), client.reconnect_rx());
    loop {
        tokio::select! {
            biased;
            error = errors.recv() => match error {
                // Errors without a server are failed attempts.
                Ok((_, Some(_))) | Err(RecvError::Lagged(_)) => link.lose(),
                Ok((_, None)) => {}
                Err(RecvError::Closed) => return,
            },
            server = reconnections.recv() => match server {
                Ok(_) | Err(RecvError::Lagged(_)) => {
                    if is_readonly {
                        let _ = Box::pin(timeout(NAMING_LIMIT, ask(&client, READONLY, Vec::new()))).await;
                    }
                    link.find();
                    // fred's futures take 7 KB, and there may be ten thousand of this task.
                    let naming = Box::pin(client.client_setname(name.as_str()));
                    let _ = timeout(NAMING_LIMIT, naming).await;
                }
                Err(RecvError::Closed) => return,
            },
        }
    }
}

/// Form of a value.
fn shape(value: &Value) -> Shape {
    match value {
        Value::Null => Shape::Null,
        Value::Queued => Shape::Queued,
        Value::Integer(number) => Shape::Integer(*number),
        Value::Boolean(is_true) => Shape::Integer(i64::from(*is_true)),
        Value::Array(elements) => Shape::Array {
            elements: elements.len() as u64,
            nulls: elements.iter().filter(|element| element.is_null()).count() as u64,
            positive: elements.iter().any(is_positive),
        },
        Value::Map(pairs) => Shape::Array {
            elements: 2 * pairs.len() as u64,
            nulls: pairs.iter().filter(|(_, value)| value.is_null()).count() as u64,
            positive: pairs.iter().any(|(_, value)| is_positive(value)),
        },
        Value::String(_) | Value::Bytes(_) | Value::Double(_) => Shape::Text,
    }
}

/// Whether a value is an integer above 0, or true.
fn is_positive(value: &Value) -> bool {
    matches!(value, Value::Integer(1..) | Value::Boolean(true))
}

/// Payload in bytes: strings as they are, numbers as their digits.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Integer(number) => digits(*number),
        Value::Double(number) => written(*number),
        Value::Boolean(_) => 1,
        Value::Null | Value::Queued => 0,
        Value::Array(elements) => elements.iter().map(size).sum(),
        Value::Map(pairs) => pairs.iter().map(|(key, value)| key.as_bytes().len() + size(value)).sum(),
    }
}

/// Length of a number as text, without the text: the shortest that reads as the same number.
fn written(number: f64) -> usize {
    struct Length(usize);
    impl fmt::Write for Length {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 += text.len();
            Ok(())
        }
    }
    let mut length = Length(0);
    // Counting does not fail.
    let _ = fmt::write(&mut length, format_args!("{number}"));
    length.0
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn sizes_are_those_of_payloads() {
        let nested = Value::Array(vec![Value::from("four"), Value::Null, Value::Array(vec![Value::Integer(0)])]);
        assert_eq!(size(&nested), 5);
        assert_eq!(shape(&nested), Shape::Array { elements: 3, nulls: 1, positive: false });
        let numbers = [3.0, -0.5, 1e16, f64::INFINITY].map(|number| size(&Value::Double(number)));
        assert_eq!(numbers, [1, 4, 17, 3]);
        let pair = Value::Map(HashMap::from([("key", true)]).try_into().unwrap());
        assert_eq!((size(&pair), shape(&pair)), (4, Shape::Array { elements: 2, nulls: 0, positive: true }));
        assert_eq!(shape(&Value::Boolean(true)), Shape::Integer(1));
    }
}
