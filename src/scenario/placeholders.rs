//! Placeholders in words of commands, which are filled in before the command is sent.

use super::{errors::hint, reader::Section};

/// Of commands around the load.
pub(super) const OF_SERVICE: &[&str] = &["{prefix}"];

/// Of requests.
pub(super) const OF_REQUEST: &[&str] = &["{key}", "{value}", "{member}", "{prefix}"];

/// Keeps an error about each word of a field with a placeholder that is misspelt, or that is not filled in there. Other text in braces
/// stands for itself, such as a hash tag.
pub(super) fn refuse_unknown(section: &Section<'_>, field: &str, filled: &[&str]) {
    for (word, at) in section.words(field) {
        if let Some(message) = refusal(word, filled) {
            section.reject_at(&at, field, message);
        }
    }
}

/// Keeps an error about a script with a placeholder in quotes: scripts are sent as they are.
pub(super) fn refuse_in_script(section: &Section<'_>, script: &str) {
    let quoted = |name: &&&str| ['\'', '"'].iter().any(|quote| script.contains(&format!("{quote}{name}")));
    if let Some(name) = OF_REQUEST.iter().find(quoted) {
        let message =
            format!("\"{name}\" is not filled in in scripts: give it as one of `args`, and use ARGV, or KEYS[1]");
        section.reject("script", message);
    }
}

fn refusal(word: &str, filled: &[&str]) -> Option<String> {
    let wrong = braced(word).find(|text| !filled.contains(text) && resembles_placeholder(text))?;
    Some(format!("\"{wrong}\" is not a placeholder here{}", hint(wrong, filled)))
}

/// Texts in braces, with them, that have no braces within.
fn braced(word: &str) -> impl Iterator<Item = &str> {
    word.match_indices('}').filter_map(|(end, _)| {
        let begin = word[..end].rfind(['{', '}'])?;
        word[begin..].starts_with('{').then_some(&word[begin..=end])
    })
}

/// Whether a text in braces is a placeholder, one with a slip of the pen, or the beginning of one.
fn resembles_placeholder(text: &str) -> bool {
    let inner = text[1..text.len() - 1].trim().to_lowercase();
    OF_REQUEST
        .iter()
        .map(|name| &name[1..name.len() - 1])
        .any(|name| strsim::damerau_levenshtein(&inner, name) <= 1 || (inner.len() > 1 && name.starts_with(&inner)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    #[test]
    fn misspelt_placeholders_are_told_from_other_text_in_braces() {
        for (word, wrong, meant) in [
            ("{prefx}x", "{prefx}", "{prefix}"),
            ("a{kye}", "{kye}", "{key}"),
            ("{Key}", "{Key}", "{key}"),
            ("{ key }", "{ key }", "{key}"),
            ("{keys}", "{keys}", "{key}"),
            ("@id:{{membr}}", "{membr}", "{member}"),
            ("{red}{vlaue}", "{vlaue}", "{value}"),
            ("{val}", "{val}", "{value}"),
        ] {
            let message = refusal(word, OF_REQUEST).unwrap_or_else(|| panic!("{word} is accepted"));
            let expected = format!(
                "\"{wrong}\" is not a placeholder here; did you mean \"{meant}\"? (one of {{key}}, {{value}}, {{member}}, {{prefix}})"
            );
            assert_eq!(message, expected);
        }
        for word in [
            "{key}",
            "{prefix}{value}",
            "@t:{red | blue}",
            "{user1}:x",
            "{\"a\":1}",
            "{",
            "}{",
            "{}",
            "key",
            "{number}",
        ] {
            assert_eq!(refusal(word, OF_REQUEST), None, "{word}");
        }
        assert_eq!(refusal("{key}", OF_SERVICE).unwrap(), "\"{key}\" is not a placeholder here (one of {prefix})");
    }

    #[test]
    fn every_field_with_words_is_checked_and_the_line_of_the_word_named() {
        let errors = |field: &str, operation: &str| {
            let text = format!(
                "name = \"x\"\n[[service]]\nname = \"s\"\nload.rate = 1\n{field}\noperation = [{{ {operation} }}]\n"
            );
            parse(&text, "x.toml").unwrap_err().to_string()
        };
        let get = "command = \"GET\"";
        for field in ["setup", "cleanup"] {
            let wrong = errors(&format!("{field} = [\n[\"DEL\", \"{{prefix}}x\"],\n[\"DEL\", \"{{prefx}}x\"]]"), get);
            assert_eq!(
                wrong,
                format!(
                    "x.toml:7:9: service \"s\": {field}: \"{{prefx}}\" is not a placeholder here; did you mean \"{{prefix}}\"? (one of {{prefix}})"
                )
            );
        }
        for operation in [
            "command = \"RAW\", args = [\"GET\", \"{kye}\"]",
            "command = \"EVAL\", script = \"return 1\", args = [\"{kye}\"]",
        ] {
            let wrong = errors("", operation);
            assert!(
                wrong.starts_with("x.toml:6:") && wrong.contains("args: \"{kye}\" is not a placeholder"),
                "{wrong}"
            );
        }
        let wrong = errors("", "command = \"EVAL\", script = \"return redis.call('get', '{prefix}x')\"");
        assert!(wrong.contains("script: \"{prefix}\" is not filled in in scripts"), "{wrong}");
    }
}
