//! Differences of the arms.

use std::{os::unix::fs::PermissionsExt as _, path::PathBuf};

use anyhow::anyhow;

use super::child;
use crate::{
    cli::{args::target::address, exit::Failure},
    results::brief_address,
    scenario::{Overrides, Scenario, ServiceOption, TlsOptions, shown_field, shown_setting},
    target::{PrivateTopology, RESERVED, Source, TargetUrl},
};

/// One thing that an arm has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum Difference {
    /// A field of the scenario and its value.
    Set(String, String),
    /// A setting of the private server and its value.
    Config(String, String),
    /// Program of the private server.
    ServerBin(PathBuf),
    /// Topology of the private servers.
    Topology(PrivateTopology),
    /// Whether connections to the private servers are encrypted.
    Tls(bool),
    /// A server that runs already; the address may hold a password.
    Target(String),
    /// Another build of plimsoll.
    Exe(PathBuf),
    /// A field of all services: their client library or their protocol.
    Option(ServiceOption),
}

impl Difference {
    /// Whether it is a server that runs already.
    pub(in crate::cli) fn is_target(&self) -> bool {
        matches!(self, Self::Target(_))
    }
}

/// Description of an arm.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct ArmArguments<'a> {
    /// The option that says it, for errors.
    pub(in crate::cli) option: &'static str,
    pub(in crate::cli) differences: &'a [Difference],
    /// TLS of a target.
    pub(in crate::cli) tls: &'a TlsOptions,
}

/// One side of the comparison.
#[derive(Debug, Clone)]
pub(super) struct GatedArm {
    /// Option of the command line with its differences.
    pub(super) option: &'static str,
    /// Name in reports.
    pub(super) name: String,
    /// Differences, without passwords.
    pub(super) differences: Vec<(String, String)>,
    pub(super) scenario: Scenario,
    pub(super) source: Source,
    /// The build that puts on the load, if it is another one.
    pub(super) exe: Option<PathBuf>,
}

/// What a difference may be.
const EXPECTED: &str = "expected set:FIELD=VALUE, config:NAME=VALUE, server-bin=FILE, topology=TOPOLOGY, tls=yes, target=URL, \
                        exe=FILE, client=NAME or protocol=VERSION";

/// `WHAT=VALUE`, or `set:FIELD=VALUE` and `config:NAME=VALUE`.
pub(in crate::cli) fn difference(text: &str) -> Result<Difference, String> {
    let (what, value) = text.split_once('=').unwrap_or((text, ""));
    let value = value.trim();
    let of = |name: &str, make: fn(String, String) -> Difference| match value {
        _ if name.is_empty() => Err(format!("`{what}` has no name: expected {what}NAME=VALUE")),
        "" => Err(format!("`{what}` has no value: expected {what}=VALUE")),
        value => Ok(make(name.to_owned(), value.to_owned())),
    };
    match what.trim().split_once(':') {
        Some(("set", field)) => of(field.trim(), Difference::Set),
        Some(("config", name)) => of(name.trim(), Difference::Config),
        None if what == "server-bin" => of(what, |_, value| Difference::ServerBin(value.into())),
        None if what == "topology" => value.parse().map(Difference::Topology),
        None if what == "tls" => match value {
            "yes" => Ok(Difference::Tls(true)),
            "no" => Ok(Difference::Tls(false)),
            _ => Err("expected tls=yes or tls=no".to_owned()),
        },
        None if what == "target" => of(what, |_, value| Difference::Target(value)),
        None if what == "exe" => of(what, |_, value| Difference::Exe(value.into())),
        _ => ServiceOption::parse(what, value)
            .map_or_else(|| Err(EXPECTED.to_owned()), |option| option.map(Difference::Option)),
    }
}

