//! What the server says of a run agrees with what the clients counted.

use plimsoll::{load::Settings, results::Withheld};

use crate::bench::{Bench, counts, one_service};

const RUN: &str = "warmup = \"300ms\"\nduration = \"3s\"\ndrain = \"2s\"";
const OPEN: &str = "model = \"open\"\nrate = 1000\narrivals = \"uniform\"";
const SETTINGS: Settings = Settings { workers: None, pacing: None, same_machine: true };

#[test]
fn the_servers_counts_are_those_of_the_measured_period() {
    let operations = ["command = \"GET\"\nweight = 3", "command = \"SET\""];
    let bench = Bench::new(&one_service(RUN, "size = 10", OPEN, &operations), &[]);
    let (recording, server) = bench.start(SETTINGS).finish_with_server();
    assert_eq!(server.withheld, [] as [Withheld; 0]);
    assert_eq!((server.restarts, server.seconds.len()), (0, 3));
    for name in ["GET", "SET"] {
        let used = server.commands.iter().find(|command| command.name == name).unwrap();
        let sent = counts(&recording, name).completed;
        // Looks at the server come a little late at both ends.
        assert!(used.calls.abs_diff(sent) < sent / 10, "{name}: {} calls, {sent} sent", used.calls);
        assert!(used.micros > 0 && used.failed == Some(0), "{used:?}");
    }
    let commands: u64 = server.seconds.iter().filter_map(|second| second.commands).sum();
    assert!((2_800..3_300).contains(&commands), "{commands}: neither the prefill nor the warm-up counts");
    let levels = server.before.unwrap();
    assert_eq!(levels.keys, Some(1_000));
    assert!(levels.used_memory.is_some() && levels.rss.is_some() && levels.max_memory.is_some(), "{levels:?}");
    let named = server.clients.iter().find(|clients| clients.name == "plimsoll:api").unwrap();
    assert_eq!((named.count, named.user.as_str()), (10, "plimsoll"));
    assert!(server.seconds.iter().all(|second| second.hits.unwrap() > 0 && second.misses == Some(0)));
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
fn what_is_forbidden_is_named_and_the_rest_is_told() {
    let bench = Bench::new(
        &one_service(RUN, "size = 2", OPEN, &["command = \"GET\""]),
        &[("rename-command", "CONFIG \"\""), ("rename-command", "SLOWLOG \"\"")],
    );
    let (_, server) = bench.start(SETTINGS).finish_with_server();
    let withheld: Vec<_> = server.withheld.iter().map(|withheld| withheld.what.as_str()).collect();
    assert_eq!(withheld, ["SLOWLOG GET"], "{:?}", server.withheld);
    assert_eq!(server.slowlog, None);
    assert_eq!(server.seconds.len(), 3);
}
