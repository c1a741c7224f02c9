//! The bodies of each phantom. Positions are shares of half the field of view, `[right, anterior, superior]`; intensities are
//! HU for CT, and a brightness per channel for MR.

use super::scene::{Mm, RandomShapes, STRAIGHT, Scene, Shape};
use rand::rngs::Xoshiro256PlusPlus;

/// Intensities of tissues, HU.
const AIR: f32 = -1000.0;
const FAT: f32 = -90.0;
const MUSCLE: f32 = 45.0;
const BONE: f32 = 450.0;

/// Paints the bodies of task `number` into a scene, 0 for those of the cascade.
pub fn paint_bodies(scene: &mut Scene, number: u8, rng: &mut Xoshiro256PlusPlus) {
    let draw = &mut RandomShapes(rng);
    let is_mr = match number {
        0 => cascade(scene, draw),
        1 => brain_tumour(scene, draw),
        2 => heart(scene, draw),
        3 => liver(scene, draw),
        4 => hippocampus(scene, draw),
        5 => prostate(scene, draw),
        6 => lung(scene, draw),
        7 => pancreas(scene, draw),
        8 => hepatic_vessel(scene, draw),
        9 => spleen(scene, draw),
        _ => colon(scene, draw),
    };
    scene.add_noise(if is_mr { 25.0 } else { 14.0 }, rng);
    if is_mr {
        scene.add_mr_artifacts(rng);
    }
}

/// An ellipsoid at a share of the field of view, its half axes shares of the shortest.
fn ellipsoid(scene: &Scene, center: Mm, half: Mm, rotation: [Mm; 3]) -> Shape {
    Shape::Ellipsoid(scene.at(center), half.map(|v| scene.length(v)), rotation)
}

fn tube(scene: &Scene, points: &[Mm], radius: f64) -> Shape {
    Shape::Tube(points.iter().map(|point| scene.at(*point)).collect(), scene.length(radius))
}

/// The outline of head or trunk: an ellipsoid nearly as large as the field of view.
fn trunk(scene: &mut Scene, outside: &[f32], inside: &[f32]) {
    scene.fill(outside);
    let half = scene.half().map(|v| 0.94 * v);
    // A trunk goes on beyond the field of view; a head, nearly.
    let shape = Shape::Ellipsoid([0.0; 3], [half[0], half[1], 1.6 * half[2]], STRAIGHT);
    scene.paint(&shape, inside, 0);
}

/// Balls of a tissue with `label` inside what has the label `host`, around a point of it.
fn tumours(scene: &mut Scene, draw: &mut RandomShapes, around: (Mm, f64), tissue: f32, label: u8, host: u8) {
    for _ in 0..draw.count(1, 2) {
        let center = draw.jitter(around.0, around.1);
        let radius = draw.between(0.16, 0.24);
        scene.paint_where(&Shape::ball(scene.at(center), scene.length(radius)), &[tissue], label, |l| {
            l == host || l == label
        });
    }
}

fn cascade(scene: &mut Scene, draw: &mut RandomShapes) -> bool {
    let (ground, bright) = ([200.0], [500.0]);
    scene.fill(&ground);
    let half_view = scene.half();
    let half: Mm = std::array::from_fn(|_| draw.between(12.5, 20.0));
    let center: Mm = std::array::from_fn(|a| {
        let most = half_view[a] - half[a] - 1.0;
        draw.between(-most, most)
    });
    // Bars and plates as bright as the object, a few mm off it, so that they never are a part of it.
    let clear = Shape::Ellipsoid(center, half.map(|v| v + 5.0), STRAIGHT);
    for decoy in 0..10 {
        let place: Mm = std::array::from_fn(|a| draw.between(-0.95, 0.95) * half_view[a]);
        let rotation = draw.rotation(180.0);
        let shape = if decoy % 2 == 0 {
            Shape::Block(
                place,
                [draw.between(4.0, 6.0), draw.between(4.0, 6.0), draw.between(18.0, 30.0)],
                rotation,
            )
        } else {
            Shape::Block(
                place,
                [draw.between(2.5, 4.0), draw.between(14.0, 20.0), draw.between(14.0, 20.0)],
                rotation,
            )
        };
        scene.paint(&shape, &bright, 0);
    }
    scene.paint(&clear, &ground, 0);
    scene.paint(&Shape::Ellipsoid(center, half, STRAIGHT), &bright, 1);
    true
}

