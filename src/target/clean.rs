//! Removing what runs have left on a server, after a look at what is there.

use std::collections::BTreeMap;

use bytes::Bytes;
use fred::{clients::Client, types::Value};

use super::{
    Target, TargetError,
    ask::ask_of_each,
    claim::Claim,
    data::{Place, Walk, remove},
};
use crate::scenario::Scenario;

/// Keys under one prefix that are a scenario's by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Prefix.
    pub prefix: String,
    /// Keys of each kind, those of which there are none left out.
    pub keys: Vec<KeyGroup>,
    /// What the run that claimed the prefix says of itself.
    pub claim: Option<String>,
    /// Whether that run is known to have ended.
    pub has_ended: bool,
}

/// Keys of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyGroup {
    /// Pattern of their names.
    pub pattern: String,
    /// Number of keys that a run can have written.
    pub count: u64,
    /// Number of keys of another type than a run writes under such names.
    pub of_other_type: u64,
}

impl Target {
    /// Where any run of the scenario can have keys. One that was killed may have had an audit of writes.
    fn places_to_clean<'a>(&'a self, scenario: &'a Scenario) -> Vec<Place<'a>> {
        let (mut places, first) = (self.places(scenario), &scenario.services[0]);
        for place in places.iter_mut().filter(|place| place.service == first.name) {
            place.own.add_audited(first);
        }
        places
    }

    /// Looks at the keys that `clean` would remove.
    pub async fn holdings(&self, scenario: &Scenario) -> Result<Vec<Holding>, TargetError> {
        let mut holdings = Vec::new();
        for place in self.places_to_clean(scenario) {
            let (client, _router) = place.connector.connect().await?;
            let claim = place.claimed(&client).await;
            let mut counts: BTreeMap<&Bytes, (u64, u64)> = BTreeMap::new();
            for holder in &place.holders {
                let (client, _router) = holder.connect().await?;
                let mut walk = Walk::begin(&client, place.prefix, &place.own).await;
                while let Some(keys) = place.limited(walk.next()).await? {
                    for (key, fit) in keys.iter().zip(place.fits(&client, &keys).await) {
                        if let (Some(stem), Some(fits)) = (place.own.stem_of(key), fit) {
                            let counts = counts.entry(stem).or_default();
                            *(if fits { &mut counts.0 } else { &mut counts.1 }) += 1;
                        }
                    }
                }
            }
            let group = |(stem, (count, of_other_type)): (&Bytes, (u64, u64))| KeyGroup {
                pattern: format!("{}*", String::from_utf8_lossy(stem)),
                count,
                of_other_type,
            };
            holdings.push(Holding {
                prefix: place.prefix.to_owned(),
                keys: counts.into_iter().map(group).collect(),
                has_ended: claim.as_ref().is_some_and(Claim::has_ended),
                claim: claim.map(|claim| claim.to_string()),
            });
        }
        Ok(holdings)
    }

    /// Removes the keys of the scenario and any claim of them; returns the number of keys. A key of another type than a run would
    /// have given it stays.
    pub async fn clean(&self, scenario: &Scenario) -> Result<u64, TargetError> {
        let mut removed = 0;
        for place in self.places_to_clean(scenario) {
            for holder in &place.holders {
                let (client, _router) = holder.connect().await?;
                let mut walk = Walk::begin(&client, place.prefix, &place.own).await;
                while let Some(keys) = place.limited(walk.next()).await? {
                    let fits = place.fits(&client, &keys).await;
                    let keys = keys.into_iter().zip(fits).filter(|(_, fits)| *fits == Some(true)).map(|(key, _)| key);
                    removed += place.limited(remove(&client, keys.collect())).await?;
                }
            }
            let (client, _router) = place.connector.connect().await?;
            place.limited(remove(&client, vec![place.mark()])).await?;
        }
        Ok(removed)
    }
}

impl Place<'_> {
    /// Whether each key has the type that a run gives to keys of its name; `None` for one that is not there. A user who may not
    /// ask for types is taken at the names.
    async fn fits(&self, client: &Client, keys: &[Bytes]) -> Vec<Option<bool>> {
        let Ok(types) = ask_of_each::<Value>(client, "TYPE", keys).await else { return vec![Some(true); keys.len()] };
        let fits = |(key, found): (&Bytes, Value)| {
            let found = found.as_str_lossy()?;
            let stem = self.own.stem_of(key)?;
            (found != "none").then(|| found == type_of(&stem[self.prefix.len()..]))
        };
        keys.iter().zip(types).map(fits).collect()
    }
}

/// The server's word for the type of keys whose names have this tag behind the prefix.
fn type_of(tag: &[u8]) -> &str {
    match tag {
        b"str:" | b"num:" | b"txt:" | b"audit:" => "string",
        tag => str::from_utf8(tag).unwrap_or_default().trim_end_matches(':'),
    }
}
