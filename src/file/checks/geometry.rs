//! Checks of the geometry: units, spacings, sform, qform, axes.

use super::check::{CheckInput, Outcome};
use crate::error::Error;
use crate::file::layout::{Fields, LengthUnit};
use crate::file::sform_qform::{self, Affine};

pub(super) fn xyzt_units(CheckInput { fields, .. }: &CheckInput) -> Outcome {
    let name = match fields.length_unit() {
        LengthUnit::Metre => "metres",
        LengthUnit::Millimetre => return Outcome::Ok("mm".to_owned()),
        LengthUnit::Micrometre => "micrometres",
        LengthUnit::Unstated => return Outcome::Ok("not stated".to_owned()),
    };
    Outcome::Warning(format!("the file states lengths in {name}; they are converted to mm"))
}

/// A length rounded to a nanometre, for messages.
fn short(length: f64) -> f64 {
    if length.abs() < 1e6 { (length * 1e6).round() / 1e6 } else { length }
}

pub(in crate::file) fn product(lengths: [f64; 3]) -> String {
    let [x, y, z] = lengths.map(short);
    format!("{x} x {y} x {z}")
}

/// Whether the geometry follows from the spacings.
fn spacings_count(fields: &Fields) -> bool {
    fields.sform_code <= 0
}

pub(super) fn pixdim(CheckInput { fields, .. }: &CheckInput) -> Outcome {
    let spacings = [fields.pixdim[1], fields.pixdim[2], fields.pixdim[3]];
    let [x, y, z] = spacings;
    let words = product(spacings);
    if !spacings_count(fields) {
        return Outcome::Ok(words);
    }
    if [x, y, z].iter().any(|v| !v.is_finite()) {
        return Outcome::Error(Error::malformed("pixdim", words, "finite spacings"));
    }
    let slice = fields.dim[0] < 3 && z == 0.0;
    if [x, y].contains(&0.0) || (z == 0.0 && !slice) {
        return Outcome::Warning(format!("the spacings are {words}; 0 counts as 1"));
    }
    if x < 0.0 || y < 0.0 || z < 0.0 {
        return Outcome::Warning(format!("the spacings are {words}; the signs are ignored"));
    }
    Outcome::Ok(words)
}

pub(super) fn qfac(CheckInput { fields, .. }: &CheckInput) -> Outcome {
    let found = fields.pixdim[0];
    if fields.qform_code > 0 && ![1.0, -1.0, 0.0].contains(&found) {
        return Outcome::Warning(format!(
            "qfac (pixdim[0]) is {found}; it counts as {}",
            sform_qform::qfac(fields)
        ));
    }
    Outcome::Ok(found.to_string())
}

pub(super) fn qform(CheckInput { fields, .. }: &CheckInput) -> Outcome {
    let code = fields.qform_code;
    if code <= 0 {
        return Outcome::Ok("none".to_owned());
    }
    let sound = sform_qform::is_quaternion(fields.quatern) && fields.qoffset.iter().all(|v| v.is_finite());
    match (sound, spacings_count(fields)) {
        (true, _) => form(code),
        (false, true) => {
            let found = format!("b, c, d = {:?}, offset {:?}", fields.quatern, fields.qoffset);
            Outcome::Error(Error::malformed("quatern", found, "finite numbers, b² + c² + d² at most 1"))
        }
        (false, false) => {
            Outcome::Warning("the quaternion form is no rotation; the affine form counts".to_owned())
        }
    }
}

pub(super) fn sform(CheckInput { fields, .. }: &CheckInput) -> Outcome {
    let code = fields.sform_code;
    if code <= 0 {
        return Outcome::Ok("none".to_owned());
    }
    if fields.srow.iter().flatten().any(|v| !v.is_finite()) {
        return Outcome::Error(Error::malformed("srow", "a value that is not finite", "finite numbers"));
    }
    if fields.qform_code > 0 {
        let (a, b) = (sform_qform::sform(fields), sform_qform::qform(fields));
        let off = a.iter().flatten().zip(b.iter().flatten()).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
        if off > 1e-3 {
            return Outcome::Warning(format!(
                "the affine form (sform), which counts, differs from the quaternion form (qform) by up to {off:.3} mm"
            ));
        }
    }
    form(code)
}

