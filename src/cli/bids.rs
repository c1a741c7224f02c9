//! `insitu bids`: a data set in BIDS form in, its derivatives out.
//!
//! ```text
//! dataset  which images there are   name  what BIDS names say       record  what was made of an image, and of what
//! participant   image -> outputs (mask, sidecars, picture, record at last), unless they are current
//! group         records -> rows -> table (group.tsv), page (group.html: outliers, plot)
//! ```

mod arguments;
mod command;
mod dataset;
mod derivative;
mod group;
mod html;
mod name;
mod outliers;
mod page;
mod participant;
mod picture;
mod plot;
mod record;
mod rows;
mod sidecars;
mod table;
mod words;

pub use arguments::Arguments;
pub use command::run;
