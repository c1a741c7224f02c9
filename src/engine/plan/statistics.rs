//! The statistics of a map over its slabs: moments, which are merged into slots, and what is made of the slots.

use super::buffers::Buffers;
use super::list::{Binding, Command, Packed};
use crate::engine::wgsl::kernel::Kernel;
use crate::engine::wgsl::layout::Layout;
use crate::engine::wgsl::{conv, norm_act};
use std::ops::Range;

/// The slots of a map's statistics.
pub struct Statistics {
    layout: Layout,
    /// Voxels of a row that leaves moments.
    row: usize,
    /// The buffer of the slots.
    slots: usize,
    /// Slots of a channel block.
    total: usize,
    /// The next slot that is free.
    next: usize,
}

/// Bytes of the moments that a slab of so many planes leaves.
pub fn moments_bytes(layout: &Layout, planes: usize, kernel: Kernel) -> usize {
    conv::forward::moments(layout, planes, conv::row(kernel)) * layout.channel_blocks * 48
}

impl Statistics {
    /// Slots for the slabs that a kernel works on.
    pub fn new<'a>(
        buffers: &mut Buffers,
        layout: Layout,
        kernel: Kernel,
        slabs: impl Iterator<Item = &'a Range<usize>>,
    ) -> Self {
        let row = conv::row(kernel);
        let groups = |slab: &Range<usize>| {
            norm_act::forward::merge_groups(conv::forward::moments(&layout, slab.len(), row))
        };
        let total = slabs.map(groups).sum();
        let slots = buffers.acquire((total * layout.channel_blocks * 48) as u64);
        Self { layout, row, slots, total, next: 0 }
    }

    /// Merges the moments of a slab into the next slots.
    pub fn merge(&mut self, buffers: &mut Buffers, moments: usize, slab: &Range<usize>) {
        let count = conv::forward::moments(&self.layout, slab.len(), self.row);
        let groups = norm_act::forward::merge_groups(count);
        buffers.push(Command::Dispatch {
            kernel: norm_act::MERGE,
            words: norm_act::forward::merge_words(count, self.next, self.total),
            bindings: vec![Binding::Buffer(moments), Binding::Buffer(self.slots)],
            groups: [groups as u32, self.layout.channel_blocks as u32, 1],
            flops: (count * self.layout.channel_blocks * 40) as f64,
        });
        self.next += groups;
    }

    /// The scale and shift of each channel by normalisation `norm`; `zeros` counts the padding.
    pub fn scale_shift(&self, buffers: &mut Buffers, norm: usize, zeros: f64) -> usize {
        let to = buffers.acquire((self.layout.channel_blocks * 32) as u64);
        let packed = Binding::Packed(Packed::Norm(norm));
        let bindings = vec![Binding::Buffer(self.slots), packed, Binding::Buffer(to)];
        buffers.push(self.reading(norm_act::SCALE_SHIFT, bindings, zeros));
        to
    }

    /// Mean and inverse deviation of each channel, for the way back.
    pub fn mean_deviation(&self, buffers: &mut Buffers, zeros: f64) -> usize {
        let to = buffers.acquire((self.layout.channel_blocks * 32) as u64);
        let bindings = vec![Binding::Buffer(self.slots), Binding::Buffer(to)];
        buffers.push(self.reading(norm_act::STATS, bindings, zeros));
        to
    }

    /// Releases the slots.
    pub fn release(self, buffers: &mut Buffers) {
        buffers.release(self.slots);
    }

    fn reading(&self, kernel: Kernel, bindings: Vec<Binding>, zeros: f64) -> Command {
        let words = norm_act::forward::norm_words(self.total, self.layout.channel_blocks, zeros);
        let groups = norm_act::backward::stats_groups(self.layout.channel_blocks);
        Command::Dispatch { kernel, words, bindings, groups, flops: 0.0 }
    }
}
