//! Queueing theory of a checkout pool: Erlang-C, with requests that come independently and hold a connection for exponentially
//! distributed times.
//!
//! A. K. Erlang, "Solution of some problems in the theory of probabilities of significance in automatic telephone exchanges"
//! (1917); the formulas as in Kleinrock, "Queueing Systems", volume 1 (1975), section 3.5, and the recurrence of Erlang-B as in
//! Jagerman, "Some properties of the Erlang loss function" (Bell System Technical Journal 53, 1974).

/// Utilisation above which a pool is too small.
const UTILISATION: f64 = 0.8;

/// Share of the objective's latency that waiting for a connection may take.
pub(super) const WAIT: f64 = 0.05;

/// Pools beyond this size are not proposed.
const LARGEST: u32 = 100_000;

/// A pool under load: M/M/c.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Queue {
    /// Connections.
    connections: u32,
    /// Mean number of them that are needed: rate x hold time.
    load: f64,
    /// Mean hold time, in nanoseconds.
    hold: f64,
    /// Probability of finding none free.
    waits: f64,
}

impl Queue {
    /// A pool of a number of connections, at a rate per second, held for a number of nanoseconds on average.
    pub(super) fn new(connections: u32, rate: f64, hold: f64) -> Self {
        let load = rate * hold / 1e9;
        let blocked = (1..=connections).fold(1.0, |blocked, size| next_blocked(blocked, load, size));
        Self::blocking(connections, load, hold, blocked)
    }

    /// By Erlang-B, the probability that all connections are in use in a system without a queue.
    fn blocking(connections: u32, load: f64, hold: f64, blocked: f64) -> Self {
        let rho = load / f64::from(connections);
        let waits = if rho >= 1.0 { 1.0 } else { blocked / (1.0 - rho * (1.0 - blocked)) };
        Self { connections, load, hold, waits }
    }

    /// Share of the connections in use, 0..=1.
    pub(super) fn utilisation(&self) -> f64 {
        (self.load / f64::from(self.connections)).min(1.0)
    }

    /// Mean wait in nanoseconds: `C S / (c - a)`; infinite where the load is more than the pool carries.
    #[cfg(test)]
    pub(super) fn mean_wait(&self) -> f64 {
        self.waits * self.decay()
    }

    /// The wait, in nanoseconds, that a share `q` of the requests does not exceed: `S / (c - a) ln(C / (1 - q))`, and 0 where no
    /// more than `1 - q` wait.
    pub(super) fn wait_quantile(&self, quantile: f64) -> f64 {
        let beyond = self.waits / (1.0 - quantile);
        if beyond <= 1.0 { 0.0 } else { self.decay() * beyond.ln() }
    }

    /// Mean of the waits of those who wait.
    fn decay(&self) -> f64 {
        let spare = f64::from(self.connections) - self.load;
        if spare <= 0.0 { f64::INFINITY } else { self.hold / spare }
    }

    /// Whether it keeps waits below 5 % of the objective's latency (nanoseconds) at p99, and utilisation below 0.8.
    fn suffices(&self, latency: f64) -> bool {
        self.utilisation() < UTILISATION && self.wait_quantile(0.99) < WAIT * latency
    }
}

/// `B_k = a B_(k-1) / (k + a B_(k-1))`.
fn next_blocked(blocked: f64, load: f64, size: u32) -> f64 {
    let used = load * blocked;
    used / (f64::from(size) + used)
}

