//! The load engine: workers, pacing, open and closed loop.
