//! Recognises other file formats by their first bytes.

use crate::error::{Error, Result};

const WANTED: &str = "a NIfTI volume (.nii, .nii.gz, or .hdr with .img) or an MGH volume (.mgz, .mgh)";

/// Refuses a file whose first bytes are those of another format.
pub(super) fn reject_others(head: &[u8]) -> Result<()> {
    if let Some(name) = other(head) {
        return Err(Error::unsupported("file", name, WANTED));
    }
    let start = head.trim_ascii_start();
    if [&b"<html"[..], b"<!doctype", b"<?xml", b"<head"].iter().any(|tag| begins(start, tag)) {
        let found = "an HTML page (the server sent a page in place of the file)";
        return Err(Error::malformed("file", found, WANTED));
    }
    if head.is_empty() {
        return Err(Error::malformed("file", "no bytes at all", WANTED));
    }
    let readable = std::str::from_utf8(head)
        .is_ok_and(|text| text.chars().all(|c| !c.is_control() || c.is_whitespace()));
    if head.len() >= 4 && readable {
        return Err(Error::malformed("file", "a text file", WANTED));
    }
    if head.iter().all(|&b| b == 0) {
        return Err(Error::malformed("header", "nothing but zero bytes", "a header"));
    }
    Ok(())
}

fn begins(head: &[u8], tag: &[u8]) -> bool {
    head.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag))
}

fn other(head: &[u8]) -> Option<&'static str> {
    if head.get(128..132) == Some(b"DICM") {
        return Some("a DICOM file (convert the series with dcm2niix first)");
    }
    let known: [(&[u8], &str); 9] = [
        (b"\x1f\x8b", "a file that was compressed twice"),
        (b"NRRD", "an NRRD file"),
        (b"ObjectType", "a MetaImage header"),
        (b"\x89PNG", "a PNG picture"),
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"PK\x03\x04", "a ZIP archive (unpack it first)"),
        (b"\x89HDF", "an HDF5 or MINC file"),
        (b"BZh", "a bzip2 file (unpack it first)"),
        (b"\xfd7zXZ", "an xz file (unpack it first)"),
    ];
    known.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, name)| *name)
}
