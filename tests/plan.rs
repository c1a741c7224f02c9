//! What the plan of a GPU promises, by its own count: no GPU is needed.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use insitu_seg::engine::nn::graph::Graph;
use insitu_seg::engine::plan::forward::plan as forward_plan;
use insitu_seg::engine::plan::list::{Binding, Command, Limits, Plan, PlanSettings};
use insitu_seg::engine::plan::parameters::Parameters;
use insitu_seg::engine::plan::training::{LossScale, TrainSpec, peak, training_step};
use insitu_seg::engine::wgsl::conv;
use insitu_seg::engine::wgsl::layout::Precision;
use insitu_seg::model::Architecture;

fn graph(base: usize) -> Graph {
    Graph::inference(&Architecture { base, depth: 3, inputs: 1, outputs: 2, ..Architecture::default() })
}

fn settings(precision: Precision, limits: Limits) -> PlanSettings {
    PlanSettings { precision, tiled: true, limits, labels: true }
}

/// Follows the plan: every buffer that is used was made, is large enough to be bound, and is counted.
fn follow(plan: &Plan, limits: &Limits) -> u64 {
    let mut sizes: Vec<u64> = Vec::new();
    let mut peak = 0;
    let alive =
        |sizes: &[u64], buffer: usize| assert!(sizes[buffer] > 0, "buffer {buffer} is used and not there");
    for op in &plan.ops {
        match op {
            Command::Create { buffer, bytes } => {
                assert_eq!(*buffer, sizes.len());
                assert!(*bytes <= limits.binding + 256, "{bytes} bytes exceed a binding");
                sizes.push(*bytes);
                peak = peak.max(sizes.iter().sum());
            }
            Command::Drop { buffer } => sizes[*buffer] = 0,
            Command::Upload { buffer, .. }
            | Command::Mark { buffer, .. }
            | Command::Target { buffer, .. } => {
                alive(&sizes, *buffer);
            }
            Command::Clear { binding } | Command::Read { binding, .. } => {
                if let Binding::Buffer(buffer) = binding {
                    alive(&sizes, *buffer);
                }
            }
            Command::Copy { from, to, bytes } => {
                for (binding, offset) in [from, to] {
                    if let Binding::Buffer(buffer) = binding {
                        assert!(offset + bytes <= sizes[*buffer], "a copy beyond the end of {buffer}");
                    }
                }
            }
            Command::Dispatch { bindings, groups, .. } => {
                assert!(groups.iter().all(|&n| (1..=65535).contains(&n)), "{groups:?} workgroups");
                for binding in bindings {
                    if let Binding::Buffer(buffer) = binding {
                        alive(&sizes, *buffer);
                    }
                }
            }
        }
    }
    peak
}

#[test]
fn the_largest_image_of_the_reference_fits() {
    for (precision, most) in [(Precision::F32, 1.2e9), (Precision::F16, 0.7e9)] {
        let limits = Limits::default();
        let plan = forward_plan(&graph(32), [180; 3], &settings(precision, limits)).unwrap();
        assert_eq!(follow(&plan, &limits), plan.peak);
        // 7.8 million weights of 32 bits beside the maps.
        let all = plan.peak as f64 + 32e6;
        let once = graph(32).total_flops([180; 3]);
        println!(
            "{precision:?}: {:.2} GB with weights, {:.2} TFLOP, {:.1} % of it again",
            all / 1e9,
            plan.flops / 1e12,
            100.0 * (plan.flops / once - 1.0)
        );
        assert!(all < most, "{precision:?}: {all} bytes");
    }
}

/// And with attention gates and the region of interest, whose own network costs a quarter of the other.
#[test]
fn options_cost_little_and_their_plans_hold_together() {
    let plain = Architecture { base: 32, outputs: 2, ..Architecture::default() };
    let all = Architecture { attention: true, roi: true, ..plain };
    let flops = |graph: &Graph| graph.total_flops([96; 3]);
    let [once, gated] = [&plain, &all].map(|form| flops(&Graph::inference(form)));
    let (roi, both) = (flops(&Graph::roi(&all)), flops(&Graph::training(&all)));
    println!(
        "gates: {:.1} % more; region of interest: {:.1} %",
        100.0 * (gated / once - 1.0),
        100.0 * roi / once
    );
    assert!(gated < 1.05 * once && roi < 0.25 * once && both < 1.001 * gated);
    let tight = Limits { binding: 3 << 20, budget: 8 << 20, dispatch: 1e8 };
    let all = Architecture { base: 8, ..all };
    for graph in [Graph::inference(&all), Graph::roi(&all)] {
        for (dims, limits) in
            [([33, 47, 129], tight), ([64, 24, 61], tight), ([25, 31, 27], Limits::default())]
        {
            let plan = forward_plan(&graph, dims, &settings(Precision::F32, limits)).unwrap();
            assert_eq!(follow(&plan, &limits), plan.peak, "{dims:?}");
        }
    }
    let (graph, parameters) = (Graph::training(&all), Parameters::new(&all));
    let settings = PlanSettings { labels: false, ..settings(Precision::F32, Limits::default()) };
    let learns = |_: &str| true;
    let spec = TrainSpec {
        graph: &graph,
        parameters: &parameters,
        dims: [40; 3],
        settings: &settings,
        trainable: &learns,
    };
    let plan = training_step(spec, LossScale { share: 1.0, fresh: true, entropy: true }).unwrap();
    assert_eq!(follow(&plan, &settings.limits), plan.peak);
}

