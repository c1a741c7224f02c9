//! The work of a GPU for one image, as a list that is known before any of it is done: which buffers, which kernels
//! on which slabs, what it costs. [`super::gpu`] does what it says; tests count what it says.
//!
//! A large map is cut along z into chunks, one buffer each, so that every binding stays within the adapter's limit;
//! a chunk repeats the planes of its neighbours that a convolution of it needs (its halo). All maps of one size are
//! cut at the same places. A kernel works on a slab that lies in one chunk of every map it sees; statistics add up over slabs, so nothing depends on the cuts.
//! A map is dropped after its last reader, its buffer goes to the next that fits.
//!
//! Where memory would exceed the budget, the maps of full size that are cheap to make are **passing**: the stem (from
//! the image) and the last up-convolution (from the level below) are never stored, but made again, slab by slab, for
//! each reader.

use super::graph::{Graph, Kind, Source, Step};
use super::norm::padding;
use crate::error::{Error, Result};
use crate::kernels::{Kernel, Layout, Precision, conv, join, norm, out, pool, up};
use crate::model::LEAK;
use std::collections::BTreeSet;
use std::ops::Range;

/// What a device allows, and what we allow ourselves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Bytes of a binding.
    pub binding: u64,
    /// Bytes that the plan tries to stay within.
    pub budget: u64,
    /// Operations of a dispatch.
    pub dispatch: f64,
}

impl Default for Limits {
    /// WebGPU's own; what a phone may give; 20 GFLOP are 20 ms of a small GPU.
    fn default() -> Self {
        Self { binding: 128 << 20, budget: 600 << 20, dispatch: 2e10 }
    }
}

/// Settings of a plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// How maps are stored.
    pub precision: Precision,
    /// Whether the tiled convolution is used.
    pub tiled: bool,
    /// Limits.
    pub limits: Limits,
    /// Whether labels come out in place of logits.
    pub labels: bool,
}

/// A buffer that a kernel sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// One of the plan.
    Buffer(usize),
    /// The weights of a step.
    Weights(usize),
    /// `gamma` and `beta` of a normalisation.
    Norm(usize),
    /// Lines that change nothing.
    Same,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// Make a buffer.
    Create {
        /// Its number.
        buffer: usize,
        /// Its size.
        bytes: u64,
    },
    /// Drop a buffer.
    Drop {
        /// Its number.
        buffer: usize,
    },
    /// Put planes of the image into a buffer.
    Upload {
        /// Where to.
        buffer: usize,
        /// How they lie there.
        layout: Layout,
        /// Which planes.
        planes: Range<usize>,
    },
    /// Run a kernel.
    Dispatch {
        /// Which.
        kernel: Kernel,
        /// Its uniform.
        words: Vec<u32>,
        /// Its buffers.
        bindings: Vec<Binding>,
        /// Workgroups.
        groups: [u32; 3],
        /// Operations.
        flops: f64,
    },
    /// Copy bytes between two buffers.
    Copy {
        /// Source and its offset.
        from: (usize, u64),
        /// Target and its offset.
        to: (usize, u64),
        /// How many.
        bytes: u64,
    },
    /// Fill a buffer with what no result is.
    Mark {
        /// Which.
        buffer: usize,
        /// How far.
        bytes: u64,
    },
    /// Read planes of the result.
    Read {
        /// From which buffer.
        buffer: usize,
        /// How far.
        bytes: u64,
        /// Which planes.
        planes: Range<usize>,
    },
}

/// The list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// In order.
    pub ops: Vec<Op>,
    /// Bytes of all buffers at the worst moment, weights left out.
    pub peak: u64,
    /// Operations, with what is made again.
    pub flops: f64,
}

impl Plan {
    /// The plan of `graph` for an image of `dims`, `[x, y, z]`.
    ///
    /// # Errors
    /// `Limit` where a plane of a map exceeds a binding.
    pub fn new(graph: &Graph, dims: [usize; 3], settings: &Settings) -> Result<Self> {
        let stored = Builder::new(graph, dims, settings, false)?.build();
        if stored.peak <= settings.limits.budget {
            return Ok(stored);
        }
        let passing = Builder::new(graph, dims, settings, true)?.build();
        Ok(if passing.peak < stored.peak { passing } else { stored })
    }

