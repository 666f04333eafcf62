//! Every field that a scenario file may hold, but for those of operations: name, meaning, range and default.

use std::time::Duration;

use strum::VariantNames as _;

use super::{
    commands::{CLEANUP, SEQUENCE, SETUP, SINGLE},
    event,
    field::{Format, Presence, Shape, Table, Value, Variant, Variants, duration, field, flag, integer, number, whole},
    model::{Client, ReadFrom},
    tls, write_audit,
};

/// The whole file.
pub(super) const SCENARIO: Table = Table {
    name: "scenario",
    about: "A load test: services that share one server, and its objective.",
    fields: &[
        field(
            "name",
            "Name of the scenario, and prefix of result folders.",
            Shape::Text(Format::Name),
            Presence::Required,
        ),
        field("description", "Description, one sentence.", Shape::Text(Format::Free), word("")),
        field(
            "seed",
            "Seed of the random numbers: equal seeds give equal streams of requests.",
            Shape::Integer { min: 0, max: i64::MAX },
            integer(42),
        ),
        field("run", "Lengths of the phases.", Shape::Table(&RUN), DEFAULTS),
        field("objective", "Objective of the response time.", Shape::Table(&OBJECTIVE), DEFAULTS),
        field(
            "tls",
            "TLS of the target; it applies to `rediss://` and `valkeys://`. Options and variables of the environment come first.",
            Shape::Table(&tls::TABLE),
            DEFAULTS,
        ),
        field("service", "Applications that use the server.", Shape::Tables(&[&SERVICE]), Presence::Required),
        field(
            "dependency",
            "Other dependencies of the services, probed before, during and after the load.",
            Shape::Tables(&[&DEPENDENCY]),
            Presence::Otherwise("None."),
        ),
        field(
            "event",
            "What `plimsoll run` does to its private server during the measured period.",
            Shape::Tables(&[&event::TABLE]),
            Presence::Otherwise("None."),
        ),
        field(
            "audit_writes",
            "Audit of acknowledged writes; an empty table has the defaults. Only for runs.",
            Shape::Table(&write_audit::TABLE),
            Presence::Otherwise("No audit."),
        ),
    ],
    variants: None,
};

const RUN: Table = Table {
    name: "run",
    about: "Phases of a run.",
    fields: &[
        field("warmup", "Length of the load before the measured period.", duration(0, HOUR), word("2s")),
        field("duration", "Length of the measured period.", duration(100, 24 * HOUR), word("10s")),
        field(
            "drain",
            "Time limit for requests under way at the end of the measured period.",
            duration(0, HOUR),
            word("5s"),
        ),
        field(
            "prefill",
            "Whether keys are written before the warm-up, so that reads hit; `false` uses existing keys.",
            Shape::Flag,
            flag(true),
        ),
        field("pin", "Whether each worker thread is pinned to a core.", Shape::Flag, flag(false)),
    ],
    variants: None,
};

const OBJECTIVE: Table = Table {
    name: "objective",
    about: "The service level objective: at `percentile`, response time is at most `latency`.",
    fields: &[
        field("latency", "Longest response time that is in time.", duration_from_nanos(1_000, HOUR), word("100ms")),
        field(
            "percentile",
            "Judged percentile of the response time, in percent.",
            Shape::Number { min: 50.0, max: 99.999 },
            number(99.0),
        ),
        field(
            "max_error_rate",
            "Highest share of failed requests.",
            Shape::Number { min: 0.0, max: 1.0 },
            number(0.001),
        ),
        field(
            "recovery",
            "Longest time from the beginning of an outage until the objective is met again.",
            duration(1, 86_400_000),
            Presence::Otherwise("No limit; only for runs."),
        ),
    ],
    variants: None,
};

