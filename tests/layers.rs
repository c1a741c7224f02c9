//! The shape of the source, held: modules import in one direction, functions fit a screen, files are one thing.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "layers/imports.rs"]
mod imports;
#[path = "layers/sizes.rs"]
mod sizes;

use imports::{Source, cycles};
use std::fs;
use std::path::{Path, PathBuf};

/// The most lines of a function, from its name to its closing brace.
const FUNCTION_LINES: usize = 60;
/// The most lines of a file.
const FILE_LINES: usize = 320;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder of the checkout, with its path from the checkout's root.
fn rust_files(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<Source> {
    rust_files("src").iter().map(|(path, text)| Source::new(path, text)).collect()
}

#[test]
fn modules_import_in_one_direction() {
    let sources = sources();
    assert!(sources.len() > 50, "found {} files in src", sources.len());
    let found = cycles(&sources);
    assert!(found.is_empty(), "{} cycles of imports:\n{}", found.len(), found.join("\n"));
}

#[test]
fn an_import_against_the_direction_is_found() {
    let mut sources = sources();
    let position = sources.iter().position(|source| source.module == ["lib", "error"]).unwrap();
    let text = fs::read_to_string(root().join("src/error.rs")).unwrap();
    let against = format!("{text}\nuse crate::grid::Grid;\n");
    sources[position] = Source::new(Path::new("src/error.rs"), &against);
    let found = cycles(&sources);
    assert!(found.iter().any(|cycle| cycle.contains("lib::error -> lib::grid")), "{found:?}");
}

#[test]
fn every_form_of_an_import_is_seen() {
    let forms = [
        "use crate::b::B;",
        "use crate::{b::{self, B}};",
        "fn f() -> crate::b::B { todo!() }",
        "fn f() { let _ = super::b::B; }",
        "fn f() { println!(\"{}\", crate::b::B); }",
        "mod inner { use super::super::b::B; }",
        "pub use super::b::*;",
        "impl crate::b::T for () {}",
    ];
    for form in forms {
        let (a, b) = (
            Source::new(Path::new("src/a.rs"), form),
            Source::new(Path::new("src/b.rs"), "use crate::a::A;"),
        );
        assert_eq!(cycles(&[a, b]).len(), 1, "{form}");
    }
    let tested = "#[cfg(test)] mod tests { use crate::b::B; }";
    let (a, b) =
        (Source::new(Path::new("src/a.rs"), tested), Source::new(Path::new("src/b.rs"), "use crate::a::A;"));
    assert!(cycles(&[a, b]).is_empty(), "tests may import whatever they test");
}

#[test]
fn a_child_that_imports_from_the_parent_that_imports_it_is_a_cycle() {
    let parent = Source::new(Path::new("src/a.rs"), "mod child; pub use child::Child; pub struct Parent;");
    let child = Source::new(Path::new("src/a/child.rs"), "use super::Parent; pub struct Child;");
    assert_eq!(cycles(&[parent, child]).len(), 1);
}

#[test]
fn functions_fit_a_screen() {
    let folders = ["src", "tests", "benches", "examples"];
    let files: Vec<_> = folders.into_iter().flat_map(rust_files).collect();
    let long: Vec<String> =
        files.iter().flat_map(|(path, text)| sizes::long_functions(path, text, FUNCTION_LINES)).collect();
    assert!(long.is_empty(), "{} functions over {FUNCTION_LINES} lines:\n{}", long.len(), long.join("\n"));
}

#[test]
fn files_are_one_thing() {
    let folders = ["src", "tests", "benches", "examples"];
    let lines = |text: &str| text.lines().count();
    let files = folders.into_iter().flat_map(rust_files).filter(|(_, text)| lines(text) > FILE_LINES);
    let long: Vec<String> =
        files.map(|(path, text)| format!("  {}: {} lines", path.display(), lines(&text))).collect();
    assert!(long.is_empty(), "{} files over {FILE_LINES} lines:\n{}", long.len(), long.join("\n"));
}
