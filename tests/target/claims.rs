//! No run writes or removes what belongs to another, and what it changes besides its data is said.

use std::process::Command;

use plimsoll::{
    operation::Kind,
    scenario::{Action, Scenario},
    target::{Takeover, Target, TargetError, claimant},
};

use super::{
    fake::Fake,
    plan::{ask, ask_words, operation, scenario, server, service, target},
    preflight::credentials,
};

#[tokio::test]
async fn a_second_run_is_refused_until_the_first_has_ended() {
    let server = server(&[]).await;
    let mut far = service("far", &[Kind::Set]);
    far.database = 3;
    // Two services that share a prefix have one claim.
    let mut twin = service("twin", &[Kind::ZAdd]);
    twin.keys.prefix = "api:".to_owned();
    let plan = scenario(vec![service("api", &[Kind::Get]), far.clone(), twin]);
    let target = target(server.url_of("plimsoll"), &plan).await;
    target.claim(&plan, "the first").await.unwrap();
    assert_eq!(ask(&server, "GET api:plimsoll-claim").await, "the first, keys str:100 zset:3");
    target.claim(&plan, "the first").await.expect("a command may claim for several scenarios");

    // Of its prefixes only the second is taken: the first is not claimed by it afterwards.
    let other = scenario(vec![service("other", &[Kind::Get]), far]);
    let beside = super::plan::target(server.url_of("plimsoll"), &other).await;
    let error = beside.claim(&other, "the second").await.unwrap_err();
    assert!(
        matches!(&error, TargetError::Claimed { prefix, by, .. } if prefix == "far:" && by == "the first"),
        "{error}"
    );
    assert!(error.to_string().contains("plimsoll clean"), "{error}");
    assert_eq!(ask(&server, "EXISTS other:plimsoll-claim").await, "0");
    assert!(beside.claimed_by_another(&other, "the second").await.is_err());

    beside.release(&other, "the second").await.unwrap();
    assert_eq!(
        ask(&server, "INFO keyspace").await.matches("keys=1,").count(),
        2,
        "nobody gives back what others claim"
    );
    target.release(&plan, "the first").await.unwrap();
    assert!(!ask(&server, "INFO keyspace").await.contains("keys="));
    beside.claim(&other, "the second").await.unwrap();
}

#[tokio::test]
async fn keys_that_were_there_before_are_in_the_way() {
    let server = server(&[]).await;
    let plan = scenario(vec![service("api", &[Kind::Get, Kind::HGet])]);
    let target = target(server.url_of("plimsoll"), &plan).await;
    // Beyond the data, under another name, of another type: nobody touches those.
    for other in ["api:str:100", "api:user:7", "api:zset:1", "str:7"] {
        ask(&server, &format!("SET {other} theirs")).await;
    }
    target.claim(&plan, "me").await.unwrap();
    target.release(&plan, "me").await.unwrap();
    for crowd in [0, 300] {
        for number in 0..crowd {
            ask(&server, &format!("SET crowd:{number} theirs")).await;
        }
        // Few keys are looked through, of many those of the data are asked for by name.
        ask(&server, "SET api:hash:1 theirs").await;
        let error = target.claim(&plan, "me").await.unwrap_err();
        assert!(matches!(&error, TargetError::KeysExist { key, .. } if key == "api:hash:1"), "{crowd}: {error}");
        assert_eq!(ask(&server, "EXISTS api:plimsoll-claim").await, "0");
        ask(&server, "DEL api:hash:1").await;
        target.claim(&plan, "me").await.unwrap();
        target.release(&plan, "me").await.unwrap();
    }
}

#[tokio::test]
async fn what_a_run_left_that_was_ended_by_force_can_be_removed() {
    let server = server(&[]).await;
    let plan = scenario(vec![service("api", &[Kind::Get, Kind::ZAdd])]);
    let target = target(server.url_of("plimsoll"), &plan).await;
    ask(&server, "SET api:user:7 theirs").await;
    target.claim(&plan, "gone").await.unwrap();
    target.prefill(&plan, &mut |_, _| ()).await.unwrap();
    assert_eq!(target.clean(&plan).await.unwrap(), 103);
    assert_eq!(ask(&server, "KEYS *").await, "api:user:7");
    target.claim(&plan, "the next").await.unwrap();
}

/// What a process of this machine that has ended would have said of itself.
fn ended() -> String {
    let mut child = Command::new("sh").args(["-c", "exit"]).spawn().unwrap();
    child.wait().unwrap();
    claimant().replace(&format!("process {} on", std::process::id()), &format!("process {} on", child.id()))
}

