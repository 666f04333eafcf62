//! From the operations of a service in the file to commands with all defaults filled in.

use std::{collections::HashMap, slice, time::Duration};

use super::{
    commands::SEQUENCE,
    field::grouped,
    model::{Action, Command, Keys, Operation, Order, Words},
    placeholders,
    reader::Section,
};
use crate::operation::{DataType, Kind, Parameters, Spec};

/// Elements that collections without a given number of keys may hold in all.
const ELEMENTS: u64 = 500_000;
/// Elements that any collections may hold in all: more would not be written in minutes.
const MOST_ELEMENTS: u64 = 100_000_000;
/// Commands that end, take over or change the connection, or touch keys that are not the scenario's.
const REFUSED: &[&str] = &[
    "AUTH",
    "CLIENT",
    "DISCARD",
    "EXEC",
    "FLUSHALL",
    "FLUSHDB",
    "HELLO",
    "MONITOR",
    "MULTI",
    "PSUBSCRIBE",
    "PSYNC",
    "QUIT",
    "RESET",
    "SELECT",
    "SHUTDOWN",
    "SSUBSCRIBE",
    "SUBSCRIBE",
    "SWAPDB",
    "SYNC",
];

/// An operation as it stands in the file, with the steps of a sequence.
struct Entry<'a> {
    section: Section<'a>,
    steps: Vec<Section<'a>>,
}

impl<'a> Entry<'a> {
    fn commands(&self) -> &[Section<'a>] {
        if self.is_sequence() { &self.steps } else { slice::from_ref(&self.section) }
    }

    fn is_sequence(&self) -> bool {
        self.section.name() == SEQUENCE.name
    }
}

/// Number of collections of one type and of elements in each, as far as some operation gives them, with its line.
#[derive(Default)]
struct Given {
    keys: Option<(u64, usize)>,
    members: Option<(u64, usize)>,
}

/// Reads commands around the load; none where there are none.
pub(super) fn around(service: &Section<'_>, name: &str, keys: Option<&Keys>) -> Option<Vec<Words>> {
    if !service.gives(name) {
        return Some(Vec::new());
    }
    let commands = service.commands(name)?;
    for words in &commands {
        refuse_dangerous(service, name, &words[0]);
    }
    placeholders::refuse_unknown(service, name, placeholders::OF_SERVICE);
    let keys = keys?;
    Some(commands.into_iter().map(|words| with_prefix(words, keys)).collect())
}

/// Words with the prefix of the service's keys.
fn with_prefix(words: Words, keys: &Keys) -> Words {
    words.into_iter().map(|word| word.replace("{prefix}", &keys.prefix)).collect()
}

/// Reads the operations of a service with these keys.
pub(super) fn read(service: &Section<'_>, order: Option<Order>, keys: Option<&Keys>) -> Option<Vec<Operation>> {
    let entries: Vec<_> = service
        .sections("operation")?
        .into_iter()
        .map(|section| {
            let is_sequence = section.name() == SEQUENCE.name;
            let steps = if is_sequence { section.sections("sequence").unwrap_or_default() } else { Vec::new() };
            Entry { section, steps }
        })
        .collect();
    let given = given_shapes(entries.iter().flat_map(Entry::commands));
    let mut lines: HashMap<String, usize> = HashMap::new();
    let operations: Vec<_> = entries
        .iter()
        .map(|entry| {
            let operation = operation(entry, order, &given, keys);
            if let Some(operation) = &operation {
                refuse_duplicate(entry, &operation.name, &mut lines);
            }
            operation
        })
        .collect();
    operations.into_iter().collect()
}

