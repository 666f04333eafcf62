//! Generators that Slurm and Open MPI start: a real controller with four nodes on this machine, without a service of the system.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    Desk, Outcome, SHORT, Server,
    scale::{accounts, due, failure, script, summary},
};
use crate::support::{Turn, missing, signal, until};

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
        let controller = slurm.daemon(Command::new("slurmctld").arg("-D"));
        slurm.daemons.push(controller);
        for node in 1..=4 {
            fs::create_dir(slurm.folder.path().join(format!("spool-n{node}"))).unwrap();
            let daemon = slurm.node(node);
            slurm.daemons.push(daemon);
        }
        until("all nodes are idle", || slurm.is_idle());
        slurm
    }

    fn is_idle(&self) -> bool {
        self.ask(&["sinfo", "--noheader", "--format=%D %T"]) == "4 idle"
    }

    /// What one of its commands says.
    fn ask(&self, words: &[&str]) -> String {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env("SLURM_CONF", self.configuration());
        String::from_utf8(command.output().unwrap().stdout).unwrap().trim().to_owned()
    }

    /// The processes of generators on all nodes. Another test may have a Slurm with nodes of the same names.
    fn generators(&self) -> Vec<Pid> {
        generators(&format!("SLURM_CONF={}", self.configuration().display()))
    }

    /// The process of the generator on a node.
    fn generator(&self, node: &str) -> Pid {
        let on_node = generators(&format!("SLURMD_NODENAME={node}"));
        self.generators().into_iter().find(|pid| on_node.contains(pid)).unwrap()
    }

    /// Kills the daemon of a node, which is one of 1 to 4.
    fn kill_daemon(&mut self, node: usize) {
        let daemon = &mut self.daemons[node];
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }

    fn configuration(&self) -> PathBuf {
        self.folder.path().join("slurm.conf")
    }

    fn daemon(&self, command: &mut Command) -> Child {
        let name = format!("{}.log", self.daemons.len());
        let log = File::options().create(true).append(true).open(self.folder.path().join(name)).unwrap();
        command.arg("-f").arg(self.configuration()).env("SLURM_CONF", self.configuration());
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        command.spawn().unwrap_or_else(|error| missing("slurmctld", &error))
    }

    /// The daemon of a node.
    fn node(&self, number: usize) -> Child {
        self.daemon(Command::new("slurmd").args(["-D", "-N", &format!("n{number}")]))
    }

    fn restart_daemon(&mut self, node: usize) {
        self.daemons[node] = self.node(node);
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
            // The number of one that is gone may be another's.
            if daemon.try_wait().is_ok_and(|status| status.is_none()) {
                let _ = kill_process(Pid::from_child(daemon), Signal::TERM);
            }
        }
        for daemon in &mut self.daemons {
            let _ = daemon.wait();
        }
    }
}

/// The processes of generators in whose environment is a variable.
fn generators(variable: &str) -> Vec<Pid> {
    let is_own = |pid: i32| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let variables = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let is_generator =
            words.ends_with(b"\0shard\0") && !words.starts_with(b"srun\0") && !words.starts_with(b"mpirun\0");
        is_generator && variables.split(|byte| *byte == 0).any(|at| at == variable.as_bytes())
    };
    let all = fs::read_dir("/proc").unwrap().flatten();
    let numbers = all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    numbers.filter(|pid| is_own(*pid)).filter_map(Pid::from_raw).collect()
}

fn parent(pid: Pid) -> Pid {
    let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).unwrap();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap();
    Pid::from_raw(parent.trim().parse().unwrap()).unwrap()
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
    kill_process(slurm.generator("n3"), Signal::KILL).unwrap();
    // Slurm ends the others, so that any of them may be the first to be missed.
    let reason = failure(&desk, Outcome::of_child(child));
    assert!(reason.contains("n3: task 2: Killed"), "{reason}");
    assert_eq!(server.keys(), 0);

    // Too few nodes: Slurm waits for more, and the user ends that.
    let more = ["--launcher", "srun -N 5 --ntasks=5 --immediate=1", "--force"];
    Outcome::of(slurm.scale(&desk, &server, &more).output().unwrap()).ends_with(3).complains("the launcher ended");
}

