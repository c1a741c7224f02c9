//! One check per header field, each with a severity and a message. No field is used before its check has passed. The
//! first error refuses the file; all checks are reported.

mod check;
mod geometry;
mod storage;

pub use check::Check;
pub(super) use check::{CheckInput, Outcome};
pub(super) use geometry::{angles, product, wrong_spacing};
pub(super) use storage::{MAX_CHANNELS, memory_of, too_short};

type CheckList = [(&'static str, fn(&CheckInput) -> Outcome)];

/// The checks in the order in which they are reported.
const CHECKS: &CheckList = &[
    ("sizeof_hdr", storage::sizeof_hdr),
    ("magic", storage::magic),
    ("intent_code", storage::intent_code),
    ("datatype", storage::datatype),
    ("bitpix", storage::bitpix),
    ("dim", storage::dim),
    ("memory", storage::memory),
    ("vox_offset", storage::vox_offset),
    ("length", storage::length),
    ("scl_slope", storage::scl_slope),
    ("scl_inter", storage::scl_inter),
    ("xyzt_units", geometry::xyzt_units),
    ("pixdim", geometry::pixdim),
    ("qfac", geometry::qfac),
    ("qform", geometry::qform),
    ("sform", geometry::sform),
    ("orientation", geometry::orientation),
    ("spacing", geometry::spacing),
    ("axes", geometry::axes),
    ("texts", storage::texts),
];

/// Runs every check.
pub(super) fn run(input: &CheckInput) -> Vec<Check> {
    CHECKS.iter().map(|(field, check)| Check::new(field, check(input))).collect()
}
