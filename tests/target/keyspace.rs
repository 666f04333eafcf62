//! Looking at a sample of the keys of real servers.

use std::time::Duration;

use plimsoll::{
    analysis::sampled_total,
    operation::Kind,
    results::{DatabaseSample, KeyGroup, KeyspaceSample, Withheld},
    server::SampleLimits,
    target::{PrivateServer, Target},
};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::timeout;

use super::plan::{Server, ask, scenario, server, service};

async fn sampled(server: &PrivateServer, limits: SampleLimits) -> (Option<KeyspaceSample>, Vec<Withheld>) {
    let plan = scenario(vec![service("api", &[Kind::Get])]);
    Target::of_private(server, &plan).unwrap().sample_keyspace(limits).await
}

/// A sample of a server that keeps nothing back.
async fn sample(server: &PrivateServer, limits: SampleLimits) -> KeyspaceSample {
    let (sample, withheld) = sampled(server, limits).await;
    assert_eq!(withheld, []);
    sample.unwrap()
}

/// Runs a script, whose blanks are written in a way that survives the way there.
async fn lua(server: &PrivateServer, script: &str) -> String {
    ask(server, &format!("EVAL {} 0", script.replace([' ', '\n'], "\t"))).await
}

/// What the keys of a pattern take in a database, by asking for each of them.
async fn truth(server: &PrivateServer, database: u64, pattern: &str) -> u64 {
    let script = format!(
        "redis.call('SELECT',{database}) local sum=0
         for _,key in ipairs(redis.call('KEYS','{pattern}')) do sum=sum+redis.call('MEMORY','USAGE',key) end
         return sum"
    );
    lua(server, &script).await.parse().unwrap()
}

fn group<'a>(database: &'a DatabaseSample, prefix: &str, data_type: &str) -> &'a KeyGroup {
    let found = database.groups.iter().find(|group| group.prefix == prefix && group.data_type == data_type);
    found.unwrap_or_else(|| panic!("no {data_type} of {prefix} in {:?}", database.groups))
}

/// Two databases, with keys of several types and sizes; `strings` is the number of strings in the first.
async fn filled(strings: u32) -> Server {
    let server = server(&[]).await;
    let script = format!(
        "for i=1,{strings} do redis.call('SET','user:'..i..':name',string.rep('x',i%50)) end
         for i=1,300 do redis.call('HSET','cart:'..i,'a',1,'b',string.rep('y',200)) end
         redis.call('SET','alone','z')
         redis.call('SELECT',5)
         for i=1,200 do for j=1,100 do redis.call('ZADD','board:'..i,j,'member'..j) end end
         redis.call('RPUSH','list\\n\\255:1','v')"
    );
    lua(&server, &script).await;
    server
}

#[tokio::test]
async fn what_is_looked_at_as_a_whole_is_exact() {
    let server = filled(500).await;
    let sample = sample(&server, SampleLimits::default()).await;
    let [first, other] = sample.databases.as_slice() else { panic!("{sample:?}") };
    assert_eq!((first.database, first.keys, first.sampled, first.complete), (0, 801, 801, true));
    assert_eq!((other.database, other.keys, other.sampled, other.complete), (5, 201, 201, true));
    let strings = group(first, "user:*", "string");
    assert_eq!((strings.sampled, strings.bytes), (500, Some(truth(&server, 0, "user:*").await)));
    let hashes = group(first, "cart", "hash");
    assert_eq!((hashes.sampled, hashes.bytes), (300, Some(truth(&server, 0, "cart:*").await)));
    assert_eq!(group(first, "", "string").sampled, 1);
    let sets = group(other, "board", "zset");
    assert_eq!((sets.sampled, sets.bytes), (200, Some(truth(&server, 5, "board:*").await)));
    assert_eq!(group(other, "list\\n\u{fffd}", "list").sampled, 1);
    assert_eq!((first.largest.len(), first.largest[0].data_type.as_str()), (10, "hash"));
    assert!(other.largest[0].key.starts_with("board:") && other.hottest.is_empty());
    assert!(sample.busy_ns > 0 && sample.busy_ns <= sample.elapsed_ns);
}

#[tokio::test]
async fn what_is_looked_at_in_part_is_estimated() {
    let server = filled(40_000).await;
    let limits = SampleLimits { keys: 4_000, share: 0.5, time: Duration::from_secs(60) };
    let sample = sample(&server, limits).await;
    let first = &sample.databases[0];
    assert_eq!((first.keys, first.complete), (40_301, false));
    // In proportion to the keys of the databases, and a step more of at least a hundred keys.
    assert!((3_900..5_000).contains(&first.sampled), "{}", first.sampled);
    assert!((100..=201).contains(&sample.databases[1].sampled), "{}", sample.databases[1].sampled);
    for (prefix, data_type, pattern) in [("user:*", "string", "user:*"), ("cart", "hash", "cart:*")] {
        let seen = group(first, prefix, data_type);
        let estimate = sampled_total(first.keys, first.sampled, seen.bytes.unwrap() as f64, seen.squares);
        let truth = truth(&server, 0, pattern).await as f64;
        // Two and a half times the 95 % interval: five standard errors.
        let margin = 2.5 * (estimate.high.unwrap() - estimate.point);
        assert!((estimate.point - truth).abs() <= margin, "{prefix}: {estimate:?}, truth {truth}");
        assert!(margin < truth, "{prefix}: {estimate:?} says something");
    }
}

