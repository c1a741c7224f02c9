//! The report of a run.

use insitu_seg::file::parts;
use insitu_seg::predict::{Model, Segmentation};
use insitu_seg::{Error, Result, store};
use std::path::Path;

/// The report: hashes and figures, without paths and texts of the file.
pub fn report(model: &Model, input: &Path, result: &Segmentation) -> Result<serde_json::Value> {
    let Segmentation { classes, region, boxes, measured, warnings, timings, orientation, .. } = result;
    let file = |path: &Path| -> Result<serde_json::Value> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        // A pipe cannot be read again.
        let sha256 = path.is_file().then(|| sha256(path)).transpose()?;
        Ok(serde_json::json!({"file": name, "sha256": sha256}))
    };
    let (header, voxels) = parts(input)?;
    let mut facts = file(&header)?;
    if let Some(path) = voxels {
        facts["voxels"] = file(&path)?;
    }
    let compute = model.compute();
    let mut report = serde_json::json!({
        "input": facts,
        "orientation": orientation,
        "model": {"name": model.card.name, "stages": model.card.stages},
        "program": {"name": "insitu", "version": env!("CARGO_PKG_VERSION")},
        "backend": compute.name(),
        "adapter": compute.adapter(),
        "box": {"start": region.0, "end": region.1},
        "boxes": boxes,
        "classes": classes,
        "timings": timings,
        "warnings": warnings,
        "notice": "Not a medical device; not for diagnosis.",
    });
    for volume in measured {
        report[format!("{}_ml", volume.name)] = volume.milliliters.into();
    }
    Ok(report)
}

/// SHA-256 of a file, which is never held whole.
pub fn sha256(path: &Path) -> Result<String> {
    let file = std::fs::File::open(path).map_err(|error| Error::io(path, &error))?;
    store::sha256_of_reader(file).map_err(|error| Error::io(path, &error))
}
