//! Three slices of an image with the outlines of its mask, for a look at many scans.

use insitu_seg::grid::Reorientation;
use insitu_seg::predict::Segmentation;
use insitu_seg::{Error, Result, Volume};

/// Side of a slice in pixels.
pub const SIDE: usize = 160;
/// Grey levels; the other entries of the palette are colours of labels.
const GREYS: usize = 96;
/// Size of the part that is shown: so many times that of the mask, but not less than this many mm.
const AROUND: f64 = 1.35;
const LEAST_MM: f64 = 40.0;
/// Percentiles of the values that are shown as black and white.
const WINDOW: [f64; 2] = [0.01, 0.995];

/// The axes of a slice, `[across, up]`, and the one that it is square to: axial, coronal, sagittal.
const PLANES: [([usize; 2], usize); 3] = [([0, 1], 2), ([0, 2], 1), ([1, 2], 0)];

/// A PNG of an axial, a coronal and a sagittal slice side by side, each of [`SIDE`] by [`SIDE`] pixels, through where the mask is
/// largest. Right, front and top of the body are right and up.
///
/// # Errors
/// `Argument` where it cannot be written.
pub fn picture(volume: &Volume, result: &Segmentation) -> Result<Vec<u8>> {
    let Reoriented { dims, spacing } = Reoriented::of(volume);
    let labels = volume.reorientation.apply(&result.labels);
    let scene = Scene { grey: &volume.voxels[..labels.len()], labels: &labels, dims, spacing };
    let (centre, extent) = scene.mask_bounds();
    let slices = scene.largest_slices();
    let side_mm = (AROUND * extent.into_iter().fold(0.0, f64::max)).max(LEAST_MM);
    let mut pixels = vec![0u8; 3 * SIDE * SIDE];
    let window = scene.window(slices);
    for (index, (axes, normal)) in PLANES.into_iter().enumerate() {
        let view = View { axes, normal, slice: slices[normal], centre, side_mm };
        scene.draw(&view, window, &mut pixels, index, &colors(result));
    }
    encode(&pixels, result)
}

/// Size and spacing in RAS order.
struct Reoriented {
    dims: [usize; 3],
    spacing: [f64; 3],
}

impl Reoriented {
    fn of(volume: &Volume) -> Self {
        let turn: Reorientation = volume.reorientation;
        Self { dims: turn.ras_dims(), spacing: turn.permuted(volume.grid.spacing()) }
    }
}

/// An image and its mask, in RAS order.
struct Scene<'a> {
    grey: &'a [f32],
    labels: &'a [u8],
    dims: [usize; 3],
    spacing: [f64; 3],
}

/// A slice and the part of it that is shown.
struct View {
    axes: [usize; 2],
    normal: usize,
    slice: usize,
    /// In voxels.
    centre: [f64; 3],
    side_mm: f64,
}

impl View {
    /// The place of a pixel in voxels along both axes; the first row is the uppermost.
    fn at(&self, x: usize, y: usize, spacing: [f64; 3]) -> [f64; 2] {
        let mm = |pixel: f64| (pixel + 0.5 - SIDE as f64 / 2.0) * self.side_mm / SIDE as f64;
        let offsets = [mm(x as f64), -mm(y as f64)];
        [0, 1].map(|i| self.centre[self.axes[i]] + offsets[i] / spacing[self.axes[i]])
    }
}

