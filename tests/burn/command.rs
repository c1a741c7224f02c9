//! `--device` of the command, on burn's CPU: the same folder, log and state as with our kernels.

#[path = "../common/balls.rs"]
mod balls;

use balls::{done, insitu, task};

#[test]
fn the_command_trains_by_burn_and_goes_on_with_our_kernels() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    task(folder.path());
    let (data, model, log) = (path(""), path("balls"), path("log.csv"));
    let fixed = ["train", "--data", &data, "--model", &model, "--log", &log, "--base", "2"];
    let train = |device: &str, steps: &str, more: &[&str]| {
        let own = ["--stage", "patch", "--device", device, "--steps", steps];
        done(&[&fixed[..], &own, more].concat());
    };
    train("flex", "6", &[]);
    train("flex,flex", "9", &["--resume", "--precision", "bf16"]);
    train("cpu", "12", &["--resume"]);
    let steps: Vec<String> =
        std::fs::read_to_string(&log).unwrap().lines().skip(1).map(str::to_owned).collect();
    let steps: Vec<usize> =
        steps.iter().map(|line| line.split(',').nth(1).unwrap().parse().unwrap()).collect();
    assert_eq!(steps, [6, 9, 12]);
}

#[test]
fn a_device_that_is_not_there_is_refused_in_a_sentence() {
    let bench = ["bench", "--base", "2", "--size", "8", "8", "8"];
    for (more, expected) in [
        (&["--device", "cuda:99"][..], "--device: found"),
        (
            &["--device", "tpu"],
            "expected auto, cpu, wgpu, cuda, cuda:N, rocm or rocm:N, or several of one kind",
        ),
        (&["--device", "cpu", "--precision", "bf16"], "--precision: found bf16, expected f32"),
    ] {
        let run = insitu(&[&bench[..], more].concat());
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(!run.status.success() && said.contains(expected), "{more:?}: {said}");
    }
    done(&[&bench[..], &["--device", "flex", "--train"]].concat());
}
