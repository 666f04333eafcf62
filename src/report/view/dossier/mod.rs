//! The analysis of a server as a whole document: what an operator would write by hand after a week with it, made from one
//! run. Each statement stands beside the number that it rests on; what was not measured is not claimed.
//!
//! Its parts, in reading order: [`summary`], [`performance`], [`access`], [`architecture`], [`comparison`],
//! [`recommendations`], [`services`], [`conclusions`].

mod access;
mod architecture;
mod comparison;
mod conclusions;
mod performance;
mod recommendations;
mod services;
mod summary;

use super::{Block, Cell, Column, Table, TableRow, View, charts_section, colophon, headline, subtitle};
use crate::{
    analysis::{
        Distribution, Family, FamilyKind, PercentileValue, Scope,
        audit::{Rule, Ruling, Severity},
    },
    report::{
        chart::Chart,
        format::{self, NOTHING},
        subject::RunReport,
    },
    scenario::Service,
};

impl View {
    /// The analysis of the server that a run was made on.
    pub(crate) fn dossier(facts: &RunReport, charts: &[Chart]) -> Self {
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
        Self {
            title: format!("Architecture and performance of {} {}", run.target.product, run.target.version),
            subtitle: format!("Scenario {}: {}", scenario.name, subtitle(run, scenario)),
            headline: headline::headline(facts),
            sections: sections.into_iter().filter(|section| !section.blocks.is_empty()).collect(),
            colophon: colophon(run),
        }
    }
}

impl RunReport {
    /// Rulings of a rule.
    fn rulings(&self, rule: Rule) -> impl Iterator<Item = &Ruling> {
        self.analysis.audit.iter().filter(move |ruling| ruling.rule == rule)
    }

    /// Rulings as serious as this.
    fn ruled(&self, severity: Severity) -> impl Iterator<Item = &Ruling> {
        self.analysis.audit.iter().filter(move |ruling| ruling.severity == severity)
    }

    /// A setting of the server, as it writes it.
    fn setting(&self, name: &str) -> Option<&str> {
        self.run.inspection.settings.get(name).map(String::as_str)
    }

    /// A field of `INFO`.
    fn info(&self, name: &str) -> Option<&str> {
        self.run.inspection.info.get(name).map(String::as_str)
    }

    /// A field of `INFO` in bytes.
    fn bytes(&self, name: &str) -> Option<u64> {
        self.info(name)?.parse().ok()
    }

    /// The limit of the server's memory; `None` where there is none, or none is known.
    fn max_memory(&self) -> Option<u64> {
        let limit: u64 = self.setting("maxmemory").or_else(|| self.info("maxmemory"))?.parse().ok()?;
        (limit > 0).then_some(limit)
    }

    /// Mean response times of the fastest and the slowest operation, in nanoseconds.
    fn range_of_means(&self) -> Option<(f64, f64)> {
        let means: Vec<f64> = self.operations().iter().filter_map(|row| row.response.mean).collect();
        let (least, most) = (means.iter().copied().reduce(f64::min)?, means.iter().copied().reduce(f64::max)?);
        Some((least, most))
    }

    /// Services that were answered at all, and those that there are.
    fn served(&self) -> (u64, u64) {
        let answered = |service: &&Service| self.row_of(service).is_some_and(|row| row.counts.completed > 0);
        (self.scenario.services.iter().filter(answered).count() as u64, self.scenario.services.len() as u64)
    }

    fn family(&self, kind: FamilyKind) -> Option<&Family> {
        self.analysis.families.iter().find(|family| family.kind == kind)
    }

    /// The round trips of `PING` without load, ascending.
    fn pings(&self) -> Vec<u64> {
        let mut pings = self.run.inspection.pings.clone();
        pings.sort_unstable();
        pings
    }
}

/// A mean held against the target, by how many times faster or slower it is.
fn against_target(times: f64) -> String {
    if times >= 1.0 {
        format!("{} faster", format::factor(times))
    } else {
        format!("{} slower", format::factor(1.0 / times))
    }
}

/// A table without legend, one row per entry.
fn plain_table(id: &'static str, caption: &str, columns: Vec<Column>, rows: Vec<Vec<Cell>>) -> Block {
    let rows = rows.into_iter().map(|cells| TableRow { kind: super::RowKind::Entry, cells });
    Block::Table(Table::new(id, caption, columns, rows))
}

/// Names with their values; those without are left out.
fn facts(known: Vec<(&str, Option<String>)>) -> Block {
    Block::Facts(known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

/// What a command list is called in a table: `LPUSH, LRANGE`.
fn listed(commands: &[String]) -> String {
    commands.join(", ")
}

/// A percentile, if it can be printed.
fn percentile(distribution: &Distribution, at: f64) -> Cell {
    match super::known_percentile(distribution, at) {
        Some(PercentileValue::Known { nanos, .. }) => Cell::time(nanos as f64),
        _ => NOTHING.into(),
    }
}

/// The commands of an operation's row: what a service sends.
fn operation_name(scope: &Scope) -> &str {
    scope.operation.as_deref().unwrap_or("all operations")
}

fn yes(answer: bool) -> &'static str {
    if answer { "yes" } else { "no" }
}
