//! Phantoms: synthetic images of simple bodies with known labels, in the format of each task of the decathlon, to try out
//! and test training.
//!
//! They share the properties of the real tasks: modality, channels, labels, spacing and orientation of the file,
//! organs of varying size and position, tumours inside them, tubes, and distractors of the same brightness. Sizes scale with
//! the field of view, so that a small phantom is quick to learn from. They contain no patient data.

mod recipe;
mod scene;

use crate::error::{Error, Result};
use crate::grid::{Grid, Reorientation};
use crate::task::Task;
use crate::train::random::seeded_rng;
use scene::Scene;

/// Kind of phantom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PhantomKind {
    /// As the images of a task of the decathlon.
    Task(&'static Task),
    /// An object of 25 to 40 mm anywhere in a larger volume, among others of its brightness that have another shape.
    Cascade,
}

/// An image with its labels, in the order of the file's voxels, x fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Phantom {
    /// Size and affine of the file.
    pub grid: Grid,
    /// Intensities, `[channel, z, y, x]` of the file.
    pub image: Vec<i16>,
    /// Labels, `[z, y, x]` of the file.
    pub labels: Vec<u8>,
}

impl PhantomKind {
    /// `cascade`, or a task as [`Task::find`] takes it.
    ///
    /// # Errors
    /// `Argument` for another name.
    pub fn find(name: &str) -> Result<Self> {
        if name.trim().eq_ignore_ascii_case("cascade") {
            return Ok(Self::Cascade);
        }
        Task::find(name).map(Self::Task).ok_or_else(|| {
            let names: Vec<&str> = crate::task::TASKS.iter().map(|task| task.name).collect();
            let expected = format!("Task01 to Task10, {} or cascade", names.join(", "));
            Error::argument("task", format!("\"{name}\""), expected)
        })
    }

    /// Name of the kind and of its data set.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Task(task) => task.name,
            Self::Cascade => "Cascade",
        }
    }

    /// Names of the channels.
    pub fn modalities(&self) -> &'static [&'static str] {
        match self {
            Self::Task(task) => task.modalities,
            Self::Cascade => &["MRI"],
        }
    }

    /// Names of the labels 1, 2, ...
    pub fn labels(&self) -> &'static [&'static str] {
        match self {
            Self::Task(task) => task.labels,
            Self::Cascade => &["object"],
        }
    }

    fn number(&self) -> u8 {
        match self {
            Self::Task(task) => task.number,
            Self::Cascade => 0,
        }
    }

    /// Default size in voxels, `[x, y, z]` of the file.
    pub fn size(&self) -> [usize; 3] {
        match self.number() {
            0 => [128, 128, 128],
            4 => [36, 50, 36],
            5 => [80, 80, 14],
            6 => [60, 56, 26],
            7 | 9 => [64, 64, 28],
            _ => [56, 56, 48],
        }
    }

    /// Spacing in mm and orientation of the files of the task.
    fn spacing_and_orientation(&self) -> ([f64; 3], &'static str) {
        match self.number() {
            0 => ([1.0, 1.0, 1.0], "RAS"),
            1 => ([1.0, 1.0, 1.0], "LPS"),
            2 => ([1.25, 1.25, 1.37], "LAS"),
            4 => ([1.0, 1.0, 1.0], "RAS"),
            5 => ([0.625, 0.625, 3.6], "RAS"),
            6 => ([1.0, 1.0, 2.5], "LAS"),
            7 | 9 => ([0.9, 0.9, 2.0], "RAS"),
            8 => ([1.0, 1.0, 1.25], "LPS"),
            _ => ([1.0, 1.0, 1.2], "LAS"),
        }
    }

    /// Makes phantom `number` of a series. The same arguments give the same phantom.
    ///
    /// # Errors
    /// `Argument` for a size too small for the bodies, or of more than 1024 voxels along an axis.
    pub fn make(&self, size: [usize; 3], seed: u64, number: u64) -> Result<Phantom> {
        let (spacing, orientation) = self.spacing_and_orientation();
        let room = if *self == Self::Cascade { 48.0 } else { 24.0 };
        if (0..3).any(|a| (size[a] as f64 * spacing[a]) < room || size[a] > 1024) {
            let [x, y, z] = spacing;
            let found = format!("{} x {} x {} voxels", size[0], size[1], size[2]);
            let expected =
                format!("at least {room} mm along each axis ({x} x {y} x {z} mm each), at most 1024 voxels");
            return Err(Error::argument("size", found, expected));
        }
        let grid = grid(size, spacing, orientation);
        let reorientation = Reorientation::to_ras(&grid);
        // Every kind has a seed of its own, so that the bodies of two kinds do not lie at the same positions.
        let mut rng = seeded_rng(seed.wrapping_add(u64::from(self.number()) << 32), number);
        let channels = self.modalities().len();
        let mut scene = Scene::new(reorientation.ras_dims(), reorientation.permuted(spacing), channels);
        recipe::paint_bodies(&mut scene, self.number(), &mut rng);
        let image = scene.values.chunks_exact(grid.len()).flat_map(|channel| reorientation.undo(channel));
        Ok(Phantom {
            image: image.map(|v| v.round() as i16).collect(),
            labels: reorientation.undo(&scene.labels),
            grid,
        })
    }
}

