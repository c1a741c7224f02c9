//! The Rust side in a browser: the network on WebGPU against Keras, a volume in and a mask out.
#![cfg(all(target_arch = "wasm32", feature = "gpu"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "common/golden.rs"]
mod golden;

use golden::{deviation, instances};
use insitu_seg::card::Card;
use insitu_seg::engine::compute::{Backend, Compute};
use insitu_seg::engine::gpu::device::{Gpu, Options, Sources};
use insitu_seg::engine::network::Network;
use insitu_seg::engine::nn::adamw::AdamWConfig;
use insitu_seg::engine::nn::example::Example;
use insitu_seg::engine::nn::loss::Loss;
use insitu_seg::engine::wgsl::layout::Precision;
use insitu_seg::engine::wgsl::residual_add;
use insitu_seg::engine::{cpu, gpu};
use insitu_seg::model::sigmoid;
use insitu_seg::predict::{Model, SegmentProgress, segment, self_check};
use insitu_seg::web::file::BlobReader;
use insitu_seg::{Limits, Volume, VolumeFile, read_volume, store, write_labels};
use std::ops::ControlFlow;
use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

const SAMPLE: &[u8] = include_bytes!("../pkg/samples/hippocampus/image.nii.gz");
const CARD: &[u8] = include_bytes!("../pkg/models/hippocampus/model.json");
const WHOLE: &[u8] = include_bytes!("../pkg/models/hippocampus/whole-0.safetensors");
const PATCH: &[u8] = include_bytes!("../pkg/models/hippocampus/patch-0.safetensors");

/// The GPU is opened once: its kernels are compiled and asked for known answers.
async fn gpu() -> Compute {
    thread_local!(static GPU: std::cell::RefCell<Option<Compute>> = const { std::cell::RefCell::new(None) });
    if let Some(compute) = GPU.with_borrow(Clone::clone) {
        return compute;
    }
    let compute = Compute::open(Backend::Gpu).await.unwrap();
    console_log!("adapter: {}", compute.adapter());
    GPU.set(Some(compute.clone()));
    compute
}

async fn equals_keras(compute: &Compute, tolerance: f32) {
    for instance in instances() {
        let (name, form, golden) = (instance.name, instance.architecture, instance.golden());
        let (image, dims) = golden.input();
        let mut networks = vec![("output", Network::new(&form, &golden.weights, compute).unwrap())];
        if form.roi {
            networks.push(("roi", Network::roi(&form, &golden.weights, compute).unwrap()));
        }
        for (key, network) in networks {
            let logits = network.logits(image, dims, &mut |_| Ok(())).await.unwrap();
            let found: Vec<f32> = logits.into_iter().map(sigmoid).collect();
            let off = deviation(&found, &golden.tensors[key].values);
            console_log!("{name} on {}: {key} off by {off:.1e}", compute.adapter());
            assert!(off <= tolerance, "{name}: {key} off by {off}");
        }
    }
}

#[wasm_bindgen_test]
async fn the_network_on_webgpu_equals_keras() {
    equals_keras(&gpu().await, 2e-4).await;
}

#[wasm_bindgen_test]
async fn the_network_on_the_cpu_equals_keras() {
    equals_keras(&Compute::Cpu, 2e-4).await;
}

/// On the CPU within 2e-3 and on WebGPU within 5e-3.
#[wasm_bindgen_test]
async fn gradients_equal_keras() {
    let Compute::Gpu(gpu) = gpu().await else { panic!("no GPU") };
    for instance in instances() {
        let (name, form, golden) = (instance.name, instance.architecture, instance.nudged());
        let (image, dims) = golden.input();
        let example = Example::new(image, &golden.tensors["target"].values, dims);
        let (settings, weights) = (AdamWConfig::default(), &golden.weights);
        let mut on_gpu = gpu::trainer::Trainer::new(form, weights, settings, Loss::Dice, &gpu).unwrap();
        let on_cpu = cpu::trainer::Trainer::new(form, weights.clone(), settings, Loss::Dice).unwrap();
        let found = [
            ("WebGPU", 5e-3, on_gpu.gradients(&[example], &|_| true).await.unwrap().1),
            ("CPU", 2e-3, on_cpu.gradients(&[example], &|_| true).unwrap().1),
        ];
        let (_, expected) = golden.lesson(golden.prefixes());
        for (device, tolerance, gradients) in found {
            let mut most = 0f32;
            for (tensor, values) in &expected {
                let off = deviation(&gradients[tensor].values, values);
                assert!(off < tolerance, "{name} on {device}: gradient of {tensor} off by {off}");
                most = most.max(off);
            }
            assert!(expected.len() > 10, "{name}: {} gradients", expected.len());
            console_log!("{name} on {device}: {} gradients off by {most:.1e} at most", expected.len());
        }
    }
}

#[wasm_bindgen_test]
async fn sixteen_bits_and_the_tiled_convolution_are_close() {
    let options = Options { precision: Precision::F16, tiled: Some(true), ..Options::default() };
    let compute = Compute::Gpu(Gpu::open(options).await.unwrap());
    equals_keras(&compute, 1e-2).await;
}

