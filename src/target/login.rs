//! Login of a service: user and password.

use std::fs;

use super::{Secret, TargetError, TargetUrl};
use crate::scenario::{PasswordSource, Protocol, ReadFrom, Service};

/// User and password of one service; without both there is no login.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) username: Option<String>,
    pub(super) password: Option<Secret>,
}

/// Access of one service to the server.
#[derive(Debug)]
pub(super) struct Access {
    pub(super) service: String,
    pub(super) login: Login,
    pub(super) database: u8,
    /// That of the connections for load; all others speak RESP2.
    pub(super) protocol: Protocol,
    /// Nodes that its load reads from.
    pub(super) read_from: ReadFrom,
}

impl Login {
    /// The login of a service at a server that it shares with others: its own where the scenario says where its password
    /// is found, else the one that the target's URL carries.
    ///
    /// `variable` reads an environment variable.
    pub(super) fn of(
        service: &Service,
        url: &TargetUrl,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, TargetError> {
        let of_url = || Self {
            username: url.username.clone().or_else(|| service.username.clone()),
            password: url.password.clone(),
        };
        let own = |password: &str| Self {
            username: service.username.clone().or_else(|| url.username.clone()),
            password: Some(Secret::new(password)),
        };
        match &service.password {
            Some(PasswordSource::Env(name)) => match variable(name).filter(|password| !password.is_empty()) {
                Some(password) => Ok(own(&password)),
                // Who types a whole login into the target means it.
                None if url.password.is_some() => Ok(of_url()),
                None => Err(TargetError::PasswordVariable { service: service.name.clone(), variable: name.clone() }),
            },
            Some(PasswordSource::File(path)) => {
                let text = fs::read_to_string(path).map_err(|source| TargetError::PasswordFile {
                    service: service.name.clone(),
                    path: path.clone(),
                    source,
                })?;
                Ok(own(text.lines().next().unwrap_or_default()))
            }
            None => Ok(of_url()),
        }
    }

    /// The user's name for messages.
    pub(super) fn user(&self) -> &str {
        self.username.as_deref().unwrap_or("default")
    }
}
