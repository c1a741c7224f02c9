//! Memory that an operation needs while it works. Every thread keeps its own: fresh memory costs more than the zeros that
//! are written over used one, and most operations need none.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

thread_local! {
    static FREE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Some values.
#[derive(Debug)]
pub struct Scratch {
    /// As many as were ever asked for in this place.
    values: Vec<f32>,
    length: usize,
}

impl Scratch {
    /// `length` zeros.
    pub fn zeros(length: usize) -> Self {
        let mut scratch = Self::any(length);
        scratch.fill(0.0);
        scratch
    }

    /// `length` values, whatever was left in them.
    pub fn any(length: usize) -> Self {
        let mut values = FREE.with_borrow_mut(|free| fitting(free, length)).unwrap_or_default();
        if values.len() < length {
            values.reserve_exact(length - values.len());
            values.resize(length, 0.0);
        }
        Self { values, length }
    }
}

/// Takes the smallest that is large enough, or else the largest.
fn fitting(free: &mut Vec<Vec<f32>>, length: usize) -> Option<Vec<f32>> {
    let fits = |size: usize| if size < length { (1, usize::MAX - size) } else { (0, size) };
    let best = (0..free.len()).min_by_key(|index| fits(free[*index].len()))?;
    Some(free.swap_remove(best))
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.values);
        // A thread that ends has nothing to keep it for.
        let _ = FREE.try_with(|free| free.borrow_mut().push(values));
    }
}

impl Deref for Scratch {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values[..self.length]
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[..self.length]
    }
}
