//! What an address may say.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::{prelude::any, prop_assert, proptest};

use super::*;

fn tcp(host: &str, port: u16, tls: bool) -> Endpoint {
    let scheme = SCHEMES.into_iter().find(|known| known.tls == tls).unwrap();
    Endpoint::Tcp { host: host.to_owned(), port, scheme }
}

#[test]
fn reads_every_part() {
    let url: TargetUrl = "rediss://lwe-app:p%40ss%2F@cache.example:6380/5".parse().unwrap();
    assert_eq!(url.site, tcp("cache.example", 6380, true).into());
    assert_eq!(url.username.as_deref(), Some("lwe-app"));
    assert_eq!(url.password, Some(Secret::new("p@ss/")));
    assert_eq!(url.database, Some(5));
}

#[test]
fn fills_in_the_port() {
    for (text, host) in
        [("redis://localhost", "localhost"), ("valkey://localhost", "localhost"), ("redis://[::1]/", "[::1]")]
    {
        assert_eq!(text.parse::<TargetUrl>().unwrap(), TargetUrl::of(tcp(host, 6379, false)));
    }
    assert_eq!("valkeys://h".parse::<TargetUrl>().unwrap(), "rediss://h".parse().unwrap());
}

#[test]
fn the_scheme_is_written_as_it_was_read() {
    for Scheme { name, tls } in SCHEMES {
        let text = format!("{name}://h:1");
        let url: TargetUrl = text.parse().unwrap();
        assert_eq!((url.to_string(), url.site.first().uses_tls()), (text, tls));
    }
}

#[test]
fn names_several_servers() {
    for (text, shown, database) in [
        ("redis+cluster://n1:7000,n2", "redis+cluster://n1:7000,n2:6379", None),
        ("valkeys+cluster://me:pw@[::1]:7000,[::2]:7001/0", "valkeys+cluster://[::1]:7000,[::2]:7001", Some(0)),
        ("redis+sentinel://u:p@s1,s2:5/mymaster/3", "redis+sentinel://s1:26379,s2:5/mymaster", Some(3)),
        ("valkey+sentinel://s1/mymaster", "valkey+sentinel://s1:26379/mymaster", None),
    ] {
        let url: TargetUrl = text.parse().unwrap();
        assert_eq!((url.to_string(), url.database), (shown.to_owned(), database), "{text}");
        assert_eq!(url.has_login(), text.contains('@'), "{text}");
        assert_eq!(shown.parse::<TargetUrl>().unwrap().site, url.site, "{text}");
    }
}

#[test]
fn takes_a_user_without_a_password() {
    for text in ["redis://worker@localhost", "redis://worker:@localhost", "unix:///run/redis.sock?user=worker"] {
        let url: TargetUrl = text.parse().unwrap();
        assert_eq!((url.username.as_deref(), &url.password), (Some("worker"), &None), "{text}");
        assert!(url.has_login());
    }
}

#[test]
fn a_percent_sign_that_encodes_nothing_is_taken_as_it_is() {
    for (written, password) in [
        ("abc%de", "abc%de"),
        ("abc%de^", "abc%de^"),
        ("100%", "100%"),
        ("%zz", "%zz"),
        ("p%40ss", "p@ss"),
        ("p@ss", "p@ss"),
        ("a+b", "a+b"),
        ("%C3%A9", "é"),
        ("é", "é"),
    ] {
        for text in
            [format!("redis://me:{written}@localhost"), format!("unix:///run/r.sock?user=me&password={written}")]
        {
            let url: TargetUrl = text.parse().unwrap();
            assert_eq!(url.password, Some(Secret::new(password)), "{text}");
        }
    }
}

#[test]
fn reads_the_path_of_a_socket_byte_by_byte() {
    let url: TargetUrl = "unix:///run/caf%E9/100%25.sock".parse().unwrap();
    let path = PathBuf::from(OsString::from_vec(b"/run/caf\xe9/100%.sock".to_vec()));
    assert_eq!(url.site, Endpoint::Unix { path }.into());
    let long = format!("unix:///{}", "x".repeat(200));
    assert!(long.parse::<TargetUrl>().unwrap_err().to_string().contains("at most 107 bytes"));
}

