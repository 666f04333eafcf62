//! The JSON Schema of scenario files, made from the declarations of the reader.
//!
//! It says all that concerns one field or one variant of a table. What concerns several tables (unique names, prefixes
//! that overlap, one shape per type of data) and the ranges of durations only the reader checks.

use serde_json::{Map, Value as Json, json};

use super::{
    document::SCENARIO,
    field::{Field, Format, Presence, Shape, Table, Value, Variant},
};

/// JSON Schema (draft 2020-12) of scenario files, for editors.
pub fn schema() -> Json {
    let mut definitions = Map::new();
    let mut schema = Map::new();
    schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("title".into(), "plimsoll scenario".into());
    schema.extend(table(&SCENARIO, &mut definitions));
    schema.insert("$defs".into(), definitions.into());
    schema.into()
}

fn table(table: &'static Table, definitions: &mut Map<String, Json>) -> Map<String, Json> {
    let properties: Map<String, Json> =
        table.fields.iter().map(|field| (field.name.to_owned(), property(table, field, definitions))).collect();
    let mut schema = Map::new();
    schema.insert("type".into(), "object".into());
    schema.insert("description".into(), table.about.into());
    schema.insert("properties".into(), properties.into());
    schema.insert("additionalProperties".into(), false.into());
    let variants = table.variants();
    if variants.is_empty() {
        insert_unless_empty(&mut schema, "required", required(table, |_| true));
    } else {
        let rules: Vec<_> = variants.iter().map(|variant| rule(table, *variant)).collect();
        insert_unless_empty(&mut schema, "required", required(table, |name| Some(name) == tag(table)));
        schema.insert("allOf".into(), rules.into());
    }
    schema
}

/// Fields that a variant accepts and requires.
fn rule(table: &Table, variant: Variant) -> Json {
    let tag = tag(table).unwrap_or_default();
    let taken = table.taken_by(variant);
    let mut needed = required(table, |name| taken.contains(&name));
    needed.extend(variant.requires.iter().copied().map(Json::from));
    let mut then = Map::new();
    insert_unless_empty(&mut then, "required", needed);
    then.insert("propertyNames".into(), json!({ "enum": taken }));
    let mut condition = json!({ "properties": { tag: { "const": variant.word } } });
    let is_default = table.field(tag).is_some_and(
        |field| matches!(field.presence, Presence::Default(Value::Word(default)) if default == variant.word),
    );
    if !is_default {
        condition["required"] = json!([tag]);
    }
    json!({ "if": condition, "then": then })
}

fn tag(table: &Table) -> Option<&'static str> {
    table.variants.as_ref().map(|variants| variants.tag)
}

fn required(table: &Table, taken: impl Fn(&str) -> bool) -> Vec<Json> {
    let is_required = |field: &&Field| matches!(field.presence, Presence::Required) && taken(field.name);
    table.fields.iter().filter(is_required).map(|field| field.name.into()).collect()
}

fn insert_unless_empty(schema: &mut Map<String, Json>, key: &str, values: Vec<Json>) {
    if !values.is_empty() {
        schema.insert(key.into(), values.into());
    }
}

fn property(table: &Table, field: &'static Field, definitions: &mut Map<String, Json>) -> Json {
    let mut schema = shape(table, &field.shape, definitions);
    let description = match (field.presence, &field.shape) {
        (Presence::Otherwise(default), _) => format!("{} Default: {default}", field.about),
        (_, Shape::Duration { .. }) => format!("{} It is {}.", field.about, field.shape.expected()),
        _ => field.about.to_owned(),
    };
    schema["description"] = description.into();
    if let Presence::Default(default) = field.presence {
        schema["default"] = match default {
            Value::Integer(number) => number.into(),
            Value::Number(number) => number.into(),
            Value::Word(word) => word.into(),
            Value::Flag(flag) => flag.into(),
        };
    }
    schema
}

fn shape(of: &Table, shape: &'static Shape, definitions: &mut Map<String, Json>) -> Json {
    match shape {
        Shape::Text(Format::Name) => json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" }),
        Shape::Text(Format::Token) => json!({ "type": "string", "pattern": r"^\S+$" }),
        Shape::Text(Format::Address) => json!({ "type": "string", "pattern": r"^(tcp|http)://\S+$" }),
        Shape::Text(Format::Action) => {
            json!({ "type": "string", "pattern": "^(failover$|(kill|stop|restart|reshard|config|exec):.)" })
        }
        Shape::Text(Format::Filled) => json!({ "type": "string", "minLength": 1 }),
        Shape::Text(Format::Free) => json!({ "type": "string" }),
        Shape::Texts => json!({ "type": "array", "minItems": 1, "items": { "type": "string" } }),
        Shape::Commands => {
            let words = json!({ "type": "array", "minItems": 1, "items": { "type": "string" } });
            json!({ "type": "array", "minItems": 1, "items": words })
        }
        Shape::Choice { words, .. } => json!({ "type": "string", "enum": words }),
        Shape::Tag => json!({ "type": "string", "enum": of.words() }),
        Shape::Integer { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Shape::Number { min, max } => json!({ "type": "number", "minimum": min, "maximum": max }),
        Shape::Duration { .. } => {
            json!({ "type": "string", "pattern": r"^[0-9]{1,20}(\.[0-9]{1,20})?(ns|us|ms|s|m|h)$" })
        }
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Table(inner) => {
            let table = reference(inner, definitions);
            match &inner.variants {
                Some(variants) if variants.shorthand => {
                    json!({ "anyOf": [{ "type": "string", "enum": inner.words() }, table] })
                }
                _ => table,
            }
        }
        Shape::Tables(tables) => {
            let mut items: Vec<_> = tables.iter().map(|table| reference(table, definitions)).collect();
            let item = if items.len() == 1 { items.swap_remove(0) } else { json!({ "anyOf": items }) };
            json!({ "type": "array", "minItems": 1, "items": item })
        }
        Shape::AnyOf(shapes) => {
            let options: Vec<_> = shapes.iter().map(|shape| self::shape(of, shape, definitions)).collect();
            json!({ "anyOf": options })
        }
    }
}

fn reference(inner: &'static Table, definitions: &mut Map<String, Json>) -> Json {
    if !definitions.contains_key(inner.name) {
        let definition = table(inner, definitions);
        definitions.insert(inner.name.to_owned(), definition.into());
    }
    json!({ "$ref": format!("#/$defs/{}", inner.name) })
}
