//! Commands of a scenario around its load: who gets them, and who may not send them.

use plimsoll::{
    operation::Kind,
    scenario::{Scenario, Words},
    target::{PrivateRole, Target, TargetError},
};

use super::{
    clients::locally,
    plan::{ask as say, complaint, scenario, server, service, target},
    topologies::ask,
};
use crate::support::{Turn, deployment};

/// Digest of the script `return 1`.
const SCRIPT: &str = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";

fn words(line: &str) -> Words {
    line.split(' ').map(str::to_owned).collect()
}

fn plan(setup: &[&str], cleanup: &[&str]) -> Scenario {
    let mut service = service("test", &[Kind::Get]);
    service.setup = setup.iter().map(|line| words(line)).collect();
    service.cleanup = cleanup.iter().map(|line| words(line)).collect();
    scenario(vec![service])
}

#[test]
fn in_a_cluster_the_node_of_the_key_gets_a_command_and_every_primary_one_without_a_key() {
    locally(async {
        let _turn = Turn::beside();
        let server = deployment("cluster:3x0").await;
        let mut plan = plan(&["SET test:mark 1", "SCRIPT LOAD placeholder"], &["DEL test:mark", "SCRIPT FLUSH"]);
        plan.services[0].setup[1][2] = "return 1".to_owned();
        let target = Target::of_private(&server, &plan).unwrap().found().await.unwrap();
        target.preflight(&plan).await.unwrap();
        let primaries: Vec<_> = server.nodes().iter().filter(|node| node.role() == PrivateRole::Primary).collect();
        let counts = || {
            let of = |command: &str, yes: &str| {
                primaries.iter().filter(|node| ask(&server, node, command).contains(yes)).count()
            };
            (of("DBSIZE", ":1"), of(&format!("SCRIPT EXISTS {SCRIPT}"), ":1"))
        };
        // Without the right to ask for the keys of a command, those under the prefix are known.
        for right in ["+command", "-command"] {
            for node in &primaries {
                ask(&server, node, &format!("ACL SETUSER plimsoll {right}"));
            }
            let mut begun = 0;
            target.set_up(&plan, &mut begun).await.unwrap();
            assert_eq!((begun, counts()), (1, (1, 3)), "{right}");
            assert!(target.send_cleanup(&plan, begun).await.unwrap().is_empty());
            assert_eq!(counts(), (0, 0), "{right}");
        }
    });
}

#[tokio::test]
async fn clean_up_is_due_as_soon_as_something_was_set_up() {
    let server = server(&[]).await;
    let mut plan = plan(&["SET first 1", "INCR"], &["DEL first", "INCR", "DEL second"]);
    plan.services.push(service("other", &[Kind::Get]));
    let target = target(server.url_of("plimsoll"), &plan).await;
    for (line, expected) in [("SET first 1", 1), ("GETEX", 0)] {
        plan.services[0].setup[0] = words(line);
        let mut begun = 7;
        let error = target.set_up(&plan, &mut begun).await.unwrap_err();
        assert!(matches!(&error, TargetError::SetUp { service, .. } if service == "test"), "{error}");
        assert_eq!(begun, expected, "{error}");
    }
    say(&server, "SET second 2").await;
    let errors = target.send_cleanup(&plan, 1).await.unwrap();
    let said: Vec<_> = errors.iter().map(ToString::to_string).collect();
    let wrong = "ERR wrong number of arguments for 'incr' command";
    assert_eq!(said, [format!("service `test`: the clean-up command `INCR` failed: {wrong}")]);
    assert_eq!(say(&server, "DBSIZE").await, "0", "the commands behind it are sent");
}

#[tokio::test]
async fn commands_that_the_user_may_not_send_are_named_before_the_load() {
    let server = server(&[]).await;
    let mut plan = plan(&["SCRIPT LOAD x"], &["SCRIPT FLUSH"]);
    say(&server, "ACL SETUSER plimsoll -script|flush").await;
    let text = complaint(server.url_of("plimsoll"), &plan).await.to_string();
    assert!(text.contains("`plimsoll` may not run SCRIPT, which setup or cleanup of the scenario sends"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    plan.run.prefill = false;
    target(server.url_of("plimsoll"), &plan).await.preflight(&plan).await.expect("they are not sent");
}
