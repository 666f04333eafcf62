//! Commands of a module in the scenario's own words: `RediSearch`, as Debian packages it.

use std::{fs, path::Path};

use plimsoll::{measure::SeriesRecord, results::Run};

use super::{Desk, SHORT, Server, faults::refused};
use crate::support::{Turn, missing};

/// Searches and writes of documents. Those that are found are there before; those that are written have other words.
const OPERATIONS: &str = r#"
[[service.operation]]
name = "search"
command = "RAW"
args = ["FT.SEARCH", "shop-index", "lantern", "NOCONTENT"]
weight = 3

[[service.operation]]
name = "write"
command = "RAW"
args = ["FT.ADD", "shop-index", "{key}", "1", "REPLACE", "FIELDS", "title", "{value}"]
weight = 1
"#;

/// Documents that a search finds.
const DOCUMENTS: u64 = 3;

/// The reply to a search: the number of documents as a digit, and their names of four characters each.
const FOUND: u64 = 1 + 4 * DOCUMENTS;

/// A folder with a scenario of these operations.
fn desk(operations: &str) -> Desk {
    let head = SHORT.split("[[service.operation]]").next().unwrap();
    let head = head.replace("warmup = \"100ms\"", "warmup = \"0s\"\nprefill = false");
    Desk::with("short.toml", &format!("{head}{operations}"), Turn::beside())
}

/// A server with the module.
fn server() -> Server {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/redisearch.so");
    let module = module.canonicalize().unwrap_or_else(|error| missing("target/redisearch.so", &error));
    Server::with(&[("loadmodule", module.to_str().unwrap())])
}

/// A server with the module, an index and documents in it.
fn library() -> Server {
    let server = server();
    assert!(server.ask("FT.CREATE shop-index SCHEMA title TEXT").starts_with("+OK"));
    for number in 0..DOCUMENTS {
        let reply = server.ask(&format!("FT.ADD shop-index doc{number} 1 FIELDS title lantern"));
        assert!(reply.starts_with("+OK"), "{reply}");
    }
    server
}

/// Calls of a command, as the server counts them.
fn calls(server: &Server, command: &str) -> u64 {
    let reply = server.ask("INFO commandstats");
    let line = reply.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}

fn series<'a>(run: &'a Run, name: &str) -> &'a SeriesRecord {
    run.recording.series.iter().find(|series| series.key.operation == name).unwrap()
}

fn saved(desk: &Desk, folder: &str) -> Run {
    serde_json::from_slice(&fs::read(desk.path(folder).join("run.json")).unwrap()).unwrap()
}

#[test]
fn commands_of_a_module_are_measured_alike_with_both_clients_and_protocols() {
    let (desk, server) = (desk(OPERATIONS), library());
    let written = calls(&server, "FT.ADD");
    let (mut searches, mut writes) = (0, 0);
    for client in ["fred", "wire"] {
        for protocol in ["2", "3"] {
            let name = format!("{client}-{protocol}");
            let options = ["--client", client, "--protocol", protocol, "--out", &name];
            let outcome = desk.run(&[&["run", "short.toml", "--target", &server.url()], &options[..]].concat());
            let outcome = outcome.complains("FT.ADD writes other keys than the scenario's data, such as `shop-index`");
            assert!(!outcome.stderr.contains("FT.SEARCH"), "a search writes nothing: {}", outcome.stderr);
            let run = saved(&desk, &name);
            let (search, write) = (series(&run, "search").totals(), series(&run, "write").totals());
            assert_eq!((search.failed(), write.failed()), (0, 0), "{name}");
            assert_eq!(search.bytes_received, FOUND * search.completed, "{name}: the same documents each time");
            assert_eq!(write.bytes_received, 2 * write.completed, "{name}: `OK`");
            searches += search.completed;
            writes += write.completed;
        }
    }
    assert!(searches > 0 && writes > 0);
    assert_eq!((calls(&server, "FT.SEARCH"), calls(&server, "FT.ADD") - written), (searches, writes));
    let document = server.ask("FT.GET shop-index shop:str:1");
    assert!(document.starts_with("*2") && document.contains("title"), "{document}");
    assert!(server.ask("FT.DROP shop-index").starts_with("+OK"));
    assert_eq!(server.keys(), 0, "the module removes all that it has written, and nothing else is left");
}

#[test]
fn a_search_without_its_index_fails_with_the_words_of_the_module() {
    let (desk, server) = (desk(OPERATIONS), server());
    for client in ["fred", "wire"] {
        let options = ["--client", client, "--out", client];
        desk.run(&[&["run", "short.toml", "--target", &server.url()], &options[..]].concat()).ends_with(1);
        let run = saved(&desk, client);
        let search = series(&run, "search");
        assert_eq!((search.totals().completed, search.totals().failed() > 0), (0, true));
        assert!(search.messages.values().any(|message| message.contains("Unknown Index name")), "{search:?}");
    }
}

#[test]
fn a_module_that_is_not_loaded_is_named() {
    refused(&desk(OPERATIONS), &Server::start().url()).complains("the server does not know FT.SEARCH: load its module");
}