impl GatedArm {
    /// The arm that some differences make of a scenario.
    pub(super) fn of(
        scenario: &Scenario,
        ArmArguments { option, differences, tls }: ArmArguments<'_>,
    ) -> Result<Self, Failure> {
        let (mut set, mut config, mut shown) = (Vec::new(), Vec::new(), Vec::new());
        let (mut server_bin, mut target, mut exe) = (None, None, None);
        let (mut topology, mut encrypted) = (None, None);
        let mut options: Vec<ServiceOption> = Vec::new();
        for difference in differences {
            match difference.clone() {
                Difference::Set(field, value) => {
                    shown.push((format!("set:{field}"), shown_field(&field, &value).to_owned()));
                    set.push((field, value));
                }
                Difference::Config(name, _) if RESERVED.contains(&name.to_lowercase().as_str()) => {
                    return Err(Failure::usage(anyhow!("{option}: plimsoll sets {name} of private servers itself")));
                }
                Difference::Config(name, value) => {
                    shown.push((format!("config:{name}"), shown_setting(&name, &value).to_owned()));
                    config.push((name, value));
                }
                Difference::ServerBin(file) => once(option, "server-bin", &mut server_bin, file)?,
                Difference::Topology(given) => once(option, "topology", &mut topology, given)?,
                Difference::Tls(given) => once(option, "tls", &mut encrypted, given)?,
                Difference::Target(url) => once(option, "target", &mut target, url)?,
                Difference::Exe(file) => once(option, "exe", &mut exe, file)?,
                Difference::Option(set) if options.iter().any(|given| given.field() == set.field()) => {
                    return Err(twice(option, set.field()));
                }
                Difference::Option(set) => options.push(set),
            }
        }
        let wrong = |text: String| Err(Failure::usage(anyhow!("{option}: {text}")));
        for (what, file) in [("server-bin", &server_bin), ("exe", &exe)] {
            let Some(file) = file else { continue };
            let Ok(facts) = file.metadata() else {
                return wrong(format!("{what}={}: no such file", file.display()));
            };
            if !facts.is_file() || facts.permissions().mode() & 0o111 == 0 {
                return wrong(format!("{what}={} is not executable", file.display()));
            }
        }
        let of_private = [
            ("server-bin", server_bin.is_some()),
            ("config", !config.is_empty()),
            ("topology", topology.is_some()),
            ("tls", encrypted.is_some()),
        ];
        if let Some((what, _)) = of_private.into_iter().find(|(_, given)| *given && target.is_some()) {
            return wrong(format!("{what} applies to a private server, not to a target"));
        }
        if target.is_some() && exe.is_some() {
            return wrong("exe needs a private server: omit the target".to_owned());
        }
        if let Some(file) = &exe {
            let no_build = |why| Failure::usage(anyhow!("{option}: exe={} {why}", file.display()));
            child::check(file).map_err(no_build)?;
        }
        let paths = [("server-bin", &server_bin), ("exe", &exe)];
        shown.extend(
            paths
                .into_iter()
                .filter_map(|(what, file)| file.as_ref().map(|file| (what.to_owned(), file.display().to_string()))),
        );
        shown.extend(topology.map(|topology| ("topology".to_owned(), topology.to_string())));
        shown.extend(encrypted.map(|tls| ("tls".to_owned(), if tls { "yes" } else { "no" }.to_owned())));
        shown.extend(options.iter().map(|set| (set.field().to_owned(), set.word().to_owned())));
        let source = match target {
            Some(url) => {
                let url = address(&url).map_err(|failure| failure.within(&format!("{option} target")))?;
                Source::Url(TargetUrl { tls: tls.clone(), ..url })
            }
            None => Source::Embedded {
                server_bin,
                topology: topology.unwrap_or_default(),
                tls: encrypted.unwrap_or_default(),
                config,
            },
        };
        if let Source::Url(url) = &source {
            shown.push(("target".to_owned(), url.to_string()));
        }
        let overrides = Overrides { options, set, ..Overrides::default() };
        let scenario = overrides
            .apply(&scenario.source, &scenario.name)
            .map_err(|errors| Failure::usage(errors).within(option))?;
        Ok(Self { option, name: name(&shown), differences: shown, scenario, source, exe })
    }

    /// Whether it has one private server, and no others that this one has to know.
    pub(super) fn stands_alone(&self) -> bool {
        matches!(self.source, Source::Embedded { topology: PrivateTopology::Standalone, .. })
    }

    /// Whether it has one private server without TLS.
    pub(super) fn is_plain(&self) -> bool {
        self.stands_alone() && matches!(self.source, Source::Embedded { tls: false, .. })
    }

    /// Whether its server is started for the gate.
    pub(super) fn is_private(&self) -> bool {
        matches!(self.source, Source::Embedded { .. })
    }
}

fn once<T>(option: &str, what: &str, place: &mut Option<T>, value: T) -> Result<(), Failure> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(twice(option, what)),
    }
}

fn twice(option: &str, what: &str) -> Failure {
    Failure::usage(anyhow!("{option}: {what} is given twice"))
}