fn brain_tumour(scene: &mut Scene, draw: &mut RandomShapes) -> bool {
    // FLAIR, T1, T1 with contrast, T2
    trunk(scene, &[0.0; 4], &[320.0, 420.0, 420.0, 320.0]);
    // Ventricles are as bright as a tumour in T2, vessels in T1 with contrast.
    for side in [-0.16, 0.16] {
        let points = [[side, 0.3, 0.0], [side, 0.0, 0.1], [1.6 * side, -0.3, -0.1]];
        scene.paint(&tube(scene, &points, 0.09), &[110.0, 160.0, 160.0, 650.0], 0);
    }
    let vessel = [draw.jitter([0.0, 0.6, 0.2], 0.15), draw.jitter([0.0, -0.6, 0.4], 0.15)];
    scene.paint(&tube(scene, &vessel, 0.06), &[320.0, 420.0, 850.0, 320.0], 0);
    let side = if draw.count(0, 1) == 0 { -1.0 } else { 1.0 };
    for cluster in 0..draw.count(1, 2) {
        let place = [side * 0.42 * [1.0, -1.0][cluster], draw.between(-0.3, 0.3), draw.between(-0.25, 0.25)];
        let size = draw.between(0.3, 0.4) * [1.0, 0.75][cluster];
        let half = [size, size * draw.between(0.8, 1.2), size];
        let rotation = draw.rotation(40.0);
        let layers =
            [[680.0, 330.0, 330.0, 640.0], [470.0, 230.0, 240.0, 560.0], [560.0, 380.0, 880.0, 500.0]];
        for (layer, tissue) in layers.iter().enumerate() {
            let share = [1.0, 0.72, 0.45][layer];
            let body = ellipsoid(scene, place, half.map(|v| share * v), rotation);
            scene.paint(&body, tissue, layer as u8 + 1);
        }
    }
    true
}

fn heart(scene: &mut Scene, draw: &mut RandomShapes) -> bool {
    trunk(scene, &[0.0], &[250.0]);
    for side in [-0.75, 0.75] {
        scene.paint(&ellipsoid(scene, [side, 0.0, 0.0], [0.3, 0.7, 0.9], STRAIGHT), &[50.0], 0);
    }
    // A ventricle as bright as the atrium, in front of it.
    let place = draw.jitter([-0.1, 0.5, -0.2], 0.05);
    let body = ellipsoid(scene, place, [0.3, 0.32, 0.5], draw.rotation(20.0));
    scene.paint(&body, &[620.0], 0);
    let place = draw.jitter([0.05, -0.3, 0.1], 0.08);
    for (x, z) in [(-0.5, 0.25), (0.5, 0.25), (-0.45, -0.15), (0.5, -0.1)] {
        let end = draw.jitter([place[0] + x, place[1] - 0.15, place[2] + z], 0.05);
        scene.paint(&tube(scene, &[place, end], 0.09), &[620.0], 1);
    }
    let half = [draw.between(0.3, 0.38), draw.between(0.24, 0.3), draw.between(0.26, 0.34)];
    let body = ellipsoid(scene, place, half, draw.rotation(15.0));
    scene.paint(&body, &[620.0], 1);
    true
}

/// Trunk, spine, and a spleen as bright as the liver.
fn abdomen(scene: &mut Scene, draw: &mut RandomShapes, spleen: u8) {
    trunk(scene, &[AIR], &[MUSCLE]);
    scene.paint(&tube(scene, &[[0.0, -0.65, -1.2], [0.0, -0.65, 1.2]], 0.17), &[BONE], 0);
    let place = draw.jitter([-0.55, -0.25, 0.1], 0.08);
    let half = [draw.between(0.2, 0.27), draw.between(0.3, 0.4), draw.between(0.28, 0.36)];
    let body = ellipsoid(scene, place, half, draw.rotation(25.0));
    scene.paint(&body, &[120.0], spleen);
}

/// A liver, right; where it is.
fn right_organ(scene: &mut Scene, draw: &mut RandomShapes, value: f32, label: u8) -> Mm {
    let place = draw.jitter([0.36, 0.1, 0.05], 0.07);
    let half = [draw.between(0.42, 0.52), draw.between(0.5, 0.6), draw.between(0.42, 0.54)];
    let body = ellipsoid(scene, place, half, draw.rotation(20.0));
    scene.paint(&body, &[value], label);
    place
}

fn liver(scene: &mut Scene, draw: &mut RandomShapes) -> bool {
    abdomen(scene, draw, 0);
    let place = right_organ(scene, draw, 125.0, 1);
    tumours(scene, draw, (place, 0.18), 55.0, 2, 1);
    false
}

