//! The reply to `INFO`: fields by name, and fields that hold fields.

use std::collections::BTreeMap;

/// What `INFO` says. Servers differ in what they tell; what is absent is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Info(BTreeMap<String, String>);

impl Info {
    /// Reads lines `name:value`; headings and empty lines are passed over.
    pub(super) fn parse(text: &str) -> Self {
        let pairs = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(':'));
        Self(pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect())
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
        pairs.find(|(known, _)| *known == name)?.1.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
