//! `deploy/install-deps.sh` on a machine that has nothing: what it asks the package manager for, and what it says is missing.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Output},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Package managers, and what each has to be asked for: for `make run`, and for `make test` besides.
const PACKAGES: [(&str, &[&str], &[&str]); 5] = [
    (
        "apt-get",
        &["gcc libc6-dev", "redis-server"],
        &[
            "chromium",
            "prometheus",
            "libxml2-utils",
            "python3 python3-venv",
            "redis-redisearch",
            "slurmctld",
            "slurmd",
            "slurm-client",
            "openmpi-bin",
            "faketime",
            "util-linux",
            "iproute2",
            "hostname",
        ],
    ),
    (
        "dnf",
        &["gcc", "valkey"],
        &[
            "chromium",
            "golang-github-prometheus",
            "libxml2",
            "python3",
            "slurm-slurmctld",
            "slurm-slurmd",
            "slurm",
            "openmpi",
            "libfaketime",
            "util-linux",
            "iproute",
            "iproute-tc",
            "hostname",
        ],
    ),
    (
        "apk",
        &["gcc musl-dev", "redis"],
        &[
            "chromium",
            "prometheus",
            "libxml2-utils",
            "python3 py3-pip",
            "openmpi",
            "libfaketime",
            "util-linux",
            "iproute2",
            "hostname",
        ],
    ),
    (
        "pacman",
        &["gcc", "valkey"],
        &[
            "chromium",
            "prometheus",
            "libxml2",
            "python",
            "openmpi",
            "libfaketime",
            "util-linux",
            "iproute2",
            "inetutils",
        ],
    ),
    // The linker is Apple's there.
    ("brew", &["redis"], &["--cask chromium", "prometheus", "libxml2", "python3", "open-mpi", "libfaketime"]),
];

/// A machine with a shell, cargo without its components, and rustup.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        let deploy = machine.folder.path().join("deploy");
        fs::create_dir_all(machine.programs()).unwrap();
        fs::create_dir(&deploy).unwrap();
        fs::copy(Path::new(ROOT).join("deploy/install-deps.sh"), deploy.join("install-deps.sh")).unwrap();
        symlink("/usr/bin/env", machine.programs().join("env")).unwrap();
        machine.add("id", "echo 0");
        machine.add("cargo", "exit 1");
        machine.add_recorder("rustup");
        machine
    }

    fn programs(&self) -> PathBuf {
        self.folder.path().join("bin")
    }

    fn add(&self, name: &str, script: &str) {
        let program = self.programs().join(name);
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A program that only writes down what it is asked for.
    fn add_recorder(&self, name: &str) {
        self.add(name, &format!("echo \"{name} $*\" >> '{}'", self.folder.path().join("asked").display()));
    }

    /// Every tool.
    fn add_tools(&self) {
        let programs = ["cargo", "cc", "redis-server", "chromium", "prometheus", "promtool", "xmllint"];
        let launchers = ["slurmctld", "slurmd", "sinfo", "mpirun", "faketime", "unshare", "ip", "tc", "hostname"];
        for tool in
            programs.into_iter().chain(launchers).chain(["../target/venv/bin/python", "../target/redisearch.so"])
        {
            self.add(tool, "exit 0");
        }
    }

    fn run(&self, what: &str) -> Output {
        let script = self.folder.path().join("deploy/install-deps.sh");
        Command::new("/bin/sh").arg(script).arg(what).env_clear().env("PATH", self.programs()).output().unwrap()
    }

    /// Packages that were asked for, in the words of the manager.
    fn asked(&self) -> BTreeSet<String> {
        let asked = fs::read_to_string(self.folder.path().join("asked")).unwrap_or_default();
        let last_option = |word: &&str| word.starts_with('-') && *word != "--cask";
        let packages = |line: &str| {
            let words: Vec<&str> = line.split(' ').skip(1).collect();
            let is_install = ["install", "add", "-S"].contains(words.first()?);
            Some(words.into_iter().skip(1).filter(|word| !last_option(word)).collect::<Vec<_>>().join(" "))
                .filter(|_| is_install)
        };
        asked.lines().filter(|line| !line.starts_with("rustup")).filter_map(packages).collect()
    }
}

