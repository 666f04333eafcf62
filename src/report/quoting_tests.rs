//! No text of a server or a scenario becomes more than text in an output.

use std::cell::RefCell;

use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

use super::{Document, RunReport, Style, csv, html, markdown, terminal, view::View};
use crate::{analysis::Finding, results::sample};

/// Text that tries to be something else.
fn hostile() -> impl Strategy<Value = String> {
    (any::<String>(), "[<>&\"'|`*_,;\r\n\u{1b}\\[\\]()]{0,12}", any::<String>())
        .prop_map(|(before, middle, after)| format!("{before}{middle}<script>alert(1)</script>{after}"))
}

/// The sample run, whose failures all say `message`.
struct Quoting(RunReport);

impl Quoting {
    fn new() -> Self {
        let mut report = RunReport::new(sample::run()).unwrap();
        report.analysis.findings = vec![Finding::Failures {
            scope: report.analysis.rows[0].scope.clone(),
            operations: 1,
            class: "other".to_owned(),
            count: 1,
            message: String::new(),
            event: None,
        }];
        Self(report)
    }

    fn says(&mut self, text: &str) {
        let of_series = self.0.run.recording.series.iter_mut().flat_map(|series| series.messages.values_mut());
        let of_findings = self.0.analysis.findings.iter_mut().filter_map(|finding| match finding {
            Finding::Failures { message, .. } => Some(message),
            _ => None,
        });
        for message in of_series.chain(of_findings) {
            text.clone_into(message);
        }
    }

    fn view(&mut self, text: &str) -> View {
        self.says(text);
        self.0.view(&[])
    }
}

#[test]
fn no_text_becomes_markup() {
    let quoting = RefCell::new(Quoting::new());
    let harmless = html::render(&quoting.borrow_mut().view("harmless")).matches('<').count();
    proptest!(|(text in hostile())| {
        prop_assert_eq!(html::render(&quoting.borrow_mut().view(&text)).matches('<').count(), harmless);
    });
}

#[test]
fn no_text_steers_the_terminal() {
    let quoting = RefCell::new(Quoting::new());
    proptest!(|(text in hostile())| {
        let page = terminal::render(&quoting.borrow_mut().view(&text), Style { colour: false, width: 80, verbose: true });
        prop_assert!(page.chars().all(|letter| letter == '\n' || !letter.is_control()));
    });
}

#[test]
fn no_text_leaves_its_line_of_markdown() {
    let quoting = RefCell::new(Quoting::new());
    let shape = |text: &str| {
        let document = markdown::render(&quoting.borrow_mut().view(text));
        (document.lines().count(), document.matches('<').count())
    };
    let harmless = shape("harmless");
    proptest!(|(text in hostile())| {
        prop_assert_eq!(shape(&text), harmless);
    });
}

#[test]
fn every_text_survives_a_table() {
    let quoting = RefCell::new(Quoting::new());
    proptest!(|(text in hostile())| {
        quoting.borrow_mut().says(&text);
        let table = csv::errors(&quoting.borrow().0.run);
        let records: Vec<_> = ::csv::Reader::from_reader(table.as_slice()).records().map(Result::unwrap).collect();
        prop_assert!(!records.is_empty());
        prop_assert!(records.iter().all(|record| record[5] == *text));
    });
}
