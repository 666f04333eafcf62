//! Every rule of the audit, moved away from the sample one step at a time.

use std::{collections::BTreeMap, sync::LazyLock};

use super::*;
use crate::{
    analysis::{Analysis, analyse},
    results::{Inspection, Machine, Run, UserRights, sample},
    scenario,
};

fn held(run: &Run, rule: Rule) -> Vec<Ruling> {
    static SAMPLE: LazyLock<(Run, Analysis)> = LazyLock::new(|| {
        let run = sample::run();
        let analysis = analyse(&run, &sample::scenario());
        (run, analysis)
    });
    let (unchanged, known) = &*SAMPLE;
    let scenario = sample::scenario();
    let Run { target, inspection, dependencies, .. } = run;
    let of = |Analysis { server, rows, .. }: &Analysis| {
        let (record, nodes, recording) = (&run.server, &run.nodes[..], &run.recording);
        let measured = Measured { record, nodes, side: server, recording, rows };
        audit(&Subject { target, inspection, dependencies, scenario: Some(&scenario), measured: Some(measured) })
    };
    // What was measured is analysed anew only where the change touches it.
    let measured_alike = run.server == unchanged.server && run.recording == unchanged.recording;
    let rulings = if measured_alike { of(known) } else { analyse(run, &scenario).audit };
    rulings.into_iter().filter(|ruling| ruling.rule == rule).collect()
}

fn severity(run: &Run, rule: Rule) -> Severity {
    held(run, rule).first().unwrap_or_else(|| panic!("{rule:?} says nothing")).severity
}

fn set(run: &mut Run, name: &str, value: &str) {
    run.inspection.settings.insert(name.to_owned(), value.to_owned());
}

fn say(run: &mut Run, name: &str, value: &str) {
    run.inspection.info.insert(name.to_owned(), value.to_owned());
}

/// One step of a rule: what is changed of the sample, and what follows.
type Case = (Rule, fn(&mut Run), Severity);

