//! One check per field of an MGH header, as for NIfTI: the first error refuses the file; all checks are reported.

use super::fields::{HEADER_BYTES, MghFields};
use crate::error::Error;
use crate::file::checks::{
    Check, CheckInput, MAX_CHANNELS, Outcome, angles, memory_of, product, too_short, wrong_spacing,
};
use std::ops::RangeInclusive;

type Input<'a> = CheckInput<'a, MghFields>;
type CheckList = [(&'static str, fn(&Input) -> Outcome)];

/// The checks in the order in which they are reported.
const CHECKS: &CheckList = &[
    ("version", version),
    ("type", kind),
    ("dim", dim),
    ("memory", memory),
    ("length", length),
    ("dof", dof),
    ("goodRASFlag", good_ras),
    ("spacing", spacing),
    ("cosines", cosines),
    ("c_ras", centre),
    ("orientation", orientation),
    ("axes", axes),
];

/// Runs every check.
pub(in crate::file) fn run(input: &Input) -> Vec<Check> {
    CHECKS.iter().map(|(field, check)| Check::new(field, check(input))).collect()
}

fn version(Input { fields, gzip, .. }: &Input) -> Outcome {
    let packed = if *gzip { ", packed" } else { "" };
    match fields.intent {
        0 => Outcome::Ok(format!("1, MGH, big-endian{packed}")),
        intent => Outcome::Ok(format!("1, MGH, big-endian{packed}, intent {intent}")),
    }
}

fn kind(Input { fields, .. }: &Input) -> Outcome {
    if let Some(found) = fields.datatype() {
        return Outcome::Ok(found.name().to_owned());
    }
    let name = match fields.kind {
        2 => "long integers",
        5 => "single bits",
        6 => "tensors",
        7 | 8 => "complex numbers",
        9 => "RGB colours",
        _ => "an unknown code",
    };
    Outcome::Error(Error::unsupported(
        "type",
        format!("{name} ({})", fields.kind),
        "0 (uint8), 1 (int32), 3 (float32), 4 (int16) or 10 (uint16): one grey value per voxel",
    ))
}

fn dim(Input { fields, .. }: &Input) -> Outcome {
    let sizes = fields.dims;
    let names = ["width", "height", "depth", "nframes"];
    if let Some(axis) = sizes.iter().position(|&n| n < 1) {
        return Outcome::Error(Error::malformed(
            names[axis],
            sizes[axis].to_string(),
            "a size of at least 1",
        ));
    }
    let words = sizes[..if sizes[3] > 1 { 4 } else { 3 }].iter().map(i32::to_string);
    let words = words.collect::<Vec<_>>().join(" x ");
    match i64::from(sizes[3]) {
        1 => Outcome::Ok(words),
        frames if frames > MAX_CHANNELS => Outcome::Error(Error::limit(
            "nframes",
            frames.to_string(),
            format!("at most {MAX_CHANNELS} volumes in a file"),
        )),
        _ => Outcome::Warning(format!(
            "{words}: an image of several volumes; a model takes as many as it has channels"
        )),
    }
}

fn memory(Input { fields, limits, .. }: &Input) -> Outcome {
    memory_of(fields.count(), limits)
}

fn length(Input { fields, max_bytes, gzip, .. }: &Input) -> Outcome {
    let width = fields.datatype().map_or(0, |kind| kind.bytes() as u64);
    let voxels = fields.count().saturating_mul(width);
    let needed = voxels.saturating_add(HEADER_BYTES as u64);
    if needed > *max_bytes {
        return Outcome::Error(too_short(voxels, *gzip));
    }
    match max_bytes - needed {
        after if !gzip && after > 0 && *max_bytes < u64::MAX => {
            Outcome::Ok(format!("{voxels} bytes of voxels; {}", tail(after)))
        }
        _ => Outcome::Ok(format!("{voxels} bytes of voxels")),
    }
}

/// What lies behind the voxels, in words.
pub(in crate::file) fn tail(bytes: u64) -> String {
    format!("{bytes} bytes of scan parameters and tags follow, which are not copied into outputs")
}

fn dof(Input { fields, .. }: &Input) -> Outcome {
    Outcome::Ok(fields.dof.to_string())
}

fn good_ras(Input { fields, .. }: &Input) -> Outcome {
    match fields.good_ras {
        flag @ ..=0 => Outcome::Ok(format!("{flag}: the geometry is not stated")),
        1 => Outcome::Ok("1".to_owned()),
        flag => Outcome::Warning(format!("goodRASFlag is {flag}, not 1; the stated geometry counts")),
    }
}

/// What is said of fields that do not count.
const NOT_STATED: &str = "not stated";

fn spacing(Input { fields, .. }: &Input) -> Outcome {
    let spacing = fields.spacing.map(f64::from);
    match wrong_spacing(spacing) {
        _ if !fields.states_geometry() => Outcome::Ok(format!("{NOT_STATED}; 1 mm counts")),
        Some(error) => Outcome::Error(error),
        None => Outcome::Ok(format!("{} mm", product(spacing))),
    }
}

/// Lengths of an axis' cosines that are 1 but for rounding.
const ROUNDED: RangeInclusive<f64> = 0.999..=1.001;
/// Lengths outside are not of a direction.
const DIRECTION: RangeInclusive<f64> = 0.95..=1.05;

fn cosines(Input { fields, .. }: &Input) -> Outcome {
    if !fields.states_geometry() {
        return Outcome::Ok(NOT_STATED.to_owned());
    }
    let length =
        |axis: usize| fields.cosines[axis].iter().map(|&part| f64::from(part).powi(2)).sum::<f64>().sqrt();
    if let Some(axis) = (0..3).find(|&axis| !DIRECTION.contains(&length(axis))) {
        let found = fields.cosines[axis].map(|part| part.to_string()).join(", ");
        return Outcome::Error(Error::malformed(
            format!("cosines of {}", ["x", "y", "z"][axis]),
            found,
            "a direction of length 1",
        ));
    }
    match (0..3).find(|&axis| !ROUNDED.contains(&length(axis))) {
        Some(axis) => Outcome::Warning(format!(
            "the cosines of {} have the length {:.4}, not 1; the spacing is taken times that",
            ["x", "y", "z"][axis],
            length(axis)
        )),
        None => Outcome::Ok("of length 1".to_owned()),
    }
}

fn centre(Input { fields, .. }: &Input) -> Outcome {
    let words = fields.centre.map(|part| part.to_string()).join(", ");
    let finite = || fields.affine().iter().all(|row| row[3].is_finite());
    match fields.states_geometry() {
        false => Outcome::Ok(format!("{NOT_STATED}; 0, 0, 0 counts")),
        true if finite() => Outcome::Ok(format!("{words} mm")),
        true => Outcome::Error(Error::malformed("c_ras", words, "finite numbers, and a finite first voxel")),
    }
}

fn orientation(Input { fields, .. }: &Input) -> Outcome {
    if fields.states_geometry() {
        return Outcome::Ok("by the cosines".to_owned());
    }
    Outcome::Warning(
        "the file does not say how the image lies in the patient; FreeSurfer's default counts, coronal slices of 1 mm \
         with x towards left, y towards the feet, z towards the front, so left and right are an assumption"
            .to_owned(),
    )
}

fn axes(Input { fields, .. }: &Input) -> Outcome {
    angles(&fields.affine())
}
