//! The dispatches of the operations, one method per operation: for the planner of a forward pass, whose maps are cut
//! into chunks, and for that of a training step, whose maps are whole.

use super::list::{Binding, Command, Packed};
use crate::engine::wgsl::kernel::Kernel;
use crate::engine::wgsl::layout::Layout;
use crate::engine::wgsl::{attention_gate, conv, conv_transpose, head_conv1x1, pool, residual_add};
use std::ops::Range;

/// A map as a kernel reads it.
#[derive(Clone, Copy)]
pub struct View {
    /// Its buffer.
    pub buffer: usize,
    /// How it lies there.
    pub layout: Layout,
    /// The plane with which the buffer begins.
    pub start: usize,
    /// How its values are normalised.
    pub scale_shift: Binding,
    /// And activated.
    pub negative_slope: f32,
}

impl View {
    fn place(&self) -> (Layout, usize, f32) {
        (self.layout, self.start, self.negative_slope)
    }
}

/// A map as a kernel writes it.
#[derive(Clone, Copy)]
pub struct Output {
    /// Its buffer.
    pub buffer: usize,
    /// How it lies there.
    pub layout: Layout,
    /// The plane with which the buffer begins.
    pub start: usize,
}

/// What one dispatch computes: some planes of an output.
pub struct Job<'a> {
    /// What is read.
    pub sources: &'a [View],
    /// By which weights, where the operation has any.
    pub weights: Packed,
    /// What is written.
    pub output: Output,
    /// Which planes of it.
    pub planes: Range<usize>,
    /// Operations.
    pub flops: f64,
}

impl Job<'_> {
    /// Convolution of one or two sources by either kernel of it; the moments of the result go to a buffer.
    pub fn conv(&self, kernel: Kernel, moments: usize) -> Command {
        let a = self.sources[0];
        // Without a second source the first stands in for it, with no channels.
        let none = View { layout: Layout { channel_blocks: 0, ..a.layout }, ..a };
        let b = self.sources.get(1).copied().unwrap_or(none);
        let Output { layout: output, start, .. } = self.output;
        let (first, planes) = (self.planes.start, self.planes.len());
        let params = conv::forward::Params { output, start, first, planes, sources: [a.place(), b.place()] };
        let mut bindings = vec![Binding::Buffer(a.buffer), Binding::Buffer(b.buffer)];
        bindings.extend([a.scale_shift, b.scale_shift, Binding::Packed(self.weights)]);
        bindings.extend([self.output.buffer, moments].map(Binding::Buffer));
        self.dispatch(kernel, params.words(), bindings, conv::groups(&params, kernel))
    }

    /// Up-convolution; the moments of the result go to a buffer.
    pub fn conv_transpose(&self, moments: usize) -> Command {
        let a = self.sources[0];
        let Output { layout: output, start, .. } = self.output;
        let (first, planes) = (self.planes.start, self.planes.len());
        let params = conv_transpose::forward::Params { output, start, first, planes, source: a.place() };
        let mut bindings = vec![Binding::Buffer(a.buffer), a.scale_shift, Binding::Packed(self.weights)];
        bindings.extend([self.output.buffer, moments].map(Binding::Buffer));
        self.dispatch(conv_transpose::FORWARD, params.words(), bindings, params.groups())
    }

    /// Attention gate with so many units.
    pub fn attention_gate(&self, units: usize) -> Command {
        let [a, b] = [self.sources[0], self.sources[1]];
        let Output { layout: output, start, .. } = self.output;
        let (first, planes) = (self.planes.start, self.planes.len());
        let sources = [a.place(), b.place()];
        let params = attention_gate::forward::Params { output, start, first, planes, units, sources };
        let mut bindings = vec![Binding::Buffer(a.buffer), Binding::Buffer(b.buffer)];
        bindings.extend([a.scale_shift, b.scale_shift, Binding::Packed(self.weights)]);
        bindings.push(Binding::Buffer(self.output.buffer));
        self.dispatch(attention_gate::FORWARD, params.words(), bindings, params.groups())
    }

    /// What the pooling and its way back are told.
    pub fn pooling(&self) -> pool::forward::Params {
        let Output { layout: output, start, .. } = self.output;
        let (first, planes) = (self.planes.start, self.planes.len());
        pool::forward::Params { output, start, first, planes, source: self.sources[0].place() }
    }

    /// Pooling.
    pub fn pool(&self) -> Command {
        let (a, params) = (self.sources[0], self.pooling());
        let bindings = vec![Binding::Buffer(a.buffer), a.scale_shift, Binding::Buffer(self.output.buffer)];
        self.dispatch(pool::FORWARD, params.words(), bindings, params.groups())
    }

    /// The sum of both sources takes the place of the first.
    pub fn residual_add(&self) -> Command {
        let [a, b] = [self.sources[0], self.sources[1]];
        let layout = a.layout;
        let size = layout.dims[0] * layout.dims[1];
        let offsets = [a, b].map(|view| self.planes.start - view.start);
        let words = residual_add::forward::words(size, layout.channel_blocks, layout.pitch, offsets);
        let bindings =
            vec![Binding::Buffer(a.buffer), Binding::Buffer(b.buffer), a.scale_shift, b.scale_shift];
        let groups = residual_add::forward::groups(size, layout.channel_blocks, self.planes.len());
        self.dispatch(residual_add::FORWARD, words, bindings, groups)
    }

    /// The last step, by the kernel for logits or that for labels, of so many outputs.
    pub fn head_conv1x1(&self, kernel: Kernel, outputs: usize) -> Command {
        let a = self.sources[0];
        let size = a.layout.dims[0] * a.layout.dims[1];
        let words = head_conv1x1::forward::words(
            size,
            a.layout.pitch,
            self.planes.start - a.start,
            self.planes.len(),
            a.layout.channel_blocks,
            outputs,
            a.negative_slope,
        );
        let mut bindings = vec![Binding::Buffer(a.buffer), a.scale_shift, Binding::Packed(self.weights)];
        bindings.push(Binding::Buffer(self.output.buffer));
        self.dispatch(kernel, words, bindings, head_conv1x1::forward::groups(size, self.planes.len()))
    }

    fn dispatch(&self, kernel: Kernel, words: Vec<u32>, bindings: Vec<Binding>, groups: [u32; 3]) -> Command {
        Command::Dispatch { kernel, words, bindings, groups, flops: self.flops }
    }
}
