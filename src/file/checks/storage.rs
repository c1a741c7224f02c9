//! Checks of how the voxels are stored: layout, type, sizes, place, scaling.

use super::check::{CheckInput, Outcome};
use crate::error::Error;
use crate::file::datatype::DataType;
use crate::file::layout::{Fields, Version};
use crate::file::limits::Limits;
use crate::file::source::MAX_BESIDE_VOXELS;

pub(super) fn sizeof_hdr(CheckInput { fields, .. }: &CheckInput) -> Outcome {
    let order = if fields.big_endian { "big-endian" } else { "little-endian" };
    Outcome::Ok(format!("{}, {}, {order}", fields.version.bytes(), fields.version.name()))
}

pub(super) fn magic(CheckInput { fields, pair, max_bytes, .. }: &CheckInput) -> Outcome {
    let (digit, tail): (u8, &[u8]) = match fields.version {
        Version::One => (b'1', b"\0"),
        Version::Two => (b'2', b"\0\r\n\x1a\n"),
    };
    let name = fields.magic[..3].escape_ascii().to_string();
    let expected = format!("\"n+{0}\" (one file) or \"ni{0}\" (a pair)", char::from(digit));
    let one = match fields.magic[..3] {
        [b'n', b'+', found] if found == digit => true,
        [b'n', b'i', found] if found == digit => false,
        [0, 0, 0] => return Outcome::Error(Error::unsupported("magic", "an ANALYZE 7.5 header", expected)),
        _ => return Outcome::Error(Error::malformed("magic", format!("\"{name}\""), expected)),
    };
    let rest = &fields.magic[3..3 + tail.len()];
    let bare = rest.iter().all(|byte| *byte == 0);
    if rest != tail && !bare {
        let found = format!("\"{name}\" with a damaged end, as after a transfer in text mode");
        return Outcome::Error(Error::malformed("magic", found, expected));
    }
    let follows = *max_bytes as f64 > fields.vox_offset && fields.vox_offset >= fields.version.bytes() as f64;
    match (one, *pair) {
        (true, true) => Outcome::Warning(format!(
            "the magic {name} says that there is one file; the voxels of the .img count"
        )),
        (false, false) if follows => Outcome::Warning(format!(
            "the magic {name} says that the voxels are in another file, but they follow the header"
        )),
        (false, false) => Outcome::Error(Error::unsupported(
            "magic",
            "the .hdr of a pair alone",
            "the .img with its voxels too",
        )),
        _ if rest != tail => Outcome::Warning(format!("the magic {name} lacks its end")),
        _ => Outcome::Ok(format!("{name}, {}", if *pair { "a pair" } else { "one file" })),
    }
}

pub(super) fn intent_code(CheckInput { fields, .. }: &CheckInput) -> Outcome {
    match fields.intent_code {
        3000..=3099 => {
            Outcome::Error(Error::unsupported("intent_code", "a CIFTI matrix of grayordinates", "a volume"))
        }
        code => Outcome::Ok(code.to_string()),
    }
}

pub(super) fn datatype(CheckInput { fields, .. }: &CheckInput) -> Outcome {
    let code = fields.datatype;
    match DataType::of(code) {
        Some(found) => Outcome::Ok(found.name().to_owned()),
        None => Outcome::Error(Error::unsupported(
            "datatype",
            format!("{} ({code})", DataType::other(code)),
            "integers of 8 to 64 bits or floats of 32 or 64 bits: one grey value per voxel",
        )),
    }
}

pub(super) fn bitpix(CheckInput { fields, .. }: &CheckInput) -> Outcome {
    let found = fields.bitpix;
    match DataType::of(fields.datatype) {
        Some(known) if usize::try_from(found).ok() != Some(8 * known.bytes()) => Outcome::Warning(format!(
            "bitpix is {found}, but {} has {} bits; the datatype counts",
            known.name(),
            8 * known.bytes()
        )),
        _ => Outcome::Ok(found.to_string()),
    }
}

/// Volumes in a file; the longest series in use have some thousands.
pub(in crate::file) const MAX_CHANNELS: i64 = 1 << 16;

pub(super) fn dim(CheckInput { fields, .. }: &CheckInput) -> Outcome {
    let rank = match fields.dim[0] {
        rank @ 1..=7 => rank as usize,
        rank => {
            return Outcome::Error(Error::malformed(
                "dim[0]",
                rank.to_string(),
                "the number of axes, 1 to 7",
            ));
        }
    };
    let sizes = &fields.dim[1..=rank];
    if let Some(axis) = sizes.iter().position(|&n| n < 1) {
        let place = format!("dim[{}]", axis + 1);
        return Outcome::Error(Error::malformed(place, sizes[axis].to_string(), "a size of at least 1"));
    }
    let words = sizes.iter().map(i64::to_string).collect::<Vec<_>>().join(" x ");
    match sizes.iter().skip(3).filter(|&&n| n > 1).count() {
        0 => Outcome::Ok(words),
        1 if sizes.iter().skip(3).product::<i64>() > MAX_CHANNELS => {
            Outcome::Error(Error::limit("dim", words, format!("at most {MAX_CHANNELS} volumes in a file")))
        }
        1 => Outcome::Warning(format!(
            "{words}: an image of several volumes; a model takes as many as it has channels"
        )),
        _ => Outcome::Error(Error::unsupported(
            "dim",
            words,
            "a volume, or one axis of channels beside x, y and z",
        )),
    }
}

