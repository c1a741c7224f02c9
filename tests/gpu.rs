//! Our WebGPU kernels against the CPU, on the adapter that this machine has (a software one will do). Where there is
//! none, every test says so.
#![cfg(all(feature = "gpu", feature = "train", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::on_gpu;
use insitu_seg::engine::compute::Compute;
use insitu_seg::engine::gpu;
use insitu_seg::engine::gpu::device::{Gpu, Options, Sources};
use insitu_seg::engine::gpu::self_test;
use insitu_seg::engine::network::Network;
use insitu_seg::engine::nn::pseudo_random::{pseudo_random, random_weights};
use insitu_seg::engine::plan::list::Limits;
use insitu_seg::engine::wgsl::layout::Precision;
use insitu_seg::engine::wgsl::{catalogue, conv, conv_transpose, pool};
use insitu_seg::model::{Architecture, Blocks};
use std::rc::Rc;

/// Whether an emulated GPU too has to do what takes a real one a moment: with INSITU_LONG=1.
fn long() -> bool {
    std::env::var_os("INSITU_LONG").is_some()
}

fn open(options: Options) -> Option<Rc<Gpu>> {
    on_gpu(pollster::block_on(Gpu::open(options)))
}

/// Largest difference of logits over the largest logit, and the share of equal labels; of the region of interest where
/// there is one.
fn compare(gpu: &Rc<Gpu>, architecture: Architecture, dims: [usize; 3]) -> (f32, f64) {
    let weights = random_weights(&architecture);
    let image = pseudo_random(architecture.inputs * dims.iter().product::<usize>(), 9);
    let network = if architecture.roi { Network::roi } else { Network::new };
    let run = |compute: Compute| {
        let network = network(&architecture, &weights, &compute).unwrap();
        let logits = pollster::block_on(network.logits(&image, dims, &mut |_| Ok(()))).unwrap();
        (logits, pollster::block_on(network.labels(&image, dims, &mut |_| Ok(()))).unwrap())
    };
    let (expected, expected_labels) = run(Compute::Cpu);
    let (found, labels) = run(Compute::Gpu(gpu.clone()));
    let top = expected.iter().fold(0f32, |top, v| top.max(v.abs()));
    let off = found
        .iter()
        .zip(&expected)
        .map(|(a, b)| (a - b).abs())
        .fold(0f32, |a, b| if b >= a { b } else { a.max(b) });
    assert!(found.iter().all(|v| v.is_finite()));
    let same = labels.iter().zip(&expected_labels).filter(|(a, b)| a == b).count();
    (off / top, same as f64 / labels.len() as f64)
}

fn architecture(base: usize, depth: usize, inputs: usize, outputs: usize) -> Architecture {
    Architecture { base, depth, inputs, outputs, ..Architecture::default() }
}

#[test]
fn odd_and_even_sizes_equal_the_cpu() {
    let Some(gpu) = open(Options::default()) else { return };
    println!("{}", gpu.adapter);
    for (architecture, dims) in [
        (architecture(4, 3, 1, 2), [24, 24, 24]),
        (architecture(8, 3, 1, 2), [25, 31, 27]),
        (architecture(8, 3, 2, 1), [33, 24, 40]),
        (architecture(4, 4, 3, 3), [35, 29, 37]),
        (architecture(12, 3, 4, 2), [26, 64, 24]),
        (architecture(6, 4, 4, 1), [64, 24, 33]),
    ] {
        let (off, same) = compare(&gpu, architecture, dims);
        println!("{architecture:?} {dims:?}: off by {off:.1e}, {:.3} % of labels", 100.0 * same);
        assert!(off < 1e-3 && same > 0.9995, "{architecture:?} {dims:?}: off by {off}, {same}");
    }
}

/// The options of the network, plain and whole, and in slabs and chunks with maps made again and again.
#[test]
fn every_option_equals_the_cpu() {
    let limits = Limits { binding: 450 << 10, budget: 2 << 20, dispatch: 2e7 };
    for options in [Options::default(), Options { limits, ..Options::default() }] {
        let Some(gpu) = open(options) else { return };
        for (form, dims) in [
            (Architecture { blocks: Blocks::Plain, ..architecture(8, 3, 1, 2) }, [25, 31, 27]),
            (Architecture { attention: true, ..architecture(8, 3, 1, 2) }, [24, 29, 71]),
            (
                Architecture { attention: true, blocks: Blocks::Plain, ..architecture(6, 4, 2, 1) },
                [33, 24, 40],
            ),
            (Architecture { roi: true, ..architecture(8, 3, 1, 2) }, [24, 29, 71]),
            (Architecture { roi: true, ..architecture(6, 4, 2, 1) }, [33, 24, 40]),
        ] {
            let (off, same) = compare(&gpu, form, dims);
            println!("{form:?} {dims:?}: off by {off:.1e}, {:.3} % of labels", 100.0 * same);
            assert!(off < 1e-3 && same > 0.9995, "{form:?} {dims:?}: off by {off}, {same}");
        }
    }
}

