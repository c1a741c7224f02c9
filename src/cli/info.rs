//! `insitu info`: what a file says of itself.

use super::arguments::Budget;
use super::output::{NOTHING_DONE, print_json, print_line};
use clap::Args;
use insitu_seg::Result;
use insitu_seg::file::open_path;
use insitu_seg::info::{Refusal, VolumeInfo};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `insitu info`.
#[derive(Args)]
pub struct Arguments {
    /// A .nii or .nii.gz file, either file of a .hdr/.img pair, or FreeSurfer's .mgz or .mgh
    file: PathBuf,
    /// As JSON; for a file that is refused too: `error` and `checks`
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    budget: Budget,
}

/// Prints the facts of a file.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let info = match VolumeInfo::of(open_path(&arguments.file, &arguments.budget.limits())) {
        Ok(info) => info,
        Err(refusal) => return refuse(arguments, refusal),
    };
    if arguments.json {
        print_json(&info)?;
        return Ok(ExitCode::SUCCESS);
    }
    let size = info.dims.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ");
    let [sx, sy, sz] = info.spacing_mm;
    let mut lines = vec![
        format!("size         {size} voxels"),
        format!("spacing      {sx} x {sy} x {sz} mm"),
        format!("orientation  {}", info.orientation),
        format!(
            "stored as    {}, {}, slope {}, intercept {}",
            info.format, info.datatype, info.slope, info.inter
        ),
        format!("forms        sform {}, qform {}", info.sform_code, info.qform_code),
        format!("values       {} to {}, mean {:.4}", info.min, info.max, info.mean),
    ];
    lines.extend(info.warnings.iter().map(|warning| format!("warning      {warning}")));
    print_line(&lines.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// One line on stderr; with `--json` every check as well.
fn refuse(arguments: &Arguments, Refusal { error, checks }: Refusal) -> Result<ExitCode> {
    let error = error.of_file(&arguments.file);
    if arguments.json {
        let facts = serde_json::json!({"code": error.code(), "message": error.to_string()});
        print_json(&serde_json::json!({"error": facts, "checks": checks}))?;
    }
    eprintln!("insitu: {error}");
    Ok(ExitCode::from(NOTHING_DONE))
}
