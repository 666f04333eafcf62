//! Findings of an audit at or above a severity, or the reason why they are unknown.

use super::{Ruling, Severity};

/// Outcome of an audit.
#[derive(Debug, Clone, PartialEq)]
pub enum AuditOutcome<'a> {
    /// Nothing is as serious as the limit.
    Clear,
    /// These are, in the order of the rules.
    Found(Vec<&'a Ruling>),
    /// More than half of the rules could not be looked into: that must not look like an audit that found nothing.
    Blind {
        /// Rules that could not be.
        unknown: usize,
        /// All rules.
        of: usize,
    },
}

impl<'a> AuditOutcome<'a> {
    /// Compares rulings with the severity from which on they count.
    pub fn of(rulings: &'a [Ruling], limit: Severity) -> Self {
        let found: Vec<_> = rulings.iter().filter(|ruling| ruling.severity >= limit).collect();
        let unknown = rulings.iter().filter(|ruling| ruling.severity == Severity::Unknown).count();
        if !found.is_empty() {
            Self::Found(found)
        } else if 2 * unknown > rulings.len() {
            Self::Blind { unknown, of: rulings.len() }
        } else {
            Self::Clear
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::audit::Rule;

    #[test]
    fn an_audit_that_saw_nothing_is_not_clear() {
        let rulings = |severities: &[Severity]| -> Vec<Ruling> {
            severities.iter().map(|severity| Ruling::new(Rule::BigKeys, *severity)).collect()
        };
        let (passed, unknown, warning) = (Severity::Passed, Severity::Unknown, Severity::Warning);
        let half = rulings(&[passed, unknown]);
        assert_eq!(AuditOutcome::of(&half, warning), AuditOutcome::Clear);
        let most = rulings(&[passed, unknown, unknown]);
        assert_eq!(AuditOutcome::of(&most, warning), AuditOutcome::Blind { unknown: 2, of: 3 });
        let found = rulings(&[unknown, unknown, warning]);
        assert_eq!(AuditOutcome::of(&found, warning), AuditOutcome::Found(vec![&found[2]]));
        assert_eq!(AuditOutcome::of(&found, Severity::Critical), AuditOutcome::Blind { unknown: 2, of: 3 });
    }
}
