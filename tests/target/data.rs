//! Prefill and clean-up.

use plimsoll::{
    operation::{Args, Kind},
    scenario::ValueSize,
    target::{Target, TargetError},
};

use crate::plan::{ask, connection, request, scenario, server, service, target, value};

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
async fn without_a_prefix_nothing_is_removed() {
    let server = server(&[]).await;
    let mut service = service("api", &[Kind::Get]);
    service.keys.prefix = String::new();
    let plan = scenario(vec![service]);
    let target = Target::of_private(&server, &plan).unwrap();
    connection(&server).await.issue(request(Kind::Set, "mine", value("x"))).await.unwrap();
    assert_eq!(target.cleanup(&plan).await.unwrap(), 0);
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
async fn the_url_names_the_database_of_services_without_one() {
    let server = server(&[]).await;
    let plan = scenario(vec![service("api", &[Kind::Get])]);
    let mut url = server.url_of("plimsoll");
    url.database = Some(7);
    target(url, &plan).await.prefill(&plan, &mut |_, _| ()).await.unwrap();
    assert!(ask(&server, "INFO keyspace").await.contains("db7:keys=100,"));
}
