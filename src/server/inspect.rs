//! Looking at what a server is like without changing anything: its settings, its state and its users.
//!
//! Only what is listed here is kept; passwords, and their hashes, never leave this file.

use std::collections::BTreeMap;

use fred::{interfaces::ClientLike, types::Value};

use super::{
    info::Info,
    questions::{Questions, text},
};
use crate::results::{Inspection, UserRights, sha256};

/// Settings that rules and reports read.
pub(super) const SETTINGS: &[&str] = &[
    "aclfile",
    "activedefrag",
    "appendfsync",
    "appendonly",
    "bind",
    "databases",
    "disable-thp",
    "io-threads",
    "latency-monitor-threshold",
    "maxclients",
    "maxmemory",
    "maxmemory-policy",
    "port",
    "protected-mode",
    "rdbchecksum",
    "rdbcompression",
    "save",
    "slowlog-log-slower-than",
    "slowlog-max-len",
    "stop-writes-on-bgsave-error",
    "tcp-backlog",
    "tcp-keepalive",
    "timeout",
    "tls-port",
];

/// Fields of `INFO` that rules and reports read.
pub(super) const FIELDS: &[&str] = &[
    "aof_enabled",
    "aof_last_bgrewrite_status",
    "aof_last_write_status",
    "connected_clients",
    "connected_slaves",
    "evicted_keys",
    "expired_keys",
    "keyspace_hits",
    "keyspace_misses",
    "latest_fork_usec",
    "maxclients",
    "maxmemory",
    "maxmemory_policy",
    "mem_allocator",
    "mem_fragmentation_ratio",
    "os",
    "rdb_changes_since_last_save",
    "rdb_last_bgsave_status",
    "rejected_connections",
    "role",
    "total_connections_received",
    "total_system_memory",
    "uptime_in_seconds",
    "used_memory",
    "used_memory_peak",
    "used_memory_rss",
];

/// Passwords that are tried first by a user who guesses: the example of old configuration files, names of products, and
/// the leaders of every list of leaked ones.
const COMMON_PASSWORDS: &[&str] = &[
    "",
    "000000",
    "111111",
    "123",
    "1234",
    "12345",
    "123456",
    "1234567",
    "12345678",
    "123456789",
    "1234567890",
    "abc123",
    "admin",
    "admin123",
    "changeme",
    "default",
    "dev",
    "foobared",
    "guest",
    "iloveyou",
    "letmein",
    "master",
    "monkey",
    "mypass",
    "mypassword",
    "pass",
    "passw0rd",
    "password",
    "password1",
    "password123",
    "postgres",
    "qwerty",
    "qwerty123",
    "redis",
    "redis123",
    "redispass",
    "redispassword",
    "root",
    "secret",
    "test",
    "test123",
    "user",
    "valkey",
    "welcome",
];

/// Whether a password is one of the first that are tried.
pub fn is_common_password(password: &str) -> bool {
    COMMON_PASSWORDS.contains(&password)
}

/// Settings, state and users of a server, as the server reports them.
pub async fn inspect(client: impl ClientLike) -> Inspection {
    let mut questions = Questions::new(client);
    let info = questions.ask_text(&["INFO"]).await.map(|text| Info::parse(&text)).unwrap_or_default();
    Inspection {
        info: fields(&info, FIELDS),
        settings: settings(&mut questions, SETTINGS).await,
        users: users(&mut questions).await,
        withheld: questions.into_withheld(),
        ..Inspection::default()
    }
}

/// Some fields by name.
pub(super) fn fields(info: &Info, names: &[&str]) -> BTreeMap<String, String> {
    let known = |name: &&str| info.text(name).map(|value| ((*name).to_owned(), value.to_owned()));
    names.iter().filter_map(known).collect()
}

/// Users that the server knows.
pub(super) async fn users(questions: &mut Questions<impl ClientLike>) -> Vec<UserRights> {
    let Some(Value::Array(lines)) = questions.ask(&["ACL", "LIST"]).await else { return Vec::new() };
    lines.iter().filter_map(text).filter_map(|line| user(&line)).collect()
}

