//! Commands that only read and have no row in the table.

use super::{Access, Spec};

/// Commands with the flag `readonly` in Redis' own table, and those of its modules that read.
const READS: [&str; 61] = [
    "BITCOUNT",
    "BITFIELD_RO",
    "BITPOS",
    "EVALSHA_RO",
    "EVAL_RO",
    "FCALL_RO",
    "FT.AGGREGATE",
    "FT.SEARCH",
    "GEODIST",
    "GEOHASH",
    "GEOPOS",
    "GEORADIUSBYMEMBER_RO",
    "GEORADIUS_RO",
    "GEOSEARCH",
    "GETBIT",
    "GETRANGE",
    "HEXISTS",
    "HKEYS",
    "HLEN",
    "HRANDFIELD",
    "HSCAN",
    "HSTRLEN",
    "HVALS",
    "JSON.GET",
    "JSON.MGET",
    "LCS",
    "LINDEX",
    "LPOS",
    "PFCOUNT",
    "PTTL",
    "SDIFF",
    "SINTER",
    "SINTERCARD",
    "SMISMEMBER",
    "SORT_RO",
    "SRANDMEMBER",
    "SSCAN",
    "SUBSTR",
    "SUNION",
    "TS.GET",
    "TS.RANGE",
    "TS.REVRANGE",
    "TYPE",
    "XINFO",
    "XLEN",
    "XPENDING",
    "XREAD",
    "XREVRANGE",
    "ZCOUNT",
    "ZDIFF",
    "ZINTER",
    "ZINTERCARD",
    "ZLEXCOUNT",
    "ZMSCORE",
    "ZRANDMEMBER",
    "ZRANGEBYLEX",
    "ZREVRANGEBYLEX",
    "ZREVRANGEBYSCORE",
    "ZREVRANK",
    "ZSCAN",
    "ZUNION",
];

/// Whether the command of this name, in any case, is known to read only.
pub fn only_reads(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let in_table = Spec::named(&name).is_some_and(|spec| spec.access == Access::Read);
    in_table || READS.binary_search(&name.as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_to_read_is_not_taken_for_a_read() {
        assert!(READS.is_sorted(), "for the search");
        for (name, expected) in [
            ("get", true),
            ("ZRange", true),
            ("ft.search", true),
            ("XREAD", true),
            ("SET", false),
            ("EVAL", false),
            ("RAW", false),
            ("PING", false),
            ("FT.CREATE", false),
        ] {
            assert_eq!(only_reads(name), expected, "{name}");
        }
        assert!(READS.iter().all(|name| Spec::named(name).is_none()), "the table has a row of it");
    }
}
