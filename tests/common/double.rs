//! The network in 64 bits, as its formulas stand: slow, and right. Derivatives of the loss by finite differences.

use insitu_seg::model::{Architecture, EPSILON, NEGATIVE_SLOPE, Ops};
use insitu_seg::store::Weights;

/// `[c][z, y, x]` of size `dims`, `[x, y, z]`.
#[derive(Clone)]
pub struct Map {
    channels: Vec<Vec<f64>>,
    dims: [usize; 3],
}

/// The weights, and how much one of them is moved: name, index, amount.
pub struct Double<'a> {
    weights: &'a Weights,
    nudge: Option<(&'a str, usize, f64)>,
}

fn at([x, y, _]: [usize; 3], [i, j, k]: [usize; 3]) -> usize {
    (k * y + j) * x + i
}

fn places(dims: [usize; 3]) -> impl Iterator<Item = [usize; 3]> {
    let [x, y, z] = dims;
    (0..z).flat_map(move |k| (0..y).flat_map(move |j| (0..x).map(move |i| [i, j, k])))
}

fn bent(value: f64) -> f64 {
    if value > 0.0 { value } else { f64::from(NEGATIVE_SLOPE) * value }
}

impl Double<'_> {
    fn tensor(&self, name: &str) -> Vec<f64> {
        let mut values: Vec<f64> = self.weights[name].values.iter().map(|&v| f64::from(v)).collect();
        if let Some((nudged, index, amount)) = self.nudge
            && nudged == name
        {
            values[index] += amount;
        }
        values
    }

    fn norm(&self, mut x: Map, name: &str) -> Map {
        let (gamma, beta) =
            (self.tensor(&format!("{name}.norm.gamma")), self.tensor(&format!("{name}.norm.beta")));
        for (channel, (gamma, beta)) in x.channels.iter_mut().zip(gamma.iter().zip(beta)) {
            let count = channel.len() as f64;
            let mean = channel.iter().sum::<f64>() / count;
            let variance = channel.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
            let scale = gamma / (variance + f64::from(EPSILON)).sqrt();
            channel.iter_mut().for_each(|v| *v = (*v - mean) * scale + beta);
        }
        x
    }

    fn dense(&self, x: &[f64], name: &str) -> Vec<f64> {
        let (weight, bias) = (self.tensor(&format!("{name}.weight")), self.tensor(&format!("{name}.bias")));
        let row = |row: &[f64]| row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
        weight.chunks_exact(x.len()).zip(bias).map(|(weights, bias)| row(weights) + bias).collect()
    }
}

