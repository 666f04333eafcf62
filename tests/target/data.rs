//! Prefill and clean-up.

use std::time::Duration;

use plimsoll::{
    operation::{Args, Kind},
    scenario::ValueSize,
    target::{Target, TargetError},
};
use tokio::time::sleep;

use super::{
    fake::Fake,
    plan::{ask, complaint, connection, request, scenario, server, service, target, value},
};

#[tokio::test]
async fn writes_all_and_removes_its_own_only() {
    let server = server(&[]).await;
    let mut chat = service("chat", &[Kind::Get, Kind::LRange, Kind::XRange]);
    chat.database = 5;
    // Characters that would match more than themselves.
    chat.keys.prefix = "c[h]a*t?:".to_owned();
    let plan = scenario(vec![chat, service("api", &[Kind::Get, Kind::HGet, Kind::ZRange])]);
    let target = Target::of_private(&server, &plan).unwrap();
    for key in ["chat:1", "chaxty:1", "c[h]a*t:1"] {
        ask(&server, &format!("SET {key} mine")).await;
    }
    let mut heard = Vec::new();
    target.prefill(&plan, &mut |done, total| heard.push((done, total))).await.unwrap();
    // 100 strings, 3 lists and 3 streams of 10; 100 strings, hashes, 3 sorted sets of 10.
    let total = heard[0].1;
    assert_eq!(heard[0].0, 0);
    assert_eq!(heard.last(), Some(&(total, total)));
    assert!(heard.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    assert!(ask(&server, "INFO keyspace").await.contains("db5:keys=106,"));
    let keys: u64 = ask(&server, "DBSIZE").await.parse().unwrap();
    assert!(keys > 103);
    assert_eq!(target.cleanup(&plan).await.unwrap(), 106 + keys - 3);
    assert_eq!(ask(&server, "DBSIZE").await, "3");
    assert!(!ask(&server, "INFO keyspace").await.contains("db5"));
    assert_eq!(target.cleanup(&plan).await.unwrap(), 0);
}

#[tokio::test]
async fn a_second_prefill_adds_nothing() {
    let server = server(&[]).await;
    let plan = scenario(vec![service("api", &[Kind::LPush, Kind::SAdd])]);
    let target = Target::of_private(&server, &plan).unwrap();
    for _ in 0..2 {
        target.prefill(&plan, &mut |_, _| ()).await.unwrap();
    }
    assert_eq!(ask(&server, "LLEN api:list:0").await, "10");
}

#[tokio::test]
async fn without_a_prefix_no_key_of_others_is_removed() {
    let server = server(&[]).await;
    let mut service = service("api", &[Kind::Get]);
    service.keys.prefix = String::new();
    let plan = scenario(vec![service]);
    let target = Target::of_private(&server, &plan).unwrap();
    connection(&server).await.issue(request(Kind::Set, "mine", value("x"))).await.unwrap();
    target.prefill(&plan, &mut |_, _| ()).await.unwrap();
    assert_eq!(target.cleanup(&plan).await.unwrap(), 100);
    assert_eq!(connection(&server).await.issue(request(Kind::Get, "mine", Args::None)).await.unwrap().hits, 1);
}

#[tokio::test]
async fn names_the_key_that_is_in_the_way() {
    let server = server(&[]).await;
    ask(&server, "SET api:hash:1 mine").await;
    let plan = scenario(vec![service("api", &[Kind::HGet])]);
    let error = Target::of_private(&server, &plan).unwrap().prefill(&plan, &mut |_, _| ()).await.unwrap_err();
    assert!(matches!(&error, TargetError::OtherType { key, .. } if key == "api:hash:1"), "{error}");
    assert!(error.to_string().contains("--set service.api.keys.prefix="), "{error}");
}

#[tokio::test]
async fn says_when_the_data_does_not_fit() {
    let server = server(&[("maxmemory", "2mb"), ("maxmemory-policy", "noeviction")]).await;
    let mut service = service("api", &[Kind::Get]);
    service.values = ValueSize::Fixed(100_000);
    let plan = scenario(vec![service]);
    let error = Target::of_private(&server, &plan).unwrap().prefill(&plan, &mut |_, _| ()).await.unwrap_err();
    assert!(matches!(error, TargetError::DataTooLarge { .. }), "{error}");
}

#[tokio::test]
async fn names_the_limits_where_a_large_value_breaks_the_connection() {
    let server = server(&[("proto-max-bulk-len", "1mb")]).await;
    let mut service = service("api", &[Kind::Get]);
    service.values = ValueSize::Fixed(2_097_152);
    service.keys.count = 1;
    let plan = scenario(vec![service]);
    let error = Target::of_private(&server, &plan).unwrap().prefill(&plan, &mut |_, _| ()).await.unwrap_err();
    assert!(matches!(error, TargetError::PrefillCut { .. }), "{error}");
    assert!(error.to_string().contains("proto-max-bulk-len"), "{error}");
}

#[tokio::test]
async fn says_when_the_policy_evicts_nothing_of_the_data() {
    let server = server(&[("maxmemory", "2mb"), ("maxmemory-policy", "volatile-lru")]).await;
    let mut service = service("api", &[Kind::Get]);
    service.values = ValueSize::Fixed(100_000);
    let plan = scenario(vec![service]);
    let error = Target::of_private(&server, &plan).unwrap().prefill(&plan, &mut |_, _| ()).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("evicts only keys with an expiry") && text.ends_with("or an allkeys policy"), "{text}");
}