    /// The kernels that it uses.
    pub fn kernels(&self) -> BTreeSet<Kernel> {
        let kernel = |op: &Op| if let Op::Dispatch { kernel, .. } = op { Some(*kernel) } else { None };
        self.ops.iter().filter_map(kernel).collect()
    }
}

/// A piece of a map: `own` planes, and in the buffer `held`, with the halo.
#[derive(Debug, Clone)]
struct Chunk {
    buffer: usize,
    own: Range<usize>,
    held: Range<usize>,
}

struct Builder<'a> {
    graph: &'a Graph,
    dims: [usize; 3],
    settings: &'a Settings,
    /// Where maps are cut, by level: the first plane of each chunk, then the end. All but the end are even.
    cuts: Vec<Vec<usize>>,
    layouts: Vec<Layout>,
    /// Whether a map is passing.
    passing: Vec<bool>,
    /// Planes on either side that its readers need beyond their own.
    halos: Vec<usize>,
    /// By map; empty before and after its time.
    chunks: Vec<Vec<Chunk>>,
    /// Lines by normalisation.
    lines: Vec<Option<usize>>,
    plan: Plan,
    /// Bytes of every buffer ever made; 0 when dropped.
    sizes: Vec<u64>,
    free: Vec<usize>,
}

impl<'a> Builder<'a> {
    fn new(graph: &'a Graph, dims: [usize; 3], settings: &'a Settings, pass: bool) -> Result<Self> {
        let maps = graph.maps.len();
        let layouts: Vec<Layout> =
            (0..maps).map(|map| Layout::new(graph.maps[map].channels, graph.dims(map, dims))).collect();
        let last = graph.steps.len() - 2;
        // Of full size, and neither the image nor what the last step reads.
        let passing = (0..maps).map(|map| {
            let made = graph.steps.iter().position(|step| step.output == map);
            pass && graph.maps[map].level == 0 && made.is_some_and(|at| at < last)
        });
        let passing: Vec<bool> = passing.collect();
        let mut halos = vec![0usize; maps];
        for step in graph.steps.iter().rev() {
            let around = if passing[step.output] { halos[step.output] } else { 0 };
            for (which, source) in step.sources.iter().enumerate() {
                let need = match step.kind {
                    Kind::Conv(_) => around + 1,
                    Kind::Up(_) => around.div_ceil(2),
                    // The sum takes the place of its first source, and is read in its turn.
                    Kind::Join if which == 0 => halos[step.output],
                    _ => around,
                };
                halos[source.map] = halos[source.map].max(need);
            }
        }
        let mut builder = Self {
            graph,
            dims,
            settings,
            cuts: Vec::new(),
            layouts,
            passing,
            halos,
            chunks: vec![Vec::new(); maps],
            lines: vec![None; graph.norms.len()],
            plan: Plan::default(),
            sizes: Vec::new(),
            free: Vec::new(),
        };
        let deepest = graph.maps.iter().map(|map| map.level).max().unwrap_or(0);
        builder.cuts = (0..=deepest).map(|level| builder.cut(level)).collect::<Result<_>>()?;
        Ok(builder)
    }

    /// As few chunks of the maps of a level as the limit of a binding allows.
    fn cut(&self, level: usize) -> Result<Vec<usize>> {
        let maps: Vec<usize> =
            (0..self.layouts.len()).filter(|&map| self.graph.maps[map].level == level).collect();
        let z = self.dims[2] >> level;
        for count in 1..=(z / 2).max(1) {
            let mut cuts: Vec<usize> = (0..count).map(|k| k * z / count / 2 * 2).collect();
            cuts.push(z);
            let longest = cuts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(z);
            let fits = |&map: &usize| {
                let held = (longest + 2 * self.halos[map]).min(z);
                self.passing[map] || self.bytes(&self.layouts[map], held) <= self.settings.limits.binding
            };
            if maps.iter().all(fits) {
                return Ok(cuts);
            }
        }
        let [x, y, z] = self.dims;
        let mib = self.settings.limits.binding >> 20;
        Err(Error::limit(
            "GPU",
            format!("planes of a {x} x {y} x {z} image that exceed a binding of {mib} MiB"),
            "a smaller volume, or the CPU",
        ))
    }

    fn bytes(&self, layout: &Layout, planes: usize) -> u64 {
        (planes * layout.pitch * self.settings.precision.quad()) as u64
    }

    /// The planes of each chunk of a map.
    fn own(&self, map: usize) -> Vec<Range<usize>> {
        self.cuts[self.graph.maps[map].level].windows(2).map(|pair| pair[0]..pair[1]).collect()
    }

