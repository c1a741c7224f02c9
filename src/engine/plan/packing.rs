//! The weights of a step in the order in which its kernels read them.

use crate::engine::nn::graph::{Graph, Operation, Step};
use crate::engine::wgsl::layout::Layout;
use crate::engine::wgsl::{attention_gate, conv, conv_transpose, head_conv1x1};
use crate::model::attention_gate_units;

fn channels(graph: &Graph, step: &Step) -> (Vec<usize>, usize, usize) {
    let channels = |map: usize| graph.maps[map].channels;
    let sources = step.sources.iter().map(|source| channels(source.map)).collect();
    (sources, graph.input_channels(step), channels(step.output))
}

/// The weights of a step for its forward kernel, from its tensors one after the other; none where it has no weights.
pub fn pack(graph: &Graph, step: &Step, all: &[f32]) -> Option<Vec<f32>> {
    let (sources, inputs, outputs) = channels(graph, step);
    match &step.kind {
        Operation::Conv(_) => Some(conv::forward::pack(all, &sources, outputs)),
        Operation::ConvTranspose(_) => Some(conv_transpose::forward::pack(all, inputs, outputs)),
        Operation::HeadConv1x1(_) => {
            let (weight, bias) = all.split_at(outputs * inputs);
            Some(head_conv1x1::forward::pack(weight, bias))
        }
        Operation::AttentionGate(_) => {
            Some(attention_gate::forward::pack(all, outputs, attention_gate_units(outputs)))
        }
        Operation::Pool | Operation::ResidualAdd => None,
    }
}

/// Where the backward kernels leave the gradient of each of these weights, counted from 1.
pub fn gradient_index(graph: &Graph, step: &Step) -> Vec<u32> {
    let (sources, inputs, outputs) = channels(graph, step);
    match &step.kind {
        Operation::Conv(_) => conv_index(&sources, outputs),
        Operation::ConvTranspose(_) => conv_transpose::backward::index(inputs, outputs),
        Operation::HeadConv1x1(_) => head_conv1x1::backward::index(inputs, outputs),
        Operation::AttentionGate(_) => attention_gate_index(outputs, attention_gate_units(outputs)),
        Operation::Pool | Operation::ResidualAdd => Vec::new(),
    }
}

/// Where the gradient of each weight lies in the parts of all sources, one after the other.
fn conv_index(sources: &[usize], outputs: usize) -> Vec<u32> {
    let mut index = conv::backward::index(sources, 0, outputs);
    let mut before = part(sources[0], outputs);
    for (which, channels) in sources.iter().enumerate().skip(1) {
        for (place, more) in index.iter_mut().zip(conv::backward::index(sources, which, outputs)) {
            if more > 0 {
                *place = more + before as u32;
            }
        }
        before += part(*channels, outputs);
    }
    index
}

/// Where the gradient of each number of a gate lies in the parts of its three 1^3 convolutions, one after the other.
fn attention_gate_index(channels: usize, units: usize) -> Vec<u32> {
    let [part, _] = attention_gate_parts(channels, units);
    let wide = head_conv1x1::backward::index(channels, units);
    let after = |index: &[u32], parts: usize| {
        index.iter().map(|place| place + (parts * part) as u32).collect::<Vec<_>>()
    };
    // The raised map's has no bias.
    [wide.clone(), after(&wide[..units * channels], 1), after(&head_conv1x1::backward::index(units, 1), 2)]
        .concat()
}

/// Numbers of the gradient by the weights of a gate's wide convolutions, and by those of its narrow one.
pub fn attention_gate_parts(channels: usize, units: usize) -> [usize; 2] {
    [(channels, units), (units, 1)]
        .map(|(inputs, outputs)| head_conv1x1::backward::part(&Layout::new(inputs, [1; 3]), outputs))
}

/// Numbers of the gradient by the weights of one source.
pub fn part(channels: usize, outputs: usize) -> usize {
    conv::backward::part(&Layout::new(channels, [1; 3]), &Layout::new(outputs, [1; 3]))
}
