//! Division of a run among several processes, each of which sends a part of every service's load.

use std::{fmt, str::FromStr};

use super::{Load, Scenario};

/// One of several processes that send the load of one run together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shard {
    number: u32,
    of: u32,
}

/// Most shards of a run.
const MOST: u32 = 10_000;

impl Shard {
    /// The only shard of a run that one process carries out.
    pub const WHOLE: Self = Self { number: 0, of: 1 };

    /// Shard `number`, from 0, of `of`.
    ///
    /// # Errors
    ///
    /// Where there is no such shard: what is wrong, and what is possible.
    pub fn new(number: u32, of: u32) -> Result<Self, String> {
        match of {
            0 => Err("a run has at least 1 shard".to_owned()),
            of if of > MOST => Err(format!("a run has at most {MOST} shards, not {of}")),
            of if number >= of => {
                Err(format!("there is no shard {number} of {of}: shards are numbered from 0 to {}", of - 1))
            }
            of => Ok(Self { number, of }),
        }
    }

    /// Every shard of a run.
    pub fn all(of: u32) -> impl Iterator<Item = Self> {
        (0..of).map(move |number| Self { number, of })
    }

    /// Its number, from 0.
    pub fn number(self) -> u32 {
        self.number
    }

    /// Number of shards of the run.
    pub fn of(self) -> u32 {
        self.of
    }

    /// Its share of what belongs to the whole, the first shards taking what is left over.
    pub fn share(self, whole: u32) -> u32 {
        whole / self.of + u32::from(self.number < whole % self.of)
    }
}

impl Default for Shard {
    fn default() -> Self {
        Self::WHOLE
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        let (number, of) = numbers.ok_or_else(|| {
            format!("\"{text}\" is no shard: expected its number, from 0, and how many there are, as in 0/4")
        })?;
        Self::new(number, of)
    }
}

impl Scenario {
    /// Whether each of a number of shards has a connection, and in a closed loop a client, of each instance of each service.
    ///
    /// # Errors
    ///
    /// The first service that cannot be divided, with the setting that helps.
    pub fn divides_among(&self, shards: u32) -> Result<(), String> {
        for service in &self.services {
            let name = &service.name;
            if service.pool.size < shards {
                return Err(format!(
                    "service \"{name}\" has a pool of {} connections, but each of {shards} generators needs one: use fewer, or \
                     --set service.{name}.pool.size={shards}",
                    service.pool.size
                ));
            }
            let needed = shards.saturating_mul(service.instances);
            if let Load::Closed { clients, .. } = service.load
                && clients < needed
            {
                return Err(format!(
                    "service \"{name}\" has {clients} clients, but {shards} generators need one for each of its instances: use fewer, \
                     or --set service.{name}.load.clients={needed}"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load;

    #[test]
    fn reads_what_it_writes_and_refuses_what_does_not_exist() {
        for text in ["0/1", "3/4", "999/1000"] {
            assert_eq!(text.parse::<Shard>().unwrap().to_string(), text);
        }
        for (text, expected) in [
            ("4/4", "no shard 4 of 4: shards are numbered from 0 to 3"),
            ("0/0", "at least 1 shard"),
            ("0/10001", "at most 10000 shards"),
            ("2", "\"2\" is no shard"),
            ("-1/4", "\"-1/4\" is no shard"),
        ] {
            let error = text.parse::<Shard>().unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn shares_add_up_to_the_whole() {
        for whole in [0, 1, 7, 50] {
            for of in 1..9 {
                assert_eq!(Shard::all(of).map(|shard| shard.share(whole)).sum::<u32>(), whole);
            }
        }
    }

    #[test]
    fn a_service_that_cannot_be_divided_is_named_with_the_remedy() {
        let mut scenario = load("mixed").unwrap();
        assert_eq!(scenario.divides_among(4), Ok(()));
        scenario.services[0].load = Load::Closed { clients: 3, think_time: std::time::Duration::ZERO };
        let name = scenario.services[0].name.clone();
        assert!(scenario.divides_among(4).unwrap_err().contains(&format!("--set service.{name}.load.clients=4")));
        scenario.services[0].pool.size = 3;
        assert!(scenario.divides_among(4).unwrap_err().contains(&format!("--set service.{name}.pool.size=4")));
    }
}
