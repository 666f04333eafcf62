//! Tells the program what it was built from: the git commit, where there is one, and the version of fred.
//!
//! Works from a tarball without git: the commit is then unknown.

use std::{env, fs, path::Path, process::Command};

fn main() {
    for input in ["build.rs", "Cargo.toml", "Cargo.lock", "src"] {
        println!("cargo::rerun-if-changed={input}");
    }
    println!("cargo::rustc-env=PLIMSOLL_COMMIT={}", commit().unwrap_or_default());
    println!("cargo::rustc-env=PLIMSOLL_FRED={}", fred());
    println!("cargo::rustc-env=PLIMSOLL_PROFILE={}", profile().unwrap_or_default());
}

/// The name of the build profile. `PROFILE` is `release` for every optimised one; the folder of the build has the name.
fn profile() -> Option<String> {
    let place = env::var_os("OUT_DIR")?;
    let builds = Path::new(&place).ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "build"));
    let name = builds.and_then(|builds| Some(builds.parent()?.file_name()?.to_str()?.to_owned()));
    name.or_else(|| env::var("PROFILE").ok())
}

/// The commit, with `-dirty` behind it where sources differ from it.
fn commit() -> Option<String> {
    let root = fs::canonicalize(env::var_os("CARGO_MANIFEST_DIR")?).ok()?;
    // An unpacked tarball may lie inside somebody else's repository.
    if fs::canonicalize(git(&["rev-parse", "--show-toplevel"])?).ok()? != root {
        return None;
    }
    for name in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", name])?;
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changes = git(&["status", "--porcelain", "--", "build.rs", "Cargo.toml", "Cargo.lock", "src"])?;
    Some(if changes.is_empty() { commit } else { format!("{commit}-dirty") })
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The version in the lock file, which is what is linked.
fn fred() -> String {
    let lock = fs::read_to_string("Cargo.lock").unwrap_or_default();
    let mut lines = lock.lines().skip_while(|line| *line != "name = \"fred\"");
    let version = lines.nth(1).and_then(|line| line.strip_prefix("version = "));
    version.unwrap_or("unknown").trim_matches('"').to_owned()
}