#[test]
fn both_variants_of_the_convolution_give_the_same() {
    for tiled in [false, true] {
        let Some(gpu) = open(Options { tiled: Some(tiled), ..Options::default() }) else { return };
        for base in [4, 8, 16] {
            let (off, _) = compare(&gpu, architecture(base, 3, 1, 2), [27, 24, 25]);
            println!("tiled {tiled}, base {base}: off by {off:.1e}");
            assert!(off < 1e-3, "tiled {tiled}, base {base}: off by {off}");
        }
    }
}

#[test]
fn sixteen_bits_are_close() {
    for tiled in [false, true] {
        let options = Options { precision: Precision::F16, tiled: Some(tiled), ..Options::default() };
        let Some(gpu) = open(options) else { return };
        let (off, same) = compare(&gpu, architecture(8, 3, 1, 2), [32, 29, 33]);
        println!("f16, tiled {tiled}: off by {off:.1e}, {:.3} % of labels", 100.0 * same);
        assert!(off < 1e-2 && same > 0.99, "f16: off by {off}, {same}");
    }
}

#[test]
fn slabs_chunks_and_passing_maps_change_nothing() {
    // So little that maps are cut into chunks, and those of full size are made again and again.
    let limits = Limits { binding: 450 << 10, budget: 2 << 20, dispatch: 2e7 };
    for tiled in [false, true] {
        let Some(gpu) = open(Options { limits, tiled: Some(tiled), ..Options::default() }) else { return };
        for dims in [[24, 24, 41], [31, 25, 64], [24, 29, 71]] {
            let (off, same) = compare(&gpu, architecture(8, 3, 1, 2), dims);
            println!("tiled {tiled} {dims:?}: off by {off:.1e}, {:.3} % of labels", 100.0 * same);
            assert!(off < 1e-3 && same > 0.9995, "{dims:?}: off by {off}, {same}");
        }
    }
}

