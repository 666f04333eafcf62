//! Tests of the error messages for faulty scenarios.

use super::parse;

/// A service that has nothing wrong with it, to be surrounded by what has.
const SERVICE: &str = "[[service]]\nname = \"api\"\nload.rate = 10\noperation = [{ command = \"GET\" }]\n";

fn errors(text: &str) -> String {
    parse(text, "x.toml").unwrap_err().to_string()
}

/// Errors of a service in which one line is replaced or added.
fn of_service(line: &str) -> String {
    let field = line.split(['=', ' ', '.']).next().unwrap();
    let kept: Vec<_> = SERVICE.lines().filter(|old| !old.starts_with(field)).collect();
    errors(&format!("name = \"x\"\n{}\n{line}\n", kept.join("\n")))
}

#[test]
fn tells_everything_at_once_in_the_order_of_the_text() {
    let text = r#"name = "x"
[objective]
latency = 5
percentile = 100
[[service]]
name = "api"
in_flight = 3
[service.pool]
size = "abc"
checkout = "exclusiv"
[service.load]
rate = 4
clients = 3
[[service.operation]]
command = "GTE"
[[service.operation]]
command = "GET"
batch = 3
[[service]]
name = "api"
[service.keys]
prefix = "has space"
access = "zpf"
[[service.operation]]
command = "ZADD"
members = 100
batch = 200
[[service.operation]]
command = "ZRANGE"
members = 50
"#;
    let expected = r#"x.toml:3:11: objective.latency: 5 is not a duration from "1us" to "1h"
x.toml:4:14: objective.percentile: 100 is out of range: expected a number from 50 to 99.999
x.toml:7:1: service "api": in_flight: unknown field; it belongs to pool
x.toml:9:8: service "api": pool.size: "abc" is not a whole number from 1 to 100_000
x.toml:10:12: service "api": pool.checkout: "exclusiv" is not a checkout; did you mean "exclusive"? (one of exclusive, shared)
x.toml:13:1: service "api": load.clients: not a field of model "open", which has model, rate, arrivals
x.toml:15:11: service "api": operation "GTE": command: "GTE" is not a command; did you mean "GET"?
x.toml:18:1: service "api": operation "GET": batch: not a field of command "GET", which has name, command, weight
x.toml:19:1: service "api": load: missing (Load of the service.)
x.toml:20:8: service "api": name: duplicate name "api", first used in line 6
x.toml:22:10: service "api": keys.prefix: "has space" is not a string without white space
x.toml:23:10: service "api": keys.access: "zpf" is not a distribution; did you mean "zipf"? (one of uniform, zipf, hotspot, latest, sequential, gaussian)
x.toml:30:11: service "api": operation "ZRANGE": members: 50 differs from 100 in line 26: all operations on sorted sets of a service share one number"#;
    assert_eq!(errors(text), expected);
}

#[test]
fn tells_syntax_errors_in_the_same_form() {
    assert_eq!(errors("name = x\n"), "x.toml:1:8: string values must be quoted, expected literal string");
    assert_eq!(errors("name = \"x\"\nname = \"y\"\n"), "x.toml:2:1: duplicate key");
    let slip = format!("name = \"x\"\nseed = [1\n{}", "seed = 2\n".repeat(50));
    assert_eq!(errors(&slip).lines().count(), 5, "one slip is not reported fifty times");
}

