//! JSON Schemas of what `--format json` prints, and of `comparison.json`.

use serde_json::Value;

use super::{
    json::Summary, json_audit::AuditDocument, json_capacity::CapacityDocument, json_comparison::ComparisonDocument,
    json_gate::GateDocument,
};
use crate::results::schema_of_output;

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
    /// A run compared with others.
    Comparison,
}

impl Printed {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Summary, Self::Capacity, Self::Gate, Self::Audit, Self::Comparison];

    /// Its JSON Schema (draft 2020-12), with a description of every field.
    pub fn schema(self) -> Value {
        match self {
            Self::Summary => schema_of_output::<Summary<'_>>(),
            Self::Capacity => schema_of_output::<CapacityDocument<'_>>(),
            Self::Gate => schema_of_output::<GateDocument<'_>>(),
            Self::Audit => schema_of_output::<AuditDocument<'_>>(),
            Self::Comparison => schema_of_output::<ComparisonDocument<'_>>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of fields without a description, their own or that of their type.
    fn undescribed(schema: &Value, root: &Value) -> Vec<String> {
        let is_described = |field: &Value| {
            let kind = field["$ref"].as_str().and_then(|name| root.pointer(name.trim_start_matches('#')));
            [Some(field), kind].into_iter().flatten().any(|schema| schema["description"].is_string())
        };
        let fields = schema["properties"].as_object().into_iter().flatten();
        let mut bare: Vec<String> =
            fields.filter(|(_, field)| !is_described(field)).map(|(name, _)| name.clone()).collect();
        let below: Vec<&Value> = match schema {
            Value::Object(fields) => fields.values().collect(),
            Value::Array(items) => items.iter().collect(),
            _ => Vec::new(),
        };
        bare.extend(below.into_iter().flat_map(|schema| undescribed(schema, root)));
        bare
    }

    #[test]
    fn every_schema_has_a_title_of_its_own_and_describes_every_field() {
        let mut titles = Vec::new();
        for schema in Printed::ALL.map(Printed::schema) {
            jsonschema::meta::validate(&schema).unwrap();
            assert_eq!(undescribed(&schema, &schema), Vec::<String>::new());
            titles.push(schema["title"].as_str().unwrap().to_owned());
        }
        titles.sort();
        titles.dedup();
        assert_eq!(titles.len(), Printed::ALL.len());
    }
}
