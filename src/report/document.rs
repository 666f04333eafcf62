//! One interface to every report: each kind declares its content, from which all formats are made.

use super::{
    Style, chart, csv, csv_capacity, csv_comparison, csv_gate, csv_history,
    format::plain,
    hlog, html, json, json_audit, json_capacity, json_comparison, json_gate, markdown,
    subject::{AuditReport, BaselineReport, CapacityReport, ComparisonReport, GateReport, HistoryReport, RunReport},
    terminal,
    view::{self, Chart, Headline, View},
};
use crate::{
    results::{HEADLINE, Saved},
    scenario::ScenarioErrors,
};

/// Path of a file within its folder, and its content.
pub type File = (String, Vec<u8>);

/// A report on one subject, in every format.
pub trait Document {
    /// Verdict with its sentence and key numbers, made without tables or charts.
    fn headline(&self) -> Headline;

    /// Text and tables for people, with these charts.
    fn view(&self, charts: &[Chart]) -> View;

    /// Charts, the most important first.
    fn charts(&self) -> Vec<Chart> {
        Vec::new()
    }

    /// Files besides the page, its Markdown and the charts: tables, logs, inputs.
    fn tables(&self) -> Vec<File> {
        Vec::new()
    }

    /// The report as JSON, for programs; `None` where there is no such form. Fields are only ever added.
    fn json(&self) -> Option<String> {
        None
    }

    /// Stem of the names of the page and its Markdown.
    fn stem(&self) -> &'static str {
        "report"
    }

    /// File that users open first.
    fn page(&self) -> String {
        format!("{}.html", self.stem())
    }

    /// Every file of the folder of the report.
    fn files(&self) -> Vec<File> {
        let charts = self.charts();
        let mut files = pages(self.stem(), &self.view(&charts)).to_vec();
        files.extend(self.tables());
        files.extend(chart::files(charts));
        files
    }

    /// The report for a terminal.
    fn terminal(&self, style: Style) -> String {
        terminal::render(&self.view(&[]), style)
    }

    /// The report as Markdown, without charts.
    fn markdown(&self) -> String {
        markdown::render(&self.view(&[]))
    }

    /// The report as a page of its own, with charts.
    fn html(&self) -> String {
        html::render(&self.view(&self.charts()))
    }
}

/// The report on what a folder holds.
pub fn conclude(saved: Saved) -> Result<Box<dyn Document>, ScenarioErrors> {
    Ok(match saved {
        Saved::Run(run) => Box::new(RunReport::new(*run)?),
        Saved::Capacity(capacity) => Box::new(CapacityReport::new(*capacity)?),
        Saved::Gate(gate) => Box::new(GateReport::new(*gate)?),
        Saved::Ci(ci) => Box::new(*ci),
    })
}

/// A view as a page and as Markdown.
fn pages(stem: &str, view: &View) -> [File; 2] {
    [
        (format!("{stem}.html"), html::render(view).into_bytes()),
        (format!("{stem}.md"), markdown::render(view).into_bytes()),
    ]
}

/// The first sentence as a file, so that a list of results reads no more than that of each.
pub(super) fn headline_file(document: &impl Document) -> File {
    file(HEADLINE, format!("{}\n", plain(&document.headline().sentence)))
}

fn file(name: &str, content: impl Into<Vec<u8>>) -> File {
    (name.to_owned(), content.into())
}

impl Document for RunReport {
    fn headline(&self) -> Headline {
        view::run_headline(self)
    }

    fn view(&self, charts: &[Chart]) -> View {
        View::of_run(self, charts)
    }

    fn charts(&self) -> Vec<Chart> {
        let mut charts = chart::run_charts(self);
        charts.extend(self.against.iter().flat_map(chart::comparison_charts));
        charts
    }

    fn tables(&self) -> Vec<File> {
        let Self { run, scenario, analysis, against } = self;
        let mut files = vec![
            file("summary.csv", csv::summary(scenario, analysis)),
            file("timeline.csv", csv::timeline(analysis)),
            file("percentiles.csv", csv::percentiles(analysis)),
            file("errors.csv", csv::errors(run)),
            file("server.csv", csv::server(run)),
            file("commands.csv", csv::commands(analysis)),
            file("dependencies.csv", csv::dependencies(run)),
            file("keyspace.csv", csv::keyspace(analysis)),
            file("histograms.hlog", hlog::render(run, analysis)),
            file("scenario.toml", run.scenario.as_str()),
            headline_file(self),
        ];
        files.extend((!analysis.nodes.is_empty()).then(|| file("nodes.csv", csv::nodes(analysis))));
        files.extend((!analysis.generators.is_empty()).then(|| file("generators.csv", csv::generators(analysis))));
        files.extend((!analysis.reads.is_empty()).then(|| file("reads.csv", csv::reads(analysis))));
        files.extend((!analysis.outages.is_empty()).then(|| file("outages.csv", csv::outages(run, analysis))));
        files.extend((!run.events.is_empty()).then(|| file("events.csv", csv::events(run))));
        files.extend(against.iter().flat_map(Document::tables));
        files
    }

