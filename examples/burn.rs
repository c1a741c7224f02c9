//! Fine-tunes the shipped patch network by burn, on a phantom: `burn [STEPS]`. The network is a module like any other, so that
//! burn's optimisers train it, on any device of burn: `Device::cuda(0)` in place of `Device::flex()`.

use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Tensor, TensorData};
use insitu_seg::burn::{SeResUNet, loss::loss};
use insitu_seg::training::{Loss, PhantomKind, Stage};
use insitu_seg::{Intensity, Result};

fn main() -> Result<()> {
    let steps = std::env::args().nth(1).and_then(|steps| steps.parse().ok()).unwrap_or(5);
    let device = Device::flex().autodiff();
    let mut network = SeResUNet::from_model("hippocampus", Stage::Patch, &device)?;

    let size = [24, 32, 24]; // [x, y, z], and x is the fastest: burn's shape is the other way round
    let phantom = PhantomKind::find("Hippocampus")?.make(size, 1, 0)?;
    let values: Vec<f32> = phantom.image.iter().map(|&value| f32::from(value)).collect();
    let target: Vec<f32> =
        [1, 2].iter().flat_map(|label| phantom.labels.iter().map(move |v| f32::from(v == label))).collect();
    let tensor = |values, channels| {
        Tensor::<5>::from_data(TensorData::new(values, [1, channels, 24, 32, 24]), &device)
    };
    let (image, target) = (tensor(Intensity::Mr.normalize(&values), 1), tensor(target, 2));

    let mut optimizer = AdamWConfig::new().init();
    for step in 0..steps {
        let loss = loss(Loss::DiceAndEntropy, network.forward(&image), target.clone(), None);
        println!("step {step}: loss {:.3}", loss.clone().into_scalar::<f32>());
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimizer.step(1e-3, network, gradients);
    }
    network.save(&std::env::temp_dir().join("tuned-by-burn.safetensors"))
}
