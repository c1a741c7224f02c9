//! What is said in several places is the same everywhere: the version, and the commands that documents name.
#![cfg(not(feature = "net"))] // of the pure core, and run there
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The rest of the first line that begins with `start`, after spaces.
fn after<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.trim_start().strip_prefix(start))
}

#[test]
fn the_version_of_cargo_is_the_one_everywhere() {
    let package = read("pkg/package.json");
    assert_eq!(
        after(&package, "\"version\": "),
        Some(format!("\"{VERSION}\",").as_str()),
        "pkg/package.json"
    );
    let citation = read("CITATION.cff");
    assert_eq!(after(&citation, "version: "), Some(VERSION), "CITATION.cff");
    let changes = read("CHANGELOG.md");
    let newest =
        changes.lines().find(|line| line.starts_with("## ") && !line.contains("Unreleased")).unwrap();
    let date = newest.strip_prefix(&format!("## {VERSION} (")).and_then(|rest| rest.strip_suffix(')'));
    let released =
        date.unwrap_or_else(|| panic!("CHANGELOG.md: found {newest}, expected ## {VERSION} (a date)"));
    assert_eq!(after(&citation, "date-released: "), Some(released), "CITATION.cff");
}

#[test]
fn what_writes_the_modules_is_of_the_version_of_wasm_bindgen_that_they_are_built_with() {
    let crates = read("Cargo.toml");
    let wanted = after(&crates, "wasm-bindgen = ").and_then(|rest| rest.split('"').nth(1)).unwrap();
    assert!(wanted.starts_with('='), "Cargo.toml: found {wanted}, expected an exact version");
    let tool = read("scripts/bindgen/Cargo.toml");
    let found = after(&tool, "wasm-bindgen-cli-support = ").map(|rest| rest.trim_matches('"'));
    assert_eq!(found, Some(wanted), "scripts/bindgen/Cargo.toml");
}

#[test]
fn commands_that_documents_and_workflows_name_exist() {
    let scripts = read("package.json");
    let mut documents: Vec<PathBuf> = Vec::new();
    for folder in ["", "docs", ".github", ".github/workflows"] {
        let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        documents
            .extend(entries.filter(|path| path.extension().is_some_and(|end| end == "md" || end == "yml")));
    }
    let mut found = 0;
    for path in documents {
        let text = fs::read_to_string(&path).unwrap();
        for part in text.split("npm run ").skip(1) {
            let is_name = |c: &char| c.is_ascii_alphanumeric() || [':', '-'].contains(c);
            let name: String = part.chars().take_while(is_name).collect();
            let exists = scripts.contains(&format!("\"{name}\": "));
            assert!(exists, "{}: there is no `npm run {name}`", path.display());
            found += 1;
        }
    }
    assert!(found > 10, "{found} commands");
}
