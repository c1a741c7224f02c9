//! Checks of where the voxels are: units, spacings, forms, axes.

use super::Outcome::{self, Fine, Odd, Wrong};
use super::Seen;
use crate::error::Error;
use crate::file::forms;
use crate::file::layout::Fields;

pub(super) fn xyzt_units(Seen { fields, .. }: &Seen) -> Outcome {
    let name = match fields.xyzt_units & 7 {
        1 => "metres",
        2 => return Fine("mm".to_owned()),
        3 => "micrometres",
        _ => return Fine("not stated".to_owned()),
    };
    Odd(format!("the file states lengths in {name}; they are read as mm, as other readers do"))
}

/// A length as people write it, to a nanometre.
fn short(length: f64) -> f64 {
    if length.abs() < 1e6 { (length * 1e6).round() / 1e6 } else { length }
}

fn product(lengths: [f64; 3]) -> String {
    let [x, y, z] = lengths.map(short);
    format!("{x} x {y} x {z}")
}

/// Whether spacings decide where voxels are.
fn spacings_count(fields: &Fields) -> bool {
    fields.sform_code <= 0
}

pub(super) fn pixdim(Seen { fields, .. }: &Seen) -> Outcome {
    let spacings = [fields.pixdim[1], fields.pixdim[2], fields.pixdim[3]];
    let [x, y, z] = spacings;
    let words = product(spacings);
    if !spacings_count(fields) {
        return Fine(words);
    }
    if [x, y, z].iter().any(|v| !v.is_finite()) {
        return Wrong(Error::malformed("pixdim", words, "finite spacings"));
    }
    let slice = fields.dim[0] < 3 && z == 0.0;
    if [x, y].contains(&0.0) || (z == 0.0 && !slice) {
        return Odd(format!("the spacings are {words} mm; 0 counts as 1 mm"));
    }
    if x < 0.0 || y < 0.0 || z < 0.0 {
        return Odd(format!("the spacings are {words} mm; the signs are ignored"));
    }
    Fine(words)
}

pub(super) fn qfac(Seen { fields, .. }: &Seen) -> Outcome {
    let found = fields.pixdim[0];
    if fields.qform_code > 0 && ![1.0, -1.0, 0.0].contains(&found) {
        return Odd(format!("qfac (pixdim[0]) is {found}; it counts as {}", forms::qfac(fields)));
    }
    Fine(found.to_string())
}

pub(super) fn qform(Seen { fields, .. }: &Seen) -> Outcome {
    let code = fields.qform_code;
    if code <= 0 {
        return Fine("none".to_owned());
    }
    let sound = forms::is_quaternion(fields.quatern) && fields.qoffset.iter().all(|v| v.is_finite());
    match (sound, spacings_count(fields)) {
        (true, _) => form(code),
        (false, true) => {
            let found = format!("b, c, d = {:?}, offset {:?}", fields.quatern, fields.qoffset);
            Wrong(Error::malformed("quatern", found, "finite numbers, b² + c² + d² at most 1"))
        }
        (false, false) => Odd("the quaternion form is no rotation; the affine form counts".to_owned()),
    }
}

pub(super) fn sform(Seen { fields, .. }: &Seen) -> Outcome {
    let code = fields.sform_code;
    if code <= 0 {
        return Fine("none".to_owned());
    }
    if fields.srow.iter().flatten().any(|v| !v.is_finite()) {
        return Wrong(Error::malformed("srow", "a value that is not finite", "finite numbers"));
    }
    if fields.qform_code > 0 {
        let (a, b) = (forms::sform(fields), forms::qform(fields));
        let off = a.iter().flatten().zip(b.iter().flatten()).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
        if off > 1e-3 {
            return Odd(format!(
                "the affine form differs from the quaternion form by up to {off:.3}; it counts"
            ));
        }
    }
    form(code)
}

/// The standard's codes are 1 to 5; a form counts where its code is above 0.
fn form(code: i32) -> Outcome {
    if (1..=5).contains(&code) {
        return Fine(format!("code {code}"));
    }
    Odd(format!("code {code} is none of the standard's; the form counts all the same"))
}

pub(super) fn orientation(Seen { fields, .. }: &Seen) -> Outcome {
    match (fields.sform_code > 0, fields.qform_code > 0) {
        (true, _) => Fine("by the affine form".to_owned()),
        (_, true) => Fine("by the quaternion form".to_owned()),
        _ => Odd("the file does not say how the image lies in the patient; left and right are not known"
            .to_owned()),
    }
}

pub(super) fn spacing(Seen { fields, .. }: &Seen) -> Outcome {
    let affine = forms::affine(fields);
    let lengths = forms::lengths(&affine);
    for (axis, length) in lengths.into_iter().enumerate() {
        if !(1e-6..=1e6).contains(&length) {
            let expected = "a length between 0.000001 and 1000000 mm";
            return Wrong(Error::malformed(
                format!("spacing of axis {axis}"),
                format!("{length} mm"),
                expected,
            ));
        }
    }
    let differs = |axis: &usize| {
        let stated = fields.pixdim[axis + 1].abs();
        // Asked for what is right, so that NaN differs.
        let same = (stated - lengths[*axis]).abs() <= 1e-3 * lengths[*axis];
        stated != 0.0 && !same
    };
    match (0..3).find(differs) {
        Some(axis) => Odd(format!(
            "pixdim[{}] is {} mm, the affine says {} mm; the affine counts",
            axis + 1,
            short(fields.pixdim[axis + 1]),
            short(lengths[axis])
        )),
        None => Fine(format!("{} mm", product(lengths))),
    }
}

/// Above this cosine axes are no longer at right angles but for rounding.
const SKEW_TOLD: f64 = 1e-3;
/// Axes less than 60 degrees apart: which of them is "right" is no longer clear.
const SKEW_REFUSED: f64 = 0.5;
/// The volume of a voxel with sides of 1 and these angles; of three axes in one plane it is 0.
const FLAT_REFUSED: f64 = 0.6;

pub(super) fn axes(Seen { fields, .. }: &Seen) -> Outcome {
    let affine = forms::affine(fields);
    let skew = forms::skew(&affine);
    let degrees = skew.min(1.0).acos().to_degrees();
    // Asked for what is right, so that NaN fails.
    let right = skew <= SKEW_REFUSED;
    if right && forms::fullness(&affine) < FLAT_REFUSED {
        let expected = "axes at right angles, or nearly so";
        return Wrong(Error::unsupported("affine", "three axes that lie almost in one plane", expected));
    }
    if !right {
        let found = format!("axes {degrees:.0} degrees apart");
        return Wrong(Error::unsupported("affine", found, "axes at right angles, 60 degrees apart at least"));
    }
    if skew > SKEW_TOLD {
        return Odd(format!(
            "the axes are sheared: {degrees:.1} degrees apart; voxels are taken as they lie"
        ));
    }
    Fine("at right angles".to_owned())
}
