//! The machine of a server that runs where the harness does: what its kernel is set to.

use std::{fs, thread};

use crate::results::Machine;

/// Kernel settings of this machine; only the number of cores where the kernel is not Linux.
pub fn machine() -> Machine {
    let read = |path: &str| fs::read_to_string(path).ok();
    let number = |path: &str| read(path)?.trim().parse::<u64>().ok();
    Machine {
        cores: thread::available_parallelism().ok().map(|cores| cores.get() as u32),
        huge_pages: read("/sys/kernel/mm/transparent_hugepage/enabled").and_then(|text| chosen(&text)),
        overcommit: number("/proc/sys/vm/overcommit_memory").and_then(|mode| u8::try_from(mode).ok()),
        somaxconn: number("/proc/sys/net/core/somaxconn"),
    }
}

/// The word in brackets: `always [madvise] never`.
fn chosen(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('[')?;
    Some(rest.split_once(']')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_word_is_the_one_in_brackets() {
        assert_eq!(chosen("always [madvise] never\n").as_deref(), Some("madvise"));
        assert_eq!(chosen("never"), None);
    }

    #[test]
    fn a_machine_has_cores() {
        assert!(machine().cores.is_some_and(|cores| cores > 0));
    }
}
