//! A GPU that is open: its pipelines, its buffers, its faults.

use crate::engine::plan::list::Limits;
use crate::engine::wgsl::kernel::Kernel;
use crate::engine::wgsl::layout::Precision;
use crate::error::{Error, Result};
use futures_channel::oneshot;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

/// The WGSL of a kernel; tests put in a broken one.
pub type Sources = fn(Kernel, Precision) -> String;

/// How a GPU is opened.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How maps are stored.
    pub precision: Precision,
    /// The variant of the convolution; chosen by a probe where nothing is said.
    pub tiled: Option<bool>,
    /// Limits.
    pub limits: Limits,
    /// Where WGSL comes from.
    pub sources: Sources,
}

impl Default for Options {
    fn default() -> Self {
        Self { precision: Precision::F32, tiled: None, limits: Limits::default(), sources: Kernel::source }
    }
}

/// An open device.
pub struct Gpu {
    /// In words.
    pub adapter: String,
    /// Whether a CPU stands in for it.
    pub emulated: bool,
    /// How maps are stored.
    pub precision: Precision,
    /// Whether the tiled convolution is used.
    pub tiled: Cell<bool>,
    /// Limits.
    pub limits: Limits,
    /// Operations per second, as far as seen.
    pub rate: Cell<f64>,
    /// Bytes of the maps of the last pass at their worst moment, counted as buffers came and went.
    pub peak: Cell<u64>,
    pub(super) queue: wgpu::Queue,
    /// Scales and shifts that change nothing.
    pub(super) identity: wgpu::Buffer,
    device: wgpu::Device,
    sources: Sources,
    pipelines: RefCell<HashMap<Kernel, Rc<Pipeline>>>,
    /// Kernels that gave their known answer.
    trusted: RefCell<BTreeSet<Kernel>>,
    faults: Arc<Mutex<Vec<String>>>,
}

impl fmt::Debug for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gpu({})", self.adapter)
    }
}

/// A kernel that is compiled.
pub struct Pipeline {
    pub(super) pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

impl Gpu {
    /// Connects to the best adapter; [`Self::open`] chooses the variants too.
    pub(super) async fn connect(options: Options) -> Result<Rc<Self>> {
        let missing =
            |found: String| Error::device("GPU", found, "an adapter for WebGPU, Vulkan, Metal or DirectX 12");
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
        let wish = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        };
        let adapter = instance.request_adapter(&wish).await.map_err(|error| missing(error.to_string()))?;
        let descriptor = wgpu::DeviceDescriptor { label: Some("insitu"), ..Default::default() };
        let (device, queue) =
            adapter.request_device(&descriptor).await.map_err(|error| missing(error.to_string()))?;
        Ok(Self::of_device(&adapter.get_info(), device, queue, options))
    }

