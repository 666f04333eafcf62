//! Inspecting the Sentinels that watch a primary: those of the address, and those that they name.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use fred::{clients::Client, types::Value};
use tokio::{task::JoinSet, time::timeout};

use super::{Connector, Endpoint, Target, ask::ask};
use crate::results::{NodeRole, SeenSentinel, SentinelInspection};

/// Time that one Sentinel may take; all that are known are asked at the same time.
const LIMIT: Duration = Duration::from_secs(5);

/// Fields of a primary that rules read. Others are left out: a password might come to be among them.
const FIELDS: [&str; 8] = [
    "config-epoch",
    "down-after-milliseconds",
    "failover-timeout",
    "flags",
    "name",
    "num-other-sentinels",
    "num-slaves",
    "quorum",
];

/// Sentinels from which on no further ones are asked.
const MOST: usize = 64;

/// Servers that Sentinels name.
type Named = Vec<(Endpoint, NodeRole)>;

impl Target {
    /// Servers that the Sentinels name, the primary first, and the Sentinels.
    pub(super) async fn survey_sentinels(&self, service: &str) -> (Named, Vec<SentinelInspection>) {
        let (mut visits, mut next): (Vec<Visit>, _) = (Vec::new(), self.site.seeds.clone());
        while !next.is_empty() && visits.len() < MOST {
            let asked = visits.len();
            visits.extend(visit_all(&self.observer, next, service).await);
            let known: Vec<_> = visits.iter().filter_map(|visit| visit.id.clone()).collect();
            let mut further: Vec<Endpoint> = Vec::new();
            for other in visits[asked..].iter().flat_map(|visit| &visit.others) {
                // An address may have several names; a Sentinel has one ID.
                let is_known = known.contains(&other.id)
                    || visits.iter().any(|visit| visit.endpoint == other.endpoint)
                    || further.contains(&other.endpoint);
                if !is_known {
                    further.push(other.endpoint.clone());
                }
            }
            next = further;
        }
        // A Sentinel that two names of the address lead to counts once.
        let mut ids = Vec::new();
        visits.retain(|visit| match &visit.id {
            Some(id) if ids.contains(id) => false,
            id => {
                ids.extend(id.clone());
                true
            }
        });
        let mut named: Named = Vec::new();
        let primaries = visits.iter().filter_map(|visit| Some((visit.primary.clone()?, NodeRole::Primary)));
        let replicas = visits.iter().flat_map(|visit| &visit.replicas).map(|node| (node.clone(), NodeRole::Replica));
        for node in primaries.chain(replicas) {
            if !named.iter().any(|(endpoint, _)| *endpoint == node.0) {
                named.push(node);
            }
        }
        (named, visits.into_iter().map(Visit::inspection).collect())
    }
}

/// A Sentinel that was asked.
struct Visit {
    endpoint: Endpoint,
    fault: Option<String>,
    id: Option<String>,
    facts: BTreeMap<String, String>,
    primary: Option<Endpoint>,
    replicas: Vec<Endpoint>,
    others: Vec<Other>,
    check: Option<String>,
}

/// A Sentinel that another one names.
struct Other {
    id: String,
    endpoint: Endpoint,
    answers: bool,
}

impl Visit {
    fn failed(endpoint: Endpoint, fault: String) -> Self {
        let (facts, replicas, others) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { endpoint, fault: Some(fault), id: None, facts, primary: None, replicas, others, check: None }
    }

    fn inspection(self) -> SentinelInspection {
        let seen = |other: Other| SeenSentinel { address: other.endpoint.to_string(), answers: other.answers };
        SentinelInspection {
            address: self.endpoint.to_string(),
            fault: self.fault,
            facts: FIELDS
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), self.facts.get(*name)?.clone())))
                .collect(),
            primary: self.primary.map(|primary| primary.to_string()),
            others: self.others.into_iter().map(seen).collect(),
            check: self.check,
        }
    }
}

