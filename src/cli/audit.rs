//! `plimsoll audit`: what a server, its users and its machine are like, without load.

use anyhow::anyhow;
use clap::{
    Args, ValueEnum,
    builder::{ArgPredicate, Resettable},
};
use jiff::Timestamp;
use tokio::runtime;

use super::{
    args::{
        output::QuietArgs,
        scenario::{DEFAULT, FieldArgs, scenario},
        target::{EMBEDDED, INSECURE, SamplingArgs, TargetArgs},
    },
    cleanup::Cleanup,
    environment::{software, stamp},
    exit::{Exit, Failure},
    interrupt::{Interrupt, supervise},
    output::{self, Look},
    progress::Display,
    stderr,
};
use crate::{
    analysis::audit::{AuditOutcome, Severity, Subject, audit},
    dependency,
    report::{AuditReport, Document},
    results::TargetFacts,
    scenario::Scenario,
    server::SampleLimits,
    target::{Source, Target},
};

/// Inspect a server without load, and check it against rules
///
/// Reads settings, state, users and a sample of the keys, and changes nothing. With a scenario the audit also checks the
/// server against the services: rights, pools against maxclients, eviction against use. Each finding has its evidence, a
/// remedy and a source.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", super::exit::HELP))]
// The other commands load a private server unless another one is named; this one inspects a server that is named.
// An option for private servers alone means one.
#[command(mut_arg("target", |arg| {
    arg.default_value(Resettable::Reset)
        .default_value_ifs(PRIVATE.map(|option| (option, ArgPredicate::IsPresent, EMBEDDED)))
        .required_unless_present_any(PRIVATE)
}))]
#[command(mut_arg("set", |arg| arg.requires("scenario")))]
pub(super) struct Arguments {
    /// Scenario whose services use the server: a file, or name of a built-in scenario; default: none
    scenario: Option<String>,

    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    sampling: SamplingArgs,
    #[command(flatten)]
    fields: FieldArgs,

    /// Prove the proposed rights with a temporary user on the server
    ///
    /// Creates a user that cannot log in, checks it with ACL DRYRUN, and removes it. An audit writes nothing else. A killed
    /// audit may leave the user plimsoll-proof-NUMBER.
    #[arg(long)]
    prove_rights: bool,
    /// Lowest severity of findings for exit code 1; default: none
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<FailOn>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: AuditFormat,
    #[command(flatten)]
    quiet: QuietArgs,
}

/// Options of private servers.
const PRIVATE: [&str; 3] = ["topology", "private_tls", "server_bin"];

const EXAMPLES: &str = "Examples:
  plimsoll audit --target redis://127.0.0.1:6379
  plimsoll audit my.toml --target \
                        redis://user:password@host:6379 --fail-on critical
  plimsoll audit workflow-engine --target \
                        embedded --format html > audit.html";

/// What is said of a node of a cluster that is named by itself.
const ONE_NODE: &str = "note: the server is a node of a cluster, and this audit is of that node alone: use a target \
                        redis+cluster://host:port to audit all nodes (with TLS, rediss+cluster://)";

/// Severity from which on an audit fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// Warnings and critical findings
    Warning,
    /// Critical findings
    Critical,
}

impl From<FailOn> for Severity {
    fn from(limit: FailOn) -> Self {
        match limit {
            FailOn::Warning => Self::Warning,
            FailOn::Critical => Self::Critical,
        }
    }
}

/// Output format of an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum AuditFormat {
    /// Text for a terminal
    #[default]
    Text,
    /// Markdown
    Markdown,
    /// One HTML page
    Html,
    /// JSON, described by `plimsoll schema audit`
    Json,
}

