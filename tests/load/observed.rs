//! What the server says of a run agrees with what the clients counted.

use std::{collections::BTreeMap, thread::sleep, time::Duration};

use plimsoll::{
    analysis::analyse,
    load::Settings,
    report::{Document, RunReport},
    results::{Persistence, ServerRecord, Withheld},
    scenario::{self, Shard},
    target::{Secret, Source, Target, TargetUrl},
};

use super::bench::{Bench, counts, one_service};
use crate::support::block_on;

const RUN: &str = "warmup = \"300ms\"\nduration = \"3s\"\ndrain = \"2s\"";
const OPEN: &str = "model = \"open\"\nrate = 1000\narrivals = \"uniform\"";
const SETTINGS: Settings =
    Settings { workers: None, pacing: None, same_machine: true, turns: None, shard: Shard::WHOLE, sharing: 0 };

/// What was refused, less what the server's version cannot know.
fn refusals(server: &ServerRecord) -> BTreeMap<&str, &str> {
    let of_rights = |withheld: &&Withheld| !withheld.reason.contains("has them since");
    server
        .withheld
        .iter()
        .filter(of_rights)
        .map(|withheld| (withheld.what.as_str(), withheld.reason.as_str()))
        .collect()
}

#[test]
fn the_servers_counts_are_those_of_the_measured_period() {
    let operations = ["command = \"GET\"\nweight = 3", "command = \"SET\""];
    let bench = Bench::new(&one_service(RUN, "size = 10", OPEN, &operations), &[]);
    let (recording, server) = bench.start(SETTINGS).finish_with_server();
    assert_eq!(refusals(&server), BTreeMap::new());
    assert_eq!((server.restarts, server.seconds.len()), (0, 3));
    for name in ["GET", "SET"] {
        let used = server.commands.iter().find(|command| command.name == name).unwrap();
        let sent = counts(&recording, name).completed;
        // Looks at the server come a little late at both ends.
        assert!(used.calls.abs_diff(sent) < sent / 10, "{name}: {} calls, {sent} sent", used.calls);
        assert!(used.micros > 0 && used.failed == Some(0), "{used:?}");
    }
    let commands: u64 = server.seconds.iter().filter_map(|second| second.counts.commands).sum();
    assert!((2_800..3_300).contains(&commands), "{commands}: neither the prefill nor the warm-up counts");
    let levels = server.before.unwrap();
    assert_eq!(levels.keys, Some(1_000));
    assert!(levels.used_memory.is_some() && levels.rss.is_some() && levels.max_memory.is_some(), "{levels:?}");
    let named = server.clients.iter().find(|clients| clients.name == "plimsoll:api").unwrap();
    assert_eq!((named.count, named.user.as_str()), (10, "plimsoll"));
    assert!(server.seconds.iter().all(|second| second.counts.hits.unwrap() > 0 && second.counts.misses == Some(0)));
    // Ten of the load and the observer, also at the end: they close right behind it.
    let clients: Vec<_> = server.seconds.iter().map(|second| second.levels.clients).collect();
    assert_eq!(clients, [Some(11); 3]);
}

#[test]
fn slow_commands_are_found_with_the_second_and_the_service() {
    let operations = ["command = \"GET\"\nweight = 199", "command = \"ZADD\"\nmembers = 4000\nbatch = 4000"];
    let text = one_service(RUN, "size = 10", OPEN, &operations);
    let bench = Bench::new(&text, &[("slowlog-log-slower-than", "500"), ("slowlog-max-len", "4")]);
    let (recording, server) = bench.start(SETTINGS).finish_with_server();
    let log = server.slowlog.unwrap();
    assert_eq!((log.threshold_us, log.capacity), (Some(500), Some(4)));
    let sent = counts(&recording, "ZADD").completed;
    assert!(sent >= 5, "{sent}");
    assert!(log.count >= sent - 3, "{} of {sent}", log.count);
    assert_eq!(log.count, log.lost + log.entries.len() as u64);
    assert!(log.lost > 0 || sent <= 12, "four places a second do not hold {sent} entries in three seconds");
    let slow = log.entries.iter().find(|entry| entry.command == "ZADD").unwrap();
    assert_eq!((slow.client.as_str(), slow.words), ("plimsoll:api", 8_002));
    assert!(slow.key.starts_with("test:zset:") && slow.micros >= 500 && slow.second < 4, "{slow:?}");
}

