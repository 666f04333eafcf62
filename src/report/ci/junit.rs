//! `JUnit` XML: a test suite for each scenario, a test case for each check.
//!
//! What is not as it should be is a failure, what could not be measured an error, what could not be decided is skipped. A check
//! that does not count never fails a build: it passes, or is skipped, with its message in its output.

use std::io;

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use super::words::{one_line, subject};
use crate::results::{Ci, CiCheck, CiScenario, InCheck, Verdict};

type Xml = Writer<Vec<u8>>;

pub(super) fn render(ci: &Ci) -> String {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    document(&mut xml, ci).expect("memory takes every write");
    xml.get_mut().push(b'\n');
    String::from_utf8(xml.into_inner()).expect("it is made of text")
}

/// What becomes of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Passed,
    Failure,
    Error,
    Skipped,
}

impl Case {
    fn of(check: &CiCheck) -> Self {
        match (check.outcome, check.decides) {
            (Verdict::Pass, _) | (Verdict::Fail, false) => Self::Passed,
            (Verdict::Fail, true) => Self::Failure,
            (Verdict::Invalid, true) => Self::Error,
            _ => Self::Skipped,
        }
    }
}

fn document(xml: &mut Xml, ci: &Ci) -> io::Result<()> {
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let checks = || ci.scenarios.iter().flat_map(|scenario| &scenario.checks);
    let seconds: f64 = ci.scenarios.iter().map(|scenario| scenario.seconds).sum();
    let [tests, failures, errors, _] = counts(checks());
    xml.create_element("testsuites")
        .with_attributes([
            ("name", "plimsoll"),
            ("tests", tests.as_str()),
            ("failures", &failures),
            ("errors", &errors),
            ("time", &time(seconds)),
        ])
        .write_inner_content(|xml| ci.scenarios.iter().try_for_each(|scenario| suite(xml, ci, scenario)))?;
    Ok(())
}

fn suite(xml: &mut Xml, ci: &Ci, scenario: &CiScenario) -> io::Result<()> {
    let [tests, failures, errors, skipped] = counts(scenario.checks.iter());
    xml.create_element("testsuite")
        .with_attributes([
            ("name", one_line(&scenario.name).as_str()),
            ("tests", &tests),
            ("failures", &failures),
            ("errors", &errors),
            ("skipped", &skipped),
            ("time", &time(scenario.seconds)),
            // The form that Jenkins reads has no zone.
            ("timestamp", ci.started.trim_end_matches('Z')),
        ])
        .write_inner_content(|xml| {
            scenario.checks.iter().enumerate().try_for_each(|(place, check)| {
                // The time is that of the run, which is reported with its first check.
                let seconds = if place == 0 { scenario.seconds } else { 0.0 };
                case(xml, scenario, check, seconds)
            })
        })?;
    Ok(())
}

fn case(xml: &mut Xml, scenario: &CiScenario, check: &CiCheck, seconds: f64) -> io::Result<()> {
    let lines = [&check.sentence].into_iter().chain(&check.detail).map(|line| one_line(line));
    let text = lines.collect::<Vec<_>>().join("\n");
    let class = format!("plimsoll.{}", scenario.name.replace('.', "_"));
    let element = xml.create_element("testcase").with_attributes([
        ("classname", one_line(&class).as_str()),
        ("name", &one_line(&subject(check))),
        ("time", &time(seconds)),
    ]);
    element.write_inner_content(|xml| {
        let name = match Case::of(check) {
            Case::Passed => {
                xml.create_element("system-out").write_text_content(BytesText::new(&text))?;
                return Ok(());
            }
            Case::Failure => "failure",
            Case::Error => "error",
            Case::Skipped => "skipped",
        };
        xml.create_element(name)
            .with_attributes([("type", InCheck::word(check.outcome)), ("message", &one_line(&check.sentence))])
            .write_text_content(BytesText::new(&text))?;
        Ok(())
    })?;
    Ok(())
}

/// Tests, failures, errors and skipped ones.
fn counts<'a>(checks: impl Iterator<Item = &'a CiCheck>) -> [String; 4] {
    let cases: Vec<_> = checks.map(Case::of).collect();
    let count = |of| cases.iter().filter(|case| **case == of).count();
    [cases.len(), count(Case::Failure), count(Case::Error), count(Case::Skipped)].map(|count| count.to_string())
}

fn time(seconds: f64) -> String {
    format!("{seconds:.3}")
}
