//! Questions to a server in its own words, outside of the load.

use std::time::Duration;

use bytes::Bytes;
use fred::{
    clients::Client,
    error::{Error, ErrorKind},
    interfaces::ClientLike,
    types::{ClusterHash, CustomCommand, FromValue, Value},
};
use tokio::time::timeout;

/// Time that a step may take.
pub(super) const STEP_LIMIT: Duration = Duration::from_secs(60);

/// Time that closing a connection may take.
pub(super) const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// A command in the server's own words.
pub(super) async fn ask(client: &impl ClientLike, name: &'static str, words: Vec<Bytes>) -> Result<Value, Error> {
    let command = CustomCommand::new_static(name, ClusterHash::Random, false);
    timeout(STEP_LIMIT, client.custom(command, words)).await.unwrap_or_else(|_| Err(silent()))
}

/// A command in words that are known only now, its name first.
pub(super) async fn send(client: &impl ClientLike, line: Vec<Bytes>) -> Result<Value, Error> {
    let mut line = line.into_iter();
    let name = line.next().map(|name| String::from_utf8_lossy(&name).into_owned()).unwrap_or_default();
    let command = CustomCommand::new(name, ClusterHash::Random, false);
    timeout(STEP_LIMIT, client.custom(command, line.collect())).await.unwrap_or_else(|_| Err(silent()))
}

fn silent() -> Error {
    Error::new(ErrorKind::Timeout, "no answer")
}

/// The replies to a command on each of some keys, all sent together.
pub(super) async fn ask_of_each<T: FromValue>(
    client: &Client,
    name: &'static str,
    keys: &[Bytes],
) -> Result<Vec<T>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let pipeline = client.pipeline();
    for key in keys {
        // Nothing is sent before the end.
        ask(&pipeline, name, vec![key.clone()]).await?;
    }
    pipeline.all().await
}
