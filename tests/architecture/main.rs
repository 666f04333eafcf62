//! Checks the source against the picture in `docs/architecture.md`: which room may look into which, which libraries
//! belong where, and the habits that no lint knows.

mod imports;
mod source;

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use imports::Imports;
use source::Source;

/// Rooms, each with the rooms below it that it may look into.
const ARROWS: &[(&str, &[&str])] = &[
    ("main.rs", &["cli"]),
    (
        "cli",
        &[
            "report",
            "analysis",
            "results",
            "metrics",
            "dependency",
            "load",
            "target",
            "server",
            "workload",
            "scenario",
            "operation",
            "measure",
        ],
    ),
    ("report", &["analysis", "results", "scenario", "operation", "measure"]),
    ("analysis", &["results", "scenario", "operation", "measure"]),
    ("metrics", &["load", "scenario", "measure"]),
    ("dependency", &["results", "scenario", "measure"]),
    ("load", &["target", "server", "workload", "scenario", "operation", "measure"]),
    ("target", &["server", "results", "workload", "scenario", "operation", "measure"]),
    ("server", &["results", "scenario", "operation", "measure"]),
    ("results", &["scenario", "operation", "measure"]),
    ("workload", &["scenario", "operation", "measure"]),
    ("scenario", &["operation"]),
    ("operation", &[]),
    ("measure", &[]),
];

/// Libraries, each with the folders of `src` that may use it.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("anyhow", &["cli"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("indicatif", &["cli"]),
    ("fred", &["target", "server"]),
    ("plotters", &["report/chart"]),
    ("notosans", &["report/chart"]),
    ("prometheus_client", &["metrics", "report/ci"]),
    ("hyper", &["metrics"]),
    ("hyper_util", &["metrics"]),
    ("quick_xml", &["report/ci"]),
    ("ureq", &["dependency"]),
    ("tokio_util", &["cli", "load"]),
    ("tokio", &["cli", "metrics", "load", "target", "server"]),
];

/// Rooms that compute and say nothing: no network, no clock, no other process.
const PURE: &[&str] = &["report", "analysis", "results", "workload", "scenario", "operation"];

/// Paths that pure rooms do without.
const IMPURE: &[&str] =
    &["std::net", "std::process", "std::thread::sleep", "std::time::Instant", "std::time::SystemTime"];

/// Macros that print; only the command line prints.
const PRINTING: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];

/// Names of modules that say nothing about their subject.
const EMPTY_NAMES: &[&str] = &["common", "helper", "helpers", "manager", "misc", "util", "utils"];

/// Lines after which a file has two subjects.
const LONGEST_FILE: usize = 450;

#[test]
fn rooms_look_only_into_rooms_below() {
    let mut faults = String::new();
    for file in sources() {
        for (line, room) in file.rooms() {
            let allowed = ARROWS.iter().find(|(from, _)| *from == file.room());
            if room != file.room() && !allowed.is_some_and(|(_, below)| below.contains(&room)) {
                let _ = writeln!(faults, "{}:{line}: {} may not look into {room}", file.name, file.room());
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn no_files_import_each_other() {
    let imports = Imports::new(sources());
    let mut faults = String::new();
    for circle in imports.circles() {
        let _ = writeln!(faults, "\nThese files import each other:");
        for (file, line, other) in circle.iter().flat_map(|file| imports.within(&circle, file)) {
            let _ = writeln!(faults, "{file}:{line}: {other}");
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn every_room_has_its_arrows() {
    let library = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let mut rooms: Vec<_> =
        library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let mut known: Vec<_> = ARROWS.iter().map(|(room, _)| *room).filter(|room| *room != "main.rs").collect();
    rooms.sort_unstable();
    known.sort_unstable();
    assert_eq!(rooms, known);
}

#[test]
fn libraries_stay_in_their_rooms() {
    let mut faults = String::new();
    for file in sources() {
        for path in &file.paths {
            let first = path.segments[0].as_str();
            let Some((_, homes)) = LIBRARIES.iter().find(|(library, _)| *library == first) else { continue };
            if !homes.iter().any(|home| file.name.starts_with(&format!("src/{home}/"))) {
                let _ = writeln!(faults, "{}:{}: {first} belongs in {homes:?}", file.name, path.line);
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn the_left_wing_is_pure() {
    let mut faults = String::new();
    for file in sources().into_iter().filter(|file| PURE.contains(&file.room())) {
        for path in &file.paths {
            let whole = path.segments.join("::");
            if let Some(impure) = IMPURE.iter().find(|impure| within(&whole, impure)) {
                let _ = writeln!(faults, "{}:{}: {impure} in a pure room", file.name, path.line);
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn only_the_command_line_prints_and_nobody_exits() {
    let mut faults = String::new();
    for file in sources() {
        for pair in file.tokens.windows(2) {
            let printing = PRINTING.contains(&pair[0].text.as_str()) && pair[1].text == "!";
            if printing && file.room() != "cli" {
                let _ = writeln!(faults, "{}:{}: {}! outside cli", file.name, pair[0].line, pair[0].text);
            }
        }
        for path in &file.paths {
            let whole = path.segments.join("::");
            if within(&whole, "std::process::exit") || within(&whole, "process::exit") {
                let _ = writeln!(faults, "{}:{}: the process ends in `main` only", file.name, path.line);
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn nothing_is_static_and_no_import_is_a_glob() {
    let mut faults = String::new();
    for file in sources() {
        // Samples and tests may keep what takes long to make; it never changes.
        let sample = file.name.contains("/sample/") || file.name.ends_with("tests.rs");
        for token in file.tokens.iter().filter(|token| token.text == "static" && !sample) {
            let _ = writeln!(faults, "{}:{}: static", file.name, token.line);
        }
        for path in file.paths.iter().filter(|path| path.segments.last().is_some_and(|last| last == "*")) {
            // Unit tests look at all of the module that they lie in.
            if path.segments != ["super", "*"] {
                let _ = writeln!(faults, "{}:{}: {}", file.name, path.line, path.segments.join("::"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn files_have_one_subject_and_say_which() {
    let mut faults = String::new();
    for file in sources() {
        let length = file.text.lines().count();
        if length > LONGEST_FILE {
            let _ = writeln!(faults, "{}: {length} lines, at most {LONGEST_FILE}", file.name);
        }
        if !file.text.starts_with("//! ") {
            let _ = writeln!(faults, "{}: does not say what it is about", file.name);
        }
        let stem = Path::new(&file.name).with_extension("");
        if stem.components().any(|part| EMPTY_NAMES.iter().any(|name| part.as_os_str() == *name)) {
            let _ = writeln!(faults, "{}: a name that says nothing", file.name);
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

fn within(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the crate.
fn sources() -> Vec<Source> {
    let mut folders = vec![root().join("src")];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                sources.push(Source::new(&name, &fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(sources.len() > 20, "only {} files found", sources.len());
    sources
}
