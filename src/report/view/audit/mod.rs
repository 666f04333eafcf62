//! The audit in words, as a document of its own and as part of a report.

mod document;
mod nodes;
mod rulings;
mod words;
mod words_of_nodes;

pub(in crate::report) use document::headline;
pub(super) use nodes::inspected;
pub(super) use rulings::section;
pub(in crate::report) use rulings::{AT_SERVER, fact};
pub(in crate::report) use words::words;
