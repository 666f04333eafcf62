//! What another process needs to reach a server as this one does. It holds passwords: it is passed on, and neither printed nor saved.

use serde::{Deserialize, Serialize};

use super::{
    Secret, Target, TargetError, TargetUrl,
    login::{Access, Login},
};
use crate::scenario::{Scenario, TlsOptions};

/// Server, TLS and logins.
#[derive(Clone, Serialize, Deserialize)]
pub struct Invitation {
    address: String,
    tls: TlsOptions,
    observer: Entry,
    services: Vec<Entry>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    username: Option<String>,
    password: Option<String>,
    database: u8,
}

impl Entry {
    fn login(&self) -> Login {
        Login { username: self.username.clone(), password: self.password.as_deref().map(Secret::new) }
    }
}

impl Target {
    /// For processes that send parts of the load.
    pub fn invitation(&self) -> Invitation {
        Invitation {
            address: self.address(),
            tls: self.observer.tls().map(|tls| tls.options().clone()).unwrap_or_default(),
            observer: entry(self.observer.access()),
            services: self.connectors.iter().map(|connector| entry(connector.access())).collect(),
        }
    }

    /// The server that this process was invited to, for the services of a scenario.
    pub async fn invited(invitation: &Invitation, scenario: &Scenario) -> Result<Self, TargetError> {
        let url: TargetUrl = invitation.address.parse()?;
        let access = scenario.services.iter().zip(&invitation.services).map(|(service, entry)| Access {
            service: service.name.clone(),
            login: entry.login(),
            database: entry.database,
            protocol: service.protocol,
            read_from: service.read_from,
        });
        let observer = super::access::observer(invitation.observer.login(), invitation.observer.database);
        Self::new(url.site, &invitation.tls, false, access, observer)?.found().await
    }
}

fn entry(access: &Access) -> Entry {
    let Login { username, password } = &access.login;
    Entry {
        username: username.clone(),
        password: password.as_ref().map(|password| password.expose().to_owned()),
        database: access.database,
    }
}
