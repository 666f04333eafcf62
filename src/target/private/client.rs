//! A small blocking client for a private server's own questions.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    time::Duration,
};

use crate::{
    scenario::TlsOptions,
    target::{Endpoint, Secret, login::Login, tls::Tls},
};

/// Time in which a connection is made, and in which a command is answered.
const LIMIT: Duration = Duration::from_secs(5);

/// Longest string of a reply, in bytes.
const LONGEST: usize = 16 << 20;

/// A connection to a server of this machine, logged in.
pub(super) struct Client {
    stream: BufReader<Box<dyn Stream>>,
}

/// A reply that is no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// A status, a string or a number.
    Text(String),
    /// Nothing.
    Nil,
    /// Several replies.
    List(Vec<Reply>),
}

trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

impl Client {
    /// Connects, and logs in.
    pub(super) fn open(endpoint: &Endpoint, tls: &TlsOptions, login: &Login) -> io::Result<Self> {
        Self::open_within(endpoint, tls, login, LIMIT)
    }

    /// The same with another time limit of each answer.
    pub(super) fn open_within(
        endpoint: &Endpoint,
        tls: &TlsOptions,
        login: &Login,
        limit: Duration,
    ) -> io::Result<Self> {
        let stream: Box<dyn Stream> = match endpoint {
            Endpoint::Tcp { host, port, .. } => {
                let address: SocketAddr = format!("{host}:{port}").parse().map_err(io::Error::other)?;
                let stream = TcpStream::connect_timeout(&address, limit)?;
                stream.set_read_timeout(Some(limit))?;
                stream.set_write_timeout(Some(limit))?;
                stream.set_nodelay(true)?;
                match Tls::of(endpoint, tls).map_err(|fault| io::Error::other(fault.to_string()))? {
                    Some(tls) => Box::new(tls.blocking(host, stream)?),
                    None => Box::new(stream),
                }
            }
            Endpoint::Unix { path } => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(limit))?;
                stream.set_write_timeout(Some(limit))?;
                Box::new(stream)
            }
        };
        let mut client = Self { stream: BufReader::new(stream) };
        client.ask(&["AUTH", login.user(), login.password.as_ref().map_or("", Secret::expose)])?;
        Ok(client)
    }

    /// The reply to a command; one that the server refuses is an error with the server's message.
    pub(super) fn ask(&mut self, words: &[&str]) -> io::Result<Reply> {
        let mut request = Vec::new();
        write!(request, "*{}\r\n", words.len())?;
        for word in words {
            write!(request, "${}\r\n{word}\r\n", word.len())?;
        }
        self.stream.get_mut().write_all(&request)?;
        read(&mut self.stream)
    }

    /// The reply to a command as text.
    pub(super) fn text(&mut self, words: &[&str]) -> io::Result<String> {
        match self.ask(words)? {
            Reply::Text(text) => Ok(text),
            Reply::Nil | Reply::List(_) => Err(malformed("the reply is no text")),
        }
    }
}

fn read(stream: &mut impl BufRead) -> io::Result<Reply> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let line = line.strip_suffix("\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let text = line.get(1..).unwrap_or_default();
    let length = || text.parse::<i64>().map_err(|_| malformed("a length is no number"));
    match line.as_bytes().first() {
        Some(b'+' | b':') => Ok(Reply::Text(text.to_owned())),
        Some(b'-') => Err(io::Error::other(text.to_owned())),
        Some(b'$' | b'*') if length()? < 0 => Ok(Reply::Nil),
        Some(b'$') => {
            let length = length()? as usize;
            if length > LONGEST {
                return Err(malformed("a string is too long"));
            }
            let mut bytes = vec![0; length + 2];
            stream.read_exact(&mut bytes)?;
            bytes.truncate(length);
            Ok(Reply::Text(String::from_utf8_lossy(&bytes).into_owned()))
        }
        Some(b'*') => (0..length()?).map(|_| read(stream)).collect::<io::Result<_>>().map(Reply::List),
        _ => Err(malformed("a reply is of an unknown type")),
    }
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Reply {
        Reply::Text(text.to_owned())
    }

    #[test]
    fn reads_each_form_of_reply() {
        for (bytes, expected) in [
            ("+OK\r\n", text("OK")),
            (":12\r\n", text("12")),
            ("$4\r\na\r\nb\r\n", text("a\r\nb")),
            ("$-1\r\n", Reply::Nil),
            ("*-1\r\n", Reply::Nil),
            ("*0\r\n", Reply::List(Vec::new())),
            ("*2\r\n*1\r\n$1\r\na\r\n:1\r\n", Reply::List(vec![Reply::List(vec![text("a")]), text("1")])),
        ] {
            assert_eq!(read(&mut bytes.as_bytes()).unwrap(), expected, "{bytes:?}");
        }
    }

    #[test]
    fn refuses_errors_and_what_is_cut_short() {
        let error = |bytes: &str| read(&mut bytes.as_bytes()).unwrap_err().to_string();
        assert_eq!(error("-ERR Unknown node x\r\n"), "ERR Unknown node x");
        assert_eq!(error("$9999999999\r\n"), "a string is too long");
        assert_eq!(error("?\r\n"), "a reply is of an unknown type");
        for cut in ["", "+OK", "$4\r\nab", "*2\r\n:1\r\n"] {
            assert!(read(&mut cut.as_bytes()).is_err(), "{cut:?}");
        }
    }
}
