//! Annotations of GitHub Actions: workflow commands, one line each, that its pages show beside the job.

use super::words::{findings, is_error, one_line, subject};
use crate::results::{Ci, Leniency, Verdict};

/// GitHub shows no more than ten errors and ten warnings of a step.
const MOST: usize = 10;

/// Workflow commands for all that is not as it should be, the worst first; each ends with a line break.
pub fn annotations(ci: &Ci) -> String {
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for check in findings(ci) {
        let title = format!("plimsoll: {}", subject(check));
        let annotation = (title, one_line(&check.sentence));
        if is_error(check.outcome, ci.inconclusive) {
            errors.push(annotation);
        } else if check.outcome != Verdict::Inconclusive || ci.inconclusive == Leniency::Warn {
            warnings.push(annotation);
        }
    }
    commands("error", errors) + &commands("warning", warnings)
}

fn commands(command: &str, mut annotations: Vec<(String, String)>) -> String {
    if annotations.len() > MOST {
        let rest = annotations.split_off(MOST - 1).len();
        annotations.push(("plimsoll".to_owned(), format!("{rest} more in the job summary and junit.xml")));
    }
    let line = |(title, text): &(String, String)| format!("::{command} title={}::{}\n", property(title), data(text));
    annotations.iter().map(line).collect()
}

/// Text as GitHub reads it after the second pair of colons.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text as GitHub reads it as the value of a property.
fn property(text: &str) -> String {
    data(&one_line(text)).replace(':', "%3A").replace(',', "%2C")
}
