//! The way back: by a map's readers to its gradient, and on to the weights.

use super::{Lesson, bytes, leak};
use crate::engine::graph::{Kind, Source, Step};
use crate::engine::norm::padding;
use crate::engine::plan::parameters::part;
use crate::engine::plan::{Binding, Flat, Op, Packed};
use crate::kernels::back::{Back, Slab, bend, conv, gather, join, out, sum, up};
use crate::kernels::{Kernel, Layout};
use std::ops::Range;

/// Some kernel's part of some planes.
pub(super) struct Part<'a> {
    pub kernel: Kernel,
    pub words: &'a dyn Fn(Range<usize>, usize) -> Vec<u32>,
    pub groups: &'a dyn Fn(Range<usize>) -> [u32; 3],
    pub bindings: Vec<Binding>,
    /// Planes of what is cut.
    pub planes: usize,
    /// Operations of all planes.
    pub flops: f64,
}

impl Lesson<'_> {
    /// Lists a kernel in slabs that each cost no more than a dispatch may.
    pub(super) fn part(&mut self, part: &Part) {
        let each = part.flops / part.planes as f64;
        let most = (self.task.settings.limits.dispatch / each).clamp(1.0, 65535.0) as usize;
        let count = part.planes.div_ceil(most);
        for k in 0..count {
            let slab = k * part.planes / count..(k + 1) * part.planes / count;
            self.buffers.push(Op::Dispatch {
                kernel: part.kernel,
                words: (part.words)(slab.clone(), k),
                bindings: part.bindings.clone(),
                groups: (part.groups)(slab.clone()),
                flops: each * slab.len() as f64,
            });
        }
    }

    /// Back through one step, or convolutions that read the same.
    pub(super) fn back(&mut self, steps: Range<usize>) {
        let graph = self.task.graph;
        for step in &graph.steps[steps.clone()] {
            if self.reached[step.output] {
                self.bend(step.output);
            }
            // Its raw values were needed for this alone.
            if self.norm_of(step.output).is_some() {
                self.forget(step.output);
            }
        }
        let step = &graph.steps[steps.start];
        match step.kind {
            Kind::Conv(_) => self.conv_back(steps),
            Kind::Pool => self.pool_back(step),
            Kind::Up(_) => self.up_back(steps.start, step),
            Kind::Join => self.join_back(step),
            Kind::Gate(_) => self.gate_back(steps.start, step),
            Kind::Out(_) => self.out_back(steps.start, step),
        }
    }

    pub(super) fn slope(&self, map: usize) -> usize {
        self.slopes[map].unwrap_or(usize::MAX)
    }

    /// From the gradient by a map's read values to that by its raw ones, and those of its normalisation.
    fn bend(&mut self, map: usize) {
        let Some((index, norm)) = self.norm_of(map) else { return };
        let (Some(lines), Some(stats)) = (self.lines[index], self.stats[index]) else { return };
        let readers = self.task.graph.steps.iter().flat_map(|step| &step.sources);
        let leak = readers.into_iter().find(|source| source.map == map).map_or(1.0, |source| leak(*source));
        let layout = self.layouts[map];
        let slab = Slab::whole(layout);
        let voxels = layout.dims.iter().product::<usize>();
        let values = layout.quads * voxels;
        let [slopes, data, lines, stats] =
            [self.slope(map), self.there(map), lines, stats].map(Binding::Buffer);
        let total = bend::slots(&slab);
        let (sums, bends) = (self.scratch(layout.quads * total * 32), self.scratch(layout.quads * 64));
        let found = self.scratch(layout.quads * 32);
        self.one(
            Kernel::Back(Back::BendSums),
            bend::sums_words(&slab, leak, 0, total),
            vec![slopes, data, lines, stats, Binding::Buffer(sums)],
            bend::sums_groups(&slab),
            (40 * values) as f64,
        );
        let zeros = if norm.padded { padding(layout.dims) } else { 0.0 };
        self.one(
            Kernel::Back(Back::BendEnd),
            bend::end_words(total, layout.quads, voxels as f64 + zeros),
            vec![Binding::Buffer(sums), lines, stats, Binding::Buffer(bends), Binding::Buffer(found)],
            bend::end_groups(layout.quads),
            0.0,
        );
        self.one(
            Kernel::Back(Back::BendApply),
            bend::apply_words(&slab, leak),
            vec![slopes, data, lines, Binding::Buffer(bends)],
            slab.groups(),
            (40 * values) as f64,
        );
        if norm.parameters().iter().any(|name| (self.task.learns)(name)) {
            match self.task.parameters.excite(self.task.graph, norm) {
                Some(params) => self.one(
                    Kernel::Back(Back::ExciteBack),
                    params.words(),
                    vec![Binding::Flat(Flat::Values), Binding::Buffer(found), Binding::Flat(Flat::Gradient)],
                    [1; 3],
                    (8 * params.channels * params.narrow) as f64,
                ),
                None => {
                    let channels = self.task.graph.maps[map].channels;
                    self.learn(found, Packed::NormBack(index), &format!("{}.gamma", norm.name), 2 * channels);
                }
            }
        }
        [sums, bends, found].into_iter().for_each(|buffer| self.buffers.give(buffer));
    }

    /// Adds what a kernel left in its order to the gradient of the parameters that begin with `name`.
    pub(super) fn learn(&mut self, found: usize, table: Packed, name: &str, count: usize) {
        let start = self.task.parameters.place(name).start;
        self.one(
            Kernel::Back(Back::Gather),
            gather::words(count, start, 0, true),
            vec![Binding::Buffer(found), Binding::Table(table), Binding::Flat(Flat::Gradient)],
            gather::groups(count),
            count as f64,
        );
    }

    /// Adds up `splits` parts of so many numbers, in two runs where they are many.
    pub(super) fn sum(&mut self, parts: usize, numbers: usize, splits: usize, to: usize) {
        let left = sum::left(splits);
        let between = (left > 1).then(|| self.scratch(4 * numbers * left));
        let runs = match between {
            Some(between) => vec![(parts, splits, left, between), (between, left, 1, to)],
            None => vec![(parts, splits, 1, to)],
        };
        for (parts, splits, left, to) in runs {
            self.one(
                Kernel::Back(Back::Sum),
                sum::words(numbers / 4, splits, left),
                vec![Binding::Buffer(parts), Binding::Buffer(to)],
                sum::groups(numbers / 4, left),
                (numbers * splits) as f64,
            );
        }
        between.into_iter().for_each(|buffer| self.buffers.give(buffer));
    }

    fn conv_back(&mut self, steps: Range<usize>) {
        let graph = self.task.graph;
        for index in steps.clone() {
            let step = &graph.steps[index];
            if self.reached[step.output] && step.parameters().iter().any(|name| (self.task.learns)(name)) {
                self.conv_weight(index, step);
            }
        }
        let outputs: Vec<usize> = graph.steps[steps.clone()].iter().map(|step| step.output).collect();
        for source in &graph.steps[steps.start].sources {
            if !self.reached[source.map] {
                continue;
            }
            let layout = self.layouts[source.map];
            let to = self.buffers.take(bytes(&layout));
            let read: Vec<(usize, Binding)> =
                outputs.iter().map(|&map| (self.slope(map), Binding::Same)).collect();
            let mut bindings = self.convolution(&read);
            bindings.extend([Binding::Packed(Packed::Turned(source.map)), Binding::Buffer(to)]);
            let sources: Vec<(Layout, f32)> = outputs.iter().map(|&map| (self.layouts[map], 1.0)).collect();
            let channels: usize = outputs.iter().map(|&map| graph.maps[map].channels).sum();
            let voxels = layout.dims.iter().product::<usize>();
            let flops = 54.0 * (channels * graph.maps[source.map].channels * voxels) as f64;
            self.convolve(layout, &sources, bindings, flops, false);
            self.slopes[source.map] = Some(to);
        }
    }

    fn conv_weight(&mut self, index: usize, step: &Step) {
        let graph = self.task.graph;
        let (layout, outputs) = (self.layouts[step.output], graph.maps[step.output].channels);
        let channels = |source: &Source| graph.maps[source.map].channels;
        let sizes: Vec<usize> = step.sources.iter().map(|source| part(channels(source), outputs)).collect();
        let all = self.scratch(4 * sizes.iter().sum::<usize>());
        let mut before = 0;
        for (source, size) in step.sources.iter().zip(&sizes) {
            let from = self.layouts[source.map];
            let splits = conv::splits(&from, &layout, layout.dims[2]);
            let parts = self.scratch(4 * size * splits);
            let params = |slab: Range<usize>, fresh| conv::Params {
                slab: Slab { map: layout, first: slab.start, planes: slab.len() },
                source: from,
                leak: leak(*source),
                splits,
                fresh,
            };
            let bindings = vec![
                Binding::Buffer(self.slope(step.output)),
                Binding::Buffer(self.there(source.map)),
                self.lines_of(*source),
                Binding::Buffer(parts),
            ];
            self.part(&Part {
                kernel: Kernel::Back(Back::ConvWeight),
                words: &|slab, k| params(slab, k == 0).words(),
                groups: &|slab| params(slab, true).groups(),
                bindings,
                planes: layout.dims[2],
                flops: 54.0 * (channels(source) * outputs * layout.dims.iter().product::<usize>()) as f64,
            });
            if before == 0 {
                self.sum(parts, *size, splits, all);
            } else {
                let summed = self.scratch(4 * size);
                self.sum(parts, *size, splits, summed);
                self.buffers.push(Op::Copy {
                    from: (summed, 0),
                    to: (all, 4 * before as u64),
                    bytes: 4 * *size as u64,
                });
                self.buffers.give(summed);
            }
            self.buffers.give(parts);
            before += size;
        }
        if let Some(name) = step.parameters().first() {
            let count = self.task.parameters.place(name).len();
            self.learn(all, Packed::WeightsBack(index), name, count);
        }
        self.buffers.give(all);
    }

    fn pool_back(&mut self, step: &Step) {
        let source = step.sources[0];
        if !self.reached[source.map] {
            return;
        }
        if self.slopes[source.map].is_none() {
            let buffer = self.buffers.take(bytes(&self.layouts[source.map]));
            self.buffers.push(Op::Clear { binding: Binding::Buffer(buffer) });
            self.slopes[source.map] = Some(buffer);
        }
        let params = self.pooling(step, &(0..self.layouts[step.output].dims[2]));
        let bindings = vec![
            Binding::Buffer(self.slope(step.output)),
            Binding::Buffer(self.there(source.map)),
            self.lines_of(source),
            Binding::Buffer(self.slope(source.map)),
        ];
        let flops = 3.0 * self.task.graph.flops(step, self.task.dims);
        self.one(Kernel::Back(Back::Pool), params.words(), bindings, params.groups(), flops);
    }

    fn join_back(&mut self, step: &Step) {
        let layout = self.layouts[step.output];
        let slab = Slab::whole(layout);
        let (first, second) = (self.slope(step.output), self.buffers.take(bytes(&layout)));
        self.one(
            Kernel::Back(Back::Join),
            join::words(&slab),
            [first, self.there(step.output), second].map(Binding::Buffer).to_vec(),
            slab.groups(),
            self.task.graph.flops(step, self.task.dims),
        );
        self.slopes[step.output] = None;
        for (source, slopes) in step.sources.iter().zip([first, second]) {
            if self.reached[source.map] {
                self.slopes[source.map] = Some(slopes);
            } else {
                self.buffers.give(slopes);
            }
        }
    }

    fn up_back(&mut self, index: usize, step: &Step) {
        let graph = self.task.graph;
        let source = step.sources[0];
        let (from, output) = (self.layouts[source.map], self.layouts[step.output]);
        let splits = up::splits(&from, &output, from.dims[2]);
        let params = |slab: Range<usize>, fresh| up::Params {
            slab: Slab { map: from, first: slab.start, planes: slab.len() },
            output,
            leak: leak(source),
            splits,
            fresh,
        };
        let (planes, flops) = (from.dims[2], graph.flops(step, self.task.dims));
        let slopes = Binding::Buffer(self.slope(step.output));
        let name = step.parameters().remove(0);
        if (self.task.learns)(&name) {
            let numbers = up::part(&from, &output);
            let (parts, all) = (self.scratch(4 * numbers * splits), self.scratch(4 * numbers));
            let bindings = vec![
                slopes,
                Binding::Buffer(self.there(source.map)),
                self.lines_of(source),
                Binding::Buffer(parts),
            ];
            self.part(&Part {
                kernel: Kernel::Back(Back::UpWeight),
                words: &|slab, k| params(slab, k == 0).words(),
                groups: &|slab| params(slab, true).weight_groups(),
                bindings,
                planes,
                flops,
            });
            self.sum(parts, numbers, splits, all);
            let count = self.task.parameters.place(&name).len();
            self.learn(all, Packed::WeightsBack(index), &name, count);
            [parts, all].into_iter().for_each(|buffer| self.buffers.give(buffer));
        }
        if self.reached[source.map] {
            let to = self.buffers.take(bytes(&from));
            self.part(&Part {
                kernel: Kernel::Back(Back::Up),
                words: &|slab, _| params(slab, true).words(),
                groups: &|slab| params(slab, true).groups(),
                bindings: vec![slopes, Binding::Packed(Packed::Weights(index)), Binding::Buffer(to)],
                planes,
                flops,
            });
            self.slopes[source.map] = Some(to);
        }
    }

    fn out_back(&mut self, index: usize, step: &Step) {
        let source = step.sources[0];
        let (from, outputs) = (self.layouts[source.map], self.task.graph.maps[step.output].channels);
        let slab = Slab::whole(from);
        let slopes = Binding::Buffer(self.slope(step.output));
        let flops = self.task.graph.flops(step, self.task.dims);
        let names = step.parameters();
        if names.iter().any(|name| (self.task.learns)(name)) {
            let (numbers, splits) = (out::part(&from, outputs), out::splits(&from, outputs));
            let (parts, all) = (self.scratch(4 * numbers * splits), self.scratch(4 * numbers));
            self.one(
                Kernel::Back(Back::OutWeight),
                out::weight_words(&slab, outputs, leak(source), splits, true),
                vec![
                    slopes,
                    Binding::Buffer(self.there(source.map)),
                    self.lines_of(source),
                    Binding::Buffer(parts),
                ],
                out::weight_groups(&slab, outputs, splits),
                flops,
            );
            self.sum(parts, numbers, splits, all);
            let count = names.iter().map(|name| self.task.parameters.place(name).len()).sum();
            self.learn(all, Packed::WeightsBack(index), &names[0], count);
            [parts, all].into_iter().for_each(|buffer| self.buffers.give(buffer));
        }
        if self.reached[source.map] {
            let there = self.slopes[source.map];
            let to = there.unwrap_or_else(|| self.buffers.take(bytes(&from)));
            self.one(
                Kernel::Back(Back::Out),
                out::words(&slab, outputs, there.is_some()),
                vec![slopes, Binding::Packed(Packed::Weights(index)), Binding::Buffer(to)],
                slab.groups(),
                flops,
            );
            self.slopes[source.map] = Some(to);
        }
    }
}
