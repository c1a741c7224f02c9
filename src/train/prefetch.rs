//! Prepares the samples of the next steps while the current step runs.

use std::ops::Range;

/// Number of steps that are prepared ahead.
#[cfg(not(target_arch = "wasm32"))]
const AHEAD: usize = 2;

/// An iterator over one item per step. Natively a thread makes the items ahead of their use; in wasm each is made when it
/// is asked for.
pub struct Prefetch<T> {
    #[cfg(not(target_arch = "wasm32"))]
    items: std::sync::mpsc::Receiver<T>,
    #[cfg(not(target_arch = "wasm32"))]
    worker: Option<std::thread::JoinHandle<()>>,
    #[cfg(target_arch = "wasm32")]
    steps: Range<usize>,
    #[cfg(target_arch = "wasm32")]
    make: Box<dyn FnMut(usize) -> T>,
}

impl<T: Send + 'static> Prefetch<T> {
    /// Items made by `make` from each of the `steps`. When it is dropped, the thread ends after its current step.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn new(steps: Range<usize>, mut make: impl FnMut(usize) -> T + Send + 'static) -> Self {
        // One item more waits in the worker.
        let (sender, items) = std::sync::mpsc::sync_channel(AHEAD - 1);
        let worker = std::thread::spawn(move || {
            for step in steps {
                if sender.send(make(step)).is_err() {
                    return;
                }
            }
        });
        Self { items, worker: Some(worker) }
    }

    /// Items made by `make` from each of the `steps`.
    #[cfg(target_arch = "wasm32")]
    pub fn new(steps: Range<usize>, make: impl FnMut(usize) -> T + Send + 'static) -> Self {
        Self { steps, make: Box::new(make) }
    }
}

impl<T> Iterator for Prefetch<T> {
    type Item = T;

    #[cfg(not(target_arch = "wasm32"))]
    fn next(&mut self) -> Option<T> {
        let next = self.items.recv().ok();
        if next.is_none()
            && let Some(worker) = self.worker.take()
            && let Err(panic) = worker.join()
        {
            // A worker that panicked must not look like the end of the steps.
            std::panic::resume_unwind(panic);
        }
        next
    }

    #[cfg(target_arch = "wasm32")]
    fn next(&mut self) -> Option<T> {
        self.steps.next().map(&mut self.make)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn steps_come_in_order_and_none_is_missing() {
        assert_eq!(
            Prefetch::new(3..40, |step| step * step).collect::<Vec<_>>(),
            (3..40).map(|s| s * s).collect::<Vec<_>>()
        );
    }

    #[test]
    fn only_a_few_are_made_ahead_and_a_drop_ends_it() {
        let made = Arc::new(AtomicUsize::new(0));
        let count = made.clone();
        let mut steps = Prefetch::new(0..1000, move |_| count.fetch_add(1, Ordering::SeqCst));
        steps.next();
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(made.load(Ordering::SeqCst) <= 2 + AHEAD);
        drop(steps);
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(made.load(Ordering::SeqCst) <= 2 + AHEAD);
    }

    #[test]
    #[should_panic(expected = "step 2")]
    fn a_panic_of_the_worker_is_passed_on() {
        Prefetch::new(0..5, |step| assert!(step < 2, "step {step}")).for_each(drop);
    }
}
