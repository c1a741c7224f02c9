//! The distribution of a volume as a picture in a page: a dot for each scan, that leads to it.

use super::html::{color, escape};
use super::outliers::{Distribution, FAR};
use super::words::scans;
use std::fmt::Write;
use std::ops::Range;

/// Width of the picture, the least and the greatest height above its axis, and what the axis takes.
const WIDTH: f64 = 720.0;
const HEIGHT: [f64; 2] = [40.0, 110.0];
const AXIS: f64 = 24.0;
const MARGIN: f64 = 16.0;
/// Scans beyond which bars take the place of dots.
const MOST_DOTS: usize = 400;
/// Greatest diameter of a dot.
const DOT: f64 = 9.0;
/// Ticks that an axis has about.
const TICKS: f64 = 8.0;

/// One distribution as SVG; `title` says what a scan is called, by its row.
pub fn plot(of: &Distribution, title: impl Fn(usize) -> String) -> String {
    let scale = Scale::new(of);
    let (floor, marks) =
        if of.volumes.len() > MOST_DOTS { bars(of, &scale) } else { dots(of, &scale, title) };
    let (words, height) = (summary(of), floor + AXIS);
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {height:.1}\" role=\"img\" aria-label=\"{words}\">");
    if let Some([low, high]) = usual(of) {
        let (low, high) = (scale.x(low).max(0.0), scale.x(high).min(WIDTH));
        let (wide, tall) = (high - low, floor - 4.0);
        let _ = write!(
            svg,
            "<rect class=\"usual\" x=\"{low:.1}\" y=\"4\" width=\"{wide:.1}\" height=\"{tall:.1}\"/>"
        );
    }
    let middle = scale.x(of.median);
    let _ = write!(svg, "<path class=\"median\" d=\"M{middle:.1} 4V{floor:.1}\"/>");
    svg + &axis(&scale, floor) + &marks + "</svg>"
}

/// The distribution in words.
pub fn summary(of: &Distribution) -> String {
    let (first, last) = (of.volumes.first(), of.volumes.last());
    let range = first.zip(last).map_or(String::new(), |((_, a), (_, b))| format!(", {a:.2} to {b:.2} mL"));
    escape(&format!("{}: median {:.2} mL{range}, {}", of.name, of.median, scans(of.volumes.len())))
}

/// The range in which no volume stands out.
fn usual(of: &Distribution) -> Option<[f64; 2]> {
    let unit = of.score(of.median + 1.0)?;
    Some([of.median - FAR / unit, of.median + FAR / unit])
}

/// From mL to pixels.
struct Scale {
    range: Range<f64>,
}

impl Scale {
    fn new(of: &Distribution) -> Self {
        let (low, high) =
            of.volumes.iter().fold((of.median, of.median), |(low, high), (_, v)| (low.min(*v), high.max(*v)));
        let margin = ((high - low) * 0.04).max(0.02 * high.abs()).max(1e-6);
        Self { range: (low - margin).max(0.0)..high + margin }
    }

    fn x(&self, value: f64) -> f64 {
        let share = (value - self.range.start) / (self.range.end - self.range.start);
        MARGIN + share * (WIDTH - 2.0 * MARGIN)
    }
}

/// The axis, with ticks at round numbers.
fn axis(scale: &Scale, floor: f64) -> String {
    let rough = (scale.range.end - scale.range.start) / TICKS;
    let power = 10f64.powf(rough.log10().floor());
    let step = power * [1.0, 2.0, 5.0, 10.0].into_iter().find(|n| n * power >= rough).unwrap_or(10.0);
    let digits = (-step.log10().floor()).max(0.0) as usize;
    let mut svg = format!("<path class=\"axis\" d=\"M0 {floor:.1}H{}\"/>", WIDTH);
    let first = (scale.range.start / step).ceil() as i64;
    let last = (scale.range.end / step).floor() as i64;
    for tick in first..=last {
        let value = tick as f64 * step;
        let x = scale.x(value);
        let _ = write!(svg, "<path class=\"axis\" d=\"M{x:.1} {floor:.1}v4\"/>");
        let _ = write!(svg, "<text x=\"{x:.1}\" y=\"{:.1}\">{value:.digits$}</text>", floor + 17.0);
    }
    svg
}

