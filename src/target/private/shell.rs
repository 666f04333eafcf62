//! Commands of events: carried out by the shell, in a process group that ends with the command, its time limit or the run.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// Longest time of a command.
const LIMIT: Duration = Duration::from_secs(60);

/// Time that a command has after SIGTERM, before SIGKILL.
const GRACE: Duration = Duration::from_secs(1);

/// Time between two looks at a command.
const GLANCE: Duration = Duration::from_millis(10);

/// Size of the end of standard error that has its last line, in bytes.
const TAIL: u64 = 4_096;

/// Longest line of it that is recorded, in characters.
const LONGEST: usize = 200;

/// Ends the group of a command when the harness is gone without having written a line.
const WATCH: &str = "trap '' HUP INT TERM; \
                     read -r _ || { kill -TERM \"-$1\"; sleep 1; kill -KILL \"-$1\"; }";

/// A command with its process group, and a watchdog that ends the group if the harness is killed.
struct Group {
    shell: Child,
    watchdog: Option<Child>,
    is_over: bool,
}

/// Carries out a command, and returns its exit code with its last line of standard error. Ends it at the time limit, and as soon as
/// `goes_on`, which waits for a time, says that the run is over.
pub(super) fn carry_out(command: &str, goes_on: impl Fn(Duration) -> bool) -> Result<String, String> {
    let failed = |error: io::Error| format!("the command cannot be carried out: {error}");
    let mut errors = tempfile::tempfile().map_err(failed)?;
    let mut group = Group::start(command, &errors).map_err(failed)?;
    let limit = Instant::now() + LIMIT;
    let cut = loop {
        if group.has_ended() {
            break None;
        }
        if !goes_on(GLANCE) {
            break Some("ended with the run".to_owned());
        }
        if Instant::now() > limit {
            break Some(format!("ended at its time limit of {} s", LIMIT.as_secs()));
        }
    };
    if cut.is_some() {
        group.terminate();
    }
    let status = group.end().map_err(failed)?;
    let code = status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}"));
    let last = last_line(&mut errors);
    let said = if last.is_empty() { code } else { format!("{code}: {last}") };
    match cut {
        Some(reason) => Err(format!("{reason}; {said}")),
        None if status.success() => Ok(said),
        None => Err(said),
    }
}

impl Group {
    fn start(command: &str, errors: &File) -> io::Result<Self> {
        let shell = Command::new("sh")
            .args(["-c", command])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors.try_clone()?)
            .process_group(0)
            .spawn()?;
        let mut group = Self { shell, watchdog: None, is_over: false };
        let watchdog = Command::new("sh")
            .args(["-c", WATCH, "plimsoll-watchdog"])
            .arg(group.shell.id().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        group.watchdog = Some(watchdog);
        Ok(group)
    }

    /// Whether the shell has ended. Its number stays its own until it is waited for.
    fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        matches!(waitid(WaitId::Pid(self.leader()), options), Ok(Some(_)))
    }

    /// Asks the group to end, and gives it time for that.
    fn terminate(&self) {
        let limit = Instant::now() + GRACE;
        let _ = kill_process_group(self.leader(), Signal::TERM);
        while !self.has_ended() && Instant::now() < limit {
            thread::sleep(GLANCE);
        }
    }

    /// Kills what is left of the group, and returns how the shell ended.
    fn end(&mut self) -> io::Result<ExitStatus> {
        // The number of the group is free, for others too, once the shell has been waited for.
        if !self.is_over {
            self.is_over = true;
            let _ = kill_process_group(self.leader(), Signal::KILL);
            if let Some(mut watchdog) = self.watchdog.take() {
                let _ = watchdog.stdin.take().map(|mut input| input.write_all(b"\n"));
                let _ = watchdog.wait();
            }
        }
        self.shell.wait()
    }

    fn leader(&self) -> Pid {
        Pid::from_child(&self.shell)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// The last line of a file with text, without control characters; empty if there is none.
fn last_line(file: &mut File) -> String {
    let mut bytes = Vec::new();
    let length = file.seek(SeekFrom::End(0)).unwrap_or_default();
    let tail = file.seek(SeekFrom::Start(length.saturating_sub(TAIL)));
    let _ = tail.and_then(|_| file.take(TAIL).read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    line.chars().filter(|letter| !letter.is_control()).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn waits(time: Duration) -> bool {
        thread::sleep(time);
        true
    }

    #[test]
    fn the_outcome_has_the_exit_code_and_the_last_line() {
        assert_eq!(carry_out("echo no one reads this", waits), Ok("exit code 0".to_owned()));
        assert_eq!(carry_out("echo one >&2; echo two >&2; echo >&2", waits), Ok("exit code 0: two".to_owned()));
        assert_eq!(carry_out("echo why >&2; exit 3", waits), Err("exit code 3: why".to_owned()));
        let killed = carry_out("kill -9 $$", waits).unwrap_err();
        assert!(killed.contains("signal: 9"), "{killed}");
        let long = carry_out("yes | head -c 100000 | tr -d '\\n' >&2", waits).unwrap();
        assert_eq!(long.len(), "exit code 0: ".len() + LONGEST);
    }

    #[test]
    fn a_command_that_outlasts_the_run_may_clean_up() {
        let folder = tempfile::tempdir().unwrap();
        let ready = folder.path().join("ready");
        let command =
            format!("trap 'echo cleaned >&2; exit 5' TERM; touch {}; while :; do sleep 0.05; done", ready.display());
        let ended = carry_out(&command, |time| waits(time) && !ready.exists());
        assert_eq!(ended, Err("ended with the run; exit code 5: cleaned".to_owned()));
        let command = format!("trap '' TERM; touch {}; while :; do sleep 0.05; done", ready.display());
        fs::remove_file(&ready).unwrap();
        let ended = carry_out(&command, |time| waits(time) && !ready.exists()).unwrap_err();
        assert!(ended.contains("signal: 9"), "{ended}");
    }

    #[test]
    fn what_a_command_leaves_behind_ends_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let beats = folder.path().join("beats");
        let beating = format!("while :; do echo >> {}; sleep 0.01; done", beats.display());
        let until = format!("while ! [ -s {} ]; do sleep 0.01; done", beats.display());
        carry_out(&format!("({beating}) & {until}"), waits).unwrap();
        let count = || fs::metadata(&beats).unwrap().len();
        let before = count();
        thread::sleep(Duration::from_millis(200));
        assert_eq!(count(), before);
    }
}
