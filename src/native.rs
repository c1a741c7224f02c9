//! For programs on a computer of their own: models by name or folder, calls that block, files that are written whole.

mod model_folder;
mod model_options;
mod output;

pub use model_folder::{ModelFiles, installed_models, model_folder, read_card};
pub use model_options::ModelOptions;
pub use output::{create_folder, parent_folder, read_file, remove_unfinished, save_weights, write_file};