#[test]
fn what_is_forbidden_is_named_and_the_rest_is_reported() {
    let bench = Bench::new(
        &one_service(RUN, "size = 2", OPEN, &["command = \"GET\""]),
        &[("rename-command", "CONFIG \"\""), ("rename-command", "SLOWLOG \"\"")],
    );
    let (_, server) = bench.start(SETTINGS).finish_with_server();
    let refused: Vec<_> = refusals(&server).into_keys().collect();
    assert_eq!(refused, ["CONFIG GET", "SLOWLOG GET"], "{:?}", server.withheld);
    assert_eq!(server.latency_threshold_ms, None);
    assert_eq!(server.slowlog, None);
    assert_eq!(server.seconds.len(), 3);
}

/// An observer that may do next to nothing still tells what it may.
#[test]
fn every_refusal_is_named_by_the_right_that_is_missing() {
    let text = one_service(RUN, "size = 2", OPEN, &["command = \"GET\""]);
    let bench = Bench::new(&text, &[]);
    bench.command(&["ACL", "SETUSER", "watcher", "on", ">secret", "+info", "+hello", "+client|setname", "+time"]);
    let url =
        TargetUrl { username: Some("watcher".into()), password: Some(Secret::new("secret")), ..bench.server.url() };
    let scenario = scenario::parse(&text, "test.toml").unwrap();
    let (watcher, _) = block_on(Target::prepare(Source::Url(url), &scenario)).unwrap();
    let (_, server) = bench.start_watched_by(&watcher, SETTINGS).finish_with_server();
    let refused = refusals(&server);
    let rights = [
        ("CLIENT LIST", "+client|list"),
        ("CONFIG GET", "+config|get"),
        ("LATENCY HISTOGRAM", "+latency|histogram"),
        ("LATENCY LATEST", "+latency|latest"),
        ("SLOWLOG GET", "+slowlog|get"),
    ];
    assert_eq!(refused.keys().copied().collect::<Vec<_>>(), rights.map(|(what, _)| what));
    for (what, right) in rights {
        assert!(refused[what].starts_with(&format!("needs {right}: NOPERM")), "{what}: {}", refused[what]);
    }
    assert!(server.slowlog.is_none() && server.clients.is_empty());
    assert_eq!(server.seconds.len(), 3);
    assert!(server.commands.iter().any(|command| command.name == "GET" && command.histogram.is_empty()));
}

#[test]
fn a_restart_is_reported_and_leaves_no_absurd_number() {
    let text = one_service(RUN, "size = 4\ncommand_timeout = \"1s\"", OPEN, &["command = \"GET\""]);
    let bench = Bench::new(&text, &[("slowlog-log-slower-than", "0")]);
    let running = bench.start(SETTINGS);
    running.wait_until_measuring();
    bench.server.restart().unwrap();
    let (recording, server) = running.finish_with_server();
    assert_eq!((server.restarts, server.resets), (1, 0));
    assert_eq!(server.seconds.iter().filter(|second| second.restarted).count(), 1);
    for second in &server.seconds {
        let (at, seconds) = (&second.counts, second.length_ns as f64 / 1e9);
        let counts = [at.commands, at.hits, at.misses, at.evicted, at.expired, at.rejected, at.error_replies, at.forks];
        assert!(counts.iter().flatten().all(|count| (*count as f64) < 5_000.0 * seconds), "{at:?}");
        for bytes in [at.received, at.sent] {
            assert!(bytes.is_none_or(|bytes| (bytes as f64) < 1e8 * seconds), "{at:?}");
        }
        for spent in [at.cpu_user, at.cpu_system, at.main_thread_cpu, at.main_thread_active] {
            // CPU clocks tick in hundredths of a second at worst.
            assert!(spent.is_none_or(|spent| (0.0..seconds + 0.05).contains(&spent)), "{at:?}");
        }
        assert_eq!(at.commands.is_none(), second.restarted, "{at:?}");
        assert!((0.0..4.0).contains(&seconds), "{at:?}");
    }
    let sent = recording.scheduled();
    let get = server.commands.iter().find(|command| command.name == "GET").unwrap();
    assert!(get.calls <= sent && get.micros < 3_000_000, "{get:?}");
    assert!(get.histogram.iter().all(|below| below.calls <= sent), "{get:?}");
    let log = server.slowlog.as_ref().unwrap();
    assert!(log.count < 20_000 && log.lost <= log.count, "{} lost of {}", log.lost, log.count);

    let run = bench.saved(recording, server);
    let analysis = analyse(&run, &bench.scenario);
    assert!(analysis.server.foreign.abs() < 1e-9, "what came before the restart is nobody else's");
    let files = RunReport::new(run).unwrap().files();
    let of = |name: &str| {
        let (_, content) = files.iter().find(|(path, _)| path == name).unwrap();
        String::from_utf8(content.clone()).unwrap()
    };
    assert!(of("report.md").contains("The server was restarted during the load"), "{}", of("report.md"));
    assert!(of("charts/over-time.svg").contains("Diamonds: "));
    assert!(!of("server.csv").contains('-') && !of("commands.csv").contains('-'), "nothing is below zero");
}

