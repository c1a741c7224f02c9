//! Sources of bytes, with gzip decompressed: every member to its end, every checksum compared.

use crate::error::{Error, ErrorKind, Result};
use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, BufReader, Read};

/// Natively any thread may read. A browser has one thread, and JavaScript's objects cannot leave it.
#[cfg(not(target_arch = "wasm32"))]
type Reader<'a> = Box<dyn Read + Send + 'a>;
#[cfg(target_arch = "wasm32")]
type Reader<'a> = Box<dyn Read + 'a>;

/// Bytes to be read once, from the start, whose number is known.
pub struct ByteSource<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) length: u64,
}

impl<'a> ByteSource<'a> {
    /// A reader that gives `length` bytes.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn new(reader: impl Read + Send + 'a, length: u64) -> Self {
        Self { reader: Box::new(reader), length }
    }

    /// A reader that gives `length` bytes.
    #[cfg(target_arch = "wasm32")]
    pub fn new(reader: impl Read + 'a, length: u64) -> Self {
        Self { reader: Box::new(reader), length }
    }

    /// Bytes that are already in memory.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self::new(bytes, bytes.len() as u64)
    }
}

/// Bytes read from the disk at a time, at most.
const BUFFER: usize = 1 << 17;
/// Deflate cannot pack better than this: 258 bytes in two bits.
const MAX_DEFLATE_RATIO: u64 = 1032;
/// Bytes that may lie before or after the voxels; real extensions are a thousand times smaller.
pub(super) const MAX_BESIDE_VOXELS: u64 = 64 << 20;

type Buffered<'a> = BufReader<Reader<'a>>;

/// A source, decompressed if it was gzip.
pub(super) struct Stream<'a> {
    bytes: Bytes<'a>,
    /// How many bytes can come out at most.
    pub max_bytes: u64,
    place: &'static str,
    /// The first error. Later reads return it again, so that all workers that share a stream report the same one.
    failed: Option<Error>,
}

enum Bytes<'a> {
    Plain(Buffered<'a>),
    Gzip { member: Option<Box<GzDecoder<Buffered<'a>>>>, after: u64 },
}

impl<'a> Stream<'a> {
    /// Recognises gzip by its first bytes, not by the file's name; `place` names the source in errors.
    pub fn open(source: ByteSource<'a>, place: &'static str) -> Result<Self> {
        let capacity = usize::try_from(source.length).unwrap_or(BUFFER).clamp(64, BUFFER);
        let mut reader = BufReader::with_capacity(capacity, source.reader);
        let start = reader.fill_buf().map_err(|error| unreadable(place, &error))?;
        if start.starts_with(&[0x1f, 0x8b]) {
            let member = Some(Box::new(GzDecoder::new(reader)));
            let max_bytes = source.length.saturating_mul(MAX_DEFLATE_RATIO);
            return Ok(Self { bytes: Bytes::Gzip { member, after: 0 }, max_bytes, place, failed: None });
        }
        Ok(Self { bytes: Bytes::Plain(reader), max_bytes: source.length, place, failed: None })
    }

    /// Bytes in memory as they are, whatever they begin with.
    #[cfg(all(feature = "nifti-object", not(target_arch = "wasm32")))]
    pub fn plain(bytes: &'a [u8], place: &'static str) -> Self {
        let reader: Reader<'a> = Box::new(bytes);
        Self {
            bytes: Bytes::Plain(BufReader::new(reader)),
            max_bytes: bytes.len() as u64,
            place,
            failed: None,
        }
    }

    /// Whether the source is gzip.
    pub fn gzip(&self) -> bool {
        matches!(self.bytes, Bytes::Gzip { .. })
    }

    /// Reads until `buffer` is full or the source ends; returns the number of bytes read.
    pub fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let filled = self.fill_once(buffer);
        self.failed = filled.as_ref().err().cloned();
        filled
    }

    fn fill_once(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut got = 0;
        while got < buffer.len() {
            let read = match &mut self.bytes {
                Bytes::Plain(reader) => match reader.read(&mut buffer[got..]) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    read => read.map_err(|error| unreadable(self.place, &error)),
                },
                Bytes::Gzip { member, after } => {
                    inflate(member, after, &mut buffer[got..]).map_err(|error| damaged(self.place, &error))
                }
            };
            match read? {
                0 => break,
                n => got += n,
            }
        }
        Ok(got)
    }

    /// Reads up to `bytes` bytes and throws them away; returns how many there were.
    pub fn skip(&mut self, bytes: u64) -> Result<u64> {
        if bytes == 0 {
            return Ok(0);
        }
        let mut waste = [0; 1 << 13];
        let mut skipped = 0;
        while skipped < bytes {
            let wanted = usize::try_from(bytes - skipped).map_or(waste.len(), |n| n.min(waste.len()));
            match self.fill(&mut waste[..wanted])? {
                0 => break,
                n => skipped += n as u64,
            }
        }
        Ok(skipped)
    }

    /// Reads to the end, which verifies the checksum of a gzip stream. Returns how many bytes of content were left, and
    /// how many bytes follow the gzip stream.
    ///
    /// # Errors
    /// `Malformed` where the stream is damaged, `Limit` where more than 64 MiB are left.
    pub fn finish(&mut self) -> Result<(u64, u64)> {
        if !self.gzip() && self.max_bytes < u64::MAX {
            return Ok((0, 0)); // the length of a plain file is compared in the checks
        }
        let left = self.skip(MAX_BESIDE_VOXELS + 1)?;
        if left > MAX_BESIDE_VOXELS {
            return Err(Error::limit(
                self.place,
                "more than 64 MiB after the voxels",
                "a file that ends with its voxels",
            ));
        }
        match self.bytes {
            Bytes::Gzip { after, .. } => Ok((left, after)),
            Bytes::Plain(_) => Ok((left, 0)),
        }
    }
}

