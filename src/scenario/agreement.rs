//! Tests that hold parser and schema together: documents made from the declarations, whole and damaged in every field,
//! are accepted or refused by both alike.

use serde_json::{Value as Json, json};

use super::{
    ScenarioError,
    builtin::BUILTIN,
    document::SCENARIO,
    duration::format_duration,
    field::{Format, Shape, Table},
    parse, schema,
};

/// Steps into a document: names of fields and numbers of items.
type Place = Vec<String>;

/// The variant to show of one table; all other tables show their first.
#[derive(Clone, Copy)]
struct Pick {
    table: &'static str,
    variant: usize,
}

fn tables(table: &'static Table, found: &mut Vec<&'static Table>) {
    if found.iter().any(|known| known.name == table.name) {
        return;
    }
    found.push(table);
    for field in table.fields {
        for table in inner(&field.shape) {
            tables(table, found);
        }
    }
}

fn inner(shape: &Shape) -> Vec<&'static Table> {
    match shape {
        Shape::Table(table) => vec![table],
        Shape::Tables(tables) => tables.to_vec(),
        Shape::AnyOf(shapes) => shapes.iter().flat_map(inner).collect(),
        _ => Vec::new(),
    }
}

fn leads_to(table: &'static Table, name: &str) -> bool {
    let mut found = Vec::new();
    tables(table, &mut found);
    found.iter().any(|table| table.name == name)
}

/// A document with every field that its variants take.
fn full(table: &'static Table, pick: Pick) -> Json {
    let variants = table.variants();
    let variant = variants.get(if pick.table == table.name { pick.variant } else { 0 });
    let names = variant.map_or_else(|| table.names().collect(), |variant| table.taken_by(*variant));
    let fields = table.fields.iter().filter(|field| names.contains(&field.name));
    fields
        .map(|field| {
            let value = match (&field.shape, variant) {
                (Shape::Tag, Some(variant)) => variant.word.into(),
                (shape, _) => example(shape, pick),
            };
            (field.name.to_owned(), value)
        })
        .collect()
}

fn example(shape: &'static Shape, pick: Pick) -> Json {
    match shape {
        Shape::Text(Format::Address) => "http://localhost:1/".into(),
        Shape::Text(Format::Action) => "failover".into(),
        Shape::Text(_) => "text".into(),
        Shape::Texts => json!(["{key}"]),
        Shape::Commands => json!([["DBSIZE"]]),
        Shape::Choice { words, .. } => words[0].into(),
        Shape::Tag => unreachable!("shown by its table"),
        Shape::Integer { min, max } => 1.clamp(*min, *max).into(),
        Shape::Number { min, max } => 1.5_f64.clamp(*min, *max).into(),
        // An event at the longest time would need a longer period than the default.
        Shape::Duration { min, max } => format_duration(if min.is_zero() { *min } else { *max }).into(),
        Shape::Flag => true.into(),
        Shape::Table(table) => full(table, pick),
        Shape::Tables(tables) => {
            let chosen = tables.iter().find(|table| leads_to(table, pick.table)).unwrap_or(&tables[0]);
            json!([full(chosen, pick)])
        }
        Shape::AnyOf(shapes) => {
            let leads = |shape: &&Shape| inner(shape).into_iter().any(|table| leads_to(table, pick.table));
            example(shapes.iter().find(leads).unwrap_or(&shapes[0]), pick)
        }
    }
}

/// A full document for every variant of every table.
fn documents() -> Vec<Json> {
    let mut found = Vec::new();
    tables(&SCENARIO, &mut found);
    let picks = found
        .into_iter()
        .flat_map(|table| (0..table.variants().len().max(1)).map(|variant| Pick { table: table.name, variant }));
    picks.map(|pick| full(&SCENARIO, pick)).collect()
}

