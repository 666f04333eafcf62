//! A server that answers some commands by itself and leaves the others to a real one.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use plimsoll::target::{Endpoint, PrivateServer, Scheme, TargetUrl};

type Rule = dyn Fn(&[String]) -> Option<Vec<u8>> + Send + Sync;

/// A port on which replies of its own stand before those of a real server.
pub(crate) struct Fake {
    port: u16,
}

impl Fake {
    /// Listens as long as the test runs. `rule` gives the reply to a command, or leaves it to the server. After an empty reply
    /// the connection is closed.
    pub(crate) fn before(
        server: &PrivateServer,
        rule: impl Fn(&[String]) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        let Endpoint::Tcp { port: behind, .. } = server.url().endpoint else { panic!("a server on a socket") };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let rule: Arc<Rule> = Arc::new(rule);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (rule, server) = (Arc::clone(&rule), TcpStream::connect(("127.0.0.1", behind)).unwrap());
                // Ends when either side hangs up.
                thread::spawn(move || converse(&client, &server, &*rule));
            }
        });
        Self { port }
    }

    /// Its address, with the login of the user `plimsoll`.
    pub(crate) fn url(&self, server: &PrivateServer) -> TargetUrl {
        let endpoint = Endpoint::Tcp { host: "127.0.0.1".to_owned(), port: self.port, scheme: Scheme::REDIS };
        TargetUrl { endpoint, ..server.url_of("plimsoll") }
    }
}

/// One command after the other, each answered before the next is read.
fn converse(client: &TcpStream, server: &TcpStream, rule: &Rule) -> Option<()> {
    let (mut commands, mut replies) = (BufReader::new(client), BufReader::new(server));
    let (mut to_client, mut to_server) = (client, server);
    loop {
        let mut raw = Vec::new();
        frame(&mut commands, &mut raw)?;
        let own = rule(&words(&raw));
        let reply = if let Some(reply) = own {
            reply
        } else {
            to_server.write_all(&raw).ok()?;
            let mut reply = Vec::new();
            frame(&mut replies, &mut reply)?;
            reply
        };
        to_client.write_all(&reply).ok().filter(|()| !reply.is_empty())?;
    }
}

/// Reads one value of the protocol (RESP2), as it stands.
pub(crate) fn frame(from: &mut impl BufRead, raw: &mut Vec<u8>) -> Option<()> {
    let begun = raw.len();
    from.read_until(b'\n', raw).ok().filter(|read| *read > 0)?;
    let line = String::from_utf8_lossy(&raw[begun..]).into_owned();
    let number = || line[1..].trim().parse::<u64>().unwrap_or(0);
    match line.as_bytes()[0] {
        b'$' if !line.starts_with("$-") => {
            let at = raw.len();
            raw.resize(at + number() as usize + 2, 0);
            from.read_exact(&mut raw[at..]).ok()
        }
        b'*' => (0..number()).try_for_each(|_| frame(from, raw)),
        _ => Some(()),
    }
}

/// The words of a command, its name in capitals.
pub(crate) fn words(raw: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(raw);
    let mut words: Vec<_> = text.split("\r\n").skip(2).step_by(2).map(str::to_owned).collect();
    words[0].make_ascii_uppercase();
    words
}
