//! The `latchkey` binary: hands the command line to [`latchkey::cli`] and exits with its code.

use std::process::ExitCode;

fn main() -> ExitCode {
    latchkey::cli::run(std::env::args_os())
}
