//! Facts that a result must carry to be understood later: the machine, and the program itself.

use std::{env, fs, process::Command};

use jiff::Timestamp;

use crate::results::{Environment, Software};

/// An instant as results have it.
pub(super) fn stamp(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Source of this build.
pub(super) fn software() -> Software {
    let commit = env!("PLIMSOLL_COMMIT");
    Software {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: (!commit.is_empty()).then(|| commit.to_owned()),
        fred: env!("PLIMSOLL_FRED").to_owned(),
        profile: env!("PLIMSOLL_PROFILE").to_owned(),
    }
}

/// Name of this machine, or of the node of Slurm that it is.
pub(super) fn host_name() -> String {
    let of_system = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    env::var("SLURMD_NODENAME").unwrap_or_else(|_| of_system())
}

/// The machine that this program runs on. What cannot be found out is `unknown` or 0.
pub(super) fn environment() -> Environment {
    let system = rustix::system::uname();
    let word = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    let machine = word(system.machine());
    let cpu = linux_cpu().or_else(|| sysctl("machdep.cpu.brand_string")).map(|cpu| squeeze(&cpu));
    Environment {
        cpu: cpu.unwrap_or_else(|| machine.clone()),
        cores: std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32),
        memory: linux_memory().or_else(|| sysctl("hw.memsize")?.parse().ok()).unwrap_or(0),
        kernel: format!("{} {} {machine}", word(system.sysname()), word(system.release())),
    }
}

fn linux_cpu() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    field(&text, "model name").or_else(|| field(&text, "Model"))
}

/// Memory in bytes.
fn linux_memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let kibibytes: u64 = field(&text, "MemTotal")?.strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// The value of the first line `name : value`.
fn field(text: &str, name: &str) -> Option<String> {
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
}

/// The way of macOS and the BSDs.
fn sysctl(name: &str) -> Option<String> {
    let output = Command::new("sysctl").args(["-n", name]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_program() {
        let software = software();
        assert!(include_str!("../../Cargo.toml").contains(&format!("version = \"={}\"", software.fred)));
        // target/PROFILE/deps/TEST
        let folder = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
        assert_eq!(software.profile.as_str(), folder.file_name().unwrap());
        assert!(software.commit.is_none_or(|commit| commit.len() >= 12));
    }

    #[test]
    fn knows_the_machine() {
        let environment = environment();
        assert!(!environment.cpu.is_empty());
        assert!(environment.cores > 0);
        assert!(environment.memory > 1 << 20, "{} bytes", environment.memory);
        assert!(environment.kernel.contains(' '));
    }

    #[test]
    fn reads_fields_of_proc_files() {
        let text = "processor\t: 0\nmodel name\t: A  CPU\nMemTotal:       16 kB\n";
        assert_eq!(field(text, "model name").as_deref(), Some("A  CPU"));
        assert_eq!(field(text, "MemTotal").as_deref(), Some("16 kB"));
        assert_eq!(field(text, "Model"), None);
    }
}
