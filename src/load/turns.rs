//! Two halves of the services that take turns: so that both meet the same moments of a machine that is not quiet.

use std::time::Duration;

use crate::measure::{Nanos, nanos};

/// Windows in which the halves are loaded, in cycles of eight: first, second, second, first, second, first, first, second (Thue and
/// Morse). Neither always comes first; a steady drift affects both equally, and so does the work of a server at every second or
/// fourth window: with windows of 25 ms that is Redis's own housekeeping at its default of 10 Hz, which a cycle of four would
/// leave for the whole load in the windows of one half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turns {
    /// Length of a window.
    pub window: Duration,
    /// Number of services in the first half; the second repeats them, and with them their requests.
    pub half: usize,
}

/// The windows of one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    window: Nanos,
    /// Its places in a cycle, ascending.
    places: [Nanos; OWN],
}

const CYCLE: Nanos = Turns::CYCLE;

/// Windows of either half in a cycle.
const OWN: usize = 4;

impl Turns {
    /// Windows of a cycle. In each two of them, counted from its start, either half has one.
    pub const CYCLE: u64 = 8;

    /// The windows of the service at an index.
    pub(super) fn of(&self, service: usize) -> Turn {
        let places = if service < self.half { [0, 3, 5, 6] } else { [1, 2, 4, 7] };
        Turn { window: nanos(self.window).max(1), places }
    }

    /// The service whose requests that at an index makes: those of the first half.
    pub(super) fn root(&self, service: usize) -> usize {
        if service < self.half { service } else { service - self.half }
    }
}

impl Turn {
    /// When this much time within its windows has gone by: what a schedule has instead of the time itself.
    pub(super) fn wall(&self, own: Nanos) -> Nanos {
        let (window, within) = (own / self.window, own % self.window);
        let own = OWN as Nanos;
        (window / own * CYCLE + self.places[(window % own) as usize]) * self.window + within
    }

    /// The earliest moment within its windows from a moment on.
    pub(super) fn next(&self, now: Nanos) -> Nanos {
        let (cycle, place) = (now / self.window / CYCLE, now / self.window % CYCLE);
        if self.places.contains(&place) {
            return now;
        }
        let later = self.places.iter().find(|own| **own > place);
        let window = later.map_or((cycle + 1) * CYCLE + self.places[0], |own| cycle * CYCLE + own);
        window * self.window
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    const WINDOW: Nanos = 100;

    fn turns() -> Turns {
        Turns { window: Duration::from_nanos(WINDOW), half: 2 }
    }

    #[test]
    fn halves_alternate_as_thue_and_morse_have_it() {
        let whose = |now: Nanos| {
            let own: Vec<usize> = [0, 2].into_iter().filter(|service| turns().of(*service).next(now) == now).collect();
            assert_eq!(own.len(), 1, "one at a time");
            own[0]
        };
        let order: Vec<usize> = (0..16).map(|window| whose(window * WINDOW + 50)).collect();
        assert_eq!(order[..8], [0, 2, 2, 0, 2, 0, 0, 2]);
        assert_eq!(order[..8], order[8..]);
        // What comes at every second or fourth window comes to both as often, whenever it began.
        for period in [2, 4] {
            for phase in 0..period {
                let met = |half: usize| order[phase..].iter().step_by(period).filter(|own| **own == half).count();
                assert_eq!(met(0), met(2), "{period} {phase}");
            }
        }
        assert_eq!([0, 1, 2, 3].map(|service| turns().root(service)), [0, 1, 0, 1]);
    }

    #[test]
    fn a_moment_outside_waits_for_the_next_window() {
        let (first, second) = (turns().of(0), turns().of(2));
        assert_eq!([0, 99, 100, 250, 300, 450, 750].map(|now| first.next(now)), [0, 99, 300, 300, 300, 500, 800]);
        assert_eq!([0, 99, 100, 250, 300, 450, 850].map(|now| second.next(now)), [100, 100, 100, 250, 400, 450, 900]);
    }

    proptest! {
        #[test]
        fn schedules_keep_their_order_and_stay_within_their_windows(one in 0..100_000_u64, other in 0..100_000_u64) {
            for service in [0, 2] {
                let turn = turns().of(service);
                let (early, late) = (turn.wall(one.min(other)), turn.wall(one.max(other)));
                prop_assert!(early <= late);
                prop_assert_eq!(turn.next(late), late);
                prop_assert!(late.abs_diff(2 * one.max(other)) <= 2 * WINDOW, "half of the time is its own");
            }
        }
    }
}