#[tokio::test]
async fn the_claim_of_a_dead_process_is_taken_over_with_the_keys_that_it_proves() {
    let server = server(&[]).await;
    let plan = scenario(vec![service("api", &[Kind::Get, Kind::ZAdd])]);
    let target = target(server.url_of("plimsoll"), &plan).await;
    let ended = ended();
    assert_eq!(target.claim(&plan, &ended).await.unwrap(), []);
    target.prefill(&plan, &mut |_, _| ()).await.unwrap();
    for other in ["api:user:7", "api:hash:1"] {
        ask(&server, &format!("SET {other} theirs")).await;
    }
    let takeover = Takeover { prefix: "api:".into(), by: ended.clone(), removed: 103 };
    assert_eq!(target.claim(&plan, "the next").await.unwrap(), [takeover]);
    assert_eq!(ask(&server, "DBSIZE").await, "3", "the claim and the keys of others");
    target.release(&plan, "the next").await.unwrap();

    // A claim that was taken before the keys were looked for proves nothing.
    ask(&server, "SET api:str:1 theirs").await;
    ask_words(&server, &["SET", "api:plimsoll-claim", &ended]).await;
    let error = target.claim(&plan, "the next").await.unwrap_err();
    assert!(matches!(&error, TargetError::KeysExist { key, .. } if key == "api:str:1"), "{error}");
    assert_eq!(ask(&server, "DBSIZE").await, "3", "the key of others stays");

    // A process that is there, and one of which nothing is known.
    let elsewhere = ended.replacen(" (", " (0", 1);
    for alive in [claimant(), elsewhere] {
        ask_words(&server, &["SET", "api:plimsoll-claim", &alive]).await;
        let error = target.claim(&plan, "the next").await.unwrap_err();
        assert!(matches!(&error, TargetError::Claimed { by, .. } if *by == alive), "{error}");
    }
}

#[tokio::test]
async fn a_user_who_may_not_claim_goes_without() {
    let server = server(&[]).await;
    let plan = scenario(vec![service("api", &[Kind::ZAdd])]);
    let rules = format!("ACL SETUSER plimsoll reset on {} ~api:* +zadd +scan +del", credentials(&server));
    ask(&server, &rules).await;
    let target = target(server.url_of("plimsoll"), &plan).await;
    target.claim(&plan, "me").await.unwrap();
    assert_eq!(ask(&server, "DBSIZE").await, "0");
    ask(&server, "ZADD api:zset:0 1 theirs").await;
    let error = target.claim(&plan, "me").await.unwrap_err();
    assert!(matches!(error, TargetError::KeysExist { .. }), "{error}");

    // What was never claimed needs no right to remove it; what was does.
    ask(&server, "FLUSHALL").await;
    for (rights, released) in [("+zadd +scan", true), ("+zadd +scan +get", true), ("+set", false), ("+set +get", false)]
    {
        ask(&server, &format!("ACL SETUSER plimsoll reset on {} ~api:* {rights}", credentials(&server))).await;
        target.claim(&plan, "me").await.unwrap();
        assert_eq!(target.release(&plan, "me").await.is_ok(), released, "{rights}");
    }
}

/// A service with one command in its own words.
fn raw(line: &str) -> Scenario {
    let mut service = service("api", &[]);
    service.operations = vec![operation(Kind::Raw)];
    if let Action::Single(command) = &mut service.operations[0].action {
        command.parameters.args = line.split(' ').map(str::to_owned).collect();
    }
    scenario(vec![service])
}

#[tokio::test]
async fn commands_that_change_keys_beside_the_data_are_named() {
    let server = server(&[]).await;
    let old = Fake::before(&server, |words| {
        let refusal =
            b"-ERR Unknown subcommand or wrong number of arguments for 'GETKEYSANDFLAGS'. Try COMMAND HELP.\r\n";
        (words[0] == "COMMAND" && words[1] == "GETKEYSANDFLAGS").then(|| refusal.to_vec())
    });
    let mute = Fake::before(&server, |words| (words[0] == "COMMAND").then(|| b"-NOPERM no\r\n".to_vec()));
    for (line, said) in [
        (
            "SET session:{key} {value}",
            Some("SET writes other keys than the scenario's data, such as `session:api:str:"),
        ),
        ("SET {key} {value}", None),
        ("SET api:meta 1", Some("such as `api:meta`")),
        ("GET session:{key}", None),
        (
            "LMOVE {key} log:{key} LEFT RIGHT",
            Some("LMOVE writes other keys than the scenario's data, such as `log:api:str:"),
        ),
        ("BRPOP api:queue 0.1", None),
        ("BRPOP queue 0.1", Some("BRPOP removes data of keys outside of the service's prefix, such as `queue`")),
        ("PING", None),
    ] {
        let plan = raw(line);
        let found = target(server.url_of("plimsoll"), &plan).await.outside(&plan).await;
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), usize::from(said.is_some()), "{line}: {found:?}");
        assert!(said.is_none_or(|said| found[0].contains(said)), "{line}: {found:?}");
    }
    for fake in [old, mute] {
        for (line, expected) in [("SET session:{key} {value}", 1), ("SET {key} {value}", 0)] {
            let plan = raw(line);
            assert_eq!(target(fake.url(&server), &plan).await.outside(&plan).await.len(), expected, "{line}");
        }
    }
    let plan = raw("SET session:{key} {value}");
    assert_eq!(Target::of_private(&server, &plan).unwrap().outside(&plan).await, [], "it ends with its keys");
}

#[tokio::test]
async fn what_stays_of_them_is_named_with_a_way_to_remove_it() {
    let server = server(&[]).await;
    let plan = raw("SET session:{key} {value}");
    let target = target(server.url_of("plimsoll"), &plan).await;
    let outside = target.outside(&plan).await;
    assert_eq!(target.left(&outside).await, [""; 0], "nothing was written");
    let key = outside[0].to_string().split('`').nth(3).unwrap().to_owned();
    ask(&server, &format!("SET {key} 1")).await;
    let left = target.left(&outside).await;
    assert!(
        left.len() == 1 && left[0].contains("--scan --pattern 'session:api:str:*' | xargs redis-cli -u redis://"),
        "{left:?}"
    );
}
