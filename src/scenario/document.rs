//! Every field that a scenario file may hold, but for those of operations: name, meaning, range and default.

use std::time::Duration;

use super::{
    commands::{SEQUENCE, SINGLE},
    field::{Format, Presence, Shape, Table, Value, Variant, Variants, duration, field, flag, integer, number, whole},
};

/// The whole file.
pub(super) const SCENARIO: Table = Table {
    name: "scenario",
    about: "A load test: services that share one server, and what is expected of it.",
    fields: &[
        field(
            "name",
            "Name of the scenario; result folders begin with it.",
            Shape::Text(Format::Name),
            Presence::Required,
        ),
        field("description", "One sentence for people.", Shape::Text(Format::Free), word("")),
        field(
            "seed",
            "Root of all randomness: the same seed gives the same stream of requests.",
            Shape::Integer { min: 0, max: i64::MAX },
            integer(42),
        ),
        field("run", "How long each phase lasts.", Shape::Table(&RUN), DEFAULTS),
        field("objective", "What the result is judged by.", Shape::Table(&OBJECTIVE), DEFAULTS),
        field("service", "Applications that use the server.", Shape::Tables(&[&SERVICE]), Presence::Required),
        field(
            "dependency",
            "What the services depend on besides: asked for a sign of life before, during and after the load.",
            Shape::Tables(&[&DEPENDENCY]),
            Presence::Otherwise("None."),
        ),
    ],
    variants: None,
};

const RUN: Table = Table {
    name: "run",
    about: "Phases of a run.",
    fields: &[
        field("warmup", "Load that is not measured, before the measured period.", duration(0, HOUR), word("2s")),
        field("duration", "The measured period.", duration(100, 24 * HOUR), word("10s")),
        field("drain", "How long requests under way at its end may take to finish.", duration(0, HOUR), word("5s")),
        field(
            "prefill",
            "Whether keys are written before the warm-up so that reads hit; `false` uses what is there.",
            Shape::Flag,
            flag(true),
        ),
    ],
    variants: None,
};

const OBJECTIVE: Table = Table {
    name: "objective",
    about: "The service level objective: at `percentile`, response time is at most `latency`.",
    fields: &[
        field("latency", "Response time that is still in time.", duration_from_nanos(1_000, HOUR), word("100ms")),
        field(
            "percentile",
            "Percentile of the response time that is judged, in percent.",
            Shape::Number { min: 50.0, max: 99.999 },
            number(99.0),
        ),
        field(
            "max_error_rate",
            "Highest share of failed requests.",
            Shape::Number { min: 0.0, max: 1.0 },
            number(0.001),
        ),
    ],
    variants: None,
};

const SERVICE: Table = Table {
    name: "service",
    about: "One application that uses the server.",
    fields: &[
        field("name", "Its name, unique in the scenario.", Shape::Text(Format::Name), Presence::Required),
        field("database", "Database that its connections select.", whole(0, 255), integer(0)),
        field(
            "username",
            "ACL user. A private server creates it with a random password.",
            Shape::Text(Format::Token),
            Presence::Otherwise("The user of the target."),
        ),
        field(
            "password",
            "Where the password is found; it is never written here. A private server needs none.",
            Shape::AnyOf(&[Shape::Table(&PASSWORD_ENV), Shape::Table(&PASSWORD_FILE)]),
            Presence::Otherwise("The password of the target."),
        ),
        field(
            "instances",
            "Processes of the service, each with a pool of its own and an equal share of the load.",
            whole(1, 1_000),
            integer(1),
        ),
        field(
            "order",
            "How the next operation is chosen: `weighted` at random by weight, `cycle` one after another as listed.",
            Shape::Choice { noun: "order", words: &["weighted", "cycle"] },
            word("weighted"),
        ),
        field("pool", "Connections of each instance.", Shape::Table(&POOL), DEFAULTS),
        field("load", "How requests come about.", Shape::Table(&LOAD), Presence::Required),
        field("keys", "Which keys are touched.", Shape::Table(&KEYS), DEFAULTS),
        field("values", "How large values are.", Shape::Table(&VALUES), DEFAULTS),
        field("operation", "What is sent.", Shape::Tables(&[&SINGLE, &SEQUENCE]), Presence::Required),
    ],
    variants: None,
};

