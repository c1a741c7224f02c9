//! `insitu tune`: improves a model by annotated cases, or leaves it as it is.

use super::arguments::Budget;
use super::device::DeviceArguments;
use super::evaluate::find_images;
use super::folder::copy_tuned;
use super::output::{print_line, progress_bar, stop_on_ctrl_c};
use clap::{Args, ValueEnum};
use insitu_seg::engine::compute::Compute;
use insitu_seg::native::{ModelFiles, write_file};
use insitu_seg::tune::{
    self, AnnotatedCase, ModelWeights, Scope, TuneConfig, TuneOutcome, TuneProgress, Verdict, WeightDelta,
};
use insitu_seg::{Error, Result, Volume, VolumeFile, open_path};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

/// Exit status where the tuned weights were refused.
const REFUSED: u8 = 3;

#[derive(Clone, Copy, ValueEnum)]
enum ScopeName {
    /// The last convolutions
    Head,
    /// Those and the way up, and every normalisation
    Decoder,
    /// All
    All,
}

/// Arguments of `insitu tune`.
#[derive(Args)]
pub struct Arguments {
    /// A model's folder, the name of a shipped model, or a file of tuned weights
    #[arg(long, default_value = "hippocampus")]
    model: String,
    /// Folder of the images
    #[arg(long)]
    images: PathBuf,
    /// Folder of their labels, under the same file names; 255 is "not annotated"
    #[arg(long)]
    labels: PathBuf,
    /// The tuned model's folder
    #[arg(long)]
    out: PathBuf,
    /// Train for so many minutes at most (5 where neither minutes nor steps are said)
    #[arg(long)]
    minutes: Option<f64>,
    /// Train for so many steps at most
    #[arg(long)]
    steps: Option<usize>,
    /// What learns: decoder by default, all where the images are unlike those that the model knows
    #[arg(long)]
    scope: Option<ScopeName>,
    /// Seed of all random draws
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Largest learning rate
    #[arg(long)]
    rate: Option<f64>,
    /// Weight of what nobody annotated, where the old masks are to be kept
    #[arg(long)]
    keep: Option<f64>,
    /// What the Dice on the held-out annotations must gain at least (0.005 where nothing is said)
    #[arg(long)]
    min_gain: Option<f64>,
    /// What the Dice of the reference case may fall at most (0.02 where nothing is said)
    #[arg(long)]
    max_fall: Option<f64>,
    /// The least agreement of the annotations with the old masks, of images that the model knows
    #[arg(long)]
    min_agreement: Option<f64>,
    /// Keep the tuned model as a variant of your own, under this name, where your images gain clearly and only the model's
    /// reference case falls
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// Where the tuned model is refused, write its weights into this file all the same, to be looked at
    #[arg(long, value_name = "FILE")]
    save_refused: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArguments,
    /// What was done, as JSON
    #[arg(long)]
    report: Option<PathBuf>,
    #[command(flatten)]
    budget: Budget,
}

