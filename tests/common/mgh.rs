//! MGH files as the tests make them, by nothing of the code under test.

/// A file to be: header fields as they shall be stored, and the bytes that follow.
#[derive(Clone)]
pub struct MadeMgh {
    pub version: i32,
    /// Width, height, depth, frames.
    pub dims: [i32; 4],
    pub kind: i32,
    pub good_ras: i16,
    pub spacing: [f32; 3],
    /// Of x, y, z: towards right, anterior, superior.
    pub cosines: [[f32; 3]; 3],
    pub centre: [f32; 3],
    pub voxels: Vec<u8>,
    /// Scan parameters and tags.
    pub tail: Vec<u8>,
}

impl MadeMgh {
    /// 16-bit integers `value(index)` in coronal slices of 1, 2, 3 mm, with scan parameters.
    pub fn new(dims: [usize; 3], value: impl Fn(usize) -> i16) -> Self {
        let [x, y, z] = dims.map(|n| n as i32);
        Self {
            version: 1,
            dims: [x, y, z, 1],
            kind: 4,
            good_ras: 1,
            spacing: [1.0, 2.0, 3.0],
            cosines: [[-1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]],
            centre: [4.0, -8.0, 7.0],
            voxels: (0..dims.iter().product()).flat_map(|i| value(i).to_be_bytes()).collect(),
            tail: vec![0; 20],
        }
    }

    /// The whole file, not packed.
    pub fn bytes(&self) -> Vec<u8> {
        let ints = [self.version].into_iter().chain(self.dims).chain([self.kind, 0]);
        let mut out: Vec<u8> = ints.flat_map(i32::to_be_bytes).collect();
        out.extend(self.good_ras.to_be_bytes());
        let floats = self.spacing.iter().chain(self.cosines.iter().flatten()).chain(&self.centre);
        out.extend(floats.flat_map(|value| value.to_be_bytes()));
        out.resize(284, 0);
        [out, self.voxels.clone(), self.tail.clone()].concat()
    }
}
