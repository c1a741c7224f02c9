//! To and from Rust's other image types: what the crate `nifti` holds, and arrays of `ndarray`.

use super::layout::Fields;
use super::limits::Limits;
use super::read::VolumeFile;
use super::source::Stream;
use super::volume::Volume;
use crate::error::{Error, Result};
use ndarray::{Array4, ArrayView4, ShapeBuilder};
use nifti::{InMemNiftiObject, NiftiObject, NiftiVolume};

impl TryFrom<InMemNiftiObject> for Volume {
    type Error = Error;

    /// An image that the crate `nifti` has read, or that a program has made with it. It passes the checks of a file, within the
    /// default [`Limits`]; what its header says of scaling and geometry counts as in a file.
    ///
    /// # Errors
    /// `Malformed` where header and voxels do not belong together, and as [`VolumeFile::read`].
    ///
    /// # Examples
    /// ```
    /// use insitu_seg::Volume;
    /// use nifti::{InMemNiftiObject, ReaderOptions};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let scan = ReaderOptions::new().read_file("pkg/samples/hippocampus/image.nii.gz")?;
    /// let volume = Volume::try_from(scan)?;
    /// assert_eq!(volume.grid.orientation(), "RAS");
    /// # Ok(())
    /// # }
    /// ```
    fn try_from(object: InMemNiftiObject) -> Result<Self> {
        let (header, volume) = (object.header(), object.volume());
        let sizes = header
            .dim()
            .map_err(|error| Error::malformed("dim", error.to_string(), "sizes of 1 at least"))?;
        if sizes != volume.dim() || header.datatype != volume.data_type() as i16 {
            let found = format!("voxels {:?} of {:?}", volume.dim(), volume.data_type());
            let expected = format!("{sizes:?} of the datatype {}, as the header says", header.datatype);
            return Err(Error::malformed("voxels", found, expected));
        }
        // As the header of a pair: the voxels are beside it.
        let fields = Fields { magic: *b"ni1\0\0\0\0\0", vox_offset: 0.0, ..Fields::of(header) };
        let voxels = Stream::plain(volume.raw_data(), "voxels");
        VolumeFile::of_fields(&fields, voxels, true, &Limits::default())?.read()
    }
}

impl Volume {
    /// The voxels where they lie, as `[right, anterior, superior, channel]`: scaled values in RAS order.
    ///
    /// # Errors
    /// `Argument` where the voxels are not as many as the grid has.
    pub fn ras_array(&self) -> Result<ArrayView4<'_, f32>> {
        let [x, y, z] = self.reorientation.ras_dims();
        ArrayView4::from_shape((x, y, z, self.channels).f(), &self.voxels[..])
            .map_err(|error| self.not_an_array(&error))
    }

    /// The voxels in the file's own order, as `[x, y, z, channel]`: scaled values, the first axis fastest, as
    /// `nifti::IntoNdArray` gives them of a file of four axes.
    ///
    /// # Errors
    /// As [`Self::ras_array`].
    ///
    /// # Examples
    /// ```
    /// use insitu_seg::Volume;
    ///
    /// # fn main() -> insitu_seg::Result<()> {
    /// let volume = Volume::open("pkg/samples/hippocampus/image.nii.gz")?;
    /// let voxels = volume.to_ndarray()?;
    /// assert_eq!(&voxels.shape()[..3], volume.grid.dims);
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_ndarray(&self) -> Result<Array4<f32>> {
        let ([x, y, z], count) = (self.grid.dims, self.grid.len());
        let values =
            self.voxels.chunks_exact(count).flat_map(|channel| self.reorientation.undo(channel)).collect();
        Array4::from_shape_vec((x, y, z, self.channels).f(), values)
            .map_err(|error| self.not_an_array(&error))
    }

    fn not_an_array(&self, error: &ndarray::ShapeError) -> Error {
        let found = format!("{} values ({error})", self.voxels.len());
        Error::argument("voxels", found, format!("{}", self.grid.len() * self.channels))
    }
}
