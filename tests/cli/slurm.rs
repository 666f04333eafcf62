//! Generators that Slurm and Open MPI start: a real controller with four nodes on this machine, without a service of the system.

use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    Desk, Outcome, SHORT, Server,
    scale::{accounts, due, failure, script, summary},
};
use crate::support::{Turn, missing, until};

/// A controller of Slurm with four nodes. All of it ends with this process.
struct Slurm {
    folder: tempfile::TempDir,
    daemons: Vec<Child>,
}

impl Slurm {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().display().to_string();
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let user = Command::new("sh").args(["-c", "id -un"]).output().unwrap();
        let user = String::from_utf8(user.stdout).unwrap();
        let configuration = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/slurm/test.conf")).unwrap();
        let mut configuration =
            configuration.replace("@HOST@", &host).replace("@USER@", user.trim()).replace("@FOLDER@", &place);
        let listeners = ["@PORT@", "@PORT1@", "@PORT2@", "@PORT3@", "@PORT4@"]
            .map(|name| (name, TcpListener::bind(("127.0.0.1", 0)).unwrap()));
        for (name, listener) in &listeners {
            configuration = configuration.replace(name, &listener.local_addr().unwrap().port().to_string());
        }
        drop(listeners);
        fs::write(folder.path().join("slurm.conf"), configuration).unwrap();
        fs::create_dir(folder.path().join("state")).unwrap();
        let mut slurm = Self { folder, daemons: Vec::new() };
        slurm.daemon(Command::new("slurmctld").arg("-D"));
        for node in 1..=4 {
            fs::create_dir(slurm.folder.path().join(format!("spool-n{node}"))).unwrap();
            slurm.daemon(Command::new("slurmd").args(["-D", "-N", &format!("n{node}")]));
        }
        until("all nodes are idle", || {
            let mut sinfo = Command::new("sinfo");
            sinfo.env("SLURM_CONF", slurm.configuration()).args(["--noheader", "--format=%D %T"]);
            String::from_utf8(sinfo.output().unwrap().stdout).unwrap().trim() == "4 idle"
        });
        slurm
    }

    fn configuration(&self) -> PathBuf {
        self.folder.path().join("slurm.conf")
    }

    fn daemon(&mut self, command: &mut Command) {
        let log = fs::File::create(self.folder.path().join(format!("{}.log", self.daemons.len()))).unwrap();
        command.arg("-f").arg(self.configuration()).env("SLURM_CONF", self.configuration());
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.daemons.push(command.spawn().unwrap_or_else(|error| missing("slurmctld", &error)));
    }

    /// A scale with a generator on each node.
    fn scale(&self, desk: &Desk, server: &Server, more: &[&str]) -> Command {
        let url = server.url();
        let arguments = ["scale", "short.toml", "-n", "4", "--target", &url, "--out", "out"];
        let mut command = desk.command(&[&arguments[..], more].concat());
        command.env("SLURM_CONF", self.configuration());
        command
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        for daemon in &mut self.daemons {
            let _ = kill_process(Pid::from_child(daemon), Signal::TERM);
        }
        for daemon in &mut self.daemons {
            let _ = daemon.wait();
        }
    }
}

/// The process of a generator on a node.
fn generator(node: &str) -> Pid {
    let is_own = |pid: i32| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let variables = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let variable = format!("SLURMD_NODENAME={node}\0");
        words.ends_with(b"\0shard\0") && variables.windows(variable.len()).any(|at| at == variable.as_bytes())
    };
    let all = fs::read_dir("/proc").unwrap().flatten();
    let mut numbers = all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    Pid::from_raw(numbers.find(|pid| is_own(*pid)).unwrap()).unwrap()
}

#[test]
fn slurm_starts_generators_and_ends_them_with_the_first_that_fails() {
    let desk = Desk::new();
    let slurm = Slurm::start();
    let server = Server::start();
    Outcome::of(slurm.scale(&desk, &server, &["--quiet"]).output().unwrap()).measured();
    let found = summary(&desk, "out");
    accounts(&found, 4, due("1s"));
    let hosts: Vec<_> = found["generators"].as_array().unwrap().iter().map(|row| row["host"].clone()).collect();
    assert_eq!(hosts.len(), 4);
    for node in ["n1", "n2", "n3", "n4"] {
        assert!(hosts.iter().any(|host| host == node), "{hosts:?}");
    }

    let before = server.gets();
    let mut child = slurm.scale(&desk, &server, &["--duration", "10m", "--force"]);
    let child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("load is put on", || server.gets() > before + 3_000);
    kill_process(generator("n3"), Signal::KILL).unwrap();
    // Slurm ends the others, so that any of them may be the first to be missed.
    let reason = failure(&desk, Outcome::of_child(child));
    assert!(reason.contains("n3: task 2: Killed"), "{reason}");
    assert_eq!(server.keys(), 0);

    // Too few nodes: Slurm waits for more, and the user ends that.
    let more = ["--launcher", "srun -N 5 --ntasks=5 --immediate=1", "--force"];
    Outcome::of(slurm.scale(&desk, &server, &more).output().unwrap()).ends_with(3).complains("the launcher ended");
}