/// Product of the sizes; 0 where one is negative, saturated where it overflows.
fn count(fields: &Fields) -> u64 {
    let rank = fields.dim[0].clamp(0, 7) as usize;
    let size = |n: &i64| u64::try_from(*n).unwrap_or(0);
    fields.dim[1..=rank].iter().map(size).fold(1, u64::saturating_mul)
}

pub(super) fn memory(CheckInput { fields, limits, .. }: &CheckInput) -> Outcome {
    memory_of(count(fields), limits)
}

/// Whether so many voxels fit the budget.
pub(in crate::file) fn memory_of(voxels: u64, limits: &Limits) -> Outcome {
    let bytes = voxels.saturating_mul(4);
    if bytes > limits.bytes || usize::try_from(bytes).is_err() {
        let found = format!("{} of decoded voxels", size(bytes));
        return Outcome::Error(Error::limit(
            "memory",
            found,
            format!("at most {}; crop the volume", size(limits.bytes)),
        ));
    }
    Outcome::Ok(format!("{} decoded", size(bytes)))
}

/// A number of bytes in a readable unit.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

pub(super) fn vox_offset(CheckInput { fields, pair, .. }: &CheckInput) -> Outcome {
    let found = fields.vox_offset;
    let first = if *pair { 0 } else { fields.version.bytes() + 4 } as f64;
    // A pair's offset counts in the .img; a single file's voxels come after the header and the extension flag.
    if !(first..=MAX_BESIDE_VOXELS as f64).contains(&found) {
        let expected = format!("{first} or more, and at most {} MiB of extensions", MAX_BESIDE_VOXELS >> 20);
        return Outcome::Error(Error::malformed("vox_offset", found.to_string(), expected));
    }
    if found.fract() != 0.0 {
        return Outcome::Warning(format!("vox_offset is {found}, no whole number; the fraction is ignored"));
    }
    if found > first {
        return Outcome::Ok(format!("{found}; {} bytes before the voxels are passed over", found - first));
    }
    Outcome::Ok(found.to_string())
}

pub(super) fn length(CheckInput { fields, max_bytes, gzip, .. }: &CheckInput) -> Outcome {
    let width = DataType::of(fields.datatype).map_or(0, DataType::bytes) as u64;
    let voxels = count(fields).saturating_mul(width);
    let needed = voxels.saturating_add(fields.vox_offset.max(0.0) as u64);
    if needed > *max_bytes {
        return Outcome::Error(too_short(voxels, *gzip));
    }
    if !gzip && needed < *max_bytes && *max_bytes < u64::MAX {
        return Outcome::Warning(format!("{} bytes follow the voxels and are ignored", max_bytes - needed));
    }
    Outcome::Ok(format!("{voxels} bytes of voxels"))
}

/// The error of a file that cannot hold so many bytes of voxels.
pub(in crate::file) fn too_short(voxels: u64, gzip: bool) -> Error {
    let found = if gzip { "too short a gzip stream for its header" } else { "a truncated file" };
    Error::malformed("length", found, format!("{voxels} bytes of voxels, as the sizes say"))
}

pub(super) fn scl_slope(CheckInput { fields, .. }: &CheckInput) -> Outcome {
    match fields.scl_slope {
        0.0 => Outcome::Ok("0: no scaling".to_owned()),
        slope if slope.is_finite() => Outcome::Ok(slope.to_string()),
        slope if slope.is_nan() => Outcome::Ok("NaN: no scaling".to_owned()), // as nibabel marks it
        slope => Outcome::Warning(format!("scl_slope is {slope}; the values are not scaled")),
    }
}

pub(super) fn scl_inter(CheckInput { fields, .. }: &CheckInput) -> Outcome {
    let Fields { scl_slope: slope, scl_inter: inter, .. } = fields;
    if *slope != 0.0 && slope.is_finite() && !inter.is_finite() {
        return Outcome::Error(Error::malformed("scl_inter", inter.to_string(), "a finite number"));
    }
    Outcome::Ok(inter.to_string())
}

pub(super) fn texts(CheckInput { fields, .. }: &CheckInput) -> Outcome {
    Outcome::Ok(match fields.text {
        0 => "none".to_owned(),
        n => format!("{n} characters, which are not copied into outputs"),
    })
}
