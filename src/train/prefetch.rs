//! What the next steps need, made while the step at hand runs.

use std::ops::Range;

/// How many steps are made ahead.
#[cfg(not(target_arch = "wasm32"))]
const AHEAD: usize = 2;

/// Something for each step, in order. Natively a thread makes it ahead of its use; in wasm it is made when it is asked
/// for.
pub struct Prefetch<T> {
    #[cfg(not(target_arch = "wasm32"))]
    made: std::sync::mpsc::Receiver<T>,
    #[cfg(not(target_arch = "wasm32"))]
    maker: Option<std::thread::JoinHandle<()>>,
    #[cfg(target_arch = "wasm32")]
    steps: Range<usize>,
    #[cfg(target_arch = "wasm32")]
    make: Box<dyn FnMut(usize) -> T>,
}

impl<T: Send + 'static> Prefetch<T> {
    /// What `make` makes of each of the `steps`. Dropping it ends the thread after the step that it is at.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn new(steps: Range<usize>, mut make: impl FnMut(usize) -> T + Send + 'static) -> Self {
        let (sender, made) = std::sync::mpsc::sync_channel(AHEAD - 1); // and one in the maker's hand
        let maker = std::thread::spawn(move || {
            for step in steps {
                if sender.send(make(step)).is_err() {
                    return;
                }
            }
        });
        Self { made, maker: Some(maker) }
    }

    /// What `make` makes of each of the `steps`.
    #[cfg(target_arch = "wasm32")]
    pub fn new(steps: Range<usize>, make: impl FnMut(usize) -> T + Send + 'static) -> Self {
        Self { steps, make: Box::new(make) }
    }
}

impl<T> Iterator for Prefetch<T> {
    type Item = T;

    #[cfg(not(target_arch = "wasm32"))]
    fn next(&mut self) -> Option<T> {
        let next = self.made.recv().ok();
        if next.is_none()
            && let Some(maker) = self.maker.take()
            && let Err(panic) = maker.join()
        {
            // A maker that broke down must not look like the end of the steps.
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
    fn a_maker_that_breaks_down_is_heard() {
        Prefetch::new(0..5, |step| assert!(step < 2, "step {step}")).for_each(drop);
    }
}