impl Ops for Double<'_> {
    type Map = Map;

    fn conv_norm(&mut self, x: &Map, name: &str, outputs: usize) -> Map {
        let weight = self.tensor(&format!("{name}.conv.weight"));
        let inputs = x.channels.len();
        let value = |output: usize, [i, j, k]: [usize; 3]| {
            let mut sum = 0.0;
            for tap in 0..27 {
                let place = [i + tap % 3, j + tap / 3 % 3, k + tap / 9].map(|n| n.wrapping_sub(1));
                if place.iter().zip(x.dims).all(|(&n, side)| n < side) {
                    for input in 0..inputs {
                        sum += weight[(output * inputs + input) * 27 + tap]
                            * x.channels[input][at(x.dims, place)];
                    }
                }
            }
            sum
        };
        let channel = |output| places(x.dims).map(|place| value(output, place)).collect();
        self.norm(Map { channels: (0..outputs).map(channel).collect(), dims: x.dims }, name)
    }

    fn leaky(&mut self, mut x: Map) -> Map {
        x.channels.iter_mut().flatten().for_each(|v| *v = bent(*v));
        x
    }

    fn pool(&mut self, x: &Map) -> Map {
        let dims = x.dims.map(|side| side / 2);
        let top = |channel: &Vec<f64>, [i, j, k]: [usize; 3]| {
            let value = |n: usize| channel[at(x.dims, [2 * i + n % 2, 2 * j + n / 2 % 2, 2 * k + n / 4])];
            (0..8).map(value).fold(f64::NEG_INFINITY, f64::max)
        };
        let channel = |channel: &Vec<f64>| places(dims).map(|place| top(channel, place)).collect();
        Map { channels: x.channels.iter().map(channel).collect(), dims }
    }

    fn conv_transpose(&mut self, x: &Map, name: &str, outputs: usize, skip: &Map) -> Map {
        let weight = self.tensor(&format!("{name}.weight"));
        let padded = x.dims.map(|side| 2 * side + 2);
        let value = |output: usize, place: [usize; 3]| {
            let source = place.map(|n| n / 2);
            if source.iter().zip(x.dims).any(|(&n, side)| n >= side) {
                return 0.0;
            }
            let corner = place[2] % 2 * 4 + place[1] % 2 * 2 + place[0] % 2;
            let part = |input: usize| {
                weight[(input * outputs + output) * 8 + corner] * x.channels[input][at(x.dims, source)]
            };
            (0..x.channels.len()).map(part).sum()
        };
        let channel = |output| places(padded).map(|place| value(output, place)).collect();
        let all = self.norm(Map { channels: (0..outputs).map(channel).collect(), dims: padded }, name);
        let all = self.leaky(all);
        let cut = |channel: &Vec<f64>| places(skip.dims).map(|place| channel[at(padded, place)]).collect();
        Map { channels: all.channels.iter().map(cut).collect(), dims: skip.dims }
    }

    fn concat(&mut self, a: Map, b: Map) -> Map {
        Map { channels: [a.channels, b.channels].concat(), dims: a.dims }
    }

    fn squeeze_excite(&mut self, mut x: Map, name: &str, _: usize) -> Map {
        let means: Vec<f64> =
            x.channels.iter().map(|channel| channel.iter().sum::<f64>() / channel.len() as f64).collect();
        let squeezed = self.dense(&means, &format!("{name}.squeeze"));
        let squeezed: Vec<f64> = squeezed.iter().map(|v| v.max(0.0)).collect();
        let factors = self.dense(&squeezed, &format!("{name}.excite"));
        for (channel, factor) in x.channels.iter_mut().zip(factors) {
            channel.iter_mut().for_each(|v| *v /= 1.0 + (-factor).exp());
        }
        x
    }

    fn residual_add(&mut self, mut a: Map, b: Map) -> Map {
        for (a, b) in a.channels.iter_mut().flatten().zip(b.channels.iter().flatten()) {
            *a = bent(*a + b);
        }
        a
    }

    fn attention_gate(&mut self, skip: &Map, up: &Map, name: &str, units: usize) -> Map {
        let mut y = skip.clone();
        let up_weight = self.tensor(&format!("{name}.up.weight"));
        for voxel in 0..skip.channels[0].len() {
            let at = |map: &Map| map.channels.iter().map(|channel| channel[voxel]).collect::<Vec<_>>();
            let (mut q, up) = (self.dense(&at(skip), &format!("{name}.skip")), at(up));
            assert_eq!(q.len(), units);
            for (q, row) in q.iter_mut().zip(up_weight.chunks_exact(up.len())) {
                *q = bent(*q + row.iter().zip(&up).map(|(w, u)| w * u).sum::<f64>());
            }
            let factor = 1.0 / (1.0 + (-self.dense(&q, &format!("{name}.psi"))[0]).exp());
            y.channels.iter_mut().for_each(|channel| channel[voxel] *= factor);
        }
        y
    }

    fn head_conv1x1(&mut self, x: &Map, name: &str, outputs: usize) -> Map {
        let voxels = x.channels[0].len();
        let mut channels = vec![vec![0.0; voxels]; outputs];
        for voxel in 0..voxels {
            let values: Vec<f64> = x.channels.iter().map(|channel| channel[voxel]).collect();
            for (channel, logit) in channels.iter_mut().zip(self.dense(&values, name)) {
                channel[voxel] = logit;
            }
        }
        Map { channels, dims: x.dims }
    }
}

/// Soft Dice and binary cross-entropy of logits.
fn score(logits: &Map, target: &[Vec<f64>]) -> f64 {
    let (mut dice, mut entropy) = (0.0, 0.0);
    for (logits, target) in logits.channels.iter().zip(target) {
        let (mut overlap, mut sizes) = (0.0, 0.0);
        for (l, y) in logits.iter().zip(target) {
            let p = 1.0 / (1.0 + (-l).exp());
            overlap += p * y;
            sizes += p + y;
            entropy -= y * p.ln() + (1.0 - y) * (1.0 - p).ln();
        }
        dice += (2.0 * overlap + 1.0) / (sizes + 1.0);
    }
    let labels = target.len() as f64;
    entropy / (labels * target[0].len() as f64) - dice / labels
}

/// The loss of the network on an image, and of the region of interest where it has that, one of its weights moved.
pub fn loss(
    architecture: &Architecture,
    weights: &Weights,
    (image, target): (&[f32], &[f32]),
    dims: [usize; 3],
    nudge: Option<(&str, usize, f64)>,
) -> f64 {
    let volume = dims.iter().product();
    let channel = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
    let image = Map { channels: image.chunks_exact(volume).map(channel).collect(), dims };
    let target: Vec<Vec<f64>> = target.chunks_exact(volume).map(channel).collect();
    let mut double = Double { weights, nudge };
    let all = score(&architecture.pass(&mut double, &image), &target);
    let Some(roi) = architecture.roi_pass(&mut double, &image) else { return all };
    let mut region = vec![0.0; roi.channels[0].len()];
    for place in places(dims) {
        let block = place.map(|n| n / 8);
        if block.iter().zip(roi.dims).all(|(&n, side)| n < side)
            && target.iter().any(|channel| channel[at(dims, place)] > 0.0)
        {
            region[at(roi.dims, block)] = 1.0;
        }
    }
    all + score(&roi, &[region])
}
