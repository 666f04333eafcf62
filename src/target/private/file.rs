//! Writing the files of a private deployment.

use std::{
    fs::File,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Writes a file that other users of this machine cannot read, even if they could enter its folder.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    File::options().create(true).truncate(true).write(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}
