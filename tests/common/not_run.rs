//! What a test does where it cannot run: it says so, and fails where it has to run.
//!
//! Every test that is not run adds a line, `kind<TAB>test<TAB>why`, to the file that `INSITU_NOT_RUN` names (`npm test`
//! lists them in its summary) and prints it past the test harness, which hides what passing tests print.
//! `INSITU_REQUIRE=gpu,python,data`, or any part of it, makes such tests fail instead. The tests of the package have the
//! same in `tests/not-run.mjs`.

use std::fmt::Display;
use std::io::Write;

/// What a test may find missing on a machine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The folder `../shared/data`, or `INSITU_DATA`.
    Data,
    /// A Python with the modules that the test names.
    Python,
    /// A GPU adapter, real or emulated.
    Gpu,
    /// Something that only some systems tell or have.
    Machine,
}

impl Need {
    const ALL: [Self; 4] = [Self::Data, Self::Python, Self::Gpu, Self::Machine];

    /// Its name in `INSITU_REQUIRE`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Python => "python",
            Self::Gpu => "gpu",
            Self::Machine => "machine",
        }
    }

    /// Whether `INSITU_REQUIRE` lists it. Names of other test suites (`browser`, `build`) are theirs to judge.
    fn is_required(self) -> bool {
        const OTHERS: [&str; 3] = ["browser", "build", "network"];
        let list = std::env::var("INSITU_REQUIRE").unwrap_or_default();
        let names = || list.split(',').map(str::trim).filter(|name| !name.is_empty());
        let known = |name: &str| OTHERS.contains(&name) || Self::ALL.iter().any(|need| need.name() == name);
        let unknown = names().find(|name| !known(name));
        assert!(
            unknown.is_none(),
            "INSITU_REQUIRE: found {unknown:?}, expected gpu, python, data, browser, build, machine"
        );
        names().any(|name| name == self.name())
    }
}

/// Records that the running test, or a part of it, cannot run here.
///
/// # Panics
///
/// Where `INSITU_REQUIRE` lists the need.
pub fn not_run(need: Need, why: &dyn Display) {
    let thread = std::thread::current();
    let test = match thread.name() {
        Some(name) if name != "main" => format!("{}::{name}", env!("CARGO_CRATE_NAME")),
        _ => env!("CARGO_CRATE_NAME").to_owned(),
    };
    assert!(!need.is_required(), "not run, but INSITU_REQUIRE lists {}: {why}", need.name());
    // Not by `eprintln!`, which the harness captures.
    let _ = writeln!(std::io::stderr(), "not run: {test}: {why}");
    if let Ok(path) = std::env::var("INSITU_NOT_RUN") {
        let why = why.to_string().replace(['\n', '\t'], " ");
        let line = format!("{}\t{test}\t{why}\n", need.name());
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| file.write_all(line.as_bytes())).unwrap();
    }
}
