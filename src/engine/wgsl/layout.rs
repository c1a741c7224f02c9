//! Where the values of a map lie in a buffer.

/// How maps are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 16 bits.
    F16,
}

impl Precision {
    /// Bytes of a channel block.
    pub fn block_bytes(self) -> usize {
        match self {
            Self::F32 => 16,
            Self::F16 => 8,
        }
    }
}

/// Where a map's values lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Size, `[x, y, z]`.
    pub dims: [usize; 3],
    /// Channels by four, rounded up.
    pub channel_blocks: usize,
    /// Quads from one plane to the next: a multiple of 32, so that a plane begins where a binding or a copy may.
    pub pitch: usize,
}

impl Layout {
    /// Of a map of `channels`.
    pub fn new(channels: usize, dims: [usize; 3]) -> Self {
        let channel_blocks = channels.div_ceil(4);
        Self { dims, channel_blocks, pitch: (channel_blocks * dims[0] * dims[1]).next_multiple_of(32) }
    }

    /// Index of a channel block whose map begins with plane `start`.
    pub fn at(&self, start: usize, channel_block: usize, [x, y, z]: [usize; 3]) -> usize {
        (z - start) * self.pitch + (channel_block * self.dims[1] + y) * self.dims[0] + x
    }

    /// Bytes of planes `planes` of a map `[c, z, y, x]`, as a buffer that begins with the first of them holds it.
    pub fn pack(&self, values: &[f32], planes: std::ops::Range<usize>, precision: Precision) -> Vec<u8> {
        let [x, y, z] = self.dims;
        let channels = values.len() / (x * y * z);
        let mut channel_blocks = vec![[0f32; 4]; planes.len() * self.pitch];
        for channel in 0..channels {
            for plane in planes.clone() {
                let from = (channel * z + plane) * y * x;
                let to = self.at(planes.start, channel / 4, [0, 0, plane]);
                for (channel_block, value) in channel_blocks[to..].iter_mut().zip(&values[from..from + y * x])
                {
                    channel_block[channel % 4] = *value;
                }
            }
        }
        let numbers = channel_blocks.iter().flatten();
        match precision {
            Precision::F32 => numbers.flat_map(|value| value.to_le_bytes()).collect(),
            Precision::F16 => numbers.flat_map(|&value| half::f16::from_f32(value).to_le_bytes()).collect(),
        }
    }

    /// The way back from [`Self::pack`]: `channels` of planes `[c, plane, y, x]`.
    pub fn unpack(&self, bytes: &[u8], channels: usize, planes: usize, precision: Precision) -> Vec<f32> {
        let numbers: Vec<f32> = match precision {
            Precision::F32 => {
                bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
            }
            Precision::F16 => {
                bytes.chunks_exact(2).map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()).collect()
            }
        };
        let [x, y, _] = self.dims;
        let value = |channel: usize, plane: usize, voxel: usize| {
            numbers[4 * (self.at(0, channel / 4, [0, 0, plane]) + voxel) + channel % 4]
        };
        (0..channels)
            .flat_map(|channel| {
                (0..planes).flat_map(move |plane| (0..x * y).map(move |voxel| (channel, plane, voxel)))
            })
            .map(|(channel, plane, voxel)| value(channel, plane, voxel))
            .collect()
    }
}
