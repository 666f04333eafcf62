//! Results that cannot be saved, as on a disk that is full, and what processes leave that were killed.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::Child,
};

use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};

use super::{Desk, Outcome, Server};
use crate::support::{signal, until};

/// From now on no file of a process can get any longer, as on a disk that is full.
fn fill_disk_of(child: &Child) {
    let none = Rlimit { current: Some(0), maximum: None };
    prlimit(Some(Pid::from_child(child)), Resource::Fsize, none).unwrap();
}

/// The hidden folder in the making.
fn hidden(desk: &Desk) -> PathBuf {
    let is_hidden = |name: &String| name.starts_with(".out.plimsoll-partial-");
    desk.path(&desk.names().into_iter().find(is_hidden).unwrap())
}

#[test]
fn a_run_on_a_full_disk_prints_its_summary_and_says_why_there_is_no_report() {
    let (desk, server) = (Desk::new(), Server::start());
    let child = desk.start(&["run", "short.toml", "--target", &server.url(), "--duration", "2s", "--out", "out"]);
    until("load is put on", || server.gets() > 0);
    fill_disk_of(&child);
    let outcome = Outcome::of_child(child).ends_with(2).says("shop").says("2 s measured");
    let outcome = outcome.complains("out/run.json: File too large").complains("could not be saved elsewhere either");
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    assert!(!outcome.stdout.contains("Report: "), "there is none");
    assert_eq!(desk.names(), [""; 0]);
}

#[test]
fn a_run_that_cannot_be_saved_in_its_place_is_saved_elsewhere() {
    let (desk, server) = (Desk::new(), Server::start());
    fs::create_dir(desk.path("tmp")).unwrap();
    let mut command =
        desk.command(&["run", "short.toml", "--target", &server.url(), "--duration", "2s", "--out", "out"]);
    command.env("TMPDIR", desk.path("tmp")).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    until("load is put on", || server.gets() > 0);
    let hidden = hidden(&desk);
    fs::remove_dir_all(&hidden).unwrap();
    fs::write(&hidden, "in the way").unwrap();
    let outcome = Outcome::of_child(child).ends_with(2).says("shop").complains("out/run.json: ");
    outcome.complains("tmp/plimsoll-out: `plimsoll report ");
    desk.run(&["report", "tmp/plimsoll-out"]).ends_with(0).says("2 s measured");
}

#[test]
fn a_summary_that_cannot_be_printed_goes_to_standard_error() {
    let desk = Desk::new();
    let mut command = desk.command(&["run", "short.toml", "--out", "out"]);
    let output = command.stdout(File::options().write(true).open("/dev/full").unwrap()).output().unwrap();
    let outcome = Outcome::of(output).ends_with(2).complains("1 s measured");
    outcome.complains("error: could not write to standard output: No space left on device");
    desk.run(&["report", "out"]).ends_with(0);
}

#[test]
fn a_ci_on_a_full_disk_prints_its_summary() {
    let (desk, server) = (Desk::new(), Server::start());
    let child = desk.start(&["ci", "short.toml", "--target", &server.url(), "--duration", "2s", "--out", "out"]);
    until("load is put on", || server.gets() > 0);
    fill_disk_of(&child);
    let outcome = Outcome::of_child(child).ends_with(2).says("short");
    outcome.complains("out/ci.json: File too large");
}

/// A gate of a server with itself, of which a block is saved.
fn begun_gate(desk: &Desk, server: &Server) -> Child {
    let target = format!("target={}", server.url());
    let arguments = ["--out", "out", "--blocks", "7", "--rate", "600", "--quiet", "--a", &target, "--b", &target];
    let child = desk.start(&[&["gate", "short.toml"], &arguments[..]].concat());
    until("a block is saved", || desk.path("out/gate.json").is_file());
    child
}

#[test]
fn a_gate_on_a_full_disk_reports_the_blocks_that_it_made() {
    let (desk, server) = (Desk::new(), Server::start());
    let child = begun_gate(&desk, &server);
    fill_disk_of(&child);
    let outcome = Outcome::of_child(child).ends_with(2);
    let outcome = outcome.says("The gate has not ended: this is the result after").complains("File too large");
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
}

#[test]
fn a_gate_whose_server_is_lost_says_so_first() {
    let (desk, server) = (Desk::new(), Server::start());
    let child = begun_gate(&desk, &server);
    drop(server);
    let outcome = Outcome::of_child(child).ends_with(3);
    assert!(outcome.stdout.starts_with("A server was lost after "), "{}", outcome.stdout);
    outcome.complains("failed");
    desk.run(&["report", "out"]).ends_with(0).says("Result before the loss, doubtful");
}

#[test]
fn what_is_concluded_from_saved_runs_is_printed_also_where_it_cannot_be_written() {
    let desk = Desk::new();
    for name in ["results/one", "results/two"] {
        desk.run(&["run", "short.toml", "--out", name, "--quiet"]).measured();
    }
    let place = "short.toml/below";
    desk.run(&["history", "--out", place]).ends_with(2).says("two").complains("could not create short.toml/below");
    let compared = desk.run(&["compare", "results/one", "results/two", "--out", place]).ends_with(2);
    compared.says("two of ").complains("could not create short.toml/below");
    fs::remove_file(desk.path("results/one/report.html")).unwrap();
    fs::create_dir(desk.path("results/one/report.html")).unwrap();
    desk.run(&["report", "results/one"]).ends_with(2).says("1 s measured").complains("results/one/report.html");
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next() {
    let (desk, server) = (Desk::new(), Server::start());
    let arguments = ["run", "short.toml", "--target", &server.url(), "--duration", "10m", "--out", "out"];
    let child = desk.start(&arguments);
    until("load is put on", || server.gets() > 0);
    let hidden = hidden(&desk);
    signal(&child, Signal::KILL);
    child.wait_with_output().unwrap();
    assert!(hidden.is_dir());
    let name = hidden.file_name().unwrap().to_string_lossy().into_owned();
    desk.run(&["run", "short.toml", "--out", "other", "--quiet"])
        .complains(&format!("note: removed {name} of a killed process"));
    assert_eq!(desk.names(), ["other"]);
}
