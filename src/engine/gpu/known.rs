//! Small inputs of every kernel and what must come out, by the kernels' references: odd sizes, a slab in the
//! middle, two sources, channels that do not fill a quad.

mod back;

use crate::engine::bench::noise;
use crate::engine::norm::{Line, Moments};
use crate::kernels::{Kernel, Layout, Precision, conv, gate, join, norm, out, pool, up};

/// From the bytes of a buffer to the numbers that are compared.
pub(super) type Found = Box<dyn Fn(&[u8]) -> Vec<f32>>;

/// One question.
pub(super) struct Trial {
    /// Which kernel.
    pub kernel: Kernel,
    /// Its uniform.
    pub words: Vec<u32>,
    /// Its storage buffers.
    pub buffers: Vec<Vec<u8>>,
    /// Workgroups.
    pub groups: [u32; 3],
    /// Which buffer is looked at.
    pub look: usize,
    /// What it must hold, from its bytes.
    pub expected: Vec<f32>,
    /// The numbers that are compared.
    pub found: Found,
}

const DIMS: [usize; 3] = [11, 5, 6];
/// First plane and planes of the slab.
const SLAB: (usize, usize) = (2, 3);

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

fn lines(channels: usize, leak: f32, seed: u64) -> Vec<Line> {
    let values = noise(2 * channels, seed);
    values.chunks_exact(2).map(|v| Line { scale: 1.0 + 0.5 * v[0], shift: 0.4 * v[1], leak }).collect()
}

/// Scale and shift by quad, zeros where there are fewer channels.
fn packed(lines: &[Line]) -> Vec<u8> {
    let pairs: Vec<[f32; 2]> = lines.iter().map(|line| [line.scale, line.shift]).collect();
    bytes(&norm::pack(&pairs))
}

/// Values as the storage rounds them, so that only the kernel's own error counts.
fn stored(count: usize, seed: u64, precision: Precision) -> Vec<f32> {
    let round = |value: f32| match precision {
        Precision::F32 => value,
        Precision::F16 => half::f16::from_f32(value).to_f32(),
    };
    noise(count, seed).into_iter().map(round).collect()
}

/// Planes of a map `[c, z, y, x]`.
fn planes(values: &[f32], [x, y, z]: [usize; 3], (first, count): (usize, usize)) -> Vec<f32> {
    let (volume, plane) = (x * y * z, x * y);
    values
        .chunks_exact(volume)
        .flat_map(|map| &map[first * plane..(first + count) * plane])
        .copied()
        .collect()
}

/// The questions for a kernel: one of each, but for those of training, which write to more than one buffer, or begin a
/// sum and go on with it.
pub(super) fn trials(kernel: Kernel, precision: Precision) -> Vec<Trial> {
    vec![match kernel {
        Kernel::Back(kernel) => return back::trials(kernel),
        Kernel::ConvDirect(_) | Kernel::ConvTiled(1) => convolution(kernel, 12, precision),
        Kernel::ConvTiled(_) => convolution(kernel, 30, precision),
        Kernel::Pool => pooling(precision),
        Kernel::Up => going_up(precision),
        Kernel::Join => joining(precision),
        Kernel::Gate => gating(precision),
        Kernel::Merge => merging(),
        Kernel::Norm => lining(),
        Kernel::Logits | Kernel::Labels => ending(kernel, precision),
    }]
}

fn convolution(kernel: Kernel, outputs: usize, precision: Precision) -> Trial {
    let (volume, channels) = (DIMS.iter().product::<usize>(), [6, 4]);
    let values = [stored(channels[0] * volume, 1, precision), stored(channels[1] * volume, 2, precision)];
    let lines = [lines(channels[0], 0.3, 3), lines(channels[1], 1.0, 4)];
    let weight: Vec<f32> = noise(outputs * 10 * 27, 5);
    let output = Layout::new(outputs, DIMS);
    let source = |which: usize| (Layout::new(channels[which], DIMS), which, lines[which][0].leak);
    let params =
        conv::Params { output, start: 1, first: SLAB.0, planes: SLAB.1, sources: [source(0), source(1)] };
    let all = conv::reference(&[(&values[0], &lines[0]), (&values[1], &lines[1])], &weight, outputs, DIMS);
    let map = |which: usize| Layout::new(channels[which], DIMS).pack(&values[which], which..6, precision);
    Trial {
        kernel,
        words: params.words(),
        buffers: vec![
            map(0),
            map(1),
            packed(&lines[0]),
            packed(&lines[1]),
            bytes(&conv::pack(&weight, &channels, outputs)),
            vec![0; 5 * output.pitch * precision.quad()],
            vec![0; conv::moments(&output, SLAB.1, kernel.row()) * output.quads * 48],
        ],
        groups: conv::groups(&params, kernel),
        look: 5,
        expected: planes(&all, DIMS, SLAB),
        found: Box::new(move |bytes| {
            let from = (SLAB.0 - 1) * output.pitch * precision.quad();
            output.unpack(&bytes[from..], outputs, SLAB.1, precision)
        }),
    }
}