#[test]
fn counts_columns_in_characters() {
    assert!(errors("name = \"é\"; x").starts_with("x.toml:1:11: "));
    let message = of_service(r#"values = { size = { min = "ä", max = "ö" } }"#);
    assert!(message.contains("x.toml:6:27: ") && message.contains("x.toml:6:38: "), "{message}");
}

#[test]
fn names_what_is_missing() {
    assert_eq!(
        errors(""),
        "x.toml:1:1: name: missing (Name of the scenario, and prefix of result folders.)\nx.toml:1:1: service: missing \
         (Applications that use the server.)"
    );
    let raw = of_service(r#"operation = [{ command = "RAW" }]"#);
    assert!(raw.starts_with(r#"x.toml:5:14: service "api": operation "RAW": args: missing ("#), "{raw}");
    let sequence = of_service(r#"operation = [{ sequence = [{ command = "GET" }] }]"#);
    assert!(sequence.contains(r"operation #1: name: missing ("), "{sequence}");
}

#[test]
fn refuses_what_concerns_several_fields() {
    for (line, expected) in [
        (r#"operation = [{ command = "GET" }, { command = "GET" }]"#, r#"duplicate name "GET", first used in line 5"#),
        (r#"operation = [{ command = "MGET", batch = 20_000 }]"#, "20_000 is more than the 10_000 keys of the service"),
        (
            r#"operation = [{ command = "LRANGE", members = 5, range = 6 }]"#,
            "6 is more than the 5 elements of each collection",
        ),
        (
            r#"operation = [{ command = "SADD", keys = 100_000, members = 10_000 }]"#,
            "keys x members are 1_000_000_000 elements; 100_000_000 at most",
        ),
        (r#"operation = [{ command = "EXPIRE", expire = "1500ms" }]"#, "EXPIRE has a resolution of seconds"),
        (r#"operation = [{ command = "SET", expire = "1.5us" }]"#, "is out of range"),
        (r#"operation = [{ command = "RAW", args = ["flushall"] }]"#, "FLUSHALL changes the connection or other keys"),
        (r#"setup = [["FT.CREATE", "{prefix}i"], ["flushdb"]]"#, "setup: FLUSHDB changes the connection or other keys"),
        (r#"cleanup = [["FT.DROP"], []]"#, "is not a list of at least one command, each a list of its words"),
        (r#"operation = [{ command = "RAW", args = ["TYPE"], hit = "nil" }]"#, r#""nil" is not a rule for hits"#),
        (r#"operation = [{ command = "GET", hit = "count" }]"#, "hit"),
        (r#"operation = [{ command = "RAW", args = [" "] }]"#, "the first word is the name of the command"),
        (r#"operation = [{ name = "x", sequence = [] }]"#, "[] is not a list of at least one table"),
        (r#"operation = [{ command = "MULTI" }]"#, r#""MULTI" is not a command"#),
        (r"values = { size = { min = 10, max = 9 } }", "9 is less than min = 10"),
        (r"values.size.lognormal = { median = 10, sigma = 1, max = 9 }", "9 is less than median = 10"),
        (r#"password = "secret""#, "a scenario contains no password"),
        (r"database = 16.0", "16.0 is not a whole number from 0 to 255"),
        (r"load.rate = nan", "nan is not a number from 0.01 to 10000000"),
        (r"load.rate = inf", "inf is not a number"),
        (r"load.rate = 0", "0 is out of range"),
    ] {
        let message = of_service(line);
        assert!(message.contains(expected), "{line}\n{message}");
    }
}

#[test]
fn weights_and_order_contradict_each_other() {
    let text = "name = \"x\"\n[[service]]\nname = \"a\"\norder = \"cycle\"\nload.rate = 1\noperation = [{ command = \"GET\", weight = 2 }]";
    assert!(errors(text).contains("weight: has no effect with"), "{}", errors(text));
}

#[test]
fn instances_need_a_client_each() {
    let text = "name = \"x\"\n[[service]]\nname = \"a\"\ninstances = 3\nload = { model = \"closed\", clients = 2 }\noperation = [{ command = \"GET\" }]";
    assert!(errors(text).contains("load.clients: 2 clients are too few for 3 instances"), "{}", errors(text));
}

#[test]
fn keeps_services_apart_that_share_a_database() {
    let two = |first: &str, second: &str, database: u8| {
        format!(
            "name = \"x\"\n{SERVICE}keys.prefix = \"{first}\"\n{}keys.prefix = \"{second}\"\ndatabase = {database}\n",
            SERVICE.replace("api", "ml")
        )
    };
    for (first, second) in [("app:", "app:"), ("app:", "app:ml:"), ("app:ml:", "app:")] {
        let message = errors(&two(first, second, 0));
        assert!(message.contains("overlap in database 0: one would remove keys of the other"), "{message}");
        assert!(message.starts_with(r#"x.toml:11:15: service "ml": keys.prefix: "#), "{message}");
        assert!(parse(&two(first, second, 1), "x.toml").is_ok(), "another database is another keyspace");
    }
    assert!(parse(&two("api:", "ml:", 0), "x.toml").is_ok());
}

#[test]
fn accepts_numbers_as_toml_writes_them() {
    let text = format!("name = \"x\"\nseed = 0xff\n{}", SERVICE.replace("rate = 10", "rate = 1_0.5e1"));
    let scenario = parse(&text, "x.toml").unwrap();
    assert_eq!(scenario.seed, 255);
    assert_eq!(scenario.services[0].offered_rate(), Some(105.0));
}
