//! Rights that services need: as rules of the access control list, compared with the rights of their users.
//!
//! Nothing here changes what a user may do. To prove that rules suffice a user is needed that has just those; it is made
//! only where that was allowed, disabled and without a password, and removed again at once.

use std::collections::BTreeSet;

use bytes::Bytes;
use fred::{interfaces::ClientLike, types::Value};

use super::{
    Connector, Endpoint, Secret, data,
    permission::{Need, Probe, probes},
    words,
};
use crate::{
    operation::{Keys, Kind, Request},
    results::{PasswordStrength, Proof, ServiceDatabase, ServiceLogin},
    scenario::{Protocol, Scenario},
    server::{Questions, is_common_password},
};

/// Commands that no service of a mix should be able to send, unless the mix itself has them: each can take the server
/// or its data away.
const DANGEROUS: &[&[&str]] = &[
    &["FLUSHALL"],
    &["FLUSHDB"],
    &["SHUTDOWN"],
    &["CONFIG", "SET", "maxmemory", "0"],
    &["ACL", "SETUSER", "nobody"],
    &["KEYS", "*"],
    &["MONITOR"],
    &["REPLICAOF", "NO", "ONE"],
    &["MODULE", "LOAD", "/nowhere"],
    &["DEBUG", "SLEEP", "0"],
    &["SWAPDB", "0", "1"],
];

/// Commands that are permitted by subcommand.
const CONTAINERS: &[&str] = &[
    "ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "FUNCTION", "LATENCY", "MEMORY", "MODULE", "OBJECT", "PUBSUB",
    "SCRIPT", "SLOWLOG", "XGROUP", "XINFO",
];

/// A key that belongs to no service.
const FOREIGN_KEY: &str = "plimsoll-foreign-key";

/// Name of the temporary user with just the proposed rules; a number follows.
const PROOF_USER: &str = "plimsoll-proof-";

/// Commands, keys and channels that a user needs, and the services that need them.
pub(super) struct Duty<'a> {
    connector: &'a Connector,
    services: Vec<ServiceDatabase>,
    probes: Vec<Probe>,
    prefixes: BTreeSet<String>,
    /// Whether a service speaks RESP3.
    resp3: bool,
    /// Whether a service reads from replicas.
    reads_replicas: bool,
}

/// The users of a scenario's services with all that is asked of them, in the scenario's order.
pub(super) fn duties<'a>(scenario: &Scenario, connectors: &'a [Connector]) -> Vec<Duty<'a>> {
    let mut duties: Vec<Duty<'a>> = Vec::new();
    for (index, (service, connector)) in scenario.services.iter().zip(connectors).enumerate() {
        let place = duties.iter().position(|duty| duty.connector.user() == connector.user());
        let place = place.unwrap_or_else(|| {
            let (services, probes, prefixes) = (Vec::new(), Vec::new(), BTreeSet::new());
            duties.push(Duty { connector, services, probes, prefixes, resp3: false, reads_replicas: false });
            duties.len() - 1
        });
        let duty = &mut duties[place];
        duty.services.push(ServiceDatabase { service: service.name.clone(), database: connector.database() });
        duty.prefixes.insert(service.keys.prefix.clone());
        duty.resp3 |= service.protocol == Protocol::Resp3;
        duty.reads_replicas |= service.reads_replicas();
        duty.probes.extend(probes(scenario, index));
    }
    duties
}

