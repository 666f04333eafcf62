//! What goes wrong, goes wrong by known answers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::sleep,
    time::Duration,
};

use plimsoll::{
    load::Settings,
    measure::{ErrorClass, Recording, ServiceSecond},
    scenario::Shard,
    target::{Source, Target},
};

use super::bench::{Bench, balance, counts, one_service, response_ms, series, service_ms};
use crate::{
    support::{block_on, for_each_client},
    target::fake::Fake,
};

for_each_client!(
    a_stopped_server_shows_as_what_users_waited,
    a_server_that_is_killed_and_restarted_costs_errors_but_no_accounts,
    killed_connections_come_back,
    idle_connections_are_kept_alive,
    commands_that_hang_time_out_and_the_pool_goes_on,
    batches_that_time_out_leave_no_reply_to_the_next_ones,
    a_full_server_refuses_writes_and_says_so,
    a_key_of_another_type_is_counted_as_such,
    an_exhausted_pool_fails_requests_by_checkout_timeout,
    replies_that_are_cut_cost_their_requests_and_are_not_asked_for_twice,
);

const FIVE_SECONDS: &str = "warmup = \"500ms\"\nduration = \"5s\"\ndrain = \"5s\"";
const OPEN: &str = "model = \"open\"\nrate = 1000\narrivals = \"uniform\"";
const SETTINGS: Settings =
    Settings { workers: None, pacing: None, same_machine: true, turns: None, shard: Shard::WHOLE, sharing: 0 };

fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

fn failed(recording: &Recording, operation: &str, class: ErrorClass) -> u64 {
    counts(recording, operation).errors.get(&class).copied().unwrap_or_default()
}

/// Connections that were lost, and that came back.
fn lost_and_recovered(recording: &Recording) -> (u64, u64) {
    let sum = |of: fn(&ServiceSecond) -> u64| recording.services[0].seconds.iter().map(of).sum();
    (sum(|second| second.lost), sum(|second| second.recovered))
}

/// A fifth of all requests fall due while the server stands still, and wait evenly between 0 and 1 s.
fn a_stopped_server_shows_as_what_users_waited(client: &str) {
    let text = one_service(FIVE_SECONDS, "size = 50\ncommand_timeout = \"5s\"", OPEN, &["command = \"GET\""]);
    let bench = Bench::of(client, &text, &[]);
    let running = bench.start(SETTINGS);
    running.wait_until_measuring();
    signal(bench.server.pid(), rustix::process::Signal::STOP);
    sleep(Duration::from_secs(1));
    signal(bench.server.pid(), rustix::process::Signal::CONT);
    let recording = running.finish();
    let (completed, failed, unfinished) = balance(&recording);
    assert_eq!((completed, failed, unfinished), (5000, 0, 0));
    // The stop lasts as long as the machine makes it last; its length is the longest response.
    let stop = response_ms(&recording, 1.0);
    let (p90, p99) = (response_ms(&recording, 0.90), response_ms(&recording, 0.99));
    // Of 5 s the share s is stopped: p90 lies at s - 0.1 of 5 s, p99 at s - 0.01.
    let expected = |quantile: f64| stop - (1.0 - quantile) * 5_000.0;
    assert!((p90 - expected(0.90)).abs() < 0.08 * stop, "p90 {p90} ms, expected {}", expected(0.90));
    assert!((p99 - expected(0.99)).abs() < 0.08 * stop, "p99 {p99} ms, expected {}", expected(0.99));
    let service = service_ms(&recording, 0.50);
    assert!(service < stop / 50.0, "the median service time, {service} ms, knows nothing of the stop");
}

fn a_server_that_is_killed_and_restarted_costs_errors_but_no_accounts(client: &str) {
    let text = one_service(FIVE_SECONDS, "size = 10\ncommand_timeout = \"1s\"", OPEN, &["command = \"GET\""]);
    let bench = Bench::of(client, &text, &[]);
    let running = bench.start(SETTINGS);
    running.wait_until_measuring();
    bench.server.kill();
    sleep(Duration::from_millis(500));
    bench.server.restart().unwrap();
    let (recording, server) = running.finish_with_server();
    let (completed, _, _) = balance(&recording);
    let (lost, recovered) = lost_and_recovered(&recording);
    assert!(lost >= 1 && failed(&recording, "GET", ErrorClass::ConnectionLost) >= 1, "losses are counted by class");
    assert!(recovered >= 1, "connections come back");
    assert!(completed > 3000, "and the run goes on: {completed}");
    assert!(counts(&recording, "GET").misses > 0, "the new server is empty");
    assert_eq!(server.restarts, 1);
    let reborn: Vec<_> = server.seconds.iter().filter(|second| second.restarted).collect();
    assert!(
        matches!(reborn[..], [second] if second.counts.commands.is_none()),
        "counters that fell say nothing: {reborn:?}"
    );
    let most = server.seconds.iter().filter_map(|second| second.counts.commands).max().unwrap();
    assert!(most < 5_000, "no difference of counters of two lives: {most}");
}

