//! A probe of a dependency: a connection, or the head of the answer to a GET request, within a time limit.

use std::{
    net::TcpStream,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use ureq::{
    Agent,
    http::{Uri, uri::Authority},
    unversioned::{
        resolver::{ResolvedSocketAddrs, Resolver},
        transport::{DefaultConnector, NextTimeout},
    },
};

use super::{ProbeError, names::Names};
use crate::scenario::{Address, Dependency};

/// Longest head of an answer, in bytes.
const LONGEST_HEAD: usize = 64 << 10;

/// Addresses of a name that are tried: as many as ureq takes.
const ADDRESSES: usize = 16;

/// Where plain HTTP is spoken unless the address says otherwise.
const HTTP_PORT: u16 = 80;

/// Asks one dependency for a sign of life, one question at a time.
#[derive(Debug)]
pub struct Prober {
    way: Way,
    patience: Duration,
}

#[derive(Debug)]
enum Way {
    Tcp { names: Names },
    Http { url: String, agent: Agent, expected: Option<u16> },
}

impl Prober {
    /// Prober of a dependency, with a time limit of `patience` per answer.
    pub fn new(dependency: &Dependency, patience: Duration) -> Self {
        let way = match &dependency.address {
            Address::Tcp { host, port } => Way::Tcp { names: Names::new(host, *port) },
            Address::Http { url } => {
                Way::Http { url: url.clone(), agent: agent(url, patience), expected: dependency.status }
            }
        };
        Self { way, patience }
    }

    /// Asks, and shows how long it took. Each time anew: a name is looked up and a connection opened, as an application
    /// does that starts.
    ///
    /// # Errors
    ///
    /// Reason of the failure.
    pub fn probe(&mut self) -> (Duration, Result<(), ProbeError>) {
        let asked = Instant::now();
        let result = match &mut self.way {
            Way::Tcp { names } => connect(names, asked, self.patience),
            Way::Http { url, agent, expected } => get(agent, url, *expected, self.patience),
        };
        (asked.elapsed(), result)
    }
}

/// Connects to the first address of a name that takes it, and closes the connection. The time left is shared out evenly.
fn connect(names: &mut Names, asked: Instant, patience: Duration) -> Result<(), ProbeError> {
    let mut addresses = names.addresses(patience)?;
    addresses.truncate(ADDRESSES);
    let mut failure = ProbeError::TimedOut(patience);
    for (tried, address) in addresses.iter().enumerate() {
        let left = patience.saturating_sub(asked.elapsed()) / (addresses.len() - tried) as u32;
        if left.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(address, left) {
            Ok(_) => return Ok(()),
            Err(error) => failure = ProbeError::of_socket(&error, patience),
        }
    }
    Err(failure)
}

/// Asks for a page; its body is left on the way.
fn get(agent: &Agent, url: &str, expected: Option<u16>, patience: Duration) -> Result<(), ProbeError> {
    let status = agent.get(url).call().map_err(|error| explain(error, patience))?.status().as_u16();
    match expected {
        Some(expected) if status == expected => Ok(()),
        None if status < 400 => Ok(()),
        _ => Err(ProbeError::Status { status, expected }),
    }
}

/// A client that asks just once: no proxy, no redirect, no connection kept.
fn agent(url: &str, patience: Duration) -> Agent {
    let config = Agent::config_builder()
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .max_idle_connections(0)
        .max_idle_connections_per_host(0)
        .max_response_header_size(LONGEST_HEAD)
        .timeout_global(Some(patience))
        .user_agent(concat!("plimsoll/", env!("CARGO_PKG_VERSION")))
        .build();
    let authority = url.parse::<Uri>().ok().and_then(|uri| uri.into_parts().authority);
    let host = authority.as_ref().map_or("", Authority::host).trim_matches(['[', ']']);
    let port = authority.as_ref().and_then(Authority::port_u16).unwrap_or(HTTP_PORT);
    let names = Mutex::new(Names::new(host, port));
    Agent::with_parts(config, DefaultConnector::default(), ByNames { names, patience })
}

fn explain(error: ureq::Error, patience: Duration) -> ProbeError {
    match error {
        ureq::Error::Io(error) => ProbeError::of_socket(&error, patience),
        ureq::Error::Timeout(_) => ProbeError::TimedOut(patience),
        ureq::Error::Protocol(error) => ProbeError::NotHttp(error.to_string()),
        ureq::Error::LargeResponseHeader(..) => {
            ProbeError::NotHttp(format!("no end of its head within {} KiB", LONGEST_HEAD >> 10))
        }
        // What the resolver below said.
        ureq::Error::Other(error) => match error.downcast::<ProbeError>() {
            Ok(error) => *error,
            Err(error) => ProbeError::Other(error.to_string()),
        },
        error => ProbeError::Other(error.to_string()),
    }
}

/// Gives ureq the addresses of its one name; its own way would start a thread a second while the system is silent.
#[derive(Debug)]
struct ByNames {
    names: Mutex<Names>,
    patience: Duration,
}

impl Resolver for ByNames {
    fn resolve(
        &self,
        _uri: &Uri,
        _config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let addresses = names.addresses((*timeout.after).min(self.patience));
        let mut found = self.empty();
        for address in addresses.map_err(|error| ureq::Error::Other(Box::new(error)))?.into_iter().take(ADDRESSES) {
            found.push(address);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{Ipv4Addr, TcpListener},
        thread,
    };

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(300);

    fn listener() -> (TcpListener, u16) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    }

    fn probe(address: Address, status: Option<u16>, patience: Duration) -> Result<(), String> {
        let dependency = Dependency { name: "x".to_owned(), address, status };
        let (elapsed, result) = Prober::new(&dependency, patience).probe();
        assert!(elapsed < patience + TIMEOUT, "{elapsed:?}");
        result.map_err(|error| error.to_string())
    }

    fn tcp(host: &str, port: u16) -> Result<(), String> {
        probe(Address::Tcp { host: host.to_owned(), port }, None, TIMEOUT)
    }

    /// Result for the answer on one connection.
    fn http(answer: &'static [u8], status: Option<u16>) -> Result<(), String> {
        let (listener, port) = listener();
        let served = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                asked.push(byte[0]);
            }
            stream.write_all(answer).unwrap();
            String::from_utf8(asked).unwrap()
        });
        let result = probe(Address::Http { url: format!("http://127.0.0.1:{port}/health?a=b") }, status, TIMEOUT);
        let asked = served.join().unwrap();
        assert!(asked.starts_with("GET /health?a=b HTTP/1.1\r\n"), "{asked}");
        assert!(asked.to_lowercase().contains(&format!("host: 127.0.0.1:{port}\r\n")), "{asked}");
        result
    }

    #[test]
    fn a_listener_answers_and_a_closed_port_refuses() {
        let (open, port) = listener();
        assert_eq!(tcp("127.0.0.1", port), Ok(()));
        // Wherever the name points to as well, one of its addresses takes connections.
        assert_eq!(tcp("localhost", port), Ok(()));
        drop(open);
        assert_eq!(tcp("127.0.0.1", port), Err("connection refused".to_owned()));
        let refused = probe(Address::Http { url: format!("http://127.0.0.1:{port}/") }, None, TIMEOUT);
        assert_eq!(refused, Err("connection refused".to_owned()));
    }

    #[test]
    fn an_unknown_name_is_reported_for_both_ways() {
        let of_tcp = tcp("nowhere.invalid", 1).unwrap_err();
        assert!(of_tcp.starts_with("unknown host nowhere.invalid: "), "{of_tcp}");
        let of_http = probe(Address::Http { url: "http://nowhere.invalid/".to_owned() }, None, TIMEOUT).unwrap_err();
        assert!(of_http.starts_with("unknown host nowhere.invalid: "), "{of_http}");
    }

    #[test]
    fn the_status_decides() {
        let (ok, moved) =
            (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n");
        let busy = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(http(ok, None), Ok(()));
        assert_eq!(http(ok, Some(200)), Ok(()));
        assert_eq!(http(moved, None), Ok(()), "a redirect is an answer, and is not followed");
        assert_eq!(http(moved, Some(200)), Err("answered with status 302, not 200".to_owned()));
        assert_eq!(http(busy, None), Err("answered with status 503".to_owned()));
        assert_eq!(http(busy, Some(503)), Ok(()));
    }

    #[test]
    fn the_body_is_not_waited_for() {
        assert_eq!(http(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nthe rest never comes", None), Ok(()));
    }

    #[test]
    fn nonsense_and_silence_are_reported_apart() {
        let nonsense = http(b"-ERR unknown command\r\n\r\n", None).unwrap_err();
        assert!(nonsense.starts_with("answered with something other than HTTP"), "{nonsense}");
        assert_eq!(http(b"", None), Err("connection closed before the answer".to_owned()));
        // Connections wait in the queue of a listener that takes none.
        let (_silent, port) = listener();
        let silent = probe(Address::Http { url: format!("http://127.0.0.1:{port}/") }, None, SHORT);
        assert_eq!(silent, Err("no answer within 0.3 s".to_owned()));
    }

    #[test]
    fn an_answer_that_drips_is_given_up() {
        let (listener, port) = listener();
        let dripping = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let head = b"HTTP/1.1 200 OK\r\nX: ".iter().chain(std::iter::repeat(&b'x'));
            // Until the prober hangs up.
            for byte in head {
                if stream.write_all(&[*byte]).is_err() {
                    return;
                }
                thread::sleep(Duration::from_millis(1));
            }
        });
        let given_up = probe(Address::Http { url: format!("http://127.0.0.1:{port}/") }, None, SHORT);
        assert_eq!(given_up, Err("no answer within 0.3 s".to_owned()));
        dripping.join().unwrap();
    }
}
