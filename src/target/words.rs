//! Requests as the server sees them: the words of a command line.
//!
//! The measured path does without: fred composes commands itself. Before the load the words are needed to ask for
//! permissions.

use bytes::Bytes;

use crate::operation::{Args, Kind, Request};

/// The words of a request, its command's name first.
pub(super) fn words(request: &Request) -> Vec<Bytes> {
    let Request { kind, key, args } = request;
    if let Args::Raw(words) = args {
        return words.clone();
    }
    let mut line = vec![literal(kind.spec().name)];
    match (kind, args) {
        (Kind::Ping | Kind::Multi | Kind::Exec, _) => {}
        (Kind::Echo, Args::Value(value)) => line.push(value.clone()),
        // Its first key stands among the pairs once more.
        (Kind::MSet, Args::Pairs(pairs)) => line.extend(flat(pairs)),
        (Kind::Eval, Args::Script { source, argv }) => {
            line.extend([source.clone(), literal("1"), key.clone()]);
            line.extend(argv.iter().cloned());
        }
        _ => {
            line.push(key.clone());
            line.extend(behind_the_key(*kind, args));
        }
    }
    line
}

fn behind_the_key(kind: Kind, args: &Args) -> Vec<Bytes> {
    match args {
        Args::None | Args::Script { .. } => Vec::new(),
        Args::Value(value) => vec![value.clone()],
        Args::Expiring(value, ms) => vec![value.clone(), literal("PX"), number(*ms)],
        Args::Values(values) | Args::Raw(values) => values.clone(),
        Args::Pairs(pairs) => flat(pairs),
        Args::Scored(members) => {
            members.iter().flat_map(|(score, member)| [text(score.to_string()), member.clone()]).collect()
        }
        Args::Range(first, last) => vec![number(*first), number(*last)],
        Args::Number(count) if kind == Kind::XRange => {
            vec![literal("-"), literal("+"), literal("COUNT"), number(*count)]
        }
        Args::Number(value) => vec![number(*value)],
        Args::Increment(member, by) if kind == Kind::ZIncrBy => vec![number(*by), member.clone()],
        Args::Increment(field, by) => vec![field.clone(), number(*by)],
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

    fn line(kind: Kind, args: Args) -> String {
        let request = Request { kind, key: literal("k"), args };
        let words: Vec<_> = words(&request).iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        words.join(" ")
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
            (Kind::ZIncrBy, Args::Increment(literal("m"), 2), "ZINCRBY k 2 m"),
            (Kind::HIncrBy, Args::Increment(literal("f"), 2), "HINCRBY k f 2"),
            (Kind::XAdd, Args::Entry { fields: vec![pair], max_length: 9 }, "XADD k MAXLEN ~ 9 * f v"),
            (Kind::XRange, Args::Number(5), "XRANGE k - + COUNT 5"),
            (Kind::Eval, Args::Script { source: literal("return"), argv: vec![literal("a")] }, "EVAL return 1 k a"),
            (Kind::Raw, Args::Raw(vec![literal("FT.SEARCH"), literal("i")]), "FT.SEARCH i"),
        ] {
            assert_eq!(line(kind, args), expected);
        }
    }
}
