//! Commands in a scenario's own words around its load: before its data is written, and before it is removed.
//!
//! Each is sent once, with the login of its service. In a cluster a command goes to the node that has the slot of its first
//! key (`COMMAND GETKEYS`), and one without a key to every primary.

use bytes::Bytes;
use fred::{interfaces::ClientLike, types::Value};
use tokio::time::timeout;

use super::{
    Connector, Takeover, Target, TargetError,
    ask::{CLOSE_LIMIT, ask, send},
    failure,
    slots::SlotTable,
};
use crate::{
    measure::ErrorClass,
    scenario::{Scenario, Words},
};

/// Characters of a command that are shown.
const SHOWN: usize = 80;

impl Target {
    /// Sends the set-up commands, one service after another. `begun` is the number of services whose clean-up is due, also
    /// where this is dropped: all before the one at work, and that as soon as one of its commands can have had an effect.
    pub async fn set_up(&self, scenario: &Scenario, begun: &mut usize) -> Result<(), TargetError> {
        for (index, (service, connector)) in scenario.services.iter().zip(&self.connectors).enumerate() {
            let mut done = false;
            for words in &service.setup {
                *begun = index + 1;
                let refused = |message| TargetError::SetUp {
                    service: service.name.clone(),
                    command: shown(words),
                    message,
                    has_cleanup: !service.cleanup.is_empty(),
                };
                let sent = self.carry_out((connector, &service.keys.prefix), words, &mut done).await;
                if let Err(error) = sent.and_then(|message| message.map_or(Ok(()), |message| Err(refused(message)))) {
                    *begun = index + usize::from(done);
                    return Err(error);
                }
            }
            *begun = index + 1;
        }
        Ok(())
    }

    /// Sends the clean-up commands of the first `begun` services, and returns an error for each that fails.
    pub async fn send_cleanup(&self, scenario: &Scenario, begun: usize) -> Result<Vec<TargetError>, TargetError> {
        let mut errors = Vec::new();
        for (service, connector) in scenario.services.iter().zip(&self.connectors).take(begun) {
            for words in &service.cleanup {
                let failed = self.carry_out((connector, &service.keys.prefix), words, &mut false).await?;
                errors.extend(failed.map(|message| TargetError::CleanUpCommand {
                    service: service.name.clone(),
                    command: shown(words),
                    message,
                }));
            }
        }
        Ok(errors)
    }

    /// Sends the clean-up commands for a killed run whose claim was taken over: those that name something under its prefix, as the claim
    /// covers nothing else. Returns those that succeed; the run may not have come as far as what the others remove.
    pub async fn clean_up_after(&self, scenario: &Scenario, taken: &Takeover) -> Result<Vec<String>, TargetError> {
        let mut sent = Vec::new();
        let services = scenario.services.iter().zip(&self.connectors);
        for (service, connector) in services.filter(|(service, _)| service.keys.prefix == taken.prefix) {
            let is_under = |words: &&Words| words[1..].iter().any(|word| word.starts_with(&taken.prefix));
            for words in service.cleanup.iter().filter(is_under) {
                if self.carry_out((connector, &service.keys.prefix), words, &mut false).await?.is_none() {
                    sent.push(shown(words));
                }
            }
        }
        Ok(sent)
    }

    /// Sends a command; the message if it fails. `done` is set as soon as it can have had an effect.
    async fn carry_out(
        &self,
        (connector, prefix): (&Connector, &str),
        words: &Words,
        done: &mut bool,
    ) -> Result<Option<String>, TargetError> {
        let line: Vec<_> = words.iter().map(|word| Bytes::from(word.clone())).collect();
        for recipient in self.recipients(connector, prefix, &line).await? {
            let (client, _router) = recipient.connect().await?;
            let sent = send(&client, line.clone()).await;
            // Its runtime may rest afterwards, and the connection would stay.
            let _ = timeout(CLOSE_LIMIT, client.quit()).await;
            if let Err(error) = sent {
                let failure = failure::of_request(&error);
                *done |= matches!(failure.class, ErrorClass::Timeout | ErrorClass::ConnectionLost);
                return Ok(Some(failure.message));
            }
            *done = true;
        }
        Ok(None)
    }

    /// Connectors to the servers that a command goes to.
    async fn recipients(
        &self,
        connector: &Connector,
        prefix: &str,
        line: &[Bytes],
    ) -> Result<Vec<Connector>, TargetError> {
        let holders = self.holders(connector);
        let (Some(slots), Some(first)) = (connector.slots(), holders.first()) else { return Ok(holders) };
        let (client, _router) = first.connect().await?;
        let question = [Bytes::from_static(b"GETKEYS")].into_iter().chain(line.iter().cloned());
        let key = match ask(&client, "COMMAND", question.collect()).await {
            Ok(Value::Array(keys)) => keys.first().and_then(Value::as_bytes).map(SlotTable::slot),
            // Without the right to ask, a word under the prefix is taken for a key.
            Err(error) if error.details().starts_with("NOPERM") => {
                line.iter().skip(1).find(|word| word.starts_with(prefix.as_bytes())).map(|word| SlotTable::slot(word))
            }
            _ => None,
        };
        let node = key.and_then(|slot| slots.owner(slot)).and_then(|number| slots.node(number));
        Ok(node.map_or(holders, |node| vec![connector.at(&node)]))
    }
}

/// A command in messages, without its end where it is long.
fn shown(words: &Words) -> String {
    let line = words.join(" ");
    let mut shown: String = line.chars().filter(|letter| !letter.is_control()).take(SHOWN).collect();
    if line.chars().count() > SHOWN {
        shown.push_str("...");
    }
    shown
}