const CASES: &[Case] = &[
    (Rule::DefaultUser, |run| run.inspection.users[0].enabled = false, Severity::Passed),
    (Rule::DefaultUser, |run| set(run, "bind", "127.0.0.1 -::1"), Severity::Warning),
    (Rule::DefaultUser, |run| set(run, "bind", "* -::*"), Severity::Critical),
    (Rule::DefaultUser, |run| run.inspection.users[0].no_password = false, Severity::Note),
    (Rule::DefaultUser, |run| run.inspection.users.clear(), Severity::Unknown),
    (Rule::PasswordStrength, |_| {}, Severity::Passed),
    (Rule::PasswordStrength, |run| password(run, 50.0, false), Severity::Warning),
    (Rule::PasswordStrength, |run| password(run, 20.0, false), Severity::Critical),
    (Rule::PasswordStrength, |run| password(run, 200.0, true), Severity::Critical),
    (Rule::LeastPrivilege, |_| {}, Severity::Warning),
    (Rule::LeastPrivilege, confined, Severity::Passed),
    (Rule::LeastPrivilege, |run| unasked(run, "+@all"), Severity::Warning),
    (Rule::LeastPrivilege, |run| unasked(run, "-@all +get"), Severity::Unknown),
    (Rule::DangerousCommands, |_| {}, Severity::Warning),
    (Rule::DangerousCommands, confined, Severity::Passed),
    // What the server itself refuses counts, whatever its rules look like.
    (Rule::DangerousCommands, |run| run.inspection.logins[0].excess = Some(Vec::new()), Severity::Passed),
    (Rule::DangerousCommands, |run| unasked(run, "-@all +flushall"), Severity::Unknown),
    (Rule::Encryption, |_| {}, Severity::Unknown),
    (Rule::Encryption, |run| set(run, "bind", "127.0.0.1"), Severity::Passed),
    (Rule::Encryption, |run| set(run, "port", "0"), Severity::Passed),
    (Rule::Encryption, |run| set(run, "bind", "* -::*"), Severity::Note),
    (Rule::Encryption, |run| run.target.same_machine = false, Severity::Critical),
    (Rule::Encryption, |run| run.target.address = "rediss://h:1".into(), Severity::Passed),
    (Rule::Encryption, |run| run.target.address = "valkeys://h:1".into(), Severity::Passed),
    (Rule::ProtectedMode, |_| {}, Severity::Critical),
    (Rule::ProtectedMode, |run| set(run, "protected-mode", "yes"), Severity::Passed),
    (Rule::ProtectedMode, |run| run.inspection.users.clear(), Severity::Unknown),
    (Rule::ProtectedMode, protected_in_vain, Severity::Critical),
    (Rule::MemoryLimit, |_| {}, Severity::Passed),
    (Rule::MemoryLimit, |run| set(run, "maxmemory", "0"), Severity::Warning),
    (Rule::MemoryHeadroom, |_| {}, Severity::Passed),
    (Rule::MemoryHeadroom, |run| set(run, "maxmemory", "7000000000"), Severity::Warning),
    (Rule::MemoryHeadroom, |run| set(run, "maxmemory", "9000000000"), Severity::Critical),
    (Rule::MemoryOversized, |_| {}, Severity::Note),
    (Rule::MemoryOversized, |run| say(run, "used_memory_peak", "700000000"), Severity::Passed),
    (Rule::EvictionPolicy, |_| {}, Severity::Passed),
    (Rule::Fragmentation, |_| {}, Severity::Passed),
    (Rule::Fragmentation, |run| fragmented(run, "1.9"), Severity::Warning),
    (Rule::Fragmentation, |run| fragmented(run, "0.5"), Severity::Warning),
    (Rule::MemoryFull, |_| {}, Severity::Passed),
    (Rule::MemoryFull, |run| filled(run, "1073741824", "noeviction"), Severity::Critical),
    (Rule::MemoryFull, |run| filled(run, "1000000000", "noeviction"), Severity::Warning),
    (Rule::MemoryFull, |run| filled(run, "1073741824", "allkeys-lru"), Severity::Passed),
    (Rule::OtherUsers, |_| {}, Severity::Passed),
    (Rule::OtherUsers, |run| run.inspection.users[1].no_password = true, Severity::Critical),
    (Rule::OtherUsers, |run| run.inspection.users.clear(), Severity::Unknown),
    (Rule::ServiceLogin, |_| {}, Severity::Passed),
    (Rule::ServiceLogin, |run| run.inspection.logins[0].refused = Some("WRONGPASS".into()), Severity::Critical),
    (Rule::Evictions, |_| {}, Severity::Passed),
    (Rule::Evictions, |run| run.server.seconds[2].counts.evicted = Some(9), Severity::Note),
    (Rule::Evictions, evicting, Severity::Warning),
    (Rule::BigKeys, |_| {}, Severity::Warning),
    (Rule::HotKeys, |_| {}, Severity::Note),
    (Rule::MaxClients, |_| {}, Severity::Passed),
    (Rule::MaxClients, |run| set(run, "maxclients", "70"), Severity::Warning),
    (Rule::MaxClients, |run| set(run, "maxclients", "50"), Severity::Critical),
    (Rule::IdleTimeout, |_| {}, Severity::Passed),
    (Rule::IdleTimeout, |run| set(run, "timeout", "1"), Severity::Warning),
    (Rule::IdleTimeout, |run| set(run, "timeout", "0"), Severity::Passed),
    (Rule::TcpKeepalive, |run| set(run, "tcp-keepalive", "0"), Severity::Warning),
    (Rule::TcpKeepalive, |run| set(run, "tcp-keepalive", "3600"), Severity::Note),
    (Rule::TcpBacklog, |_| {}, Severity::Passed),
    (Rule::TcpBacklog, |run| set(run, "tcp-backlog", "32"), Severity::Warning),
    (Rule::TcpBacklog, |run| machine(run).somaxconn = Some(128), Severity::Warning),
    (Rule::RejectedConnections, |_| {}, Severity::Passed),
    (Rule::RejectedConnections, |run| say(run, "rejected_connections", "3"), Severity::Warning),
    (Rule::RejectedConnections, |run| run.server.seconds[2].counts.rejected = Some(9), Severity::Critical),
    (Rule::Persistence, |run| run.target.private = false, Severity::Passed),
    (Rule::Persistence, unsaved, Severity::Note),
    (Rule::RdbCompression, |run| set(run, "rdbcompression", "no"), Severity::Note),
    (Rule::RdbChecksum, |run| set(run, "rdbchecksum", "no"), Severity::Warning),
    (Rule::AofPolicy, |run| appending(run, "everysec"), Severity::Passed),
    (Rule::AofPolicy, |run| appending(run, "always"), Severity::Note),
    (Rule::AofPolicy, |run| appending(run, "no"), Severity::Warning),
    (Rule::LastSave, |_| {}, Severity::Passed),
    (Rule::LastSave, |run| say(run, "aof_last_bgrewrite_status", "err"), Severity::Critical),
    (Rule::LastSave, |run| say(run, "rdb_last_bgsave_status", "err"), Severity::Critical),
    (Rule::Replication, |run| replicated(run, "1"), Severity::Passed),
    (Rule::Replication, |run| replicated(run, "0"), Severity::Note),
    (Rule::SlowlogThreshold, |_| {}, Severity::Passed),
    (Rule::SlowlogThreshold, |run| set(run, "slowlog-log-slower-than", "-1"), Severity::Warning),
    (Rule::SlowlogThreshold, |run| set(run, "slowlog-log-slower-than", "200000"), Severity::Warning),
    (Rule::SlowlogLength, |_| {}, Severity::Passed),
    (Rule::SlowlogLength, |run| set(run, "slowlog-max-len", "4"), Severity::Note),
    (Rule::SlowlogLength, |run| run.server.slowlog.as_mut().unwrap().lost = 4, Severity::Warning),
    (Rule::LatencyMonitor, |_| {}, Severity::Note),
    (Rule::LatencyMonitor, |run| set(run, "latency-monitor-threshold", "100"), Severity::Passed),
    (Rule::HitRate, |_| {}, Severity::Passed),
    (Rule::SharedDatabase, |_| {}, Severity::Passed),
    (Rule::SharedDatabase, |run| run.inspection.logins[0].services[1].database = 0, Severity::Note),
    (Rule::ExpensiveCommands, |_| {}, Severity::Passed),
    (Rule::ExpensiveCommands, |run| run.server.commands[0].micros = 1_800 * 2_000, Severity::Warning),
    (Rule::IoThreads, |_| {}, Severity::Passed),
    (Rule::IoThreads, |run| set(run, "io-threads", "4"), Severity::Warning),
    (Rule::HugePages, |_| {}, Severity::Warning),
    (Rule::HugePages, |run| set(run, "disable-thp", "yes"), Severity::Passed),
    (Rule::Overcommit, |_| {}, Severity::Warning),
    (Rule::Overcommit, |run| machine(run).overcommit = Some(1), Severity::Passed),
    (Rule::Version, |_| {}, Severity::Warning),
    (Rule::Version, |run| run.target.version = "7.2.16".into(), Severity::Passed),
    (Rule::Dependencies, |_| {}, Severity::Passed),
    (Rule::Dependencies, |run| run.dependencies[0].probes[1].failure = Some("refused".into()), Severity::Warning),
];