fn name(differences: &[(String, String)]) -> String {
    let word = |(what, value): &(String, String)| {
        let what = what.trim_start_matches("set:").trim_start_matches("config:");
        if what == "target" { format!("{what}={}", brief_address(value)) } else { format!("{what}={value}") }
    };
    match differences {
        [] => "as written".to_owned(),
        differences => differences.iter().map(word).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Client, Protocol, load};

    fn side(texts: &[&str]) -> Result<GatedArm, String> {
        let differences: Vec<_> = texts.iter().map(|text| difference(text).unwrap()).collect();
        let arguments = ArmArguments { option: "--a", differences: &differences, tls: &TlsOptions::default() };
        GatedArm::of(&load("workflow-engine").unwrap(), arguments).map_err(|failure| failure.to_string())
    }

    #[test]
    fn reads_every_kind_of_difference() {
        assert_eq!(difference("set:a.b = x=1"), Ok(Difference::Set("a.b".into(), "x=1".into())));
        assert_eq!(difference("config:io-threads=4"), Ok(Difference::Config("io-threads".into(), "4".into())));
        assert_eq!(difference("server-bin=/x"), Ok(Difference::ServerBin("/x".into())));
        let cluster = PrivateTopology::Cluster { primaries: 2, replicas: 0 };
        assert_eq!(difference("topology=cluster:2x0"), Ok(Difference::Topology(cluster)));
        assert_eq!(difference("tls=no"), Ok(Difference::Tls(false)));
        assert_eq!(difference("target=redis://h"), Ok(Difference::Target("redis://h".into())));
        assert_eq!(difference("exe=./p"), Ok(Difference::Exe("./p".into())));
        assert_eq!(difference("client=wire"), Ok(Difference::Option(Client::Wire.into())));
        for (text, expected) in [
            ("config:io-threads", "`config:io-threads` has no value"),
            ("set:=1", "`set:` has no name"),
            ("serverbin=/x", "expected set:FIELD=VALUE"),
            ("exe=", "`exe` has no value"),
            ("tls=on", "expected tls=yes or tls=no"),
            ("topology=ring", "cluster"),
            ("client=", "`` is not a client: expected client=fred or client=wire"),
            ("client=hiredis", "`hiredis` is not a client"),
            ("protocol=4", "`4` is not a protocol: expected protocol=2 or protocol=3"),
        ] {
            let message = difference(text).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn an_arm_is_named_by_what_it_has() {
        let arm = side(&["set:service.api.pool.size=7", "config:io-threads=4"]).unwrap();
        assert_eq!(arm.name, "service.api.pool.size=7, io-threads=4");
        assert_eq!(arm.scenario.services[1].pool.size, 7);
        let (topology, config) = (PrivateTopology::Standalone, vec![("io-threads".into(), "4".into())]);
        assert_eq!(arm.source, Source::Embedded { server_bin: None, topology, tls: false, config });
        assert_eq!(side(&[]).unwrap().name, "as written");
        let apart = side(&["topology=replica", "tls=yes"]).unwrap();
        assert_eq!(apart.name, "topology=replica, tls=yes");
        let (topology, config) = (PrivateTopology::Replica, Vec::new());
        assert_eq!(apart.source, Source::Embedded { server_bin: None, topology, tls: true, config });
        let seeds = "redis+cluster://localhost:7000,localhost:7001,localhost:7002";
        assert_eq!(
            side(&[&format!("target={seeds}")]).unwrap().name,
            "target=redis+cluster://localhost:7000 and 2 more"
        );
        let wire = side(&["client=wire", "set:service.api.client=fred"]).unwrap();
        assert_eq!(wire.name, "service.api.client=fred, client=wire");
        let clients: Vec<_> = wire.scenario.services.iter().map(|service| service.client).collect();
        assert_eq!(clients, [Client::Wire, Client::Fred, Client::Wire]);
        let newer = side(&["protocol=3", "client=wire"]).unwrap();
        assert_eq!(newer.name, "protocol=3, client=wire");
        assert!(newer.scenario.services.iter().all(|service| service.protocol == Protocol::Resp3));
        let target = side(&["target=redis://me:hunter2@localhost:7000"]).unwrap();
        assert_eq!(target.name, "target=redis://localhost:7000");
        assert!(!target.is_private() && !format!("{:?}", target.differences).contains("hunter2"));
        for secret in ["config:masterauth=hunter2", "config:TLS-key-file-PASS=hunter2"] {
            assert!(!format!("{:?}", side(&[secret]).unwrap().differences).contains("hunter2"), "{secret}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_arm() {
        for (texts, expected) in [
            (&["exe=/no/such/file"][..], "--a: exe=/no/such/file: no such file"),
            (&["server-bin=/etc/passwd"], "--a: server-bin=/etc/passwd is not executable"),
            (&["exe=/tmp"], "--a: exe=/tmp is not executable"),
            (&["config:daemonize=yes"], "--a: plimsoll sets daemonize"),
            (&["config:Port=1"], "--a: plimsoll sets Port"),
            (&["target=redis://h", "config:io-threads=4"], "--a: config applies to a private server, not to a target"),
            (&["target=redis://h", "topology=cluster"], "--a: topology applies to a private server, not to a target"),
            (&["topology=replica", "topology=cluster"], "--a: topology is given twice"),
            (&["target=redis://h", "target=redis://i"], "--a: target is given twice"),
            (&["client=fred", "client=wire"], "--a: client is given twice"),
            (&["protocol=3", "client=wire", "protocol=2"], "--a: protocol is given twice"),
            (&["target=localhost"], "`://` is missing"),
            (&["set:service.api.pool.siez=7"], "did you mean"),
        ] {
            let message = side(texts).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }
}