/// A grid with axes that point to the letters of `orientation`, centred at the origin.
fn grid(size: [usize; 3], spacing: [f64; 3], orientation: &str) -> Grid {
    let mut affine = [[0.0; 4]; 4];
    affine[3][3] = 1.0;
    for (axis, letter) in orientation.chars().enumerate() {
        let (row, sign) = match letter {
            'R' => (0, 1.0),
            'L' => (0, -1.0),
            'A' => (1, 1.0),
            'P' => (1, -1.0),
            'S' => (2, 1.0),
            _ => (2, -1.0),
        };
        affine[row][axis] = sign * spacing[axis];
        affine[row][3] = -0.5 * sign * spacing[axis] * (size[axis] as f64 - 1.0);
    }
    Grid::new(size, affine, spacing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::Region;
    use crate::task::TASKS;

    #[test]
    fn every_phantom_has_all_labels_inside_the_volume_and_is_made_again_the_same() {
        for kind in TASKS.iter().map(PhantomKind::Task).chain([PhantomKind::Cascade]) {
            let size = if kind == PhantomKind::Cascade { [64; 3] } else { kind.size() };
            for number in 0..6 {
                let phantom = kind.make(size, 1, number).unwrap();
                assert_eq!(phantom.image.len(), kind.modalities().len() * phantom.labels.len());
                for label in 1..=kind.labels().len() {
                    let count = phantom.labels.iter().filter(|l| usize::from(**l) == label).count();
                    assert!(count > 20, "{} {number}: {count} voxels of label {label}", kind.name());
                }
                assert!(phantom.labels.iter().all(|l| usize::from(*l) <= kind.labels().len()));
                assert_eq!(phantom, kind.make(size, 1, number).unwrap());
                assert_ne!(phantom.labels, kind.make(size, 2, number).unwrap().labels);
            }
        }
    }

    #[test]
    fn the_object_of_a_cascade_has_its_size_and_lies_anywhere() {
        let mut firsts = Vec::new();
        for number in 0..12 {
            let phantom = PhantomKind::Cascade.make([128; 3], 7, number).unwrap();
            let (first, last) = Region::extent([128; 3], |i| phantom.labels[i] > 0).unwrap();
            assert!((0..3).all(|a| (24..=41).contains(&(last[a] + 1 - first[a]))), "{first:?} {last:?}");
            firsts.extend(first);
        }
        assert!(firsts.iter().min() < Some(&20) && firsts.iter().max() > Some(&70), "{firsts:?}");
    }

    #[test]
    fn other_names_and_sizes_are_refused_in_words() {
        assert!(PhantomKind::find("Kidney").unwrap_err().to_string().contains("Pancreas"));
        let error = PhantomKind::Cascade.make([32; 3], 1, 1).unwrap_err();
        assert!(error.to_string().contains("at least 48 mm"), "{error}");
    }
}
