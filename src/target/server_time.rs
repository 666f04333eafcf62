//! The clock of the server under test, by which several machines agree on a start. All of them reach it, and it needs no other
//! service.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fred::types::Value;
use tokio::time::timeout;

use super::{Connector, Fault, Target, TargetError, ask};

/// Number of questions, of which that with the shortest round trip counts.
const QUESTIONS: usize = 32;

/// Time that all of them may take.
const LIMIT: Duration = Duration::from_secs(5);

/// A moment, by this machine's clocks and by the reference clock.
///
/// With one question the error is at most half of its round trip, since the server read its clock somewhere within it. (F. Cristian,
/// Probabilistic clock synchronization, Distributed Computing 3, 1989.)
#[derive(Debug, Clone, Copy)]
pub struct ReferenceTime {
    at: Instant,
    /// Nanoseconds since 1970 on the reference clock.
    reference: i128,
    /// The same on this machine's clock.
    own: i128,
    uncertainty: Option<Duration>,
}

impl ReferenceTime {
    /// This machine's clock, where the server does not answer `TIME`.
    pub fn of_machine() -> Self {
        let (at, own) = (Instant::now(), wall());
        Self { at, reference: own, own, uncertainty: None }
    }

    /// The reference clock less this machine's, in nanoseconds.
    pub fn offset(&self) -> i64 {
        (self.reference - self.own) as i64
    }

    /// Largest error of the offset; `None` where this machine's clock is the reference.
    pub fn uncertainty(&self) -> Option<Duration> {
        self.uncertainty
    }

    /// Nanoseconds since 1970 on the reference clock, now.
    pub fn now(&self) -> i128 {
        self.reference + self.at.elapsed().as_nanos() as i128
    }

    /// How much faster the reference clock went than the one that this machine paces by, since an earlier comparison, in nanoseconds.
    pub fn drift_since(&self, earlier: &Self) -> i64 {
        let own = self.at.saturating_duration_since(earlier.at).as_nanos() as i128;
        (self.reference - earlier.reference - own) as i64
    }

    /// The instant of a moment that is given in nanoseconds since 1970 on the reference clock; `None` where it is long over.
    pub fn instant(&self, moment: i128) -> Option<Instant> {
        let ahead = moment - self.reference;
        let distance = Duration::from_nanos(u64::try_from(ahead.unsigned_abs()).ok()?);
        if ahead >= 0 { self.at.checked_add(distance) } else { self.at.checked_sub(distance) }
    }
}

impl Target {
    /// The clock of the server; in a cluster that of the primary with the lowest address, on which all machines agree.
    ///
    /// # Errors
    ///
    /// Where the server does not answer, or the login has no right to `TIME`.
    pub async fn time(&self) -> Result<ReferenceTime, TargetError> {
        let connector = self.clock_holder();
        let silent = |_| Err(connector.failed(Fault::Silent(LIMIT)));
        timeout(LIMIT, questions(&connector)).await.unwrap_or_else(silent)
    }

    /// Run ID of the server whose clock is read; `None` where it has none.
    pub async fn clock_run_id(&self) -> Option<String> {
        self.run_id_at(&self.clock_holder()).await
    }

    fn clock_holder(&self) -> Connector {
        let lowest = self.primaries().min_by_key(|node| node.endpoint.to_string());
        lowest.map_or_else(|| self.observer.clone(), |node| self.observer.at(&node.endpoint))
    }
}

async fn questions(connector: &Connector) -> Result<ReferenceTime, TargetError> {
    let (client, _router) = connector.connect().await?;
    let mut best: Option<(Duration, ReferenceTime)> = None;
    for _ in 0..QUESTIONS {
        let (sent, own) = (Instant::now(), wall());
        let reply = ask::ask(&client, "TIME", Vec::new()).await.map_err(|error| connector.explain(&error))?;
        let round_trip = sent.elapsed();
        let reference = nanos(&reply).ok_or_else(|| connector.failed(Fault::UnexpectedReply("TIME")))?;
        let half = round_trip / 2;
        let middle = half.as_nanos() as i128;
        let time = ReferenceTime { at: sent + half, reference, own: own + middle, uncertainty: Some(half) };
        if best.is_none_or(|(shortest, _)| round_trip < shortest) {
            best = Some((round_trip, time));
        }
    }
    let (_, time) = best.expect("there are questions");
    Ok(time)
}

/// Seconds and microseconds, each as a string.
fn nanos(reply: &Value) -> Option<i128> {
    let parts = reply.clone().into_array();
    let [seconds, micros] = parts.as_slice() else { return None };
    let number = |value: &Value| value.as_str()?.parse::<i128>().ok();
    Some(number(seconds)? * 1_000_000_000 + number(micros)? * 1_000)
}

/// Nanoseconds since 1970 on this machine's clock.
fn wall() -> i128 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_nanos() as i128,
        Err(before) => -(before.duration().as_nanos() as i128),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_of_the_reference_clock_is_an_instant_here() {
        let at = Instant::now();
        let time = ReferenceTime { at, reference: 5_000, own: 2_000, uncertainty: None };
        assert_eq!(time.offset(), 3_000);
        assert_eq!(time.instant(7_500), Some(at + Duration::from_nanos(2_500)));
        assert_eq!(time.instant(4_000), at.checked_sub(Duration::from_micros(1)));
        assert_eq!(time.instant(i128::MAX), None);
        assert!(time.now() >= 5_000);
    }

    #[test]
    fn a_reply_is_seconds_and_microseconds() {
        let reply = |parts: &[&str]| Value::Array(parts.iter().map(|part| Value::String((*part).into())).collect());
        assert_eq!(nanos(&reply(&["12", "34"])), Some(12_000_034_000));
        assert_eq!(nanos(&reply(&["12"])), None);
        assert_eq!(nanos(&reply(&["12", "x"])), None);
        assert_eq!(nanos(&Value::Null), None);
    }
}
