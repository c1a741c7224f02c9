//! The group level: what the participant level wrote, as one table and one page.

use super::super::output::print_line;
use super::arguments::Arguments;
use super::dataset::find_scans;
use super::derivative::{Kind, kind, write_changed};
use super::outliers::{distributions, outliers};
use super::page::{Group, page};
use super::rows::{Status, rows};
use super::table::{dictionary, table};
use super::words::scans;
use insitu_seg::native::remove_unfinished;
use insitu_seg::{Error, Result};
use std::process::ExitCode;

/// Writes `group.tsv`, `group.json` and `group.html`. Failed scans are rows, not a failure of the group.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Arguments { bids_dir, out_dir: out, suffix, .. } = arguments;
    let Some(kind) = kind(out)? else {
        let expected = "what the participant level writes; run it first";
        return Err(Error::argument(out.display().to_string(), "no dataset_description.json", expected));
    };
    if let Some(other) = suffix.as_ref().filter(|suffix| **suffix != kind.suffix) {
        return Err(Error::argument(
            "--suffix",
            other,
            format!("{}, as {} holds {kind}", kind.suffix, out.display()),
        ));
    }
    let Kind { suffix, .. } = &kind;
    let wanted = arguments.selection();
    let rows = rows(out, &find_scans(bids_dir, suffix, &wanted)?.scans, &wanted)?;
    remove_unfinished(out)?;
    let volumes = distributions(&rows);
    let outliers = outliers(&volumes);
    write_changed(&out.join("group.tsv"), table(&rows, &volumes, &outliers).as_bytes())?;
    write_changed(&out.join("group.json"), dictionary(&volumes).as_bytes())?;
    let page = page(&Group {
        title: kind.to_string(),
        rows: &rows,
        volumes: &volumes,
        outliers: &outliers,
        folder: out,
    });
    write_changed(&out.join("group.html"), page.as_bytes())?;
    let count = |status: Status| rows.iter().filter(|row| row.status == status).count();
    print_line(&format!(
        "{}: {}: {} with a mask, {} failed, {} missing; {} with outliers",
        out.join("group.html").display(),
        scans(rows.len()),
        count(Status::Done),
        count(Status::Failed),
        count(Status::Missing),
        outliers.len(),
    ))?;
    Ok(ExitCode::SUCCESS)
}
