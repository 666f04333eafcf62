//! Looks at a server before a capacity run: the memory that connections cost it, and the rate at which it is used already.

use std::time::Duration;

use super::{Target, TargetError};
use crate::{
    results::ConnectionLevel,
    scenario::Scenario,
    server::{command_rate, connection_level},
};

impl Target {
    /// Memory of the connections that exist, and with the scenario's pools added, which are
    /// opened for it, one connection after another, and closed again. Empty where the server does not report it.
    pub async fn connection_levels(&self, scenario: &Scenario) -> Result<Vec<ConnectionLevel>, TargetError> {
        let (client, _router) = self.observer.connect().await?;
        let Some(before) = connection_level(client.clone()).await else { return Ok(Vec::new()) };
        let mut open = Vec::new();
        for (service, connector) in scenario.services.iter().zip(&self.connectors) {
            for _ in 0..service.connections() {
                open.push(connector.open().await?);
            }
        }
        let with = connection_level(client).await;
        drop(open);
        Ok([Some(before), with].into_iter().flatten().collect())
    }

    /// Commands per second of other clients; `None` where the server does not report them.
    pub async fn command_rate(&self, over: Duration) -> Result<Option<f64>, TargetError> {
        let (client, _router) = self.observer.connect().await?;
        Ok(command_rate(client, over).await)
    }
}
