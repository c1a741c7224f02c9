//! What the network is made of: the operations, as whoever runs, records or lists them implements them.

/// What the network is made of. A map has a value per channel and voxel; weights are called by name, and lie as
/// [`super::Architecture::parameters`] says.
pub trait Ops {
    /// A map, or what stands for one.
    type Map: Clone;

    /// 3^3 convolution without bias, zero padding, then normalisation of each channel over space.
    ///
    /// # Shapes
    /// `[in, z, y, x]` -> `[outputs, z, y, x]`
    fn conv_norm(&mut self, x: &Self::Map, name: &str, outputs: usize) -> Self::Map;

    /// LeakyReLU.
    fn leaky(&mut self, x: Self::Map) -> Self::Map;

    /// Largest value of every 2^3 block; a last odd plane is left out.
    ///
    /// # Shapes
    /// `[c, z, y, x]` -> `[c, z / 2, y / 2, x / 2]`
    fn pool(&mut self, x: &Self::Map) -> Self::Map;

    /// Up-convolution 2^3 of stride 2, normalised **over the padded size** (the reference pads one zero plane at
    /// the end of each axis first, so that an odd skip can be met), LeakyReLU, then cut to the size of `skip`.
    ///
    /// # Shapes
    /// `[in, z, y, x]`, skip `[_, z', y', x']` with `z' = 2 z` or `2 z + 1` -> `[outputs, z', y', x']`
    fn conv_transpose(&mut self, x: &Self::Map, name: &str, outputs: usize, skip: &Self::Map) -> Self::Map;

    /// The channels of `a`, then those of `b`.
    fn concat(&mut self, a: Self::Map, b: Self::Map) -> Self::Map;

    /// Squeeze-and-excite: every channel is scaled by a factor computed from the means of all, by way of a layer
    /// of `narrow` units.
    fn squeeze_excite(&mut self, x: Self::Map, name: &str, narrow: usize) -> Self::Map;

    /// LeakyReLU of the sum.
    fn residual_add(&mut self, a: Self::Map, b: Self::Map) -> Self::Map;

    /// Attention gate: `skip` times a factor between 0 and 1 for each voxel, which an additive attention of `units`
    /// units computes from it and from `up`, the map of the level below after its up-convolution.
    ///
    /// ```text
    /// q = leaky(Ws skip + bs + Wu up)        a = sigmoid(wp q + bp)        y = a skip
    /// ```
    /// All are 1^3 convolutions: `NAME.skip` (with bias), `NAME.up` (without), `NAME.psi` (to one channel, with bias).
    ///
    /// # Shapes
    /// both `[c, z, y, x]` -> `[c, z, y, x]`
    fn attention_gate(&mut self, skip: &Self::Map, up: &Self::Map, name: &str, units: usize) -> Self::Map;

    /// 1^3 convolution with bias: the logits.
    ///
    /// # Shapes
    /// `[in, z, y, x]` -> `[outputs, z, y, x]`
    fn head_conv1x1(&mut self, x: &Self::Map, name: &str, outputs: usize) -> Self::Map;
}
