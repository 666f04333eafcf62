//! Requests as the server sees them: the words of a command line.
//!
//! The wire client sends these words. fred composes commands itself; a test compares the two. Before the load the words are
//! needed to ask for permissions.

use std::io::Write;

use bytes::Bytes;

use crate::operation::{Args, Keys, Kind, Request};

/// Longest number in digits: that of the smallest score, with its zeros behind the point.
const LONGEST_NUMBER: usize = 400;

/// The words of a request, its command's name first.
pub(super) fn words(request: &Request) -> Vec<Bytes> {
    let mut words = Vec::with_capacity(count(request));
    each(request, |word| words.push(Bytes::copy_from_slice(word)));
    words
}

/// Number of words of a request.
pub(super) fn count(request: &Request) -> usize {
    let arguments = match &request.args {
        Args::None => 0,
        Args::Value(_) | Args::Number(_) => 1,
        Args::Expiring(..) => 3,
        Args::Values(values) | Args::Raw(values) | Args::Judged(values, _) => values.len(),
        Args::Pairs(pairs) => 2 * pairs.len(),
        Args::Scored(members) => 2 * members.len(),
        Args::Range(..) | Args::Increment(..) | Args::ScoreBy(..) => 2,
        Args::First(_) => 4,
        Args::Entry { fields, .. } => 4 + 2 * fields.len(),
        Args::Script { argv, .. } => 3 + argv.len(),
    };
    usize::from(request.kind != Kind::Raw) + usize::from(key(request).is_some()) + arguments
}

/// The key, where it stands behind the name.
fn key(request: &Request) -> Option<&Bytes> {
    match (request.kind, request.kind.spec().keys) {
        // The key is among the arguments of these.
        (Kind::MSet | Kind::Raw | Kind::Eval, _) | (_, Keys::NoKey) => None,
        _ => Some(&request.key),
    }
}

/// Calls `word` with each word of a request, its command's name first.
pub(super) fn each(request: &Request, mut word: impl FnMut(&[u8])) {
    if request.kind != Kind::Raw {
        word(request.kind.spec().name.as_bytes());
    }
    if let Some(key) = key(request) {
        word(key);
    }
    match &request.args {
        Args::None => {}
        Args::Value(value) => word(value),
        Args::Expiring(value, milliseconds) => {
            word(value);
            word(b"PX");
            number(&mut word, *milliseconds);
        }
        Args::Values(values) | Args::Raw(values) | Args::Judged(values, _) => all(&mut word, values),
        Args::Pairs(fields) => pairs(&mut word, fields),
        Args::Scored(members) => {
            for (score, member) in members {
                text(&mut word, *score);
                word(member);
            }
        }
        Args::Range(first, last) => {
            number(&mut word, *first);
            number(&mut word, *last);
        }
        Args::Number(value) => number(&mut word, *value),
        Args::First(entries) => {
            for fixed in [&b"-"[..], b"+", b"COUNT"] {
                word(fixed);
            }
            number(&mut word, *entries);
        }
        Args::Increment(field, by) => {
            word(field);
            number(&mut word, *by);
        }
        Args::ScoreBy(by, member) => {
            number(&mut word, *by);
            word(member);
        }
        Args::Entry { fields, max_length } => {
            word(b"MAXLEN");
            word(b"~");
            number(&mut word, *max_length);
            word(b"*");
            pairs(&mut word, fields);
        }
        Args::Script { source, argv } => {
            word(source);
            word(b"1");
            word(&request.key);
            all(&mut word, argv);
        }
    }
}

fn number(word: &mut impl FnMut(&[u8]), number: i64) {
    word(itoa::Buffer::new().format(number).as_bytes());
}

fn text(word: &mut impl FnMut(&[u8]), score: f64) {
    let mut digits = [0; LONGEST_NUMBER];
    let mut rest = &mut digits[..];
    let _ = write!(rest, "{score}");
    let length = LONGEST_NUMBER - rest.len();
    word(&digits[..length]);
}

fn all(word: &mut impl FnMut(&[u8]), words: &[Bytes]) {
    for each in words {
        word(each);
    }
}

