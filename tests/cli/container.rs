//! The image of deploy/container, made and run without a builder.
//!
//! Carried out as they are: the context by .dockerignore, the steps of the build stage but for `cargo build`, in a folder that stands for
//! its working folder; all steps of the run-time stage; and the program in its root folder, read-only, as its user, in namespaces of its
//! own. Not carried out: the base image, for which this machine stands, and `cargo build`, whose options are checked and whose program is
//! that of the tests.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use super::{Desk, Outcome, Server};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Mounts its folders on a root folder, makes that read-only, and executes a command in it. Its arguments: root folder, user, group,
/// working folder, number of mounts, each mount as two words, and the command.
const CONTAINER: &str = r#"
set -e
PATH=/usr/sbin:/usr/bin:/sbin:/bin
root=$1 user=$2 group=$3 folder=$4 mounts=$5
shift 5
mount --bind "$root" "$root"
mount --rbind /proc "$root/proc"
while [ "$mounts" -gt 0 ]; do
    mount --bind "$1" "$root$2"
    shift 2
    mounts=$((mounts - 1))
done
mount -o remount,bind,ro,nosuid,nodev "$root"
unshare=$(command -v unshare)
export PATH="$IMAGE_PATH"
unset IMAGE_PATH
exec "$unshare" --user --map-user="$user" --map-group="$group" --root="$root" --wd="$folder" -- "$@"
"#;

/// The run-time stage of the Containerfile.
pub(super) struct Image {
    /// Stands for the working folder of the build stage, and has the root folder of the image in it.
    folder: TempDir,
    variables: BTreeMap<String, String>,
    pub(super) user: u64,
    pub(super) group: u64,
    working_folder: String,
    entry: Vec<String>,
}

/// Instructions with their arguments, each in one line, by stage.
fn stages(text: &str) -> Vec<Vec<(String, String)>> {
    let text: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let mut stages: Vec<Vec<_>> = Vec::new();
    for line in text.join("\n").replace("\\\n", "").lines().filter(|line| !line.is_empty()) {
        let (instruction, arguments) = line.split_once(' ').unwrap();
        if instruction == "FROM" {
            stages.push(Vec::new());
        }
        let stage = stages.last_mut().expect("FROM is first");
        stage.push((instruction.to_owned(), arguments.trim().to_owned()));
    }
    stages
}

