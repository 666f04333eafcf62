//! JSON Schemas of what `--format json` prints, and of `comparison.json`.

use serde_json::Value;

/// A document for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Printed {
    /// The summary of a run.
    Summary,
    /// The answers of a capacity run.
    Capacity,
    /// The verdict of a gate, with all that leads to it.
    Gate,
    /// An audit.
    Audit,
    /// A run held against others.
    Comparison,
}

impl Printed {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Summary, Self::Capacity, Self::Gate, Self::Audit, Self::Comparison];

    /// Its JSON Schema (draft 2020-12).
    pub fn schema(self) -> Value {
        let text = match self {
            Self::Summary => include_str!("summary.schema.json"),
            Self::Capacity => include_str!("capacity.schema.json"),
            Self::Gate => include_str!("gate.schema.json"),
            Self::Audit => include_str!("audit.schema.json"),
            Self::Comparison => include_str!("comparison.schema.json"),
        };
        serde_json::from_str(text).expect("the schema is JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_a_schema_with_a_title_of_its_own() {
        let mut titles: Vec<String> = Printed::ALL
            .map(Printed::schema)
            .iter()
            .map(|schema| {
                jsonschema::meta::validate(schema).unwrap();
                schema["title"].as_str().unwrap().to_owned()
            })
            .collect();
        titles.sort();
        titles.dedup();
        assert_eq!(titles.len(), Printed::ALL.len());
    }
}