const DEPENDENCY: Table = Table {
    name: "dependency",
    about: "Something that services depend on besides the server.",
    fields: &[
        field("name", "Its name, unique among the dependencies.", Shape::Text(Format::Name), Presence::Required),
        field(
            "address",
            "`tcp://host:port`: it takes connections; `http://host:port/path`: it answers a GET request. It is saved and shown: \
             no secret belongs in it.",
            Shape::Text(Format::Address),
            Presence::Required,
        ),
        field(
            "status",
            "HTTP status that it must answer with.",
            whole(100, 599),
            Presence::Otherwise("Any below 400."),
        ),
    ],
    variants: None,
};

const PASSWORD_ENV: Table = Table {
    name: "password_env",
    about: "A password in an environment variable.",
    fields: &[field("env", "Name of the variable.", Shape::Text(Format::Token), Presence::Required)],
    variants: None,
};

const PASSWORD_FILE: Table = Table {
    name: "password_file",
    about: "A password in a file.",
    fields: &[field("file", "The file; its first line counts.", Shape::Text(Format::Filled), Presence::Required)],
    variants: None,
};

const POOL: Table = Table {
    name: "pool",
    about: "The connection pool of one instance.",
    fields: &[
        field("size", "Number of connections.", whole(1, 100_000), integer(50)),
        field(
            "checkout",
            "How requests share connections: `exclusive`, one request at a time on each as in most client libraries; \
             `shared`, many at a time on each, fred's own way.",
            Shape::Tag,
            word("exclusive"),
        ),
        field("in_flight", "Requests that one connection carries at a time.", whole(1, 100_000), integer(64)),
        field(
            "checkout_timeout",
            "How long a request waits for a connection before it fails.",
            duration(1, HOUR),
            word("20s"),
        ),
        field("command_timeout", "How long a command may take before it fails.", duration(1, HOUR), word("1s")),
        field(
            "health_check",
            "A connection that has been idle for so long is asked for a sign of life (`PING`), as pools do so that neither \
             side closes it; `0s` for never.",
            duration(0, HOUR),
            word("30s"),
        ),
    ],
    variants: Some(Variants {
        tag: "checkout",
        shorthand: false,
        list: || variants(&[("exclusive", &[]), ("shared", &["in_flight"])]),
    }),
};

const LOAD: Table = Table {
    name: "load",
    about: "Where requests come from.",
    fields: &[
        field(
            "model",
            "`open`: requests fall due by a schedule that does not care how the server fares. `closed`: a fixed number \
             of clients, each with one request at a time.",
            Shape::Tag,
            word("open"),
        ),
        field(
            "rate",
            "Operations per second of the whole service.",
            Shape::Number { min: 0.01, max: 10_000_000.0 },
            Presence::Required,
        ),
        field(
            "arrivals",
            "Spacing of due instants: `poisson` (independent users) or `uniform` (equal gaps).",
            Shape::Choice { noun: "spacing of arrivals", words: &["poisson", "uniform"] },
            word("poisson"),
        ),
        field("clients", "Clients of the whole service.", whole(1, 1_000_000), Presence::Required),
        field("think_time", "Pause between a reply and the next request.", duration(0, HOUR), word("0s")),
    ],
    variants: Some(Variants {
        tag: "model",
        shorthand: false,
        list: || variants(&[("open", &["rate", "arrivals"]), ("closed", &["clients", "think_time"])]),
    }),
};

