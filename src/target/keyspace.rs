//! Looking at what lies in the keyspace, over a connection like the observer's.

use fred::interfaces::ClientInterface;

use super::Target;
use crate::{
    results::{KeyspaceSample, Withheld},
    server::{self, SampleLimits},
};

impl Target {
    /// Reads a bounded sample of the server's keys. Failures are reported; `None` if the sample is empty.
    pub async fn sample_keyspace(&self, limits: SampleLimits) -> (Option<KeyspaceSample>, Vec<Withheld>) {
        match self.observer.connect().await {
            Ok((client, _router)) => {
                // For those who look at the server meanwhile; without the right to it, it goes without.
                let _ = client.client_setname(self.observer.client_name()).await;
                server::sample_keyspace(client, self.observer.database().into(), limits).await
            }
            Err(error) => {
                let withheld =
                    Withheld { what: "connection for looking at keys".to_owned(), reason: error.to_string() };
                (None, vec![withheld])
            }
        }
    }
}