#[test]
fn a_run_outlives_the_daemon_of_a_node_but_not_the_node() {
    let (desk, mut slurm, server) = (Desk::new(), Slurm::start(), Server::start());
    let start = |slurm: &Slurm, duration: &str, requests: u64| {
        let before = server.gets();
        let mut command = slurm.scale(&desk, &server, &["--force", "--start-in", "500ms", "--duration", duration]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        until("load is put on", || server.gets() > before + requests);
        child
    };
    let is_free = |slurm: &Slurm| slurm.ask(&["squeue", "--noheader"]).is_empty();

    let child = start(&slurm, "10m", 1_000);
    assert_eq!(slurm.generators().len(), 4);
    signal(&child, Signal::INT);
    Outcome::of_child(child).ends_with(130).complains("interrupted").says("nterrupted");
    assert_eq!(summary(&desk, "out")["generators"].as_array().unwrap().len(), 4);
    assert_eq!((server.keys(), slurm.generators().len()), (0, 0));
    until("the nodes are free", || is_free(&slurm));

    // The process that Slurm has for a step goes on without the daemon of its node.
    let child = start(&slurm, "3s", 500);
    slurm.kill_daemon(1);
    Outcome::of_child(child).measured();
    accounts(&summary(&desk, "out"), 4, due("3s"));
    slurm.restart_daemon(1);
    until("the nodes are free", || is_free(&slurm) && slurm.is_idle());

    let child = start(&slurm, "10m", 3_000);
    let generator = slurm.generator("n3");
    let step = parent(generator);
    slurm.kill_daemon(3);
    for pid in [step, generator] {
        kill_process(pid, Signal::KILL).unwrap();
    }
    let reason = failure(&desk, Outcome::of_child(child));
    assert!(reason.starts_with("generator 2 of 4 on n3 "), "{reason}");
    until("the other generators end", || slurm.generators().is_empty());
    assert_eq!(server.keys(), 0);
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

/// Nothing is left behind in a Slurm.
#[test]
fn no_generator_and_no_job_outlives_a_scale() {
    let (desk, mut slurm, server) = (Desk::new(), Slurm::start(), Server::start());
    let is_free = |slurm: &Slurm| slurm.ask(&["squeue", "--noheader"]).is_empty();
    let start = |slurm: &Slurm, more: &[&str]| {
        let mut command = slurm.scale(&desk, &server, &[&["--force", "--duration", "10m"], more].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let under_way = |slurm: &Slurm| {
        let before = server.gets();
        let child = start(slurm, &["--start-in", "500ms"]);
        until("load is put on", || server.gets() > before + 3_000);
        child
    };

    // Ended as soon as the job has nodes.
    let child = start(&slurm, &[]);
    until("the job has nodes", || slurm.ask(&["squeue", "--noheader", "--format=%T"]) == "RUNNING");
    signal(&child, Signal::INT);
    Outcome::of_child(child).ends_with(130);
    until("no job is left", || is_free(&slurm));

    // More nodes than there are: srun waits, and the user ends that.
    let child = start(&slurm, &["--launcher", "srun -N 5 --ntasks=5"]);
    until("the job is pending", || slurm.ask(&["squeue", "--noheader", "--format=%T"]) == "PENDING");
    signal(&child, Signal::INT);
    Outcome::of_child(child).ends_with(130);
    until("no job is pending", || is_free(&slurm));

    // A generator that stands still.
    let child = under_way(&slurm);
    kill_process(slurm.generator("n2"), Signal::STOP).unwrap();
    let reason = failure(&desk, Outcome::of_child(child));
    assert!(reason.starts_with("generator 1 of 4 on n2 reported nothing for 3 s"), "{reason}");
    until("the nodes are free", || is_free(&slurm) && slurm.is_idle());
    assert!(slurm.generators().is_empty());

    // A node without a daemon, which the controller gives up: it cannot end the processes there.
    let child = under_way(&slurm);
    slurm.kill_daemon(3);
    slurm.ask(&["scontrol", "update", "NodeName=n3", "State=DOWN", "Reason=gone"]);
    let reason = failure(&desk, Outcome::of_child(child));
    assert!(reason.contains("Node failure on n3"), "{reason}");
    until("the generator on that node ends too", || slurm.generators().is_empty());
    assert_eq!(server.keys(), 0);
}

#[test]
fn an_interruption_of_generators_that_open_mpi_started_reports_what_there_is() {
    let (desk, server) = (Desk::new(), Server::start());
    let url = server.url();
    let launcher = "mpirun --allow-run-as-root --oversubscribe -np %n";
    let arguments = ["scale", "short.toml", "-n", "4", "--target", &url, "--launcher", launcher, "--start-in", "5s"];
    let mark = desk.path("").display().to_string();
    let mut command = desk.command(&[&arguments[..], &["--duration", "10m", "--out", "out"]].concat());
    let child = command.env("PLIMSOLL_TEST", &mark).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("load is put on", || server.gets() > 1_000);
    signal(&child, Signal::INT);
    // mpirun itself ends with `shard` in its command line as well.
    Outcome::of_child(child).ends_with(130).complains("interrupted").says("nterrupted");
    assert!(generators(&format!("PLIMSOLL_TEST={mark}")).is_empty());
    assert_eq!(summary(&desk, "out")["generators"].as_array().unwrap().len(), 4);
    assert_eq!(server.keys(), 0);
}