const KEYS: Table = Table {
    name: "keys",
    about: "The keyspace of a service.",
    fields: &[
        field(
            "prefix",
            "Every key starts with it, and whatever starts with it is removed after the run.",
            Shape::Text(Format::Token),
            Presence::Otherwise("`plimsoll:` and the name of the service and `:`."),
        ),
        field(
            "count",
            "Number of string keys; hashes are as many while they hold no more than 500 000 fields.",
            whole(1, 1_000_000_000),
            integer(10_000),
        ),
        field(
            "access",
            "Which keys are touched how often: a distribution's name, or a table with its parameters.",
            Shape::Table(&ACCESS),
            Presence::Otherwise("`uniform`."),
        ),
    ],
    variants: None,
};

const ACCESS: Table = Table {
    name: "access",
    about: "Popularity of keys.",
    fields: &[
        field(
            "distribution",
            "`uniform`: all alike. `zipf`: rank r in proportion to r^-exponent. `hotspot`: a share of the keys takes a \
             share of the requests. `latest`: zipf from the newest key, which moves on with every request. \
             `sequential`: one after another. `gaussian`: normal around the middle.",
            Shape::Tag,
            word("uniform"),
        ),
        field("exponent", "Skew; YCSB uses 0.99.", Shape::Number { min: 0.01, max: 10.0 }, number(0.99)),
        field("keys", "Hot share of the keys.", Shape::Number { min: 0.000_001, max: 1.0 }, number(0.2)),
        field("requests", "Share of the requests that go there.", Shape::Number { min: 0.0, max: 1.0 }, number(0.8)),
        field(
            "deviation",
            "Standard deviation as a share of the keyspace.",
            Shape::Number { min: 0.000_1, max: 10.0 },
            number(0.1),
        ),
    ],
    variants: Some(Variants {
        tag: "distribution",
        shorthand: true,
        list: || {
            variants(&[
                ("uniform", &[]),
                ("zipf", &["exponent"]),
                ("hotspot", &["keys", "requests"]),
                ("latest", &["exponent"]),
                ("sequential", &[]),
                ("gaussian", &["deviation"]),
            ])
        },
    }),
};

const VALUES: Table = Table {
    name: "values",
    about: "Values, elements and messages that are written.",
    fields: &[field(
        "size",
        "Bytes: a number, or a table for sizes that vary.",
        Shape::AnyOf(&[SIZE, Shape::Table(&SIZE_RANGE), Shape::Table(&SIZE_LOGNORMAL)]),
        integer(256),
    )],
    variants: None,
};

const SIZE: Shape = whole(1, 64 << 20);

const SIZE_RANGE: Table = Table {
    name: "size_range",
    about: "Sizes spread evenly between two.",
    fields: &[
        field("min", "Smallest, in bytes.", SIZE, Presence::Required),
        field("max", "Largest, in bytes.", SIZE, Presence::Required),
    ],
    variants: None,
};

const SIZE_LOGNORMAL: Table = Table {
    name: "size_lognormal",
    about: "Sizes of a log-normal distribution: most are small, a few are large.",
    fields: &[field("lognormal", "Its parameters.", Shape::Table(&LOGNORMAL), Presence::Required)],
    variants: None,
};

const LOGNORMAL: Table = Table {
    name: "lognormal",
    about: "A log-normal distribution of sizes.",
    fields: &[
        field("median", "Half of the values are smaller, in bytes.", SIZE, Presence::Required),
        field(
            "sigma",
            "Standard deviation of the natural logarithm.",
            Shape::Number { min: 0.001, max: 5.0 },
            Presence::Required,
        ),
        field("max", "Largest, in bytes; the tail is cut there.", SIZE, Presence::Required),
    ],
    variants: None,
};

const HOUR: u64 = 3_600_000;

/// Of a table that may be left out.
const DEFAULTS: Presence = Presence::Otherwise("The defaults of its fields.");

const fn duration_from_nanos(min: u64, max: u64) -> Shape {
    Shape::Duration { min: Duration::from_nanos(min), max: Duration::from_millis(max) }
}

const fn word(default: &'static str) -> Presence {
    Presence::Default(Value::Word(default))
}

fn variants(list: &[(&'static str, &'static [&'static str])]) -> Vec<Variant> {
    list.iter().map(|&(word, takes)| Variant { word, takes, requires: &[] }).collect()
}
