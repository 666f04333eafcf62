//! Every field that an operation of a scenario may hold: name, meaning, range and default. Which command takes which
//! parameter is said by the table of operations.

use strum::VariantNames as _;

use super::field::{
    Field, Format, Presence, Shape, Table, Variant, Variants, duration, field, flag, integer, number, whole,
};
use crate::operation::{HitRule, Kind, Spec};

/// An operation that is one command.
pub(super) const SINGLE: Table = Table {
    name: "operation",
    about: "An operation that is one command.",
    fields: &[
        field(
            "name",
            "Name, unique in the service.",
            Shape::Text(Format::Name),
            Presence::Otherwise("The name of its command."),
        ),
        COMMAND,
        WEIGHT,
        KEYS,
        MEMBERS,
        BATCH,
        RANGE,
        BY,
        EXPIRE,
        SCRIPT,
        ARGS,
        HIT,
    ],
    variants: COMMANDS,
};

/// An operation that is several commands.
pub(super) const SEQUENCE: Table = Table {
    name: "sequence",
    about: "An operation that is several commands in order on one connection, measured as a whole and per step.",
    fields: &[
        field("name", "Name, unique in the service.", Shape::Text(Format::Name), Presence::Required),
        WEIGHT,
        field("sequence", "The commands.", Shape::Tables(&[&STEP]), Presence::Required),
        field("transaction", "Whether `MULTI` and `EXEC` are put around them.", Shape::Flag, flag(false)),
    ],
    variants: None,
};

const STEP: Table = Table {
    name: "step",
    about: "A command of a sequence.",
    fields: &[COMMAND, KEYS, MEMBERS, BATCH, RANGE, BY, EXPIRE, SCRIPT, ARGS, HIT],
    variants: COMMANDS,
};

const COMMANDS: Option<Variants> = Some(Variants {
    tag: "command",
    shorthand: false,
    list: || {
        Spec::in_scenarios()
            .map(|spec| Variant { word: spec.name, takes: spec.parameters, requires: required(spec.kind) })
            .collect()
    },
});

const COMMAND: Field =
    field("command", "The command, in capitals; `RAW` is any other.", Shape::Tag, Presence::Required);

const WEIGHT: Field = field(
    "weight",
    "Weight relative to the other operations of the service; only with order `weighted`.",
    Shape::Number { min: 0.000_001, max: 1_000_000_000.0 },
    number(1.0),
);

const KEYS: Field = field(
    "keys",
    "Number of collections, or of channels for `PUBLISH`. One number for all operations on a type of data.",
    whole(1, 100_000_000),
    Presence::Otherwise(
        "At most 1 000 (hashes: as many as `keys.count`) and as few as keep the elements at or below 500 000.",
    ),
);

const MEMBERS: Field = field(
    "members",
    "Fields of each hash, elements of each list (trimmed to this number at twice as many), members of each set or \
     sorted set, entries of each stream. One number for all operations on a type of data.",
    whole(1, 10_000_000),
    Presence::Otherwise("Hashes 10, lists and sets 100, sorted sets and streams 1 000."),
);

const BATCH: Field = field(
    "batch",
    "Keys, fields, members or elements per command.",
    whole(1, 1_000_000),
    Presence::Otherwise("1; 10 for `MGET`, `MSET` and `HMGET`."),
);

const RANGE: Field = field(
    "range",
    "Number of returned elements.",
    whole(1, 1_000_000),
    Presence::Otherwise("10, or all where there are fewer."),
);

const BY: Field = field("by", "Increment.", whole(-1_000_000, 1_000_000), integer(1));

const EXPIRE: Field = field(
    "expire",
    "Expiry; whole seconds for `EXPIRE`.",
    duration(1, 365 * 24 * 3_600_000),
    Presence::Otherwise("No expiry for `SET`, \"1h\" for `EXPIRE`."),
);

const SCRIPT: Field =
    field("script", "Lua source; `KEYS[1]` is a string key.", Shape::Text(Format::Filled), Presence::Required);

const ARGS: Field = field(
    "args",
    "`RAW`: the words of the command, its name first. `EVAL`: `ARGV`. `{key}`, `{value}`, `{member}` and `{prefix}` (that of the \
     service's keys) are filled in; other text in braces stands for itself.",
    Shape::Texts,
    Presence::Otherwise("No `ARGV`; only for `EVAL`."),
);

const HIT: Field = field(
    "hit",
    "Reply of a `RAW` command that is a hit; any other is a miss. `non-null`: any but nil. `non-empty`: any but nil, an empty \
     string, and an array, set or map without elements. `count`: an integer above 0, and an array, set or map with one among its \
     elements or values (`FT.SEARCH`).",
    Shape::Choice { noun: "rule for hits", words: HitRule::VARIANTS },
    Presence::Otherwise("Neither hits nor misses are counted."),
);

/// Commands of a service before the load.
pub(super) const SETUP: Field = field(
    "setup",
    "Commands that are sent once before the data is written, each a list of its words; `{prefix}` is filled in. An error ends \
     the run. They are not sent where the run writes no data (`prefill = false`).",
    Shape::Commands,
    Presence::Otherwise("None."),
);

/// Commands of a service after the load.
pub(super) const CLEANUP: Field = field(
    "cleanup",
    "Commands that are sent once before the data is removed, each a list of its words; `{prefix}` is filled in. `plimsoll clean` \
     sends them too.",
    Shape::Commands,
    Presence::Otherwise("None."),
);

const fn required(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Raw => &["args"],
        _ => &[],
    }
}
