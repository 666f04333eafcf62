//! Arguments of `plimsoll scale`.

use std::{env, path::PathBuf, time::Duration};

use anyhow::anyhow;
use clap::Args;

use super::{launch::Launch, launcher::Launcher};
use crate::{
    cli::{
        args::number::whole,
        exit::{Failure, HELP},
        run,
    },
    scenario::{self, Scenario},
};

/// Run a scenario from several machines at once, and judge all of its requests together
///
/// Starts a number of generators through a launcher, such as Slurm's srun. Each sends its part of every service's load, from the
/// same instant on; connections and requests are those of `plimsoll run`. This process writes the data, observes the server, adds
/// up the histograms of all generators, and reports. A generator that fails or falls silent ends the run.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{HELP}"))]
#[command(mut_arg("workers", |arg| arg.help("Number of threads that send requests, of each generator; default: one per core")))]
#[command(mut_arg("client_cost", |arg| arg.hide(true)))]
#[group(id = "scale")]
pub(in crate::cli) struct Arguments {
    /// Number of generators
    #[arg(long = "generators", short = 'n', value_name = "N", value_parser = whole::<u32>(1..=10_000))]
    #[arg(help_heading = "Generators")]
    generators: u32,
    #[command(flatten)]
    launcher: GeneratorArgs,
    #[command(flatten)]
    pub(super) run: run::Arguments,
}

/// How generators are started.
#[derive(Debug, Args)]
pub(in crate::cli) struct GeneratorArgs {
    /// How generators are started: `srun`, `mpirun`, `ssh HOST,HOST,...`, `local` (processes on this machine), or such a command
    /// with options, `%n` being their number; default: `srun` where Slurm is installed
    ///
    /// A command is continued with that of a generator, as in `srun -N %n --ntasks-per-node=1 --exclusive -K`. It has to start N
    /// processes that know their number (`SLURM_PROCID`, `OMPI_COMM_WORLD_RANK` or `PMI_RANK`), and to carry standard input to all of
    /// them and standard output of all of them back.
    #[arg(long, value_name = "COMMAND", help_heading = "Generators")]
    launcher: Option<String>,
    /// plimsoll on the machines of the generators; default: the path of this program, and `plimsoll` with ssh
    #[arg(long, value_name = "FILE", help_heading = "Generators")]
    program: Option<PathBuf>,
    /// Time from the moment at which all generators are ready until they begin; with mpirun, which carries no standard input, from
    /// now; default: `2s`, with mpirun `20s`
    #[arg(long, value_name = "TIME", value_parser = scenario::parse_duration, help_heading = "Generators")]
    start_in: Option<Duration>,
}

const EXAMPLES: &str = "\
Examples:
  plimsoll scale mixed -n 4 --launcher local                   four processes here, private server
  plimsoll scale my.toml -n 4 --target redis://host:6379       four nodes of a Slurm cluster
  plimsoll scale my.toml -n 3 --target redis://host:6379 --launcher 'ssh gen1,gen2,gen3'
  plimsoll scale my.toml -n 4 --target redis://host:6379 --launcher 'mpirun -np %n --map-by ppr:1:node --bind-to none'";

impl Arguments {
    /// How the generators are started.
    pub(super) fn launch(&self, scenario: &Scenario) -> Result<Launch, Failure> {
        if self.run.client_cost {
            return Err(Failure::usage(anyhow!(
                "--client-cost measures this process, which sends no load here: use it with plimsoll run"
            )));
        }
        scenario.divides_among(self.generators).map_err(|reason| Failure::usage(anyhow!(reason)))?;
        self.launcher.launch(self.generators, self.run.target.is_private())
    }
}

impl GeneratorArgs {
    /// A number of generators.
    pub(in crate::cli) fn launch(&self, generators: u32, is_private: bool) -> Result<Launch, Failure> {
        let usage = |reason: String| Failure::usage(anyhow!(reason));
        let text = match &self.launcher {
            Some(text) => text.trim().to_owned(),
            None => Launcher::found().map_err(usage)?.to_owned(),
        };
        let launcher = Launcher::parse(&text, generators).map_err(usage)?;
        if is_private && !launcher.is_local() {
            return Err(usage(
                "a private server listens on this machine only: name a server that all generators reach (--target), or use \
                 --launcher local"
                    .to_owned(),
            ));
        }
        let program = match &self.program {
            Some(program) => program.clone(),
            None if launcher.is_remote_shell() => PathBuf::from("plimsoll"),
            None => env::current_exe().map_err(Failure::usage)?,
        };
        Ok(Launch { launcher, text, generators, program, start_in: self.start_in })
    }
}
