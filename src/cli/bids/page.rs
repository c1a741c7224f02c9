//! `group.html`: all scans on one page, without a script and without the network. Failed ones first, then those that stand out.

use super::html::{color, escape};
use super::outliers::{Distribution, FAR, FEWEST, Outlier};
use super::picture::SIDE;
use super::plot::{plot, summary};
use super::rows::{Row, Status, Volume};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

/// Bytes of pictures that are put into the page; those of further scans are shown from their files.
const PICTURE_BYTES: usize = 32 << 20;

const STYLE: &str = include_str!("page.css");

/// What the page shows.
pub struct Group<'a> {
    /// What the masks are.
    pub title: String,
    /// The scans.
    pub rows: &'a [Row],
    /// Their volumes.
    pub volumes: &'a [Distribution],
    /// What stands out, by row.
    pub outliers: &'a BTreeMap<usize, Vec<Outlier>>,
    /// The folder of the derivatives.
    pub folder: &'a Path,
}

/// The page.
pub fn page(group: &Group<'_>) -> String {
    let title = escape(&capitalized(&group.title));
    // Nothing is fetched, and nothing runs, whatever the texts hold.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data: file: 'self'";
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n\
         </head>\n<body>\n"
    );
    html += &head(group, &title);
    html += "<main>\n";
    html += &without_mask(group.rows);
    let mut cards = Cards { group, left: PICTURE_BYTES };
    html += &cards.section("outliers", "Outliers: look at these first", &most_outlying(group.outliers));
    html += &distributions(group);
    let others = |warned: bool| -> Vec<usize> {
        let done = |index: &usize| {
            let row = &group.rows[*index];
            row.status == Status::Done
                && row.warnings.is_empty() != warned
                && !group.outliers.contains_key(index)
        };
        (0..group.rows.len()).filter(done).collect()
    };
    html += &cards.section("warned", "With a warning", &others(true));
    html += &cards.section("others", "All others", &others(false));
    html + "</main>\n</body>\n</html>\n"
}

fn capitalized(text: &str) -> String {
    let (first, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
    first.to_uppercase() + rest
}

/// What it is, how many scans there are, and where on the page.
fn head(group: &Group<'_>, title: &str) -> String {
    let rows = group.rows;
    let count = |status: Status| rows.iter().filter(|row| row.status == status).count();
    let (done, failed, missing) = (count(Status::Done), count(Status::Failed), count(Status::Missing));
    let warned = rows.iter().filter(|row| row.status == Status::Done && !row.warnings.is_empty()).count();
    let mut html = format!("<header>\n<h1>{title}</h1>\n<ul class=\"counts\">\n");
    let facts = [
        (done, "with a mask", "#others", ""),
        (failed, "failed", "#failed", "bad"),
        (missing, "missing", "#failed", "bad"),
        (group.outliers.len(), "with outliers", "#outliers", "odd"),
        (warned, "with a warning", "#warned", "odd"),
    ];
    for (number, words, target, class) in facts.into_iter().filter(|fact| fact.0 > 0) {
        let _ = writeln!(html, "<li class=\"{class}\"><a href=\"{target}\"><b>{number}</b> {words}</a></li>");
    }
    let made_by = |value: fn(&Row) -> &Option<String>| -> BTreeSet<&str> {
        rows.iter().filter(|row| row.status == Status::Done).filter_map(|row| value(row).as_deref()).collect()
    };
    let (versions, models) = (made_by(|row| &row.version), made_by(|row| &row.model_sha256));
    let list = |set: &BTreeSet<&str>, most: usize| {
        let short: Vec<&str> = set.iter().map(|text| text.get(..most).unwrap_or(text)).collect();
        escape(&short.join(", "))
    };
    html += "</ul>\n<p class=\"notice\"><strong>Not a medical device; not for diagnosis.</strong>";
    if !versions.is_empty() {
        let _ = write!(html, " insitu {}, model {}.", list(&versions, 20), list(&models, 12));
    }
    if versions.len() > 1 || models.len() > 1 {
        html += " <strong>The masks were made by different versions: run the participant level on all scans.</strong>";
    }
    html + "</p>\n</header>\n"
}

/// Scans that have no mask, with their reasons.
fn without_mask(rows: &[Row]) -> String {
    let open: Vec<&Row> = rows.iter().filter(|row| row.status != Status::Done).collect();
    if open.is_empty() {
        return String::new();
    }
    let mut html = format!(
        "<section id=\"failed\" class=\"failed\">\n<h2>Without a mask <small>{}</small></h2>\n<div class=\"wide\"><table>\n\
         <tr><th scope=\"col\">Scan</th><th scope=\"col\">Status</th><th scope=\"col\">Reason</th></tr>\n",
        open.len()
    );
    for row in open {
        let reason = row.reason.as_deref().unwrap_or_default();
        let own = reason.strip_prefix(&format!("{}: ", row.source)).unwrap_or(reason);
        let (name, status) = (breakable(&row.source), row.status.name());
        let _ =
            writeln!(html, "<tr><th scope=\"row\">{name}</th><td>{status}</td><td>{}</td></tr>", escape(own));
    }
    html + "</table></div>\n</section>\n"
}

/// A path that may be broken after its folders.
fn breakable(path: &str) -> String {
    escape(path).replace('/', "/<wbr>")
}

/// The rows with outliers, those furthest out first.
fn most_outlying(outliers: &BTreeMap<usize, Vec<Outlier>>) -> Vec<usize> {
    let furthest = |row: &usize| outliers[row].first().map_or(0.0, |one| one.score.abs());
    let mut order: Vec<usize> = outliers.keys().copied().collect();
    order.sort_by(|a, b| furthest(b).total_cmp(&furthest(a)));
    order
}

/// All distributions of volumes.
fn distributions(group: &Group<'_>) -> String {
    if group.volumes.is_empty() {
        return String::new();
    }
    let mut html = "<section id=\"volumes\">\n<h2>Volumes in mL</h2>\n<p class=\"quiet\">A dot is a scan and leads to it; the \
                    line is the median."
        .to_owned();
    let told = group.volumes.iter().any(|of| of.score(of.median).is_some());
    let _ = if told {
        write!(
            html,
            " Volumes outside of the band stand out: more than {FAR} robust standard deviations from the median."
        )
    } else {
        write!(html, " Of fewer than {FEWEST} scans, or of equal ones, none is said to stand out.")
    };
    html += "</p>\n<div class=\"plots\">\n";
    for of in group.volumes {
        let picture = plot(of, |row| name(&group.rows[row]));
        let chip = chip(of.color.as_deref());
        let _ = writeln!(html, "<figure><figcaption>{chip}{}</figcaption>{picture}</figure>", summary(of));
    }
    html + "</div>\n</section>\n"
}

fn chip(of_label: Option<&str>) -> String {
    format!("<i style=\"background:{}\"></i>", color(of_label))
}

/// A scan as people call it: `sub-01 ses-A acq-mprage`.
fn name(row: &Row) -> String {
    let file = row.source.rsplit('/').next().unwrap_or(&row.source);
    let bare = file.split('.').next().unwrap_or(file);
    bare.replace('_', " ")
}

/// Cards of scans, and the bytes of pictures that still fit the page.
struct Cards<'a> {
    group: &'a Group<'a>,
    left: usize,
}