/// Asks Sentinels, all at the same time; the result is in their order.
async fn visit_all(observer: &Connector, endpoints: Vec<Endpoint>, service: &str) -> Vec<Visit> {
    let mut asked = JoinSet::new();
    for (number, endpoint) in endpoints.into_iter().enumerate() {
        let (observer, service) = (observer.clone(), service.to_owned());
        asked.spawn(async move {
            let visited = timeout(LIMIT, visit(&observer, &endpoint, &service)).await;
            let fault = visited.unwrap_or_else(|_| Err(format!("no answer within {LIMIT:?}")));
            (number, fault.unwrap_or_else(|fault| Visit::failed(endpoint, fault)))
        });
    }
    let mut visits = asked.join_all().await;
    visits.sort_by_key(|(number, _)| *number);
    visits.into_iter().map(|(_, visit)| visit).collect()
}

async fn visit(observer: &Connector, endpoint: &Endpoint, service: &str) -> Result<Visit, String> {
    let (client, _router, _) = observer.sentinel(endpoint).await.map_err(|fault| fault.to_string())?;
    let primary = question(&client, "MASTER", service).await?;
    let facts = fields(&primary);
    let others = question(&client, "SENTINELS", service).await.unwrap_or(Value::Null);
    let replicas = question(&client, "REPLICAS", service).await.unwrap_or(Value::Null);
    let check = match question(&client, "CKQUORUM", service).await {
        Ok(reply) => reply.as_str().map(|text| text.to_string()),
        Err(message) if message.starts_with("NOQUORUM") => Some(message),
        Err(_) => None,
    };
    let id = ask(&client, "SENTINEL", vec![Bytes::from_static(b"MYID")]).await.ok();
    Ok(Visit {
        fault: None,
        id: id.and_then(|id| id.as_str().map(|id| id.to_string())),
        primary: place(&facts, endpoint),
        replicas: items(&replicas).filter_map(|replica| place(&fields(replica), endpoint)).collect(),
        others: items(&others).filter_map(|other| seen(&fields(other), endpoint)).collect(),
        facts,
        check,
        endpoint: endpoint.clone(),
    })
}

/// The reply to a question about the primary, or the reason why there is none.
async fn question(client: &Client, word: &'static str, service: &str) -> Result<Value, String> {
    let words = [word.as_bytes(), service.as_bytes()].map(Bytes::copy_from_slice).to_vec();
    ask(client, "SENTINEL", words).await.map_err(|error| error.details().to_owned())
}

fn items(reply: &Value) -> impl Iterator<Item = &Value> {
    let items = if let Value::Array(items) = reply { &items[..] } else { &[] };
    items.iter()
}

/// Names and values in turn.
fn fields(reply: &Value) -> BTreeMap<String, String> {
    let words: Vec<_> = items(reply).map(|word| word.as_str().map(|word| word.to_string())).collect();
    words.chunks_exact(2).filter_map(|pair| Some((pair[0].clone()?, pair[1].clone()?))).collect()
}

fn place(facts: &BTreeMap<String, String>, asked: &Endpoint) -> Option<Endpoint> {
    asked.naming(facts.get("ip")?, facts.get("port")?.parse().ok()?)
}

/// Another Sentinel as the one that was asked sees it.
fn seen(facts: &BTreeMap<String, String>, asked: &Endpoint) -> Option<Other> {
    // The flag `disconnected` is also that of a link that is only just being opened.
    let down = |flag: &str| ["s_down", "o_down"].contains(&flag);
    Some(Other {
        id: facts.get("runid")?.clone(),
        endpoint: place(facts, asked)?,
        answers: !facts.get("flags")?.split(',').any(down),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Scheme;

    #[test]
    fn another_sentinel_is_read_with_its_state() {
        let asked = Endpoint::Tcp { host: "s1".to_owned(), port: 26_379, scheme: Scheme::REDIS };
        let other = |flags: &str| {
            let words = ["ip", "10.0.0.2", "port", "26380", "runid", "b", "flags", flags];
            fields(&Value::Array(words.map(Value::from).to_vec()))
        };
        let up = seen(&other("sentinel"), &asked).unwrap();
        assert_eq!(
            (up.id.as_str(), up.endpoint.to_string().as_str(), up.answers),
            ("b", "redis://10.0.0.2:26380", true)
        );
        assert!(seen(&other("sentinel,disconnected"), &asked).unwrap().answers);
        assert!(!seen(&other("s_down,sentinel,disconnected"), &asked).unwrap().answers);
        assert!(seen(&fields(&Value::Null), &asked).is_none());
        assert!(FIELDS.is_sorted());
    }
}