#[tokio::test]
async fn a_scan_without_an_end_is_given_up_and_the_keys_are_removed_by_name() {
    let server = server(&[]).await;
    let fake = Fake::before(&server, |words| (words[0] == "SCAN").then(|| b"*2\r\n$1\r\n7\r\n*0\r\n".to_vec()));
    let plan = scenario(vec![service("api", &[Kind::Get, Kind::ZRange])]);
    let target = target(fake.url(&server), &plan).await;
    ask(&server, "SET api:str:100 mine").await;
    target.prefill(&plan, &mut |_, _| ()).await.unwrap();
    assert_eq!(target.cleanup(&plan).await.unwrap(), 103);
    assert_eq!(ask(&server, "DBSIZE").await, "1");
}

/// A server in cluster mode that serves these slots, as soon as it says that it does.
async fn node(slots: &str) -> super::plan::Server {
    let server = server(&[("cluster-enabled", "yes")]).await;
    assert_eq!(ask(&server, &format!("CLUSTER ADDSLOTSRANGE {slots}")).await, "OK");
    for _ in 0..200 {
        let info = ask(&server, "CLUSTER INFO").await;
        if info.contains("cluster_state:ok") || !slots.ends_with("16383") {
            return server;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("the cluster of one node does not come up");
}

#[tokio::test]
async fn a_cluster_of_one_node_is_filled_and_emptied_key_by_key() {
    let server = node("0 16383").await;
    let plan = scenario(vec![service("api", &[Kind::Get, Kind::LRange])]);
    let target = target(server.url_of("plimsoll"), &plan).await;
    assert_eq!(target.preflight(&plan).await.unwrap().mode, "cluster");
    target.claim(&plan, "me").await.unwrap();
    target.prefill(&plan, &mut |_, _| ()).await.unwrap();
    assert_eq!(ask(&server, "DBSIZE").await, "104", "strings, lists and the claim");
    assert_eq!(target.cleanup(&plan).await.unwrap(), 103);
    target.release(&plan, "me").await.unwrap();
    assert_eq!(ask(&server, "DBSIZE").await, "0");
    // What the mix itself, or what keeps its data, sends of several keys is refused before the load.
    for kind in [Kind::MGet, Kind::GetDel] {
        let plan = scenario(vec![service("api", &[kind])]);
        let text = complaint(server.url_of("plimsoll"), &plan).await.to_string();
        assert!(text.contains("several hash slots of the cluster") && text.lines().count() == 1, "{kind:?}: {text}");
    }
}

#[tokio::test]
async fn a_part_of_a_cluster_is_refused_before_anything_is_written() {
    let server = node("0 8191").await;
    let plan = scenario(vec![service("api", &[Kind::Get, Kind::LRange])]);
    let text = complaint(server.url_of("plimsoll"), &plan).await.to_string();
    assert!(text.contains("use the target redis+cluster://host:port") && text.lines().count() == 1, "{text}");
    assert_eq!(ask(&server, "DBSIZE").await, "0");

    let whole = super::plan::server(&[]).await;
    let fake = Fake::before(&whole, |words| {
        (words[0] == "GET").then(|| format!("-MOVED {} 10.0.0.2:6379\r\n", words[1].len()).into_bytes())
    });
    let two = scenario(vec![service("api", &[Kind::Get]), service("longer", &[Kind::Get])]);
    let text = complaint(fake.url(&whole), &two).await.to_string();
    assert!(text.starts_with("services `api` and `longer`:") && text.contains("the reply is MOVED"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[tokio::test]
async fn the_url_names_the_database_of_services_without_one() {
    let server = server(&[]).await;
    let plan = scenario(vec![service("api", &[Kind::Get])]);
    let mut url = server.url_of("plimsoll");
    url.database = Some(7);
    target(url, &plan).await.prefill(&plan, &mut |_, _| ()).await.unwrap();
    assert!(ask(&server, "INFO keyspace").await.contains("db7:keys=100,"));
}
