//! The time of the TLS handshakes of one connection that fred opens.
//!
//! fred connects, shakes hands and logs in within one call. The TLS library asks its store of sessions when it begins a
//! handshake, and hands something to it at the end, before the connection carries anything else: a [`Stopwatch`] is a store that
//! notes both instants, and passes everything on to the store that all connections of the target share.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use fred::rustls::{
    NamedGroup,
    client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue},
    pki_types::ServerName,
};

/// Store of the sessions of one connection.
#[derive(Debug)]
pub(super) struct Stopwatch {
    shared: Arc<dyn ClientSessionStore>,
    times: Mutex<Times>,
}

/// Handshakes so far.
#[derive(Debug, Default)]
struct Times {
    /// Begin of those that have not ended.
    begun: Vec<Instant>,
    /// Time of the others together.
    took: Option<Duration>,
}

impl Stopwatch {
    pub(super) fn new(shared: Arc<dyn ClientSessionStore>) -> Self {
        Self { shared, times: Mutex::default() }
    }

    /// Time of all handshakes so far together; `None` while one has not ended.
    pub(super) fn took(&self) -> Option<Duration> {
        let times = self.times();
        times.took.filter(|_| times.begun.is_empty())
    }

    fn begin(&self) {
        self.times().begun.push(Instant::now());
    }

    fn end(&self) {
        let now = Instant::now();
        let mut times = self.times();
        // Their sum is the same whichever of them it was.
        if let Some(begun) = times.begun.pop() {
            times.took = Some(times.took.unwrap_or_default() + now.duration_since(begun));
        }
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientSessionStore for Stopwatch {
    fn kx_hint(&self, server: &ServerName<'_>) -> Option<NamedGroup> {
        self.begin();
        self.shared.kx_hint(server)
    }

    fn set_kx_hint(&self, server: ServerName<'static>, group: NamedGroup) {
        self.end();
        self.shared.set_kx_hint(server, group);
    }

    fn set_tls12_session(&self, server: ServerName<'static>, session: Tls12ClientSessionValue) {
        self.end();
        self.shared.set_tls12_session(server, session);
    }

    fn tls12_session(&self, server: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.shared.tls12_session(server)
    }

    fn remove_tls12_session(&self, server: &ServerName<'static>) {
        self.shared.remove_tls12_session(server);
    }

    fn insert_tls13_ticket(&self, server: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        self.shared.insert_tls13_ticket(server, ticket);
    }

    fn take_tls13_ticket(&self, server: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.shared.take_tls13_ticket(server)
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use fred::rustls::client::ClientSessionMemoryCache;

    use super::*;

    #[test]
    fn a_handshake_takes_from_its_begin_to_its_end() {
        let shared: Arc<dyn ClientSessionStore> = Arc::new(ClientSessionMemoryCache::new(8));
        let stopwatch = Stopwatch::new(Arc::clone(&shared));
        let server = ServerName::try_from("cache").unwrap();
        assert_eq!((stopwatch.took(), stopwatch.kx_hint(&server)), (None, None));
        let pause = Duration::from_millis(2);
        sleep(pause);
        assert_eq!(stopwatch.took(), None, "it has not ended");
        stopwatch.set_kx_hint(server.clone(), NamedGroup::X25519);
        let first = stopwatch.took().unwrap();
        assert!(first >= pause && shared.kx_hint(&server) == Some(NamedGroup::X25519));
        stopwatch.kx_hint(&server);
        stopwatch.set_kx_hint(server, NamedGroup::X25519);
        assert!(stopwatch.took().unwrap() > first, "the second counts as well");
    }
}
