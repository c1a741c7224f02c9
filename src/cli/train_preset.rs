//! Arguments of `insitu train` on the geometry of the cascade. Both stages of a model share it, in training and in use.

use super::refusals::{refuse, within};
use clap::Args;
use insitu_seg::Result;
use insitu_seg::card::{Card, Preset};
use std::path::Path;

/// The arguments on the geometry.
#[derive(Args)]
pub struct PresetArguments {
    /// Volumes and boxes of more voxels than this shrink, in training and in use (180^3 where nothing is said)
    #[arg(long, value_name = "N")]
    max_voxels: Option<usize>,
    /// Sides of the object's box grow to so many voxels before the margin is added, in training and in use (24; the
    /// published notes say 28)
    #[arg(long, value_name = "N")]
    min_box: Option<usize>,
    /// Shorter sides of a box are stretched to so many voxels, in training and in use (24)
    #[arg(long, value_name = "N")]
    min_side: Option<usize>,
    /// Share of a side that is added to the box at each of its ends, in use; for training see --margin-spread (0.2)
    #[arg(long, value_name = "SHARE")]
    margin: Option<f64>,
}

impl PresetArguments {
    /// What is given, else what the recipe says, else what the model has that was begun with.
    ///
    /// # Errors
    /// `Argument` for values that no card may have, and for other ones than the model was begun with.
    pub fn resolve(&self, recipe: Option<Preset>, begun: Option<&Card>, model: &Path) -> Result<Preset> {
        let begun = begun.map(|card| card.preset);
        let base = recipe.or(begun).unwrap_or_default();
        let preset = Preset {
            min_box: self.min_box.unwrap_or(base.min_box),
            min_side: self.min_side.unwrap_or(base.min_side),
            margin: self.margin.unwrap_or(base.margin),
            max_voxels: self.max_voxels.unwrap_or(base.max_voxels),
        };
        within("--min-box", preset.min_box, 1..=1024)?;
        within("--min-side", preset.min_side, 16..=256)?;
        within("--margin", preset.margin, 0.0..=4.0)?;
        within("--max-voxels", preset.max_voxels, preset.min_side.pow(3)..=1 << 28)?;
        let Some(known) = begun else { return Ok(preset) };
        let settings = |p: Preset| [p.max_voxels as f64, p.min_box as f64, p.min_side as f64, p.margin];
        let names = ["--max-voxels", "--min-box", "--min-side", "--margin"];
        let pairs = settings(preset).into_iter().zip(settings(known));
        match names.into_iter().zip(pairs).find(|(_, (wanted, known))| wanted != known) {
            Some((name, (wanted, known))) => {
                refuse(name, &wanted, &format!("{known}, as {} has for both stages", model.display()))
            }
            None => Ok(preset),
        }
    }
}
