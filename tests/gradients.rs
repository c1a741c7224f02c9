//! The references of the kernels of training against finite differences of what they are the gradients of: of the
//! forward kernels' references where these are straight lines, of the formula in 64 bits elsewhere.
#![cfg(all(feature = "net", not(target_arch = "wasm32")))]

#[path = "common/finite_differences.rs"]
mod finite_differences;

use finite_differences::{agree, moved, product, scale_shifts, wide};
use insitu_seg::engine::nn::loss::{Loss, Weighting};
use insitu_seg::engine::nn::pseudo_random::pseudo_random;
use insitu_seg::engine::nn::scale_shift::ScaleShift;
use insitu_seg::engine::wgsl::{
    attention_gate, conv, conv_transpose, gather, head_conv1x1, loss, norm_act, pool, residual_add,
    squeeze_excite,
};
use insitu_seg::model::{EPSILON, NEGATIVE_SLOPE};

const DIMS: [usize; 3] = [4, 3, 5];
const VOLUME: usize = 60;

#[test]
fn of_the_weights_of_a_convolution() {
    let (values, gradient, weight) =
        (pseudo_random(3 * VOLUME, 1), pseudo_random(2 * VOLUME, 2), pseudo_random(2 * 3 * 27, 3));
    let scale_shifts = scale_shifts(3, 4);
    let found = conv::backward::reference(&gradient, &values, &scale_shifts, DIMS);
    agree(&found, weight.len(), 0.5, |n, by| {
        product(
            &conv::forward::reference(&[(&values, &scale_shifts)], &moved(&weight, n, by), 2, DIMS),
            &gradient,
        )
    });
}

#[test]
fn of_the_second_source_of_two_convolutions_by_a_convolution() {
    let (first, second) = (pseudo_random(2 * VOLUME, 1), pseudo_random(3 * VOLUME, 2));
    let gradients = [pseudo_random(2 * VOLUME, 3), pseudo_random(4 * VOLUME, 4)];
    let weights = [pseudo_random(2 * 5 * 27, 5), pseudo_random(4 * 5 * 27, 6)];
    let same = |channels| vec![ScaleShift::IDENTITY; channels];
    let (two, three, four) = (same(2), same(3), same(4));
    let turned = conv::backward::transposed(&[&weights[0], &weights[1]], 5, 2..5);
    let found = conv::forward::reference(&[(&gradients[0], &two), (&gradients[1], &four)], &turned, 3, DIMS);
    agree(&found, second.len(), 0.5, |n, by| {
        let second = moved(&second, n, by);
        let reader = |which: usize, outputs: usize| {
            let sources = [(&first[..], &two[..]), (&second[..], &three[..])];
            product(&conv::forward::reference(&sources, &weights[which], outputs, DIMS), &gradients[which])
        };
        reader(0, 2) + reader(1, 4)
    });
}

#[test]
fn of_a_pooling() {
    // All different, in no order.
    let values: Vec<f32> =
        (0..2 * VOLUME).map(|n| (n * 37 % (2 * VOLUME)) as f32 / VOLUME as f32 - 1.0).collect();
    let (scale_shifts, gradient) = ([ScaleShift::IDENTITY; 2], pseudo_random(2 * 2 * 2, 1));
    let found = pool::backward::reference(&gradient, &values, &scale_shifts, DIMS);
    agree(&found, values.len(), 1.0 / 256.0, |n, by| {
        product(&pool::forward::reference(&moved(&values, n, by), &scale_shifts, DIMS), &gradient)
    });
}

#[test]
fn of_an_up_convolution() {
    let (small, large) = ([2, 3, 2], [5, 6, 5]);
    let (values, weight, gradient) =
        (pseudo_random(3 * 12, 1), pseudo_random(3 * 2 * 8, 2), pseudo_random(2 * 150, 3));
    let (same, scale_shifts) = ([ScaleShift::IDENTITY; 3], scale_shifts(3, 4));
    let found = conv_transpose::backward::reference(&gradient, &weight, 2, small, large);
    agree(&found, values.len(), 0.5, |n, by| {
        product(
            &conv_transpose::forward::reference(&moved(&values, n, by), &same, &weight, 2, small, large),
            &gradient,
        )
    });
    let found = conv_transpose::backward::weight_reference(&gradient, &values, &scale_shifts, small, large);
    agree(&found, weight.len(), 0.5, |n, by| {
        product(
            &conv_transpose::forward::reference(
                &values,
                &scale_shifts,
                &moved(&weight, n, by),
                2,
                small,
                large,
            ),
            &gradient,
        )
    });
}

