//! Looking at a node of a cluster, or of a primary with its replicas: what is asked of every server, and its place among the others.

use fred::{interfaces::ClientLike, types::Value};

use super::{
    facts,
    info::Info,
    inspect::{FIELDS, SETTINGS, fields, settings, users},
    questions::Questions,
};
use crate::results::{NodeInspection, NodeRole, SlotUse, Withheld};

/// Settings of nodes that rules read, beside those of every server.
const OF_NODES: &[&str] = &[
    "cluster-node-timeout",
    "cluster-require-full-coverage",
    "min-replicas-max-lag",
    "min-replicas-to-write",
    "repl-backlog-size",
];

/// Fields of `INFO` and `CLUSTER INFO` that rules read, beside those of every server.
const FIELDS_OF_NODES: &[&str] = &[
    "cluster_known_nodes",
    "cluster_slots_assigned",
    "cluster_slots_fail",
    "cluster_slots_pfail",
    "cluster_state",
    "master_host",
    "master_last_io_seconds_ago",
    "master_link_down_since_seconds",
    "master_link_status",
    "master_port",
    "master_repl_offset",
    "master_sync_in_progress",
    "min_slaves_good_slaves",
];

/// Replicas of a primary in `INFO`: `slave0`, `slave1`, and so on, which no limit of their number bounds.
const LISTED_REPLICAS: usize = 64;

/// Slots that are asked for.
const BUSIEST: &str = "5";

/// Settings, state and users of a node, as the node reports them, and in a cluster its busiest slots. Where the node is, and what the
/// others report of it, is left to the caller.
pub async fn inspect_node(client: impl ClientLike, in_cluster: bool) -> NodeInspection {
    let mut questions = Questions::new(client);
    let info = questions.ask_text(&["INFO"]).await.map(|text| Info::parse(&text)).unwrap_or_default();
    let names = [FIELDS, FIELDS_OF_NODES].concat();
    let mut known = fields(&info, &names);
    let replicas = (0..LISTED_REPLICAS).map(|number| format!("slave{number}"));
    known.extend(replicas.map_while(|name| Some((name.clone(), info.text(&name)?.to_owned()))));
    let of_cluster = if in_cluster { questions.ask_text(&["CLUSTER", "INFO"]).await } else { None };
    known.extend(of_cluster.map(|text| fields(&Info::parse(&text), &names)).unwrap_or_default());
    let role = if info.text("role") == Some("slave") { NodeRole::Replica } else { NodeRole::Primary };
    let (busiest, lacking) = match (in_cluster, role) {
        (true, NodeRole::Primary) => busiest(&mut questions).await,
        _ => (Vec::new(), None),
    };
    let settings = settings(&mut questions, &[SETTINGS, OF_NODES].concat()).await;
    let users = users(&mut questions).await;
    let mut withheld = questions.into_withheld();
    withheld.extend(lacking);
    NodeInspection {
        address: String::new(),
        role,
        primary: None,
        slots: 0,
        fault: None,
        same_machine: false,
        product: facts::product(&info).map(str::to_owned),
        version: facts::version(&info).map(str::to_owned),
        settings,
        info: known,
        users,
        suspects: Vec::new(),
        busiest,
        withheld,
    }
}

/// The busiest slots of a primary, or the reason why they are not known.
async fn busiest(questions: &mut Questions<impl ClientLike>) -> (Vec<SlotUse>, Option<Withheld>) {
    let mut reason = None;
    // CPU time is counted with `cluster-slot-stats-enabled yes` only.
    for metric in ["CPU-USEC", "KEY-COUNT"] {
        let words = ["CLUSTER", "SLOT-STATS", "ORDERBY", metric, "LIMIT", BUSIEST, "DESC"];
        match questions.try_ask(&words).await {
            Some(Ok(reply)) => return (slots(&reply), None),
            Some(Err(message)) => reason = Some(message),
            // Refused for good, which is noted, or no answer in time.
            None => break,
        }
    }
    (Vec::new(), reason.map(|reason| Withheld { what: "CLUSTER SLOT-STATS".to_owned(), reason }))
}

/// The reply to `CLUSTER SLOT-STATS`: each slot with names and values in turn. Slots without keys or CPU time are left out.
fn slots(reply: &Value) -> Vec<SlotUse> {
    let Value::Array(slots) = reply else { return Vec::new() };
    let slot = |slot: &Value| {
        let Value::Array(parts) = slot else { return None };
        let [slot, Value::Array(figures)] = &parts[..] else { return None };
        let figure = |name: &str| {
            let mut pairs = figures.chunks_exact(2);
            pairs.find(|pair| pair[0].as_str().as_deref() == Some(name)).and_then(|pair| pair[1].as_u64())
        };
        let slot = u16::try_from(slot.as_u64()?).ok()?;
        Some(SlotUse { slot, keys: figure("key-count")?, cpu_us: figure("cpu-usec") })
    };
    slots.iter().filter_map(slot).filter(|slot| slot.keys > 0 || slot.cpu_us > Some(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_read_with_and_without_cpu_time() {
        let slot = |slot: i64, figures: &[(&str, i64)]| {
            let figures = figures.iter().flat_map(|(name, value)| [Value::from(*name), Value::Integer(*value)]);
            Value::Array(vec![Value::Integer(slot), Value::Array(figures.collect())])
        };
        let reply = Value::Array(vec![
            slot(16_383, &[("key-count", 3), ("cpu-usec", 700), ("network-bytes-in", 1)]),
            slot(5, &[("key-count", 2)]),
            slot(6, &[("key-count", 0), ("cpu-usec", 0)]),
        ]);
        let expected =
            [SlotUse { slot: 16_383, keys: 3, cpu_us: Some(700) }, SlotUse { slot: 5, keys: 2, cpu_us: None }];
        assert_eq!(slots(&reply), expected);
        assert!(slots(&Value::Null).is_empty());
    }

    #[test]
    fn no_secret_is_among_what_is_kept_of_a_node() {
        for name in OF_NODES.iter().chain(FIELDS_OF_NODES) {
            assert!(!name.contains("pass") && !name.contains("auth"), "{name}");
        }
        assert!(OF_NODES.is_sorted() && FIELDS_OF_NODES.is_sorted());
    }
}
