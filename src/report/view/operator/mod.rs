//! Sections for the operator of the server, which `--style analysis` adds to the report of a run. Each statement stands
//! beside the number that it rests on; what was not measured is not claimed.

mod access;
mod configuration;
mod kinds;
mod overview;
mod scaling;

pub(super) use access::section as access;
pub(super) use configuration::section as configuration;
pub(super) use kinds::section as kinds;
pub(super) use overview::section as overview;
pub(super) use scaling::section as scaling;