fn refuse_duplicate(entry: &Entry<'_>, name: &str, lines: &mut HashMap<String, usize>) {
    let field = if entry.section.gives("name") { "name" } else { "command" };
    let line = entry.section.line(field);
    if let Some(first) = lines.insert(name.to_owned(), line) {
        let message = format!(r#"duplicate name "{name}", first used in line {first}: rename one of the operations"#);
        entry.section.reject(field, message);
    }
}

fn given_shapes<'s, 'a: 's>(commands: impl Iterator<Item = &'s Section<'a>>) -> HashMap<DataType, Given> {
    let mut shapes: HashMap<DataType, Given> = HashMap::new();
    for section in commands {
        let Some(spec) = spec(section).filter(|spec| spec.data.is_collection()) else { continue };
        let given = shapes.entry(spec.data).or_default();
        for (name, slot) in [("keys", &mut given.keys), ("members", &mut given.members)] {
            if !section.gives(name) {
                continue;
            }
            let Some(number) = section.integer::<u64>(name) else { continue };
            let (first, line) = *slot.get_or_insert((number, section.line(name)));
            if first != number {
                section.reject(
                    name,
                    format!(
                        "{} differs from {} in line {line}: all operations on {} of a service share one number",
                        grouped_unsigned(number),
                        grouped_unsigned(first),
                        spec.data.plural(),
                    ),
                );
            }
        }
    }
    shapes
}

