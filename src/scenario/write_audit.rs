//! The audit of writes: counters that are incremented beside the load, to find acknowledged writes that were lost.

use super::{
    field::{Shape, Table, field, number},
    reader::Section,
};

/// The table in a file.
pub(super) const TABLE: Table = Table {
    name: "audit_writes",
    about: "Counters that are incremented beside the load, with the login and the prefix of the first service. After the load they \
            are compared with the replies, to find acknowledged writes that were lost.",
    fields: &[field(
        "rate",
        "Increments per second, of all 16 counters together.",
        Shape::Number { min: 1.0, max: 10_000.0 },
        number(100.0),
    )],
    variants: None,
};

/// An audit of writes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WriteAuditPlan {
    /// Increments per second, of all counters together.
    pub rate: f64,
}

impl WriteAuditPlan {
    /// Number of counters. Each has a connection of its own, so that one that waits does not delay the others.
    pub const COUNTERS: u64 = 16;

    /// The part of the counters' names before their number.
    pub fn stem(prefix: &str) -> String {
        format!("{prefix}audit:")
    }
}

/// The audit of a scenario that has one.
pub(super) fn read(root: &Section<'_>) -> Option<WriteAuditPlan> {
    Some(WriteAuditPlan { rate: root.section("audit_writes")?.number("rate")? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    #[test]
    fn is_only_made_where_it_is_asked_for() {
        let of = |lines: &str| {
            let service = "[[service]]\nname = \"s\"\nload.rate = 1\noperation = [{ command = \"GET\" }]";
            parse(&format!("name = \"x\"\n{lines}\n{service}"), "x.toml").map(|scenario| scenario.audit_writes)
        };
        assert_eq!(of("").unwrap(), None);
        assert_eq!(of("[audit_writes]").unwrap(), Some(WriteAuditPlan { rate: 100.0 }));
        assert_eq!(of("audit_writes.rate = 5").unwrap(), Some(WriteAuditPlan { rate: 5.0 }));
        let error = of("audit_writes.rate = 0").unwrap_err().to_string();
        assert!(error.contains("x.toml:2:21: audit_writes.rate"), "{error}");
    }
}