impl Duty<'_> {
    /// Asks the server which needs the user lacks, and logs in as the user at the node that is asked: another one may be down. With a
    /// `proof_user`, a user of that name is created for the test and removed.
    pub(super) async fn hold(
        &self,
        questions: &mut Questions<impl ClientLike>,
        asked: &Endpoint,
        proof_user: Option<&str>,
    ) -> ServiceLogin {
        let (needs, harness) = (self.needs(), self.harness());
        let refused = self.connector.at(asked).connect().await.err().map(|error| error.to_string());
        let proof = match proof_user {
            Some(user) => self.prove(questions, &needs, user).await,
            None => Proof::Untried {
                reason: "the proof needs a temporary user with these rights: see --prove-rights".to_owned(),
            },
        };
        ServiceLogin {
            user: self.connector.user().to_owned(),
            services: self.services.clone(),
            refused,
            password: self.connector.password().map(strength),
            excess: self.excess(questions).await,
            needs,
            harness,
            proof,
        }
    }

    /// Commands that the services send themselves.
    fn mix(&self) -> impl Iterator<Item = &Request> {
        self.probes.iter().filter(|probe| probe.need == Need::Mix).map(|probe| &probe.request)
    }

    /// Rules that give what the services send, on their keys and channels only, and what every connection begins with.
    fn needs(&self) -> Vec<String> {
        let mut commands: BTreeSet<_> = self.mix().map(rule).collect();
        // Pools ask idle connections for a sign of life.
        commands.insert("+ping".to_owned());
        if self.services.iter().any(|service| service.database != 0) {
            commands.insert("+select".to_owned());
        }
        if self.resp3 {
            commands.insert("+hello".to_owned());
        }
        if self.connector.slots().is_some() {
            // A client of a cluster asks which node has which slots, and may read from a replica if it says so.
            commands.insert("+cluster|slots".to_owned());
            commands.extend(self.reads_replicas.then(|| "+readonly".to_owned()));
        }
        let publishes = self.mix().any(is_published);
        let keyed = self.mix().any(|request| !is_published(request) && !request.key.is_empty());
        let patterns = |sign: &str| -> Vec<String> {
            self.prefixes.iter().map(|prefix| format!("{sign}{}*", data::escaped(prefix))).collect()
        };
        let keys = if keyed { patterns("~") } else { Vec::new() };
        let channels = if publishes { patterns("&") } else { Vec::new() };
        keys.into_iter().chain(channels).chain(commands).collect()
    }

    /// Rules for what the harness does on top: it claims the prefix, writes the data, bounds it, checks the rights and removes
    /// it all.
    fn harness(&self) -> Vec<String> {
        let own: BTreeSet<_> = self.mix().map(rule).collect();
        let others = self.probes.iter().filter(|probe| probe.need != Need::Mix).map(|probe| rule(&probe.request));
        let always =
            ["+multi", "+discard", "+dbsize", "+exists", "+get", "+scan", "+set", "+unlink", "+client|setname"];
        let always = always.map(str::to_owned);
        let all: BTreeSet<_> = others.chain(always).filter(|rule| !own.contains(rule)).collect();
        all.into_iter().collect()
    }

    async fn prove(&self, questions: &mut Questions<impl ClientLike>, needs: &[String], proof_user: &str) -> Proof {
        let rules: Vec<&str> = ["ACL", "SETUSER", proof_user, "reset", "off"]
            .into_iter()
            .chain(needs.iter().map(String::as_str))
            .collect();
        if questions.ask(&rules).await.is_none() {
            // It may have been made although the confirmation came too late.
            remove_proof_user(questions, proof_user).await;
            return Proof::Untried { reason: "the temporary user for the proof could not be created".to_owned() };
        }
        let mut proof = Proof::Proven { commands: 0 };
        for request in self.mix() {
            let line = words::words(request);
            match dry_run(questions, proof_user, &line).await {
                Some(None) => {
                    if let Proof::Proven { commands } = &mut proof {
                        *commands += 1;
                    }
                }
                Some(Some(message)) => {
                    let command = String::from_utf8_lossy(&line[0]).into_owned();
                    proof = Proof::Refuted { command, message };
                    break;
                }
                None => {
                    proof = Proof::Untried { reason: "the server has no ACL DRYRUN (since Redis 7.0)".to_owned() };
                    break;
                }
            }
        }
        remove_proof_user(questions, proof_user).await;
        proof
    }

    /// Rights of the user that no service needs, by `ACL DRYRUN`; `None` where the server does not support it.
    async fn excess(&self, questions: &mut Questions<impl ClientLike>) -> Option<Vec<String>> {
        let needed: BTreeSet<_> = self.mix().map(rule).collect();
        let mut excess = Vec::new();
        for words in DANGEROUS.iter().filter(|words| !needed.contains(&format!("+{}", command_name(words)))) {
            let line: Vec<_> = words.iter().map(|word| Bytes::from_static(word.as_bytes())).collect();
            match dry_run(questions, self.connector.user(), &line).await {
                Some(None) => excess.push(command_name(words).to_uppercase().replace('|', " ")),
                Some(Some(_)) => {}
                // A user who may not ask for one may ask for none.
                None => return None,
            }
        }
        // Any command of the mix that takes a key, on a key of nobody's.
        let keyed = self.mix().find(|request| !request.key.is_empty() && !is_published(request));
        if let Some(request) = keyed.filter(|request| request.kind != Kind::Raw) {
            let mut line = words::words(request);
            for word in line.iter_mut().filter(|word| **word == request.key) {
                *word = Bytes::from_static(FOREIGN_KEY.as_bytes());
            }
            if dry_run(questions, self.connector.user(), &line).await == Some(None) {
                excess.push(FOREIGN_KEYS.to_owned());
            }
        }
        Some(excess)
    }
}