#[tokio::test]
async fn a_million_keys_cost_no_more_than_is_allowed() {
    let server = server(&[]).await;
    for part in 0..10 {
        let script = format!("for i={part}00000,{part}99999 do redis.call('SET','k:'..i,'v') end");
        lua(&server, &script).await;
    }
    ask(&server, "CONFIG RESETSTAT").await;
    let limits = SampleLimits { time: Duration::from_secs(2), ..SampleLimits::default() };
    let sample = sample(&server, limits).await;
    let database = &sample.databases[0];
    assert_eq!((database.keys, database.complete), (1_000_000, false));
    assert!((100..30_000).contains(&database.sampled), "{}", database.sampled);
    // A step may begin just before the end, and an answer may take a second.
    assert!(Duration::from_nanos(sample.elapsed_ns) < 2 * limits.time, "{} ns", sample.elapsed_ns);
    let stats = ask(&server, "INFO commandstats").await;
    let micros = |name: &str| -> u64 {
        let line = stats.lines().find(|line| line.starts_with(&format!("cmdstat_{name}:"))).unwrap();
        line.split("usec=").nth(1).unwrap().split(',').next().unwrap().parse().unwrap()
    };
    let spent = micros("scan") + micros("type") + micros("memory|usage");
    let allowed = limits.share * sample.elapsed_ns as f64 / 1e3;
    assert!((spent as f64) < allowed, "{spent} us of {allowed} us");
    assert!(spent * 1_000 <= sample.busy_ns, "the server was busy for less than reported");
}

#[tokio::test]
async fn what_is_forbidden_is_named_and_the_rest_is_reported() {
    let server = filled(50).await;
    let admin = server.admin().to_owned();
    ask(&server, &format!("ACL SETUSER {admin} -memory|usage")).await;
    let (found, withheld) = sampled(&server, SampleLimits::default()).await;
    let names: Vec<_> = withheld.iter().map(|withheld| withheld.what.as_str()).collect();
    assert_eq!(names, ["MEMORY USAGE"]);
    assert!(withheld[0].reason.contains("NOPERM"), "{withheld:?}");
    let databases = found.unwrap().databases;
    let strings = group(&databases[0], "user:*", "string");
    assert_eq!((strings.sampled, strings.bytes, databases[0].complete), (50, None, true));
    assert!(databases[0].largest.is_empty());

    ask(&server, &format!("ACL SETUSER {admin} +memory -type -select")).await;
    let (found, withheld) = sampled(&server, SampleLimits::default()).await;
    let names: Vec<_> = withheld.iter().map(|withheld| withheld.what.as_str()).collect();
    assert_eq!(names, ["SELECT", "TYPE"]);
    let databases = found.unwrap().databases;
    assert_eq!((databases.len(), databases[0].database, databases[0].sampled), (1, 0, 351));
    assert!(group(&databases[0], "cart", "unknown").bytes.is_some());

    ask(&server, &format!("ACL SETUSER {admin} +type +select -info")).await;
    let (found, _) = sampled(&server, SampleLimits::default()).await;
    assert_eq!(found.unwrap().databases.len(), 1, "without INFO, others than its own are not known");

    ask(&server, &format!("ACL SETUSER {admin} +info -scan")).await;
    let (found, withheld) = sampled(&server, SampleLimits::default()).await;
    assert_eq!((found, withheld[0].what.as_str()), (None, "SCAN"));
}

#[tokio::test]
async fn keys_that_may_not_be_read_are_counted() {
    let server = filled(50).await;
    let admin = server.admin().to_owned();
    ask(&server, &format!("ACL SETUSER {admin} resetkeys ~user:*")).await;
    let (found, withheld) = sampled(&server, SampleLimits::default()).await;
    assert!(withheld.iter().any(|withheld| withheld.what == "MEMORY USAGE of some keys"), "{withheld:?}");
    let first = &found.unwrap().databases[0];
    assert_eq!((first.sampled, first.complete), (351, true));
    assert!(group(first, "user:*", "string").bytes.is_some());
    assert_eq!((group(first, "cart", "unknown").sampled, group(first, "cart", "unknown").bytes), (300, None));
}

#[tokio::test]
async fn the_hottest_keys_are_reported_where_the_server_counts() {
    let server = server(&[("maxmemory-policy", "allkeys-lfu"), ("lfu-log-factor", "0")]).await;
    lua(&server, "for i=1,300 do redis.call('SET','k:'..i,'v') end").await;
    lua(&server, "for i=1,200 do redis.call('GET','k:7') end").await;
    let sample = sample(&server, SampleLimits::default()).await;
    let hottest = &sample.databases[0].hottest;
    assert_eq!((hottest.len(), hottest[0].key.as_str()), (10, "k:7"));
    assert!(hottest[0].frequency > hottest[1].frequency, "{hottest:?}");
}

#[tokio::test]
async fn an_empty_server_is_known_to_be_empty() {
    let server = server(&[]).await;
    assert_eq!(sample(&server, SampleLimits::default()).await.databases, []);
}

#[tokio::test]
async fn a_server_that_stops_answering_ends_it() {
    let server = filled(30_000).await;
    ask(&server, "CONFIG RESETSTAT").await;
    let pid = Pid::from_raw(i32::try_from(server.pid()).unwrap()).unwrap();
    // So slow that it would take ten minutes.
    let limits = SampleLimits { share: 0.001, time: Duration::from_secs(600), keys: 20_000 };
    let freeze = async {
        while !ask(&server, "INFO commandstats").await.contains("cmdstat_scan") {
            tokio::task::yield_now().await;
        }
        kill_process(pid, Signal::STOP).unwrap();
    };
    let both = Box::pin(async { tokio::join!(sampled(&server, limits), freeze) });
    let ended = timeout(Duration::from_secs(60), both).await;
    kill_process(pid, Signal::CONT).unwrap();
    let ((found, _), ()) = ended.expect("it ends long before its time is up");
    assert!(found.is_none_or(|sample| !sample.databases.iter().all(|database| database.complete)));
}
