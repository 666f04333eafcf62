//! The analysis of a server as a whole document: what an operator would write by hand after a week with it, made from one
//! run. Each statement stands beside the number that it rests on; what was not measured is not claimed.
//!
//! Its parts, in reading order: [`summary`], [`performance`], [`access`], [`architecture`], [`comparison`],
//! [`recommendations`], [`services`], [`conclusions`].

mod access;
mod architecture;
mod blocks;
mod comparison;
mod conclusions;
mod performance;
mod recommendations;
mod services;
mod summary;

use super::{View, charts::charts_section, headline, names::made_by, run::subtitle};
use crate::report::{chart::Chart, subject::RunReport};

impl View {
    /// The analysis of the server that a run was made on.
    pub(crate) fn of_server(facts: &RunReport, charts: &[Chart]) -> Self {
        let RunReport { run, scenario, .. } = facts;
        let sections = [
            summary::section(facts),
            performance::section(facts),
            access::section(facts),
            architecture::section(facts),
            comparison::section(facts),
            recommendations::in_effect(facts),
            recommendations::section(facts),
            services::section(facts),
            conclusions::benchmarks(facts),
            conclusions::findings(facts),
            conclusions::status(facts),
            conclusions::section(facts),
            charts_section("charts", "Charts", charts),
        ];
        let title = format!("Architecture and performance of {} {}", run.target.product, run.target.version);
        let subtitle = format!("Scenario {}: {}", scenario.name, subtitle(run, scenario));
        Self::new(title, subtitle, headline::headline(facts), sections, made_by(&run.software))
    }
}
