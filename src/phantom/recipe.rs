//! What is in each phantom. Places are shares of the half field of view, `[right, anterior, superior]`; values are HU
//! for CT, and a brightness per channel for MR.

use super::scene::{Luck, Mm, STRAIGHT, Scene, Shape};
use rand::rngs::Xoshiro256PlusPlus;

/// HU.
const AIR: f32 = -1000.0;
const FAT: f32 = -90.0;
const MUSCLE: f32 = 45.0;
const BONE: f32 = 450.0;

/// Fills a scene with the bodies of task `number`, 0 for the cascade's.
pub fn fill(scene: &mut Scene, number: u8, rng: &mut Xoshiro256PlusPlus) {
    let luck = &mut Luck(rng);
    let magnetic = match number {
        0 => cascade(scene, luck),
        1 => brain_tumour(scene, luck),
        2 => heart(scene, luck),
        3 => liver(scene, luck),
        4 => hippocampus(scene, luck),
        5 => prostate(scene, luck),
        6 => lung(scene, luck),
        7 => pancreas(scene, luck),
        8 => hepatic_vessel(scene, luck),
        9 => spleen(scene, luck),
        _ => colon(scene, luck),
    };
    scene.noise(if magnetic { 25.0 } else { 14.0 }, rng);
    if magnetic {
        scene.magnetic(rng);
    }
}

/// An ellipsoid at a share of the field of view, its half axes shares of the shortest.
fn ellipsoid(scene: &Scene, center: Mm, half: Mm, turn: [Mm; 3]) -> Shape {
    Shape::Ellipsoid(scene.at(center), half.map(|v| scene.long(v)), turn)
}

fn tube(scene: &Scene, points: &[Mm], radius: f64) -> Shape {
    Shape::Tube(points.iter().map(|point| scene.at(*point)).collect(), scene.long(radius))
}

/// The outline of head or trunk: an ellipsoid nearly as large as the field of view.
fn trunk(scene: &mut Scene, outside: &[f32], inside: &[f32]) {
    scene.flood(outside);
    let half = scene.half().map(|v| 0.94 * v);
    // A trunk goes on beyond the field of view; a head, nearly.
    let shape = Shape::Ellipsoid([0.0; 3], [half[0], half[1], 1.6 * half[2]], STRAIGHT);
    scene.paint(&shape, inside, 0);
}

/// Balls of a tissue with `label` inside what has the label `host`, around a point of it.
fn tumours(scene: &mut Scene, luck: &mut Luck, around: (Mm, f64), tissue: f32, label: u8, host: u8) {
    for _ in 0..luck.count(1, 2) {
        let center = luck.near(around.0, around.1);
        let radius = luck.within(0.16, 0.24);
        scene.paint_where(&Shape::ball(scene.at(center), scene.long(radius)), &[tissue], label, |l| {
            l == host || l == label
        });
    }
}

fn cascade(scene: &mut Scene, luck: &mut Luck) -> bool {
    let (ground, bright) = ([200.0], [500.0]);
    scene.flood(&ground);
    let half_view = scene.half();
    let half: Mm = std::array::from_fn(|_| luck.within(12.5, 20.0));
    let center: Mm = std::array::from_fn(|a| {
        let most = half_view[a] - half[a] - 1.0;
        luck.within(-most, most)
    });
    // Bars and plates as bright as the object, a few mm off it, so that they never are a part of it.
    let clear = Shape::Ellipsoid(center, half.map(|v| v + 5.0), STRAIGHT);
    for decoy in 0..10 {
        let place: Mm = std::array::from_fn(|a| luck.within(-0.95, 0.95) * half_view[a]);
        let turn = luck.turn(180.0);
        let shape = if decoy % 2 == 0 {
            Shape::Block(place, [luck.within(4.0, 6.0), luck.within(4.0, 6.0), luck.within(18.0, 30.0)], turn)
        } else {
            Shape::Block(
                place,
                [luck.within(2.5, 4.0), luck.within(14.0, 20.0), luck.within(14.0, 20.0)],
                turn,
            )
        };
        scene.paint(&shape, &bright, 0);
    }
    scene.paint(&clear, &ground, 0);
    scene.paint(&Shape::Ellipsoid(center, half, STRAIGHT), &bright, 1);
    true
}

