//! From a run to conclusions: estimates, checks and the verdict. Pure and synchronous; says nothing in prose.

mod model;

pub use model::{
    Analysis, Check, CheckKind, Distribution, Finding, Grade, Level, Moment, Outcome, PERCENTILES, Percentile,
    PercentileValue, Proportion, Reason, Row, Scope, Timeline, Verdict,
};