    /// Planes of a step's output at which a slab must end, for what it reads lies in other chunks from there on.
    fn ends(&self, step: &Step) -> Vec<usize> {
        let level = self.graph.maps[step.output].level;
        let mut ends = self.cuts[level].clone();
        for source in &step.sources {
            let made =
                self.graph.steps.iter().filter(|made| self.passing[source.map] && made.output == source.map);
            let below = made.flat_map(|made| self.ends(made));
            let theirs = self.graph.maps[source.map].level;
            let cuts = self.cuts[theirs].iter().copied().chain(below);
            ends.extend(cuts.map(|cut| if theirs > level { 2 * cut } else { cut >> (level - theirs) }));
        }
        ends
    }

    fn build(mut self) -> Plan {
        let image = self.store(0);
        for chunk in image {
            let (layout, planes) = (self.layouts[0], chunk.held.clone());
            self.plan.ops.push(Op::Upload { buffer: chunk.buffer, layout, planes });
        }
        let graph = self.graph;
        for (index, step) in graph.steps.iter().enumerate() {
            match step.kind {
                Kind::Join => self.join(step),
                Kind::Out(_) => self.out(index, step),
                _ => self.compute(index, step),
            }
            for source in &step.sources {
                self.release(source.map, index);
            }
        }
        self.plan.flops = self
            .plan
            .ops
            .iter()
            .map(|op| if let Op::Dispatch { flops, .. } = op { *flops } else { 0.0 })
            .sum();
        self.plan
    }

    /// Gives back the buffers of a map, and of what it is made of if it is passing, after their last reader.
    fn release(&mut self, map: usize, index: usize) {
        let graph = self.graph;
        if self.last_use(map) > index {
            return;
        }
        for chunk in std::mem::take(&mut self.chunks[map]) {
            self.give(chunk.buffer);
        }
        if self.passing[map] {
            for step in graph.steps.iter().filter(|step| step.output == map) {
                step.sources.iter().for_each(|source| self.release(source.map, index));
            }
        }
    }

    /// The last step that reads a map, by way of a passing one or not.
    fn last_use(&self, map: usize) -> usize {
        let of = |(index, step): (usize, &Step)| {
            let reads = step.sources.iter().any(|source| source.map == map);
            let passed = if reads && self.passing[step.output] { self.last_use(step.output) } else { 0 };
            if reads { index.max(passed) } else { 0 }
        };
        self.graph.steps.iter().enumerate().map(of).max().unwrap_or(0)
    }

    /// A buffer: one that is free and about as large, or a new one.
    fn take(&mut self, bytes: u64) -> usize {
        let bytes = bytes.next_multiple_of(256).max(256);
        let fits = |&&at: &&usize| (bytes..=bytes + bytes / 4).contains(&self.sizes[at]);
        if let Some(&buffer) = self.free.iter().filter(fits).min_by_key(|&&at| self.sizes[at]) {
            self.free.retain(|&at| at != buffer);
            return buffer;
        }
        if self.sizes.iter().sum::<u64>() + bytes > self.settings.limits.budget {
            for buffer in std::mem::take(&mut self.free) {
                self.sizes[buffer] = 0;
                self.plan.ops.push(Op::Drop { buffer });
            }
        }
        self.sizes.push(bytes);
        let buffer = self.sizes.len() - 1;
        self.plan.ops.push(Op::Create { buffer, bytes });
        self.plan.peak = self.plan.peak.max(self.sizes.iter().sum());
        buffer
    }

    fn give(&mut self, buffer: usize) {
        self.free.push(buffer);
    }

    /// Buffers for a map.
    fn store(&mut self, map: usize) -> Vec<Chunk> {
        let (layout, halo) = (self.layouts[map], self.halos[map]);
        let mut chunks = Vec::new();
        for own in self.own(map) {
            let held = own.start.saturating_sub(halo)..(own.end + halo).min(layout.dims[2]);
            chunks.push(Chunk { buffer: self.take(self.bytes(&layout, held.len())), own, held });
        }
        self.chunks[map].clone_from(&chunks);
        chunks
    }

