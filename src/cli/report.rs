//! What a run leaves beside its masks: the report and the table of volumes.

use insitu_seg::file::parts;
use insitu_seg::predict::{LabelVolume, Model, Segmentation};
use insitu_seg::{Error, ErrorKind, Result, store};
use std::path::Path;

/// What was done; no path and no text of the file, only hashes and figures.
pub fn report(model: &Model, input: &Path, result: &Segmentation) -> Result<serde_json::Value> {
    let Segmentation { classes, region, warnings, timings, orientation, .. } = result;
    let file = |path: &Path| -> Result<serde_json::Value> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        // What came through a pipe is gone.
        let sha256 = path.is_file().then(|| sha256(path)).transpose()?;
        Ok(serde_json::json!({"file": name, "sha256": sha256}))
    };
    let (header, voxels) = parts(input)?;
    let mut facts = file(&header)?;
    if let Some(path) = voxels {
        facts["voxels"] = file(&path)?;
    }
    let compute = model.compute();
    Ok(serde_json::json!({
        "input": facts,
        "orientation": orientation,
        "model": {"name": model.card.name, "stages": model.card.stages},
        "program": {"name": "insitu", "version": env!("CARGO_PKG_VERSION")},
        "backend": compute.name(),
        "adapter": compute.adapter(),
        "box": {"start": region.0, "end": region.1},
        "classes": classes,
        "timings": timings,
        "warnings": warnings,
        "notice": "Not a medical device; not for diagnosis.",
    }))
}

/// SHA-256 of a file, which is never held whole.
fn sha256(path: &Path) -> Result<String> {
    let file = std::fs::File::open(path).map_err(|error| Error::io(path, &error))?;
    store::sha256_of_reader(file).map_err(|error| Error::io(path, &error))
}

/// The volume of every label of every case: `case,index,name,voxels,milliliters`.
pub fn volumes_csv(table: &[(String, LabelVolume)]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let head = ["case", "index", "name", "voxels", "milliliters"].map(str::to_owned);
    let rows = table.iter().map(|(case, LabelVolume { label, voxels, milliliters })| {
        [
            case.clone(),
            label.index.to_string(),
            label.name.clone(),
            voxels.to_string(),
            format!("{milliliters:.4}"),
        ]
    });
    let fault = |error: String| Error::new(ErrorKind::Io, "--csv", error, "a table");
    std::iter::once(head)
        .chain(rows)
        .try_for_each(|row| writer.write_record(row))
        .map_err(|error| fault(error.to_string()))?;
    writer.into_inner().map_err(|error| fault(error.to_string()))
}
