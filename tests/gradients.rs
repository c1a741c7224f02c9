//! The references of the kernels of training against finite differences of what they are the gradients of: of the
//! forward kernels' references where these are straight lines, of the formula in 64 bits elsewhere.
#![cfg(all(feature = "net", not(target_arch = "wasm32")))]

use insitu_seg::engine::bench::noise;
use insitu_seg::engine::loss::{Loss, Weighting};
use insitu_seg::engine::norm::Line;
use insitu_seg::kernels::{back, conv, gate, join, norm, out, pool, up};
use insitu_seg::model::{EPSILON, LEAK};

/// What is compared: the gradient, and the slope of a function of one number that is moved.
fn agree(found: &[f32], count: usize, by: f64, function: impl Fn(usize, f64) -> f64) {
    assert_eq!(found.len(), count);
    let slope = |n| (function(n, by) - function(n, -by)) / (2.0 * by);
    let expected: Vec<f64> = (0..count).map(slope).collect();
    let top = expected.iter().fold(0f64, |top, v| top.max(v.abs()));
    assert!(top > 0.01, "slopes of {top} say nothing");
    for (n, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert!((f64::from(*found) - expected).abs() < 1e-4 * top, "{found} at {n}, expected {expected}");
    }
}

/// Numbers, one of them moved.
fn moved(values: &[f32], n: usize, by: f64) -> Vec<f32> {
    let mut values = values.to_vec();
    values[n] += by as f32;
    values
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

/// The loss by which a map is judged: its product with the gradient that goes back.
fn product(map: &[f32], gradient: &[f32]) -> f64 {
    map.iter().zip(gradient).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn lines(channels: usize, seed: u64) -> Vec<Line> {
    let values = noise(2 * channels, seed);
    values.chunks_exact(2).map(|v| Line { scale: 1.0 + 0.5 * v[0], shift: 0.4 * v[1], leak: LEAK }).collect()
}

const DIMS: [usize; 3] = [4, 3, 5];
const VOLUME: usize = 60;

#[test]
fn of_the_weights_of_a_convolution() {
    let (values, gradient, weight) = (noise(3 * VOLUME, 1), noise(2 * VOLUME, 2), noise(2 * 3 * 27, 3));
    let lines = lines(3, 4);
    let found = back::conv::reference(&gradient, &values, &lines, DIMS);
    agree(&found, weight.len(), 0.5, |n, by| {
        product(&conv::reference(&[(&values, &lines)], &moved(&weight, n, by), 2, DIMS), &gradient)
    });
}

#[test]
fn of_the_second_source_of_two_convolutions_by_a_convolution() {
    let (first, second) = (noise(2 * VOLUME, 1), noise(3 * VOLUME, 2));
    let gradients = [noise(2 * VOLUME, 3), noise(4 * VOLUME, 4)];
    let weights = [noise(2 * 5 * 27, 5), noise(4 * 5 * 27, 6)];
    let same = |channels| vec![Line::SAME; channels];
    let (two, three, four) = (same(2), same(3), same(4));
    let turned = back::conv::turned(&[&weights[0], &weights[1]], 5, 2..5);
    let found = conv::reference(&[(&gradients[0], &two), (&gradients[1], &four)], &turned, 3, DIMS);
    agree(&found, second.len(), 0.5, |n, by| {
        let second = moved(&second, n, by);
        let reader = |which: usize, outputs: usize| {
            let sources = [(&first[..], &two[..]), (&second[..], &three[..])];
            product(&conv::reference(&sources, &weights[which], outputs, DIMS), &gradients[which])
        };
        reader(0, 2) + reader(1, 4)
    });
}

#[test]
fn of_a_pooling() {
    // All different, in no order.
    let values: Vec<f32> =
        (0..2 * VOLUME).map(|n| (n * 37 % (2 * VOLUME)) as f32 / VOLUME as f32 - 1.0).collect();
    let (lines, gradient) = ([Line::SAME; 2], noise(2 * 2 * 2, 1));
    let found = back::pool::reference(&gradient, &values, &lines, DIMS);
    agree(&found, values.len(), 1.0 / 256.0, |n, by| {
        product(&pool::reference(&moved(&values, n, by), &lines, DIMS), &gradient)
    });
}

#[test]
fn of_an_up_convolution() {
    let (small, large) = ([2, 3, 2], [5, 6, 5]);
    let (values, weight, gradient) = (noise(3 * 12, 1), noise(3 * 2 * 8, 2), noise(2 * 150, 3));
    let (same, lines) = ([Line::SAME; 3], lines(3, 4));
    let found = back::up::reference(&gradient, &weight, 2, small, large);
    agree(&found, values.len(), 0.5, |n, by| {
        product(&up::reference(&moved(&values, n, by), &same, &weight, 2, small, large), &gradient)
    });
    let found = back::up::weight_reference(&gradient, &values, &lines, small, large);
    agree(&found, weight.len(), 0.5, |n, by| {
        product(&up::reference(&values, &lines, &moved(&weight, n, by), 2, small, large), &gradient)
    });
}

#[test]
fn of_a_join() {
    let (a, b, gradient) = (noise(2 * VOLUME, 1), noise(2 * VOLUME, 2), noise(2 * VOLUME, 3));
    let same = [Line::SAME; 2];
    let found = back::join::reference(&gradient, &join::reference(&a, &same, &b, &same));
    agree(&found, a.len(), 1e-7, |n, by| {
        let sum = f64::from(a[n]) + f64::from(b[n]) + by;
        f64::from(gradient[n]) * if sum > 0.0 { sum } else { f64::from(LEAK) * sum }
    });
}

/// `sigmoid(wp leaky(Ws s + bs + Wu u) + bp) s` of one voxel, times the gradient.
fn gated(all: &[f64], skip: &[f64], up: &[f64], gradient: &[f64]) -> f64 {
    let (channels, units) = (skip.len(), (all.len() - 1) / (2 * skip.len() + 2));
    let (ws, rest) = all.split_at(units * channels);
    let (bs, rest) = rest.split_at(units);
    let (wu, rest) = rest.split_at(units * channels);
    let unit = |h: usize| {
        let term = |c: usize| ws[h * channels + c] * skip[c] + wu[h * channels + c] * up[c];
        let n = bs[h] + (0..channels).map(term).sum::<f64>();
        rest[h] * if n > 0.0 { n } else { f64::from(LEAK) * n }
    };
    let factor = 1.0 / (1.0 + (-rest[units] - (0..units).map(unit).sum::<f64>()).exp());
    skip.iter().zip(gradient).map(|(s, g)| factor * s * g).sum()
}

#[test]
fn of_an_attention_gate() {
    let (channels, units) = (3, 2);
    let (skip, up, gradient) =
        (noise(channels * VOLUME, 1), noise(channels * VOLUME, 2), noise(channels * VOLUME, 3));
    let all = noise(2 * units * channels + 2 * units + 1, 4);
    let same = [Line::SAME; 3];
    let found = back::gate::reference(&gradient, &all, units, (&skip, &same), (&up, &same));
    let forward = gate::reference(&all, units, (&skip, &same), (&up, &same));
    let whole = |all: &[f64], skip: &[f64], up: &[f64]| {
        let column = |map: &[f64], at: usize| (0..channels).map(|c| map[c * VOLUME + at]).collect::<Vec<_>>();
        let g = wide(&gradient);
        (0..VOLUME).map(|at| gated(all, &column(skip, at), &column(up, at), &column(&g, at))).sum::<f64>()
    };
    let (all_wide, skip_wide, up_wide) = (wide(&all), wide(&skip), wide(&up));
    assert!((product(&forward, &gradient) - whole(&all_wide, &skip_wide, &up_wide)).abs() < 1e-4);
    let nudged = |values: &[f64], n: usize, by: f64| {
        let mut values = values.to_vec();
        values[n] += by;
        values
    };
    agree(&found.skip, skip.len(), 1e-6, |n, by| whole(&all_wide, &nudged(&skip_wide, n, by), &up_wide));
    agree(&found.up, up.len(), 1e-6, |n, by| whole(&all_wide, &skip_wide, &nudged(&up_wide, n, by)));
    // The weights, by the sums of a last step.
    let (ws, bs) = back::out::weight_reference(&found.dn, &skip, &same);
    let (wu, _) = back::out::weight_reference(&found.dn, &up, &same);
    let (wp, bp) = back::out::weight_reference(&found.dt, &found.q, &[Line::SAME; 2]);
    agree(&[ws, bs, wu, wp, bp].concat(), all.len(), 1e-6, |n, by| {
        whole(&nudged(&all_wide, n, by), &skip_wide, &up_wide)
    });
}

#[test]
fn of_the_last_step() {
    let (values, weight, bias) = (noise(3 * VOLUME, 1), noise(2 * 3, 2), noise(2, 3));
    let (same, lines, gradient) = ([Line::SAME; 3], lines(3, 4), noise(2 * VOLUME, 5));
    let found = back::out::reference(&gradient, &weight, 2);
    agree(&found, values.len(), 0.5, |n, by| {
        product(&out::reference(&moved(&values, n, by), &same, &weight, &bias), &gradient)
    });
    let (found, found_bias) = back::out::weight_reference(&gradient, &values, &lines);
    agree(&found, weight.len(), 0.5, |n, by| {
        product(&out::reference(&values, &lines, &moved(&weight, n, by), &bias), &gradient)
    });
    agree(&found_bias, bias.len(), 0.5, |n, by| {
        product(&out::reference(&values, &lines, &weight, &moved(&bias, n, by)), &gradient)
    });
}

/// `leaky(gamma (x - mean) / sqrt(variance + epsilon) + beta)` with zeros of padding, times the gradient.
fn normalised(values: &[f64], [gamma, beta]: [f64; 2], zeros: f64, gradient: &[f32]) -> f64 {
    let count = values.len() as f64 + zeros;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() + zeros * mean * mean;
    let scale = gamma / (squares / count + f64::from(EPSILON)).sqrt();
    let bent = |value: &f64| {
        let n = (value - mean) * scale + beta;
        if n > 0.0 { n } else { f64::from(LEAK) * n }
    };
    values.iter().zip(gradient).map(|(value, gradient)| bent(value) * f64::from(*gradient)).sum()
}

#[test]
fn of_a_normalisation() {
    let (values, gradient, parameters) = (noise(VOLUME, 1), noise(VOLUME, 2), [1.2, -0.3]);
    for zeros in [0.0, 17.0] {
        let (bent, found) = back::bend::reference(&gradient, &values, parameters, LEAK, zeros);
        agree(&found, VOLUME, 1e-6, |n, by| {
            let mut values = wide(&values);
            values[n] += by;
            normalised(&values, parameters.map(f64::from), zeros, &gradient)
        });
        agree(&[bent.gamma as f32, bent.beta as f32], 2, 1e-6, |n, by| {
            let mut parameters = parameters.map(f64::from);
            parameters[n] += by;
            normalised(&wide(&values), parameters, zeros, &gradient)
        });
    }
}

/// Minus soft Dice plus cross-entropy, both means over labels, of voxels that count differently.
fn loss(logits: &[f64], labels: &[f32], weighting: &Weighting, outputs: usize) -> f64 {
    let volume = logits.len() / outputs;
    let label = |(logits, labels): (&[f64], &[f32])| {
        let (mut overlap, mut sizes, mut entropy) = (0.0, 0.0, 0.0);
        for (voxel, (l, y)) in logits.iter().zip(labels).enumerate() {
            let [a, e] = [weighting.overlap[voxel], weighting.entropy[voxel]].map(f64::from);
            let (p, y) = (1.0 / (1.0 + (-l).exp()), f64::from(*y));
            overlap += a * p * y;
            sizes += a * (p + y);
            entropy -= e * (y * p.ln() + (1.0 - y) * (1.0 - p).ln());
        }
        entropy / volume as f64 - (2.0 * overlap + 1.0) / (sizes + 1.0)
    };
    logits.chunks_exact(volume).zip(labels.chunks_exact(volume)).map(label).sum::<f64>() / outputs as f64
}

#[test]
fn of_the_loss() {
    let logits: Vec<f32> = noise(3 * 10, 1).iter().map(|v| 3.0 * v).collect();
    // Wishes that are hard and soft, weights that are none, halves and ones.
    let labels: Vec<f32> =
        noise(3 * 10, 2).iter().map(|v| if *v > 0.5 { 0.3 } else { f32::from(*v > 0.0) }).collect();
    let [overlap, entropy] =
        [3, 4].map(|seed| noise(10, seed).iter().map(|v| v.max(0.0)).collect::<Vec<f32>>());
    for (overlap, entropy) in [(&overlap, &entropy), (&vec![1.0; 10], &vec![1.0; 10])] {
        let weighting = Weighting { overlap, entropy };
        let (value, _, found) = back::loss::reference(&logits, &labels, &weighting, 3, 0.5);
        assert!((value - 0.5 * loss(&wide(&logits), &labels, &weighting, 3)).abs() < 1e-9);
        agree(&found, logits.len(), 1e-6, |n, by| {
            let mut logits = wide(&logits);
            logits[n] += by;
            0.5 * loss(&logits, &labels, &weighting, 3)
        });
        // On the CPU the same.
        let (ours, gradient) = Loss::DiceAndEntropy.gradient(&logits, &labels, Some(&weighting), 3);
        assert!((0.5 * ours - value).abs() < 1e-6, "{ours}, {value}");
        assert!(gradient.iter().zip(&found).all(|(a, b)| (0.5 * a - b).abs() < 1e-6));
    }
}

#[test]
fn of_squeeze_and_excite() {
    let params = back::excite::Params {
        channels: 6,
        narrow: 3,
        gamma: 1,
        beta: 7,
        squeeze: [13, 31],
        excite: [34, 52],
    };
    let (parameters, gradient) = (noise(60, 1), noise(12, 2));
    let gradient: Vec<[f32; 2]> = gradient.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect();
    let excited = |w: &[f64]| -> f64 {
        let unit = |n: usize| (0..6).fold(w[31 + n], |sum, c| sum + w[13 + n * 6 + c] * w[7 + c]).max(0.0);
        let factor = |c: usize| {
            1.0 / (1.0 + (-(0..3).fold(w[52 + c], |sum, n| sum + w[34 + c * 3 + n] * unit(n))).exp())
        };
        let [one, other] = [0, 1].map(|part| (0..6).map(move |c| (c, part)));
        let term = |(c, part): (usize, usize)| factor(c) * w[1 + 6 * part + c] * f64::from(gradient[c][part]);
        one.chain(other).map(term).sum()
    };
    let scaled = back::excite::reference(&params, &parameters);
    let forward: f64 = scaled.iter().zip(&gradient).map(|(a, b)| product(a, b)).sum();
    assert!((forward - excited(&wide(&parameters))).abs() < 1e-6);
    agree(&back::excite::back_reference(&params, &parameters, &gradient), 60, 1e-6, |n, by| {
        let mut parameters = wide(&parameters);
        parameters[n] += by;
        excited(&parameters)
    });
}

#[test]
fn tables_bring_weights_into_a_kernels_order_and_back() {
    let weight = noise(5 * 9 * 27, 1);
    let packed = conv::pack(&weight, &[6, 3], 5);
    let table = back::gather::table(weight.len(), |weight| conv::pack(weight, &[6, 3], 5));
    assert_eq!(back::gather::reference(&weight, &table, None), packed);
    let inverse = back::gather::inverse(&table, weight.len());
    assert_eq!(back::gather::reference(&packed, &inverse, None), weight);

    // The parts of two sources, one after the other.
    let part = |channels: std::ops::Range<usize>| -> Vec<f32> {
        weight
            .chunks_exact(9 * 27)
            .flat_map(|row| row[channels.start * 27..channels.end * 27].to_vec())
            .collect()
    };
    let (first, second) = (conv::pack(&part(0..6), &[6], 5), conv::pack(&part(6..9), &[3], 5));
    let [one, other] = [0, 1].map(|which| back::conv::index(&[6, 3], which, 5));
    let before = back::gather::reference(&first, &one, None);
    assert_eq!(back::gather::reference(&second, &other, Some(&before)), weight);

    let pairs: Vec<[f32; 2]> = noise(14, 2).chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect();
    let flat: Vec<f32> = pairs.iter().flatten().copied().collect();
    let table = back::gather::table(14, |flat| {
        norm::pack(&flat.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect::<Vec<_>>())
    });
    assert_eq!(back::gather::reference(&flat, &table, None), norm::pack(&pairs));
    let many = back::gather::table(70_000, <[f32]>::to_vec);
    assert!(many.iter().zip(1..).all(|(n, expected)| *n == expected));
}