/// Every place in a document.
fn places(value: &Json, here: &Place, found: &mut Vec<Place>) {
    let entries: Vec<(String, &Json)> = match value {
        Json::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Json::Array(items) if items.iter().all(Json::is_object) => {
            items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        _ => return,
    };
    for (step, value) in entries {
        let place: Place = here.iter().cloned().chain([step]).collect();
        places(value, &place, found);
        found.push(place);
    }
}

fn pointer(place: &[String]) -> String {
    place.iter().flat_map(|step| ["/", step]).collect()
}

fn is_item(place: &Place) -> bool {
    place.last().is_some_and(|step| step.parse::<usize>().is_ok())
}

struct Judges {
    schema: jsonschema::Validator,
}

impl Judges {
    fn new() -> Self {
        Self { schema: jsonschema::draft202012::new(&schema()).expect("the schema is one") }
    }

    /// Whether a document is accepted by the schema and by the reader.
    fn accept(&self, document: &Json) -> bool {
        let text = toml::to_string(document).unwrap();
        let by_parser = parse(&text, "test.toml");
        let by_schema = self.schema.validate(document);
        assert_eq!(by_parser.is_ok(), by_schema.is_ok(), "{by_parser:?}\n{by_schema:?}\n{text}");
        by_parser.is_ok()
    }
}

#[test]
fn the_schema_is_a_schema() {
    assert!(jsonschema::draft202012::meta::is_valid(&schema()));
}

#[test]
fn accepts_every_builtin() {
    let judges = Judges::new();
    for (name, text) in BUILTIN {
        let document: Json = toml::from_str(text).unwrap();
        if let Err(error) = judges.schema.validate(&document) {
            panic!("{name}: {error} at {}", error.instance_path());
        }
    }
}

#[test]
fn every_declared_field_is_taken() {
    let judges = Judges::new();
    for document in documents() {
        assert!(judges.accept(&document), "{document:#}");
    }
}

#[test]
fn both_refuse_an_unknown_field_in_every_table() {
    let judges = Judges::new();
    for document in documents() {
        let mut found = vec![Vec::new()];
        places(&document, &Vec::new(), &mut found);
        for place in found {
            let mut damaged = document.clone();
            let value = damaged.pointer_mut(&pointer(&place)).unwrap();
            if let Some(fields) = value.as_object_mut() {
                fields.insert("nonsense".to_owned(), json!(1));
                assert!(!judges.accept(&damaged), "{damaged:#}");
            }
        }
    }
}

#[test]
fn both_refuse_a_wrong_type_in_every_field() {
    let judges = Judges::new();
    for document in documents() {
        let mut found = Vec::new();
        places(&document, &Vec::new(), &mut found);
        for place in found.into_iter().filter(|place| !is_item(place)) {
            let mut damaged = document.clone();
            *damaged.pointer_mut(&pointer(&place)).unwrap() = json!([[0]]);
            assert!(!judges.accept(&damaged), "{damaged:#}");
            let errors = parse(&toml::to_string(&damaged).unwrap(), "test.toml").unwrap_err();
            let field = place.last().unwrap();
            let names_it = errors.iter().any(|error| match error {
                ScenarioError::Invalid { path, .. } => path.dotted().split('.').next_back() == Some(field),
                _ => false,
            });
            assert!(names_it, "the parser reads {}: {errors}", place.join("."));
        }
    }
}

#[test]
fn both_agree_on_what_may_be_left_out() {
    let judges = Judges::new();
    let (mut needed, mut optional) = (0, 0);
    for document in documents() {
        let mut found = Vec::new();
        places(&document, &Vec::new(), &mut found);
        for place in found.into_iter().filter(|place| !is_item(place)) {
            let mut damaged = document.clone();
            let (field, table) = place.split_last().unwrap();
            damaged.pointer_mut(&pointer(table)).unwrap().as_object_mut().unwrap().remove(field);
            *if judges.accept(&damaged) { &mut optional } else { &mut needed } += 1;
        }
    }
    assert!(needed > 0 && optional > needed, "{needed} needed, {optional} optional");
}

#[test]
fn both_refuse_what_is_out_of_range() {
    let judges = Judges::new();
    let document = documents().swap_remove(0);
    let mut tried = 0;
    let mut found = Vec::new();
    places(&document, &Vec::new(), &mut found);
    for place in found {
        let value = document.pointer(&pointer(&place)).unwrap();
        if !value.is_number() {
            continue;
        }
        let mut damaged = document.clone();
        *damaged.pointer_mut(&pointer(&place)).unwrap() = json!(-1_000_001);
        assert!(!judges.accept(&damaged), "{damaged:#}");
        tried += 1;
    }
    assert!(tried > 5, "{tried} numbers tried");
}

#[test]
fn names_look_alike_to_both() {
    let judges = Judges::new();
    let document = documents().swap_remove(0);
    for name in ["a", "", "a b", "a/b", "a.b", "é", &"x".repeat(64), &"x".repeat(65)] {
        let mut named = document.clone();
        named["name"] = name.into();
        assert_eq!(judges.accept(&named), Format::Name.accepts(name), "{name}");
    }
}