fn brain_tumour(scene: &mut Scene, luck: &mut Luck) -> bool {
    // FLAIR, T1, T1 with contrast, T2
    trunk(scene, &[0.0; 4], &[320.0, 420.0, 420.0, 320.0]);
    // Ventricles are as bright as a tumour in T2, vessels in T1 with contrast.
    for side in [-0.16, 0.16] {
        let points = [[side, 0.3, 0.0], [side, 0.0, 0.1], [1.6 * side, -0.3, -0.1]];
        scene.paint(&tube(scene, &points, 0.09), &[110.0, 160.0, 160.0, 650.0], 0);
    }
    let vessel = [luck.near([0.0, 0.6, 0.2], 0.15), luck.near([0.0, -0.6, 0.4], 0.15)];
    scene.paint(&tube(scene, &vessel, 0.06), &[320.0, 420.0, 850.0, 320.0], 0);
    let side = if luck.count(0, 1) == 0 { -1.0 } else { 1.0 };
    for cluster in 0..luck.count(1, 2) {
        let place = [side * 0.42 * [1.0, -1.0][cluster], luck.within(-0.3, 0.3), luck.within(-0.25, 0.25)];
        let size = luck.within(0.3, 0.4) * [1.0, 0.75][cluster];
        let half = [size, size * luck.within(0.8, 1.2), size];
        let turn = luck.turn(40.0);
        let layers =
            [[680.0, 330.0, 330.0, 640.0], [470.0, 230.0, 240.0, 560.0], [560.0, 380.0, 880.0, 500.0]];
        for (layer, tissue) in layers.iter().enumerate() {
            let share = [1.0, 0.72, 0.45][layer];
            let body = ellipsoid(scene, place, half.map(|v| share * v), turn);
            scene.paint(&body, tissue, layer as u8 + 1);
        }
    }
    true
}

fn heart(scene: &mut Scene, luck: &mut Luck) -> bool {
    trunk(scene, &[0.0], &[250.0]);
    for side in [-0.75, 0.75] {
        scene.paint(&ellipsoid(scene, [side, 0.0, 0.0], [0.3, 0.7, 0.9], STRAIGHT), &[50.0], 0);
    }
    // A ventricle as bright as the atrium, in front of it.
    let place = luck.near([-0.1, 0.5, -0.2], 0.05);
    let body = ellipsoid(scene, place, [0.3, 0.32, 0.5], luck.turn(20.0));
    scene.paint(&body, &[620.0], 0);
    let place = luck.near([0.05, -0.3, 0.1], 0.08);
    for (x, z) in [(-0.5, 0.25), (0.5, 0.25), (-0.45, -0.15), (0.5, -0.1)] {
        let end = luck.near([place[0] + x, place[1] - 0.15, place[2] + z], 0.05);
        scene.paint(&tube(scene, &[place, end], 0.09), &[620.0], 1);
    }
    let half = [luck.within(0.3, 0.38), luck.within(0.24, 0.3), luck.within(0.26, 0.34)];
    let body = ellipsoid(scene, place, half, luck.turn(15.0));
    scene.paint(&body, &[620.0], 1);
    true
}

/// Trunk, spine, and a spleen as bright as the liver.
fn abdomen(scene: &mut Scene, luck: &mut Luck, spleen: u8) {
    trunk(scene, &[AIR], &[MUSCLE]);
    scene.paint(&tube(scene, &[[0.0, -0.65, -1.2], [0.0, -0.65, 1.2]], 0.17), &[BONE], 0);
    let place = luck.near([-0.55, -0.25, 0.1], 0.08);
    let half = [luck.within(0.2, 0.27), luck.within(0.3, 0.4), luck.within(0.28, 0.36)];
    let body = ellipsoid(scene, place, half, luck.turn(25.0));
    scene.paint(&body, &[120.0], spleen);
}

/// A liver, right; where it is.
fn right_organ(scene: &mut Scene, luck: &mut Luck, value: f32, label: u8) -> Mm {
    let place = luck.near([0.36, 0.1, 0.05], 0.07);
    let half = [luck.within(0.42, 0.52), luck.within(0.5, 0.6), luck.within(0.42, 0.54)];
    let body = ellipsoid(scene, place, half, luck.turn(20.0));
    scene.paint(&body, &[value], label);
    place
}

fn liver(scene: &mut Scene, luck: &mut Luck) -> bool {
    abdomen(scene, luck, 0);
    let place = right_organ(scene, luck, 125.0, 1);
    tumours(scene, luck, (place, 0.18), 55.0, 2, 1);
    false
}

