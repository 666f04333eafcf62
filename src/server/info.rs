//! The reply to `INFO`: fields by name, and fields that hold fields.

use std::collections::BTreeMap;

/// More connections than a machine can have, in number; a counter of 32 bits that wrapped is above it.
const MOST_CLIENTS: f64 = 1e7;

/// More memory than a machine can have: a pebibyte.
const MOST_MEMORY: f64 = (1_u64 << 50) as f64;

/// The largest number of any field; a counter of 64 bits that wrapped is above it.
const MOST: f64 = i64::MAX as f64;

/// Fields of `INFO`. Servers differ in the fields that they have; an absent field is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Info(BTreeMap<String, String>);

impl Info {
    /// Reads lines `name:value`; headings, empty lines and implausible numbers are left out.
    pub(super) fn parse(text: &str) -> Self {
        let pairs = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(':'));
        let pairs = pairs.map(|(name, value)| (name, value.trim())).filter(|(name, value)| is_plausible(name, value));
        Self(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// A field as it stands.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A field that is a number.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }

    /// Whether a field is 1.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.text(name) == Some("1")
    }

    /// Fields whose names begin with a prefix: the rest of the name, and what they hold.
    pub(super) fn compound<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, Compound<'a>)> {
        self.0.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, Compound(value))))
    }
}

/// Whether a field is plausible: a counter that went below 0 wraps to a number that no server reaches. Text is plausible.
fn is_plausible(name: &str, value: &str) -> bool {
    let most = match name {
        "run_id" => return true,
        "connected_clients" | "blocked_clients" | "connected_slaves" | "maxclients" | "max_clients" => MOST_CLIENTS,
        "maxmemory" | "total_system_memory" => MOST_MEMORY,
        _ if name.starts_with("used_memory") => MOST_MEMORY,
        _ => MOST,
    };
    value.parse::<f64>().ok().is_none_or(|number| number.abs() <= most)
}

impl FromIterator<(String, String)> for Info {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(fields: T) -> Self {
        Self(fields.into_iter().collect())
    }
}

/// A value that holds fields itself: `calls=1,usec=3`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compound<'a>(&'a str);

impl Compound<'_> {
    /// A field that is a number.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        let mut pairs = self.0.split(',').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(known, _)| *known == name).filter(|(name, value)| is_plausible(name, value))?;
        value.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn implausible_numbers_are_not_known() {
        let info = Info::parse(
            "connected_clients:4294964742\nblocked_clients:2\nused_memory:18446744073697705472\nused_memory_rss:4096\n\
             mem_fragmentation_ratio:-nan\nused_cpu_user:inf\nkeyspace_hits:18446744073709551615\nevicted_keys:4294967295\n\
             rejected_connections:-1\nrun_id:1234567890123456789012345678901234567890\n\
             db0:keys=18446744073709551615,expires=3\nos:Linux\n",
        );
        for name in ["connected_clients", "used_memory", "keyspace_hits", "rejected_connections"] {
            assert_eq!(info.number::<u64>(name), None, "{name}");
        }
        for name in ["mem_fragmentation_ratio", "used_cpu_user"] {
            assert_eq!(info.number::<f64>(name), None, "{name}");
        }
        assert_eq!((info.number("blocked_clients"), info.number("used_memory_rss")), (Some(2), Some(4096)));
        assert_eq!(info.number("evicted_keys"), Some(u64::from(u32::MAX)), "as many can be evicted");
        assert!(info.text("os").is_some() && info.text("run_id").is_some());
        let (_, keys) = info.compound("db").next().unwrap();
        assert_eq!((keys.number::<u64>("keys"), keys.number::<u64>("expires")), (None, Some(3)));
    }

    #[test]
    fn reads_plain_and_compound_fields() {
        let info = Info::parse(
            "# Memory\r\nused_memory:990464\r\nmem_fragmentation_ratio:13.89\r\n\r\n# Commandstats\r\n\
             cmdstat_client|list:calls=2,usec=30,usec_per_call=15.00,rejected_calls=0,failed_calls=1\r\n\
             # Keyspace\r\ndb5:keys=3,expires=1,avg_ttl=0\r\nrdb_bgsave_in_progress:1\r\nexecutable:C:\\redis\r\n",
        );
        assert_eq!(info.number("used_memory"), Some(990_464));
        assert_eq!(info.number("mem_fragmentation_ratio"), Some(13.89));
        assert_eq!(info.number::<u64>("maxmemory"), None);
        assert!(info.is_on("rdb_bgsave_in_progress"));
        assert_eq!(info.text("executable"), Some("C:\\redis"));
        let (name, stat) = info.compound("cmdstat_").next().unwrap();
        assert_eq!((name, stat.number("calls"), stat.number("failed_calls")), ("client|list", Some(2), Some(1)));
        assert_eq!(stat.number::<u64>("call"), None);
        let (database, keys) = info.compound("db").find(|(rest, _)| rest.parse::<u64>().is_ok()).unwrap();
        assert_eq!((database, keys.number("keys")), ("5", Some(3)));
    }
}
