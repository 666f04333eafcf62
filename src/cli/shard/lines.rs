//! Lines between `plimsoll scale` and its shards, over standard input and output: no port, and no file that both see.
//!
//! Launchers mix what several processes write. Slurm keeps lines of up to 1 024 bytes whole, so that none is longer, and a long message
//! is cut into several. Open MPI cuts anywhere, and marks each piece with the process that wrote it (`-tag-output`).

use std::{collections::BTreeMap, io::Read as _, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    load::SecondReport,
    results::{ClockRecord, Environment, Run, Software, sha256},
    target::Invitation,
};

/// Version of the lines.
const VERSION: u32 = 2;

/// Bytes of a message in one line, which leave room for the rest of it.
const PIECE: usize = 900;

/// Mark of Open MPI before a piece: `[JOB,RANK]<stdout>:`.
const TAG: &str = "]<stdout>:";

/// How every line begins that is one of these; launchers and libraries may print others.
const MARK: &str = "{\"plimsoll\":";

/// A line.
#[derive(Serialize, Deserialize)]
struct Line {
    plimsoll: u32,
    shard: u32,
    /// Number of the message: those of several threads of a shard may be mixed.
    message: u32,
    /// Whether the message goes on in the next line of this shard.
    more: bool,
    /// Piece of the message, compressed and in base64.
    text: String,
}

/// From `plimsoll scale` to its shards.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::cli) enum Order {
    /// What to send, and where to. A shard takes another one when it has reported the recording of the first.
    Job(Box<Job>),
    /// When to begin: nanoseconds since 1970 on the reference clock.
    Start(i64),
    /// `plimsoll scale` follows the load: it says so all the time.
    Alive,
    /// The load ends early.
    Stop,
}

/// What to send, and where to.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::cli) struct Job {
    /// Texts of the scenarios, and their servers: one, or two that take turns.
    pub(in crate::cli) loads: Vec<(String, Invitation)>,
    /// Length of a turn, where two take turns.
    pub(in crate::cli) turn: Option<Duration>,
    pub(in crate::cli) workers: Option<usize>,
    /// Whether all shards are on one machine.
    pub(in crate::cli) together: bool,
    /// Whether the speed of the machine is measured before and after the load.
    pub(in crate::cli) calibrates: bool,
    /// When to begin, where it is known beforehand.
    pub(in crate::cli) start: Option<i64>,
}

/// From a shard to `plimsoll scale`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::cli) enum Report {
    /// It is there.
    Here(Box<Introduction>),
    /// It has opened its connections.
    Ready(Contact),
    /// Its load has begun, so long after the agreed start.
    Begun { late_ns: u64 },
    /// It goes on.
    Alive,
    /// A second of its load.
    Second(Box<SecondReport>),
    /// It cannot go on.
    Failed(String),
    /// Its part of the run, with the SHA-256 of its text.
    Done { sha256: String, run: String },
}

/// Who a shard is.
#[derive(Serialize, Deserialize)]
pub(in crate::cli) struct Introduction {
    /// Number of shards that it knows of.
    pub(in crate::cli) of: u32,
    pub(in crate::cli) host: String,
    pub(in crate::cli) software: Software,
    pub(in crate::cli) environment: Environment,
}

/// What a shard knows of its server.
#[derive(Serialize, Deserialize)]
pub(in crate::cli) struct Contact {
    /// Whether the server is on the machine of the shard.
    pub(in crate::cli) same_machine: bool,
    pub(in crate::cli) clock: ClockRecord,
    /// Run ID of the server that it reaches.
    pub(in crate::cli) server: Option<String>,
    /// Its own clock, in nanoseconds since 1970, when it wrote this.
    pub(in crate::cli) wall: i64,
}

impl Report {
    /// The part of a run.
    pub(in crate::cli) fn done(run: &Run) -> Self {
        let text = run.to_json();
        Self::Done { sha256: sha256(&text), run: text }
    }
}

/// A message as text: compressed, and in base64.
pub(in crate::cli) fn pack(message: &impl Serialize) -> String {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    serde_json::to_writer(&mut packed, message).expect("messages have string keys, and memory takes them");
    STANDARD.encode(packed.finish().expect("memory takes it"))
}

/// What [`pack`] made a text of.
pub(in crate::cli) fn unpack<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let packed = STANDARD.decode(text).map_err(|error| error.to_string())?;
    let mut json = String::new();
    GzDecoder::new(packed.as_slice()).read_to_string(&mut json).map_err(|error| error.to_string())?;
    serde_json::from_str(&json).map_err(|error| error.to_string())
}

/// A message as lines, each of which has to be written at once.
pub(in crate::cli) fn lines(shard: u32, message: u32, content: &impl Serialize) -> Vec<String> {
    let text = pack(content);
    let mut pieces = text.as_bytes().chunks(PIECE).peekable();
    let mut lines = Vec::new();
    while let Some(piece) = pieces.next() {
        let text = String::from_utf8_lossy(piece).into_owned();
        let line = Line { plimsoll: VERSION, shard, message, more: pieces.peek().is_some(), text };
        let line = serde_json::to_string(&line).expect("a line has string keys only");
        lines.push(format!("{line}\n"));
    }
    lines
}

