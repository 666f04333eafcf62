//! A server of known capacity: a proxy that takes two milliseconds for each request, one after another on each connection.

use std::{
    io::{Read, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// What a request takes: a connection carries 500 a second.
pub(crate) const HOLD: Duration = Duration::from_millis(2);

/// A request that follows the last answer so closely was waiting for it, and finds the connection as busy as if the
/// machine had taken no time in between.
const GRACE: Duration = Duration::from_millis(1);

/// Requests under way on all connections of a proxy, and how many of them it serves at once as fast as a single one.
#[derive(Clone)]
struct Crowd {
    under_way: Arc<AtomicU32>,
    at_ease: u32,
}

impl Crowd {
    /// What a request takes that has just come: the square of the times that there are too many requests.
    fn hold(&self) -> Duration {
        let all = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        HOLD.mul_f64((f64::from(all) / f64::from(self.at_ease)).max(1.0).powi(2))
    }
}

/// Listens on a port of the loopback address and passes on to another one; the port. Its threads end with the process.
pub(crate) fn before(port: u16) -> u16 {
    crowded_before(port, u32::MAX)
}

/// The same, but more requests at once than `at_ease` take longer.
pub(crate) fn crowded_before(port: u16, at_ease: u32) -> u16 {
    let crowd = Crowd { under_way: Arc::default(), at_ease };
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let own = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A server that is gone is no fault of the proxy.
            let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { return };
            let crowd = crowd.clone();
            thread::spawn(move || serve(&client, &server, &crowd));
        }
    });
    own
}

/// Carries requests and replies until one side hangs up.
fn serve(client: &TcpStream, server: &TcpStream, crowd: &Crowd) {
    for stream in [client, server] {
        stream.set_nodelay(true).unwrap();
    }
    let (mut pending, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
    let mut free: Option<Instant> = None;
    loop {
        let Some(length) = request(&pending) else {
            match Read::read(&mut &*client, &mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(read) => pending.extend_from_slice(&buffer[..read]),
            }
            continue;
        };
        let arrived = Instant::now();
        let begin = free.filter(|free| arrived < *free + GRACE).unwrap_or(arrived);
        let request: Vec<u8> = pending.drain(..length).collect();
        let hold = crowd.hold();
        if (&*server).write_all(&request).is_err() {
            break;
        }
        let Some(answer) = answer(server, &mut buffer) else { break };
        let end = begin + hold;
        thread::sleep(end.saturating_duration_since(Instant::now()));
        crowd.under_way.fetch_sub(1, Ordering::Relaxed);
        // What the machine took beyond the time of grace is lost.
        free = Some(end + end.elapsed().saturating_sub(GRACE));
        if (&*client).write_all(&answer).is_err() {
            break;
        }
    }
    for stream in [client, server] {
        let _ = stream.shutdown(Shutdown::Both);
    }
}

/// Length of the first request, an array of bulk strings; `None` while it is not whole.
fn request(bytes: &[u8]) -> Option<usize> {
    let (words, mut at) = line(bytes, 0)?;
    for _ in 0..words {
        let (length, behind) = line(bytes, at)?;
        at = behind + length + 2;
    }
    (at <= bytes.len()).then_some(at)
}

/// The number behind the sign at `at`, and where its line ends.
fn line(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let end = at + bytes.get(at..)?.windows(2).position(|pair| pair == b"\r\n")?;
    let number = std::str::from_utf8(&bytes[at + 1..end]).unwrap().parse().unwrap();
    Some((number, end + 2))
}

/// One reply; the requests of these tests have short ones.
fn answer(server: &TcpStream, buffer: &mut [u8]) -> Option<Vec<u8>> {
    let mut answer = Vec::new();
    while reply(&answer, 0).is_none_or(|end| end > answer.len()) {
        match Read::read(&mut &*server, buffer) {
            Ok(0) | Err(_) => return None,
            Ok(read) => answer.extend_from_slice(&buffer[..read]),
        }
    }
    Some(answer)
}

/// Where the reply at `at` ends; `None` while it is not whole.
fn reply(bytes: &[u8], at: usize) -> Option<usize> {
    let text_end = at + bytes.get(at..)?.windows(2).position(|pair| pair == b"\r\n")? + 2;
    let number = || std::str::from_utf8(&bytes[at + 1..text_end - 2]).unwrap().parse::<i64>().unwrap();
    match bytes[at] {
        b'$' | b'=' if number() >= 0 => Some(text_end + number() as usize + 2),
        b'*' | b'~' | b'%' => {
            let parts = number().max(0) * if bytes[at] == b'%' { 2 } else { 1 };
            (0..parts).try_fold(text_end, |at, _| reply(bytes, at).filter(|end| *end <= bytes.len()))
        }
        _ => Some(text_end),
    }
}

#[test]
fn requests_and_replies_are_reported_apart() {
    assert_eq!(request(b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1"), Some(20));
    assert_eq!(request(b"*2\r\n$3\r\nGET\r\n$1\r\n"), None);
    for whole in ["+OK\r\n", "$-1\r\n", "$2\r\nab\r\n", ":5\r\n", "*2\r\n:1\r\n$1\r\na\r\n", "%1\r\n+a\r\n*0\r\n"] {
        assert_eq!(reply(whole.as_bytes(), 0), Some(whole.len()), "{whole}");
        let cut = reply(&whole.as_bytes()[..whole.len() - 1], 0);
        assert!(cut.is_none_or(|end| end == whole.len()), "{whole}");
    }
}
