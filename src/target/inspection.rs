//! Inspecting a server: what it is set to, who may do what on it, and what its machine is like. Changes nothing.

use std::time::{Duration, Instant};

use fred::{clients::Client, interfaces::ClientLike};
use tokio::time::timeout;

use super::{Endpoint, Target, TargetError, fred::Router, rights};
use crate::{
    results::{Inspection, Proof, ServiceLogin, Withheld},
    scenario::Scenario,
    server::{self, Questions},
};

/// Round trips that are timed, and how long that may take.
const PINGS: usize = 500;
const PINGS_LIMIT: Duration = Duration::from_secs(1);

/// Time that an inspection may take.
const LIMIT: Duration = Duration::from_secs(20);

impl Target {
    /// Looks at the server, with the login of the observer, at the rights that the scenario's services have and need, and at all nodes
    /// and Sentinels.
    ///
    /// With `may_prove` the rules that they need are tried out, for which a user without password that cannot log in is
    /// made and removed again; a private server is always asked for the proof. Whatever fails is named in the result.
    pub async fn inspect(&self, scenario: Option<&Scenario>, same_machine: bool, may_prove: bool) -> Inspection {
        let proof_user = (may_prove || self.private).then(rights::proof_user).flatten();
        let looked = timeout(LIMIT, Box::pin(self.look(scenario, proof_user.as_deref()))).await;
        if let (Err(_), Some(user)) = (&looked, &proof_user) {
            // A server that was too slow for the questions may have the user of the proof by now.
            let _ = timeout(LIMIT, self.remove_traces(user)).await;
        }
        let mut found = looked.unwrap_or_else(|_| nothing(format!("no end within {LIMIT:?}")));
        found.machine = same_machine.then(server::machine);
        (found.nodes, found.sentinels) = Box::pin(self.survey()).await;
        found
    }

    async fn look(&self, scenario: Option<&Scenario>, proof_user: Option<&str>) -> Inspection {
        let (asked, (client, _router)) = match self.any_open().await {
            (asked, Ok(open)) => (asked, open),
            (_, Err(error)) => return nothing(error.to_string()),
        };
        let pings = pings(&client).await;
        let mut found = Inspection { pings, ..server::inspect(client.clone()).await };
        let mut questions = Questions::new(client);
        match scenario {
            Some(scenario) => {
                for duty in rights::duties(scenario, &self.connectors) {
                    found.logins.push(duty.hold(&mut questions, &asked, proof_user).await);
                }
            }
            None => found.logins.push(self.own_login()),
        }
        let known: Vec<_> = found.withheld.iter().map(|withheld| withheld.what.clone()).collect();
        found.withheld.extend(questions.into_withheld().into_iter().filter(|more| !known.contains(&more.what)));
        found
    }

    /// A connection to the server that is asked, or where that is down to another node; and which of them it is.
    async fn any_open(&self) -> (Endpoint, Result<(Client, Router), TargetError>) {
        let mut opened = (self.asked().clone(), self.observer.connect().await);
        for node in self.primaries().chain(self.replicas()) {
            if opened.1.is_ok() {
                break;
            }
            if let Ok(other) = self.observer.at(&node.endpoint).connect().await {
                opened = (node.endpoint.clone(), Ok(other));
            }
        }
        opened
    }

    async fn remove_traces(&self, user: &str) {
        if let Ok((client, _router)) = self.observer.connect().await {
            rights::remove_proof_user(&mut Questions::new(client), user).await;
        }
    }

    /// The login of the target itself, where no services are known.
    fn own_login(&self) -> ServiceLogin {
        ServiceLogin {
            user: self.observer.user().to_owned(),
            services: Vec::new(),
            refused: None,
            password: self.observer.password().map(rights::strength),
            needs: Vec::new(),
            harness: Vec::new(),
            proof: Proof::Untried { reason: "no scenario given".to_owned() },
            excess: None,
        }
    }
}

/// Round trips of `PING`, one after another.
async fn pings(client: &Client) -> Vec<u64> {
    let mut pings = Vec::with_capacity(PINGS);
    let begun = Instant::now();
    while pings.len() < PINGS && begun.elapsed() < PINGS_LIMIT {
        let asked = Instant::now();
        // The right to PING may be missing; then nothing is known.
        match timeout(PINGS_LIMIT, client.ping::<()>(None)).await {
            Ok(Ok(())) => pings.push(asked.elapsed().as_nanos() as u64),
            _ => break,
        }
    }
    pings
}

fn nothing(reason: String) -> Inspection {
    let withheld = vec![Withheld { what: "connection for the inspection".to_owned(), reason }];
    Inspection { withheld, ..Inspection::default() }
}