fn killed_connections_come_back(client: &str) {
    let text = one_service(FIVE_SECONDS, "size = 10", OPEN, &["command = \"GET\""]).replace("\"5s\"", "\"3s\"");
    let bench = Bench::of(client, &text, &[]);
    let running = bench.start(SETTINGS);
    running.wait_until_measuring();
    bench.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    let (recording, server) = running.finish_with_server();
    assert_eq!(lost_and_recovered(&recording), (10, 10), "each connection once, used at that moment or not");
    assert!(server.seconds.len() >= 2, "the observer comes back too: {:?}", server.seconds);
    let (completed, failed, unfinished) = balance(&recording);
    assert_eq!(unfinished, 0);
    assert_eq!(completed + failed, 3000);
    assert!(failed <= 10, "at most one request per connection was under way: {failed}");
    assert_eq!(counts(&recording, "GET").failed(), counts(&recording, "GET").errors.values().sum::<u64>());
}

/// Of a pool that hands out the connection that came back last, most are idle for ever under a light load.
fn idle_connections_are_kept_alive(client: &str) {
    let pool = |check: &str| format!("size = 4\nhealth_check = \"{check}\"");
    let lost_and_checked = |check: &str| {
        let load = "model = \"open\"\nrate = 50\narrivals = \"uniform\"";
        let text = one_service(FIVE_SECONDS, &pool(check), load, &["command = \"GET\""]);
        let recording = Bench::of(client, &text, &[("timeout", "2")]).run();
        let sum = |of: fn(&ServiceSecond) -> u64| recording.services[0].seconds.iter().map(of).sum::<u64>();
        (sum(|second| second.lost), sum(|second| second.idle_checks), counts(&recording, "GET").failed())
    };
    let (lost, checked, failed) = lost_and_checked("500ms");
    assert!(lost == 0 && checked >= 9 && failed == 0, "{lost} lost, {checked} checked, {failed} failed");
    // Here a request may well meet a connection in the moment in which the server closes it.
    let (lost, checked, _) = lost_and_checked("0s");
    assert!(lost >= 1 && checked == 0, "the server closes what nobody uses: {lost} lost, {checked} checked");
}

fn a_full_server_refuses_writes_and_says_so(client: &str) {
    let text = one_service(
        "warmup = \"200ms\"\nduration = \"1s\"\ndrain = \"2s\"\nprefill = false",
        "size = 4",
        OPEN,
        &["command = \"SET\""],
    );
    let bench = Bench::of(client, &text, &[("maxmemory", "1mb"), ("maxmemory-policy", "noeviction")]);
    let recording = bench.run();
    balance(&recording);
    assert_eq!(
        failed(&recording, "SET", ErrorClass::Oom),
        recording.scheduled(),
        "a server takes more than 1 MB itself"
    );
    let message = &series(&recording, "SET").messages[&ErrorClass::Oom];
    assert!(message.contains("maxmemory"), "{message}");
    assert!(
        series(&recording, "SET").seconds.iter().all(|second| second.response.is_empty()),
        "no percentile improves"
    );
}

fn a_key_of_another_type_is_counted_as_such(client: &str) {
    let text = one_service(
        "warmup = \"200ms\"\nduration = \"1s\"\ndrain = \"2s\"\nprefill = false",
        "size = 2",
        "model = \"closed\"\nclients = 2",
        &["command = \"GET\"", "name = \"push\"\ncommand = \"RAW\"\nargs = [\"LPUSH\", \"{key}\", \"x\"]"],
    );
    let recording = Bench::of(client, &text, &[]).run();
    balance(&recording);
    assert!(failed(&recording, "GET", ErrorClass::Wrongtype) > 0);
    assert!(counts(&recording, "push").completed > 0);
}

fn commands_that_hang_time_out_and_the_pool_goes_on(client: &str) {
    let text = one_service(
        "warmup = \"200ms\"\nduration = \"3s\"\ndrain = \"3s\"\nprefill = false",
        "size = 4\ncommand_timeout = \"100ms\"",
        "model = \"open\"\nrate = 100\narrivals = \"uniform\"",
        &[
            "command = \"GET\"\nweight = 99",
            "name = \"hang\"\ncommand = \"RAW\"\nargs = [\"BLPOP\", \"nothing\", \"0\"]",
        ],
    );
    let recording = Bench::of(client, &text, &[]).run();
    let (_, _, unfinished) = balance(&recording);
    assert_eq!(unfinished, 0);
    let hangs = counts(&recording, "hang");
    assert!(hangs.failed() > 0);
    assert_eq!(hangs.errors.get(&ErrorClass::Timeout), Some(&hangs.failed()));
    assert!(counts(&recording, "GET").completed > 100, "other requests find connections");
}

