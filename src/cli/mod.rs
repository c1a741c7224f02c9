//! The command's arguments, and what its parts share.

mod axes;
mod bench;
mod evaluate;
mod folder;
mod info;
mod log_plot;
mod phantom;
mod report;
mod run_files;
mod segment;
mod suggest;
mod train;
mod train_arguments;
mod training_data;
mod tune;

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use insitu_seg::{Error, Limits, Result};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

/// Exit status where some inputs of a batch failed and the rest was written.
pub const SOME_FAILED: u8 = 1;
/// Exit status where nothing was done.
pub const NOTHING_DONE: u8 = 2;

/// 3-D medical image segmentation. Not a medical device; not for diagnosis.
#[derive(clap::Parser)]
#[command(name = "insitu", version)]
pub struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Segment volumes: masks on each file's own grid
    Segment(segment::Arguments),
    /// Train a stage of a model on a task's folder
    Train(train::Arguments),
    /// Make a model better by corrections of its masks, or leave it as it is
    Tune(tune::Arguments),
    /// Make a data set of phantoms to try out training: images with known labels, of any task
    Phantom(phantom::Arguments),
    /// Where a correction of an image would teach most
    Suggest(suggest::Arguments),
    /// Copy a trained model in the form that is shipped (16-bit weights)
    Pack(folder::PackArguments),
    /// Measure how fast a network runs here
    Bench(bench::Arguments),
    /// Compare masks with the truth: DSC, NSD and HD95 per case and label
    Evaluate(evaluate::Arguments),
    /// What a file says of itself
    Info(info::Arguments),
    /// List the models that are found
    Models(folder::ModelsArguments),
}

/// The memory budget, of the commands that read one image at a time.
#[derive(clap::Args)]
struct Budget {
    /// Refuse volumes that are larger than this when decoded, in MiB
    #[arg(long, default_value_t = Limits::default().bytes >> 20)]
    limit: u64,
}

impl Budget {
    fn limits(&self) -> Limits {
        Limits { bytes: self.limit.saturating_mul(1 << 20) }
    }
}

/// Runs the command.
pub fn run(command: Command) -> Result<ExitCode> {
    match command.action {
        Action::Segment(arguments) => segment::run(&arguments),
        Action::Train(arguments) => train::run(&arguments),
        Action::Tune(arguments) => tune::run(&arguments),
        Action::Phantom(arguments) => phantom::run(&arguments),
        Action::Suggest(arguments) => suggest::run(&arguments),
        Action::Pack(arguments) => folder::pack(&arguments),
        Action::Bench(arguments) => bench::run(&arguments),
        Action::Evaluate(arguments) => evaluate::run(&arguments),
        Action::Info(arguments) => info::run(&arguments),
        Action::Models(arguments) => folder::list_models(&arguments),
    }
}

/// A progress bar with the time left, on a terminal only.
fn progress_bar(length: u64, template: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style)
}

/// Prints a line. A reader that has closed the pipe has what it wanted.
fn print_line(line: &str) -> Result<()> {
    match writeln!(std::io::stdout().lock(), "{line}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::io(Path::new("standard output"), &error))
        }
        _ => Ok(()),
    }
}

/// Prints a value as JSON.
fn print_json(value: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Error::argument("output", error.to_string(), "values that JSON can hold"))?;
    print_line(&text)
}