#[test]
fn statistics_that_are_reset_are_reported_and_are_no_restart() {
    let bench = Bench::new(&one_service(RUN, "size = 4", OPEN, &["command = \"GET\""]), &[]);
    let running = bench.start(SETTINGS);
    running.wait_until_measuring();
    bench.command(&["CONFIG", "RESETSTAT"]);
    let (recording, server) = running.finish_with_server();
    assert_eq!((server.restarts, server.resets), (0, 1));
    assert!(
        server.seconds.iter().all(|second| second.counts.commands.is_none() == second.reset),
        "{:?}",
        server.seconds
    );
    let get = server.commands.iter().find(|command| command.name == "GET").unwrap();
    assert!(get.calls < counts(&recording, "GET").completed, "they count from the reset");
}

#[test]
fn a_save_and_a_slow_command_are_marked_in_their_second() {
    let operations = ["command = \"GET\""];
    // A save that sleeps between keys is still under way when the server is looked at.
    let config = [("latency-monitor-threshold", "1"), ("rdb-key-save-delay", "2000")];
    let bench = Bench::new(&one_service(RUN, "size = 4", OPEN, &operations), &config);
    let running = bench.start(SETTINGS);
    running.wait_until_measuring();
    bench.command(&["BGSAVE"]);
    bench.command(&["EVAL", "local t = 0 for i = 1, 3000000 do t = t + i end return t", "0"]);
    let (_, server) = running.finish_with_server();
    let saving: Vec<_> = server
        .seconds
        .iter()
        .filter(|second| second.levels.persistence.contains(&Persistence::RdbSave))
        .map(|second| second.second)
        .collect();
    assert!(saving.first().is_some_and(|first| *first <= 1), "seconds {saving:?}");
    assert_eq!(server.latency_threshold_ms, Some(1));
    let slow = server.events.iter().find(|event| event.kind == "command").unwrap_or_else(|| panic!("{server:?}"));
    assert!(slow.second <= 2 && slow.ms >= 1, "{slow:?}");
    assert!(server.events.is_sorted_by_key(|event| event.second));
    assert!(server.seconds.iter().map(|second| second.counts.forks.unwrap()).sum::<u64>() == 1);
}

#[test]
fn events_of_a_kind_are_reported_second_by_second() {
    let bench =
        Bench::new(&one_service(RUN, "size = 4", OPEN, &["command = \"GET\""]), &[("latency-monitor-threshold", "1")]);
    let slow = ["EVAL", "local t = 0 for i = 1, 3000000 do t = t + i end return t", "0"];
    let running = bench.start(SETTINGS);
    running.wait_until_measuring();
    bench.command(&slow);
    // The monitor keeps one event a second.
    sleep(Duration::from_millis(1_100));
    bench.command(&slow);
    let (_, server) = running.finish_with_server();
    let seconds: Vec<_> =
        server.events.iter().filter(|event| event.kind == "command").map(|event| event.second).collect();
    assert!(seconds.len() >= 2 && seconds.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", server.events);
}