fn pooling(precision: Precision) -> Trial {
    let channels = 6;
    let (from, to) = (Layout::new(channels, DIMS), Layout::new(channels, DIMS.map(|n| n / 2)));
    let values = stored(channels * DIMS.iter().product::<usize>(), 1, precision);
    let mut lines = lines(channels, 0.3, 2);
    lines[1].scale = -1.0;
    let params = pool::Params { output: to, start: 0, first: 1, planes: 2, source: (from, 1, 0.3) };
    Trial {
        kernel: Kernel::Pool,
        words: params.words(),
        buffers: vec![
            from.pack(&values, 1..6, precision),
            packed(&lines),
            vec![0; 3 * to.pitch * precision.quad()],
        ],
        groups: params.groups(),
        look: 2,
        expected: planes(&pool::reference(&values, &lines, DIMS), to.dims, (1, 2)),
        found: Box::new(move |bytes| {
            to.unpack(&bytes[to.pitch * precision.quad()..], channels, 2, precision)
        }),
    }
}

fn going_up(precision: Precision) -> Trial {
    let (inputs, outputs, small) = (6, 5, [5, 2, 3]);
    let (from, to) = (Layout::new(inputs, small), Layout::new(outputs, [11, 5, 7]));
    let values = stored(inputs * 30, 1, precision);
    let (lines, weight) = (lines(inputs, 0.3, 2), noise(inputs * outputs * 8, 3));
    let all = up::reference(&values, &lines, &weight, outputs, small, to.dims);
    let params = up::Params { output: to, start: 1, first: 3, planes: 4, source: (from, 1, 0.3) };
    Trial {
        kernel: Kernel::Up,
        words: params.words(),
        buffers: vec![
            from.pack(&values, 1..3, precision),
            packed(&lines),
            bytes(&up::pack(&weight, inputs, outputs)),
            vec![0; 6 * to.pitch * precision.quad()],
            vec![0; conv::moments(&to, 4, conv::ROW) * to.quads * 48],
        ],
        groups: params.groups(),
        look: 3,
        expected: planes(&all, to.dims, (3, 4)),
        found: Box::new(move |bytes| {
            to.unpack(&bytes[2 * to.pitch * precision.quad()..], outputs, 4, precision)
        }),
    }
}

fn joining(precision: Precision) -> Trial {
    let channels = 6;
    let layout = Layout::new(channels, DIMS);
    let count = channels * DIMS.iter().product::<usize>();
    let (a, b) = (stored(count, 1, precision), stored(count, 2, precision));
    let (a_lines, b_lines) = (lines(channels, 1.0, 3), lines(channels, 1.0, 4));
    let all = join::reference(&a, &a_lines, &b, &b_lines);
    let size = DIMS[0] * DIMS[1];
    Trial {
        kernel: Kernel::Join,
        words: join::words(size, layout.quads, layout.pitch, [2, 1]),
        buffers: vec![
            layout.pack(&a, 0..6, precision),
            layout.pack(&b, 1..6, precision),
            packed(&a_lines),
            packed(&b_lines),
        ],
        groups: join::groups(size, layout.quads, 4),
        look: 0,
        expected: planes(&all, DIMS, (2, 4)),
        found: Box::new(move |bytes| {
            layout.unpack(&bytes[2 * layout.pitch * precision.quad()..], channels, 4, precision)
        }),
    }
}

fn gating(precision: Precision) -> Trial {
    let (channels, units) = (6, 5);
    let layout = Layout::new(channels, DIMS);
    let count = channels * DIMS.iter().product::<usize>();
    let maps = [stored(count, 1, precision), stored(count, 2, precision)];
    let lines = [lines(channels, 0.3, 3), lines(channels, 1.0, 4)];
    let weights = noise(2 * units * channels + 2 * units + 1, 5);
    let all = gate::reference(&weights, units, (&maps[0], &lines[0]), (&maps[1], &lines[1]));
    let sources = [0, 1].map(|n| (layout, n, lines[n][0].leak));
    let params = gate::Params { output: layout, start: 1, first: SLAB.0, planes: SLAB.1, units, sources };
    Trial {
        kernel: Kernel::Gate,
        words: params.words(),
        buffers: vec![
            layout.pack(&maps[0], 0..6, precision),
            layout.pack(&maps[1], 1..6, precision),
            packed(&lines[0]),
            packed(&lines[1]),
            bytes(&gate::pack(&weights, channels, units)),
            vec![0; 5 * layout.pitch * precision.quad()],
        ],
        groups: params.groups(),
        look: 5,
        expected: planes(&all, DIMS, SLAB),
        found: Box::new(move |bytes| {
            layout.unpack(
                &bytes[(SLAB.0 - 1) * layout.pitch * precision.quad()..],
                channels,
                SLAB.1,
                precision,
            )
        }),
    }
}

