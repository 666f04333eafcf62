//! The documents beside the report of a run: an audit on its own, and the analysis of a server.

use insta::assert_snapshot;

use super::{
    AuditReport, Document, Printed, RunReport, Style, comparison_tests, markdown, schema_tests::accepted, view::View,
};
use crate::{
    analysis::audit::{Subject, audit},
    results::{NodeInspection, Run, sample},
};

fn with_audit<T>(make: impl FnOnce(&AuditReport<'_>) -> T) -> T {
    audit_of(&sample::run(), make)
}

/// An audit of a cluster of three primaries, one of which does not answer, as if Sentinels watched it as well.
fn with_audit_of_nodes<T>(make: impl FnOnce(&AuditReport<'_>) -> T) -> T {
    let mut run = sample::run();
    run.target.address = "redis+cluster://10.0.0.1:7000".into();
    let silent = NodeInspection {
        address: "redis://10.0.0.2:7000".into(),
        fault: Some("connection refused".into()),
        ..sample::node()
    };
    let mut other = NodeInspection { address: "redis://10.0.0.3:7000".into(), ..sample::node() };
    other.settings.insert("timeout".into(), "7".into());
    run.inspection.nodes = vec![sample::node(), silent, other];
    run.inspection.sentinels = vec![sample::sentinel()];
    audit_of(&run, make)
}

fn audit_of<T>(run: &Run, make: impl FnOnce(&AuditReport<'_>) -> T) -> T {
    let scenario = sample::scenario();
    let subject = Subject {
        target: &run.target,
        inspection: &run.inspection,
        dependencies: &run.dependencies,
        scenario: Some(&scenario),
        measured: None,
    };
    let rulings = audit(&subject);
    let audit = AuditReport { subject, rulings: &rulings, software: &run.software, taken: "2025-03-14T09:26:53Z" };
    make(&audit)
}

pub(super) fn audit_view() -> View {
    with_audit(|audit| audit.view(&[]))
}

#[test]
fn an_audit_on_its_own() {
    with_audit(|audit| {
        assert_snapshot!("audit_terminal", audit.terminal(Style { colour: false, width: 110, verbose: true }));
        assert_snapshot!("audit_markdown", audit.markdown());
    });
}

#[test]
fn an_audit_of_several_nodes_names_them() {
    let text = with_audit_of_nodes(|audit| audit.markdown());
    for said in [
        "all 2 nodes that were checked: The default user may log in",
        "redis://10.0.0.2:7000: connection refused",
        "## Nodes inspected",
        "7 at redis://10.0.0.3:7000",
    ] {
        assert!(text.contains(said), "`{said}` is not in:\n{text}");
    }
}

#[test]
fn the_json_summary_keeps_to_its_schema() {
    let mut run = sample::run();
    run.recording.host.iter_mut().for_each(|second| second.throttled = None);
    let mut report = RunReport::new(run).unwrap();
    let alone = report.json().unwrap();
    let turns = sample::client_cost(&[1.2, 1.25, 1.3, 1.25, 1.2, 1.25]);
    report = RunReport::new(Run { client_cost: Some(turns), ..report.run }).unwrap();
    report.against = Some(comparison_tests::slower());
    assert_snapshot!("json_accepted", accepted(Printed::Summary, &[alone, report.json().unwrap()]));
}

#[test]
fn the_json_audit_keeps_to_its_schema() {
    assert_snapshot!(
        "audit_json_accepted",
        accepted(
            Printed::Audit,
            &[with_audit(|audit| audit.json().unwrap()), with_audit_of_nodes(|audit| audit.json().unwrap())]
        )
    );
}

/// What the hand-written report said that this program began with, by its headings, and the sections that say it now.
const ANALYSIS: &[(&str, &str, &[&str])] = &[
    ("executive summary, conclusion", "Executive summary", &["Mean response times of the operations", "audit"]),
    (
        "performance benchmarks met",
        "Executive summary",
        &[
            "| Benchmark | Target | Actual | Status |",
            "| Authentication |",
            "| Latency target |",
            "| Connection stability |",
            "| Memory efficiency |",
            "| Service ml |",
        ],
    ),
    ("critical findings: monitoring points", "Findings", &["slow log has one entry", "chat-health"]),
    (
        "latency analysis, comparison with the target",
        "Latency by kind of command",
        &[
            "| Metric | Commands | Requests | Mean (ms) | Target | Performance |",
            "| Ping latency |",
            "| SET |",
            "| GET |",
            "| HSET |",
            "| Read operations |",
            "| Write operations |",
            "| Hash operations |",
            "| List operations |",
            "× faster |",
        ],
    ),
    (
        "performance classification",
        "Response time by service and operation",
        &["EXCELLENT", "| **api** | **all operations** |"],
    ),
    (
        "authentication status, service integration",
        "Authentication and service integration",
        &[
            "| Service | Status | User | Password | Database | Connected | Permissions |",
            "| User | Enabled | Password | Commands | Keys |",
        ],
    ),
    ("resource utilisation", "Server", &["**Memory**", "**Clients**", "**CPU**", "**Lookups**"]),
    (
        "container and performance configuration",
        "Server configuration",
        &[
            "**Status**",
            "**Maximum clients**",
            "**Idle timeout**",
            "**TCP keep-alive**",
            "**Maximum memory**",
            "**Eviction policy**",
            "**Persistence**",
            "**Compression of snapshots**",
            "**Checksum of snapshots**",
        ],
    ),
    (
        "optimisations in effect, recommendations, next steps",
        "Audit of the server",
        &["CONFIG SET maxmemory", "**Rules that hold**", "| max-clients |"],
    ),
    (
        "optimisation potential, database selection",
        "Scaling and databases",
        &["**Memory**", "**Connections**", "| Service | Database now | Proposed |"],
    ),
    ("connection pooling, usage pattern", "Setup", &["| Pool |", "health check every", "GET 6"]),
];

fn analysis_of(run: Run) -> String {
    markdown::render(&View::of_server(&RunReport::new(run).unwrap(), &[]))
}

#[test]
fn the_analysis_has_every_section_and_table_of_the_report_that_it_replaces() {
    let document = analysis_of(sample::run());
    for (said, heading, parts) in ANALYSIS {
        let section = document.split("\n## ").find_map(|section| section.strip_prefix(heading));
        let section = section.unwrap_or_else(|| panic!("{heading} is missing ({said})"));
        for part in *parts {
            assert!(section.contains(part), "{part} is missing in {heading} ({said}):\n{section}");
        }
    }
    assert_snapshot!("analysis_markdown", document);
}

#[test]
fn an_analysis_of_little_claims_little() {
    let mut run = sample::run();
    (run.inspection, run.server) = Default::default();
    run.dependencies.clear();
    let document = analysis_of(run);
    for claim in ["Memory usage", "Default user", "CONFIG SET", "up for", "Eviction policy"] {
        assert!(!document.contains(claim), "{claim} was not measured:\n{document}");
    }
}

/// A window that hides a column hides what it means.
#[test]
fn a_legend_of_the_page_is_shown_with_its_columns() {
    let page = RunReport::new(sample::run()).unwrap().html();
    let heading = page.split("<th ").find(|heading| heading.contains(">Faster")).unwrap();
    let class = heading.split("class=\"").nth(1).unwrap().split('"').next().unwrap().split(' ').next_back().unwrap();
    assert!(class.starts_with("spare-") && page.contains(&format!("<span class=\"{class}\">Faster: ")), "{class}");
}
