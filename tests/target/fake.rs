//! A server that answers some commands by itself and leaves the others to a real one.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use plimsoll::target::{Endpoint, PrivateServer, Scheme, TargetUrl};

type Rule = dyn Fn(&[String]) -> Reply + Send + Sync;

/// The reply to a command.
enum Reply {
    /// Instead of the server's.
    Own(Vec<u8>),
    /// The server's.
    Passed,
    /// The beginning of the server's; then the connection is closed.
    Cut(usize),
}

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
        Self::listen(server, Arc::new(move |words: &[String]| rule(words).map_or(Reply::Passed, Reply::Own)))
    }

    /// Passes all commands on. `cut` gives the number of bytes of the reply to a command behind which the connection is closed.
    pub(crate) fn cutting(
        server: &PrivateServer,
        cut: impl Fn(&[String]) -> Option<usize> + Send + Sync + 'static,
    ) -> Self {
        Self::listen(server, Arc::new(move |words: &[String]| cut(words).map_or(Reply::Passed, Reply::Cut)))
    }

    fn listen(server: &PrivateServer, rule: Arc<Rule>) -> Self {
        let Endpoint::Tcp { port: behind, .. } = server.endpoint().clone() else { panic!("a server on a socket") };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
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
        TargetUrl { site: endpoint.into(), ..server.url_of("plimsoll") }
    }
}

/// One command after the other, each answered before the next is read.
fn converse(client: &TcpStream, server: &TcpStream, rule: &Rule) -> Option<()> {
    let (mut commands, mut replies) = (BufReader::new(client), BufReader::new(server));
    let (mut to_client, mut to_server) = (client, server);
    client.set_nodelay(true).ok()?;
    loop {
        let mut raw = Vec::new();
        frame(&mut commands, &mut raw)?;
        let mut reply = Vec::new();
        let treatment = rule(&words(&raw));
        if let Reply::Own(own) = &treatment {
            reply.clone_from(own);
        } else {
            to_server.write_all(&raw).ok()?;
            frame(&mut replies, &mut reply)?;
        }
        if let Reply::Cut(length) = treatment {
            assert!(length < reply.len(), "a reply of {} bytes is not cut at {length}", reply.len());
            to_client.write_all(&reply[..length]).ok()?;
            // With an end, and not with a reset, before which a client may miss what was sent.
            client.shutdown(Shutdown::Write).ok()?;
            io::copy(&mut commands, &mut io::sink()).ok()?;
            return None;
        }
        to_client.write_all(&reply).ok().filter(|()| !reply.is_empty())?;
    }
}

/// Reads one value of the protocol, as it stands.
pub(crate) fn frame(from: &mut impl BufRead, raw: &mut Vec<u8>) -> Option<()> {
    let begun = raw.len();
    from.read_until(b'\n', raw).ok().filter(|read| *read > 0)?;
    let line = String::from_utf8_lossy(&raw[begun..]).into_owned();
    let number = || line[1..].trim().parse::<u64>().unwrap_or(0);
    match line.as_bytes()[0] {
        b'$' | b'=' if !line.starts_with("$-") => {
            let at = raw.len();
            raw.resize(at + number() as usize + 2, 0);
            from.read_exact(&mut raw[at..]).ok()
        }
        b'%' => (0..2 * number()).try_for_each(|_| frame(from, raw)),
        b'*' | b'~' => (0..number()).try_for_each(|_| frame(from, raw)),
        _ => Some(()),
    }
}

/// The words of a command, its name in capitals.
pub(crate) fn words(raw: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(raw);
    let mut words: Vec<_> = if text.starts_with('*') {
        text.split("\r\n").skip(2).step_by(2).map(str::to_owned).collect()
    } else {
        // An inline command: fred's `HELLO`.
        text.split_whitespace().map(str::to_owned).collect()
    };
    words[0].make_ascii_uppercase();
    words
}