fn hippocampus(scene: &mut Scene, luck: &mut Luck) -> bool {
    scene.flood(&[300.0]);
    // Fluid beside it, and white matter.
    let fluid = [luck.near([0.5, 0.6, 0.3], 0.1), luck.near([0.55, -0.6, 0.35], 0.1)];
    scene.paint(&tube(scene, &fluid, 0.22), &[90.0], 0);
    let white = [luck.near([-0.5, 0.7, -0.4], 0.1), luck.near([-0.6, -0.7, -0.4], 0.1)];
    scene.paint(&tube(scene, &white, 0.3), &[480.0], 0);
    let shift = luck.near([0.0; 3], 0.1);
    let moved = |point: Mm| -> Mm { std::array::from_fn(|a| point[a] + shift[a]) };
    let bend = luck.within(-0.15, 0.15);
    let middle = moved([bend, -0.02, 0.0]);
    let tail = [middle, moved([bend / 2.0, -0.3, 0.12]), moved([0.1, -0.55, 0.28])];
    scene.paint(&tube(scene, &tail, luck.within(0.24, 0.3)), &[410.0], 2);
    let head = luck.near(moved([0.0, 0.28, -0.08]), 0.03);
    let body =
        ellipsoid(scene, head, [0.38, luck.within(0.42, 0.52), luck.within(0.3, 0.36)], luck.turn(15.0));
    scene.paint(&body, &[410.0], 1);
    true
}

fn prostate(scene: &mut Scene, luck: &mut Luck) -> bool {
    // T2, ADC
    trunk(scene, &[0.0; 2], &[250.0, 280.0]);
    scene.paint(
        &ellipsoid(scene, luck.near([0.0, 0.2, 0.75], 0.05), [0.5, 0.4, 0.35], STRAIGHT),
        &[800.0, 880.0],
        0,
    );
    scene.paint(&tube(scene, &[[0.0, -0.7, -1.2], [0.0, -0.7, 1.2]], 0.2), &[60.0, 70.0], 0);
    let place = luck.near([0.0, -0.05, -0.1], 0.06);
    let half = [luck.within(0.45, 0.55), luck.within(0.34, 0.42), luck.within(0.42, 0.5)];
    scene.paint(&ellipsoid(scene, place, half, luck.turn(8.0)), &[600.0, 680.0], 1);
    let inner = [place[0], place[1] + 0.08, place[2] + 0.03];
    let share = luck.within(0.6, 0.7);
    scene.paint(&ellipsoid(scene, inner, half.map(|v| share * v), luck.turn(8.0)), &[400.0, 430.0], 2);
    true
}

fn lung(scene: &mut Scene, luck: &mut Luck) -> bool {
    trunk(scene, &[AIR], &[MUSCLE]);
    scene.paint(&tube(scene, &[[0.0, -0.7, -1.2], [0.0, -0.7, 1.2]], 0.15), &[BONE], 0);
    let sides = [-0.45, 0.45];
    for side in sides {
        scene.paint(&ellipsoid(scene, [side, 0.0, 0.0], [0.38, 0.65, 0.9], STRAIGHT), &[-850.0], 0);
        // Vessels as dense as the tumour.
        for _ in 0..3 {
            let from = [0.35 * side, 0.05, 0.0];
            let to = luck.near([1.2 * side, 0.0, 0.0], 0.45);
            scene.paint(&tube(scene, &[from, to], luck.within(0.035, 0.06)), &[MUSCLE], 0);
        }
    }
    let side = sides[luck.count(0, 1)];
    let place = luck.near([side, 0.05, 0.0], 0.2);
    let size = luck.within(0.15, 0.24);
    let body = ellipsoid(scene, place, [size, size * luck.within(0.8, 1.2), size], luck.turn(45.0));
    scene.paint(&body, &[MUSCLE], 1);
    false
}