#[test]
fn what_is_shown_of_a_wrong_address_has_host_and_port() {
    for (text, shown) in [
        ("redis://127.0.0.1:99999", "redis://127.0.0.1:99999"),
        ("redis://me:hunter2@127.0.0.1:6379x/0", "redis://***@127.0.0.1:6379x/0"),
        ("redis://127.0.0.1:port", "redis://127.0.0.1:port"),
        ("redis://[::1]:0", "redis://[::1]:0"),
        ("redis://cache.example:63790000", "redis://cache.example:63790000"),
        ("redis://me:hunter2", "redis://me:***"),
        ("unix://me:hunter2@", "unix://***@"),
    ] {
        let message = text.parse::<TargetUrl>().unwrap_err().to_string();
        assert!(message.starts_with(&format!("`{shown}` is not a target: ")), "{message}");
    }
}

#[test]
fn takes_a_password_without_a_user() {
    let url: TargetUrl = "redis://:secret@localhost".parse().unwrap();
    assert_eq!((url.username, url.password), (None, Some(Secret::new("secret"))));
}

#[test]
fn reads_sockets_with_logins_in_both_places() {
    let plain: TargetUrl = "unix:///run/redis.sock?db=3".parse().unwrap();
    assert_eq!(plain.site, Endpoint::Unix { path: "/run/redis.sock".into() }.into());
    assert_eq!(plain.database, Some(3));
    for text in ["unix://me:pw@/run/redis.sock", "unix:///run/redis.sock?user=me&password=pw"] {
        let url: TargetUrl = text.parse().unwrap();
        assert_eq!(url.username.as_deref(), Some("me"), "{text}");
        assert_eq!(url.password, Some(Secret::new("pw")), "{text}");
        assert_eq!(url.to_string(), "unix:///run/redis.sock");
    }
}

#[test]
fn says_what_is_wrong_without_the_password() {
    for (text, expected) in [
        ("localhost:6379", "`://` is missing"),
        ("redis://::1:6379", "an IPv6 address has no brackets"),
        ("http://localhost", "unknown scheme `http`"),
        ("redis://me:hunter2@localhost/one", "`one` is not a database number"),
        ("redis://me:hunter2@localhost:port", "not a number from 1 to 65535"),
        ("redis://me:hunter2/@localhost", "percent encoding"),
        ("redis://me:6379/hunter2@localhost", "percent encoding"),
        ("redis://me:hunter2", "not a number from 1 to 65535"),
        ("me:hunter2@localhost", "`://` is missing"),
        ("redis://me:hunter2@localhost/256", "0 to 255"),
        ("redis://n1:7000,n2:7001", "several hosts are for redis+cluster:// and redis+sentinel:// only"),
        ("redis+cluster://n1,n2:port", "not a number from 1 to 65535"),
        ("redis+cluster://n1,", "the host is missing"),
        ("redis+cluster://n1/3", "a cluster has database 0 only"),
        ("redis+sentinel://me:hunter2@s1", "the name of the primary"),
        ("redis+sentinel://s1/mymaster/one", "`one` is not a database number"),
        ("redis+proxy://n1", "unknown scheme `redis+proxy`"),
        ("unix+cluster:///run/redis.sock", "unknown scheme `unix+cluster`"),
        ("redis://localhost?password=hunter2", "only a socket has parameters"),
        ("unix://host/run/redis.sock", "three slashes"),
        ("unix:///run/redis.sock?password=x&hunter2", "only `db`"),
    ] {
        let message = text.parse::<TargetUrl>().unwrap_err().to_string();
        assert!(message.contains(expected), "{text}: {message}");
        assert!(message.contains("redis://user:password@host:port/db"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

proptest! {
    #[test]
    fn never_shows_the_password(password in "[A-Z0-9:@/?#%&]{8,20}", host in "[a-z]{1,7}", good in any::<bool>()) {
        let written =
            if good { utf8_percent_encode(&password, NON_ALPHANUMERIC).to_string() } else { password.clone() };
        let shown = match format!("redis://user:{written}@{host}").parse::<TargetUrl>() {
            Ok(url) => {
                let read = url.password.as_ref().map(Secret::expose);
                prop_assert!(!good || read == Some(password.as_str()));
                format!("{url} {url:?}")
            }
            Err(error) => {
                prop_assert!(!good);
                format!("{error} {error:?}")
            }
        };
        for part in password.split(|letter: char| !letter.is_alphanumeric()).filter(|part| part.len() > 4) {
            prop_assert!(!shown.contains(part), "{}", shown);
        }
    }
}
