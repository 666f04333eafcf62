//! Replies of every type of RESP2 and RESP3, through both clients.

use plimsoll::{
    operation::{Args, Kind, Request},
    target::{Secret, Target, TargetUrl},
};

use super::{
    clients::{compared, in_both, locally, opened, results, small},
    plan::{ask, bytes, plain, raw, request, server, value},
};

#[test]
fn both_clients_have_the_same_replies_of_every_type() {
    locally(async {
        let server = server(&[("enable-debug-command", "yes")]).await;
        let targets = in_both(&server, &small());
        let types =
            ["string", "integer", "double", "null", "array", "set", "map", "verbatim", "true", "false", "bignum"];
        let mut requests: Vec<_> = types.iter().map(|name| raw(&format!("DEBUG PROTOCOL {name}"))).collect();
        requests.extend([
            request(Kind::ZAdd, "board", Args::Scored(vec![(0.5, bytes("half")), (123_456_789.0, bytes("much"))])),
            request(Kind::ZScore, "board", value("half")),
            request(Kind::ZScore, "board", value("much")),
            request(Kind::ZScore, "board", value("none")),
            raw("ZRANGE board 0 -1 WITHSCORES"),
            raw("HGETALL none"),
            raw("INFO keyspace"),
            raw("CONFIG GET maxmemory*"),
        ]);
        let results = compared(&targets, &requests, async || drop(ask(&server, "FLUSHALL").await)).await;
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert_eq!(results[types.len() - 2].unwrap().integer, Some(0), "false");
        let [.., info, _] = results[..] else { panic!() };
        assert!(info.unwrap().bytes > 20);
        // Nobody asked for what is pushed, and attributes are no part of the reply.
        let requests = [raw("DEBUG PROTOCOL push"), raw("DEBUG PROTOCOL attrib"), plain(Kind::Ping, "")];
        let wire = results_of_wire(&targets[1], &requests).await;
        assert_eq!(
            wire,
            ["Some real reply following the push reply", "Some real reply following the attribute", "PONG"]
                .map(str::len)
        );
        let connection = targets[1].connector(0).open().await.unwrap();
        let list = ask(&server, "CLIENT LIST").await;
        let own = list.lines().find(|line| line.contains("name=plimsoll:test ")).unwrap();
        assert!(own.contains("resp=3"), "{own}");
        connection.close().await;
    });
}

/// Sizes of the replies of the wire client.
async fn results_of_wire(target: &Target, requests: &[Request]) -> Vec<usize> {
    let results = results(&target.wire_connector(0), requests).await;
    results.into_iter().map(|result| result.unwrap().bytes as usize).collect()
}

#[test]
fn both_clients_log_in_with_any_password() {
    locally(async {
        let server = server(&[]).await;
        // What has a meaning in a line, as which fred sends it.
        let password = r#"pa ss"wo'rd\x41 ü"#;
        ask(
            &server,
            "ACL SETUSER special on #ae3bb4cbacf58d94373e5878da06cf2d8796ad512e9bd6b79bdee4257dd2ccca ~* +@all",
        )
        .await;
        ask(&server, "ACL SETUSER free on nopass ~* +@all").await;
        opened(TargetUrl {
            username: Some("special".to_owned()),
            password: Some(Secret::new(password)),
            ..server.url_of("plimsoll")
        })
        .await;
        opened(TargetUrl { username: Some("free".to_owned()), password: None, ..server.url_of("plimsoll") }).await;
    });
}
