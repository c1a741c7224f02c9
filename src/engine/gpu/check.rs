//! Is this GPU to be trusted, and which variant is faster on it? Asked each time that one is opened: it takes less
//! than a second even where a CPU stands in, and a pass of yesterday says nothing about today's driver.

use super::device::Gpu;
use super::known::{Trial, trials};
use crate::engine::bench::noise;
use crate::error::{Error, Result};
use crate::kernels::{Kernel, Layout, Precision, conv};
use web_time::Instant;

/// Largest difference from the reference, as a share of the largest value.
fn tolerance(precision: Precision) -> f32 {
    match precision {
        Precision::F32 => 1e-4,
        Precision::F16 => 4e-3,
    }
}

/// Asks every kernel what is known.
///
/// # Errors
/// `Device` that names the kernel whose answer is wrong.
pub async fn all(gpu: &Gpu) -> Result<()> {
    for trial in trials(gpu.precision) {
        one(gpu, &trial).await.map_err(|error| error.within(format!("kernel \"{}\"", trial.kernel.name())))?;
    }
    Ok(())
}

async fn one(gpu: &Gpu, trial: &Trial) -> Result<()> {
    let found = (trial.found)(&dispatch(gpu, trial).await?);
    let top = trial.expected.iter().fold(1f32, |top, value| top.max(value.abs()));
    for (index, (found, expected)) in found.iter().zip(&trial.expected).enumerate() {
        // Asked for what is right, so that NaN fails.
        let right = (found - expected).abs() <= tolerance(gpu.precision) * top;
        if !right {
            return Err(Error::device(
                format!("known answer on {}", gpu.adapter),
                format!("{found} at {index}"),
                format!("{expected}"),
            ));
        }
    }
    Ok(())
}

/// Runs a trial; the bytes of the buffer that is looked at.
async fn dispatch(gpu: &Gpu, trial: &Trial) -> Result<Vec<u8>> {
    let before = gpu.faults();
    let buffers: Vec<wgpu::Buffer> = trial
        .buffers
        .iter()
        .map(|bytes| {
            let buffer = gpu.storage(bytes.len() as u64);
            gpu.queue.write_buffer(&buffer, 0, bytes);
            buffer
        })
        .collect();
    let table = gpu.uniforms(256);
    let words: Vec<u8> = trial.words.iter().flat_map(|word| word.to_le_bytes()).collect();
    gpu.queue.write_buffer(&table, 0, &words);
    let pipeline = gpu.pipeline(trial.kernel);
    let group = gpu.bind(&pipeline, &table, &buffers.iter().collect::<Vec<_>>());
    let mut encoder = gpu.encoder();
    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
    pass.set_pipeline(&pipeline.pipeline);
    pass.set_bind_group(0, &group, &[0]);
    pass.dispatch_workgroups(trial.groups[0], trial.groups[1], trial.groups[2]);
    drop(pass);
    let look = &buffers[trial.look];
    let staging = gpu.staging(look.size());
    encoder.copy_buffer_to_buffer(look, 0, &staging, 0, look.size());
    gpu.queue.submit([encoder.finish()]);
    let found = gpu.read(&staging).await;
    buffers.iter().chain([&table, &staging]).for_each(wgpu::Buffer::destroy);
    gpu.sound(before)?;
    found
}

/// Times both variants of the convolution on 32 channels of 24^3.
///
/// # Errors
/// `Device` where the device fails.
pub async fn tiled_is_faster(gpu: &Gpu) -> Result<bool> {
    let mut seconds = [f64::INFINITY; 2];
    let (dims, channels) = ([24; 3], 32);
    let layout = Layout::new(channels, dims);
    let source = (layout, 0, 1.0);
    let none = (Layout { quads: 0, ..layout }, 0, 1.0);
    let params = conv::Params { output: layout, start: 0, first: 0, planes: 24, sources: [source, none] };
    let blocks = conv::tiled_blocks(&layout);
    let map = layout.pack(&noise(channels * 24 * 24 * 24, 1), 0..24, gpu.precision);
    let same: Vec<u8> = [1f32; 4].into_iter().chain([0.0; 4]).flat_map(f32::to_le_bytes).collect::<Vec<_>>().repeat(8);
    let weight: Vec<u8> = noise(channels * channels * 27, 2).into_iter().flat_map(f32::to_le_bytes).collect();
    let variants = [
        (Kernel::ConvDirect, conv::direct_groups(&params)),
        (Kernel::ConvTiled(blocks), conv::tiled_groups(&params, blocks)),
    ];
    for ((kernel, groups), seconds) in variants.into_iter().zip(&mut seconds) {
        let moments = vec![0; conv::moments(&layout, 24) * layout.quads * 48];
        let output = vec![0; 24 * layout.pitch * gpu.precision.quad()];
        let buffers = vec![map.clone(), map.clone(), same.clone(), same.clone(), weight.clone(), output, moments];
        let found = Box::new(|_: &[u8]| Vec::new());
        // What is read back is small: it is the kernel that is timed.
        let trial = Trial { kernel, words: params.words(), buffers, groups, look: 2, expected: Vec::new(), found };
        for _ in 0..4 {
            let since = Instant::now();
            dispatch(gpu, &trial).await?;
            *seconds = seconds.min(since.elapsed().as_secs_f64());
        }
    }
    Ok(seconds[1] < seconds[0])
}
