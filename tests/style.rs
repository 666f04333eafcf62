//! The words of docs/style.md, checked in doc comments, string literals, and the documents for users.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Words and phrases that docs/style.md replaces.
const BANNED: [&str; 26] = [
    "a person",
    "amiss",
    "anybody",
    "be believed",
    "boils",
    "dear",
    "dearer",
    "dearest",
    "everybody",
    "held against",
    "hold against",
    "holds against",
    "hung up",
    "keep up",
    "kept up",
    "so many",
    "so much",
    "somebody",
    "tell",
    "telling",
    "tells",
    "the way there",
    "told",
    "used up",
    "what became of",
    "whoever",
];

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
}

/// The part of a line of Rust that a user or a reader of the documentation sees: a doc comment, or string literals.
fn prose(line: &str) -> String {
    let trimmed = line.trim_start();
    if trimmed.starts_with("///") || trimmed.starts_with("//!") {
        return trimmed.to_owned();
    }
    let literals: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
    // Names of variables in braces are no prose.
    literals.join(" | ").split('{').map(|part| part.split_once('}').map_or(part, |(_, text)| text)).collect()
}

/// The words of a text, each surrounded by one space.
fn words(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '_').filter(|word| !word.is_empty());
    format!(" {} ", words.collect::<Vec<_>>().join(" ").to_lowercase())
}

fn violations(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut sources = Vec::new();
    files(&root.join("src"), "rs", &mut sources);
    let mut documents = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root.join(name)).to_vec();
    files(&root.join("docs"), "md", &mut documents);
    // These two list the words and the outputs of earlier builds.
    documents.retain(|path| !path.ends_with("docs/style.md") && !path.starts_with(root.join("docs/examples")));
    for path in sources.iter().chain(&documents) {
        let rust = path.extension().is_some_and(|extension| extension == "rs");
        for (number, line) in fs::read_to_string(path).unwrap().lines().enumerate() {
            // The name of a field of earlier versions of result files.
            let line = line.replace("\"dearest\"", "");
            let text = words(&if rust { prose(&line) } else { line });
            for banned in BANNED.iter().filter(|banned| text.contains(&format!(" {banned} "))) {
                let path = path.strip_prefix(root).unwrap().display();
                found.push(format!("{path}:{}: \"{banned}\": see docs/style.md", number + 1));
            }
        }
    }
    found
}

#[test]
fn banned_words_are_found_in_prose_only() {
    assert_eq!(words(&prose("/// Whatever it is told.")), " whatever it is told ");
    assert_eq!(words(&prose(r#"let told = format!("so {told} many", "much");"#)), " so many much ");
    assert_eq!(words(&prose("let told = 1; // told")), "  ");
}

#[test]
fn prose_keeps_to_the_words_of_the_style_guide() {
    let found = violations(Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(found.is_empty(), "{} violations:\n{}", found.len(), found.join("\n"));
}
