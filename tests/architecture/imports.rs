//! Which file imports which, and the circles among them.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::Source;

/// Which file imports which, outside of tests.
pub(crate) struct Imports {
    /// For each file those that it names, each with the first line that does.
    arrows: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Imports {
    pub(crate) fn new(sources: Vec<Source>) -> Self {
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
    pub(crate) fn circles(&self) -> Vec<Vec<&str>> {
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
    pub(crate) fn within<'a>(
        &'a self,
        circle: &'a [&str],
        file: &'a str,
    ) -> impl Iterator<Item = (&'a str, usize, &'a str)> {
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
