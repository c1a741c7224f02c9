//! Memory that an operation needs while it works. Every thread keeps its own: fresh memory costs more than the zeros that
//! are written over used one.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

thread_local! {
    static FREE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Some values, zeros at first.
#[derive(Debug)]
pub struct Scratch(Vec<f32>);

impl Scratch {
    /// `length` zeros.
    pub fn zeros(length: usize) -> Self {
        let mut values = FREE.with_borrow_mut(Vec::pop).unwrap_or_default();
        values.clear();
        values.reserve_exact(length);
        values.resize(length, 0.0);
        Self(values)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.0);
        // A thread that ends has nothing to keep it for.
        let _ = FREE.try_with(|free| free.borrow_mut().push(values));
    }
}

impl Deref for Scratch {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}