#[test]
fn the_clock_of_a_generator_does_not_matter_where_the_server_tells_the_time() {
    let desk = Desk::new();
    let slurm = Slurm::start();
    let server = Server::start();
    let program = env!("CARGO_BIN_EXE_plimsoll");
    let text = format!(
        "[ \"$SLURM_PROCID\" != 1 ] || exec faketime -f --exclude-monotonic +3s {program} \"$@\"\nexec {program} \"$@\""
    );
    let wrapper = script(&desk, "wrapper", &text);
    let more = ["--program", &wrapper, "--quiet"];
    Outcome::of(slurm.scale(&desk, &server, &more).output().unwrap()).measured();
    let found = summary(&desk, "out");
    accounts(&found, 4, due("1s"));
    let offset = found["generators"][1]["clock_offset_us"].as_f64().unwrap();
    assert!((-3_100_000.0..-2_900_000.0).contains(&offset), "{offset}");
    let start = found["checks"].as_array().unwrap().iter().find(|check| check["kind"] == "start").unwrap();
    assert_ne!(start["level"], "refuse", "{start}");

    // Without the right to TIME the clocks of the machines decide, and these differ.
    server.ask(&format!("ACL SETUSER {} -time", super::USER));
    let outcome = Outcome::of(slurm.scale(&desk, &server, &["--program", &wrapper, "--force"]).output().unwrap());
    outcome.ends_with(3).complains("the clock of generator 1 of 4 on ").complains("+time");
}

#[test]
fn a_generator_that_has_to_share_its_core_makes_the_run_invalid_and_is_named() {
    let desk = Desk::with("short.toml", SHORT, Turn::alone());
    let slurm = Slurm::start();
    let server = Server::start();
    let program = env!("CARGO_BIN_EXE_plimsoll");
    let neighbours = "pids=; for number in 1 2 3 4 5 6; do timeout 40 taskset -c 0 sh -c 'while :; do :; done' & pids=\"$pids $!\"; done";
    let text = format!(
        "[ \"$SLURM_PROCID\" = 1 ] || exec {program} \"$@\"\n{neighbours}\n\
         taskset -c 0 nice -n 19 {program} \"$@\"\nstatus=$?\nkill $pids\nexit $status"
    );
    let wrapper = script(&desk, "wrapper", &text);
    let more = ["--program", &wrapper, "--quiet", "--start-in", "6s"];
    Outcome::of(slurm.scale(&desk, &server, &more).output().unwrap())
        .ends_with(3)
        .says("nvalid")
        .says("generator 1 on ");
    let found = summary(&desk, "out");
    accounts(&found, 4, due("1s"));
    let late = found["checks"].as_array().unwrap().iter().find(|check| check["kind"] == "generator_lag").unwrap();
    assert_eq!(late["level"], "refuse", "{late}");
    assert!(late["subject"].as_str().unwrap().starts_with("generator 1 on "), "{late}");
}

#[test]
fn open_mpi_starts_generators_that_begin_by_the_clock() {
    let (desk, server) = (Desk::new(), Server::start());
    let url = server.url();
    let launcher = "mpirun --allow-run-as-root --oversubscribe -np %n";
    let arguments = ["scale", "short.toml", "-n", "4", "--target", &url, "--launcher", launcher, "--start-in", "10s"];
    desk.run(&[&arguments[..], &["--out", "out", "--quiet"]].concat()).measured();
    accounts(&summary(&desk, "out"), 4, due("1s"));
    let early = ["--start-in", "1ms", "--out", "early"];
    let arguments = ["scale", "short.toml", "-n", "4", "--target", &url, "--launcher", launcher];
    desk.run(&[&arguments[..], &early].concat()).ends_with(3).complains("--start-in");
}
