//! Opening connections that read from replicas.

use std::{fmt, sync::Arc};

use super::{client::Reading, connection::ReadingConnection};
use crate::target::{Connector, Driver, Losses, TargetError};

/// Opens connections that read from replicas. Cheap to clone.
#[derive(Clone)]
pub struct ReadingConnector<D> {
    whole: D,
    connector: Connector,
}

impl<D: Reading> ReadingConnector<D> {
    /// Adds replicas to the connections of a driver; nothing where no service of the target reads from replicas.
    pub fn over(whole: D) -> Option<Self> {
        let connector = whole.connector().clone();
        connector.roster().is_some().then_some(Self { whole, connector })
    }
}

impl<D: Reading> Driver for ReadingConnector<D> {
    type Connection = ReadingConnection<D::Connection, D::Node>;

    async fn open(&self) -> Result<Self::Connection, TargetError> {
        let roster = Arc::clone(self.connector.roster().expect("there is no such connector without a roster"));
        ReadingConnection::open(self.whole.open().await?, self.connector.clone(), roster).await
    }

    fn losses(&self) -> Arc<Losses> {
        self.whole.losses()
    }
}

impl<D> fmt::Debug for ReadingConnector<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReadingConnector").field(&self.connector).finish()
    }
}