fn password(run: &mut Run, bits: f64, common: bool) {
    let strength = run.inspection.logins[0].password.as_mut().unwrap();
    (strength.bits, strength.common) = (bits, common);
}

fn confined(run: &mut Run) {
    run.inspection.logins[0].excess = Some(Vec::new());
    let user = &mut run.inspection.users[1];
    (user.commands, user.keys) = ("-@all +get +set".to_owned(), vec!["~api:*".to_owned()]);
}

fn unasked(run: &mut Run, commands: &str) {
    run.inspection.logins[0].excess = None;
    let user = &mut run.inspection.users[1];
    (user.commands, user.keys) = (commands.to_owned(), vec!["~api:*".to_owned()]);
}

/// Before version 7 protected mode does nothing for a server that is bound to an address.
fn protected_in_vain(run: &mut Run) {
    run.target.version = "6.2.14".to_owned();
    set(run, "protected-mode", "yes");
    set(run, "bind", "0.0.0.0");
}

fn unsaved(run: &mut Run) {
    run.target.private = false;
    set(run, "save", "");
}

fn evicting(run: &mut Run) {
    run.server.seconds[2].counts.evicted = Some(9);
    set(run, "maxmemory-policy", "volatile-lru");
}

fn fragmented(run: &mut Run, ratio: &str) {
    say(run, "used_memory", "100000000");
    say(run, "mem_fragmentation_ratio", ratio);
}

