//! From bytes to a volume: decompress, check the header, decode.

use super::checks::{self, Check, CheckInput, Outcome};
use super::datatype::DataType;
use super::head::Head;
use super::header::{Format, Header};
use super::layout::Fields;
use super::limits::Limits;
use super::mgh::{self, MghFields};
use super::sform_qform;
use super::source::{ByteSource, Stream};
use super::values::Statistics;
use super::volume::Volume;
use super::voxels::Voxels;
use super::{decode, extension};
use crate::error::{Error, Result};
use crate::grid::{Grid, Reorientation, Resample};

/// A file whose header was read and checked. Its voxels are not decoded yet, and nothing large is allocated.
pub struct VolumeFile<'a> {
    /// What was checked so far.
    pub checks: Vec<Check>,
    header: std::result::Result<Header, Error>,
    pair: bool,
    limits: Limits,
    voxels: Stream<'a>,
}

impl<'a> VolumeFile<'a> {
    /// Opens a `.nii`, a `.mgz` or `.mgh`, or with `voxels` the `.hdr` of a pair and its `.img`; any of them may be gzip.
    /// Format and gzip are told by the bytes.
    ///
    /// # Errors
    /// Where there is no header of a known layout. What is wrong with a field is in [`VolumeFile::checks`], and in the
    /// error of [`VolumeFile::read`].
    pub fn open(header: ByteSource<'a>, voxels: Option<ByteSource<'a>>, limits: &Limits) -> Result<Self> {
        let mut first = Stream::open(header, "header")?;
        match Head::read(&mut first)? {
            Head::Nifti(fields) => Self::open_nifti(&fields, first, voxels, limits),
            Head::Mgh(fields) if voxels.is_none() => Ok(Self::open_mgh(&fields, first, limits)),
            Head::Mgh(_) => Err(Error::malformed("header", "an MGH volume", "the .hdr of a NIfTI pair")),
        }
    }

    fn open_nifti(
        fields: &Fields,
        mut first: Stream<'a>,
        voxels: Option<ByteSource<'a>>,
        limits: &Limits,
    ) -> Result<Self> {
        let Some(source) = voxels else { return Self::of_fields(fields, first, false, limits) };
        first.finish()?; // its checksum
        Self::of_fields(fields, Stream::open(source, "voxels")?, true, limits)
    }

    /// Checks the fields of a NIfTI header; `pair`: `voxels` begins with the file of the voxels, and not behind the header.
    pub(super) fn of_fields(
        fields: &Fields,
        mut voxels: Stream<'a>,
        pair: bool,
        limits: &Limits,
    ) -> Result<Self> {
        let input = CheckInput { fields, pair, max_bytes: voxels.max_bytes, gzip: voxels.gzip(), limits };
        let mut checks = checks::run(&input);
        let header = match checks.iter().find_map(Check::error) {
            Some(error) => Err(error.clone()),
            None => header_of(fields),
        };
        let start = fields.vox_offset as u64;
        match &header {
            Ok(_) if pair => _ = voxels.skip(start)?,
            Ok(_) => {
                let between = start - fields.version.bytes() as u64;
                let found = extension::skip(&mut voxels, between, fields.big_endian)?;
                checks.push(Check::new("extension", found));
            }
            Err(_) => {}
        }
        Ok(Self { checks, header, pair, limits: *limits, voxels })
    }

    /// The voxels follow the header at once.
    fn open_mgh(fields: &MghFields, voxels: Stream<'a>, limits: &Limits) -> Self {
        let (max_bytes, gzip) = (voxels.max_bytes, voxels.gzip());
        let checks = mgh::run(&CheckInput { fields, pair: false, max_bytes, gzip, limits });
        let header = match checks.iter().find_map(Check::error) {
            Some(error) => Err(error.clone()),
            None => fields.header(),
        };
        Self { checks, header, pair: false, limits: *limits, voxels }
    }

    /// Whether header and voxels are two files.
    pub fn pair(&self) -> bool {
        self.pair
    }

    /// The memory budget that it was opened with.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What the header says.
    ///
    /// # Errors
    /// The first check that failed.
    pub fn header(&self) -> Result<&Header> {
        self.header.as_ref().map_err(Clone::clone)
    }

    /// Decodes the voxels into RAS order. Holds the volume, and per core a slab of 512 KiB (of at most
    /// 8 MiB, one, where the file's third axis becomes the first).
    ///
    /// # Errors
    /// The first check that failed; `Malformed` where the bytes end too early, a checksum is wrong or no value is
    /// finite; `Limit` where memory is refused.
    pub fn read(mut self) -> Result<Volume> {
        let header = self.header.clone()?;
        let reorientation = Reorientation::to_ras(&header.grid);
        let (voxels, statistics) = decode::decode(&mut self.voxels, &header, &reorientation)?;
        self.volume(header, reorientation, voxels, statistics)
    }