#[test]
fn no_dispatch_takes_longer_than_a_watchdog() {
    let largest = |base, dims| {
        let plan = forward_plan(&graph(base), dims, &settings(Precision::F32, Limits::default())).unwrap();
        let flops = |op: &Command| if let Command::Dispatch { flops, .. } = op { *flops } else { 0.0 };
        plan.ops.iter().map(flops).fold(0.0, f64::max)
    };
    for (base, dims) in [(8, [48; 3]), (32, [128; 3]), (32, [180; 3]), (32, [512, 512, 24]), (64, [180; 3])] {
        let ms = largest(base, dims) / 1e12 * 1e3;
        println!("base {base}, {dims:?}: at most {ms:.1} ms of a GPU of 1 TFLOP/s in a dispatch");
        assert!(ms < 200.0, "{ms} ms");
    }
}

#[test]
fn all_sizes_have_a_plan_that_holds_together() {
    let tight = Limits { binding: 3 << 20, budget: 8 << 20, dispatch: 1e8 };
    for dims in [[24, 24, 24], [25, 31, 27], [64, 24, 61], [33, 47, 129], [96, 80, 72]] {
        for limits in [Limits::default(), tight] {
            for precision in [Precision::F32, Precision::F16] {
                let plan = forward_plan(&graph(8), dims, &settings(precision, limits)).unwrap();
                assert_eq!(follow(&plan, &limits), plan.peak, "{dims:?}");
            }
        }
    }
}

#[test]
fn what_no_binding_holds_is_refused_in_words() {
    let limits = Limits { binding: 1 << 20, ..Limits::default() };
    let error = forward_plan(&graph(32), [180; 3], &settings(Precision::F32, limits)).unwrap_err();
    println!("{error}");
    assert_eq!(error.code(), "limit");
}

/// Counts the loads of a workgroup as its own loops make them.
#[test]
fn the_tiled_convolution_reads_little() {
    for blocks in [1, 2, 4] {
        let source = conv::tiled(blocks).source(Precision::F32);
        let number = |before: &str, after: &str| -> u32 {
            let at = source.find(before).unwrap() + before.len();
            source[at..at + source[at..].find(after).unwrap()].parse().unwrap()
        };
        let threads = number("@workgroup_size(", ")");
        let (halo, taps) = (number("region: array<vec4<f32>, ", ">"), number("taps: array<vec4<f32>, ", ">"));
        let turns = |size: u32| {
            (0..threads).map(|me| (me..size).step_by(threads as usize).count() as u32).sum::<u32>()
        };
        // Per channel_block of input: its box once, and the weights of each of the three planes of taps.
        let loads = 4 * (turns(halo) + 3 * turns(taps));
        // Every invocation: 8 voxels, 8 outputs, 4 inputs, 27 taps.
        let products = threads * 8 * 8 * 4 * 27;
        println!("{} output channels: a load for {} products", 8 * blocks, products / loads);
        assert_eq!((loads, products), conv::tiled_loads(blocks));
        assert!(blocks < 4 || products >= 16 * loads);
    }
}

/// A training step on a patch of 96^3 stays within 1.5 GB at 32 channels, and what does not learn costs nothing.
#[test]
fn training_fits_and_is_cut_into_short_dispatches() {
    let architecture = Architecture { base: 32, depth: 3, inputs: 1, outputs: 2, ..Architecture::default() };
    let (graph, parameters) = (Graph::inference(&architecture), Parameters::new(&architecture));
    let settings = PlanSettings { labels: false, ..settings(Precision::F32, Limits::default()) };
    let share = LossScale { share: 1.0, fresh: true, entropy: true };
    let all = |_: &str| true;
    let spec = TrainSpec {
        graph: &graph,
        parameters: &parameters,
        dims: [96; 3],
        settings: &settings,
        trainable: &all,
    };
    let plan = training_step(spec, share).unwrap();
    assert_eq!(follow(&plan, &settings.limits), plan.peak);
    let bytes = peak(spec).unwrap();
    let once = graph.total_flops([96; 3]);
    println!("96^3: {:.2} GB, {:.2} times the operations of a pass", bytes as f64 / 1e9, plan.flops / once);
    assert!(bytes < 1_500_000_000, "{bytes} bytes");
    assert!(plan.flops < 3.2 * once);
    for op in &plan.ops {
        if let Command::Dispatch { kernel, flops, .. } = op {
            assert!(*flops <= 1.5 * settings.limits.dispatch, "{kernel:?}: {flops}");
        }
    }
    assert!(
        training_step(TrainSpec { dims: [160; 3], ..spec }, share).is_err(),
        "maps beyond a binding are refused"
    );

    let head = |name: &str| name.starts_with("out.") || name.starts_with("head.");
    let little = training_step(TrainSpec { trainable: &head, ..spec }, share).unwrap();
    let share = (little.flops - once) / (plan.flops - once);
    println!("with only the head learning: {:.0} % of the way back", 100.0 * share);
    assert!(share < 0.35, "{share}");
}