    /// A device that is open already. From now on its faults are heard here, and by nobody else.
    pub(super) fn of_device(
        info: &wgpu::AdapterInfo,
        device: wgpu::Device,
        queue: wgpu::Queue,
        options: Options,
    ) -> Rc<Self> {
        let faults = Arc::new(Mutex::new(Vec::new()));
        let heard = faults.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| note(&heard, error.to_string())));
        let heard = faults.clone();
        device.set_device_lost_callback(move |reason, message| {
            note(&heard, format!("the device was lost ({reason:?}: {message})"));
        });
        // Browsers keep the name to themselves.
        let name = if info.name.is_empty() { "GPU" } else { &info.name };
        let emulated = info.device_type == wgpu::DeviceType::Cpu || name.contains("SwiftShader");
        let ones = [1f32; 4].into_iter().chain([0.0; 4]).collect::<Vec<_>>().repeat(1024);
        let identity = buffer(&device, &queue, &ones);
        Rc::new(Self {
            adapter: format!("{name} ({:?}, {:?})", info.device_type, info.backend),
            emulated,
            precision: options.precision,
            tiled: Cell::new(false),
            limits: options.limits,
            rate: Cell::new(1e10),
            peak: Cell::new(0),
            queue,
            identity,
            device,
            sources: options.sources,
            pipelines: RefCell::default(),
            trusted: RefCell::default(),
            faults,
        })
    }

    /// How many faults were reported so far.
    pub fn faults(&self) -> usize {
        self.faults.lock().map_or(usize::MAX, |faults| faults.len())
    }

    /// Whether nothing was reported since there were `before` faults.
    ///
    /// # Errors
    /// `Device` with the first fault since.
    pub fn sound(&self, before: usize) -> Result<()> {
        let faults = self.faults.lock().map_err(|_| Error::device("GPU", "a poisoned lock", "none"))?;
        match faults.get(before) {
            None => Ok(()),
            Some(fault) => {
                // wgpu's own text goes over many lines, from the general to the cause.
                let words: Vec<&str> = fault.split_whitespace().take(80).collect();
                Err(Error::device("GPU", words.join(" "), "no error; the result was discarded"))
            }
        }
    }

    /// Learns from how many operations were done in how many seconds, unless they were too few to tell.
    pub fn learn_rate(&self, operations: f64, seconds: f64) {
        if operations > 1e8 {
            self.rate.set(0.5 * self.rate.get() + 0.5 * operations / seconds.max(1e-4));
        }
    }

    /// Whether a kernel gave its known answer.
    pub(super) fn trusts(&self, kernel: Kernel) -> bool {
        self.trusted.borrow().contains(&kernel)
    }

    /// Notes that it did.
    pub(super) fn trust(&self, kernel: Kernel) {
        self.trusted.borrow_mut().insert(kernel);
    }

    /// Waits until everything that was submitted is done; `Device` where the device is gone.
    pub async fn idle(&self) -> Result<()> {
        let (done, heard) = oneshot::channel();
        self.queue.on_submitted_work_done(move || {
            let _ = done.send(());
        });
        self.poll()?;
        heard.await.map_err(|_| Error::device("GPU", "no answer", "the end of the work"))
    }

    /// The bytes of a staging buffer.
    pub(super) async fn read(&self, staging: &wgpu::Buffer) -> Result<Vec<u8>> {
        let fault = |found: String| Error::device("reading the GPU", found, "bytes");
        let (done, heard) = oneshot::channel();
        staging.map_async(wgpu::MapMode::Read, .., move |result| drop(done.send(result)));
        self.poll()?;
        let mapped = heard.await.map_err(|_| fault("no answer".to_owned()))?;
        mapped.map_err(|error| fault(error.to_string()))?;
        let view = staging.get_mapped_range(..).map_err(|error| fault(error.to_string()))?;
        Ok(view.to_vec())
    }

    /// Natively someone has to wait; a browser calls back.
    fn poll(&self) -> Result<()> {
        let polled = self.device.poll(wgpu::PollType::wait_indefinitely());
        polled.map(drop).map_err(|error| Error::device("GPU", error.to_string(), "the end of the work"))
    }

    pub(super) fn encoder(&self) -> wgpu::CommandEncoder {
        self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
    }

    /// A buffer of numbers.
    pub(super) fn upload(&self, values: &[f32]) -> wgpu::Buffer {
        buffer(&self.device, &self.queue, values)
    }

    /// The identity of whole numbers.
    pub(super) fn upload_words(&self, words: &[u32]) -> wgpu::Buffer {
        let buffer = self.storage(4 * words.len().max(64) as u64);
        self.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(words));
        buffer
    }

    /// A buffer for a map.
    pub(super) fn storage(&self, bytes: u64) -> wgpu::Buffer {
        use wgpu::BufferUsages as Usage;
        self.make(bytes, Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST)
    }

    /// A buffer that can be read.
    pub(super) fn staging(&self, bytes: u64) -> wgpu::Buffer {
        self.make(bytes, wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST)
    }

    /// A buffer for uniforms.
    pub(super) fn uniforms(&self, bytes: usize) -> wgpu::Buffer {
        self.make(bytes as u64, wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST)
    }

    fn make(&self, size: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        let size = size.next_multiple_of(4);
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size,
            usage,
            mapped_at_creation: false,
        })
    }

    /// The pipeline of a kernel, compiled at its first use.
    pub(super) fn pipeline(&self, kernel: Kernel) -> Rc<Pipeline> {
        if let Some(found) = self.pipelines.borrow().get(&kernel) {
            return found.clone();
        }
        let made = Rc::new(self.compile(kernel));
        self.pipelines.borrow_mut().insert(kernel, made.clone());
        made
    }

    fn compile(&self, kernel: Kernel) -> Pipeline {
        let label = Some(kernel.name);
        let source = (self.sources)(kernel, self.precision);
        let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label,
            source: wgpu::ShaderSource::Wgsl(source.into()),
        });
        let entry = |binding: usize, ty, has_dynamic_offset| wgpu::BindGroupLayoutEntry {
            binding: binding as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset, min_binding_size: None },
            count: None,
        };
        let storage = |(index, &written): (usize, &bool)| {
            entry(index + 1, wgpu::BufferBindingType::Storage { read_only: !written }, false)
        };
        let mut entries = vec![entry(0, wgpu::BufferBindingType::Uniform, true)];
        entries.extend(kernel.bindings.iter().enumerate().map(storage));
        let layout = self
            .device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label, entries: &entries });
        let all = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label,
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label,
            layout: Some(&all),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        Pipeline { pipeline, layout }
    }

    /// The uniform of one dispatch in `table` (its place is told when the group is set), then storage buffers.
    pub(super) fn bind(
        &self,
        pipeline: &Pipeline,
        table: &wgpu::Buffer,
        buffers: &[&wgpu::Buffer],
    ) -> wgpu::BindGroup {
        let uniform = wgpu::BufferBinding { buffer: table, offset: 0, size: std::num::NonZeroU64::new(256) };
        let mut entries =
            vec![wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::Buffer(uniform) }];
        entries.extend(buffers.iter().enumerate().map(|(index, buffer)| wgpu::BindGroupEntry {
            binding: index as u32 + 1,
            resource: buffer.as_entire_binding(),
        }));
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.layout,
            entries: &entries,
        })
    }
}

fn note(faults: &Mutex<Vec<String>>, text: String) {
    if let Ok(mut faults) = faults.lock() {
        faults.push(text);
    }
}

fn buffer(device: &wgpu::Device, queue: &wgpu::Queue, values: &[f32]) -> wgpu::Buffer {
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
    let size = (values.len() * 4).max(256) as u64;
    let buffer =
        device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false });
    queue.write_buffer(&buffer, 0, bytemuck::cast_slice(values));
    buffer
}
