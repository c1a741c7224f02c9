//! A test that cannot run says so where it can be read, and fails where it has to run.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::process::{Command, Output};

/// The test that is run, or not, below.
#[test]
fn the_data_is_where_it_is_said_to_be() {
    let Some(folder) = common::shared("README.md") else { return };
    assert!(folder.is_file());
}

/// The test above in a process of its own, without the data, and what it wrote to `INSITU_NOT_RUN`.
fn without_data(require: &str) -> (Output, Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("not-run.txt");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_data_is_where_it_is_said_to_be", "--test-threads", "2"])
        .env("INSITU_DATA", folder.path().join("nowhere"))
        .env("INSITU_NOT_RUN", &list)
        .env("INSITU_REQUIRE", require)
        .output()
        .unwrap();
    (output, std::fs::read_to_string(list).ok())
}

#[test]
fn a_test_without_its_data_says_so_past_the_harness_and_in_the_list() {
    for require in ["", "gpu", "python, browser"] {
        let (output, list) = without_data(require);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let line = "not_run::the_data_is_where_it_is_said_to_be: there is no ../shared/data";
        assert!(told.contains(&format!("not run: {line}")), "{told}");
        assert_eq!(list, Some(format!("data\t{}\n", line.replacen(": ", "\t", 1))));
    }
}

#[test]
fn a_test_without_its_data_fails_where_data_is_required() {
    for require in ["data", "gpu,python, data"] {
        let (output, list) = without_data(require);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!output.status.success(), "{require}");
        assert!(told.contains("not run, but INSITU_REQUIRE lists data"), "{told}");
        assert_eq!(list, None);
    }
}

#[test]
fn a_need_that_nobody_knows_is_refused() {
    let (output, _) = without_data("date");
    assert!(!output.status.success());
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("found Some(\"date\"), expected gpu, python, data")
    );
}

/// A line of a test that leaves it early has to be one that asks `common` for what it needs.
#[test]
fn no_test_leaves_early_without_saying_why() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let asks = ["common::shared(", "common::python(", "= open(", "= gpu()"];
    let mut found = Vec::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.extension().is_none_or(|extension| extension != "rs") || path.ends_with("not_run.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let leaves = line.contains("else { return }") || line.contains("else { return Ok(()) }");
            let leaves = leaves || ["return;", "return Ok(());"].contains(&line.trim());
            if leaves && !asks.iter().any(|ask| line.contains(ask)) {
                found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "these say nothing:\n{}", found.join("\n"));
}
