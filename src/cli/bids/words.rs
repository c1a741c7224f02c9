//! Numbers in words.

/// So many scans.
pub fn scans(count: usize) -> String {
    if count == 1 { "1 scan".to_owned() } else { format!("{count} scans") }
}
