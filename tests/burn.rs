//! The network as burn's module: the same weights by the same names, logits, gradients and training as our engine's.
#![cfg(feature = "burn")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[cfg(feature = "cli")]
#[path = "burn/command.rs"]
mod command;
#[path = "common/golden.rs"]
mod golden;
#[path = "burn/lesson.rs"]
mod lesson;
#[path = "burn/training.rs"]
mod training;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use golden::{Golden, deviation, instances};
use insitu_seg::burn::loss::loss;
use insitu_seg::burn::read;
use insitu_seg::burn::{SeResUNet, device};
use insitu_seg::engine::cpu::network::Network;
use insitu_seg::engine::nn::example::Example;
use insitu_seg::engine::nn::loss::Loss;
use insitu_seg::engine::nn::pseudo_random::random_weights;
use insitu_seg::model::Architecture;
use insitu_seg::store::{self, WeightPrecision, Weights};
use insitu_seg::tune::Scope;
use lesson::{Only, apart, noise, same_output, tensor};
use pollster::block_on;

#[test]
fn its_weights_have_our_names_and_shapes() {
    for instance in instances() {
        let network = SeResUNet::new(instance.architecture, 1, &Device::flex()).unwrap();
        let weights = block_on(network.weights()).unwrap();
        store::check_weights(&instance.architecture, &weights).unwrap();
        let count: usize = weights.values().map(|array| array.values.len()).sum();
        assert_eq!(network.num_params(), count);
    }
}

/// By scope too: only what learns is tracked, where burn's gradients on GPUs have been wrong (tracel-ai/burn#5162).
#[test]
fn logits_and_the_gradients_of_every_scope_equal_the_engines_on_odd_and_even_sizes() {
    let device = Device::flex().autodiff();
    for (base, depth, inputs, dims) in [
        (8, 3, 1, [24, 24, 24]),
        (8, 3, 2, [25, 31, 27]),
        (12, 3, 3, [33, 24, 41]),
        (6, 4, 4, [35, 64, 29]),
        (5, 4, 1, [40, 37, 24]),
    ] {
        let architecture = Architecture { base, depth, inputs, outputs: 2, ..Architecture::default() };
        let weights = random_weights(&architecture);
        let (image, target) = noise(&architecture, dims);
        let ours = Network::training(&architecture, &weights).unwrap();
        let expected = ours.logits(&image, dims, &mut |_| Ok(())).unwrap();
        let module = SeResUNet::from_weights(architecture, weights.clone(), &device).unwrap();
        for scope in [Scope::Head, Scope::Decoder, Scope::All] {
            let module = module.clone().map(&mut Only { scope, path: Vec::new() });
            let logits = module.forward(&tensor(&image, inputs, dims, &device));
            let off = deviation(&block_on(read(logits.clone())).unwrap(), &expected);
            let value = loss(Loss::DiceAndEntropy, logits, tensor(&target, 2, dims, &device), None);
            let found = block_on(module.gradients(&value.backward())).unwrap();
            let example = Example::new(&image, &target, dims);
            let learns = |name: &str| scope.contains(name);
            let lesson = ours.loss_gradients(&weights, &example, Loss::DiceAndEntropy, &learns).unwrap();
            let most = apart(&found, &lesson.gradients);
            println!(
                "{base} {depth} {dims:?} {}: logits off by {off:.1e}, gradients by {most:.1e}",
                scope.name()
            );
            assert!(most < 4e-3, "{architecture:?} {dims:?} {scope:?}: gradients off by {most}");
            assert!(off < 1e-4, "{architecture:?} {dims:?}: off by {off}");
        }
    }
}

#[test]
fn every_instance_equals_keras() {
    let device = Device::flex().autodiff();
    for instance in instances() {
        let (name, architecture, golden) = (instance.name, instance.architecture, instance.golden());
        let (image, dims) = golden.input();
        let image = tensor(image, architecture.inputs, dims, &device);
        let module = SeResUNet::from_weights(architecture, golden.weights.clone(), &device).unwrap();
        same_output(name, module.forward(&image), &golden.tensors["output"].values);
        if let Some(roi) = module.forward_roi(&image) {
            same_output(name, roi, &golden.tensors["roi"].values);
        }
        same_lesson(name, architecture, &instance.nudged(), &image, dims);
    }
}

fn same_lesson(name: &str, form: Architecture, golden: &Golden, image: &Tensor<5>, dims: [usize; 3]) {
    let module = SeResUNet::from_weights(form, golden.weights.clone(), &image.device()).unwrap();
    let target = tensor(&golden.tensors["target"].values, form.outputs, dims, &image.device());
    let value = loss(Loss::Dice, module.forward(image), target, None);
    let found = block_on(module.gradients(&value.backward())).unwrap();
    let (_, gradients) = golden.lesson(&[""]);
    for (tensor, values) in &gradients {
        let off = deviation(&found[tensor].values, values);
        assert!(off < 2e-3, "{name}: gradient of {tensor} off by {off}");
    }
}

#[test]
fn files_go_to_the_engine_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let architecture = Architecture { base: 2, outputs: 2, ..Architecture::default() };
    let network = SeResUNet::new(architecture, 3, &Device::flex()).unwrap();
    let weights = block_on(network.weights()).unwrap();
    network.save(&path).unwrap();
    assert_eq!(store::read_weights(&std::fs::read(&path).unwrap()).unwrap(), weights);

    let write = |weights: &Weights| {
        let bytes = store::write_weights(weights, WeightPrecision::F16, Default::default()).unwrap();
        std::fs::write(&path, bytes).unwrap();
    };
    let mut other = SeResUNet::new(architecture, 4, &Device::flex().autodiff()).unwrap();
    write(&weights);
    other.load(&path).unwrap();
    assert_eq!(block_on(other.weights()).unwrap(), store::round_to_f16(&weights));

    let mut wrong = weights.clone();
    let array = wrong.remove("out.bias").unwrap();
    write(&wrong);
    let said = other.load(&path).unwrap_err().to_string();
    assert!(said.contains("out.bias: found no such tensor"), "{said}");
    wrong.insert("out.bias".to_owned(), store::Array { shape: vec![1], values: vec![0.0] });
    write(&wrong);
    let said = other.load(&path).unwrap_err().to_string();
    assert!(said.contains("out.bias: found shape") && said.contains("[2]"), "{said}");
    wrong.insert("out.bias".to_owned(), array.clone());
    wrong.insert("more".to_owned(), array);
    write(&wrong);
    let said = other.load(&path).unwrap_err().to_string();
    assert!(said.contains("more: found a tensor that the network lacks"), "{said}");
}

#[test]
fn a_device_that_is_missing_is_refused_in_a_sentence() {
    use device::{BurnDevice, Place, Precision};
    assert_eq!(Place::parse("cuda:3"), Some(vec![Place::Cuda(3)]));
    assert_eq!(Place::parse("rocm:1,rocm"), Some(vec![Place::Rocm(1), Place::Rocm(0)]));
    for wrong in ["cuda:x", "tpu", "flex:1", "", "cuda,", "cuda:0,rocm:0"] {
        assert_eq!(Place::parse(wrong), None, "{wrong}");
    }
    let error = BurnDevice::open(&[Place::Cuda(99)], Precision::F32).unwrap_err();
    assert_eq!((error.code(), error.place.as_str()), ("device", "--device"));
}