/// Removes the user that a proof was made with.
pub(super) async fn remove_proof_user(questions: &mut Questions<impl ClientLike>, user: &str) {
    questions.ask(&["ACL", "DELUSER", user]).await;
}

/// A user name that does not exist; existing users are never changed.
pub(super) fn proof_user() -> Option<String> {
    let random = Secret::random().ok()?;
    Some(format!("{PROOF_USER}{}", &random.expose()[..8]))
}

/// Entry of the excess of a user whose keys are not confined to the prefixes of its services.
const FOREIGN_KEYS: &str = "keys of others";

/// The name of a line's command as rules write it, with its subcommand where it has some: `config|set`.
fn command_name(words: &[&str]) -> String {
    match words {
        [name, subcommand, ..] if CONTAINERS.contains(&name.to_uppercase().as_str()) => {
            format!("{name}|{subcommand}").to_lowercase()
        }
        [name, ..] => name.to_lowercase(),
        [] => String::new(),
    }
}

/// Whether a request names a channel in the place of a key.
fn is_published(request: &Request) -> bool {
    request.kind.spec().keys == Keys::Channel
}

/// The rule that permits the command of a request.
fn rule(request: &Request) -> String {
    let line = words::words(request);
    let words: Vec<_> = line.iter().take(2).map(|word| String::from_utf8_lossy(word)).collect();
    format!("+{}", command_name(&words.iter().map(AsRef::as_ref).collect::<Vec<_>>()))
}

/// Whether a user may send a command: `Some(None)` if permitted, `Some(reason)` if not, `None` where the server does not support the question.
async fn dry_run(questions: &mut Questions<impl ClientLike>, user: &str, line: &[Bytes]) -> Option<Option<String>> {
    let words: Vec<_> = line.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    let question: Vec<&str> = ["ACL", "DRYRUN", user].into_iter().chain(words.iter().map(String::as_str)).collect();
    let answer = questions.try_ask(&question).await?;
    match answer {
        Ok(Value::String(answer)) if *answer == *"OK" => Some(None),
        Ok(answer) => Some(Some(answer.as_str_lossy().unwrap_or_default().into_owned())),
        // A command that this server does not have, or words that it would not take: nobody can send that.
        Err(message) if message.contains("not found") || message.contains("number of arguments") => Some(Some(message)),
        Err(_) => None,
    }
}

/// Strength of a password, without the password. The bits are those of a random password from the same kinds of
/// characters, length x log2(kinds): the most that it can have.
pub(super) fn strength(password: &str) -> PasswordStrength {
    let any = |kind: fn(char) -> bool| password.chars().any(kind);
    let length = password.chars().count() as u32;
    let alphabet = if password.chars().all(|letter| letter.is_ascii_hexdigit()) {
        if any(|letter| letter.is_ascii_alphabetic()) { 16.0 } else { 10.0 }
    } else {
        [
            (any(|letter| letter.is_ascii_lowercase()), 26.0),
            (any(|letter| letter.is_ascii_uppercase()), 26.0),
            (any(|letter| letter.is_ascii_digit()), 10.0),
            (any(|letter| !letter.is_ascii_alphanumeric()), 33.0),
        ]
        .into_iter()
        .filter_map(|(used, kinds)| used.then_some(kinds))
        .sum::<f64>()
    };
    // Who repeats a few characters chose from few.
    let distinct = password.chars().collect::<BTreeSet<_>>().len() as f64;
    let repeats = f64::from(length) > 2.0 * distinct;
    let alphabet = if repeats { alphabet.min(2.0 * distinct) } else { alphabet };
    let bits = if length == 0 { 0.0 } else { f64::from(length) * f64::log2(alphabet) };
    PasswordStrength { length, bits, common: is_common_password(password) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strength_is_that_of_a_random_password_of_its_kind() {
        let hexadecimal = strength(&"0123456789abcdef".repeat(4));
        assert_eq!((hexadecimal.length, hexadecimal.bits.round() as u32, hexadecimal.common), (64, 256, false));
        assert_eq!(strength("12345678").bits.round() as u32, 27);
        assert!(strength(&"a".repeat(21)).bits < 25.0, "repeating one character adds little");
        assert!(strength("redis").common);
        assert!(strength("aB3!").bits > strength("abcd").bits);
        assert!(strength("").bits.abs() < f64::EPSILON);
    }

    #[test]
    fn commands_go_by_their_names() {
        assert_eq!(command_name(&["CONFIG", "SET", "maxmemory", "0"]), "config|set");
        assert_eq!(command_name(&["KEYS", "*"]), "keys");
    }
}