impl Scene<'_> {
    fn index(&self, at: [usize; 3]) -> usize {
        at[0] + self.dims[0] * (at[1] + self.dims[1] * at[2])
    }

    fn position(&self, index: usize) -> [usize; 3] {
        let [nx, ny, _] = self.dims;
        [index % nx, index / nx % ny, index / nx / ny]
    }

    /// The middle of the mask in voxels and its size in mm; those of the image where it is empty.
    fn mask_bounds(&self) -> ([f64; 3], [f64; 3]) {
        let (mut low, mut high) = (self.dims, [0; 3]);
        for (index, _) in self.labels.iter().enumerate().filter(|(_, label)| **label > 0) {
            for (axis, at) in self.position(index).into_iter().enumerate() {
                (low[axis], high[axis]) = (low[axis].min(at), high[axis].max(at));
            }
        }
        if low[0] > high[0] {
            (low, high) = ([0; 3], self.dims.map(|n| n.saturating_sub(1)));
        }
        let centre = [0, 1, 2].map(|axis| (low[axis] + high[axis]) as f64 / 2.0);
        (centre, [0, 1, 2].map(|axis| (high[axis] - low[axis] + 1) as f64 * self.spacing[axis]))
    }

    /// Along each axis, the slice with most of the mask; the middle one where the mask is empty.
    fn largest_slices(&self) -> [usize; 3] {
        let mut counts = self.dims.map(|n| vec![0usize; n]);
        for (index, _) in self.labels.iter().enumerate().filter(|(_, label)| **label > 0) {
            let at = self.position(index);
            (0..3).for_each(|axis| counts[axis][at[axis]] += 1);
        }
        [0, 1, 2].map(|axis| {
            let most = counts[axis].iter().copied().max().unwrap_or(0);
            let found = counts[axis].iter().position(|count| *count == most && most > 0);
            found.unwrap_or(self.dims[axis] / 2)
        })
    }

    /// The values that are black and white, of those in the three slices.
    fn window(&self, slices: [usize; 3]) -> [f32; 2] {
        let in_slice = |index: &usize| {
            let at = self.position(*index);
            (0..3).any(|axis| at[axis] == slices[axis])
        };
        let mut values: Vec<f32> =
            (0..self.grey.len()).filter(in_slice).map(|index| self.grey[index]).collect();
        values.sort_by(f32::total_cmp);
        WINDOW.map(|share| {
            let last = values.len().saturating_sub(1);
            values.get((share * last as f64) as usize).copied().unwrap_or(0.0)
        })
    }

    /// Draws a slice into the square number `panel`: grey values between voxels, outlines along their edges.
    fn draw(&self, view: &View, window: [f32; 2], pixels: &mut [u8], panel: usize, colors: &[u8; 256]) {
        let labels = (0..SIDE * SIDE).map(|i| self.label(view, view.at(i % SIDE, i / SIDE, self.spacing)));
        let labels: Vec<u8> = labels.collect();
        for y in 0..SIDE {
            for x in 0..SIDE {
                let own = labels[x + SIDE * y];
                let differs = |x: usize, y: usize| x < SIDE && y < SIDE && labels[x + SIDE * y] != own;
                let on_edge = differs(x + 1, y)
                    || differs(x.wrapping_sub(1), y)
                    || differs(x, y + 1)
                    || differs(x, y.wrapping_sub(1));
                pixels[panel * SIDE + x + 3 * SIDE * y] = if own > 0 && on_edge {
                    colors[usize::from(own)]
                } else {
                    self.shade(view, view.at(x, y, self.spacing), window)
                };
            }
        }
    }

    /// The label of the voxel at a place; 0 outside of the image.
    fn label(&self, view: &View, place: [f64; 2]) -> u8 {
        let mut at = [0; 3];
        at[view.normal] = view.slice;
        for (axis, value) in view.axes.into_iter().zip(place) {
            let nearest = value.round();
            if !(0.0..self.dims[axis] as f64).contains(&nearest) {
                return 0;
            }
            at[axis] = nearest as usize;
        }
        self.labels[self.index(at)]
    }

    /// The grey level at a place, between the four voxels around it; black outside of the image.
    fn shade(&self, view: &View, place: [f64; 2], [black, white]: [f32; 2]) -> u8 {
        let outside = |(axis, value): (usize, f64)| !(-0.5..=self.dims[axis] as f64 - 0.5).contains(&value);
        if view.axes.into_iter().zip(place).any(outside) {
            return 0;
        }
        let mut value = 0.0;
        for corner in 0..4 {
            let mut at = [0; 3];
            at[view.normal] = view.slice;
            let mut weight = 1.0;
            for (i, axis) in view.axes.into_iter().enumerate() {
                let inside = place[i].clamp(0.0, (self.dims[axis] - 1) as f64);
                let (low, part) = (inside.floor(), inside.fract());
                let upper = corner >> i & 1 == 1;
                at[axis] = (low as usize + usize::from(upper)).min(self.dims[axis] - 1);
                weight *= if upper { part } else { 1.0 - part };
            }
            value += weight * f64::from(self.grey[self.index(at)]);
        }
        let share = (value - f64::from(black)) / f64::from((white - black).max(f32::MIN_POSITIVE));
        (share.clamp(0.0, 1.0) * (GREYS - 1) as f64).round() as u8
    }
}

/// The entry of the palette of each label.
fn colors(result: &Segmentation) -> [u8; 256] {
    let mut entries = [(GREYS - 1) as u8; 256];
    for (position, class) in result.classes.iter().enumerate() {
        entries[usize::from(class.label.index)] = (GREYS + position).min(255) as u8;
    }
    entries
}

fn encode(pixels: &[u8], result: &Segmentation) -> Result<Vec<u8>> {
    let greys = (0..GREYS).map(|level| [(level * 255 / (GREYS - 1)) as u8; 3]);
    let labels = result.classes.iter().take(256 - GREYS).map(|class| rgb(&class.label.color));
    let palette: Vec<u8> = greys.chain(labels).flatten().collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 3 * SIDE as u32, SIDE as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette);
    encoder.set_compression(png::Compression::High);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(pixels)?;
        writer.finish()
    });
    written.map_err(|error| Error::argument("picture", error.to_string(), "slices that can be drawn"))?;
    Ok(bytes)
}

/// `#rrggbb`; white where it is none, which cards do not have.
fn rgb(color: &str) -> [u8; 3] {
    let part = |at: usize| color.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    [1, 3, 5].map(|at| part(at).unwrap_or(255))
}
