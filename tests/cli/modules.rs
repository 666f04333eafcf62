//! Commands of a module in the scenario's own words: `RediSearch`, as Debian packages it.

use std::{fs, path::Path};

use plimsoll::{measure::SeriesRecord, results::Run};
use rustix::process::Signal;

use super::{Desk, Outcome, SHORT, Server, faults::refused};
use crate::support::{Turn, missing, signal, until};

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

/// An index with a document, made before the load and removed after it.
const AROUND: &str = r#"
name = "shop"
setup = [
    ["FT.CREATE", "{prefix}index", "SCHEMA", "title", "TEXT"],
    ["FT.ADD", "{prefix}index", "{prefix}lamp", "1", "FIELDS", "title", "lantern"],
]
cleanup = [["FT.DROP", "{prefix}index"]]
"#;

/// Each search with its rule, and whether its reply is a hit.
const JUDGED: [(&str, &str, bool); 7] = [
    (r#"["FT.SEARCH", "{prefix}index", "lantern", "NOCONTENT"]"#, "count", true),
    (r#"["FT.SEARCH", "{prefix}index", "lantern", "LIMIT", "5", "5"]"#, "count", true),
    (r#"["FT.SEARCH", "{prefix}index", "nothing"]"#, "count", false),
    (r#"["FT.SEARCH", "{prefix}index", "nothing"]"#, "non-empty", true),
    (r#"["GETRANGE", "{prefix}nowhere", "0", "1"]"#, "non-empty", false),
    // The form of the reply to a search in RESP3 of later versions.
    (r#"["EVAL", "redis.setresp(3) return {map={total_results=2}}", "0"]"#, "count", true),
    (r#"["EVAL", "redis.setresp(3) return {map={total_results=0}}", "0"]"#, "count", false),
];

/// A folder with a scenario that makes its own index.
fn desk_with_index() -> Desk {
    let text = SHORT.replace("name = \"shop\"", AROUND.trim()).replace("command = \"GET\"", "command = \"HSET\"");
    let raw = |name: &str, rest: &str| {
        format!("\n[[service.operation]]\nname = \"{name}\"\ncommand = \"RAW\"\nargs = {rest}\n")
    };
    let judged = JUDGED.iter().enumerate();
    let judged =
        judged.map(|(at, (words, rule, _))| raw(&format!("judged-{at}"), &format!("{words}\nhit = \"{rule}\"")));
    let unjudged = raw("unjudged", r#"["FT.SEARCH", "{prefix}index", "lantern"]"#);
    let text = [text, unjudged].into_iter().chain(judged).collect::<Vec<_>>().concat();
    Desk::with("short.toml", &text, Turn::beside())
}

/// Whether the index is there.
fn has_index(server: &Server) -> bool {
    !server.ask("FT.INFO shop:index").starts_with("-Unknown Index name")
}

#[test]
fn an_index_is_made_before_the_load_and_removed_after_it_and_hits_go_by_the_rules() {
    let (desk, server) = (desk_with_index(), server());
    for client in ["fred", "wire"] {
        for protocol in ["2", "3"] {
            let name = format!("{client}-{protocol}");
            let options = ["--client", client, "--protocol", protocol, "--out", &name];
            desk.run(&[&["run", "short.toml", "--target", &server.url()], &options[..]].concat()).measured();
            let run = saved(&desk, &name);
            for (number, (words, rule, is_hit)) in JUDGED.iter().enumerate() {
                let totals = series(&run, &format!("judged-{number}")).totals();
                let expected = if *is_hit { (totals.completed, 0) } else { (0, totals.completed) };
                assert!(totals.completed > 0 && totals.failed() == 0, "{name}: {words}");
                assert_eq!((totals.hits, totals.misses), expected, "{name}: {words} by {rule}");
            }
            let unjudged = series(&run, "unjudged").totals();
            assert_eq!((unjudged.failed(), unjudged.hits, unjudged.misses), (0, 0, 0), "{name}");
            assert!(!has_index(&server), "{name}");
            assert_eq!(server.keys(), 0, "{name}: neither documents nor data");
        }
    }
    assert_eq!((calls(&server, "FT.CREATE"), calls(&server, "FT.ADD"), calls(&server, "FT.DROP")), (4, 4, 4));
}

#[test]
fn an_index_is_removed_after_an_interruption() {
    let (desk, server) = (desk_with_index(), server());
    let arm = format!("target={}", server.url());
    let run = ["run", "short.toml", "--target", &server.url(), "--duration", "10m", "--out", "run"];
    // Both arms are at one server, and share the index.
    let gate = ["gate", "short.toml", "--quiet", "--rate", "300", "--out", "gate", "--a", &arm, "--b", &arm];
    for arguments in [&run[..], &gate[..]] {
        let before = calls(&server, "FT.SEARCH");
        let child = desk.start(arguments);
        until("the load has begun", || calls(&server, "FT.SEARCH") > before + 100);
        assert!(has_index(&server));
        signal(&child, Signal::INT);
        let outcome = Outcome::of_child(child).ends_with(130);
        assert!(!outcome.stderr.contains("warning"), "{}", outcome.stderr);
        assert!(!has_index(&server));
        assert_eq!(server.keys(), 0);
    }
    assert_eq!((calls(&server, "FT.CREATE"), calls(&server, "FT.DROP")), (2, 2));
}

#[test]
fn an_index_of_a_killed_run_is_removed_by_the_next() {
    let (desk, server) = (desk_with_index(), server());
    let run = ["run", "short.toml", "--target", &server.url(), "--out", "out", "--force"];
    let mut child = desk.start(&[&run[..], &["--duration", "10m"]].concat());
    until("the load has begun", || calls(&server, "FT.SEARCH") > 100);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(has_index(&server));
    let next = desk.run(&run).complains("note: sent the clean-up command `FT.DROP shop:index` for that run");
    assert!(!next.stderr.contains("warning"), "{}", next.stderr);
    assert!(desk.path("out/run.json").exists() && !has_index(&server));
    assert_eq!((server.keys(), calls(&server, "FT.CREATE"), calls(&server, "FT.DROP")), (0, 2, 2));
}

#[test]
fn an_index_of_others_is_in_the_way_and_stays() {
    let (desk, server) = (desk_with_index(), server());
    assert!(server.ask("FT.CREATE shop:index SCHEMA title TEXT").starts_with("+OK"));
    let run = ["run", "short.toml", "--target", &server.url(), "--out", "out"];
    let refused = desk.run(&run).ends_with(3);
    let said =
        "service `shop`: the set-up command `FT.CREATE shop:index SCHEMA title TEXT` failed: Index already exists";
    let refused = refused.complains(said).complains("`plimsoll clean` with this scenario and target");
    assert_eq!(refused.stdout, "");
    assert!(has_index(&server), "it is not the run's");
    let keys = server.keys();
    let clean = ["clean", "short.toml", "--target", &server.url()];
    desk.run(&clean)
        .ends_with(2)
        .complains("clean-up of `shop`: FT.DROP shop:index")
        .complains("1 clean-up command would be sent");
    assert!(has_index(&server));
    desk.run(&[&clean[..], &["--yes"]].concat()).ends_with(0).says("Removed 0 keys");
    assert!(!has_index(&server) && keys > 0);
    assert_eq!(server.keys(), 0);
    let again = desk.run(&[&clean[..], &["--yes"]].concat()).ends_with(0);
    again.complains("warning: service `shop`: the clean-up command `FT.DROP shop:index` failed: Unknown Index name");
}

#[test]
fn an_index_is_removed_where_a_later_command_fails_and_left_with_the_data() {
    let (desk, server) = (desk_with_index(), server());
    let run = ["run", "short.toml", "--target", &server.url()];
    let setup = r#"service.shop.setup=[["FT.CREATE", "{prefix}index", "SCHEMA", "title", "TEXT"], ["FT.ADD", "{prefix}none", "d"]]"#;
    let refused = desk.run(&[&run[..], &["--set", setup, "--out", "out"]].concat()).ends_with(3);
    refused.complains("service `shop`: the set-up command `FT.ADD shop:none d` failed: ");
    assert!(!has_index(&server));
    assert_eq!((server.keys(), desk.names()), (0, Vec::new()), "nothing was measured");
    desk.run(&[&run[..], &["--keep-data", "--out", "kept"]].concat()).measured();
    assert!(has_index(&server));
    desk.run(&[&run[..], &["--no-prefill", "--out", "used"]].concat()).measured();
    assert!(has_index(&server), "a run without data of its own neither makes nor removes it");
    desk.run(&["clean", "short.toml", "--target", &server.url(), "--yes"]).ends_with(0);
    assert!(!has_index(&server));
    assert_eq!(server.keys(), 0);
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