/// What it says is missing: the first name of each line behind the sentence.
fn missing(output: &Output) -> BTreeSet<String> {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let lines = text.lines().skip_while(|line| !line.contains("missing")).skip(1);
    lines.map(|line| line.split_once(": ").unwrap().0.split('|').next().unwrap().to_owned()).collect()
}

/// Names within quotes behind each place where a text occurs in the tests.
fn named(file: &str, before: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(ROOT).join(file)).unwrap();
    let behind = text.split(before).skip(1);
    behind.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// Programs that tests start by their name, alternatives by the first one.
fn tools_of_tests() -> BTreeSet<String> {
    let mut tools: BTreeSet<String> = sources(&Path::new(ROOT).join("tests"))
        .iter()
        .flat_map(|file| named(file.to_str().unwrap(), concat!("Command::", "new(\"")))
        .filter(|program| !["sh", "/bin/sh"].contains(&program.as_str()))
        .collect();
    tools.extend(named("tests/html/chromium.rs", "const NAMES: [&str; 4] = [\""));
    for file in ["tests/hlog.rs", "tests/cli/kubernetes.rs", "tests/cli/modules.rs"] {
        tools.extend(named(file, ".join(\"").into_iter().filter(|path| path.starts_with("target/")));
    }
    // Started by the program, and by a script.
    tools.extend(["mpirun", "faketime", "sinfo", "hostname"].map(str::to_owned));
    tools.extend(named("src/target/private/program.rs", "const NAMES: [&str; 2] = [\""));
    tools
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

#[test]
fn every_package_manager_is_asked_for_every_package() {
    for (manager, for_run, for_test) in PACKAGES {
        let asked = |what| {
            let machine = Machine::new();
            machine.add_recorder(manager);
            let output = machine.run(what);
            assert_eq!(output.status.code(), Some(1), "{manager}: {output:?}");
            machine.asked()
        };
        let run: BTreeSet<String> = for_run.iter().map(|&package| package.to_owned()).collect();
        let test = run.iter().cloned().chain(for_test.iter().map(|&package| package.to_owned())).collect();
        assert_eq!((asked("run"), asked("test")), (run, test), "{manager}");
    }
}

#[test]
fn what_is_missing_in_the_end_is_what_tests_use() {
    let needed_to_build = ["cc", "cargo fmt", "cargo clippy"].map(str::to_owned);
    let expected: BTreeSet<String> = tools_of_tests().into_iter().chain(needed_to_build).collect();
    for manager in ["apt-get", "brew", "no-manager"] {
        let machine = Machine::new();
        machine.add_recorder(manager);
        assert_eq!(missing(&machine.run("test")), expected, "{manager}");
        let for_run = ["cc", "redis-server"].map(str::to_owned).into();
        assert_eq!(missing(&machine.run("run")), for_run, "{manager}");
    }
}

#[test]
fn nothing_is_said_or_asked_for_where_nothing_is_missing() {
    let machine = Machine::new();
    machine.add_tools();
    for (manager, ..) in PACKAGES {
        machine.add_recorder(manager);
    }
    for what in ["run", "test"] {
        let output = machine.run(what);
        assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    }
    assert_eq!(machine.asked(), BTreeSet::new());
}

#[test]
fn no_function_of_the_script_hides_a_program() {
    let script = fs::read_to_string(Path::new(ROOT).join("deploy/install-deps.sh")).unwrap();
    let functions: Vec<&str> = script.lines().filter_map(|line| line.split_once("() ").map(|(name, _)| name)).collect();
    assert!(functions.len() > 10, "{functions:?}");
    // Programs that are installed here have no such names: verb and object, joined by an underscore.
    let hiding: Vec<&&str> = functions.iter().filter(|name| !name.contains('_')).collect();
    assert_eq!(hiding, [] as [&&str; 0]);
}
