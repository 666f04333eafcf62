//! Asking a server, one question at a time, each with a limit of time; what is refused once is not asked again.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use fred::{
    interfaces::ClientLike,
    types::{ClusterHash, CustomCommand, Value},
};
use tokio::time::timeout;

use crate::results::Withheld;

/// Longest time that an answer may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(1);

/// A client for questions, and what it was refused.
pub struct Questions<C> {
    client: C,
    refused: BTreeMap<String, String>,
    /// Whether the last question was not answered at all.
    silent: bool,
    /// Whether nothing more is asked.
    ended: bool,
}

impl<C: ClientLike> Questions<C> {
    /// Asks through this client.
    pub fn new(client: C) -> Self {
        Self { client, refused: BTreeMap::new(), silent: false, ended: false }
    }

    /// Whether the last question was not answered at all.
    pub(super) fn is_silent(&self) -> bool {
        self.silent
    }

    /// Asks nothing more if the server does not answer.
    pub(super) fn end_if_silent(&mut self) {
        self.ended |= self.silent;
    }

    /// The answer to a command; `None` where the server refused it or did not answer in time.
    pub async fn ask(&mut self, words: &[&str]) -> Option<Value> {
        match self.try_ask(words).await? {
            Ok(value) => Some(value),
            Err(message) => {
                self.refused.insert(subject(words), message);
                None
            }
        }
    }

    /// The answer to a command, or what the server said in refusing it, which does not keep the next one from being
    /// asked; `None` where there was no answer in time, or where the right to ask is missing.
    pub async fn try_ask(&mut self, words: &[&str]) -> Option<Result<Value, String>> {
        let subject = subject(words);
        if self.ended || self.refused.contains_key(&subject) {
            return None;
        }
        let (name, arguments) = words.split_first()?;
        let command = CustomCommand::new((*name).to_owned(), ClusterHash::Random, false);
        let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
        let answer = timeout(TIMEOUT, self.client.custom::<Value, _>(command, arguments)).await;
        self.silent = !matches!(&answer, Ok(Ok(_))) && !matches!(&answer, Ok(Err(error)) if is_reply(error.details()));
        match answer {
            Ok(Ok(value)) => Some(Ok(value)),
            Ok(Err(error)) if is_reply(error.details()) => {
                let message = error.details().to_owned();
                if message.starts_with("NOPERM") || message.to_lowercase().starts_with("err unknown") {
                    self.refused.insert(subject, message);
                    return None;
                }
                Some(Err(message))
            }
            // No connection at the moment, or a server that is busy: it may answer the next time.
            _ => None,
        }
    }

    /// An answer that is text.
    pub(super) async fn ask_text(&mut self, words: &[&str]) -> Option<String> {
        text(&self.ask(words).await?)
    }

    /// The value of a setting.
    pub(super) async fn setting(&mut self, name: &str) -> Option<String> {
        let Value::Array(pair) = self.ask(&["CONFIG", "GET", name]).await? else { return None };
        text(pair.get(1)?)
    }

    /// Refused questions, each with the server's error.
    pub fn into_withheld(self) -> Vec<Withheld> {
        let mut refused = self.refused;
        // The whole of it takes the same right, so that once is enough.
        if refused.contains_key("INFO") {
            refused.remove("INFO everything");
        }
        let withheld = |(what, said): (String, String)| {
            let reason = if said.starts_with("NOPERM") { format!("needs {}: {said}", right(&what)) } else { said };
            Withheld { what, reason }
        };
        refused.into_iter().map(withheld).collect()
    }
}

/// An answer, or a part of one, as text. Paths and names may hold any bytes; those that are no UTF-8 are replaced.
pub(super) fn text(value: &Value) -> Option<String> {
    value.as_str_lossy().map(Cow::into_owned)
}

/// Subject of a right: the command, with its subcommand if it has one.
fn subject(words: &[&str]) -> String {
    match words {
        [
            name @ ("CONFIG" | "CLIENT" | "SLOWLOG" | "LATENCY" | "ACL" | "MEMORY" | "INFO" | "CLUSTER"),
            subcommand,
            ..,
        ] => {
            format!("{name} {subcommand}")
        }
        [name, ..] => (*name).to_owned(),
        [] => String::new(),
    }
}

/// The rule of an access control list that gives the right to a question.
fn right(subject: &str) -> String {
    match subject.split_once(' ') {
        // A section of INFO is no subcommand.
        Some(("INFO", _)) => "+info".to_owned(),
        Some((name, subcommand)) => format!("+{name}|{subcommand}").to_lowercase(),
        None => format!("+{subject}").to_lowercase(),
    }
}

/// Whether an error is a reply of the server, which begins in capitals, and not a failure of the connection.
pub(super) fn is_reply(details: &str) -> bool {
    let first = details.split(' ').next().unwrap_or_default();
    first.len() > 2 && first.bytes().all(|byte| byte.is_ascii_uppercase()) && first != "LOADING" && first != "BUSY"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_those_of_commands() {
        assert_eq!(subject(&["CONFIG", "GET", "timeout"]), "CONFIG GET");
        assert_eq!(subject(&["INFO", "everything"]), "INFO everything");
        assert_eq!(["CONFIG GET", "INFO everything", "TIME"].map(right), ["+config|get", "+info", "+time"]);
    }

    #[test]
    fn bytes_that_are_no_utf8_do_not_hide_the_rest() {
        let path = Value::Bytes(bytes::Bytes::from_static(b"/etc/caf\xe9/redis.conf"));
        assert_eq!(text(&path).as_deref(), Some("/etc/caf\u{fffd}/redis.conf"));
    }

    #[test]
    fn only_the_servers_word_is_a_refusal() {
        assert!(is_reply("NOPERM User x has no permissions to run the 'info' command"));
        assert!(is_reply("ERR unknown command 'CONFIG'"));
        assert!(!is_reply("LOADING Redis is loading the dataset in memory"));
        assert!(!is_reply("Connection reset by peer"));
    }
}