#[wasm_bindgen_test]
async fn a_kernel_that_does_not_compile_is_refused_by_name() {
    let sources: Sources = |kernel, precision| {
        if kernel == residual_add::FORWARD { "no".to_owned() } else { kernel.source(precision) }
    };
    let compute = Compute::Gpu(Gpu::open(Options { sources, ..Options::default() }).await.unwrap());
    let error = self_check(&model(&compute), &model(&Compute::Cpu)).await.unwrap_err();
    assert_eq!(error.code(), "device");
    assert!(error.to_string().contains("\"join\""), "{error}");
}

fn model(compute: &Compute) -> Model {
    let file = |name: &str| Ok(if name.starts_with("whole") { WHOLE } else { PATCH }.to_vec());
    Model::load(Card::read(CARD).unwrap(), file, false, compute).unwrap()
}

#[wasm_bindgen_test]
async fn a_volume_goes_in_and_a_mask_comes_out() {
    let volume = read_volume(SAMPLE, &Limits::default()).unwrap();
    let mut last = 0.0;
    let mut watch = |SegmentProgress { stage, done, .. }: SegmentProgress| {
        assert!((0.0..=1.0).contains(&done), "{stage}: {done}");
        last = done;
        ControlFlow::Continue(())
    };
    let result = segment(&model(&Compute::Cpu), &volume, &mut watch).await.unwrap();
    assert!(result.classes.iter().all(|class| class.voxels > 500), "{:?}", result.classes);
    let written = write_labels(&result.labels, &volume, true).unwrap();
    let back = read_volume(&written, &Limits::default()).unwrap();
    assert_eq!(back.grid, volume.grid);
    assert_eq!(back.reorientation.undo(&back.labels().unwrap()), result.labels);
}

#[wasm_bindgen_test]
async fn the_shipped_networks_pass_the_self_check_of_webgpu() {
    let off = self_check(&model(&gpu().await), &model(&Compute::Cpu)).await.unwrap();
    console_log!("self-check: off by {off:.1e}");
}

#[wasm_bindgen_test]
async fn a_gpu_that_computes_other_weights_fails_the_self_check() {
    let compute = gpu().await;
    let mut card = Card::read(CARD).unwrap();
    let damaged = |name: &str| -> Vec<u8> {
        let mut weights = store::read_weights(if name.starts_with("whole") { WHOLE } else { PATCH }).unwrap();
        weights.get_mut("out.weight").unwrap().values[0] += 1.0;
        store::write_weights(&weights, store::WeightPrecision::F16, Default::default()).unwrap()
    };
    for stage in [&mut card.stages.whole, &mut card.stages.patch] {
        let fold = &mut stage.as_mut().unwrap().folds[0];
        fold.sha256 = store::sha256(&damaged(&fold.file));
    }
    let wrong = Model::load(card, |name| Ok(damaged(name)), false, &compute).unwrap();
    let error = self_check(&wrong, &model(&Compute::Cpu)).await.unwrap_err();
    assert_eq!(error.code(), "device");
    console_log!("refused: {error}");
}

#[wasm_bindgen_test]
fn a_text_file_is_refused_in_one_sentence() {
    let error = read_volume(b"this is no volume at all", &Limits::default()).unwrap_err();
    assert_eq!(error.code(), "malformed");
    assert!(error.to_string().contains("a text file"));
}

/// What a worker has of a file that was chosen.
fn blob(bytes: &[u8]) -> web_sys::Blob {
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(bytes));
    web_sys::Blob::new_with_u8_array_sequence(&parts).unwrap()
}

fn in_pieces(bytes: &[u8], size: f64) -> insitu_seg::Result<Volume> {
    let source = BlobReader::new(blob(bytes), size).unwrap().source();
    VolumeFile::open(source, None, &Limits::default())?.read()
}

#[wasm_bindgen_test]
fn a_blob_in_pieces_of_any_size_is_the_volume_of_its_bytes() {
    let whole = read_volume(SAMPLE, &Limits::default()).unwrap();
    for size in [100.0, 4096.0, SAMPLE.len() as f64, 1e9] {
        let volume = in_pieces(SAMPLE, size).unwrap();
        assert_eq!(
            (&volume.grid, &volume.voxels[..]),
            (&whole.grid, &whole.voxels[..]),
            "pieces of {size} bytes"
        );
    }
}

#[wasm_bindgen_test]
fn a_truncated_or_damaged_blob_is_refused_as_its_bytes_are() {
    let mut damaged = SAMPLE.to_vec();
    damaged[SAMPLE.len() - 6] ^= 1;
    for bytes in [&SAMPLE[..0], &SAMPLE[..300], &SAMPLE[..SAMPLE.len() - 1], &damaged] {
        let expected = read_volume(bytes, &Limits::default()).unwrap_err();
        assert_eq!(in_pieces(bytes, 1000.0).unwrap_err(), expected, "{} bytes", bytes.len());
    }
}