    /// The slabs of a step: within a chunk of everything it sees, and as many planes as a dispatch may cost.
    fn slabs(&self, step: &Step, own: &Range<usize>) -> Vec<Range<usize>> {
        let each = self.graph.flops(step, self.dims) / self.layouts[step.output].dims[2] as f64;
        let most = (self.settings.limits.dispatch / each) as usize;
        let passing = step.sources.iter().any(|source| self.passing[source.map]);
        let most = most.clamp(1, if passing { 4 } else { 65535 });
        let mut ends = self.ends(step);
        ends.retain(|end| own.contains(end) && *end > own.start);
        ends.push(own.end);
        ends.sort_unstable();
        ends.dedup();
        let mut slabs = Vec::new();
        let mut start = own.start;
        for end in ends {
            // Even ones.
            let (length, count) = (end - start, (end - start).div_ceil(most));
            slabs.extend((0..count).map(|k| start + k * length / count..start + (k + 1) * length / count));
            start = end;
        }
        slabs
    }

    /// A step whose output has statistics, or is pooled.
    fn compute(&mut self, index: usize, step: &Step) {
        let passing = self.passing[step.output];
        let targets = if passing {
            self.own(step.output)
                .into_iter()
                .map(|own| Chunk { buffer: usize::MAX, held: own.clone(), own })
                .collect()
        } else {
            self.store(step.output)
        };
        let slabs: Vec<(Chunk, Range<usize>)> = targets
            .iter()
            .flat_map(|chunk| self.slabs(step, &chunk.own).into_iter().map(|slab| (chunk.clone(), slab)))
            .collect();
        let layout = self.layouts[step.output];
        let longest = slabs.iter().map(|(_, slab)| slab.len()).max().unwrap_or(0);
        let scratch = self.scratch(step, longest);
        let passed = passing.then(|| self.take(self.bytes(&layout, longest)));
        let norms = self.graph.norms.iter().position(|norm| norm.map == step.output);
        let row = self.kernel(step).row();
        let count = |slab: &Range<usize>| conv::moments(&layout, slab.len(), row);
        let of = slabs.iter().map(|(_, slab)| norm::merge_groups(count(slab))).sum::<usize>();
        let slots = norms.map(|_| self.take((of * layout.quads * 48) as u64));
        let mut slot = 0;
        for (chunk, slab) in &slabs {
            let target = match passed {
                Some(buffer) => (buffer, slab.start),
                None => (chunk.buffer, chunk.held.start),
            };
            self.produce(index, step, slab.clone(), target, &scratch);
            if let Some(slots) = slots {
                let (moments, groups) = (count(slab), norm::merge_groups(count(slab)));
                self.plan.ops.push(Op::Dispatch {
                    kernel: Kernel::Merge,
                    words: norm::merge_words(moments, slot, of),
                    bindings: vec![Binding::Buffer(scratch.moments), Binding::Buffer(slots)],
                    groups: [groups as u32, layout.quads as u32, 1],
                    flops: (moments * layout.quads * 40) as f64,
                });
                slot += groups;
            }
        }
        if let (Some(norm), Some(slots)) = (norms, slots) {
            let lines = self.take((layout.quads * 32) as u64);
            let zeros = if self.graph.norms[norm].padded { padding(layout.dims) } else { 0.0 };
            self.plan.ops.push(Op::Dispatch {
                kernel: Kernel::Norm,
                words: norm::norm_words(of, layout.quads, zeros),
                bindings: vec![Binding::Buffer(slots), Binding::Norm(norm), Binding::Buffer(lines)],
                groups: [layout.quads.div_ceil(64) as u32, 1, 1],
                flops: 0.0,
            });
            self.lines[norm] = Some(lines);
            self.give(slots);
        }
        self.exchange(step.output);
        [Some(scratch.moments), passed].into_iter().flatten().for_each(|buffer| self.give(buffer));
        scratch.windows.into_iter().flatten().for_each(|buffer| self.give(buffer));
    }

    /// Fills the halos from the neighbours.
    fn exchange(&mut self, map: usize) {
        let (layout, chunks) = (self.layouts[map], self.chunks[map].clone());
        for to in &chunks {
            for from in &chunks {
                let planes = from.own.start.max(to.held.start)..from.own.end.min(to.held.end);
                if from.own != to.own && !planes.is_empty() {
                    let at =
                        |chunk: &Chunk| (chunk.buffer, self.bytes(&layout, planes.start - chunk.held.start));
                    let bytes = self.bytes(&layout, planes.len());
                    let op = Op::Copy { from: at(from), to: at(to), bytes };
                    self.plan.ops.push(op);
                }
            }
        }
    }

