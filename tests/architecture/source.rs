//! The source of the crate, read just well enough to see its paths.

use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// One file, read just well enough to see its paths.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) tokens: Vec<Token>,
    pub(crate) paths: Vec<Named>,
}

/// A word or a sign; comments, strings and lifetimes are left out.
pub(crate) struct Token {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// A path of two segments or more, or an import, `super` and `self` resolved.
pub(crate) struct Named {
    pub(crate) line: usize,
    pub(crate) segments: Vec<String>,
    /// The name under which an import makes it known.
    import: Option<String>,
}

impl Source {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let stream = text.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        let mut source = Self { name: name.to_owned(), text: text.to_owned(), tokens, paths: Vec::new() };
        source.paths = source.paths();
        source
    }

    /// The room that the file belongs to; the name of the file for those that belong to none.
    pub(crate) fn room(&self) -> &str {
        self.name.trim_start_matches("src/").split('/').next().unwrap()
    }

    /// The path of the module that the file is.
    pub(crate) fn module(&self) -> Vec<String> {
        let inside = Path::new(self.name.strip_prefix("src/").unwrap()).with_extension("");
        let parts = inside.iter().map(|part| part.to_str().unwrap().to_owned());
        let mut module: Vec<String> = std::iter::once("crate".to_owned()).chain(parts).collect();
        module.pop_if(|last| matches!(last.as_str(), "mod" | "lib" | "main"));
        module
    }

    /// Modules with files of their own that exist in tests only.
    pub(crate) fn test_modules(&self) -> Vec<Vec<String>> {
        let behind = self.text.split("#[cfg(test)]\n").skip(1);
        let names = behind.filter_map(|rest| rest.lines().next()?.split_once("mod ")?.1.strip_suffix(';'));
        names.map(|name| [self.module(), vec![name.to_owned()]].concat()).collect()
    }

    /// The file up to its unit tests.
    pub(crate) fn without_tests(self) -> Self {
        let end = self.text.find("#[cfg(test)]\nmod tests {").unwrap_or(self.text.len());
        Self::new(&self.name, &self.text[..end])
    }

    /// The path by which the file imports a name.
    pub(crate) fn imported(&self, name: &str) -> Option<Vec<String>> {
        self.paths.iter().find(|path| path.import.as_deref() == Some(name)).map(|path| path.segments.clone())
    }

    /// Rooms that it names, with the line.
    pub(crate) fn rooms(&self) -> Vec<(usize, &str)> {
        let of_crate = self.paths.iter().filter(|path| matches!(path.segments[0].as_str(), "crate" | "plimsoll"));
        let rooms = of_crate.filter_map(|path| Some((path.line, path.segments.get(1)?.as_str())));
        rooms.filter(|(_, room)| room.starts_with(|first: char| first.is_lowercase())).collect()
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

/// Lists names, `::`, braces and some other signs; literals and lifetimes are left out.
fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    let mut stream = stream.into_iter().peekable();
    while let Some(tree) = stream.next() {
        let line = tree.span().start().line;
        let mut add = |text: &str| tokens.push(Token { line, text: text.to_owned() });
        match tree {
            TokenTree::Ident(name) => add(&name.to_string()),
            TokenTree::Group(group) => {
                let in_braces = group.delimiter() == Delimiter::Brace;
                if in_braces {
                    add("{");
                }
                flatten(group.stream(), tokens);
                if in_braces {
                    tokens.push(Token { line: group.span_close().start().line, text: "}".to_owned() });
                }
            }
            // A lifetime: its name is no word of interest.
            TokenTree::Punct(sign) if sign.as_char() == '\'' => _ = stream.next(),
            TokenTree::Punct(sign) if sign.as_char() == ':' => {
                if stream.next_if(|next| matches!(next, TokenTree::Punct(sign) if sign.as_char() == ':')).is_some() {
                    add("::");
                }
            }
            TokenTree::Punct(sign) if ",;.!*<>".contains(sign.as_char()) => add(&sign.to_string()),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
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
    assert_eq!(file.rooms(), [(1, "analysis"), (1, "analysis"), (1, "load"), (2, "report"), (4, "cli")]);
    assert!(file.tokens.iter().all(|token| token.text != "static" && token.text != "server"));
}
