//! Holds the source against the picture in `docs/architecture.md`: which room may look into which, which libraries
//! belong where, and the habits that no lint knows.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

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

/// Rooms in which files still import each other.
const CIRCLES: &[&str] = &["analysis"];

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
            if room != file.room() && !allowed.is_some_and(|(_, below)| below.contains(&room.as_str())) {
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
    let circles = imports.circles();
    for circle in circles.iter().filter(|circle| !CIRCLES.contains(&room(circle[0]))) {
        let _ = writeln!(faults, "\nThese files import each other:");
        for (file, line, other) in circle.iter().flat_map(|file| imports.within(circle, file)) {
            let _ = writeln!(faults, "{file}:{line}: {other}");
        }
    }
    assert!(faults.is_empty(), "{faults}");
    let rooms: BTreeSet<_> = circles.iter().map(|circle| room(circle[0])).collect();
    assert_eq!(CIRCLES, Vec::from_iter(rooms), "a room without circles is no exception any more");
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

#[test]
fn names_lead_to_the_file_that_declares_them() {
    let imports = Imports::new(vec![
        Source::new("src/a/mod.rs", "mod b;\nmod c;\n#[cfg(test)]\nmod d;\npub use b::{E as F, g};\nstruct H;"),
        Source::new("src/a/b.rs", "use super::c::i;\n#[cfg(test)]\nmod tests { use super::super::H; }"),
        Source::new("src/a/c.rs", "use super::{F, H};\nfn j() { crate::a::g(); }"),
        Source::new("src/a/d.rs", "use super::b::E;"),
        Source::new("src/k.rs", "use crate::a::{c::i, F};"),
    ]);
    let arrows = imports.arrows.iter().map(|(from, to)| (from.as_str(), to.keys().map(String::as_str).collect()));
    let expected: [(&str, Vec<&str>); 4] = [
        ("src/a/b.rs", vec!["src/a/c.rs"]),
        ("src/a/c.rs", vec!["src/a/b.rs", "src/a/mod.rs"]),
        ("src/a/mod.rs", vec!["src/a/b.rs"]),
        ("src/k.rs", vec!["src/a/b.rs", "src/a/c.rs"]),
    ];
    assert_eq!(arrows.collect::<Vec<_>>(), expected);
    assert_eq!(imports.circles(), [["src/a/b.rs", "src/a/c.rs", "src/a/mod.rs"]]);
}

#[test]
fn the_reader_of_paths_reads_them() {
    let file = Source::new(
        "src/report/csv/rows.rs",
        "use crate::{analysis::{Row, Scope}, load};\nuse super::super::view;\n// crate::target\n\
         mod tests { use super::super::super::super::cli::*; const A: &'static str = \"crate::server\"; }\n\
         fn f() { ::fred::g(); x.tokio(); a::tokio::b(); let c = '\\''; tokio::spawn(1 * 2); }\n\
         fn g<'a>() -> impl Sized + use<'a> { }\n",
    );
    let paths: Vec<_> = file.paths.iter().map(|path| (path.line, path.segments.join("::"))).collect();
    let expected = [
        (1, "crate::analysis::Row"),
        (1, "crate::analysis::Scope"),
        (1, "crate::load"),
        (2, "crate::report::view"),
        (4, "crate::cli::*"),
        (5, "fred::g"),
        (5, "a::tokio::b"),
        (5, "tokio::spawn"),
    ];
    assert_eq!(paths, expected.map(|(line, path)| (line, path.to_owned())));
    assert_eq!(file.rooms(), [(1, "analysis"), (1, "analysis"), (1, "load"), (2, "report"), (4, "cli")].map(own));
    assert!(file.tokens.iter().all(|token| token.text != "static" && token.text != "server"));
}

fn own((line, room): (usize, &str)) -> (usize, String) {
    (line, room.to_owned())
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

/// The room of a file; the name of the file for those that belong to none.
fn room(file: &str) -> &str {
    file.trim_start_matches("src/").split('/').next().unwrap()
}

/// Which file imports which, outside of tests.
struct Imports {
    /// For each file those that it names, each with the first line that does.
    arrows: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Imports {
    fn new(sources: Vec<Source>) -> Self {
        let tests: Vec<_> = sources.iter().flat_map(Source::test_modules).collect();
        let is_test = |source: &Source| tests.iter().any(|test| source.module().starts_with(test));
        let sources: Vec<_> =
            sources.into_iter().filter(|source| !is_test(source)).map(Source::without_tests).collect();
        let files: BTreeMap<_, _> = sources.iter().map(|source| (source.module(), source)).collect();
        let arrows = sources.iter().map(|source| {
            let mut named = BTreeMap::new();
            for path in &source.paths {
                if let Some(file) = declares(&files, source, &path.segments).filter(|file| *file != source.name) {
                    named.entry(file.to_owned()).or_insert(path.line);
                }
            }
            (source.name.clone(), named)
        });
        Self { arrows: arrows.collect() }
    }

    /// Files that import each other, over however many others.
    fn circles(&self) -> Vec<Vec<&str>> {
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            self.arrows.keys().map(|file| (file.as_str(), self.reached_from(file))).collect();
        let with = |file: &str| -> Vec<&str> {
            reached[file].iter().copied().filter(|other| reached[other].contains(file)).collect()
        };
        let circles: BTreeSet<_> = reached.keys().map(|file| with(file)).filter(|circle| !circle.is_empty()).collect();
        circles.into_iter().collect()
    }

    fn reached_from<'a>(&'a self, file: &'a str) -> BTreeSet<&'a str> {
        let (mut reached, mut open) = (BTreeSet::new(), vec![file]);
        while let Some(file) = open.pop() {
            open.extend(self.arrows[file].keys().map(String::as_str).filter(|next| reached.insert(*next)));
        }
        reached
    }

    /// What a file names of a circle.
    fn within<'a>(&'a self, circle: &'a [&str], file: &'a str) -> impl Iterator<Item = (&'a str, usize, &'a str)> {
        let named = self.arrows[file].iter().filter(|(other, _)| circle.contains(&other.as_str()));
        named.map(move |(other, line)| (file, *line, other.as_str()))
    }
}

/// The file that declares what a path in a file names; names that a file only passes on are followed.
fn declares<'a>(files: &BTreeMap<Vec<String>, &'a Source>, source: &Source, path: &[String]) -> Option<&'a str> {
    let path = if path[0] == "crate" { path.to_vec() } else { [&source.module(), path].concat() };
    let length = (1..=path.len()).rev().find(|length| files.contains_key(&path[..*length]))?;
    let (module, rest) = path.split_at(length);
    if module.len() == source.module().len() && module == source.module() {
        // A name of the file itself, or of a library.
        return None;
    }
    let file = files[module];
    let passed_on = rest.first().and_then(|name| file.imported(name));
    passed_on.and_then(|path| declares(files, file, &path)).or(Some(&file.name))
}

