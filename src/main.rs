//! `insitu`: segment, train, evaluate, inspect, from the command line.

mod cli;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run(cli::Command::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("insitu: {error}");
            ExitCode::from(cli::NOTHING_DONE)
        }
    }
}