    /// Decodes the voxels onto another size, and keeps no others: `step` resamples them in RAS order. For each of `mirrored`,
    /// channel by channel, those of the volume or, where it is `true`, of [`Volume::mirrored`]. The volume itself has no voxels.
    ///
    /// # Errors
    /// As [`VolumeFile::read`].
    pub fn read_resampled(mut self, step: &Resample, mirrored: &[bool]) -> Result<(Volume, Vec<f32>)> {
        let header = self.header.clone()?;
        let reorientation = Reorientation::to_ras(&header.grid);
        let order = |&mirrored: &bool| if mirrored { reorientation.mirrored() } else { reorientation };
        let orders: Vec<Reorientation> = mirrored.iter().map(order).collect();
        let (values, statistics) = decode::decode_resampled(&mut self.voxels, &header, step, &orders)?;
        Ok((self.volume(header, reorientation, Vec::new().into(), statistics)?, values))
    }

    fn volume(
        self,
        header: Header,
        reorientation: Reorientation,
        voxels: Voxels,
        statistics: Option<Statistics>,
    ) -> Result<Volume> {
        let limits = self.limits;
        let checks = self.close(&header, statistics.as_ref())?;
        Ok(Volume {
            limits,
            grid: header.grid.clone(),
            reorientation,
            channels: header.channels,
            voxels,
            header,
            nonfinite: statistics.map_or(0, |found| found.nonfinite),
            checks,
        })
    }

    /// Reads all voxels as [`VolumeFile::read`] does, and keeps only their statistics.
    ///
    /// # Errors
    /// As [`VolumeFile::read`].
    pub fn read_statistics(mut self) -> Result<(Header, Statistics, Vec<Check>)> {
        let header = self.header.clone()?;
        let statistics = decode::read_statistics(&mut self.voxels, &header)?;
        let checks = self.close(&header, Some(&statistics))?;
        Ok((header, statistics, checks))
    }

    /// Reads the source to its end, and adds checks of the voxels.
    fn close(mut self, header: &Header, statistics: Option<&Statistics>) -> Result<Vec<Check>> {
        let end = match self.voxels.finish()? {
            (0, 0) => Outcome::Ok("the file ends with its voxels".to_owned()),
            (0, n) => Outcome::Warning(format!("{n} bytes behind the gzip stream are ignored")),
            (n, _) if header.format == Format::Mgh => Outcome::Ok(mgh::tail(n)),
            (n, _) => Outcome::Warning(format!("{n} bytes follow the voxels and are ignored")),
        };
        if self.voxels.gzip() {
            self.checks.push(Check::new("gzip", end));
        }
        let values = statistics.map_or(Outcome::Ok("all finite".to_owned()), |found| {
            let largest = found.max.abs().max(found.min.abs());
            match found.nonfinite {
                0 if header.datatype.wide() && largest > f64::from(1 << 24) => {
                    Outcome::Warning(format!("values up to {largest} are rounded to 24 bits"))
                }
                0 => Outcome::Ok(format!("{} to {}", found.min as f32, found.max as f32)),
                n => Outcome::Warning(format!(
                    "{n} voxels are not finite or beyond 32-bit floats; each counts as the smallest finite value"
                )),
            }
        });
        self.checks.push(Check::new("voxels", values));
        Ok(self.checks)
    }
}

/// Reads a `.nii`, `.nii.gz`, `.mgz` or `.mgh` that is in memory.
///
/// # Errors
/// As [`VolumeFile::open`] and [`VolumeFile::read`].
pub fn read_volume(bytes: &[u8], limits: &Limits) -> Result<Volume> {
    VolumeFile::open(ByteSource::of(bytes), None, limits)?.read()
}

/// The typed header of NIfTI fields that passed their checks.
fn header_of(fields: &Fields) -> Result<Header> {
    let datatype = DataType::of(fields.datatype)
        .ok_or_else(|| Error::unsupported("datatype", fields.datatype.to_string(), "a code that is read"))?;
    let rank = fields.dim[0] as usize;
    let shape: Vec<usize> = fields.dim[1..=rank].iter().map(|&n| n as usize).collect();
    let size = |axis: usize| shape.get(axis).copied().unwrap_or(1);
    Ok(Header {
        grid: Grid::new(
            [size(0), size(1), size(2)],
            sform_qform::affine(fields),
            sform_qform::spacings(fields),
        ),
        channels: shape.iter().skip(3).product(),
        datatype,
        format: Format::Nifti(fields.version),
        shape,
        fields: *fields,
    })
}
