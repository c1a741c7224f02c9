//! The buffers of a plan: which are there, which are free, how large they ever were together.

use super::list::{Command, Plan};

/// A list under way, with its buffers.
#[derive(Debug, Default)]
pub struct Buffers {
    /// What is listed so far.
    pub plan: Plan,
    /// Bytes of every buffer ever made; 0 when dropped.
    sizes: Vec<u64>,
    free: Vec<usize>,
    /// Bytes beyond which free buffers are dropped before a new one is made.
    budget: u64,
    /// Whether any free buffer that is large enough will do, or only one that is about as large.
    loose: bool,
}

impl Buffers {
    /// None yet; free ones are dropped where all would exceed `budget`.
    pub fn within(budget: u64) -> Self {
        Self { budget, ..Self::default() }
    }

    /// None yet; all stay for the next run of the list, so a small need is met by a large one that is free.
    pub fn kept() -> Self {
        Self { budget: u64::MAX, loose: true, ..Self::default() }
    }

    /// A buffer: one that is free and fits, or a new one.
    pub fn acquire(&mut self, bytes: u64) -> usize {
        let bytes = bytes.next_multiple_of(256).max(256);
        let most = if self.loose { u64::MAX } else { bytes + bytes / 4 };
        let fits = |&&at: &&usize| (bytes..=most).contains(&self.sizes[at]);
        if let Some(&buffer) = self.free.iter().filter(fits).min_by_key(|&&at| self.sizes[at]) {
            self.free.retain(|&at| at != buffer);
            return buffer;
        }
        if self.sizes.iter().sum::<u64>() + bytes > self.budget {
            for buffer in std::mem::take(&mut self.free) {
                self.sizes[buffer] = 0;
                self.push(Command::Drop { buffer });
            }
        }
        self.sizes.push(bytes);
        let buffer = self.sizes.len() - 1;
        self.push(Command::Create { buffer, bytes });
        self.plan.peak = self.plan.peak.max(self.sizes.iter().sum());
        buffer
    }

    /// Releases a buffer, to be acquired again.
    pub fn release(&mut self, buffer: usize) {
        self.free.push(buffer);
    }

    /// Lists one thing more.
    pub fn push(&mut self, op: Command) {
        if let Command::Dispatch { flops, .. } = &op {
            self.plan.flops += flops;
        }
        self.plan.ops.push(op);
    }
}
