//! Arguments of `insitu train` on the network.

use super::refusals::within;
use clap::{Args, ValueEnum};
use insitu_seg::Result;
use insitu_seg::model::{Architecture, Blocks};

#[derive(Clone, Copy, ValueEnum)]
enum BlocksName {
    SeRes,
    Plain,
}

/// The arguments on the network.
#[derive(Args)]
pub struct NetworkArguments {
    /// Channels at full resolution (32 where nothing is said)
    #[arg(long)]
    base: Option<usize>,
    /// Number of poolings, 3 or 4 (3)
    #[arg(long)]
    depth: Option<usize>,
    /// Blocks of each level of the network (se-res)
    #[arg(long)]
    blocks: Option<BlocksName>,
    /// Weigh the skips by attention gates
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    attention: Option<bool>,
    /// Learn the region of interest too, at 1/8 of the size; a whole stage that has it finds the object by it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    roi: Option<bool>,
    /// Probabilities not above one half become 0 before folds are summed or averaged
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    threshold: Option<bool>,
}

impl NetworkArguments {
    /// Puts what is given in place of what the recipe has.
    pub fn apply(&self, architecture: &mut Architecture) -> Result<()> {
        let blocks = self.blocks.map(|name| match name {
            BlocksName::SeRes => Blocks::SeRes,
            BlocksName::Plain => Blocks::Plain,
        });
        *architecture = Architecture {
            base: self.base.unwrap_or(architecture.base),
            depth: self.depth.unwrap_or(architecture.depth),
            blocks: blocks.unwrap_or(architecture.blocks),
            attention: self.attention.unwrap_or(architecture.attention),
            roi: self.roi.unwrap_or(architecture.roi),
            threshold: self.threshold.unwrap_or(architecture.threshold),
            ..*architecture
        };
        within("--base", architecture.base, 1..=256)?;
        within("--depth", architecture.depth, 3..=4)
    }
}
