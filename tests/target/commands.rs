//! Every command of the table, and every class of failure that a server can be brought to.

use plimsoll::{
    measure::ErrorClass,
    operation::{Access, Args, DataType, Kind, Reply, Spec},
    scenario::Action,
    target::Target,
    workload::RequestStream,
};

use super::plan::{ask, bytes, connection, operation, raw, request, scenario, server, service, value};

#[tokio::test]
async fn every_command_finds_what_the_prefill_wrote_and_misses_what_is_not_there() {
    let server = server(&[]).await;
    for spec in Spec::in_scenarios() {
        let plan = scenario(vec![service("api", &[spec.kind])]);
        let target = Target::of_private(&server, &plan).unwrap();
        target.prefill(&plan, &mut |_, _| ()).await.unwrap();
        let connection = target.connector(0).open().await.unwrap();
        let stream = RequestStream::new(&plan, 0);
        let name = spec.name;
        for sequence in 0..20 {
            let reply = connection.issue(stream.request(sequence, 0)).await.unwrap_or_else(|e| panic!("{name}: {e:?}"));
            if spec.access == Access::Read {
                assert!(reply.hits > 0 && reply.misses == 0, "{name}: {reply:?}");
                assert!(reply.bytes > 0, "{name}: {reply:?}");
            }
        }
        if spec.access == Access::Read {
            assert_eq!(target.cleanup(&plan).await.unwrap() > 0, spec.data != DataType::None);
            let reply = connection.issue(stream.request(0, 0)).await.unwrap();
            assert!(reply.hits == 0 && reply.misses > 0, "{name}: {reply:?}");
        }
        target.cleanup(&plan).await.unwrap();
    }
    assert_eq!(ask(&server, "DBSIZE").await, "0");
}

#[tokio::test]
async fn replies_keep_what_matters() {
    let server = server(&[]).await;
    let connection = connection(&server).await;
    let kept = async |kind, args| connection.issue(request(kind, "key", args)).await.unwrap();
    let silent = Reply::default();
    assert_eq!(kept(Kind::Set, value("hello")).await, Reply { bytes: 2, ..silent }, "OK");
    assert_eq!(kept(Kind::Get, Args::None).await, Reply { hits: 1, bytes: 5, ..silent });
    assert_eq!(kept(Kind::StrLen, Args::None).await, Reply { hits: 1, integer: Some(5), bytes: 1, ..silent });
    assert_eq!(kept(Kind::Ttl, Args::None).await.integer, Some(-1));
    assert_eq!(kept(Kind::Set, Args::Expiring(bytes("x"), 90_000)).await, Reply { bytes: 2, ..silent });
    assert!(kept(Kind::Ttl, Args::None).await.integer.is_some_and(|left| (80..=90).contains(&left)));
    assert_eq!(
        kept(Kind::MGet, Args::Values(vec![bytes("no")])).await,
        Reply { hits: 1, misses: 1, bytes: 1, ..silent }
    );
    assert_eq!(
        kept(Kind::Del, Args::Values(vec![bytes("no")])).await,
        Reply { hits: 1, misses: 1, integer: Some(1), bytes: 1 }
    );
    assert_eq!(kept(Kind::Echo, value("echo")).await, Reply { bytes: 4, ..silent });
}

#[tokio::test]
async fn a_transaction_queues_and_executes() {
    let server = server(&[]).await;
    let mut service = service("api", &[]);
    let steps = [Kind::MSet, Kind::Get, Kind::HGetAll, Kind::SMembers, Kind::ZRange, Kind::XAdd, Kind::Eval];
    let steps = steps.map(|kind| match operation(kind).action {
        Action::Single(command) => command,
        Action::Sequence { .. } => unreachable!("one command each"),
    });
    service.operations = vec![plimsoll::scenario::Operation {
        action: Action::Sequence { steps: steps.into(), transaction: true },
        ..operation(Kind::Get)
    }];
    let plan = scenario(vec![service]);
    let target = Target::of_private(&server, &plan).unwrap();
    target.preflight(&plan).await.unwrap();
    let connection = target.connector(0).open().await.unwrap();
    let stream = RequestStream::new(&plan, 0);
    for step in 0..stream.steps(0) {
        let request = stream.request(0, step);
        let kind = request.kind;
        let reply = connection.issue(request).await.unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
        assert_eq!((reply.hits, reply.misses), (0, 0), "{kind:?}");
        assert!(kind != Kind::Exec || reply.bytes > 0);
    }
}

#[tokio::test]
async fn failures_are_classified_by_the_servers_first_word() {
    let server = server(&[("maxmemory-policy", "noeviction")]).await;
    ask(&server, "ACL SETUSER plimsoll -zadd").await;
    let connection = connection(&server).await;
    connection.issue(request(Kind::Set, "text", value("x"))).await.unwrap();
    ask(&server, "CONFIG SET maxmemory 1").await;
    let scored = Args::Scored(vec![(1.0, bytes("member"))]);
    for (request, class) in [
        (request(Kind::LLen, "text", Args::None), ErrorClass::Wrongtype),
        (request(Kind::ZAdd, "board", scored), ErrorClass::Noperm),
        (request(Kind::Set, "other", value("x")), ErrorClass::Oom),
        (request(Kind::Incr, "text", Args::None), ErrorClass::Oom),
        (raw("FT.SEARCH index query"), ErrorClass::Err),
        (raw("EVALSHA 0123456789012345678901234567890123456789 0"), ErrorClass::Noscript),
        (request(Kind::Exec, "", Args::None), ErrorClass::Err),
    ] {
        let kind = request.kind;
        let failure = connection.issue(request).await.unwrap_err();
        assert_eq!(failure.class, class, "{kind:?}: {}", failure.message);
    }
}

#[tokio::test]
async fn a_request_under_way_is_small() {
    let server = server(&[]).await;
    let connection = connection(&server).await;
    let size = size_of_val(&connection.issue(request(Kind::Get, "key", Args::None)));
    // fred's own futures take 7 KB.
    assert!(size < 8_192, "{size} bytes for every request under way");
}

#[tokio::test]
async fn connections_have_names_databases_and_users() {
    let server = server(&[]).await;
    let mut chat = service("chat", &[Kind::Get]);
    chat.database = 5;
    let plan = scenario(vec![chat, service("api", &[Kind::Get])]);
    let target = Target::of_private(&server, &plan).unwrap();
    let _open = (target.connector(0).open().await.unwrap(), target.connector(1).open().await.unwrap());
    let clients = ask(&server, "CLIENT LIST").await;
    for (name, database) in [("plimsoll:chat", "db=5 "), ("plimsoll:api", "db=0 ")] {
        let line = clients.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{name} in {clients}"));
        assert!(line.contains(database) && line.contains("user=plimsoll "), "{line}");
    }
}
