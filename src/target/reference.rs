//! The reference of a machine: round trips to a responder within the harness.
//!
//! The reference times the parts of a request besides the server: the client library, the kernel's loopback,
//! and the waking of a thread on the other side. A machine that got slower shows here, whatever the server does.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use bytes::Bytes;
use tokio::time::timeout;

use super::{Endpoint, Scheme, Target, TargetError, TargetUrl};
use crate::{
    measure::{Clock, Nanos},
    operation::{Args, Kind, Request},
    results::Reference,
};

/// Round trips that are not counted: code and connection are cold.
const COLD: usize = 50;

/// Time of the round trips that are counted.
const LENGTH: Nanos = 150_000_000;

/// Time that all of it may take.
const LIMIT: Duration = Duration::from_secs(3);

/// Time after which the responder looks whether it is still wanted.
const TIMEOUT: Duration = Duration::from_millis(100);

/// Longest command that the responder reads.
const LONGEST: usize = 4_096;

/// Measures the reference. Takes a fifth of a second, and is not to be done while load is on.
pub async fn reference() -> Result<Reference, TargetError> {
    let failed = |reason: String| TargetError::Reference { reason };
    let responder = Responder::start(|_| {}).map_err(|error| failed(error.to_string()))?;
    let measured = timeout(LIMIT, round_trips(responder.address)).await;
    measured.map_err(|_| failed(format!("timeout of {} s", LIMIT.as_secs())))?
}

async fn round_trips(address: SocketAddr) -> Result<Reference, TargetError> {
    let endpoint = Endpoint::Tcp { host: address.ip().to_string(), port: address.port(), scheme: Scheme::REDIS };
    let connection = Target::without_services(&TargetUrl::of(endpoint)).await?.observer().open().await?;
    let request = || Request::new(Kind::Get, Bytes::from_static(b"reference"), Args::None);
    let clock = Clock::start();
    let mut times = Vec::new();
    let mut begun = None;
    for number in 0.. {
        let sent = clock.now();
        if number == COLD {
            begun = Some(sent);
        }
        if begun.is_some_and(|begun| sent - begun > LENGTH) {
            break;
        }
        let answered = connection.issue(request()).await;
        if answered.is_err() {
            return Err(TargetError::Reference { reason: "the responder did not answer".to_owned() });
        }
        if begun.is_some() {
            times.push(clock.now() - sent);
        }
    }
    connection.close().await;
    let round_trips = times.len() as u32;
    let middle = times.len() / 2;
    let median_ns = if times.is_empty() { 0 } else { *times.select_nth_unstable(middle).1 };
    Ok(Reference { median_ns, round_trips })
}

/// A thread that answers every command with a fixed reply; it ends when this is dropped.
pub(super) struct Responder {
    pub(super) address: SocketAddr,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Responder {
    /// Calls `heard` with every command, in capitals, before it is answered.
    pub(super) fn start(mut heard: impl FnMut(&[String]) + Send + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let ended = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ended);
        let thread = thread::Builder::new().name("reference".to_owned()).spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if seen.load(Ordering::Relaxed) {
                    return;
                }
                // One connection after another; one that breaks has been given up by its client.
                let _ = answer(&stream, &seen, &mut heard);
            }
        })?;
        Ok(Self { address, ended, thread: Some(thread) })
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes it where it waits for a connection.
        let _ = TcpStream::connect_timeout(&self.address, TIMEOUT);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Answers until the connection ends or the measurement is over.
fn answer(stream: &TcpStream, ended: &AtomicBool, heard: &mut impl FnMut(&[String])) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        match reader.fill_buf() {
            Ok([]) => return Ok(()),
            Ok(_) => {
                let command = command(&mut reader)?;
                heard(&command);
                writer.write_all(reply_to(&command))?;
            }
            Err(error) if is_timeout(&error) && !ended.load(Ordering::Relaxed) => {}
            Err(error) => return Err(error),
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

/// Reads one command, an array of bulk strings; gives its words in capitals.
fn command(reader: &mut impl BufRead) -> io::Result<Vec<String>> {
    let words = number(reader, '*')?;
    let mut command = Vec::new();
    for _ in 0..words {
        let mut word = vec![0; number(reader, '$')? + 2];
        reader.read_exact(&mut word)?;
        command.push(String::from_utf8_lossy(&word[..word.len() - 2]).to_uppercase());
    }
    Ok(command)
}

fn number(reader: &mut impl BufRead, sign: char) -> io::Result<usize> {
    let mut line = String::new();
    reader.take(32).read_line(&mut line)?;
    let number = line.strip_prefix(sign).and_then(|rest| rest.trim_end().parse().ok());
    number.filter(|number| *number <= LONGEST).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
}

/// Replies of a server, as far as the client library reads them.
fn reply_to(command: &[String]) -> &'static [u8] {
    let word = |place: usize| command.get(place).map_or("", String::as_str);
    match (word(0), word(1)) {
        ("GET", _) => b"$16\r\n0123456789abcdef\r\n",
        ("CLIENT", "ID") => b":1\r\n",
        ("INFO", _) => b"$21\r\nredis_version:7.0.15\n\r\n",
        ("PING", _) => b"+PONG\r\n",
        _ => b"+OK\r\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_responder_reads_commands_and_ends() {
        let responder = Responder::start(|_| {}).unwrap();
        let mut stream = TcpStream::connect(responder.address).unwrap();
        stream.write_all(b"*2\r\n$3\r\nget\r\n$1\r\nx\r\n*1\r\n$4\r\nPING\r\n").unwrap();
        let mut answer = [0; 30];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"$16\r\n0123456789abcdef\r\n+PONG\r\n");
        // Joins its thread although the connection is open.
        drop(responder);
    }

    #[test]
    fn what_is_no_command_ends_the_connection() {
        for text in ["GET x\r\n", "*x\r\n", "*1\r\n$99999\r\n", "*1\r\n+x\r\n"] {
            assert!(command(&mut text.as_bytes()).is_err(), "{text}");
        }
        assert_eq!(command(&mut "*1\r\n$4\r\nping\r\n".as_bytes()).unwrap(), ["PING"]);
        let info = reply_to(&["INFO".to_owned()]);
        assert_eq!(info.len(), "$21\r\n".len() + 21 + 2);
    }

    #[test]
    fn the_reference_is_a_round_trip() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let reference = runtime.block_on(reference()).unwrap();
        assert!(reference.round_trips > 0 && reference.median_ns > 0, "{reference:?}");
        // One after another: half of them took at least the median, and all but the last end within the length.
        let upper_half = u64::from(reference.round_trips / 2).saturating_sub(1);
        assert!(upper_half * reference.median_ns <= LENGTH, "{reference:?}");
    }
}
