//! Segments a NIfTI file with a shipped model: `segment IN.nii.gz OUT.nii.gz [MODEL]`.

use insitu_seg::{Error, Model, Result, Volume};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (input, output, model) = match &arguments[..] {
        [input, output] => (input, output, "hippocampus"),
        [input, output, model] => (input, output, model.as_str()),
        _ => return Err(Error::argument("arguments", arguments.len().to_string(), "IN OUT [MODEL]")),
    };
    let model = Model::open(model)?;
    let volume = Volume::open(input)?;
    let mask = model.segment(&volume)?;
    for class in &mask.classes {
        println!("{}: {:.2} mL", class.label.name, class.milliliters);
    }
    for warning in &mask.warnings {
        eprintln!("warning: {warning}");
    }
    mask.save(output, &volume)
}
