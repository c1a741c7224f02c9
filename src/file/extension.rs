//! Header extensions, between the header of a single file and its voxels. They are skipped and never copied, as they can
//! hold DICOM headers with names of patients.

use super::checks::Outcome;
use super::source::Stream;
use crate::error::Result;

/// Extensions that are counted; files have a few at most.
const MAX_EXTENSIONS: u32 = 1000;

/// Skips `bytes` bytes, and reports how many extensions they hold. A broken chain is harmless, as `vox_offset` says where
/// the voxels start.
pub(super) fn skip(stream: &mut Stream, bytes: u64, big_endian: bool) -> Result<Outcome> {
    let mut left = bytes;
    let mut flag = [0; 4];
    left -= read_up_to(stream, &mut flag, left)?;
    let (mut count, mut dicom) = (0, 0u32);
    let mut sound = true;
    while flag[0] != 0 && left > 0 {
        let mut head = [0; 8];
        left -= read_up_to(stream, &mut head, left)?;
        let [a, b, c, d, code @ ..] = head;
        let number = |bytes| if big_endian { i32::from_be_bytes(bytes) } else { i32::from_le_bytes(bytes) };
        let size = u64::try_from(number([a, b, c, d])).unwrap_or(0);
        if size < 8 || size - 8 > left || count == MAX_EXTENSIONS {
            sound = false;
            break;
        }
        left -= stream.skip(size - 8)?;
        count += 1;
        dicom += u32::from(number(code) == 2);
    }
    stream.skip(left)?;
    Ok(match (sound, count, dicom) {
        (false, ..) => Outcome::Warning("the extensions are broken; they are passed over".to_owned()),
        (_, 0, _) => Outcome::Ok("none".to_owned()),
        (_, n, 0) => Outcome::Ok(format!("{n}, not copied into outputs")),
        (_, n, dicom) => Outcome::Ok(format!("{n}, {dicom} of them DICOM; not copied into outputs")),
    })
}

/// Fills `buffer` with at most `left` bytes; returns how many were read.
fn read_up_to(stream: &mut Stream, buffer: &mut [u8], left: u64) -> Result<u64> {
    let wanted = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
    stream.fill(&mut buffer[..wanted])?;
    Ok(wanted as u64)
}
