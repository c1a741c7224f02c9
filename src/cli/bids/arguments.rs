//! The arguments of `insitu bids`.

use super::super::arguments::Budget;
use super::super::inference::ModelArguments;
use super::dataset::Selection;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Arguments of `insitu bids`.
#[derive(Args)]
pub struct Arguments {
    /// The folder of a data set in BIDS form; nothing is written there
    pub bids_dir: PathBuf,
    /// The folder of the derivatives: one model's masks of one kind of images
    pub out_dir: PathBuf,
    /// One scan after the other, or the table and the page of all of them
    pub level: Level,
    /// Only these participants, with or without sub-
    #[arg(long, num_args = 1.., value_name = "LABEL")]
    participant_label: Vec<String>,
    /// Only these sessions, with or without ses-
    #[arg(long, num_args = 1.., value_name = "LABEL")]
    session_label: Vec<String>,
    /// What kind of images: the end of their names. T1w where nothing is said; of a group, what its masks were made of
    #[arg(long)]
    pub suffix: Option<String>,
    #[command(flatten)]
    pub model: ModelArguments,
    #[command(flatten)]
    pub budget: Budget,
}

/// A level of a BIDS App.
#[derive(Clone, Copy, ValueEnum)]
pub enum Level {
    /// A mask, its volumes and a report for each scan, where they are missing or what they are made of has changed
    Participant,
    /// group.tsv and group.html of all scans, from what the participant level wrote
    Group,
}

impl Arguments {
    /// Which part of the data set is wanted.
    pub fn selection(&self) -> Selection {
        Selection::new(&self.participant_label, &self.session_label)
    }
}