/// One file, read just well enough to see its paths.
struct Source {
    name: String,
    text: String,
    tokens: Vec<Token>,
    paths: Vec<Named>,
}

/// A word or a sign; comments, strings and lifetimes are left out.
struct Token {
    line: usize,
    text: String,
}

/// A path of two segments or more, or an import, `super` and `self` resolved.
struct Named {
    line: usize,
    segments: Vec<String>,
    /// The name under which an import makes it known.
    import: Option<String>,
}

impl Source {
    fn new(name: &str, text: &str) -> Self {
        let mut source = Self { name: name.to_owned(), text: text.to_owned(), tokens: tokens(text), paths: Vec::new() };
        source.paths = source.paths();
        source
    }

    /// The room that the file belongs to; the name of the file for those that belong to none.
    fn room(&self) -> &str {
        room(&self.name)
    }

    /// The path of the module that the file is.
    fn module(&self) -> Vec<String> {
        let inside = Path::new(self.name.strip_prefix("src/").unwrap()).with_extension("");
        let parts = inside.iter().map(|part| part.to_str().unwrap().to_owned());
        let mut module: Vec<String> = std::iter::once("crate".to_owned()).chain(parts).collect();
        module.pop_if(|last| matches!(last.as_str(), "mod" | "lib" | "main"));
        module
    }

    /// Modules with files of their own that exist in tests only.
    fn test_modules(&self) -> Vec<Vec<String>> {
        let behind = self.text.split("#[cfg(test)]\n").skip(1);
        let names = behind.filter_map(|rest| rest.lines().next()?.split_once("mod ")?.1.strip_suffix(';'));
        names.map(|name| [self.module(), vec![name.to_owned()]].concat()).collect()
    }

    /// The file up to its unit tests.
    fn without_tests(self) -> Self {
        let end = self.text.find("#[cfg(test)]\nmod tests {").unwrap_or(self.text.len());
        Self::new(&self.name, &self.text[..end])
    }

    /// The path by which the file imports a name.
    fn imported(&self, name: &str) -> Option<Vec<String>> {
        self.paths.iter().find(|path| path.import.as_deref() == Some(name)).map(|path| path.segments.clone())
    }

    /// Rooms that it names, with the line.
    fn rooms(&self) -> Vec<(usize, String)> {
        let of_crate = self.paths.iter().filter(|path| matches!(path.segments[0].as_str(), "crate" | "plimsoll"));
        let rooms = of_crate.filter_map(|path| Some((path.line, path.segments.get(1)?.clone())));
        rooms.filter(|(_, room)| ARROWS.iter().any(|(known, _)| known == room)).collect()
    }

