//! Suggestion for a word that is no command.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::scenario;

/// The error, with the command that was probably meant where a scenario or an address stands in the place of one.
pub(super) fn with_command(mut error: clap::Error) -> clap::Error {
    let word = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(word)) if error.kind() == ErrorKind::InvalidSubcommand => word.clone(),
        _ => return error,
    };
    let meant = if let Some((scheme, _)) = word.split_once("://") {
        // Whatever comes after it may be a password.
        let address = format!("{scheme}://...");
        let meant = format!("plimsoll run --target {address}");
        error.insert(ContextKind::InvalidSubcommand, ContextValue::String(address));
        meant
    } else if scenario::source(&word).is_ok() {
        format!("plimsoll run {word}")
    } else if let (None, Some(name)) = (error.get(ContextKind::SuggestedSubcommand), scenario::nearest_builtin(&word)) {
        format!("plimsoll run {name}")
    } else {
        return error;
    };
    error.remove(ContextKind::SuggestedSubcommand);
    let tip = format!("did you mean \"{meant}\"?");
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    error
}