fn batches_that_time_out_leave_no_reply_to_the_next_ones(client: &str) {
    let text = one_service(
        FIVE_SECONDS,
        "size = 4\npipeline = 8\ncommand_timeout = \"100ms\"",
        "model = \"closed\"\nclients = 4",
        &["command = \"GET\"", "command = \"EXISTS\"", "command = \"LRANGE\"\nmembers = 3"],
    );
    let text = text.replace("\"5s\"", "\"2s\"");
    let bench = Bench::of(client, &text, &[]);
    let running = bench.start(SETTINGS);
    running.wait_until_measuring();
    for _ in 0..3 {
        signal(bench.server.pid(), rustix::process::Signal::STOP);
        sleep(Duration::from_millis(200));
        signal(bench.server.pid(), rustix::process::Signal::CONT);
        sleep(Duration::from_millis(200));
    }
    let recording = running.finish();
    let (completed, all_failed, unfinished) = balance(&recording);
    let timeouts: u64 =
        ["GET", "EXISTS", "LRANGE"].map(|name| failed(&recording, name, ErrorClass::Timeout)).iter().sum();
    assert!(completed > 1_000 && timeouts > 0, "{completed} completed, {timeouts} timeouts");
    assert_eq!((all_failed, unfinished), (timeouts, 0));
    // A reply to another request would have another size.
    for (name, bytes) in [("GET", 64), ("EXISTS", 1), ("LRANGE", 3 * 64)] {
        let counts = counts(&recording, name);
        assert_eq!(counts.bytes_received, bytes * counts.completed, "{name}");
    }
}

fn an_exhausted_pool_fails_requests_by_checkout_timeout(client: &str) {
    let text = one_service(
        "warmup = \"100ms\"\nduration = \"2s\"\ndrain = \"3s\"\nprefill = false",
        "size = 1\ncommand_timeout = \"5s\"\ncheckout_timeout = \"200ms\"",
        "model = \"open\"\nrate = 50\narrivals = \"uniform\"",
        &["name = \"slow\"\ncommand = \"RAW\"\nargs = [\"BLPOP\", \"nothing\", \"0.5\"]"],
    );
    let recording = Bench::of(client, &text, &[]).run();
    let (completed, failed_all, unfinished) = balance(&recording);
    assert_eq!(unfinished, 0);
    assert_eq!(failed(&recording, "slow", ErrorClass::CheckoutTimeout), failed_all);
    assert!(failed_all > completed, "one connection serves two a second; {completed} completed, {failed_all} failed");
}

/// With one request under way on a connection, with a batch of them, and with those of several lanes.
fn replies_that_are_cut_cost_their_requests_and_are_not_asked_for_twice(client: &str) {
    for pool in ["size = 4", "size = 4\npipeline = 4", "size = 2\ncheckout = \"shared\"\nin_flight = 4"] {
        let text = one_service(
            "warmup = \"0s\"\nduration = \"1500ms\"\ndrain = \"5s\"",
            &format!("{pool}\ncommand_timeout = \"5s\""),
            "model = \"closed\"\nclients = 8",
            &["command = \"INCR\"", "command = \"LRANGE\"\nmembers = 3"],
        );
        let mut bench = Bench::of(client, &text, &[]);
        let (executed, cuts) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (seen, cut) = (Arc::clone(&executed), Arc::clone(&cuts));
        let fake = Fake::cutting(&bench.server, move |words| {
            let shortest = match words[0].as_str() {
                "INCR" => 4,
                "LRANGE" => 3 * 64,
                _ => return None,
            };
            let number = seen.fetch_add(1, Ordering::Relaxed);
            // Ten of the first five hundred, each at another place; the last connections have time to come back.
            (number < 500 && number % 50 == 49).then(|| (21 * cut.fetch_add(1, Ordering::Relaxed) % shortest) as usize)
        });
        let way = Target::prepare(Source::Url(fake.url(&bench.server)), &bench.scenario);
        let watcher = std::mem::replace(&mut bench.target, block_on(way).unwrap().0);
        let recording = bench.start_watched_by(&watcher, SETTINGS).finish();
        let (completed, all_failed, unfinished) = balance(&recording);
        let (executed, cuts) = (executed.load(Ordering::Relaxed), cuts.load(Ordering::Relaxed));
        assert!(cuts == 10 && completed > 1_000, "{pool}: {cuts} cuts, {completed} completed");
        assert_eq!((executed, unfinished), (completed + cuts, 0), "{pool}: nothing is sent twice");
        let lost: u64 =
            ["INCR", "LRANGE"].map(|name| failed(&recording, name, ErrorClass::ConnectionLost)).iter().sum();
        assert_eq!(lost, all_failed, "{pool}");
        // Others wait on the same connection, and may find it lost once more.
        assert!((cuts..=8 * cuts).contains(&lost) && (pool != "size = 4" || lost == cuts), "{pool}: {lost} lost");
        assert_eq!(lost_and_recovered(&recording), (cuts, cuts), "{pool}");
        let lists = counts(&recording, "LRANGE");
        assert_eq!(lists.bytes_received, 3 * 64 * lists.completed, "{pool}: replies stay in step");
    }
}
