//! Files as JavaScript gives them: bytes, or a `Blob`, which is read in pieces as the voxels are decoded.

use crate::error::{Error, Result};
use crate::file::{ByteSource, Limits, VolumeFile};
use js_sys::Uint8Array;
use std::io::{self, Read};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, FileReaderSync};

/// Bytes of a file that are in memory at a time.
const PIECE: f64 = (4 << 20) as f64;

/// A file whose bytes lie outside wasm's memory. `header` is a whole file, or with `voxels` the `.hdr` of a pair; each a
/// `Uint8Array` or, in a worker, a `Blob`. `max_bytes` is the largest volume, decoded; 2 GiB by default.
///
/// # Errors
/// `Argument` where they are something else; as [`VolumeFile::open`].
pub fn open(header: JsValue, voxels: JsValue, max_bytes: Option<f64>) -> Result<VolumeFile<'static>> {
    let limits = max_bytes.map_or_else(Limits::default, |bytes| Limits { bytes: bytes as u64 });
    let voxels = if voxels.is_undefined() || voxels.is_null() { None } else { Some(source(voxels)?) };
    VolumeFile::open(source(header)?, voxels, &limits)
}

fn source(file: JsValue) -> Result<ByteSource<'static>> {
    let file = match file.dyn_into::<Blob>() {
        Ok(blob) => return BlobReader::new(blob, PIECE).map(BlobReader::source),
        Err(other) => other,
    };
    let bytes = file.dyn_into::<Uint8Array>().map_err(|other| {
        let found = other.js_typeof().as_string().unwrap_or_default();
        Error::argument("file", found, "a Uint8Array or a Blob")
    })?;
    let length = bytes.length().into();
    Ok(ByteSource::new(BytesReader { bytes, at: 0 }, length))
}

/// Bytes in JavaScript's memory, copied slab by slab as they are read.
struct BytesReader {
    bytes: Uint8Array,
    at: u32,
}

impl BytesReader {
    fn left(&self) -> u32 {
        self.bytes.length() - self.at
    }
}

impl Read for BytesReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = u32::try_from(buffer.len()).map_or(self.left(), |wanted| wanted.min(self.left()));
        let end = self.at + count;
        self.bytes.subarray(self.at, end).copy_to(&mut buffer[..count as usize]);
        self.at = end;
        Ok(count as usize)
    }
}

/// A file that the browser holds, on the disk where it came from there: one piece of it is in memory at a time.
pub struct BlobReader {
    blob: Blob,
    reader: FileReaderSync,
    /// Bytes of a piece.
    size: f64,
    /// Where the next piece begins.
    at: f64,
    piece: BytesReader,
}

impl BlobReader {
    /// Reads pieces of `size` bytes.
    ///
    /// # Errors
    /// `Unsupported` outside a worker: only there a browser waits for a file.
    pub fn new(blob: Blob, size: f64) -> Result<Self> {
        let reader = FileReaderSync::new()
            .map_err(|_| Error::unsupported("file", "a Blob outside a worker", "the bytes of the file"))?;
        let piece = BytesReader { bytes: Uint8Array::new_with_length(0), at: 0 };
        Ok(Self { blob, reader, size, at: 0.0, piece })
    }

    /// As a source that knows its length.
    pub fn source(self) -> ByteSource<'static> {
        let length = self.blob.size() as u64;
        ByteSource::new(self, length)
    }

    /// The next piece, empty at the end.
    fn next(&mut self) -> std::result::Result<BytesReader, JsValue> {
        let end = (self.at + self.size).min(self.blob.size());
        let bytes = self.reader.read_as_array_buffer(&self.blob.slice_with_f64_and_f64(self.at, end)?)?;
        self.at = end;
        Ok(BytesReader { bytes: Uint8Array::new(&bytes), at: 0 })
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.left() == 0 && self.at < self.blob.size() {
            self.piece = self.next().map_err(|thrown| io::Error::other(reason(&thrown)))?;
        }
        self.piece.read(buffer)
    }
}

/// The name of what a browser threw, such as `NotReadableError`.
fn reason(thrown: &JsValue) -> String {
    thrown.dyn_ref::<js_sys::Error>().map_or_else(|| format!("{thrown:?}"), |error| error.name().into())
}