/// Executes a line in a folder, as the user of a builder would.
#[track_caller]
fn shell(folder: &Path, line: &str) {
    let output = Command::new("sh").args(["-ec", &format!("umask 022\n{line}")]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// Copies what .dockerignore leaves of the repository. Of git's folder, which is large, only the name is checked.
fn copy_context(to: &Path) {
    let rules = fs::read_to_string(Path::new(ROOT).join(".dockerignore")).unwrap();
    let mut rules = rules.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(rules.next(), Some("*"), "nothing but what is named");
    for rule in rules {
        let name = rule.strip_prefix('!').unwrap_or_else(|| panic!("what is the rule `{rule}`?"));
        let from = Path::new(ROOT).join(name);
        if name != ".git" {
            shell(to, &format!("cp -R '{}' .", from.display()));
        }
    }
}

/// Checks the options of `cargo build` and that it would accept the context, and puts the program of the tests where its own would be.
fn stand_in_for_build(options: &str, folder: &Path) {
    assert_eq!(options, "--release --locked", "as `cargo install` builds it");
    let arguments = ["metadata", "--locked", "--offline", "--format-version", "1"];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let own = packages.iter().find(|package| package["name"] == "plimsoll").unwrap();
    let is_program = |target: &Value| target["kind"][0] == "bin" && target["name"] == "plimsoll";
    assert!(own["targets"].as_array().unwrap().iter().any(is_program));
    fs::create_dir_all(folder.join("target/release")).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_plimsoll"), folder.join("target/release/plimsoll")).unwrap();
}

impl Image {
    pub(super) fn build() -> Self {
        let text = fs::read_to_string(Path::new(ROOT).join("deploy/container/Containerfile")).unwrap();
        let stages = stages(&text);
        let [build, run] = stages.as_slice() else { panic!("{} stages", stages.len()) };
        let folder = tempfile::tempdir().unwrap();
        for (instruction, arguments) in build {
            match (instruction.as_str(), arguments.as_str()) {
                ("FROM", "rust:1-bookworm AS build") | ("WORKDIR", "/src") => {}
                ("COPY", ". .") => copy_context(folder.path()),
                ("RUN", line) => match line.strip_prefix("cargo build ") {
                    Some(options) => stand_in_for_build(options, folder.path()),
                    None => shell(folder.path(), line),
                },
                unknown => panic!("not known to this test: {unknown:?}"),
            }
        }
        let root = folder.path().join("root");
        let (variables, working_folder, entry) = (BTreeMap::new(), "/".to_owned(), Vec::new());
        let mut image = Self { folder, variables, user: 0, group: 0, working_folder, entry };
        fs::create_dir(&root).unwrap();
        for (instruction, arguments) in run {
            match (instruction.as_str(), arguments.as_str()) {
                ("FROM", "scratch") => {}
                ("COPY", _) => {
                    let files = arguments.strip_prefix("--from=build /src/").unwrap();
                    let (from, to) = files.split_once(' ').unwrap();
                    shell(image.folder.path(), &format!("mkdir -p 'root{to}' && cp -R -p '{from}/.' 'root{to}'"));
                }
                ("ENV", _) => {
                    let (name, value) = arguments.split_once('=').unwrap();
                    image.variables.insert(name.to_owned(), value.to_owned());
                }
                ("USER", _) => {
                    let (user, group) = arguments.split_once(':').expect("numbers, which runAsNonRoot can check");
                    (image.user, image.group) = (user.parse().unwrap(), group.parse().unwrap());
                }
                ("WORKDIR", _) => {
                    image.working_folder.clone_from(arguments);
                    shell(image.folder.path(), &format!("mkdir -p 'root{arguments}'"));
                }
                ("ENTRYPOINT", _) => image.entry = serde_json::from_str(arguments).unwrap(),
                unknown => panic!("not known to this test: {unknown:?}"),
            }
        }
        image
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// A command in a container of the image that has these folders and files of the host at these places.
    pub(super) fn command(&self, words: &[&str], mounts: &[(&Path, &str)]) -> Command {
        let hosts = (Path::new("/etc/hosts"), "/etc/hosts");
        let mounts: Vec<_> = mounts.iter().copied().chain([hosts]).collect();
        // As container engines do.
        shell(&self.root(), "mkdir -p proc");
        for (from, to) in &mounts {
            let make = if from.is_dir() { "mkdir -p" } else { "touch" };
            shell(&self.root(), &format!("{make} '.{to}'"));
        }
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", CONTAINER, "sh"]).arg(self.root());
        command.args([self.user, self.group].map(|number| number.to_string())).arg(&self.working_folder);
        command.arg(mounts.len().to_string());
        for (from, to) in mounts {
            command.arg(from).arg(to);
        }
        // Without PATH, which is that of the image, the programs of the host are found at their usual places.
        let variables =
            self.variables.iter().map(|(name, value)| (if name == "PATH" { "IMAGE_PATH" } else { name }, value));
        command.args(words).env_clear().envs(variables);
        command
    }

    /// What `docker run` starts.
    fn run(&self, arguments: &[&str], mounts: &[(&Path, &str)]) -> Outcome {
        let entry: Vec<_> = self.entry.iter().map(String::as_str).chain(arguments.iter().copied()).collect();
        Outcome::of(self.command(&entry, mounts).output().unwrap())
    }
}

#[test]
fn the_image_runs_a_load_as_its_user_and_writes_to_mounts_only() {
    let image = Image::build();
    // In the namespace of the test the user of the image is the owner of its files, which it is not in a container.
    for entry in fs::read_dir(image.root().join("usr/local/bin")).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
    }
    let (desk, server) = (Desk::new(), Server::start());
    let url = server.url().replace("127.0.0.1", "localhost");
    let arguments = ["run", "short.toml", "--target", &url, "--quiet", "--out"];
    let at_work = (desk.path("."), image.working_folder.as_str());
    let mounts = [(at_work.0.as_path(), at_work.1)];
    image.run(&[&arguments[..], &["results/whole"]].concat(), &mounts).measured();
    assert!(desk.path("results/whole/run.json").is_file());
    image.run(&[&arguments[..], &["/whole"]].concat(), &mounts).ends_with(2).complains("Read-only file system");
    // Its CA certificates are found: the fault is that of the server.
    let url = url.replace("redis://", "rediss://");
    image.run(&["run", "short.toml", "--target", &url], &mounts).complains("the server does not use TLS");
}
