//! Ways to start generators. Placing, starting and ending processes on other machines is left to those who do it well.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    cli::shard::{JOB, SHARD},
    scenario::Shard,
};

/// Options of srun that the contract needs: one process on each node, with all of its cores, and all ended when one fails.
const SRUN: &str = "srun -N %n --ntasks=%n --ntasks-per-node=1 -K";

/// Nodes for itself, in a job of its own.
const OF_ITS_OWN: &str = "--exclusive";

/// All cores of nodes that a job has already. There, `--exclusive` gives each process one core.
const WITHIN_A_JOB: &str = "--overlap";

/// Variable that srun finds within a job.
const JOB_ID: &str = "SLURM_JOB_ID";

/// Options of mpirun: one process on each node, with all of its cores.
const MPIRUN: &str = "mpirun -np %n --map-by ppr:1:node --bind-to none";

/// A way to start generators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Launcher {
    /// Processes on this machine.
    Local,
    /// A process on each host.
    RemoteShell { words: Vec<String>, hosts: Vec<String> },
    /// One command that starts all of them.
    Engine { words: Vec<String>, carries_input: bool },
}

impl Launcher {
    /// Reads `--launcher`.
    pub(super) fn parse(text: &str, generators: u32) -> Result<Self, String> {
        let text = match text.trim() {
            "srun" if env::var_os(JOB_ID).is_some() => format!("{SRUN} {WITHIN_A_JOB}"),
            "srun" => format!("{SRUN} {OF_ITS_OWN}"),
            "mpirun" => MPIRUN.to_owned(),
            other => other.to_owned(),
        };
        let words: Vec<_> = text.split_whitespace().map(|word| word.replace("%n", &generators.to_string())).collect();
        let Some(first) = words.first() else { return Err("--launcher is empty".to_owned()) };
        let name = Path::new(first).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        match name.as_str() {
            "local" if words.len() == 1 => Ok(Self::Local),
            "ssh" => Self::remote_shell(words, generators),
            "mpirun" | "mpiexec" => Ok(Self::Engine { words, carries_input: false }),
            _ => Ok(Self::Engine { words, carries_input: true }),
        }
    }

    /// srun, where it is installed.
    pub(super) fn found() -> Result<&'static str, String> {
        let paths = env::var_os("PATH").unwrap_or_default();
        if env::split_paths(&paths).any(|folder: PathBuf| folder.join("srun").is_file()) {
            return Ok("srun");
        }
        Err("how are generators to be started? There is no srun on PATH: --launcher local (processes on this machine), \
             'ssh HOST,HOST,...', mpirun, or another command"
            .to_owned())
    }

    fn remote_shell(mut words: Vec<String>, generators: u32) -> Result<Self, String> {
        let hosts = words.pop().filter(|_| !words.is_empty()).unwrap_or_default();
        let hosts: Vec<_> = hosts.split(',').filter(|host| !host.is_empty()).map(str::to_owned).collect();
        if hosts.len() != generators as usize {
            return Err(format!(
                "--launcher names {} hosts for {generators} generators: expected 'ssh HOST,HOST,...' with one host for each",
                hosts.len()
            ));
        }
        Ok(Self::RemoteShell { words, hosts })
    }

    /// Whether all generators are on this machine.
    pub(super) fn is_local(&self) -> bool {
        *self == Self::Local
    }

    /// The machines that it names, in the order of the generators.
    pub(super) fn hosts(&self) -> &[String] {
        match self {
            Self::RemoteShell { hosts, .. } => hosts,
            Self::Local | Self::Engine { .. } => &[],
        }
    }

    /// Whether they are started by ssh.
    pub(super) fn is_remote_shell(&self) -> bool {
        matches!(self, Self::RemoteShell { .. })
    }

    /// Whether one command starts all of them, where it finds room.
    pub(super) fn is_engine(&self) -> bool {
        matches!(self, Self::Engine { .. })
    }

    /// Whether what is written to its standard input reaches all generators.
    pub(super) fn carries_input(&self) -> bool {
        !matches!(self, Self::Engine { carries_input: false, .. })
    }

    /// The processes to start, each with the number of the generator that it is, where it is one. `job` is that of those that get no
    /// standard input.
    pub(super) fn commands(&self, program: &Path, generators: u32, job: Option<&str>) -> Vec<(Option<u32>, Command)> {
        let shard = |number: u32| format!("{number}/{generators}");
        match self {
            Self::Local => {
                let command = |shard: Shard| {
                    let mut command = Command::new(program);
                    command.arg("shard").env(SHARD, shard.to_string());
                    (Some(shard.number()), command)
                };
                Shard::all(generators).map(command).collect()
            }
            Self::RemoteShell { words, hosts } => {
                let command = |(number, host): (u32, &String)| {
                    let mut command = Command::new(&words[0]);
                    let program = program.to_string_lossy();
                    // A question for a password could be answered by nobody.
                    command
                        .args(["-o", "BatchMode=yes"])
                        .args(&words[1..])
                        .arg(host)
                        .arg(format!("env {SHARD}={} {program} shard", shard(number)));
                    (Some(number), command)
                };
                (0..).zip(hosts).map(command).collect()
            }
            Self::Engine { words, .. } => {
                let mut command = Command::new(&words[0]);
                if let Some(job) = job {
                    // Open MPI passes on only what it is told to, and mixes the output of its processes.
                    command.args(["-x", JOB, "-tag-output"]).env(JOB, job);
                }
                command.args(&words[1..]).arg(program).arg("shard").env_remove(SHARD);
                vec![(None, command)]
            }
        }
    }

    /// Name in messages.
    pub(super) fn name(&self, program: &Path) -> OsString {
        match self {
            Self::Local => program.into(),
            Self::RemoteShell { words, .. } | Self::Engine { words, .. } => words[0].clone().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(launcher: &Launcher) -> Vec<String> {
        let commands = launcher.commands(Path::new("/bin/plimsoll"), 3, (!launcher.carries_input()).then_some("job"));
        let line = |(_, command): &(Option<u32>, Command)| {
            let words = std::iter::once(command.get_program()).chain(command.get_args());
            words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
        };
        commands.iter().map(line).collect()
    }

    #[test]
    fn each_way_starts_its_generators() {
        let srun = Launcher::parse("srun", 3).unwrap();
        let expected = "srun -N 3 --ntasks=3 --ntasks-per-node=1 -K --exclusive /bin/plimsoll shard";
        assert_eq!((words(&srun), srun.carries_input()), (vec![expected.to_owned()], true));
        let mpirun = Launcher::parse("mpirun --oversubscribe -np %n", 3).unwrap();
        let expected = "mpirun -x PLIMSOLL_JOB -tag-output --oversubscribe -np 3 /bin/plimsoll shard";
        assert_eq!((words(&mpirun), mpirun.carries_input()), (vec![expected.to_owned()], false));
        let ssh = Launcher::parse("ssh -p 22 a,b,c", 3).unwrap();
        assert_eq!(words(&ssh)[1], "ssh -o BatchMode=yes -p 22 b env PLIMSOLL_SHARD=1/3 /bin/plimsoll shard");
        assert_eq!(words(&Launcher::parse("local", 3).unwrap()), vec!["/bin/plimsoll shard"; 3]);
    }

    #[test]
    fn what_cannot_start_them_is_refused() {
        assert!(Launcher::parse("ssh a,b", 3).unwrap_err().contains("names 2 hosts for 3 generators"));
        assert!(Launcher::parse("ssh", 3).unwrap_err().contains("names 0 hosts"));
        assert!(Launcher::parse(" ", 3).is_err());
    }
}
