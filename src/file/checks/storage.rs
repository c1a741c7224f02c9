//! Checks of how the voxels are stored: layout, type, sizes, place, scaling.

use super::Outcome::{self, Fine, Odd, Wrong};
use super::Seen;
use crate::error::Error;
use crate::file::header::DataType;
use crate::file::layout::{Fields, Version};
use crate::file::source::MOST_BESIDE;

pub(super) fn sizeof_hdr(Seen { fields, .. }: &Seen) -> Outcome {
    let order = if fields.big_endian { "big-endian" } else { "little-endian" };
    Fine(format!("{}, {}, {order}", fields.version.bytes(), fields.version.name()))
}

pub(super) fn magic(Seen { fields, pair, most, .. }: &Seen) -> Outcome {
    let (digit, tail): (u8, &[u8]) = match fields.version {
        Version::One => (b'1', b"\0"),
        Version::Two => (b'2', b"\0\r\n\x1a\n"),
    };
    let name = fields.magic[..3].escape_ascii().to_string();
    let expected = format!("\"n+{0}\" (one file) or \"ni{0}\" (a pair)", char::from(digit));
    let one = match fields.magic[..3] {
        [b'n', b'+', found] if found == digit => true,
        [b'n', b'i', found] if found == digit => false,
        [0, 0, 0] => return Wrong(Error::unsupported("magic", "an ANALYZE 7.5 header", expected)),
        _ => return Wrong(Error::malformed("magic", format!("\"{name}\""), expected)),
    };
    let rest = &fields.magic[3..3 + tail.len()];
    let bare = rest.iter().all(|byte| *byte == 0);
    if rest != tail && !bare {
        let found = format!("\"{name}\" with a damaged end, as after a transfer in text mode");
        return Wrong(Error::malformed("magic", found, expected));
    }
    let follows = *most as f64 > fields.vox_offset && fields.vox_offset >= fields.version.bytes() as f64;
    match (one, *pair) {
        (true, true) => {
            Odd(format!("the magic {name} says that there is one file; the voxels of the .img count"))
        }
        (false, false) if follows => Odd(format!(
            "the magic {name} says that the voxels are in another file, but they follow the header"
        )),
        (false, false) => {
            Wrong(Error::unsupported("magic", "the .hdr of a pair alone", "the .img with its voxels too"))
        }
        _ if rest != tail => Odd(format!("the magic {name} lacks its end")),
        _ => Fine(format!("{name}, {}", if *pair { "a pair" } else { "one file" })),
    }
}

pub(super) fn intent_code(Seen { fields, .. }: &Seen) -> Outcome {
    match fields.intent_code {
        3000..=3099 => {
            Wrong(Error::unsupported("intent_code", "a CIFTI matrix of grayordinates", "a volume"))
        }
        code => Fine(code.to_string()),
    }
}

pub(super) fn datatype(Seen { fields, .. }: &Seen) -> Outcome {
    let code = fields.datatype;
    match DataType::of(code) {
        Some(found) => Fine(found.name().to_owned()),
        None => Wrong(Error::unsupported(
            "datatype",
            format!("{} ({code})", DataType::other(code)),
            "integers of 8 to 64 bits or floats of 32 or 64 bits: one grey value per voxel",
        )),
    }
}

pub(super) fn bitpix(Seen { fields, .. }: &Seen) -> Outcome {
    let found = fields.bitpix;
    match DataType::of(fields.datatype) {
        Some(known) if usize::try_from(found).ok() != Some(8 * known.bytes()) => Odd(format!(
            "bitpix is {found}, but {} has {} bits; the datatype counts",
            known.name(),
            8 * known.bytes()
        )),
        _ => Fine(found.to_string()),
    }
}

/// Volumes in a file; the longest series in use have some thousands.
const MOST_CHANNELS: i64 = 1 << 16;

