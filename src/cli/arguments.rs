//! Arguments that several commands take.

use clap::{Args, ValueEnum};
use insitu_seg::card::Stage;
use insitu_seg::{Backend, Limits};

/// Which network of a model.
#[derive(Clone, Copy, ValueEnum)]
pub enum StageName {
    Whole,
    Patch,
}

impl From<StageName> for Stage {
    fn from(name: StageName) -> Self {
        match name {
            StageName::Whole => Self::Whole,
            StageName::Patch => Self::Patch,
        }
    }
}

/// What computes.
#[derive(Clone, Copy, ValueEnum)]
pub enum BackendName {
    /// A GPU if there is a real one, else the CPU
    Auto,
    /// The CPU
    Cpu,
    /// A GPU, or an error
    Gpu,
}

impl From<BackendName> for Backend {
    fn from(name: BackendName) -> Self {
        match name {
            BackendName::Auto => Self::Auto,
            BackendName::Cpu => Self::Cpu,
            BackendName::Gpu => Self::Gpu,
        }
    }
}

/// The memory budget, of the commands that read one image at a time.
#[derive(Args)]
pub struct Budget {
    /// Refuse volumes that are larger than this when decoded, in MiB
    #[arg(long, default_value_t = Limits::default().bytes >> 20)]
    limit: u64,
}

impl Budget {
    /// As a library limit.
    pub fn limits(&self) -> Limits {
        Limits { bytes: self.limit.saturating_mul(1 << 20) }
    }
}