fn filled(run: &mut Run, used: &str, policy: &str) {
    say(run, "used_memory", used);
    set(run, "maxmemory-policy", policy);
}

fn appending(run: &mut Run, policy: &str) {
    set(run, "appendonly", "yes");
    set(run, "appendfsync", policy);
}

fn replicated(run: &mut Run, replicas: &str) {
    say(run, "connected_slaves", replicas);
    run.target.private = false;
}

fn machine(run: &mut Run) -> &mut Machine {
    run.inspection.machine.as_mut().unwrap()
}

#[test]
fn every_rule_says_what_it_should() {
    for (number, (rule, change, expected)) in CASES.iter().enumerate() {
        let mut run = sample::run();
        change(&mut run);
        assert_eq!(severity(&run, *rule), *expected, "case {number}: {rule:?}: {:?}", held(&run, *rule));
    }
}

#[test]
fn every_rule_has_a_case() {
    for rule in Rule::VARIANTS {
        let mut rules = CASES.iter().map(|(rule, ..)| rule).chain(nodes_tests::CASES.iter().map(|(rule, ..)| rule));
        assert!(rules.any(|known| known == rule), "{rule:?}");
    }
}

#[test]
fn every_ruling_has_evidence_and_every_fault_a_way_out() {
    for (rule, change, _) in CASES {
        let mut run = sample::run();
        change(&mut run);
        for ruling in held(&run, *rule) {
            assert!(ruling.severity == Severity::Unknown || !ruling.evidence.is_empty(), "{ruling:?}");
            assert_eq!(
                ruling.remedies.is_empty(),
                ruling.severity <= Severity::Unknown || has_none(*rule),
                "{ruling:?}"
            );
        }
    }
}

/// Rules without a remedy by command: a newer version, another server's answers, better keys.
fn has_none(rule: Rule) -> bool {
    matches!(rule, Rule::Version | Rule::Dependencies | Rule::HitRate)
}

#[test]
fn queues_are_not_to_be_evicted_and_caches_are() {
    let held = |commands: &str, policy: &str| {
        let text = format!("name = \"x\"\n[[service]]\nname = \"s\"\nload.rate = 1\noperation = [{commands}]\n");
        let scenario = scenario::parse(&text, "x.toml").unwrap();
        let mut run = sample::run();
        set(&mut run, "maxmemory-policy", policy);
        let Run { target, inspection, .. } = &run;
        let subject = Subject { target, inspection, dependencies: &[], scenario: Some(&scenario), measured: None };
        audit(&subject).into_iter().find(|ruling| ruling.rule == Rule::EvictionPolicy).unwrap()
    };
    let cache = r#"{ command = "GET" }, { command = "SET", expire = "1h" }"#;
    let queue = r#"{ command = "LPUSH" }, { command = "RPOP" }"#;
    assert_eq!(held(cache, "noeviction").severity, Severity::Warning);
    assert_eq!(held(cache, "allkeys-lru").severity, Severity::Passed);
    assert_eq!(held(queue, "noeviction").severity, Severity::Passed);
    let lossy = held(queue, "allkeys-lru");
    assert_eq!(lossy.severity, Severity::Warning);
    let better = Remedy::Setting { name: "maxmemory-policy", value: "noeviction".to_owned() };
    assert_eq!(lossy.remedies, [better]);
}