/// Rows of 8 values far from zero, whose moments are added up.
fn merging() -> Trial {
    let (count, of, slot) = (200, 3, 1);
    let mut moments = Vec::new();
    let mut whole = [Moments::default(); 8];
    for (channel, whole) in whole.iter_mut().enumerate() {
        for row in noise(8 * count, channel as u64).chunks_exact(8) {
            let values = row.iter().map(|v| 100.0 * channel as f64 + f64::from(*v));
            let part = values
                .map(|v| Moments { mean: v, ..Moments::zeros(1.0) })
                .fold(Moments::default(), Moments::with);
            moments.push(part);
            *whole = whole.with(part);
        }
    }
    let part = |moments: &Moments, n: usize| [moments.count, moments.mean, moments.squares][n] as f32;
    let rows = (0..2).flat_map(|quad| (0..count).map(move |row| (quad, row)));
    let numbers = rows.flat_map(|(quad, row)| (0..12).map(move |n| (quad, row, n)));
    let packed: Vec<f32> =
        numbers.map(|(quad, row, n)| part(&moments[(4 * quad + n % 4) * count + row], n / 4)).collect();
    let expected = (0..2).flat_map(|quad| (0..12).map(move |n| (4 * quad + n % 4, n / 4)));
    Trial {
        kernel: Kernel::Merge,
        words: norm::merge_words(count, slot, of),
        buffers: vec![bytes(&packed), vec![0; 2 * of * 48]],
        groups: [1, 2, 1],
        look: 1,
        expected: expected.map(|(channel, n)| part(&whole[channel], n)).collect(),
        found: Box::new(move |bytes| {
            let all = floats(bytes);
            (0..2).flat_map(|quad| all[(quad * of + slot) * 12..][..12].to_vec()).collect()
        }),
    }
}

fn lining() -> Trial {
    let (of, zeros, quads) = (2, 7.0, 2);
    let values = noise(of * quads * 12, 1);
    let slot = |quad: usize, slot: usize, n: usize, channel: usize| {
        let value = f64::from(values[(quad * of + slot) * 12 + 4 * n + channel]);
        match n {
            0 => 20.0 + value.abs().round(),
            1 => 3.0 + value,
            _ => 9.0 + value,
        }
    };
    let parameters: Vec<[f32; 2]> = noise(16, 2).chunks_exact(2).map(|v| [1.0 + 0.3 * v[0], v[1]]).collect();
    let lines: Vec<Line> = (0..8)
        .map(|channel| {
            let part = |n: usize| {
                let value = |k: usize| slot(channel / 4, n, k, channel % 4);
                Moments { count: value(0), mean: value(1), squares: value(2) }
            };
            Line::new(&part(0).with(part(1)).with(Moments::zeros(zeros)), parameters[channel], false)
        })
        .collect();
    let all = (0..quads).flat_map(|q| (0..of).flat_map(move |s| (0..12).map(move |n| (q, s, n / 4, n % 4))));
    let slots: Vec<f32> = all.map(|(q, s, n, channel)| slot(q, s, n, channel) as f32).collect();
    Trial {
        kernel: Kernel::Norm,
        words: norm::norm_words(of, quads, zeros),
        buffers: vec![bytes(&slots), bytes(&norm::pack(&parameters)), vec![0; quads * 32]],
        groups: [1, 1, 1],
        look: 2,
        expected: floats(&packed(&lines)),
        found: Box::new(floats),
    }
}

fn ending(kernel: Kernel, precision: Precision) -> Trial {
    let (channels, outputs) = (6, 2);
    let layout = Layout::new(channels, DIMS);
    let values = stored(channels * DIMS.iter().product::<usize>(), 1, precision);
    let (lines, weight, bias) = (lines(channels, 0.3, 2), noise(outputs * channels, 3), noise(outputs, 4));
    let logits = planes(&out::reference(&values, &lines, &weight, &bias), DIMS, SLAB);
    let size = DIMS[0] * DIMS[1];
    let (words, volume) = (size.div_ceil(4), size * SLAB.1);
    let labels = kernel == Kernel::Labels;
    let choice = |voxel: usize| {
        if logits[volume + voxel] > 0.0 {
            2.0
        } else if logits[voxel] > 0.0 {
            1.0
        } else {
            0.0
        }
    };
    Trial {
        kernel,
        words: out::words(size, layout.pitch, 1, SLAB.1, layout.quads, outputs, 0.3),
        buffers: vec![
            layout.pack(&values, 1..6, precision),
            packed(&lines),
            bytes(&out::pack(&weight, &bias)),
            vec![0xFF; SLAB.1 * words * if labels { 4 } else { 16 * outputs }],
        ],
        groups: out::groups(size, SLAB.1),
        look: 3,
        expected: if labels { (0..volume).map(choice).collect() } else { logits.clone() },
        found: Box::new(move |bytes| {
            if labels {
                return bytes
                    .chunks_exact(4 * words)
                    .flat_map(|row| &row[..size])
                    .map(|&v| f32::from(v))
                    .collect();
            }
            let all = floats(bytes);
            let row =
                |output: usize, plane: usize| all[(plane * outputs + output) * 4 * words..][..size].to_vec();
            (0..outputs)
                .flat_map(|o| (0..SLAB.1).flat_map(move |plane| [(o, plane)]))
                .flat_map(|(o, p)| row(o, p))
                .collect()
        }),
    }
}
