//! Requests as the server sees them: the words of a command line.
//!
//! The measured path does without: fred composes commands itself. Before the load the words are needed to ask for
//! permissions.

use bytes::Bytes;

use crate::operation::{Args, Keys, Request};

/// The words of a request, its command's name first.
pub(super) fn words(request: &Request) -> Vec<Bytes> {
    let Request { kind, key, args } = request;
    let spec = kind.spec();
    let mut line = vec![literal(spec.name)];
    match (spec.keys, args) {
        (_, Args::Raw(words)) => return words.clone(),
        (_, Args::Script { source, .. }) => line.extend([source.clone(), literal("1"), key.clone()]),
        // The first of several keys stands among the pairs once more.
        (Keys::NoKey, _) | (Keys::Batch | Keys::AnyBatch, Args::Pairs(_)) => {}
        (Keys::Channel | Keys::One | Keys::Batch | Keys::AnyOne | Keys::AnyBatch, _) => line.push(key.clone()),
    }
    line.extend(behind_the_key(args));
    line
}

fn behind_the_key(args: &Args) -> Vec<Bytes> {
    match args {
        Args::None => Vec::new(),
        Args::Value(value) => vec![value.clone()],
        Args::Expiring(value, ms) => vec![value.clone(), literal("PX"), number(*ms)],
        Args::Values(values) | Args::Raw(values) | Args::Script { argv: values, .. } => values.clone(),
        Args::Pairs(pairs) => flat(pairs),
        Args::Scored(members) => {
            members.iter().flat_map(|(score, member)| [text(score.to_string()), member.clone()]).collect()
        }
        Args::Range(first, last) => vec![number(*first), number(*last)],
        Args::Number(value) => vec![number(*value)],
        Args::First(count) => vec![literal("-"), literal("+"), literal("COUNT"), number(*count)],
        Args::Increment(field, by) => vec![field.clone(), number(*by)],
        Args::ScoreBy(by, member) => vec![number(*by), member.clone()],
        Args::Entry { fields, max_length } => {
            let mut words = vec![literal("MAXLEN"), literal("~"), number(*max_length), literal("*")];
            words.extend(flat(fields));
            words
        }
    }
}

fn flat(pairs: &[(Bytes, Bytes)]) -> Vec<Bytes> {
    pairs.iter().flat_map(|(name, value)| [name.clone(), value.clone()]).collect()
}

fn literal(word: &'static str) -> Bytes {
    Bytes::from_static(word.as_bytes())
}

fn number(value: i64) -> Bytes {
    text(value.to_string())
}

fn text(word: String) -> Bytes {
    Bytes::from(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        operation::{Kind, Spec},
        scenario::{self, Scenario},
        target::{Endpoint, Target, TargetUrl, reference::Responder},
        workload::RequestStream,
    };

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
            (Kind::ZAdd, Args::Scored(vec![(1.5, literal("m"))]), "ZADD k 1.5 m"),
            (Kind::ZIncrBy, Args::ScoreBy(2, literal("m")), "ZINCRBY k 2 m"),
            (Kind::HIncrBy, Args::Increment(literal("f"), 2), "HINCRBY k f 2"),
            (Kind::XAdd, Args::Entry { fields: vec![pair], max_length: 9 }, "XADD k MAXLEN ~ 9 * f v"),
            (Kind::XRange, Args::First(5), "XRANGE k - + COUNT 5"),
            (Kind::Eval, Args::Script { source: literal("return"), argv: vec![literal("a")] }, "EVAL return 1 k a"),
            (Kind::Del, Args::Values(vec![literal("o")]), "DEL k o"),
            (Kind::Publish, Args::Value(literal("v")), "PUBLISH k v"),
            (Kind::Raw, Args::Raw(vec![literal("FT.SEARCH"), literal("i")]), "FT.SEARCH i"),
        ] {
            assert_eq!(line(&Request { kind, key: literal("k"), args }).join(" "), expected);
        }
    }

    /// One operation per command; those that have a batch, an expiry or a script of their own also with it.
    fn everything() -> Scenario {
        let mut text = String::from(
            "name = \"all\"\n[run]\nwarmup = \"1s\"\nduration = \"1s\"\n[objective]\nlatency = \"1s\"\n[[service]]\n\
             name = \"api\"\norder = \"cycle\"\n[service.pool]\nsize = 1\n\
             [service.load]\nmodel = \"closed\"\nclients = 1\n[service.values]\nsize = 8\n",
        );
        for spec in Spec::in_scenarios() {
            let name = spec.name;
            let mut add = |variant: &str, lines: &str| {
                let head = format!("[[service.operation]]\nname = \"{name}{variant}\"\ncommand = \"{name}\"\n");
                text.push_str(&(head + lines));
            };
            match spec.kind {
                Kind::Eval => add("", "script = \"return 1\"\nargs = [\"{value}\"]\n"),
                Kind::Raw => add("", "args = [\"FT.SEARCH\", \"{key}\"]\n"),
                _ => add("", ""),
            }
            if spec.takes("batch") {
                add("-of-3", "batch = 3\n");
            }
            if spec.takes("expire") {
                add("-for-a-time", "expire = \"90s\"\n");
            }
        }
        scenario::parse(&text, "all.toml").unwrap_or_else(|errors| panic!("{errors}"))
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

    #[test]
    fn the_client_library_sends_the_same_words() {
        let (sender, heard) = std::sync::mpsc::channel();
        let responder = Responder::start(move |line| drop(sender.send(line.to_vec()))).unwrap();
        let (host, port) = (responder.address.ip().to_string(), responder.address.port());
        let endpoint = Endpoint::Tcp { host, port, tls: false };
        let url = TargetUrl { endpoint, username: None, password: None, database: None };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let connection = Target::without_services(&url).unwrap().observer().open().await.unwrap();
            let scenario = everything();
            let stream = RequestStream::new(&scenario, 0);
            for sequence in 0..scenario.services[0].operations.len() as u64 {
                let request = stream.request(sequence, 0);
                let (expected, args) = (line(&request), request.args.clone());
                // The reply is not what the command replies; what was sent counts.
                let _ = connection.issue(request).await;
                let sent = heard.try_iter().last().unwrap_or_default();
                assert_eq!(capitals(&sent, &args), capitals(&expected, &args));
            }
        });
    }
}
