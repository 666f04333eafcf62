//! Live metrics of the run, for those who watch it from afar.

use crate::{
    cli::{exit::Failure, lease::Lease},
    metrics::{Address, Board, Endpoint},
    results::{InRun, Verdict},
    scenario::Scenario,
};

/// Text and destination.
pub(super) struct Telemetry {
    pub(super) board: Board,
    endpoint: Endpoint,
}

impl Telemetry {
    /// Serves metrics from now on.
    pub(super) fn open(address: Address, scenario: &Scenario) -> Result<Self, Failure> {
        let board = Board::new(scenario, env!("CARGO_PKG_VERSION"));
        let endpoint = Endpoint::open(address, board.clone()).map_err(Failure::usage)?;
        Ok(Self { board, endpoint })
    }

    /// Where they are.
    pub(super) fn url(&self) -> String {
        self.endpoint.url()
    }

    /// Reports the verdict.
    pub(super) fn conclude(&self, verdict: Verdict) {
        let words = InRun::ALL.iter().map(|each| (InRun::word(*each).to_owned(), *each == verdict));
        self.board.conclude(words.collect());
    }

    /// Waits until the verdict is fetched, if the metrics were scraped during the run.
    pub(super) fn wait_for_final_scrape(&self, Lease { runtime, display, interrupt, .. }: &Lease) {
        if self.board.is_concluded() && self.endpoint.is_watched() {
            display.wait("Waiting for a scrape of the verdict (Ctrl-C ends the wait)", Endpoint::FAREWELL);
            // A user who interrupts has waited long enough; the result is reported already.
            let _ = runtime.block_on(interrupt.race(self.endpoint.wait_for_final_scrape()));
        }
    }
}
