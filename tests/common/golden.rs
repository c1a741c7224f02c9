//! Keras' numbers of an instance of the network.

use insitu_seg::store::{self, Array, Weights};

/// Our name of a tensor from Keras' name: `down1_se_squeeze.weight` -> `down.0.se.squeeze.weight`.
pub fn our_name(keras: &str) -> String {
    let (layer, kind) = keras.split_once('.').unwrap();
    let parts: Vec<&str> = layer.split('_').collect();
    let level = |prefix: &str| parts[0].strip_prefix(prefix).and_then(|n| n.parse::<usize>().ok());
    let path = match (parts[0], level("down"), level("up")) {
        (_, Some(i), _) => format!("down.{}.{}", i - 1, parts[1..].join(".")),
        (_, _, Some(i)) if parts[1] == "up" => match parts.get(2) {
            Some(norm) => format!("up.{i}.{norm}"),
            None => format!("up.{i}"),
        },
        (_, _, Some(i)) => format!("merge.{}.{}", i - 1, parts[1..].join(".")),
        _ => parts.join("."),
    };
    format!("{path}.{kind}")
}

/// Keras' weights by our names, and Keras' numbers by name.
pub struct Golden {
    pub weights: Weights,
    pub tensors: Weights,
}

impl Golden {
    /// From the bytes of a file of `tests/data/network`.
    pub fn new(bytes: &[u8]) -> Self {
        let mut tensors = store::read_weights(bytes).unwrap();
        let others = ["input", "output", "target", "loss"];
        let is_weight = |name: &&String| !name.starts_with("grad.") && !others.contains(&name.as_str());
        let names: Vec<String> = tensors.keys().filter(is_weight).cloned().collect();
        let weights = names.iter().map(|name| (our_name(name), tensors.remove(name).unwrap())).collect();
        Self { weights, tensors }
    }

    /// The input and its size, `[x, y, z]`.
    pub fn input(&self) -> (&[f32], [usize; 3]) {
        let Array { shape, values } = &self.tensors["input"];
        (values, [shape[4], shape[3], shape[2]])
    }
}

/// Largest difference over the largest reference value; NaN where something is NaN.
pub fn deviation(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    if found.iter().any(|v| v.is_nan()) {
        return f32::NAN;
    }
    let top = expected.iter().fold(0f32, |m, v| m.max(v.abs()));
    let off = found.iter().zip(expected).fold(0f32, |m, (a, b)| m.max((a - b).abs()));
    // A gradient that is zero throughout (behind a closed ReLU) must be zero here too.
    if top == 0.0 { off } else { off / top }
}
