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

/// A command in the server's own words.
pub(super) async fn ask(client: &impl ClientLike, name: &'static str, words: Vec<Bytes>) -> Result<Value, Error> {
    let command = CustomCommand::new_static(name, ClusterHash::Random, false);
    let silent = |_| Err(Error::new(ErrorKind::Timeout, "no answer"));
    timeout(STEP_LIMIT, client.custom(command, words)).await.unwrap_or_else(silent)
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