fn pairs(word: &mut impl FnMut(&[u8]), pairs: &[(Bytes, Bytes)]) {
    for (name, value) in pairs {
        word(name);
        word(value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Receiver;

    use super::*;
    use crate::target::{
        Driver, DriverConnection, Endpoint, Scheme, Target, TargetUrl, WireConnector, reference::Responder, sample,
    };

    fn literal(word: &'static str) -> Bytes {
        Bytes::from_static(word.as_bytes())
    }

    fn line(request: &Request) -> Vec<String> {
        words(request).iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect()
    }

    #[test]
    fn speaks_as_the_server_expects() {
        let pair = (literal("f"), literal("v"));
        for (kind, args, expected) in [
            (Kind::Ping, Args::None, "PING"),
            (Kind::Echo, Args::Value(literal("v")), "ECHO v"),
            (Kind::Get, Args::None, "GET k"),
            (Kind::Set, Args::Expiring(literal("v"), 50), "SET k v PX 50"),
            (Kind::MSet, Args::Pairs(vec![(literal("k"), literal("v")), pair.clone()]), "MSET k v f v"),
            (Kind::HSet, Args::Pairs(vec![pair.clone()]), "HSET k f v"),
            (Kind::ZAdd, Args::Scored(vec![(1.5, literal("m")), (-3.0, literal("n"))]), "ZADD k 1.5 m -3 n"),
            (Kind::MGet, Args::Values(vec![literal("l")]), "MGET k l"),
            (Kind::Multi, Args::None, "MULTI"),
            (Kind::ZIncrBy, Args::ScoreBy(2, literal("m")), "ZINCRBY k 2 m"),
            (Kind::HIncrBy, Args::Increment(literal("f"), 2), "HINCRBY k f 2"),
            (Kind::XAdd, Args::Entry { fields: vec![pair], max_length: 9 }, "XADD k MAXLEN ~ 9 * f v"),
            (Kind::XRange, Args::First(5), "XRANGE k - + COUNT 5"),
            (Kind::Eval, Args::Script { source: literal("return"), argv: vec![literal("a")] }, "EVAL return 1 k a"),
            (Kind::Del, Args::Values(vec![literal("o")]), "DEL k o"),
            (Kind::Publish, Args::Value(literal("v")), "PUBLISH k v"),
            (Kind::Raw, Args::Raw(vec![literal("FT.SEARCH"), literal("i")]), "FT.SEARCH i"),
        ] {
            assert_eq!(line(&Request::new(kind, literal("k"), args)).join(" "), expected);
        }
    }

    /// A command line in capitals; fred sends pairs in any order, so they are sorted.
    fn capitals(line: &[String], args: &Args) -> Vec<Vec<String>> {
        let pairs = if let Args::Pairs(pairs) = args { 2 * pairs.len() } else { 0 };
        let (head, pairs) = line.split_at(line.len().saturating_sub(pairs));
        let capitals = |words: &[String]| words.iter().map(|word| word.to_uppercase()).collect();
        let mut pairs: Vec<_> = pairs.chunks(2).map(capitals).collect();
        pairs.sort_unstable();
        pairs.insert(0, capitals(head));
        pairs
    }

    /// Sends every request through a connection; the words that arrive are compared.
    async fn compare<C: DriverConnection>(connection: &C, heard: &Receiver<Vec<String>>) {
        for request in sample::requests() {
            let (expected, args) = (line(&request), request.args.clone());
            // The reply is not what the command replies; what was sent counts.
            let _ = connection.issue(request).await;
            let sent = heard.try_iter().last().unwrap_or_default();
            assert_eq!(capitals(&sent, &args), capitals(&expected, &args));
        }
    }

    #[test]
    fn both_clients_send_the_same_words() {
        let (sender, heard) = std::sync::mpsc::channel();
        let responder = Responder::start(move |line| drop(sender.send(line.to_vec()))).unwrap();
        let (host, port) = (responder.address.ip().to_string(), responder.address.port());
        let endpoint = Endpoint::Tcp { host, port, scheme: Scheme::REDIS };
        let url = TargetUrl::of(endpoint);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let target = Target::without_services(&url).await.unwrap();
            // The responder has one client at a time.
            let connection = target.observer().open().await.unwrap();
            compare(&connection, &heard).await;
            connection.close().await;
            compare(&WireConnector::like(target.observer()).open().await.unwrap(), &heard).await;
        });
    }
}
