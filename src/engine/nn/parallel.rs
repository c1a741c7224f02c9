//! Work shared out over threads, or done one after the other where there are none (plain WebAssembly).

use crate::error::Result;

/// Additions and multiplications of a slab: a tenth of a second or so on one thread, after which a stop is heard.
const SLAB: f64 = 4e9;

/// How many threads there are.
pub fn threads() -> usize {
    #[cfg(feature = "threads")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "threads"))]
    1
}

/// `f` of each item, in order. `scratch` makes what a thread keeps from one item to the next.
pub fn map<T: Send, R: Send, S>(
    items: Vec<T>,
    scratch: impl Fn() -> S + Sync + Send,
    f: impl Fn(&mut S, T) -> R + Sync + Send,
) -> Vec<R> {
    #[cfg(feature = "threads")]
    {
        use rayon::prelude::*;
        items.into_par_iter().map_init(scratch, f).collect()
    }
    #[cfg(not(feature = "threads"))]
    {
        let mut scratch = scratch();
        items.into_iter().map(|item| f(&mut scratch, item)).collect()
    }
}

/// `f` of each item by as many at once as `cost` (of one) allows; `take` gets the results in order, and `pause` is
/// asked in between, with the share that is done.
///
/// # Errors
/// What `pause` gives.
pub fn in_slabs<T: Send, R: Send, S>(
    items: Vec<T>,
    cost: f64,
    scratch: impl Fn() -> S + Sync + Send,
    f: impl Fn(&mut S, T) -> R + Sync + Send,
    mut take: impl FnMut(R),
    pause: &mut dyn FnMut(f64) -> Result<()>,
) -> Result<()> {
    let threads = threads();
    let at_once = ((SLAB / cost) as usize).max(1) * threads;
    let total = items.len();
    let mut items = items.into_iter();
    loop {
        let slab: Vec<T> = items.by_ref().take(at_once).collect();
        if slab.is_empty() {
            return Ok(());
        }
        map(slab, &scratch, &f).into_iter().for_each(&mut take);
        pause((total - items.len()) as f64 / total as f64)?;
    }
}
