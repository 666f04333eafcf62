//! Finding the server's program.

use std::{
    env,
    ffi::OsStr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use crate::target::TargetError;

/// Programs that will do, best known first.
const NAMES: [&str; 2] = ["redis-server", "valkey-server"];

/// The program that is asked for, or the first one on `PATH`.
pub(super) fn find(wanted: Option<&Path>) -> Result<PathBuf, TargetError> {
    match wanted {
        Some(program) => Ok(program.to_owned()),
        None => find_in(&env::var_os("PATH").unwrap_or_default()).ok_or(TargetError::NoServerProgram),
    }
}

fn find_in(path: &OsStr) -> Option<PathBuf> {
    NAMES.iter().find_map(|name| env::split_paths(path).map(|folder| folder.join(name)).find(|file| runs(file)))
}

/// Whether a program has ended because it has no TLS, by its log.
pub(super) fn has_no_tls(log: &str) -> bool {
    log.contains("tls-port") && log.contains("Bad directive")
}

fn runs(file: &Path) -> bool {
    file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    #[test]
    fn finds_programs_only() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        let path = env::join_paths([&one, &other]).unwrap();
        for place in [&one, &other] {
            fs::create_dir(place).unwrap();
        }
        assert_eq!(find_in(&path), None);
        fs::write(one.join("redis-server"), "").unwrap();
        assert_eq!(find_in(&path), None, "a file that cannot run is no program");
        fs::write(other.join("valkey-server"), "").unwrap();
        fs::set_permissions(other.join("valkey-server"), Permissions::from_mode(0o755)).unwrap();
        assert_eq!(find_in(&path), Some(other.join("valkey-server")));
    }

    #[test]
    fn says_how_to_get_one() {
        let message = TargetError::NoServerProgram.to_string();
        assert!(message.contains("apt install redis-server") && message.contains("--server-bin"), "{message}");
    }
}