const SERVICE: Table = Table {
    name: "service",
    about: "One application that uses the server.",
    fields: &[
        field("name", "Name, unique in the scenario.", Shape::Text(Format::Name), Presence::Required),
        field("database", "Database of its connections.", whole(0, 255), integer(0)),
        field(
            "username",
            "ACL user. A private server creates it with a random password.",
            Shape::Text(Format::Token),
            Presence::Otherwise("The user of the target."),
        ),
        field(
            "password",
            "Source of the password, never the password itself. A private server needs none.",
            Shape::AnyOf(&[Shape::Table(&PASSWORD_ENV), Shape::Table(&PASSWORD_FILE)]),
            Presence::Otherwise("The password of the target."),
        ),
        field(
            "client",
            "Client library: `fred`, as applications use it; `wire`, plimsoll's own, which costs the least and finds the limit of \
             the server.",
            Shape::Choice { noun: "client", words: Client::VARIANTS },
            word("fred"),
        ),
        field(
            "protocol",
            "Version of the protocol on its connections: `2` for RESP2, `3` for RESP3, which needs Redis 6.0 or later, or Valkey.",
            whole(2, 3),
            integer(2),
        ),
        field(
            "read_from",
            "Nodes that serve operations which only read, where primaries have replicas: `primary`; `replica`, the replicas in turn; \
             `any`, the primary and its replicas in turn. All other operations go to the primary.",
            Shape::Choice { noun: "choice of nodes", words: ReadFrom::VARIANTS },
            word("primary"),
        ),
        field(
            "instances",
            "Number of processes of the service, each with its own pool and an equal share of the load.",
            whole(1, 1_000),
            integer(1),
        ),
        field(
            "parts",
            "Number of parts into which the load and the connections of each instance are divided, so that several worker \
             threads carry it; at most one per connection and client. Each part has a queue of its own.",
            whole(1, 1_000),
            Presence::Otherwise(
                "Closed loop without think time: one per worker. Otherwise one for each 30 000 requests per second.",
            ),
        ),
        field(
            "order",
            "Choice of the next operation: `weighted` at random by weight, `cycle` one after another in the order of \
             the list.",
            Shape::Choice { noun: "order", words: &["weighted", "cycle"] },
            word("weighted"),
        ),
        field("pool", "Connection pool of each instance.", Shape::Table(&POOL), DEFAULTS),
        field("load", "Load of the service.", Shape::Table(&LOAD), Presence::Required),
        field("keys", "Keys of the service.", Shape::Table(&KEYS), DEFAULTS),
        field("values", "Sizes of values.", Shape::Table(&VALUES), DEFAULTS),
        SETUP,
        CLEANUP,
        field("operation", "Operations of the service.", Shape::Tables(&[&SINGLE, &SEQUENCE]), Presence::Required),
    ],
    variants: None,
};

/// Default of a field of services, as it is written in a file.
pub fn service_default(name: &str) -> Option<String> {
    match SERVICE.field(name)?.presence {
        Presence::Default(Value::Integer(number)) => Some(number.to_string()),
        Presence::Default(Value::Word(word)) => Some(word.to_owned()),
        _ => None,
    }
}