    /// The kernel of a step that leaves moments.
    fn kernel(&self, step: &Step) -> Kernel {
        match step.kind {
            Kind::Conv(_) => conv::kernel(&self.layouts[step.output], self.settings.tiled),
            _ => Kernel::Up,
        }
    }

    /// Scratch of a step whose slabs have so many planes.
    fn scratch(&mut self, step: &Step, planes: usize) -> Scratch {
        let size = |step: &Step, planes: usize| {
            let layout = &self.layouts[step.output];
            conv::moments(layout, planes, self.kernel(step).row()) * layout.quads
        };
        let mut moments = size(step, planes);
        let held = if step.kind == Kind::Pool { 2 * planes } else { planes + 2 };
        let passing = |source: &&Source| self.passing[source.map];
        for source in step.sources.iter().filter(passing) {
            let made = self.graph.steps.iter().filter(|made| made.output == source.map);
            moments = made.fold(moments, |most, made| most.max(size(made, held)));
        }
        let mut windows = Vec::new();
        for source in &step.sources {
            let layout = self.layouts[source.map];
            windows.push(self.passing[source.map].then(|| self.take(self.bytes(&layout, held))));
        }
        Scratch { moments: self.take((moments * 48) as u64), windows }
    }

    /// Planes of a source: its buffer and the plane with which that begins. A passing map is made.
    fn window(
        &mut self,
        source: Source,
        planes: Range<usize>,
        scratch: &Scratch,
        which: usize,
    ) -> (Layout, usize, usize) {
        let layout = self.layouts[source.map];
        let planes = planes.start..planes.end.min(layout.dims[2]);
        if let Some(&Some(buffer)) = scratch.windows.get(which).filter(|_| self.passing[source.map]) {
            let graph = self.graph;
            if let Some(index) = graph.steps.iter().position(|step| step.output == source.map) {
                let inner = Scratch { moments: scratch.moments, windows: Vec::new() };
                self.produce(index, &graph.steps[index], planes.clone(), (buffer, planes.start), &inner);
            }
            return (layout, buffer, planes.start);
        }
        let holds = |chunk: &&Chunk| chunk.held.start <= planes.start && chunk.held.end >= planes.end;
        match self.chunks[source.map].iter().find(holds) {
            Some(chunk) => (layout, chunk.buffer, chunk.held.start),
            // Cuts and halos are made such that this cannot be; a test looks.
            None => (layout, usize::MAX, 0),
        }
    }

    fn lines_of(&self, source: Source) -> Binding {
        source.norm.and_then(|norm| self.lines[norm]).map_or(Binding::Same, Binding::Buffer)
    }

    /// Computes planes of a step's output into `target`, a buffer and the plane with which it begins.
    fn produce(
        &mut self,
        index: usize,
        step: &Step,
        slab: Range<usize>,
        target: (usize, usize),
        scratch: &Scratch,
    ) {
        let output = self.layouts[step.output];
        let (first, planes, start) = (slab.start, slab.len(), target.1);
        let read = match step.kind {
            Kind::Conv(_) => first.saturating_sub(1)..slab.end + 1,
            Kind::Pool => 2 * first..2 * slab.end,
            // The last plane of an odd output is padding: it has none below.
            _ => (first / 2).min(self.layouts[step.sources[0].map].dims[2] - 1)..slab.end.div_ceil(2),
        };
        let sources: Vec<_> = (step.sources.iter().enumerate())
            .map(|(which, &source)| {
                let (layout, buffer, start) = self.window(source, read.clone(), scratch, which);
                let leak = if source.leaky { LEAK } else { 1.0 };
                (layout, buffer, start, leak, self.lines_of(source))
            })
            .collect();
        let flops = self.graph.flops(step, self.dims) * planes as f64 / output.dims[2] as f64;
        let (a, a_buffer, a_start, a_leak, a_lines) = sources[0];
        let out = Binding::Buffer(target.0);
        let op = match step.kind {
            Kind::Conv(_) => {
                // Without a second source the first stands in for it, with no channels.
                let none = Layout { quads: 0, ..a };
                let (b, b_buffer, b_start, b_leak, b_lines) =
                    sources.get(1).copied().unwrap_or((none, a_buffer, a_start, a_leak, a_lines));
                let sources = [(a, a_start, a_leak), (b, b_start, b_leak)];
                let params = conv::Params { output, start, first, planes, sources };
                let (kernel, groups) = (self.kernel(step), conv::groups(&params, self.kernel(step)));
                let bindings = vec![
                    Binding::Buffer(a_buffer),
                    Binding::Buffer(b_buffer),
                    a_lines,
                    b_lines,
                    Binding::Weights(index),
                    out,
                    Binding::Buffer(scratch.moments),
                ];
                Op::Dispatch { kernel, words: params.words(), bindings, groups, flops }
            }
            Kind::Up(_) => {
                let params = up::Params { output, start, first, planes, source: (a, a_start, a_leak) };
                let moments = Binding::Buffer(scratch.moments);
                let bindings =
                    vec![Binding::Buffer(a_buffer), a_lines, Binding::Weights(index), out, moments];
                Op::Dispatch {
                    kernel: Kernel::Up,
                    words: params.words(),
                    bindings,
                    groups: params.groups(),
                    flops,
                }
            }
            _ => {
                let params = pool::Params { output, start, first, planes, source: (a, a_start, a_leak) };
                let bindings = vec![Binding::Buffer(a_buffer), a_lines, out];
                Op::Dispatch {
                    kernel: Kernel::Pool,
                    words: params.words(),
                    bindings,
                    groups: params.groups(),
                    flops,
                }
            }
        };
        self.plan.ops.push(op);
    }