fn hippocampus(scene: &mut Scene, draw: &mut RandomShapes) -> bool {
    scene.fill(&[300.0]);
    // Fluid beside it, and white matter.
    let fluid = [draw.jitter([0.5, 0.6, 0.3], 0.1), draw.jitter([0.55, -0.6, 0.35], 0.1)];
    scene.paint(&tube(scene, &fluid, 0.22), &[90.0], 0);
    let white = [draw.jitter([-0.5, 0.7, -0.4], 0.1), draw.jitter([-0.6, -0.7, -0.4], 0.1)];
    scene.paint(&tube(scene, &white, 0.3), &[480.0], 0);
    let shift = draw.jitter([0.0; 3], 0.1);
    let moved = |point: Mm| -> Mm { std::array::from_fn(|a| point[a] + shift[a]) };
    let bend = draw.between(-0.15, 0.15);
    let middle = moved([bend, -0.02, 0.0]);
    let tail = [middle, moved([bend / 2.0, -0.3, 0.12]), moved([0.1, -0.55, 0.28])];
    scene.paint(&tube(scene, &tail, draw.between(0.24, 0.3)), &[410.0], 2);
    let head = draw.jitter(moved([0.0, 0.28, -0.08]), 0.03);
    let body = ellipsoid(
        scene,
        head,
        [0.38, draw.between(0.42, 0.52), draw.between(0.3, 0.36)],
        draw.rotation(15.0),
    );
    scene.paint(&body, &[410.0], 1);
    true
}

fn prostate(scene: &mut Scene, draw: &mut RandomShapes) -> bool {
    // T2, ADC
    trunk(scene, &[0.0; 2], &[250.0, 280.0]);
    scene.paint(
        &ellipsoid(scene, draw.jitter([0.0, 0.2, 0.75], 0.05), [0.5, 0.4, 0.35], STRAIGHT),
        &[800.0, 880.0],
        0,
    );
    scene.paint(&tube(scene, &[[0.0, -0.7, -1.2], [0.0, -0.7, 1.2]], 0.2), &[60.0, 70.0], 0);
    let place = draw.jitter([0.0, -0.05, -0.1], 0.06);
    let half = [draw.between(0.45, 0.55), draw.between(0.34, 0.42), draw.between(0.42, 0.5)];
    scene.paint(&ellipsoid(scene, place, half, draw.rotation(8.0)), &[600.0, 680.0], 1);
    let inner = [place[0], place[1] + 0.08, place[2] + 0.03];
    let share = draw.between(0.6, 0.7);
    scene.paint(&ellipsoid(scene, inner, half.map(|v| share * v), draw.rotation(8.0)), &[400.0, 430.0], 2);
    true
}

fn lung(scene: &mut Scene, draw: &mut RandomShapes) -> bool {
    trunk(scene, &[AIR], &[MUSCLE]);
    scene.paint(&tube(scene, &[[0.0, -0.7, -1.2], [0.0, -0.7, 1.2]], 0.15), &[BONE], 0);
    let sides = [-0.45, 0.45];
    for side in sides {
        scene.paint(&ellipsoid(scene, [side, 0.0, 0.0], [0.38, 0.65, 0.9], STRAIGHT), &[-850.0], 0);
        // Vessels as dense as the tumour.
        for _ in 0..3 {
            let from = [0.35 * side, 0.05, 0.0];
            let to = draw.jitter([1.2 * side, 0.0, 0.0], 0.45);
            scene.paint(&tube(scene, &[from, to], draw.between(0.035, 0.06)), &[MUSCLE], 0);
        }
    }
    let side = sides[draw.count(0, 1)];
    let place = draw.jitter([side, 0.05, 0.0], 0.2);
    let size = draw.between(0.15, 0.24);
    let body = ellipsoid(scene, place, [size, size * draw.between(0.8, 1.2), size], draw.rotation(45.0));
    scene.paint(&body, &[MUSCLE], 1);
    false
}