pub(super) fn dim(Seen { fields, .. }: &Seen) -> Outcome {
    let rank = match fields.dim[0] {
        rank @ 1..=7 => rank as usize,
        rank => return Wrong(Error::malformed("dim[0]", rank.to_string(), "the number of axes, 1 to 7")),
    };
    let sizes = &fields.dim[1..=rank];
    if let Some(axis) = sizes.iter().position(|&n| n < 1) {
        let place = format!("dim[{}]", axis + 1);
        return Wrong(Error::malformed(place, sizes[axis].to_string(), "a size of at least 1"));
    }
    let words = sizes.iter().map(i64::to_string).collect::<Vec<_>>().join(" x ");
    match sizes.iter().skip(3).filter(|&&n| n > 1).count() {
        0 => Fine(words),
        1 if sizes.iter().skip(3).product::<i64>() > MOST_CHANNELS => {
            Wrong(Error::limit("dim", words, format!("at most {MOST_CHANNELS} volumes in a file")))
        }
        1 => Odd(format!("{words}: an image of several volumes; a model takes as many as it has channels")),
        _ => Wrong(Error::unsupported("dim", words, "a volume, or one axis of channels beside x, y and z")),
    }
}

/// Product of the sizes; 0 where they make no sense, as large as can be where it overflows.
fn count(fields: &Fields) -> u64 {
    let rank = fields.dim[0].clamp(0, 7) as usize;
    let size = |n: &i64| u64::try_from(*n).unwrap_or(0);
    fields.dim[1..=rank].iter().map(size).fold(1, u64::saturating_mul)
}

pub(super) fn memory(Seen { fields, limits, .. }: &Seen) -> Outcome {
    let bytes = count(fields).saturating_mul(4);
    if bytes > limits.bytes || usize::try_from(bytes).is_err() {
        let found = format!("{} of decoded voxels", size(bytes));
        return Wrong(Error::limit(
            "memory",
            found,
            format!("at most {}; crop the volume", size(limits.bytes)),
        ));
    }
    Fine(format!("{} decoded", size(bytes)))
}

/// Bytes in the largest unit that is filled.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

pub(super) fn vox_offset(Seen { fields, pair, .. }: &Seen) -> Outcome {
    let found = fields.vox_offset;
    let first = if *pair { 0 } else { fields.version.bytes() + 4 } as f64;
    // A pair's offset counts in the .img; a single file's voxels come after the header and the extension flag.
    if !(first..=MOST_BESIDE as f64).contains(&found) {
        let expected = format!("{first} or more, and at most {} MiB of extensions", MOST_BESIDE >> 20);
        return Wrong(Error::malformed("vox_offset", found.to_string(), expected));
    }
    if found.fract() != 0.0 {
        return Odd(format!("vox_offset is {found}, no whole number; the fraction is ignored"));
    }
    if found > first {
        return Fine(format!("{found}; {} bytes before the voxels are passed over", found - first));
    }
    Fine(found.to_string())
}

pub(super) fn length(Seen { fields, most, gzip, .. }: &Seen) -> Outcome {
    let width = DataType::of(fields.datatype).map_or(0, DataType::bytes) as u64;
    let voxels = count(fields).saturating_mul(width);
    let needed = voxels.saturating_add(fields.vox_offset.max(0.0) as u64);
    if needed > *most {
        let found = if *gzip { "too short a gzip stream for its header" } else { "a truncated file" };
        let expected = format!("{voxels} bytes of voxels, as the sizes say");
        return Wrong(Error::malformed("length", found, expected));
    }
    if !gzip && needed < *most && *most < u64::MAX {
        return Odd(format!("{} bytes follow the voxels and are ignored", most - needed));
    }
    Fine(format!("{voxels} bytes of voxels"))
}

pub(super) fn scl_slope(Seen { fields, .. }: &Seen) -> Outcome {
    match fields.scl_slope {
        0.0 => Fine("0: no scaling".to_owned()),
        slope if slope.is_finite() => Fine(slope.to_string()),
        slope if slope.is_nan() => Fine("NaN: no scaling".to_owned()), // as nibabel marks it
        slope => Odd(format!("scl_slope is {slope}; the values are not scaled")),
    }
}

pub(super) fn scl_inter(Seen { fields, .. }: &Seen) -> Outcome {
    let Fields { scl_slope: slope, scl_inter: inter, .. } = fields;
    if *slope != 0.0 && slope.is_finite() && !inter.is_finite() {
        return Wrong(Error::malformed("scl_inter", inter.to_string(), "a finite number"));
    }
    Fine(inter.to_string())
}

pub(super) fn texts(Seen { fields, .. }: &Seen) -> Outcome {
    Fine(match fields.text {
        0 => "none".to_owned(),
        n => format!("{n} characters, which are not copied into outputs"),
    })
}
