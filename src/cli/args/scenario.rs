//! The scenario that a command line names, and the fields of it that the command line sets.

use crate::{
    cli::{exit::Failure, stderr},
    scenario,
};

/// The scenario that is meant where none is named.
pub(in crate::cli) const DEFAULT: &str = "workflow-engine";

/// The text of the scenario that a command line names, for a private server or a given one.
pub(in crate::cli) fn scenario_text(scenario: &str, given: bool) -> Result<scenario::Source, Failure> {
    let source = scenario::source(scenario).map_err(Failure::usage)?;
    if !given {
        return Ok(source);
    }
    let (source, changed) = source.without_private_users();
    if changed {
        stderr::print(&format!(
            "note: the users of the built-in scenario {scenario} exist on private servers only; here its services log in as \
             the target's URL says"
        ));
    }
    Ok(source)
}

/// A field and its value, as `--set` takes them.
pub(in crate::cli) fn setting(text: &str) -> Result<(String, String), String> {
    let (field, value) = text.split_once('=').ok_or("write FIELD=VALUE, such as service.api.pool.size=100")?;
    Ok((field.trim().to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_split_at_its_first_equals_sign() {
        assert_eq!(setting("a.b = x=1"), Ok(("a.b".to_owned(), "x=1".to_owned())));
        assert!(setting("a.b").is_err());
    }
}
