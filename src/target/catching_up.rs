//! Waiting until replicas that are read from have what was written before the load.

use std::time::Duration;

use bytes::Bytes;
use fred::clients::Client;
use tokio::time::{Instant, sleep};

use super::{
    Connector, Endpoint, Target, TargetError,
    ask::{STEP_LIMIT, ask},
};

/// Pause between two questions to a replica.
const PAUSE: Duration = Duration::from_millis(20);

impl Target {
    /// Returns when the replicas have what their primaries had written by the time that this began.
    pub(super) async fn replicated(&self) -> Result<(), TargetError> {
        let Some(roster) = self.connectors.iter().find_map(Connector::roster) else { return Ok(()) };
        let deadline = Instant::now() + STEP_LIMIT;
        for (primary, replicas) in &*roster.replicas() {
            let Some(primary) = roster.node(*primary) else { continue };
            let written = offset(&self.client_at(&primary).await?.0, "master_repl_offset").await.unwrap_or_default();
            for replica in replicas.iter().filter_map(|number| roster.node(*number)) {
                let (client, _router) = self.client_at(&replica).await?;
                while let Some(applied) =
                    offset(&client, "slave_repl_offset").await.filter(|applied| *applied < written)
                {
                    if Instant::now() >= deadline {
                        let (replica, lacking) = (replica.to_string(), written - applied);
                        return Err(TargetError::ReplicaBehind { replica, lacking, limit: STEP_LIMIT });
                    }
                    sleep(PAUSE).await;
                }
            }
        }
        Ok(())
    }

    async fn client_at(&self, node: &Endpoint) -> Result<(Client, super::fred::Router), TargetError> {
        self.observer.at(node).connect().await
    }
}

/// A number that a node reports of its replication; nothing where it does not, or may not be asked.
async fn offset(client: &Client, field: &str) -> Option<u64> {
    let reply = ask(client, "INFO", vec![Bytes::from_static(b"replication")]).await.ok()?.into_string()?;
    let line = reply.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line?.parse().ok()
}
