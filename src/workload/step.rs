//! One command of an operation, with everything prepared that its requests have in common.

use bytes::Bytes;

use super::{
    access::Popularity,
    keyspace::{Stem, count, data_types},
    template::Word,
};
use crate::{
    operation::{DataType, HitRule, Keys, Kind, Parameters, Route},
    scenario::{Action, Command, Operation, Service},
};

/// Seconds that `EXPIRE` gives a key by default: longer than a run, so that keys do not vanish during it.
const EXPIRY_SECONDS: i64 = 3600;

/// A command that is ready to be drawn.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) kind: Kind,
    /// Key or channel without its index.
    pub(super) stem: Stem,
    /// Keys or channels; `None` for a command without any.
    pub(super) keys: Option<Popularity>,
    pub(super) members: u64,
    pub(super) batch: u64,
    pub(super) range: i64,
    pub(super) by: i64,
    /// Number of keys or channels.
    pub(super) count: u64,
    /// Milliseconds that `SET` gives a key.
    pub(super) expiry: Option<i64>,
    /// Seconds that `EXPIRE` gives it.
    pub(super) expiry_seconds: i64,
    pub(super) script: Bytes,
    pub(super) words: Vec<Word>,
    /// Number of the word that is the key of a command of these words, where that is another than the key that is drawn.
    pub(super) key_word: Option<usize>,
    /// Rule for the hits of a command of these words.
    pub(super) hit: Option<HitRule>,
    /// Whether the reply comes later than the request: inside a transaction.
    pub(super) blind: bool,
    /// Nodes that its requests may be sent to.
    pub(super) route: Route,
}

impl Step {
    /// The steps of an operation, `MULTI` and `EXEC` included.
    pub(super) fn all(service: &Service, operation: &Operation) -> Vec<Self> {
        let (commands, transaction) = match &operation.action {
            Action::Single(command) => (std::slice::from_ref(command), false),
            Action::Sequence { steps, transaction } => (steps.as_slice(), *transaction),
        };
        let route = if service.reads_replicas() && operation.only_reads() { Route::Open } else { Route::Primary };
        let steps = data_types(commands).into_iter().map(|(command, (data, owner))| {
            let keys = count(service, data, owner);
            Self { route, ..Self::new(service, command, data, keys, transaction) }
        });
        if !transaction {
            return steps.collect();
        }
        let steps: Vec<_> = steps.collect();
        // In a cluster the frame goes to the node that has the keys.
        let frame = |kind| {
            let of_keys = steps.iter().find(|step| step.keys.is_some() || step.key_word.is_some());
            Self { kind, ..of_keys.cloned().unwrap_or(Self::bare(kind)) }
        };
        [frame(Kind::Multi)].into_iter().chain(steps.iter().cloned()).chain([frame(Kind::Exec)]).collect()
    }

    fn new(service: &Service, command: &Command, data: DataType, count: u64, blind: bool) -> Self {
        let Parameters { members, batch, range, by, expire, script, args, hit, .. } = &command.parameters;
        let has_key = data != DataType::None || command.kind.spec().keys == Keys::Channel;
        let words: Vec<_> = args.iter().map(|word| Word::parse(word)).collect();
        // In a cluster the request goes to the node that has it.
        let key_word = if command.kind == Kind::Raw {
            let found = words.iter().skip(1).position(|word| word.may_be_key(&service.keys.prefix));
            found.map(|place| place + 1).filter(|place| !words[*place].is_key())
        } else {
            None
        };
        Self {
            stem: Stem::of(service, data),
            keys: has_key.then(|| Popularity::new(service.keys.access, count)),
            members: (*members).max(1),
            batch: u64::from(*batch).max(1),
            range: i64::from(*range).max(1),
            by: *by,
            count,
            expiry: expire.map(|time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX).max(1)),
            expiry_seconds: expire
                .map_or(EXPIRY_SECONDS, |time| i64::try_from(time.as_secs()).unwrap_or(i64::MAX).max(1)),
            script: script.clone().unwrap_or_default().into(),
            words,
            key_word,
            hit: *hit,
            blind,
            ..Self::bare(command.kind)
        }
    }

    /// A command without key and arguments.
    fn bare(kind: Kind) -> Self {
        Self {
            kind,
            stem: Stem::default(),
            keys: None,
            members: 1,
            batch: 1,
            range: 1,
            by: 0,
            count: 0,
            expiry: None,
            expiry_seconds: EXPIRY_SECONDS,
            script: Bytes::new(),
            words: Vec::new(),
            key_word: None,
            hit: None,
            blind: false,
            route: Route::Primary,
        }
    }
}