    fn paths(&self) -> Vec<Named> {
        let mut module = self.module();
        let mut paths = Vec::new();
        // Depth of braces, and at which depths modules were opened.
        let (mut depth, mut opened) = (0, Vec::new());
        let mut at = 0;
        while at < self.tokens.len() {
            let known = paths.len();
            match self.word(at) {
                "{" => {
                    depth += 1;
                    if at >= 2 && self.word(at - 2) == "mod" {
                        module.push(self.word(at - 1).to_owned());
                        opened.push(depth);
                    }
                    at += 1;
                }
                "}" => {
                    if opened.pop_if(|open| *open == depth).is_some() {
                        module.pop();
                    }
                    depth -= 1;
                    at += 1;
                }
                // Behind a type, `use<'a>` says what it captures.
                "use" if self.word(at + 1) != "<" => at = self.import(at + 1, &[], &mut paths),
                word if is_name(word) && self.word(at + 1) == "::" && !self.follows_a_path_or_a_dot(at) => {
                    let first = at;
                    while self.word(at + 1) == "::" && is_name(self.word(at + 2)) {
                        at += 2;
                    }
                    let segments = self.tokens[first..=at].iter().step_by(2).map(|token| token.text.clone()).collect();
                    paths.push(Named { line: self.tokens[first].line, segments, import: None });
                    at += 1;
                }
                _ => at += 1,
            }
            for path in &mut paths[known..] {
                resolve(path, &module);
            }
        }
        paths.retain(|path| path.segments.len() > 1);
        paths
    }

    fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text.as_str())
    }

    fn follows_a_path_or_a_dot(&self, at: usize) -> bool {
        let before = |back: usize| at.checked_sub(back).map_or("", |at| self.word(at));
        // `pub(in crate::a)` imports nothing.
        before(1) == "."
            || before(2) == "pub" && before(1) == "in"
            || before(1) == "::" && (is_name(before(2)) || before(2) == ">")
    }

    /// Reads one branch of the tree behind `use`; returns where it ends.
    fn import(&self, mut at: usize, prefix: &[String], paths: &mut Vec<Named>) -> usize {
        let line = self.tokens[at].line;
        let mut segments = prefix.to_vec();
        let mut renamed = None;
        loop {
            match self.word(at) {
                "{" => {
                    at += 1;
                    while self.word(at) != "}" {
                        at = self.import(at, &segments, paths);
                        at += usize::from(self.word(at) == ",");
                    }
                    return at + 1;
                }
                "::" => at += 1,
                "as" => {
                    renamed = Some(self.word(at + 1).to_owned());
                    at += 2;
                }
                word if is_name(word) || word == "*" => {
                    segments.push(word.to_owned());
                    at += 1;
                }
                _ => break,
            }
        }
        // `a::{self}` is `a`.
        segments.pop_if(|last| last == "self" && !prefix.is_empty());
        let import = renamed.or_else(|| segments.last().cloned());
        paths.push(Named { line, segments, import });
        at
    }
}

/// Turns `super` and `self` into the path from the crate. `super::*` stays: it is no glob across modules.
fn resolve(path: &mut Named, module: &[String]) {
    if path.segments == ["super", "*"] {
        return;
    }
    let up = path.segments.iter().take_while(|segment| *segment == "super").count();
    let own = usize::from(up == 0 && path.segments[0] == "self");
    if up + own > 0 {
        let kept = module.len().saturating_sub(up).max(1);
        let rest = path.segments.split_off(up + own);
        path.segments = [&module[..kept], &rest].concat();
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

fn tokens(text: &str) -> Vec<Token> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < letters.len() {
        let start = at;
        let rest = &letters[at..];
        let next = rest.get(1).copied().unwrap_or(' ');
        match rest[0] {
            '/' if next == '/' => at += rest.iter().position(|letter| *letter == '\n').unwrap_or(rest.len()),
            '/' if next == '*' => at += 2 + rest.windows(2).position(|pair| pair == ['*', '/']).unwrap_or(rest.len()),
            '"' => at += quoted(rest, '"'),
            'r' | 'b' if raw_string(rest).is_some() => at += raw_string(rest).unwrap_or(1),
            '\'' if next == '\\' || rest.get(2) == Some(&'\'') => at += quoted(rest, '\''),
            // A lifetime: its name is no word of interest.
            '\'' => at += 1 + word_length(&rest[1..]),
            ':' if next == ':' => at += 2,
            letter if letter.is_alphanumeric() || letter == '_' => at += word_length(rest),
            _ => at += 1,
        }
        let token: String = letters[start..at.min(letters.len())].iter().collect();
        if is_name(&token) && !token.contains('"') || token == "::" || "{},;.!*<>".contains(&token) {
            tokens.push(Token { line, text: token.clone() });
        }
        line += token.matches('\n').count();
    }
    tokens
}

fn word_length(letters: &[char]) -> usize {
    letters.iter().take_while(|letter| letter.is_alphanumeric() || **letter == '_').count().max(1)
}

/// Length of a quoted literal, quotes included.
fn quoted(letters: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < letters.len() && letters[at] != quote {
        at += if letters[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// Length of `r"..."`, `r#"..."#`, `b"..."` and the like.
fn raw_string(letters: &[char]) -> Option<usize> {
    let prefix = letters.iter().take_while(|letter| "rb".contains(**letter)).count();
    let hashes = letters[prefix..].iter().take_while(|letter| **letter == '#').count();
    let open = prefix + hashes;
    if prefix > 2 || letters.get(open) != Some(&'"') {
        return None;
    }
    if !letters[..prefix].contains(&'r') {
        return (hashes == 0).then(|| open + quoted(&letters[open..], '"'));
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let found = letters[open + 1..].windows(end.len()).position(|window| window == end)?;
    Some(open + 1 + found + end.len())
}
