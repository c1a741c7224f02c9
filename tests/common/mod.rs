//! What the integration tests share.

use std::path::{Path, PathBuf};

/// A file or folder of the data beside the checkout; without it, says so and returns `None`.
pub fn shared(path: &str) -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let found = data.join(path);
    if found.exists() {
        return Some(found);
    }
    let missing = if data.exists() { format!("../shared/data/{path}") } else { "../shared/data".into() };
    eprintln!("not run: {missing} is not here");
    None
}