/// Puts messages together again from lines.
#[derive(Default)]
pub(in crate::cli) struct Reader {
    begun: BTreeMap<(u32, u32), String>,
    /// Beginnings of lines, by the mark of the process that wrote them.
    pieces: BTreeMap<String, String>,
}

/// What a line was.
pub(in crate::cli) enum Read<T> {
    /// The last one of a message of a shard.
    Message(u32, T),
    /// One of several of a shard.
    Piece(u32),
    /// None of these lines.
    Other,
}

impl Reader {
    /// The line that ends here, without marks: pieces of it may have come before, between those of other processes.
    fn joined(&mut self, line: &str) -> String {
        let (mut owner, mut rest) = (String::new(), line);
        while let Some(end) = rest.find(TAG) {
            let start = rest[..end].rfind('[').unwrap_or(end);
            self.pieces.entry(std::mem::take(&mut owner)).or_default().push_str(&rest[..start]);
            rest[start..end].clone_into(&mut owner);
            rest = &rest[end + TAG.len()..];
        }
        let mut whole = self.pieces.remove(&owner).unwrap_or_default();
        whole.push_str(rest);
        whole
    }

    /// Takes in a line.
    ///
    /// # Errors
    ///
    /// What is wrong with one that is of another version, or damaged.
    pub(in crate::cli) fn take<T: DeserializeOwned>(&mut self, line: &str) -> Result<Read<T>, String> {
        let line = self.joined(line);
        // Launchers may put the number of the task before it.
        let Some(at) = line.find(MARK) else { return Ok(Read::Other) };
        let line: Line =
            serde_json::from_str(line[at..].trim_end()).map_err(|error| format!("a line is damaged: {error}"))?;
        if line.plimsoll != VERSION {
            return Err(format!(
                "shard {} speaks version {} of the lines, and this plimsoll version {VERSION}: install the same plimsoll everywhere",
                line.shard, line.plimsoll
            ));
        }
        let key = (line.shard, line.message);
        let begun = self.begun.entry(key).or_default();
        begun.push_str(&line.text);
        if line.more {
            return Ok(Read::Piece(line.shard));
        }
        let text = self.begun.remove(&key).unwrap_or_default();
        let message =
            unpack(&text).map_err(|error| format!("a message of shard {} is damaged: {error}", line.shard))?;
        Ok(Read::Message(line.shard, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(shard: u32, message: &str) -> Vec<String> {
        super::lines(shard, 5, &Report::Failed(message.to_owned()))
    }

    fn random(length: usize) -> String {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b'!' + (state >> 33) as u8 % 90)
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn messages_of_several_shards_that_are_mixed_come_out_whole() {
        let (one, other) = (random(5_000), random(3_000));
        let (first, second) = (lines(0, &one), lines(7, &other));
        assert!(first.len() > 4 && first.iter().chain(&second).all(|line| line.len() < 1_024), "{}", first.len());
        let mut reader = Reader::default();
        let mut found = Vec::new();
        let length = first.len().max(second.len());
        for number in 0..length {
            for line in [first.get(number), second.get(number)].into_iter().flatten() {
                match reader.take::<Report>(&format!("3: {line}")).unwrap() {
                    Read::Message(shard, Report::Failed(text)) => found.push((shard, text)),
                    Read::Message(..) | Read::Other => panic!("another message"),
                    Read::Piece(_) => {}
                }
            }
        }
        found.sort();
        assert_eq!(found, [(0, one), (7, other)]);
    }

    #[test]
    fn lines_that_open_mpi_has_cut_are_put_together() {
        let (one, other) = (lines(0, "first").remove(0), lines(1, "second").remove(0));
        let (head, tail) = one.split_at(30);
        let mixed =
            [format!("[1,0]<stdout>:{head}[1,1]<stdout>:{other}"), format!("[1,0]<stdout>:{tail}"), "done".to_owned()];
        let mut reader = Reader::default();
        let read = |line: &String| match reader.take::<Report>(line).unwrap() {
            Read::Message(shard, Report::Failed(text)) => Some((shard, text)),
            Read::Message(..) | Read::Piece(_) => panic!("another message"),
            Read::Other => None,
        };
        let found: Vec<_> = mixed.iter().filter_map(read).collect();
        assert_eq!(found, [(1, "second".to_owned()), (0, "first".to_owned())]);
    }

    #[test]
    fn other_lines_are_no_messages_and_damage_is_told() {
        let mut reader = Reader::default();
        assert!(matches!(reader.take::<Report>("srun: job 3 queued"), Ok(Read::Other)));
        let line = lines(2, "why").remove(0);
        let newer = line.replacen(&format!("{{\"plimsoll\":{VERSION}"), "{\"plimsoll\":99", 1);
        assert!(reader.take::<Report>(&newer).is_err_and(|error| error.contains("version 99")));
        let damaged = line.replacen("\"text\":\"H", "\"text\":\"I", 1);
        assert_ne!(damaged, line);
        assert!(reader.take::<Report>(&damaged).is_err_and(|error| error.contains("shard 2 is damaged")));
    }
}
