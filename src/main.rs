//! The `latchkey` binary: hands the command line to [`latchkey::cli`] and exits with its code.

use std::process::ExitCode;

use latchkey::Latchkey;

fn main() -> ExitCode {
    latchkey::cli::run(Latchkey::builder(), std::env::args_os())
}
