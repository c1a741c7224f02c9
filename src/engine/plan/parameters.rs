//! All parameters of a network in one piece of a GPU's memory, and the ways from there to the kernels and back:
//! tables that are made once, so that no weight is read from the GPU between two steps.

use super::buffers::Buffers;
use super::list::{Binding, Command, Packed, ParamBuffer, Plan};
use super::packing::{self, part};
use crate::engine::nn::adamw::AdamWStep;
use crate::engine::nn::graph::{Graph, Norm, Operation, Step};
use crate::engine::wgsl::{adamw, conv, gather, norm_act, squeeze_excite};
use crate::model::{Architecture, Parameter, attention_gate_units};
use crate::store::by_name;
use std::collections::BTreeMap;
use std::ops::Range;

/// Where each parameter lies.
#[derive(Debug, Clone)]
pub struct Parameters {
    /// In their order.
    pub list: Vec<Parameter>,
    /// Their places by name.
    places: BTreeMap<String, Range<usize>>,
    /// How many numbers.
    pub total: usize,
}

impl Parameters {
    /// Of an architecture.
    pub fn new(architecture: &Architecture) -> Self {
        let list = architecture.parameters();
        let mut total = 0;
        let place = |parameter: &Parameter| {
            total += parameter.shape.iter().product::<usize>();
            (parameter.name.clone(), total - parameter.shape.iter().product::<usize>()..total)
        };
        let places = by_name(list.iter().map(place));
        Self { list, places, total }
    }

    /// The place of a parameter.
    pub fn place(&self, name: &str) -> Range<usize> {
        self.places.get(name).cloned().unwrap_or(0..0)
    }

