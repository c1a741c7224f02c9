//! Segments a NIfTI file with a shipped model: `segment [IN.nii.gz] [OUT.nii.gz] [MODEL]`; the repository's sample where
//! nothing is said.

use insitu_seg::{Model, Result, Volume};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let word = |index: usize, default: &str| arguments.get(index).cloned().unwrap_or(default.to_owned());
    let output = arguments.get(1).map_or(std::env::temp_dir().join("mask.nii.gz"), Into::into);

    let model = Model::open(&word(2, "hippocampus"))?;
    let volume = Volume::open(word(0, "pkg/samples/hippocampus/image.nii.gz"))?;
    let mask = model.segment(&volume)?;
    for class in &mask.classes {
        println!("{}: {:.2} mL", class.label.name, class.milliliters);
    }
    for warning in &mask.warnings {
        eprintln!("warning: {warning}");
    }
    mask.save(output, &volume)
}