#[test]
fn a_limit_far_above_the_peak_is_lowered_with_the_numbers_for_it() {
    let mut run = sample::run();
    say(&mut run, "used_memory_peak", "71303168");
    say(&mut run, "used_memory", "1971322");
    let ruling = held(&run, Rule::MemoryOversized).remove(0);
    assert_eq!(ruling.severity, Severity::Note);
    // 4 x 68 MiB, to the next power of two: the 512 MB of the report that this began with.
    assert_eq!(ruling.remedies, [Remedy::Setting { name: "maxmemory", value: "512mb".to_owned() }]);
}

#[test]
fn least_privilege_keeps_the_password_and_names_every_right() {
    let ruling = held(&sample::run(), Rule::LeastPrivilege).remove(0);
    let [Remedy::Command(first), Remedy::Command(line), Remedy::Command(kept)] = ruling.remedies.as_slice() else {
        panic!("{ruling:?}")
    };
    assert!(first.starts_with("ACL SETUSER operator on "), "the remedy keeps an operator: {first}");
    assert_eq!(kept, "CONFIG REWRITE");
    assert!(line.starts_with("ACL SETUSER plimsoll resetkeys resetchannels -@all ~api:* "), "{line}");
    assert!(line.ends_with(" +set") && !line.contains("reset on"), "{line}");
}

#[test]
fn services_that_log_in_as_everybody_get_a_user_of_their_own() {
    let mut run = sample::run();
    run.inspection.logins[0].user = "default".to_owned();
    let ruling = held(&run, Rule::LeastPrivilege).remove(0);
    let taken = |remedy: &Remedy| matches!(remedy, Remedy::Command(line) if line.contains("SETUSER default"));
    assert!(!ruling.remedies.iter().any(taken), "{ruling:?}");
    run.inspection.users.push(UserRights { name: "root".to_owned(), ..run.inspection.users[1].clone() });
    let made = |remedy: &Remedy| matches!(remedy, Remedy::Command(line) if line.contains("operator"));
    assert!(!held(&run, Rule::DefaultUser)[0].remedies.iter().any(made), "there is an operator already");
}

#[test]
fn a_proposed_limit_leaves_room_and_is_the_same_everywhere() {
    let mut run = sample::run();
    say(&mut run, "used_memory_peak", "6000000000");
    set(&mut run, "maxmemory", "9000000000");
    let limit = |run: &Run, rule| held(run, rule).remove(0).remedies;
    let three_quarters = Remedy::Setting { name: "maxmemory", value: "5953mb".to_owned() };
    assert_eq!(limit(&run, Rule::MemoryHeadroom), [three_quarters]);
    say(&mut run, "used_memory_peak", "8000000000");
    let [Remedy::Shell(_)] = limit(&run, Rule::MemoryHeadroom)[..] else { panic!("no limit would do") };
}

#[test]
fn what_is_not_known_is_not_judged() {
    let mut run = sample::run();
    run.inspection = Inspection::default();
    let rulings = analyse(&run, &sample::scenario()).audit;
    let judged = |ruling: &&Ruling| {
        !matches!(
            ruling.rule,
            Rule::Encryption
                | Rule::Evictions
                | Rule::RejectedConnections
                | Rule::HitRate
                | Rule::SharedDatabase
                | Rule::ExpensiveCommands
                | Rule::Version
                | Rule::Dependencies
        )
    };
    assert!(rulings.iter().filter(judged).count() > 20, "silence is no answer: {rulings:?}");
    for ruling in rulings.iter().filter(judged) {
        assert_eq!(ruling.severity, Severity::Unknown, "{ruling:?}");
    }
}

#[test]
fn an_open_server_is_noticed_without_the_list_of_users() {
    let mut run = sample::run();
    run.inspection.users = Vec::<UserRights>::new();
    run.inspection.settings = BTreeMap::new();
    (run.inspection.logins[0].user, run.inspection.logins[0].password) = ("default".to_owned(), None);
    assert_eq!(severity(&run, Rule::DefaultUser), Severity::Critical);
}