/// The smallest pool that suffices at a rate per second, with connections held for a number of nanoseconds, for an objective's
/// latency in nanoseconds.
pub(super) fn smallest(rate: f64, hold: f64, latency: f64) -> u32 {
    let load = rate * hold / 1e9;
    let mut blocked = 1.0;
    for size in 1..LARGEST {
        blocked = next_blocked(blocked, load, size);
        if Queue::blocking(size, load, hold, blocked).suffices(latency) {
            return size;
        }
    }
    LARGEST
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::*;

    const MILLI: f64 = 1e6;

    fn near(seen: f64, known: f64, within: f64) -> bool {
        (seen - known).abs() <= within
    }

    /// 50 connections held for 2 ms: worked out with the formulas by hand.
    #[test]
    fn has_the_known_answers() {
        let calm = Queue::new(50, 20_000.0, 2.0 * MILLI);
        assert!(near(calm.utilisation(), 0.8, 1e-12));
        assert!(near(calm.wait_quantile(0.99), 0.43 * MILLI, 0.005 * MILLI), "{}", calm.wait_quantile(0.99));
        let busy = Queue::new(50, 24_000.0, 2.0 * MILLI);
        assert!(near(busy.utilisation(), 0.96, 1e-12));
        assert!(near(busy.wait_quantile(0.99), 4.2 * MILLI, 0.05 * MILLI), "{}", busy.wait_quantile(0.99));
        assert!(Queue::new(100, 24_000.0, 2.0 * MILLI).wait_quantile(0.99) < 1.0);
    }

    /// Probabilities of delay as tables of Erlang-C have them; those for one and two servers follow from
    /// `C(1, a) = a` and `C(2, a) = a^2 / (2 + a)`, the others from the sum `a^c/c! c/(c-a) / (sum a^k/k! + ...)`.
    #[test]
    fn has_the_tabulated_probabilities_of_delay() {
        let delay = |servers: u32, load: f64| Queue::new(servers, load, 1e9).waits;
        for (servers, load, known) in [
            (1, 0.5, 0.5),
            (1, 0.9, 0.9),
            (2, 1.0, 1.0 / 3.0),
            (2, 1.5, 0.642_857),
            (3, 2.0, 0.444_444),
            (5, 4.0, 0.554_113),
            (10, 8.0, 0.409_180),
        ] {
            assert!(near(delay(servers, load), known, 2e-6), "{servers} {load}: {}", delay(servers, load));
        }
    }

    /// M/M/1: mean wait `rho S / (1 - rho)`.
    #[test]
    fn one_connection_is_mm1() {
        let queue = Queue::new(1, 500.0, MILLI);
        assert!(near(queue.mean_wait(), MILLI, 1e-3));
        assert!(near(queue.wait_quantile(0.99), 2.0 * MILLI * 50.0_f64.ln(), 1e-3));
        assert!(near(queue.wait_quantile(0.5), 0.0, 1e-9), "half of them do not wait");
    }

    #[test]
    fn more_than_it_carries_waits_for_ever() {
        let over = Queue::new(5, 4_000.0, 2.0 * MILLI);
        assert!(over.mean_wait().is_infinite() && over.wait_quantile(0.99).is_infinite());
        assert!(near(over.utilisation(), 1.0, 1e-12));
    }

    #[test]
    fn the_smallest_pool_is_the_first_that_suffices() {
        // 40 connections are needed on average, so 0.8 takes 51; waits would allow for fewer.
        assert_eq!(smallest(20_000.0, 2.0 * MILLI, 100.0 * MILLI), 51);
        assert_eq!(smallest(0.0, 2.0 * MILLI, 100.0 * MILLI), 1);
        // Here the wait decides.
        let size = smallest(2_000.0, 2.0 * MILLI, 2.0 * MILLI);
        let utilisation = |size: u32| Queue::new(size, 2_000.0, 2.0 * MILLI).utilisation();
        assert!(size > 6 && utilisation(size - 1) < 0.8, "{size}");
        assert!(Queue::new(size - 1, 2_000.0, 2.0 * MILLI).wait_quantile(0.99) >= 0.1 * MILLI);
    }

    proptest! {
        #[test]
        fn a_larger_pool_never_waits_longer(rate in 1.0..50_000.0_f64, hold in 1e4..1e7_f64, size in 1_u32..200) {
            let wait = |size| Queue::new(size, rate, hold).wait_quantile(0.99);
            prop_assert!(wait(size + 1) <= wait(size));
        }
    }
}