impl Cards<'_> {
    fn section(&mut self, id: &str, title: &str, rows: &[usize]) -> String {
        if rows.is_empty() {
            return String::new();
        }
        let cards: String = rows.iter().map(|row| self.card(*row)).collect();
        let count = rows.len();
        format!(
            "<section id=\"{id}\">\n<h2>{title} <small>{count}</small></h2>\n<div class=\"cards\">\n{cards}</div>\n</section>\n"
        )
    }

    fn card(&mut self, index: usize) -> String {
        let row = &self.group.rows[index];
        let name = escape(&name(row));
        let mut html = format!("<article id=\"s{index}\">\n<h3>{name}</h3>\n");
        if let Some(address) = row.picture.as_deref().and_then(|file| self.picture(file)) {
            let (width, height) = (3 * SIDE, SIDE);
            let _ = writeln!(
                html,
                "<img src=\"{address}\" width=\"{width}\" height=\"{height}\" loading=\"lazy\" decoding=\"async\" alt=\"Axial, \
                 coronal and sagittal slice of {name} with the outlines of its mask\">"
            );
        }
        html += "<ul class=\"labels\">\n";
        for Volume { name, color, milliliters } in &row.volumes {
            let (chip, name) = (chip(color.as_deref()), escape(name));
            let _ = writeln!(html, "<li>{chip}<span>{name}</span> <b>{milliliters:.2}</b></li>");
        }
        html += "</ul>\n";
        for Outlier { words, .. } in self.group.outliers.get(&index).into_iter().flatten() {
            let _ = writeln!(html, "<p class=\"odd\">{}</p>", escape(words));
        }
        for warning in &row.warnings {
            let _ = writeln!(html, "<p class=\"warning\">{}</p>", escape(warning));
        }
        html + "</article>\n"
    }

    /// The address of a picture: itself, or its file where the page is full.
    fn picture(&mut self, file: &str) -> Option<String> {
        let bytes = std::fs::read(self.group.folder.join(file)).ok()?;
        if bytes.len() > self.left {
            return Some(escape(file));
        }
        self.left -= bytes.len();
        Some(format!("data:image/png;base64,{}", STANDARD.encode(bytes)))
    }
}