#[test]
fn of_a_join() {
    let (a, b, gradient) =
        (pseudo_random(2 * VOLUME, 1), pseudo_random(2 * VOLUME, 2), pseudo_random(2 * VOLUME, 3));
    let same = [ScaleShift::IDENTITY; 2];
    let found =
        residual_add::backward::reference(&gradient, &residual_add::forward::reference(&a, &same, &b, &same));
    agree(&found, a.len(), 1e-7, |n, by| {
        let sum = f64::from(a[n]) + f64::from(b[n]) + by;
        f64::from(gradient[n]) * if sum > 0.0 { sum } else { f64::from(NEGATIVE_SLOPE) * sum }
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
        rest[h] * if n > 0.0 { n } else { f64::from(NEGATIVE_SLOPE) * n }
    };
    let factor = 1.0 / (1.0 + (-rest[units] - (0..units).map(unit).sum::<f64>()).exp());
    skip.iter().zip(gradient).map(|(s, g)| factor * s * g).sum()
}

#[test]
fn of_an_attention_gate() {
    let (channels, units) = (3, 2);
    let (skip, up, gradient) = (
        pseudo_random(channels * VOLUME, 1),
        pseudo_random(channels * VOLUME, 2),
        pseudo_random(channels * VOLUME, 3),
    );
    let all = pseudo_random(2 * units * channels + 2 * units + 1, 4);
    let same = [ScaleShift::IDENTITY; 3];
    let found = attention_gate::backward::reference(&gradient, &all, units, (&skip, &same), (&up, &same));
    let forward = attention_gate::forward::reference(&all, units, (&skip, &same), (&up, &same));
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
    let (ws, bs) = head_conv1x1::backward::weight_reference(&found.dn, &skip, &same);
    let (wu, _) = head_conv1x1::backward::weight_reference(&found.dn, &up, &same);
    let (wp, bp) = head_conv1x1::backward::weight_reference(&found.dt, &found.q, &[ScaleShift::IDENTITY; 2]);
    agree(&[ws, bs, wu, wp, bp].concat(), all.len(), 1e-6, |n, by| {
        whole(&nudged(&all_wide, n, by), &skip_wide, &up_wide)
    });
}

#[test]
fn of_the_last_step() {
    let (values, weight, bias) = (pseudo_random(3 * VOLUME, 1), pseudo_random(2 * 3, 2), pseudo_random(2, 3));
    let (same, scale_shifts, gradient) =
        ([ScaleShift::IDENTITY; 3], scale_shifts(3, 4), pseudo_random(2 * VOLUME, 5));
    let found = head_conv1x1::backward::reference(&gradient, &weight, 2);
    agree(&found, values.len(), 0.5, |n, by| {
        product(&head_conv1x1::forward::reference(&moved(&values, n, by), &same, &weight, &bias), &gradient)
    });
    let (found, found_bias) = head_conv1x1::backward::weight_reference(&gradient, &values, &scale_shifts);
    agree(&found, weight.len(), 0.5, |n, by| {
        product(
            &head_conv1x1::forward::reference(&values, &scale_shifts, &moved(&weight, n, by), &bias),
            &gradient,
        )
    });
    agree(&found_bias, bias.len(), 0.5, |n, by| {
        product(
            &head_conv1x1::forward::reference(&values, &scale_shifts, &weight, &moved(&bias, n, by)),
            &gradient,
        )
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
        if n > 0.0 { n } else { f64::from(NEGATIVE_SLOPE) * n }
    };
    values.iter().zip(gradient).map(|(value, gradient)| bent(value) * f64::from(*gradient)).sum()
}

#[test]
fn of_a_normalisation() {
    let (values, gradient, parameters) = (pseudo_random(VOLUME, 1), pseudo_random(VOLUME, 2), [1.2, -0.3]);
    for zeros in [0.0, 17.0] {
        let (bent, found) =
            norm_act::backward::reference(&gradient, &values, parameters, NEGATIVE_SLOPE, zeros);
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
    let logits: Vec<f32> = pseudo_random(3 * 10, 1).iter().map(|v| 3.0 * v).collect();
    // Wishes that are hard and soft, weights that are none, halves and ones.
    let labels: Vec<f32> =
        pseudo_random(3 * 10, 2).iter().map(|v| if *v > 0.5 { 0.3 } else { f32::from(*v > 0.0) }).collect();
    let [overlap, entropy] =
        [3, 4].map(|seed| pseudo_random(10, seed).iter().map(|v| v.max(0.0)).collect::<Vec<f32>>());
    for (overlap, entropy) in [(&overlap, &entropy), (&vec![1.0; 10], &vec![1.0; 10])] {
        let weighting = Weighting { overlap, entropy };
        let (value, _, found) = loss::shader::reference(&logits, &labels, &weighting, 3, 0.5);
        assert!((value - 0.5 * loss(&wide(&logits), &labels, &weighting, 3)).abs() < 1e-9);
        agree(&found, logits.len(), 1e-6, |n, by| {
            let mut logits = wide(&logits);
            logits[n] += by;
            0.5 * loss(&logits, &labels, &weighting, 3)
        });
        // On the CPU the same.
        let mut gradient = logits.clone();
        let ours = Loss::DiceAndEntropy.gradient(&mut gradient, &labels, Some(&weighting), 3);
        assert!((0.5 * ours.loss - value).abs() < 1e-6, "{ours:?}, {value}");
        assert!(gradient.iter().zip(&found).all(|(a, b)| (0.5 * a - b).abs() < 1e-6));
    }
}

#[test]
fn of_squeeze_and_excite() {
    let params = squeeze_excite::shader::Params {
        channels: 6,
        narrow: 3,
        gamma: 1,
        beta: 7,
        squeeze: [13, 31],
        excite: [34, 52],
    };
    let (parameters, gradient) = (pseudo_random(60, 1), pseudo_random(12, 2));
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
    let scaled = squeeze_excite::shader::reference(&params, &parameters);
    let forward: f64 = scaled.iter().zip(&gradient).map(|(a, b)| product(a, b)).sum();
    assert!((forward - excited(&wide(&parameters))).abs() < 1e-6);
    agree(&squeeze_excite::shader::back_reference(&params, &parameters, &gradient), 60, 1e-6, |n, by| {
        let mut parameters = wide(&parameters);
        parameters[n] += by;
        excited(&parameters)
    });
}

#[test]
fn tables_bring_weights_into_a_kernels_order_and_back() {
    let weight = pseudo_random(5 * 9 * 27, 1);
    let packed = conv::forward::pack(&weight, &[6, 3], 5);
    let table = gather::shader::table(weight.len(), |weight| conv::forward::pack(weight, &[6, 3], 5));
    assert_eq!(gather::shader::reference(&weight, &table, None), packed);
    let inverse = gather::shader::inverse(&table, weight.len());
    assert_eq!(gather::shader::reference(&packed, &inverse, None), weight);

    // The parts of two sources, one after the other.
    let part = |channels: std::ops::Range<usize>| -> Vec<f32> {
        weight
            .chunks_exact(9 * 27)
            .flat_map(|row| row[channels.start * 27..channels.end * 27].to_vec())
            .collect()
    };
    let (first, second) =
        (conv::forward::pack(&part(0..6), &[6], 5), conv::forward::pack(&part(6..9), &[3], 5));
    let [one, other] = [0, 1].map(|which| conv::backward::index(&[6, 3], which, 5));
    let before = gather::shader::reference(&first, &one, None);
    assert_eq!(gather::shader::reference(&second, &other, Some(&before)), weight);

    let pairs: Vec<[f32; 2]> = pseudo_random(14, 2).chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect();
    let flat: Vec<f32> = pairs.iter().flatten().copied().collect();
    let table = gather::shader::table(14, |flat| {
        norm_act::forward::pack(&flat.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect::<Vec<_>>())
    });
    assert_eq!(gather::shader::reference(&flat, &table, None), norm_act::forward::pack(&pairs));
    let many = gather::shader::table(70_000, <[f32]>::to_vec);
    assert!(many.iter().zip(1..).all(|(n, expected)| *n == expected));
}
