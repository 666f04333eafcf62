//! What a report says, once, for every output: the verdict in a sentence, tables, reasons to trust the numbers,
//! findings with advice, and how the run was made. All prose lives here; the renderers know syntax only.

mod audit;
mod baseline;
mod capacity;
mod cells;
mod charts;
mod checks;
mod client_cost;
mod dependencies;
mod effect;
mod events;
mod failures;
mod findings;
mod gate;
mod generators;
mod headline;
mod keyspace;
mod machines;
mod method;
mod model;
mod names;
mod nodes;
mod operator;
mod outages;
mod overload;
mod results;
mod round_trips;
mod run;
mod server;
mod server_findings;
mod server_resources;
mod timetable;
mod trust;
mod verdict;
mod write_audit;

pub(super) use audit::{AT_SERVER, fact as audit_fact, headline as audit_headline, words as audit_words};
pub use baseline::difference_in_words;
pub(super) use baseline::{baseline_headline, comparison_headline, difference_field, history_headline};
pub use capacity::harness_limit_words;
pub(super) use capacity::{capacity_headline, failure_value, limit_figures, sweep_axes, undone};
use cells::Columns;
pub(super) use effect::effect;
pub use gate::advisory_words;
pub(super) use gate::{gate_headline, metric_name};
pub(super) use headline::headline as run_headline;
pub(crate) use model::{
    Advice, Align, Block, Cell, Chart, Column, Headline, KeyNumber, Listing, Note, NoteSeverity, RowKind, Section,
    Shown, Table, TableRow, Tone, View,
};
pub(super) use names::made_by;
pub(super) use round_trips::round_trips;