/// A dot for each scan, those that would lie over each other stacked; and where the axis lies.
fn dots(of: &Distribution, scale: &Scale, title: impl Fn(usize) -> String) -> (f64, String) {
    let columns = ((WIDTH - 2.0 * MARGIN) / DOT) as usize;
    let column = |value: f64| ((scale.x(value) - MARGIN) / DOT).clamp(0.0, columns as f64) as usize;
    let mut heights = vec![0usize; columns + 1];
    of.volumes.iter().for_each(|(_, value)| heights[column(*value)] += 1);
    let tallest = heights.iter().copied().max().unwrap_or(1).max(1) as f64;
    let floor = (tallest * DOT + 14.0).clamp(HEIGHT[0], HEIGHT[1]);
    let pitch = DOT.min((floor - 10.0) / tallest);
    let mut svg = String::new();
    let mut filled = vec![0usize; columns + 1];
    for &(row, value) in &of.volumes {
        let at = column(value);
        let y = floor - 2.0 - pitch * (filled[at] as f64 + 0.5);
        filled[at] += 1;
        let class = if of.score(value).is_some_and(|score| score.abs() > FAR) { "dot far" } else { "dot" };
        let _ = write!(
            svg,
            "<a href=\"#s{row}\"><circle class=\"{class}\" cx=\"{:.1}\" cy=\"{y:.1}\" r=\"{:.1}\" fill=\"{}\"><title>{}: \
             {value:.2} mL</title></circle></a>",
            scale.x(value),
            (pitch / 2.0 - 0.5).max(1.5),
            color(of.color.as_deref()),
            escape(&title(row)),
        );
    }
    (floor, svg)
}

/// A bar for each range of volumes; and where the axis lies.
fn bars(of: &Distribution, scale: &Scale) -> (f64, String) {
    const BARS: usize = 60;
    let (floor, wide) = (HEIGHT[1], (WIDTH - 2.0 * MARGIN) / BARS as f64);
    let mut counts = [0usize; BARS];
    for (_, value) in &of.volumes {
        counts[(((scale.x(*value) - MARGIN) / wide).max(0.0) as usize).min(BARS - 1)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    let mut svg = String::new();
    for (bar, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let tall = (count as f64 / most as f64 * (floor - 10.0)).max(1.5);
        let _ = write!(
            svg,
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{tall:.1}\" fill=\"{}\"><title>{}</title></rect>",
            MARGIN + bar as f64 * wide,
            floor - tall,
            wide - 1.0,
            color(of.color.as_deref()),
            scans(count),
        );
    }
    (floor, svg)
}

#[cfg(test)]
mod tests {
    use super::super::outliers::distributions;
    use super::super::rows::Row;
    use super::*;

    fn drawn(count: u32) -> String {
        let rows: Vec<Row> =
            (0..count).map(|i| Row::with_volume("a<b", 1.5 + f64::from(i * 7 % 11) / 10.0)).collect();
        plot(&distributions(&rows)[0], |row| format!("scan {row}"))
    }

    #[test]
    fn each_scan_is_a_dot_and_of_many_scans_there_are_bars() {
        let few = drawn(12);
        assert_eq!(few.matches("<circle").count(), 12);
        assert!(
            few.contains("href=\"#s11\"") && few.contains("a&lt;b: median") && !few.contains("NaN"),
            "{few}"
        );
        let many = drawn(1000);
        assert!(many.matches("<circle").count() == 0 && many.matches("class=\"bar\"").count() > 5, "{many}");
    }

    #[test]
    fn a_single_volume_and_none_but_zeros_are_drawn() {
        for value in [0.0, 1.23, 1500.0] {
            let svg = plot(&distributions(&[Row::with_volume("a", value)])[0], |_| String::new());
            assert!(!svg.contains("NaN") && !svg.contains("inf") && svg.contains("<text"), "{svg}");
        }
    }
}