const DEPENDENCY: Table = Table {
    name: "dependency",
    about: "Dependency of the services besides the server.",
    fields: &[
        field("name", "Name, unique among the dependencies.", Shape::Text(Format::Name), Presence::Required),
        field(
            "address",
            "`tcp://host:port` (a connection opens) or `http://host:port/path` (a GET request is answered). Saved and \
             shown, so without secrets.",
            Shape::Text(Format::Address),
            Presence::Required,
        ),
        field("status", "Required HTTP status.", whole(100, 599), Presence::Otherwise("Any below 400.")),
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
    fields: &[field(
        "file",
        "Path of the file, whose first line is the password.",
        Shape::Text(Format::Filled),
        Presence::Required,
    )],
    variants: None,
};

const POOL: Table = Table {
    name: "pool",
    about: "The connection pool of one instance.",
    fields: &[
        field("size", "Number of connections.", whole(1, 100_000), integer(50)),
        field(
            "checkout",
            "Sharing of connections: `exclusive`, one request at a time per connection, as in most client libraries; \
             `shared`, several at a time, as in fred.",
            Shape::Tag,
            word("exclusive"),
        ),
        field("in_flight", "Requests in flight per connection.", whole(1, 100_000), integer(64)),
        field(
            "pipeline",
            "Number of requests that are sent together on a connection: in a closed loop those of each client, in an open loop \
             up to that many of those that wait.",
            whole(1, 10_000),
            integer(1),
        ),
        field(
            "checkout_timeout",
            "Time after which a request without a connection fails.",
            duration(1, HOUR),
            word("20s"),
        ),
        field("command_timeout", "Time after which a command without a reply fails.", duration(1, HOUR), word("1s")),
        field(
            "health_check",
            "Idle time after which a connection is checked by a `PING`, so that neither side closes it; `0s` for never.",
            duration(0, HOUR),
            word("30s"),
        ),
    ],
    variants: Some(Variants {
        tag: "checkout",
        shorthand: false,
        list: || variants(&[("exclusive", &["pipeline"]), ("shared", &["in_flight"])]),
    }),
};

const LOAD: Table = Table {
    name: "load",
    about: "Source of the requests.",
    fields: &[
        field(
            "model",
            "`open`: requests fall due by a schedule independent of the server. `closed`: a fixed number of clients, \
             each with one request at a time.",
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
        field("clients", "Number of clients of the whole service.", whole(1, 1_000_000), Presence::Required),
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
            "Prefix of all keys of the service; the run writes and removes keys under it.",
            Shape::Text(Format::Token),
            Presence::Otherwise("`plimsoll:` and the name of the service and `:`."),
        ),
        field(
            "count",
            "Number of string keys, and of hashes up to 500 000 fields in all.",
            whole(1, 1_000_000_000),
            integer(10_000),
        ),
        field(
            "hash_tag",
            "Number of consecutive keys that share a hash tag, hence a slot of a cluster: key 123 of ten per tag ends in \
             `{12}3`. Commands with several keys take them from one tag, and the keys of restored data as well.",
            whole(1, 1_000_000_000),
            Presence::Otherwise("no hash tags."),
        ),
        field(
            "access",
            "Popularity of keys: the name of a distribution, or a table with its parameters.",
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
            "`uniform`: all equal. `zipf`: rank r in proportion to r^-exponent. `hotspot`: a share of the keys has a \
             share of the requests. `latest`: zipf from the newest key, which advances with every request. \
             `sequential`: one after another. `gaussian`: normal around the middle.",
            Shape::Tag,
            word("uniform"),
        ),
        field("exponent", "Skew; YCSB uses 0.99.", Shape::Number { min: 0.01, max: 10.0 }, number(0.99)),
        field("keys", "Hot share of the keys.", Shape::Number { min: 0.000_001, max: 1.0 }, number(0.2)),
        field("requests", "Share of the requests for the hot keys.", Shape::Number { min: 0.0, max: 1.0 }, number(0.8)),
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
    about: "Sizes of written values, elements and messages.",
    fields: &[field(
        "size",
        "Bytes: a number, or a table of a distribution.",
        Shape::AnyOf(&[SIZE, Shape::Table(&SIZE_RANGE), Shape::Table(&SIZE_LOGNORMAL)]),
        integer(256),
    )],
    variants: None,
};

const SIZE: Shape = whole(1, 64 << 20);

const SIZE_RANGE: Table = Table {
    name: "size_range",
    about: "Uniform distribution of sizes.",
    fields: &[
        field("min", "Smallest, in bytes.", SIZE, Presence::Required),
        field("max", "Largest, in bytes.", SIZE, Presence::Required),
    ],
    variants: None,
};

const SIZE_LOGNORMAL: Table = Table {
    name: "size_lognormal",
    about: "Log-normal distribution of sizes: most are small, a few are large.",
    fields: &[field("lognormal", "Its parameters.", Shape::Table(&LOGNORMAL), Presence::Required)],
    variants: None,
};

const LOGNORMAL: Table = Table {
    name: "lognormal",
    about: "A log-normal distribution of sizes.",
    fields: &[
        field("median", "Median, in bytes.", SIZE, Presence::Required),
        field(
            "sigma",
            "Standard deviation of the natural logarithm.",
            Shape::Number { min: 0.001, max: 5.0 },
            Presence::Required,
        ),
        field("max", "Largest size, in bytes; larger draws are cut to it.", SIZE, Presence::Required),
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
