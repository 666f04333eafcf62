//! The saved part of a run, with a hash: a merged run is only as good as each of its parts, and the parts come from other machines.

use std::{fs, io, path::Path};

use sha2::{Digest as _, Sha256};

use super::{
    HEADLINE, ResultsError, Run,
    folder::{SHARD_FILE, io_error},
};

/// Name of the file with the hash, in the format of sha256sum.
const HASH_FILE: &str = "shard.json.sha256";

/// Files beside the part itself.
pub fn shard_files(text: &str, headline: &str) -> Vec<(String, Vec<u8>)> {
    let hash = format!("{}  {SHARD_FILE}\n", sha256(text));
    vec![(HASH_FILE.to_owned(), hash.into_bytes()), (HEADLINE.to_owned(), format!("{headline}\n").into_bytes())]
}

/// Reads the part that a folder holds, as it was saved.
///
/// # Errors
///
/// [`ResultsError::Damaged`] where it is not what was saved.
pub fn load_shard(folder: &Path) -> Result<Run, ResultsError> {
    let read = |name: &str| {
        let file = folder.join(name);
        fs::read_to_string(&file).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound if name == SHARD_FILE => ResultsError::NoShard { place: folder.to_owned() },
            _ => io_error("read", &file, error),
        })
    };
    let (text, noted) = (read(SHARD_FILE)?, read(HASH_FILE)?);
    let in_file = |source| ResultsError::InFile { file: folder.join(SHARD_FILE), source: Box::new(source) };
    if noted.split_whitespace().next() != Some(sha256(&text).as_str()) {
        return Err(in_file(ResultsError::Damaged(format!("its SHA-256 is not the one in {HASH_FILE}"))));
    }
    Run::from_json(&text).map_err(in_file)
}

/// SHA-256, in hexadecimal digits.
pub fn sha256(bytes: impl AsRef<[u8]>) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{load, sample};

    #[test]
    fn one_changed_byte_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let text = Run { shard: Some(sample::shard(1, 4)), ..sample::run() }.to_json();
        fs::write(folder.path().join(SHARD_FILE), &text).unwrap();
        for (name, content) in shard_files(&text, "Shard 1 of 4") {
            fs::write(folder.path().join(name), content).unwrap();
        }
        assert_eq!(load_shard(folder.path()).unwrap().to_json(), text);
        assert!(matches!(load(folder.path()), Err(ResultsError::Shard { .. })));
        fs::write(folder.path().join(SHARD_FILE), text.replacen("node1", "node2", 1)).unwrap();
        let error = load_shard(folder.path()).unwrap_err().to_string();
        assert!(error.contains("damaged") && error.contains("SHA-256"), "{error}");
        fs::remove_file(folder.path().join(HASH_FILE)).unwrap();
        let error = load_shard(folder.path()).unwrap_err().to_string();
        assert!(error.contains(HASH_FILE), "{error}");
        fs::remove_file(folder.path().join(SHARD_FILE)).unwrap();
        assert!(matches!(load_shard(folder.path()), Err(ResultsError::NoShard { .. })));
    }
}