    /// In place: the sum takes the chunks of its first source.
    fn join(&mut self, step: &Step) {
        let [a, b] = [step.sources[0], step.sources[1]];
        let layout = self.layouts[step.output];
        let size = layout.dims[0] * layout.dims[1];
        let chunks = std::mem::take(&mut self.chunks[a.map]);
        let others = self.chunks[b.map].clone();
        for (chunk, other) in chunks.iter().zip(&others) {
            let planes = chunk.own.len();
            self.plan.ops.push(Op::Dispatch {
                kernel: Kernel::Join,
                words: join::words(
                    size,
                    layout.quads,
                    layout.pitch,
                    [chunk, other].map(|c| c.own.start - c.held.start),
                ),
                bindings: vec![
                    Binding::Buffer(chunk.buffer),
                    Binding::Buffer(other.buffer),
                    self.lines_of(a),
                    self.lines_of(b),
                ],
                groups: join::groups(size, layout.quads, planes),
                flops: (size * layout.quads * planes * 16) as f64,
            });
        }
        self.chunks[step.output] = chunks;
        self.exchange(step.output);
    }

    fn out(&mut self, index: usize, step: &Step) {
        let source = step.sources[0];
        let layout = self.layouts[source.map];
        let outputs = self.graph.maps[step.output].channels;
        let size = layout.dims[0] * layout.dims[1];
        let labels = self.settings.labels;
        let plane = size.div_ceil(4) * if labels { 4 } else { 16 * outputs };
        let most = ((16 << 20) / plane).max(1);
        let longest =
            self.chunks[source.map].iter().map(|chunk| chunk.own.len()).max().unwrap_or(1).min(most);
        let buffer = self.take((longest * plane) as u64);
        for chunk in self.chunks[source.map].clone() {
            for first in chunk.own.clone().step_by(longest) {
                let planes = first..(first + longest).min(chunk.own.end);
                let bytes = (planes.len() * plane) as u64;
                self.plan.ops.push(Op::Mark { buffer, bytes });
                let leak = if source.leaky { LEAK } else { 1.0 };
                let at = first - chunk.held.start;
                self.plan.ops.push(Op::Dispatch {
                    kernel: if labels { Kernel::Labels } else { Kernel::Logits },
                    words: out::words(size, layout.pitch, at, planes.len(), layout.quads, outputs, leak),
                    bindings: vec![
                        Binding::Buffer(chunk.buffer),
                        self.lines_of(source),
                        Binding::Weights(index),
                        Binding::Buffer(buffer),
                    ],
                    groups: out::groups(size, planes.len()),
                    flops: self.graph.flops(step, self.dims) * planes.len() as f64 / layout.dims[2] as f64,
                });
                self.plan.ops.push(Op::Read { buffer, bytes, planes });
            }
        }
        self.give(buffer);
    }
}

/// Buffers for the time of a step.
struct Scratch {
    moments: usize,
    /// By source: planes of a passing map.
    windows: Vec<Option<usize>>,
}
