//! Parts of a saved address, and addresses of several hosts in few words.

/// Whether connections to an address are encrypted, which its scheme says: `rediss+cluster`.
pub fn is_encrypted(address: &str) -> bool {
    let scheme = address.split_once("://").and_then(|(scheme, _)| scheme.split('+').next());
    matches!(scheme, Some("rediss" | "valkeys"))
}

/// Host and port of the address of a node.
pub fn place(address: &str) -> &str {
    address.split_once("://").map_or(address, |(_, place)| place)
}

/// The first of the hosts that an address names, and how many others it names.
pub fn first_host(address: &str) -> (String, usize) {
    let several = address.split_once("://").filter(|(scheme, _)| scheme.contains('+'));
    let Some((scheme, rest)) = several else { return (address.to_owned(), 0) };
    let (hosts, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let mut hosts = hosts.split(',');
    let first = hosts.next().unwrap_or_default();
    (format!("{scheme}://{first}{path}"), hosts.count())
}

/// An address with the first of its hosts: `redis+cluster://127.0.0.1:7000 and 5 more`.
pub fn brief_address(address: &str) -> String {
    match first_host(address) {
        (first, 0) => first,
        (first, others) => format!("{first} and {others} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_says_whether_connections_are_encrypted() {
        for address in ["rediss://h:1", "valkeys://h:1", "rediss+cluster://h:1,i:1"] {
            assert!(is_encrypted(address), "{address}");
        }
        for address in ["redis://h:1", "valkey+sentinel://h:1/m", "rediss", "h:1"] {
            assert!(!is_encrypted(address), "{address}");
        }
        assert_eq!((place("rediss://h:1"), place("h:1")), ("h:1", "h:1"));
    }

    #[test]
    fn of_several_hosts_the_first_is_named() {
        for (address, brief) in [
            ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379"),
            ("unix:///run/a,b.sock", "unix:///run/a,b.sock"),
            ("redis+cluster://node1:7000", "redis+cluster://node1:7000"),
            ("redis+cluster://node1:7000,node2:7001,[::1]:7002", "redis+cluster://node1:7000 and 2 more"),
            ("rediss+sentinel://s1:26379,s2:26379/mymaster", "rediss+sentinel://s1:26379/mymaster and 1 more"),
        ] {
            assert_eq!(brief_address(address), brief);
        }
    }
}
