//! A connection to the server: the measured path.

use std::{fmt, sync::Arc, time::Duration};

use fred::{
    clients::{Client, Pipeline, WithOptions},
    interfaces::{ClientInterface, ClientLike, EventInterface},
    types::{Value, config::Options},
};
use tokio::{sync::broadcast::error::RecvError, task::AbortHandle, time::timeout};

use super::issue;
use crate::{
    measure::{ErrorClass, Failure},
    operation::{Reply, Request},
    target::{
        driver::{Answer, DriverConnection, Losses},
        failure,
        link::{Link, PATIENCE},
        reply::{Expectation, Shape, digits},
    },
};

/// Time that giving a connection its name may take.
const NAMING_LIMIT: Duration = Duration::from_secs(1);

/// Time that a connection has to say goodbye.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// A connection of one service. Clones share it. When the last one is dropped, it is closed without a goodbye.
#[derive(Clone)]
pub struct Connection {
    shared: Arc<Shared>,
}

struct Shared {
    /// Fails what is issued while there is no connection, instead of keeping it for later.
    client: WithOptions<Client>,
    link: Arc<Link>,
    attendant: AbortHandle,
    router: Router,
}

/// The task that drives a client; it ends, and its socket is closed, when this is dropped.
#[derive(Debug)]
pub(in crate::target) struct Router(pub(in crate::target) AbortHandle);

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
    pub(in crate::target) async fn new(client: Client, router: Router, name: &str, losses: Arc<Losses>) -> Self {
        let link = Arc::new(Link::new(losses));
        let attendant = tokio::spawn(attend(client.clone(), name.to_owned(), link.clone())).abort_handle();
        let options = Options { fail_fast: true, max_attempts: Some(1), ..Options::default() };
        let connection =
            Self { shared: Arc::new(Shared { client: client.with_options(&options), link, attendant, router }) };
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
        if self.shared.link.is_lost() {
            return Err(failure::lost());
        }
        let expectation = Expectation::of(&request);
        match issue::issue(&self.shared.client, request).await {
            Ok(value) => Ok(expectation.reply(shape(&value), size(&value))),
            Err(error) => Err(failure::of_request(&error)),
        }
    }

    /// Sends requests together, as a pipeline of fred, which hands out all replies when the last has come.
    async fn issue_all(&self, requests: &mut Vec<Request>, answers: &mut Vec<Answer>) {
        let count = answers.len() + requests.len();
        let mut failed = Vec::new();
        if !self.shared.link.is_lost() {
            let pipeline = Pipeline::from(self.shared.client.clone());
            let mut expectations = Vec::with_capacity(requests.len());
            for request in requests.drain(..) {
                expectations.push(Expectation::of(&request));
                // Nothing is sent before the end.
                if let Err(error) = issue::issue(&pipeline, request).await {
                    failed.push((expectations.len() - 1, error));
                }
            }
            let mut values = pipeline.try_all::<Value>().await.into_iter();
            let mut failed = failed.into_iter().peekable();
            for (position, expectation) in expectations.into_iter().enumerate() {
                let value = match failed.next_if(|(at, _)| *at == position) {
                    Some((_, error)) => Some(Err(error)),
                    None => values.next(),
                };
                let result = match value {
                    Some(Ok(value)) => Ok(expectation.reply(shape(&value), size(&value))),
                    Some(Err(error)) => Err(failure::of_request(&error)),
                    None => break,
                };
                answers.push(Answer { result, received: None });
            }
        }
        // A connection that breaks ends them all with one error.
        answers.resize_with(count, || Answer { result: Err(failure::lost()), received: None });
    }

    /// Returns when the connection answers again, after a timeout or a loss. Waits as long as that takes, for ever if the
    /// connection was closed; drop the future to stop.
    pub async fn recover(&self) {
        let Shared { client, link, .. } = &*self.shared;
        // Goes on by itself if it takes longer.
        let reconnect = async || matches!(timeout(PATIENCE, client.force_reconnection()).await, Ok(Ok(())));
        link.recover(async || self.answers().await, reconnect).await;
    }

    /// Whether the server replies, be it with an error such as LOADING.
    async fn answers(&self) -> bool {
        match self.shared.client.ping::<()>(None).await {
            Ok(()) => true,
            Err(error) => failure::of_request(&error).class != ErrorClass::ConnectionLost,
        }
    }

    /// Says goodbye and closes the connection, also for its clones; takes a second at most.
    pub async fn close(&self) {
        self.shared.link.lose();
        self.shared.attendant.abort();
        // Without the options: they would forbid a last word to a connection that is being closed.
        let client: &Client = &self.shared.client;
        let _ = timeout(CLOSE_LIMIT, client.quit()).await;
        self.shared.router.end();
    }
}

impl DriverConnection for Connection {
    async fn issue(&self, request: Request) -> Answer {
        Answer { result: Self::issue(self, request).await, received: None }
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

impl Drop for Shared {
    fn drop(&mut self) {
        self.attendant.abort();
    }
}

/// Notes losses at once (fred itself keeps commands until its first attempt to reconnect has failed) and gives each new
/// connection its name.
async fn attend(client: Client, name: String, link: Arc<Link>) {
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
        Value::Array(elements) => Shape::Array {
            elements: elements.len() as u64,
            nulls: elements.iter().filter(|element| element.is_null()).count() as u64,
        },
        Value::Map(pairs) => Shape::Array { elements: pairs.len() as u64, nulls: 0 },
        Value::String(_) | Value::Bytes(_) | Value::Double(_) | Value::Boolean(_) => Shape::Text,
    }
}

/// Payload in bytes: strings as they are, numbers as their digits.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Integer(number) => digits(*number),
        Value::Double(_) => size_of::<f64>(),
        Value::Boolean(_) => 1,
        Value::Null | Value::Queued => 0,
        Value::Array(elements) => elements.iter().map(size).sum(),
        Value::Map(pairs) => pairs.iter().map(|(key, value)| key.as_bytes().len() + size(value)).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_payloads() {
        let nested = Value::Array(vec![Value::from("four"), Value::Null, Value::Array(vec![Value::Integer(0)])]);
        assert_eq!(size(&nested), 5);
        assert_eq!(shape(&nested), Shape::Array { elements: 3, nulls: 1 });
    }
}
