//! Recording of what happened: completions go in, one [`Interval`] per second comes out, and all of them together are a
//! [`Recording`].
//!
//! All instants and durations are nanoseconds of one monotonic clock, counted from the start of the load
//! ([`Clock`]). Nothing here knows how load is made or how results are judged.

mod adder;
mod background;
mod clock;
mod decode;
mod encode;
mod histogram;
mod merge;
mod outcome;
mod recorder;
mod recording;
mod series;
mod span;

pub use background::yield_to_load;
pub use clock::{Clock, Nanos, SECOND, Timeframe, nanos};
pub use decode::{HIGHEST_NANOS, SIGNIFICANT_DIGITS, Unpacker};
pub use histogram::{Latencies, PackedHistogram, merged};
pub use outcome::{ErrorClass, Failure, Outcome};
pub use recorder::{Interval, Plan, Recorder, ServiceInterval};
pub use recording::{
    HostInterval, Period, Recording, SeriesRecord, SeriesSecond, ServiceRecord, ServiceSecond, WorkerRecord,
};
pub use series::{Completion, Counts, OTHERS, READS, REDIRECTED, SEVERAL, Series, SeriesId, SeriesKey, SeriesRole};
pub use span::Span;