#[test]
fn kernels_of_training_give_their_known_answers() {
    let Some(gpu) = open(Options::default()) else { return };
    let ask = |kernel| pollster::block_on(self_test::before_use(&gpu, &[kernel].into())).err();
    let wrong: Vec<String> =
        catalogue::TRAINING.into_iter().filter_map(ask).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_broken_kernel_of_training_is_refused_by_name() {
    let broken: Sources = |kernel, precision| {
        let source = kernel.source(precision);
        if kernel == conv::WEIGHT_GRAD {
            source.replacen("s231 +=", "s231 -=", 1)
        } else if kernel == pool::BACKWARD {
            source.replace("value > top", "value >= top")
        } else {
            source
        }
    };
    let Some(gpu) = open(Options { sources: broken, ..Options::default() }) else { return };
    for kernel in [conv::WEIGHT_GRAD, pool::BACKWARD] {
        let error = pollster::block_on(self_test::before_use(&gpu, &[kernel].into())).unwrap_err();
        assert!(error.to_string().contains(&format!("kernel \"{}\"", kernel.name)), "{error}");
    }
}

#[test]
fn a_broken_kernel_is_refused_by_name() {
    let broken: [(&str, bool, Sources); 3] = [
        ("pool", false, |kernel, precision| {
            let source = kernel.source(precision);
            if kernel == pool::FORWARD {
                source.replace("top = max(top, ", "top = min(top, ")
            } else {
                source
            }
        }),
        ("conv, tiled", true, |kernel, precision| {
            let source = kernel.source(precision);
            if kernel == conv::tiled(kernel.variant) {
                source.replacen("s0_5 +=", "s0_5 -=", 1)
            } else {
                source
            }
        }),
        ("up", false, |kernel, precision| {
            if kernel == conv_transpose::FORWARD { "not WGSL".to_owned() } else { kernel.source(precision) }
        }),
    ];
    for (name, tiled, sources) in broken {
        let Some(gpu) = open(Options { sources, tiled: Some(tiled), ..Options::default() }) else { return };
        let architecture = architecture(4, 3, 1, 2);
        let compute = Compute::Gpu(gpu);
        let network = Network::new(&architecture, &random_weights(&architecture), &compute).unwrap();
        let error =
            pollster::block_on(network.logits(&[0.5; 16 * 16 * 16], [16; 3], &mut |_| Ok(()))).unwrap_err();
        println!("{error}");
        assert_eq!(error.code(), "device");
        assert!(error.to_string().contains(&format!("kernel \"{name}\"")), "{error}");
    }
}

#[test]
fn memory_is_what_was_planned_and_stays() {
    let Some(gpu) = open(Options::default()) else { return };
    let architecture = architecture(8, 3, 1, 2);
    let network = gpu::network::Network::new(&architecture, &random_weights(&architecture), &gpu).unwrap();
    for dims in [[32, 32, 32], [40, 33, 26], [32, 32, 32]] {
        let image = pseudo_random(dims.iter().product(), 1);
        pollster::block_on(network.logits(&image, dims, &mut |_| Ok(()))).unwrap();
        let (planned, taken) = (network.plan(dims, false).unwrap().peak, gpu.peak.get());
        println!("{dims:?}: {planned} bytes planned, {taken} taken");
        assert!(taken.abs_diff(planned) * 4 <= planned, "{dims:?}: {planned} planned, {taken} taken");
    }
}

#[test]
fn a_stop_is_heard_between_submits() {
    let Some(gpu) = open(Options::default()) else { return };
    let architecture = architecture(8, 3, 1, 2);
    let network = gpu::network::Network::new(&architecture, &random_weights(&architecture), &gpu).unwrap();
    let image = pseudo_random(48 * 48 * 48, 1);
    let mut heard = 0;
    let all = pollster::block_on(network.logits(&image, [48; 3], &mut |done| {
        assert!((0.0..=1.0).contains(&done));
        heard += 1;
        Ok(())
    }));
    assert!(all.is_ok() && heard >= 3, "told {heard} times");
    // The longest wait for an answer, now that the device is known.
    let started = std::time::Instant::now();
    let (mut last, mut longest) = (started, 0f64);
    pollster::block_on(network.logits(&image, [48; 3], &mut |_| {
        longest = longest.max(last.elapsed().as_secs_f64());
        last = std::time::Instant::now();
        Ok(())
    }))
    .unwrap();
    let all = started.elapsed().as_secs_f64();
    println!("the longest wait between two chances to stop: {longest:.2} s of {all:.2}");
    assert!(longest < 0.5 * all, "{longest} s of {all}");
    let mut stop = |_| Err(insitu_seg::Error::cancelled("a test"));
    let stopped = pollster::block_on(network.logits(&image, [48; 3], &mut stop));
    assert_eq!(stopped.unwrap_err().code(), "cancelled");
}

/// The cap of memory at 32 bits and base 8 in little: WebGPU's own limits, 128^3.
#[test]
fn a_large_image_equals_the_cpu_and_takes_what_was_forecast() {
    let form = architecture(8, 3, 1, 2);
    for (precision, off_by, equal) in [(Precision::F32, 1e-3, 0.9999), (Precision::F16, 1e-2, 0.999)] {
        let Some(gpu) = open(Options { precision, ..Options::default() }) else { return };
        let side: usize = if gpu.emulated && !long() { 80 } else { 128 };
        let network = Network::new(&form, &random_weights(&form), &Compute::Gpu(gpu.clone())).unwrap();
        let forecast = pollster::block_on(network.forecast([side; 3])).unwrap();
        let planned = network.peak_bytes([side; 3]).unwrap();
        let since = std::time::Instant::now();
        pollster::block_on(network.logits(&pseudo_random(side.pow(3), 9), [side; 3], &mut |_| Ok(())))
            .unwrap();
        let (took, bytes) = (since.elapsed().as_secs_f64(), gpu.peak.get());
        let (off, same) = compare(&gpu, form, [side; 3]);
        println!(
            "{precision:?}, {side}^3: off by {off:.1e}, {:.4} % of labels; {took:.1} s where {forecast:.1} s were forecast; \
             {:.0} MB of maps where {:.0} MB were planned, with weights",
            100.0 * same,
            bytes as f64 / 1e6,
            planned as f64 / 1e6
        );
        assert!(off < off_by && same >= equal, "{precision:?}: off by {off}, {same} of labels");
        assert!(
            bytes <= planned && planned as f64 <= 1.25 * bytes as f64,
            "{bytes} bytes, {planned} planned"
        );
        // Room for a machine that does other things too.
        assert!((0.33..3.0).contains(&(forecast / took)), "{took} s, {forecast} s forecast");
    }
}