pub(super) fn run(arguments: Arguments, look: Look) -> Result<Exit, Failure> {
    let scenario = arguments.scenario()?;
    let source = arguments.target.source()?;
    let cleanup = Cleanup::default();
    let (display, held) = (Display::new(!arguments.quiet.quiet), cleanup.clone());
    let work = move |interrupt: Interrupt| {
        let result = arguments.carry_out(scenario.as_ref(), source, &interrupt, &display, &held, look);
        display.clear();
        result
    };
    let result = supervise(work, || {}, || {});
    cleanup.clear();
    result
}

impl Arguments {
    /// The scenario; a private server is audited for the default one where none is named.
    fn scenario(&self) -> Result<Option<Scenario>, Failure> {
        let default = self.target.is_private().then_some(DEFAULT);
        let Some(name) = self.scenario.as_deref().or(default) else { return Ok(None) };
        scenario(name, self.target.is_private(), &self.fields.overrides()).map(Some)
    }

    fn carry_out(
        &self,
        scenario: Option<&Scenario>,
        source: Source,
        interrupt: &Interrupt,
        display: &Display,
        cleanup: &Cleanup,
        look: Look,
    ) -> Result<Exit, Failure> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::unusable)?;
        display.step("Inspecting the server");
        let watch = scenario.map(|scenario| dependency::Watch::begin(&scenario.dependencies));
        let (target, inspection) = runtime.block_on(async {
            let (target, server) = match (scenario, source) {
                (Some(scenario), source) => interrupt.or(Target::prepare_in_part(source, scenario)).await?,
                (None, Source::Url(url)) => (interrupt.or(Target::without_services(&url)).await?, None),
                (None, Source::Embedded { .. }) => {
                    return Err(Failure::unusable(anyhow!("a private server is audited for a scenario only")));
                }
            };
            if let Some(server) = server {
                cleanup.hold_server(server);
            }
            if target.is_insecure() {
                display.say(INSECURE);
            }
            let facts: TargetFacts = interrupt.or(target.facts()).await?;
            if facts.mode == "cluster" && !facts.scheme().ends_with("+cluster") {
                display.say(ONE_NODE);
            }
            let look = Box::pin(target.inspect(scenario, facts.same_machine, self.prove_rights));
            // A proof that has begun is brought to its end, or its user would stay behind.
            let mut inspection = if self.prove_rights {
                let found = look.await;
                if interrupt.stop().is_cancelled() {
                    return Err(Failure::interrupted());
                }
                found
            } else {
                interrupt.race(look).await.ok_or_else(Failure::interrupted)?
            };
            if !self.sampling.no_keyspace_sampling {
                let limits = SampleLimits::of(facts.private);
                display.wait("Sampling the keys", limits.time);
                let sampling = target.sample_keyspace(limits);
                let (sample, withheld) = interrupt.race(sampling).await.ok_or_else(Failure::interrupted)?;
                inspection.keyspace = sample;
                inspection.withheld.extend(withheld);
            }
            Ok((facts, inspection))
        })?;
        let dependencies = watch.map(dependency::Watch::finish).unwrap_or_default();
        display.clear();
        let software = software();
        let subject =
            Subject { target: &target, inspection: &inspection, dependencies: &dependencies, scenario, measured: None };
        let rulings = audit(&subject);
        let taken = stamp(Timestamp::now());
        let audit = AuditReport { subject, rulings: &rulings, software: &software, taken: &taken };
        output::print(match self.format {
            AuditFormat::Text => audit.terminal(look.style()),
            AuditFormat::Markdown => audit.markdown(),
            AuditFormat::Html => audit.html(),
            AuditFormat::Json => audit.json().unwrap_or_default(),
        })?;
        let Some(limit) = self.fail_on else { return Ok(Exit::Success) };
        let outcome = AuditOutcome::of(&rulings, limit.into());
        if let AuditOutcome::Blind { unknown, of } = outcome {
            stderr::print(&format!(
                "error: {unknown} of {of} checks lack rights: the audit lists the refused commands"
            ));
        }
        Ok(Exit::of_audit(&outcome))
    }
}
