//! `insitu info`: what a file says of itself.

use super::print_json;
use clap::Args;
use insitu_seg::Result;
use insitu_seg::info::VolumeInfo;
use insitu_seg::train::data::open;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `insitu info`.
#[derive(Args)]
pub struct Arguments {
    /// A .nii or .nii.gz file
    file: PathBuf,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Prints the facts of a file.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let info = VolumeInfo::of(&open(&arguments.file)?);
    if arguments.json {
        print_json(&info)?;
        return Ok(ExitCode::SUCCESS);
    }
    let [x, y, z] = info.dims;
    let [sx, sy, sz] = info.spacing_mm;
    println!("size         {x} x {y} x {z} voxels");
    println!("spacing      {sx} x {sy} x {sz} mm");
    println!("orientation  {}", info.orientation);
    println!("stored as    {}, slope {}, intercept {}", info.datatype, info.slope, info.inter);
    println!("forms        sform {}, qform {}", info.sform_code, info.qform_code);
    println!("values       {} to {}, mean {:.4}", info.min, info.max, info.mean);
    info.warnings.iter().for_each(|warning| println!("warning      {warning}"));
    Ok(ExitCode::SUCCESS)
}