fn pancreas(scene: &mut Scene, luck: &mut Luck) -> bool {
    abdomen(scene, luck, 0);
    let fat = ellipsoid(scene, [0.05, 0.15, 0.0], [0.6, 0.5, 0.6], STRAIGHT);
    scene.paint(&fat, &[FAT], 0);
    // A vessel along it.
    let vessel = [luck.near([-0.4, -0.25, 0.2], 0.05), luck.near([0.4, -0.2, 0.15], 0.05)];
    scene.paint(&tube(scene, &vessel, 0.08), &[170.0], 0);
    let head = luck.near([0.32, 0.12, -0.15], 0.06);
    let neck = luck.near([0.05, 0.22, 0.0], 0.05);
    let tail = luck.near([-0.35, 0.1, 0.2], 0.05);
    scene.paint(&tube(scene, &[neck, tail], luck.within(0.13, 0.16)), &[95.0], 1);
    scene.paint(&tube(scene, &[head, neck], luck.within(0.2, 0.24)), &[95.0], 1);
    let within = if luck.count(0, 1) == 0 { head } else { neck };
    let center = luck.near(within, 0.04);
    let radius = luck.within(0.16, 0.2);
    scene.paint(&Shape::ball(scene.at(center), scene.long(radius)), &[25.0], 2);
    false
}

fn hepatic_vessel(scene: &mut Scene, luck: &mut Luck) -> bool {
    abdomen(scene, luck, 0);
    // As bright as the vessels in the liver.
    scene.paint(&tube(scene, &[[-0.08, -0.35, -1.2], [-0.08, -0.35, 1.2]], 0.1), &[180.0], 0);
    let place = right_organ(scene, luck, 110.0, 0);
    let center = luck.near([place[0] + 0.1, place[1] + 0.25, place[2]], 0.08);
    let radius = luck.within(0.15, 0.22);
    scene.paint(&Shape::ball(scene.at(center), scene.long(radius)), &[45.0], 2);
    let root = [place[0] - 0.3, place[1] - 0.1, place[2] - 0.1];
    let fork = luck.near([place[0] - 0.05, place[1] - 0.1, place[2]], 0.04);
    scene.paint(&tube(scene, &[root, fork], 0.11), &[180.0], 1);
    for end in [[0.25, 0.0, 0.28], [0.28, -0.25, -0.2], [0.0, 0.1, -0.3]] {
        let end = luck.near([place[0] + end[0], place[1] + end[1], place[2] + end[2]], 0.06);
        scene.paint_where(&tube(scene, &[fork, end], luck.within(0.07, 0.09)), &[180.0], 1, |label| {
            label != 2
        });
    }
    false
}

fn spleen(scene: &mut Scene, luck: &mut Luck) -> bool {
    abdomen(scene, luck, 1);
    // A liver as bright as the spleen, and kidneys.
    right_organ(scene, luck, 120.0, 0);
    for side in [-0.3, 0.3] {
        let place = luck.near([side, -0.55, -0.5], 0.05);
        scene.paint_where(&ellipsoid(scene, place, [0.13, 0.16, 0.3], STRAIGHT), &[170.0], 0, |label| {
            label == 0
        });
    }
    false
}

fn colon(scene: &mut Scene, luck: &mut Luck) -> bool {
    trunk(scene, &[AIR], &[FAT]);
    scene.paint(&tube(scene, &[[0.0, -0.7, -1.2], [0.0, -0.7, 1.2]], 0.17), &[BONE], 0);
    // Walls around gas; the tumour sits in one of them.
    let loops: [[Mm; 3]; 2] = [
        [[0.6, 0.0, -0.7], [0.55, 0.15, 0.0], [0.5, 0.2, 0.6]],
        [[-0.6, 0.0, -0.7], [-0.55, 0.1, 0.0], [-0.5, 0.25, 0.6]],
    ];
    let loops = loops.map(|points| points.map(|point| luck.near(point, 0.06)));
    for (radius, value) in [(0.22, MUSCLE), (0.16, -900.0)] {
        for points in &loops {
            scene.paint(&tube(scene, points, radius), &[value], 0);
        }
    }
    let [low, middle, high] = loops[luck.count(0, 1)];
    let share = luck.within(0.1, 0.9);
    let ends = if luck.count(0, 1) == 0 { (low, middle) } else { (middle, high) };
    let on: Mm = std::array::from_fn(|a| ends.0[a] + share * (ends.1[a] - ends.0[a]));
    let wall = scene.long(0.14);
    let aside = luck.direction();
    let center: Mm = std::array::from_fn(|a| scene.at(on)[a] + wall * aside[a]);
    let size = luck.within(0.17, 0.24);
    let body =
        Shape::Ellipsoid(center, [size, size * luck.within(0.8, 1.2), size].map(|v| scene.long(v)), STRAIGHT);
    scene.paint(&body, &[MUSCLE + 25.0], 1);
    false
}