fn spec(section: &Section<'_>) -> Option<&'static Spec> {
    Spec::named(section.variant()?)
}

fn operation(
    entry: &Entry<'_>,
    order: Option<Order>,
    given: &HashMap<DataType, Given>,
    keys: Option<&Keys>,
) -> Option<Operation> {
    let section = &entry.section;
    let weight = section.number("weight");
    if order == Some(Order::Cycle) && section.gives("weight") {
        section.reject("weight", r#"has no effect with order "cycle": remove it"#);
    }
    let name = section.text("name");
    let commands: Vec<_> = entry.commands().iter().map(|section| command(section, given, keys)).collect();
    let mut commands = commands.into_iter().collect::<Option<Vec<_>>>();
    if entry.is_sequence() {
        let transaction = section.flag("transaction");
        let action = Action::Sequence { steps: commands.filter(|steps| !steps.is_empty())?, transaction: transaction? };
        return Some(Operation { name: name?, weight: weight?, action });
    }
    let command = commands.as_mut().and_then(Vec::pop)?;
    let name = if section.gives("name") { name? } else { command.kind.spec().name.to_owned() };
    Some(Operation { name, weight: weight?, action: Action::Single(command) })
}

fn command(section: &Section<'_>, given: &HashMap<DataType, Given>, service: Option<&Keys>) -> Option<Command> {
    let spec = spec(section)?;
    let args = if spec.takes("args") { section.texts("args") } else { None };
    let hit = if spec.takes("hit") { section.choice("hit").and_then(|word| word.parse().ok()) } else { None };
    let script = if spec.takes("script") { section.text("script") } else { None };
    if let (Kind::Raw, Some([word, ..])) = (spec.kind, args.as_deref()) {
        refuse_dangerous(section, "args", word);
    }
    placeholders::refuse_unknown(section, "args", placeholders::OF_REQUEST);
    if let Some(script) = &script {
        refuse_dangerous_script(section, script);
        placeholders::refuse_in_script(section, script);
    }
    let by = if spec.takes("by") { section.integer("by") } else { Some(1) };
    let expire = expiry(section, spec);
    let service = service?;
    let count = service.count;
    let (keys, members) = match given.get(&spec.data) {
        Some(given) => shape(section, spec.data, given, count),
        None if spec.takes("keys") && section.gives("keys") => (section.integer("keys")?, count),
        None if spec.takes("keys") => (count.min(1_000), count),
        None => (count, count),
    };
    let usual_batch = if matches!(spec.kind, Kind::MGet | Kind::MSet | Kind::HMGet) { 10 } else { 1 };
    let batch = elements(section, spec, "batch", usual_batch, members);
    let range = elements(section, spec, "range", 10, members);
    let parameters = Parameters {
        keys,
        members,
        batch: batch?,
        range: range?,
        by: by?,
        expire: expire?,
        script,
        args: with_prefix(args.unwrap_or_default(), service),
        hit,
    };
    Some(Command { kind: spec.kind, parameters })
}

/// Number of collections and of elements in each.
fn shape(section: &Section<'_>, data: DataType, given: &Given, count: u64) -> (u64, u64) {
    let usual_members = match data {
        DataType::Hash => 10,
        DataType::SortedSet | DataType::Stream => 1_000,
        _ => 100,
    };
    let members = given.members.map_or(usual_members, |(members, _)| members);
    let usual_keys = if data == DataType::Hash { count } else { count.min(1_000) };
    let keys = given.keys.map_or(usual_keys.min((ELEMENTS / members).max(1)), |(keys, _)| keys);
    if section.gives("keys") && keys * members > MOST_ELEMENTS {
        let elements = grouped_unsigned(keys * members);
        let most = grouped_unsigned(MOST_ELEMENTS);
        section.reject("keys", format!("keys x members are {elements} elements; {most} at most"));
    }
    (keys, members)
}

/// A number of elements of one command, which cannot be more than there are.
fn elements(section: &Section<'_>, spec: &Spec, name: &str, usual: u32, available: u64) -> Option<u32> {
    if !spec.takes(name) {
        return Some(1);
    }
    if !section.gives(name) {
        return Some(u32::try_from(available).map_or(usual, |available| usual.min(available)));
    }
    let number: u32 = section.integer(name)?;
    if u64::from(number) > available {
        let (number, available) = (grouped_unsigned(number.into()), grouped_unsigned(available));
        let what = if spec.data.is_collection() { "elements of each collection" } else { "keys of the service" };
        section.reject(name, format!("{number} is more than the {available} {what}"));
    }
    Some(number)
}

/// The expiry that a command gives; the outer `None` where it is wrong.
#[expect(clippy::option_option, reason = "wrong and without an expiry are two things")]
fn expiry(section: &Section<'_>, spec: &Spec) -> Option<Option<Duration>> {
    const USUAL: Duration = Duration::from_secs(3600);
    if !spec.takes("expire") {
        return Some(None);
    }
    if !section.gives("expire") {
        return Some((spec.kind == Kind::Expire).then_some(USUAL));
    }
    let expire = section.duration("expire")?;
    if spec.kind == Kind::Expire && expire.subsec_nanos() != 0 {
        section.reject("expire", "EXPIRE has a resolution of seconds");
    }
    if expire.subsec_nanos() % 1_000_000 != 0 {
        section.reject("expire", "an expiry has a resolution of milliseconds");
    }
    Some(Some(expire))
}

fn refuse_dangerous(section: &Section<'_>, field: &str, word: &str) {
    let upper = word.to_uppercase();
    if REFUSED.contains(&upper.as_str()) {
        let message = format!("{upper} changes the connection or other keys than the scenario's, and is refused");
        section.reject(field, message);
    } else if word.trim().is_empty() {
        section.reject(field, "the first word is the name of the command");
    }
}

/// Refuses scripts that name such a command in quotes, as `redis.call` takes it. A script that puts the name together is not
/// seen through: this is against accidents.
fn refuse_dangerous_script(section: &Section<'_>, script: &str) {
    let upper = script.to_uppercase();
    let named = |word: &&&str| ['"', '\''].iter().any(|quote| upper.contains(&format!("{quote}{word}{quote}")));
    if let Some(word) = REFUSED.iter().find(named) {
        let message = format!(
            "calls {word}, which changes the connection or touches other keys than the scenario's; it is not sent"
        );
        section.reject("script", message);
    }
}

fn grouped_unsigned(number: u64) -> String {
    i64::try_from(number).map_or_else(|_| number.to_string(), grouped)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{
        operation::{HitRule, Kind, Parameters},
        scenario::{Action, Scenario, parse},
    };

    fn scenario(count: u64, operations: &str) -> Scenario {
        let head = "name = \"x\"\n[[service]]\nname = \"a\"\nload.rate = 1\n";
        parse(&format!("{head}keys.count = {count}\noperation = [{operations}]"), "x.toml").unwrap()
    }

    /// Parameters of each single operation.
    fn parameters(count: u64, operations: &str) -> Vec<Parameters> {
        let service = scenario(count, operations).services.swap_remove(0);
        let single = |action| match action {
            Action::Single(command) => command.parameters,
            Action::Sequence { .. } => panic!("no sequence here"),
        };
        service.operations.into_iter().map(|operation| single(operation.action)).collect()
    }

    fn shape(count: u64, operation: &str) -> (u64, u64) {
        let parameters = parameters(count, operation);
        (parameters[0].keys, parameters[0].members)
    }

    #[test]
    fn scripts_that_empty_the_server_are_refused() {
        let script = |script: &str| {
            let text = format!(
                "name = \"a\"\n[[service]]\nname = \"api\"\nload = {{ model = \"closed\", clients = 1 }}\n\
                 [[service.operation]]\ncommand = \"EVAL\"\nscript = \"\"\"{script}\"\"\"\n"
            );
            parse(&text, "a.toml").map(|_| ()).map_err(|errors| errors.to_string())
        };
        assert_eq!(script("return redis.call('get', KEYS[1])"), Ok(()));
        for bad in ["redis.call('flushall')", "redis.pcall(\"FLUSHDB\", 'ASYNC')"] {
            let errors = script(bad).unwrap_err();
            assert!(errors.contains("script") && errors.contains("calls FLUSH"), "{errors}");
        }
    }

    #[test]
    fn collections_have_a_usual_shape_within_bounds() {
        assert_eq!(shape(10_000, r#"{ command = "HGET" }"#), (10_000, 10));
        assert_eq!(shape(1_000_000, r#"{ command = "HGET" }"#), (50_000, 10));
        assert_eq!(shape(10_000, r#"{ command = "LLEN" }"#), (1_000, 100));
        assert_eq!(shape(10_000, r#"{ command = "SCARD" }"#), (1_000, 100));
        assert_eq!(shape(10_000, r#"{ command = "ZCARD" }"#), (500, 1_000));
        assert_eq!(shape(10_000, r#"{ command = "XRANGE" }"#), (500, 1_000));
        assert_eq!(shape(3, r#"{ command = "ZCARD" }"#), (3, 1_000));
        assert_eq!(shape(10_000, r#"{ command = "ZCARD", members = 2_000_000 }"#), (1, 2_000_000));
    }

    #[test]
    fn operations_on_one_type_share_a_shape() {
        let shapes: Vec<_> = parameters(
            10_000,
            r#"{ command = "ZCARD" }, { command = "ZADD", members = 50, batch = 5 }, { command = "ZRANK", keys = 7 }, { command = "LLEN" }"#,
        )
        .into_iter()
        .map(|parameters| (parameters.keys, parameters.members))
        .collect();
        assert_eq!(shapes, [(7, 50), (7, 50), (7, 50), (1_000, 100)]);
    }

    #[test]
    fn steps_of_sequences_share_it_too() {
        let scenario = scenario(
            100,
            r#"{ name = "s", sequence = [{ command = "LPUSH" }, { command = "LLEN", members = 9 }], transaction = true }, { command = "LRANGE" }"#,
        );
        let operations = &scenario.services[0].operations;
        let Action::Sequence { steps, transaction } = &operations[0].action else { panic!("a sequence") };
        assert!(transaction);
        assert_eq!(steps.iter().map(|step| step.parameters.members).collect::<Vec<_>>(), [9, 9]);
        let Action::Single(range) = &operations[1].action else { panic!("a command") };
        assert_eq!((range.kind, range.parameters.range), (Kind::LRange, 9));
    }

    #[test]
    fn the_rest_has_usual_values() {
        let of = |command: &str| parameters(10_000, &format!("{{ {command} }}")).swap_remove(0);
        assert_eq!(of(r#"command = "MGET""#).batch, 10);
        assert_eq!(of(r#"command = "DEL""#).batch, 1);
        assert_eq!(of(r#"command = "ZRANGE""#).range, 10);
        assert_eq!(of(r#"command = "INCRBY", by = -3"#).by, -3);
        assert_eq!(of(r#"command = "SET""#).expire, None);
        assert_eq!(of(r#"command = "SET", expire = "1500ms""#).expire, Some(Duration::from_millis(1500)));
        assert_eq!(of(r#"command = "EXPIRE""#).expire, Some(Duration::from_secs(3600)));
        let raw = of(r#"command = "RAW", args = ["FT.SEARCH", "{prefix}index", "{key}"], hit = "count""#);
        assert_eq!(
            (raw.args, raw.hit),
            (["FT.SEARCH", "plimsoll:a:index", "{key}"].map(str::to_owned).to_vec(), Some(HitRule::Count))
        );
        assert_eq!(of(r#"command = "EVAL", script = "return 1""#).script.as_deref(), Some("return 1"));
        assert_eq!(of(r#"command = "PUBLISH""#).keys, 1_000);
        assert_eq!(of(r#"command = "PUBLISH", keys = 5"#).keys, 5);
        assert_eq!(of(r#"command = "GET""#).keys, 10_000);
    }
}
