//! What an inspection finds of servers and their users.

use plimsoll::{operation::Kind, results::Proof};

use super::{
    plan::{ask, scenario, server, service, target},
    preflight::credentials,
};

#[tokio::test]
async fn a_private_server_proves_what_its_users_need() {
    let server = server(&[("maxmemory", "100mb")]).await;
    let plan = scenario(vec![
        service("api", &[Kind::Get, Kind::Set, Kind::MGet]),
        service("chat", &[Kind::LPush, Kind::Publish, Kind::ZAdd]),
    ]);
    let found = plimsoll::target::Target::of_private(&server, &plan).unwrap().inspect(Some(&plan), true, false).await;
    assert!(found.withheld.is_empty(), "{:?}", found.withheld);
    assert_eq!(found.settings["maxmemory"], "104857600");
    assert!(found.info.contains_key("used_memory_peak") && !found.settings.contains_key("requirepass"));
    let default = found.users.iter().find(|user| user.name == "default").unwrap();
    assert!(!default.enabled);
    let [login] = found.logins.as_slice() else { panic!("{:?}", found.logins) };
    let services: Vec<_> = login.services.iter().map(|of| (of.service.as_str(), of.database)).collect();
    assert_eq!(services, [("api", 0), ("chat", 0)]);
    assert_eq!(login.password.unwrap().length, 64);
    assert!(matches!(login.proof, Proof::Proven { commands } if commands >= 6), "{:?}", login.proof);
    let needs: Vec<_> = login.needs.iter().map(String::as_str).collect();
    assert_eq!(
        needs,
        ["~api:*", "~chat:*", "&api:*", "&chat:*", "+get", "+lpush", "+mget", "+ping", "+publish", "+set", "+zadd"]
    );
    assert!(login.harness.contains(&"+ltrim".to_owned()) && !login.harness.contains(&"+get".to_owned()));
    for excess in ["FLUSHALL", "CONFIG SET", "ACL SETUSER", "keys of others"] {
        assert!(login.excess.iter().flatten().any(|known| known == excess), "{excess}: {:?}", login.excess);
    }
    assert!(!ask(&server, "ACL LIST").await.contains("plimsoll-proof"), "the user of the proof is gone");
    assert!(found.machine.unwrap().cores.is_some());
}

#[tokio::test]
async fn the_rules_that_are_proposed_are_enough_and_leave_no_excess() {
    let server = server(&[]).await;
    let plan = scenario(vec![service("api", &[Kind::Get, Kind::HSet, Kind::ZAdd])]);
    let needs = plimsoll::target::Target::of_private(&server, &plan)
        .unwrap()
        .inspect(Some(&plan), true, false)
        .await
        .logins
        .remove(0);
    let rules = [needs.needs, needs.harness].concat().join(" ");
    ask(&server, &format!("ACL SETUSER plimsoll reset on {} {rules}", credentials(&server))).await;
    let confined = target(server.url_of("plimsoll"), &plan).await;
    confined.preflight(&plan).await.unwrap_or_else(|error| panic!("{rules}: {error}"));
    confined.prefill(&plan, &mut |_, _| {}).await.unwrap();
    confined.cleanup(&plan).await.unwrap();
    assert_eq!(ask(&server, "DBSIZE").await, "0");
    let private = plimsoll::target::Target::of_private(&server, &plan).unwrap();
    let login = private.inspect(Some(&plan), true, false).await.logins.remove(0);
    assert_eq!(login.excess, Some(Vec::new()), "{rules}");
}

#[tokio::test]
async fn rights_that_are_missing_are_named_and_nothing_is_made() {
    let server = server(&[("rename-command", "CONFIG \"\"")]).await;
    let plan = scenario(vec![service("api", &[Kind::Get])]);
    ask(&server, &format!("ACL SETUSER plimsoll reset on {} ~* +get +ping +multi +discard", credentials(&server)))
        .await;
    let found = target(server.url_of("plimsoll"), &plan).await.inspect(Some(&plan), false, false).await;
    let withheld: Vec<_> = found.withheld.iter().map(|withheld| withheld.what.as_str()).collect();
    assert_eq!(withheld, ["ACL LIST", "CONFIG GET", "INFO", "ACL DRYRUN"], "{:?}", found.withheld);
    assert!(found.users.is_empty() && found.machine.is_none());
    assert!(matches!(found.logins[0].proof, Proof::Untried { .. }));
    assert_eq!(found.logins[0].excess, None);
}