fn pancreas(scene: &mut Scene, draw: &mut RandomShapes) -> bool {
    abdomen(scene, draw, 0);
    let fat = ellipsoid(scene, [0.05, 0.15, 0.0], [0.6, 0.5, 0.6], STRAIGHT);
    scene.paint(&fat, &[FAT], 0);
    // A vessel along it.
    let vessel = [draw.jitter([-0.4, -0.25, 0.2], 0.05), draw.jitter([0.4, -0.2, 0.15], 0.05)];
    scene.paint(&tube(scene, &vessel, 0.08), &[170.0], 0);
    let head = draw.jitter([0.32, 0.12, -0.15], 0.06);
    let neck = draw.jitter([0.05, 0.22, 0.0], 0.05);
    let tail = draw.jitter([-0.35, 0.1, 0.2], 0.05);
    scene.paint(&tube(scene, &[neck, tail], draw.between(0.13, 0.16)), &[95.0], 1);
    scene.paint(&tube(scene, &[head, neck], draw.between(0.2, 0.24)), &[95.0], 1);
    let within = if draw.count(0, 1) == 0 { head } else { neck };
    let center = draw.jitter(within, 0.04);
    let radius = draw.between(0.16, 0.2);
    scene.paint(&Shape::ball(scene.at(center), scene.length(radius)), &[25.0], 2);
    false
}

fn hepatic_vessel(scene: &mut Scene, draw: &mut RandomShapes) -> bool {
    abdomen(scene, draw, 0);
    // As bright as the vessels in the liver.
    scene.paint(&tube(scene, &[[-0.08, -0.35, -1.2], [-0.08, -0.35, 1.2]], 0.1), &[180.0], 0);
    let place = right_organ(scene, draw, 110.0, 0);
    let center = draw.jitter([place[0] + 0.1, place[1] + 0.25, place[2]], 0.08);
    let radius = draw.between(0.15, 0.22);
    scene.paint(&Shape::ball(scene.at(center), scene.length(radius)), &[45.0], 2);
    let root = [place[0] - 0.3, place[1] - 0.1, place[2] - 0.1];
    let fork = draw.jitter([place[0] - 0.05, place[1] - 0.1, place[2]], 0.04);
    scene.paint(&tube(scene, &[root, fork], 0.11), &[180.0], 1);
    for end in [[0.25, 0.0, 0.28], [0.28, -0.25, -0.2], [0.0, 0.1, -0.3]] {
        let end = draw.jitter([place[0] + end[0], place[1] + end[1], place[2] + end[2]], 0.06);
        scene.paint_where(&tube(scene, &[fork, end], draw.between(0.07, 0.09)), &[180.0], 1, |label| {
            label != 2
        });
    }
    false
}

fn spleen(scene: &mut Scene, draw: &mut RandomShapes) -> bool {
    abdomen(scene, draw, 1);
    // A liver as bright as the spleen, and kidneys.
    right_organ(scene, draw, 120.0, 0);
    for side in [-0.3, 0.3] {
        let place = draw.jitter([side, -0.55, -0.5], 0.05);
        scene.paint_where(&ellipsoid(scene, place, [0.13, 0.16, 0.3], STRAIGHT), &[170.0], 0, |label| {
            label == 0
        });
    }
    false
}

fn colon(scene: &mut Scene, draw: &mut RandomShapes) -> bool {
    trunk(scene, &[AIR], &[FAT]);
    scene.paint(&tube(scene, &[[0.0, -0.7, -1.2], [0.0, -0.7, 1.2]], 0.17), &[BONE], 0);
    // Walls around gas; the tumour sits in one of them.
    let loops: [[Mm; 3]; 2] = [
        [[0.6, 0.0, -0.7], [0.55, 0.15, 0.0], [0.5, 0.2, 0.6]],
        [[-0.6, 0.0, -0.7], [-0.55, 0.1, 0.0], [-0.5, 0.25, 0.6]],
    ];
    let loops = loops.map(|points| points.map(|point| draw.jitter(point, 0.06)));
    for (radius, value) in [(0.22, MUSCLE), (0.16, -900.0)] {
        for points in &loops {
            scene.paint(&tube(scene, points, radius), &[value], 0);
        }
    }
    let [low, middle, high] = loops[draw.count(0, 1)];
    let share = draw.between(0.1, 0.9);
    let ends = if draw.count(0, 1) == 0 { (low, middle) } else { (middle, high) };
    let on: Mm = std::array::from_fn(|a| ends.0[a] + share * (ends.1[a] - ends.0[a]));
    let wall = scene.length(0.14);
    let aside = draw.direction();
    let center: Mm = std::array::from_fn(|a| scene.at(on)[a] + wall * aside[a]);
    let size = draw.between(0.17, 0.24);
    let body = Shape::Ellipsoid(
        center,
        [size, size * draw.between(0.8, 1.2), size].map(|v| scene.length(v)),
        STRAIGHT,
    );
    scene.paint(&body, &[MUSCLE + 25.0], 1);
    false
}
