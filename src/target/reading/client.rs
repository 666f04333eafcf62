//! What reading from replicas needs of a client: connections to single nodes.

use crate::target::{
    Connection, Connector, Driver, DriverConnection, TargetError, WireConnection, WireConnector, wire::ClusterConnector,
};

/// A client that can read from replicas.
pub trait Reading: Driver {
    /// Its connection to one node.
    type Node: NodeConnection;

    /// How its connections come about.
    fn connector(&self) -> &Connector;
}

/// A connection to one node.
pub trait NodeConnection: DriverConnection + Sized {
    /// Opens a connection to the only server that the connector names.
    fn connect(connector: &Connector) -> impl Future<Output = Result<Self, TargetError>>;

    /// Whether there is no connection at the moment.
    fn is_lost(&self) -> bool;
}

impl Reading for Connector {
    type Node = Connection;

    fn connector(&self) -> &Connector {
        self
    }
}

impl Reading for WireConnector {
    type Node = WireConnection;

    fn connector(&self) -> &Connector {
        Self::connector(self)
    }
}

impl Reading for ClusterConnector {
    type Node = WireConnection;

    fn connector(&self) -> &Connector {
        Self::connector(self)
    }
}

impl NodeConnection for Connection {
    fn connect(connector: &Connector) -> impl Future<Output = Result<Self, TargetError>> {
        connector.open()
    }

    fn is_lost(&self) -> bool {
        Self::is_lost(self)
    }
}

impl NodeConnection for WireConnection {
    async fn connect(connector: &Connector) -> Result<Self, TargetError> {
        WireConnector::like(connector.clone()).open().await
    }

    fn is_lost(&self) -> bool {
        Self::is_lost(self)
    }
}