/// The standard's codes are 1 to 5; a form counts where its code is above 0.
fn form(code: i32) -> Outcome {
    if (1..=5).contains(&code) {
        return Outcome::Ok(format!("code {code}"));
    }
    Outcome::Warning(format!("code {code} is none of the standard's; the form counts all the same"))
}

pub(super) fn orientation(CheckInput { fields, .. }: &CheckInput) -> Outcome {
    match (fields.sform_code > 0, fields.qform_code > 0) {
        (true, _) => Outcome::Ok("by the affine form".to_owned()),
        (_, true) => Outcome::Ok("by the quaternion form".to_owned()),
        _ => Outcome::Warning(
            "the file does not say how the image lies in the patient; left and right are not known"
                .to_owned(),
        ),
    }
}

pub(super) fn spacing(CheckInput { fields, .. }: &CheckInput) -> Outcome {
    let affine = sform_qform::affine(fields);
    let lengths = sform_qform::lengths(&affine);
    if let Some(error) = wrong_spacing(lengths) {
        return Outcome::Error(error);
    }
    let differs = |axis: &usize| {
        let stated = fields.length_unit().mm(fields.pixdim[axis + 1]).abs();
        // Written as !(x <= tolerance) so that NaN differs.
        let same = (stated - lengths[*axis]).abs() <= 1e-3 * lengths[*axis];
        stated != 0.0 && !same
    };
    match (0..3).find(differs) {
        Some(axis) => Outcome::Warning(format!(
            "pixdim[{}] is {} mm, the affine says {} mm; the affine counts",
            axis + 1,
            short(fields.length_unit().mm(fields.pixdim[axis + 1])),
            short(lengths[axis])
        )),
        None => Outcome::Ok(format!("{} mm", product(lengths))),
    }
}

/// The error of spacings that no image has, or of numbers that are none.
pub(in crate::file) fn wrong_spacing(lengths: [f64; 3]) -> Option<Error> {
    let axis = lengths.iter().position(|length| !(1e-6..=1e6).contains(length))?;
    Some(Error::malformed(
        format!("spacing of axis {axis}"),
        format!("{} mm", lengths[axis]),
        "a length between 0.000001 and 1000000 mm",
    ))
}

/// Largest cosine between axes that counts as a right angle with rounding.
const SKEW_TOLD: f64 = 1e-3;
/// Axes less than 60 degrees apart: which of them is "right" is no longer clear.
const SKEW_REFUSED: f64 = 0.5;
/// The volume of a voxel with sides of 1 and these angles; of three axes in one plane it is 0.
const FLAT_REFUSED: f64 = 0.6;

pub(super) fn axes(CheckInput { fields, .. }: &CheckInput) -> Outcome {
    angles(&sform_qform::affine(fields))
}

/// Whether the axes stand at right angles, or nearly so.
pub(in crate::file) fn angles(affine: &Affine) -> Outcome {
    let skew = sform_qform::max_cosine(affine);
    let degrees = skew.min(1.0).acos().to_degrees();
    // Written as !(x <= limit) so that NaN fails.
    let right = skew <= SKEW_REFUSED;
    if right && sform_qform::normalized_volume(affine) < FLAT_REFUSED {
        let expected = "axes at right angles, or nearly so";
        return Outcome::Error(Error::unsupported(
            "affine",
            "three axes that lie almost in one plane",
            expected,
        ));
    }
    if !right {
        let found = format!("axes {degrees:.0} degrees apart");
        return Outcome::Error(Error::unsupported(
            "affine",
            found,
            "axes at right angles, 60 degrees apart at least",
        ));
    }
    if skew > SKEW_TOLD {
        return Outcome::Warning(format!(
            "the axes are sheared: {degrees:.1} degrees apart; voxels are taken as they lie"
        ));
    }
    Outcome::Ok("at right angles".to_owned())
}