/// Inflates member after member. Zeros behind a member are padding; other bytes that do not begin a member are
/// counted and left, as gzip itself does.
fn inflate<R: BufRead>(
    member: &mut Option<Box<GzDecoder<R>>>,
    after: &mut u64,
    buffer: &mut [u8],
) -> io::Result<usize> {
    while let Some(decoder) = member {
        match decoder.read(buffer) {
            Ok(0) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            done => return done,
        }
        // The member has ended and its checksum is right.
        let mut rest = match member.take() {
            Some(decoder) => decoder.into_inner(),
            None => return Ok(0),
        };
        match first_after_zeros(&mut rest)? {
            Next::End => {}
            Next::Member => *member = Some(Box::new(GzDecoder::new(rest))),
            Next::Other => *after = io::copy(&mut rest.take(MAX_BESIDE_VOXELS), &mut io::sink())?,
        }
    }
    Ok(0)
}

/// What follows a gzip member and its padding.
enum Next {
    End,
    Member,
    Other,
}

/// Skips zeros and recognises what follows. A single 0x1f at the end is a truncated member.
fn first_after_zeros(reader: &mut impl BufRead) -> io::Result<Next> {
    let mut passed = 0;
    loop {
        let buffer = reader.fill_buf()?;
        let zeros = buffer.iter().take_while(|byte| **byte == 0).count();
        let next = match buffer[zeros..] {
            _ if buffer.is_empty() => Some(Next::End),
            [] if passed > MAX_BESIDE_VOXELS => Some(Next::Other),
            [] => None,
            [0x1f] | [0x1f, 0x8b, ..] => Some(Next::Member),
            _ => Some(Next::Other),
        };
        reader.consume(zeros);
        passed += zeros as u64;
        if let Some(next) = next {
            return Ok(next);
        }
    }
}

/// Of these kinds are the decoder's own errors; any other is that of the bytes' source.
const DECODER: [io::ErrorKind; 3] =
    [io::ErrorKind::InvalidInput, io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof];

fn damaged(place: &str, error: &io::Error) -> Error {
    if !DECODER.contains(&error.kind()) {
        return unreadable(place, error);
    }
    Error::malformed(place, format!("a damaged or truncated gzip stream ({error})"), "a whole gzip stream")
}

fn unreadable(place: &str, error: &io::Error) -> Error {
    Error::new(ErrorKind::Io, place, error.to_string(), "bytes that can be read")
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn pack(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn unpack(bytes: &[u8]) -> Result<(Vec<u8>, (u64, u64))> {
        let mut stream = Stream::open(ByteSource::of(bytes), "file")?;
        let mut content = vec![0; 100];
        let got = stream.fill(&mut content)?;
        content.truncate(got);
        Ok((content, stream.finish()?))
    }

    #[test]
    fn all_members_are_read_and_an_empty_last_one_is_none() {
        let bytes = [pack(b"one "), pack(b"two"), pack(b"")].concat();
        assert_eq!(unpack(&bytes).unwrap(), (b"one two".to_vec(), (0, 0)));
    }

    #[test]
    fn zeros_behind_are_padding_and_other_bytes_are_counted() {
        assert_eq!(unpack(&[pack(b"one"), vec![0; 9]].concat()).unwrap().1, (0, 0));
        assert_eq!(unpack(&[pack(b"one"), vec![0, 7, 7]].concat()).unwrap().1, (0, 2));
    }

    #[test]
    fn bytes_that_cannot_be_read_are_no_damage() {
        struct Gone;
        impl Read for Gone {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("NotReadableError"))
            }
        }
        let packed = pack(&[7; 3000]);
        let (start, length) = (&packed[..packed.len() / 2], packed.len() as u64);
        let mut stream = Stream::open(ByteSource::new(start.chain(Gone), length), "file").unwrap();
        let error = stream.fill(&mut [0; 4000]).unwrap_err();
        assert_eq!((error.code(), &error.found[..]), ("io", "NotReadableError"));
    }

    #[test]
    fn every_truncation_and_every_wrong_checksum_is_noticed() {
        let first = pack(b"one ");
        let bytes = [first.clone(), pack(b"two")].concat();
        for length in (2..bytes.len()).filter(|length| *length != first.len()) {
            assert_eq!(unpack(&bytes[..length]).unwrap_err().code(), "malformed", "{length} bytes");
        }
        for at in [bytes.len() - 5, bytes.len() - 1, first.len() - 5] {
            let mut wrong = bytes.clone();
            wrong[at] ^= 1;
            assert_eq!(unpack(&wrong).unwrap_err().code(), "malformed", "byte {at}");
        }
    }
}
