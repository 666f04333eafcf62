//! Parts of the sentences in which a target's errors are reported.

use std::fmt::Write;

pub(super) fn last_words(log: &str) -> String {
    if log.is_empty() {
        return " without output".to_owned();
    }
    log.lines().fold("; last lines of its log:".to_owned(), |mut text, line| {
        write!(text, "\n    {line}").expect("a string takes every write");
        text
    })
}

pub(super) fn named(services: &[String]) -> String {
    let quoted: Vec<_> = services.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => format!("service {last}"),
        Some((last, others)) => format!("services {} and {last}", others.join(", ")),
        None => "no service".to_owned(),
    }
}

/// The key of a command, if it has one.
pub(super) fn on(key: &str) -> String {
    if key.is_empty() { String::new() } else { format!(" on `{key}`") }
}

/// The rule of an access control list that is missing, by the server's words.
pub(super) fn right(command: &str, key: &str, message: &str) -> String {
    if message.contains("channel") {
        format!("&{key}")
    } else if message.contains(" key") {
        format!("~{key}")
    } else {
        format!("+{}", command.to_lowercase())
    }
}

/// The server's words without slot and address, which differ from key to key.
pub(super) fn by_word(message: &str) -> String {
    match message.split_once(' ') {
        Some((word @ ("MOVED" | "ASK"), _)) => format!("the reply is {word}"),
        _ => message.to_owned(),
    }
}
