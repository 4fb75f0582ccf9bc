//! The program `stepwell`.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::cli::main()
}
