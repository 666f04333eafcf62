//! Looking at what lies in the keyspace, over a connection like the observer's.

use super::Target;
use crate::{
    results::{KeyspaceSample, Withheld},
    server::{self, SampleLimits},
};

impl Target {
    /// Reads a bounded sample of the server's keys. Failures are reported; `None` if the sample is empty.
    pub async fn sample_keyspace(&self, limits: SampleLimits) -> (Option<KeyspaceSample>, Vec<Withheld>) {
        match self.observer.connect_by_name().await {
            Ok((client, _router)) => server::sample_keyspace(client, self.observer.database().into(), limits).await,
            Err(error) => {
                let withheld =
                    Withheld { what: "connection for looking at keys".to_owned(), reason: error.to_string() };
                (None, vec![withheld])
            }
        }
    }
}