/// Tunes, and writes the tuned model if it is accepted.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let config = config(arguments)?;
    let source = ModelFiles::find(&arguments.model)?;
    if std::fs::canonicalize(&arguments.out)
        .is_ok_and(|out| Some(out) == std::fs::canonicalize(&source.folder).ok())
    {
        let found = format!("{}, the model itself", arguments.out.display());
        return Err(Error::argument("--out", found, "another folder, so that the model is kept"));
    }
    let base = ModelWeights::load(source.card.clone(), |name| source.read(name))?;
    let cases = cases(arguments, &base)?;
    let reference = reference(&source)?;
    for case in cases.iter().filter(|case| case.out_of_distribution.is_some()) {
        let why = case.out_of_distribution.as_deref().unwrap_or_default();
        eprintln!(
            "insitu: {}: warning: {}",
            case.name,
            insitu_seg::predict::out_of_distribution_warning(why)
        );
    }
    let compute = arguments.device.open()?;
    let TuneOutcome { report, tuned, refused } =
        tune_with_bar(&base, &cases, reference.as_ref(), &config, &compute)?;
    if let Some(path) = &arguments.report {
        write_file(path, format!("{:#}\n", report.value()?).as_bytes())?;
    }
    eprintln!("insitu: {}", report.reason);
    let is_accepted = tuned.is_some();
    let Some((tuned, delta)) = tuned.or(refused) else { return Ok(ExitCode::from(REFUSED)) };
    let mut delta = match &source.origin {
        Some((origin, earlier)) => delta.onto(origin, &tuned, Some(earlier))?,
        None => delta,
    };
    if !is_accepted {
        match (&arguments.variant, report.verdict) {
            (Some(name), Verdict::Variant) => delta = delta.kept_as_variant(name)?,
            (_, verdict) => return refuse(arguments, &delta, verdict),
        }
    }
    let (origin, card) =
        (source.origin.as_ref().map_or(&base, |(origin, _)| origin), tuned.card.name.clone());
    let mut tuned = delta.apply(origin)?;
    tuned.card.name = card;
    copy_tuned(&source, tuned, &delta, &arguments.out)?;
    print_line(&arguments.out.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// Leaves the model as it is; the refused weights are written where that was asked for.
fn refuse(arguments: &Arguments, delta: &WeightDelta, verdict: Verdict) -> Result<ExitCode> {
    if verdict == Verdict::Variant {
        eprintln!("insitu: to keep it as a variant of your own, give it a name: --variant NAME");
    }
    if let Some(path) = &arguments.save_refused {
        write_file(path, &delta.write()?)?;
        print_line(&path.display().to_string())?;
    }
    Ok(ExitCode::from(REFUSED))
}

/// Tunes with a progress bar. Ctrl-C cancels, and nothing is written.
fn tune_with_bar(
    base: &ModelWeights,
    cases: &[AnnotatedCase],
    reference: Option<&AnnotatedCase>,
    config: &TuneConfig,
    compute: &Compute,
) -> Result<TuneOutcome> {
    let stop = stop_on_ctrl_c();
    let bar = progress_bar(1000, "{msg} [{bar:30}] {percent}%");
    let mut watch = |progress: TuneProgress| {
        let TuneProgress { phase, step, spent, seconds_left, loss, validation_dice } = progress;
        let number = |name: &str, value: Option<f64>, digits: usize| {
            value.map_or(String::new(), |value| format!(", {name} {value:.digits$}"))
        };
        let left = number("seconds left", seconds_left, 0);
        let (loss, check) = (number("loss", loss, 3), number("held-out Dice", validation_dice, 4));
        bar.set_message(format!("{:6} step {step}{loss}{check}{left}", phase.name()));
        bar.set_position((spent * 1000.0) as u64);
        if stop.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let outcome = pollster::block_on(tune::tune(base, cases, reference, config, compute, &mut watch));
    bar.finish_and_clear();
    outcome
}

fn config(arguments: &Arguments) -> Result<TuneConfig> {
    let mut config = TuneConfig::default();
    config.scope = arguments.scope.map(|name| match name {
        ScopeName::Head => Scope::Head,
        ScopeName::Decoder => Scope::Decoder,
        ScopeName::All => Scope::All,
    });
    (config.steps, config.minutes) = (arguments.steps, arguments.minutes);
    (config.rate, config.seed) = (arguments.rate, arguments.seed);
    config.keep_weight = arguments.keep.unwrap_or(config.keep_weight);
    let bounds = &mut config.bounds;
    bounds.gain = arguments.min_gain.unwrap_or(bounds.gain);
    bounds.fall = arguments.max_fall.unwrap_or(bounds.fall);
    bounds.agreement = arguments.min_agreement.unwrap_or(bounds.agreement);
    config.check()?;
    Ok(config)
}

/// Every image that has labels of the same name.
fn cases(arguments: &Arguments, base: &ModelWeights) -> Result<Vec<AnnotatedCase>> {
    let (images, labels) = (find_images(&arguments.images)?, find_images(&arguments.labels)?);
    let without: Vec<&String> = images.keys().filter(|case| !labels.contains_key(*case)).collect();
    if !without.is_empty() && without.len() < images.len() {
        eprintln!(
            "insitu: warning: {} of {} images have no labels and teach nothing",
            without.len(),
            images.len()
        );
    }
    let mut cases = Vec::new();
    for (name, image, labels) in
        images.iter().filter_map(|(name, image)| Some((name, image, labels.get(name)?)))
    {
        let volume = open_path(image, &arguments.budget.limits()).and_then(VolumeFile::read);
        let volume = volume.map_err(|error| error.of_file(image))?;
        let labels = Volume::open(labels)?;
        cases.push(AnnotatedCase::of_files(name, &volume, &labels, &base.card)?);
    }
    if cases.is_empty() {
        let found = format!("no file that is named as one of {}", arguments.images.display());
        let expected = "labels under the file names of their images";
        return Err(Error::argument(arguments.labels.display().to_string(), found, expected));
    }
    Ok(cases)
}

/// The case on which the model must not get worse, if it has one.
fn reference(files: &ModelFiles) -> Result<Option<AnnotatedCase>> {
    let Some(reference) = &files.card.reference else { return Ok(None) };
    let named = |file: &insitu_seg::card::FileRef| {
        let bytes = files.read(&file.file)?;
        file.check(&bytes)?;
        insitu_seg::read_volume(&bytes, &insitu_seg::Limits::default())
    };
    let (image, labels) = (named(&reference.image)?, named(&reference.labels)?);
    AnnotatedCase::of_files("reference case", &image, &labels, &files.card).map(Some)
}