    /// Where those that are trained lie, neighbours as one.
    pub fn ranges(&self, trainable: &dyn Fn(&str) -> bool) -> Vec<Range<usize>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for parameter in self.list.iter().filter(|parameter| trainable(&parameter.name)) {
            let place = self.place(&parameter.name);
            match ranges.last_mut() {
                Some(last) if last.end == place.start => last.end = place.end,
                _ => ranges.push(place),
            }
        }
        ranges
    }

    /// All tables. Numbers count from 1 among the parameters, or in what a kernel leaves.
    pub fn tables(&self, graph: &Graph) -> Vec<(Packed, Vec<u32>)> {
        let channels = |map: usize| graph.maps[map].channels;
        let mut tables = Vec::new();
        for (index, step) in graph.steps.iter().enumerate() {
            let count: usize = step.parameters().iter().map(|name| self.place(name).len()).sum();
            if count > 0 {
                let pack = |all: &[f32]| packing::pack(graph, step, all).unwrap_or_default();
                tables.push((Packed::Weights(index), gather::shader::table(count, pack)));
                tables.push((Packed::WeightsBack(index), packing::gradient_index(graph, step)));
            }
        }
        for (index, norm) in graph.norms.iter().enumerate().filter(|(_, norm)| norm.squeeze_excite.is_none())
        {
            let channels = channels(norm.map);
            let pack = |all: &[f32]| {
                let pairs = all[..channels].iter().zip(&all[channels..]);
                norm_act::forward::pack(&pairs.map(|(gamma, beta)| [*gamma, *beta]).collect::<Vec<_>>())
            };
            let table = gather::shader::table(2 * channels, pack);
            tables.push((Packed::NormBack(index), gather::shader::inverse(&table, 2 * channels)));
            tables.push((Packed::Norm(index), table));
        }
        for steps in graph.fusion_groups() {
            let mut first = 0;
            for source in &graph.steps[steps.start].sources {
                if let Some(table) =
                    self.transposed(graph, steps.clone(), first..first + channels(source.map))
                {
                    tables.push((Packed::Transposed(source.map), table));
                }
                first += channels(source.map);
            }
        }
        tables
    }

    /// The table of the weights that give the gradient of channels `range` of what some convolutions read.
    fn transposed(&self, graph: &Graph, steps: Range<usize>, range: Range<usize>) -> Option<Vec<u32>> {
        let steps = &graph.steps[steps];
        let places = steps.iter().map(|step| match &step.kind {
            Operation::Conv(name) => Some(self.place(name)),
            _ => None,
        });
        let places: Vec<Range<usize>> = places.collect::<Option<_>>()?;
        let outputs: Vec<usize> = steps.iter().map(|step| graph.maps[step.output].channels).collect();
        let inputs = graph.input_channels(&steps[0]);
        let numbers: Vec<usize> = places.iter().cloned().flatten().collect();
        let pack = |all: &[f32]| {
            let mut rest = all;
            let readers = places.iter().map(|place| {
                let (mine, others) = rest.split_at(place.len());
                rest = others;
                mine
            });
            let readers: Vec<&[f32]> = readers.collect();
            conv::forward::pack(
                &conv::backward::transposed(&readers, inputs, range.clone()),
                &outputs,
                range.len(),
            )
        };
        let table = gather::shader::table(numbers.len(), pack);
        let absolute = |n: u32| if n == 0 { 0 } else { numbers[n as usize - 1] as u32 + 1 };
        Some(table.into_iter().map(absolute).collect())
    }

    /// Bytes of all that stays on the GPU between two steps: the flat arrays, and of each table and of what it brings
    /// into order (gradients only pass through).
    pub fn bytes(&self, graph: &Graph) -> u64 {
        let channels = |map: usize| graph.maps[map].channels;
        let step = |step: &Step| {
            let outputs = channels(step.output);
            let packed = |sources: &[usize], outputs: usize| {
                sources.iter().map(|&source| part(source, outputs)).sum::<usize>()
            };
            let sources: Vec<usize> = step.sources.iter().map(|source| channels(source.map)).collect();
            let flat: usize = step.parameters().iter().map(|name| self.place(name).len()).sum();
            match step.kind {
                // Weights there and transposed, each with a table, and the table of their gradient.
                Operation::Conv(_) => {
                    let back: usize = sources.iter().map(|&source| packed(&[outputs], source)).sum();
                    2 * packed(&sources, outputs) + 2 * back + flat
                }
                Operation::ConvTranspose(_) => {
                    2 * outputs.div_ceil(4) * 8 * sources[0].div_ceil(4) * 16 + flat
                }
                Operation::HeadConv1x1(_) => 2 * outputs * (sources[0].div_ceil(4) + 1) * 4 + flat,
                Operation::AttentionGate(_) => {
                    let units = attention_gate_units(outputs);
                    2 * (2 * units * (outputs.div_ceil(4) + 1) + units.div_ceil(4) + 1) * 4 + flat
                }
                Operation::Pool | Operation::ResidualAdd => 0,
            }
        };
        let norms: usize = graph.norms.iter().map(|norm| 24 * channels(norm.map).div_ceil(4)).sum();
        4 * (5 * self.total + graph.steps.iter().map(step).sum::<usize>() + norms) as u64
    }

    /// Brings the parameters to where the kernels see them.
    pub fn pack_weights(&self, graph: &Graph, tables: &BTreeMap<Packed, usize>) -> Plan {
        let mut buffers = Buffers::kept();
        for (&packed, &count) in tables {
            let start = match packed {
                Packed::Weights(step) => match graph.steps[step].parameters().first() {
                    Some(name) => self.place(name).start,
                    None => continue,
                },
                Packed::Norm(index) => self.place(&format!("{}.gamma", graph.norms[index].name)).start,
                Packed::Transposed(_) => 0,
                Packed::WeightsBack(_) | Packed::NormBack(_) => continue,
            };
            buffers.push(Command::Dispatch {
                kernel: gather::GATHER,
                words: gather::shader::words(count, 0, start, false),
                bindings: vec![
                    Binding::ParamBuffer(ParamBuffer::Values),
                    Binding::Table(packed),
                    Binding::Packed(packed),
                ],
                groups: gather::shader::groups(count),
                flops: count as f64,
            });
        }
        for (index, norm) in graph.norms.iter().enumerate() {
            if let Some(params) = self.excite(graph, norm) {
                buffers.push(Command::Dispatch {
                    kernel: squeeze_excite::FORWARD,
                    words: params.words(),
                    bindings: vec![
                        Binding::ParamBuffer(ParamBuffer::Values),
                        Binding::Packed(Packed::Norm(index)),
                    ],
                    groups: [1; 3],
                    flops: (4 * params.channels * params.narrow) as f64,
                });
            }
        }
        buffers.plan
    }

    /// Where the tensors of a normalisation's squeeze-and-excite lie, if it has one.
    pub fn excite(&self, graph: &Graph, norm: &Norm) -> Option<squeeze_excite::shader::Params> {
        let name = norm.squeeze_excite.as_ref()?;
        let start = |name: String| self.place(&name).start;
        let layer = |layer: &str| ["weight", "bias"].map(|part| start(format!("{name}.{layer}.{part}")));
        Some(squeeze_excite::shader::Params {
            channels: graph.maps[norm.map].channels,
            narrow: self.place(&format!("{name}.squeeze.bias")).len(),
            gamma: start(format!("{}.gamma", norm.name)),
            beta: start(format!("{}.beta", norm.name)),
            squeeze: layer("squeeze"),
            excite: layer("excite"),
        })
    }

    /// One step of the optimiser over some ranges; nothing changes where the gradient is not finite.
    pub fn step(&self, ranges: &[Range<usize>], step: AdamWStep) -> Plan {
        let mut buffers = Buffers::kept();
        let slots: usize = ranges.iter().map(|range| adamw::shader::slots(range.len())).sum();
        let (m2, clip) = (buffers.acquire(4 * slots as u64), buffers.acquire(8));
        let mut slot = 0;
        for range in ranges {
            buffers.push(Command::Dispatch {
                kernel: adamw::SQUARES,
                words: adamw::shader::squares_words(range.start, range.len(), slot),
                bindings: vec![Binding::ParamBuffer(ParamBuffer::Gradient), Binding::Buffer(m2)],
                groups: [adamw::shader::slots(range.len()) as u32, 1, 1],
                flops: 2.0 * range.len() as f64,
            });
            slot += adamw::shader::slots(range.len());
        }
        buffers.push(Command::Dispatch {
            kernel: adamw::CLIP,
            words: adamw::shader::clip_words(slots, step.settings.clip),
            bindings: vec![Binding::Buffer(m2), Binding::Buffer(clip)],
            groups: [1; 3],
            flops: slots as f64,
        });
        for range in ranges {
            let params = adamw::shader::Params { start: range.start, count: range.len(), step };
            let flats = [
                ParamBuffer::Gradient,
                ParamBuffer::Values,
                ParamBuffer::First,
                ParamBuffer::Second,
                ParamBuffer::Average,
            ];
            let flats = flats.map(Binding::ParamBuffer);
            buffers.push(Command::Dispatch {
                kernel: adamw::STEP,
                words: params.words(),
                bindings: [Binding::Buffer(clip)].into_iter().chain(flats).collect(),
                groups: params.groups(),
                flops: 20.0 * range.len() as f64,
            });
        }
        buffers.plan
    }
}
