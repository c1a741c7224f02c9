//! The command and its subcommands.

mod arguments;
mod axes;
mod bench;
mod bids;
mod desktop;
mod device;
mod evaluate;
mod folder;
mod foreign_weights;
mod import;
mod inference;
mod info;
mod log_plot;
mod merge;
mod output;
mod phantom;
mod refusals;
mod report;
mod run_files;
mod segment;
mod suggest;
mod synth;
mod train;
mod train_arguments;
mod train_augment;
mod train_learning;
mod train_network;
mod train_preset;
mod training_data;
mod training_maps;
mod training_set;
mod tune;

pub use output::NOTHING_DONE;

use clap::Subcommand;
use insitu_seg::Result;
use std::process::ExitCode;

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
    /// Segment a data set in BIDS form: derivatives for each scan, then a table and a page of all
    Bids(bids::Arguments),
    /// Train a stage of a model on a task's folder
    Train(Box<train::Arguments>),
    /// Make a model better by corrections of its masks, or leave it as it is
    Tune(tune::Arguments),
    /// Average tuned weights of one model, such as those of several sites
    Merge(merge::Arguments),
    /// Make a data set of phantoms to try out training: images with known labels, of any task
    Phantom(phantom::Arguments),
    /// Make images of label maps, as train --maps is shown them: a data set to look at, or to train on
    Synth(synth::Arguments),
    /// Where a correction of an image would teach most
    Suggest(suggest::Arguments),
    /// Take over weights that were trained elsewhere: .safetensors, or PyTorch's .pth
    Import(import::Arguments),
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

impl Action {
    fn may_open_a_gpu(&self) -> bool {
        matches!(
            self,
            Self::Segment(_)
                | Self::Bids(_)
                | Self::Train(_)
                | Self::Tune(_)
                | Self::Suggest(_)
                | Self::Bench(_)
        )
    }
}

/// Runs the command.
pub fn run(command: Command) -> Result<ExitCode> {
    if command.action.may_open_a_gpu() {
        desktop::without_device_selection();
    }
    match command.action {
        Action::Segment(arguments) => segment::run(&arguments),
        Action::Bids(arguments) => bids::run(&arguments),
        Action::Train(arguments) => train::run(&arguments),
        Action::Tune(arguments) => tune::run(&arguments),
        Action::Merge(arguments) => merge::run(&arguments),
        Action::Phantom(arguments) => phantom::run(&arguments),
        Action::Synth(arguments) => synth::run(&arguments),
        Action::Suggest(arguments) => suggest::run(&arguments),
        Action::Import(arguments) => import::run(&arguments),
        Action::Pack(arguments) => folder::pack(&arguments),
        Action::Bench(arguments) => bench::run(&arguments),
        Action::Evaluate(arguments) => evaluate::run(&arguments),
        Action::Info(arguments) => info::run(&arguments),
        Action::Models(arguments) => folder::list_models(&arguments),
    }
}
