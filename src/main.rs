//! The program; all of it is in [`plimsoll::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    plimsoll::cli::main()
}
