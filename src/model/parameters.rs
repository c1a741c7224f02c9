//! The weights of a network by name: the list that [`super::Architecture::parameters`] records.

use super::ops::Ops;

/// A tensor of weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its path in the network, for example `down.0.a.conv.weight`.
    pub name: String,
    /// Size of each axis, outermost first.
    pub shape: Vec<usize>,
    /// What it begins as.
    pub init: Init,
}

/// What a fresh tensor of weights holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Init {
    /// Zeros.
    Zeros,
    /// Ones.
    Ones,
    /// Glorot's uniform draw from plus or minus `sqrt(6 / (fan_in + fan_out))`.
    Glorot {
        /// Inputs of a unit.
        fan_in: usize,
        /// Units that an input reaches.
        fan_out: usize,
    },
}

/// Listing the weights: a map is its number of channels.
impl Ops for Vec<Parameter> {
    type Map = usize;

    fn conv_norm(&mut self, &x: &usize, name: &str, outputs: usize) -> usize {
        conv(self, format!("{name}.conv"), x, outputs, 3);
        norm(self, name, outputs)
    }

    fn leaky(&mut self, x: usize) -> usize {
        x
    }

    fn pool(&mut self, x: &usize) -> usize {
        *x
    }

    fn conv_transpose(&mut self, &x: &usize, name: &str, outputs: usize, _: &usize) -> usize {
        let init = Init::Glorot { fan_in: x * 8, fan_out: outputs * 8 };
        self.push(Parameter { name: format!("{name}.weight"), shape: vec![x, outputs, 2, 2, 2], init });
        norm(self, name, outputs)
    }

    fn concat(&mut self, a: usize, b: usize) -> usize {
        a + b
    }

    fn squeeze_excite(&mut self, x: usize, name: &str, narrow: usize) -> usize {
        for (layer, inputs, outputs) in [("squeeze", x, narrow), ("excite", narrow, x)] {
            let init = Init::Glorot { fan_in: inputs, fan_out: outputs };
            let name = format!("{name}.{layer}");
            self.push(Parameter { name: format!("{name}.weight"), shape: vec![outputs, inputs], init });
            self.push(Parameter { name: format!("{name}.bias"), shape: vec![outputs], init: Init::Zeros });
        }
        x
    }

    fn residual_add(&mut self, a: usize, _: usize) -> usize {
        a
    }

    fn attention_gate(&mut self, &skip: &usize, &up: &usize, name: &str, units: usize) -> usize {
        self.head_conv1x1(&skip, &format!("{name}.skip"), units);
        conv(self, format!("{name}.up"), up, units, 1);
        self.head_conv1x1(&units, &format!("{name}.psi"), 1);
        skip
    }

    fn head_conv1x1(&mut self, &x: &usize, name: &str, outputs: usize) -> usize {
        conv(self, name.to_owned(), x, outputs, 1);
        self.push(Parameter { name: format!("{name}.bias"), shape: vec![outputs], init: Init::Zeros });
        outputs
    }
}

fn conv(list: &mut Vec<Parameter>, name: String, inputs: usize, outputs: usize, kernel: usize) {
    let init = Init::Glorot { fan_in: inputs * kernel.pow(3), fan_out: outputs * kernel.pow(3) };
    let shape = vec![outputs, inputs, kernel, kernel, kernel];
    list.push(Parameter { name: name + ".weight", shape, init });
}

fn norm(list: &mut Vec<Parameter>, name: &str, channels: usize) -> usize {
    for (part, init) in [("gamma", Init::Ones), ("beta", Init::Zeros)] {
        list.push(Parameter { name: format!("{name}.norm.{part}"), shape: vec![channels], init });
    }
    channels
}