    fn json(&self) -> Option<String> {
        Some(json::render(self, &self.view(&[])))
    }
}

impl RunReport {
    /// The report with sections for the operator of the server, by the names of its files.
    pub fn analysis_files(&self) -> Vec<File> {
        pages("analysis", &View::of_server(self, &self.charts())).to_vec()
    }
}

impl Document for CapacityReport {
    fn headline(&self) -> Headline {
        view::capacity_headline(self)
    }

    fn view(&self, charts: &[Chart]) -> View {
        View::of_capacity(self, charts)
    }

    fn charts(&self) -> Vec<Chart> {
        chart::capacity_charts(self)
    }

    fn tables(&self) -> Vec<File> {
        vec![
            file("trials.csv", csv_capacity::trials(self)),
            file("capacity.csv", csv_capacity::arms(self)),
            file("scenario.toml", self.capacity.scenario.as_str()),
            headline_file(self),
        ]
    }

    fn json(&self) -> Option<String> {
        Some(json_capacity::render(self, &self.view(&[])))
    }
}

impl Document for GateReport {
    fn headline(&self) -> Headline {
        view::gate_headline(self)
    }

    fn view(&self, charts: &[Chart]) -> View {
        View::of_gate(self, charts)
    }

    fn charts(&self) -> Vec<Chart> {
        chart::gate_charts(self)
    }

    fn tables(&self) -> Vec<File> {
        vec![
            file("gate.csv", csv_gate::metrics(self)),
            file("quantiles.csv", csv_gate::quantiles(self)),
            file("slices.csv", csv_gate::slices(self)),
            file("scenario.toml", self.gate.scenario.as_str()),
            headline_file(self),
        ]
    }

    fn json(&self) -> Option<String> {
        Some(json_gate::render(self))
    }
}

impl Document for ComparisonReport {
    fn headline(&self) -> Headline {
        view::comparison_headline(self)
    }

    fn view(&self, charts: &[Chart]) -> View {
        View::of_comparison(self, charts)
    }

    fn charts(&self) -> Vec<Chart> {
        chart::comparison_charts(self)
    }

    fn tables(&self) -> Vec<File> {
        let json = json_comparison::render(self);
        vec![file("comparison.csv", csv_comparison::render(self)), file("comparison.json", json)]
    }

    fn json(&self) -> Option<String> {
        Some(json_comparison::render(self))
    }

    fn stem(&self) -> &'static str {
        "comparison"
    }
}

impl ComparisonReport {
    /// A row for each quantity of each row, as CSV.
    pub fn csv(&self) -> Vec<u8> {
        csv_comparison::render(self)
    }
}

impl Document for HistoryReport {
    fn headline(&self) -> Headline {
        view::history_headline(self)
    }

    fn view(&self, charts: &[Chart]) -> View {
        View::of_history(self, charts)
    }

    fn charts(&self) -> Vec<Chart> {
        chart::history_charts(self)
    }

    fn tables(&self) -> Vec<File> {
        vec![file("history.csv", self.csv())]
    }

    fn stem(&self) -> &'static str {
        "history"
    }
}

impl HistoryReport {
    /// A row for each run, as CSV, for programs that look for changes.
    pub fn csv(&self) -> Vec<u8> {
        csv_history::render(self)
    }
}

impl Document for BaselineReport<'_> {
    fn headline(&self) -> Headline {
        view::baseline_headline(self)
    }

    fn view(&self, _charts: &[Chart]) -> View {
        View::of_baseline(self)
    }
}

impl Document for AuditReport<'_> {
    fn headline(&self) -> Headline {
        view::audit_headline(self)
    }

    fn view(&self, _charts: &[Chart]) -> View {
        View::of_audit(self)
    }

    fn json(&self) -> Option<String> {
        Some(json_audit::render(self))
    }
}