/// The settings by name, and no other: passwords are among those. Since version 7 one question will do.
pub(super) async fn settings(
    questions: &mut Questions<impl ClientLike>,
    names: &[&'static str],
) -> BTreeMap<String, String> {
    let pairs = |reply: Value| {
        let Value::Array(parts) = reply else { return Vec::new() };
        parts.chunks_exact(2).filter_map(|pair| Some((text(&pair[0])?, text(&pair[1])?))).collect()
    };
    let all: Vec<&str> = ["CONFIG", "GET"].into_iter().chain(names.iter().copied()).collect();
    if let Some(Ok(reply)) = questions.try_ask(&all).await {
        return pairs(reply).into_iter().collect();
    }
    let mut known = BTreeMap::new();
    for name in names {
        match questions.ask(&["CONFIG", "GET", name]).await {
            Some(reply) => known.extend(pairs(reply)),
            // Refused once is refused always.
            None => break,
        }
    }
    known
}

/// A user of the reply to `ACL LIST`, written as the rules that make it.
fn user(line: &str) -> Option<UserRights> {
    // Selectors stand in parentheses behind the rules of the user itself.
    let (own, selectors) = line.split_once('(').map_or((line, 0), |(own, rest)| (own, 1 + rest.matches('(').count()));
    let mut words = own.split_whitespace();
    if words.next()? != "user" {
        return None;
    }
    let mut user = UserRights {
        name: words.next()?.to_owned(),
        enabled: false,
        no_password: false,
        passwords: 0,
        common_password: false,
        commands: String::new(),
        keys: Vec::new(),
        channels: Vec::new(),
        selectors: selectors as u32,
    };
    let mut commands = Vec::new();
    for word in words {
        match word {
            "on" => user.enabled = true,
            "nopass" => user.no_password = true,
            "allkeys" => user.keys.push("~*".to_owned()),
            "allchannels" => user.channels.push("&*".to_owned()),
            "allcommands" => commands.push("+@all"),
            "nocommands" => commands.push("-@all"),
            _ => match word.as_bytes().first() {
                Some(b'#') => {
                    user.passwords += 1;
                    user.common_password |= COMMON_PASSWORDS.iter().any(|common| is_hash_of(&word[1..], common));
                }
                Some(b'~' | b'%') => user.keys.push(word.to_owned()),
                Some(b'&') => user.channels.push(word.to_owned()),
                Some(b'+' | b'-') => commands.push(word),
                _ => {}
            },
        }
    }
    user.commands = commands.join(" ");
    Some(user)
}

fn is_hash_of(hash: &str, password: &str) -> bool {
    sha256(password) == hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read_and_their_hashes_are_not_kept() {
        let hash = "34fb46c847bb9df96e5205a39d382f648a6e8dce1e014cd85b4ca6a88d88ed03";
        let line = format!(
            "user app on sanitize-payload #{hash} #{} ~app:* %R~ro:* resetchannels &app:* -@all +get +client|setname \
             (~x:* -@all +set) (~y:* +@all)",
            "0".repeat(64)
        );
        let user = user(&line).unwrap();
        assert_eq!((user.name.as_str(), user.enabled, user.no_password), ("app", true, false));
        assert_eq!((user.passwords, user.common_password, user.selectors), (2, true, 2));
        assert_eq!(user.commands, "-@all +get +client|setname");
        assert_eq!(user.keys, ["~app:*", "%R~ro:*"]);
        assert_eq!(user.channels, ["&app:*"]);
        assert!(!format!("{user:?}").contains(hash));
    }

    #[test]
    fn the_default_user_of_a_fresh_server_is_recognised() {
        let user = user("user default on nopass sanitize-payload ~* &* +@all").unwrap();
        assert!(user.enabled && user.no_password && !user.common_password);
        assert_eq!((user.commands.as_str(), user.keys.as_slice()), ("+@all", &["~*".to_owned()][..]));
        assert_eq!(super::user("nonsense"), None);
        let six = super::user("user default off nopass allkeys allchannels allcommands").unwrap();
        assert_eq!((six.enabled, six.commands.as_str(), six.channels.len()), (false, "+@all", 1));
    }

    #[test]
    fn no_secret_is_among_what_is_kept() {
        for name in SETTINGS.iter().chain(FIELDS) {
            assert!(!name.contains("pass") && !name.contains("auth"), "{name}");
        }
        assert!(SETTINGS.is_sorted() && FIELDS.is_sorted() && COMMON_PASSWORDS.is_sorted());
    }
}
