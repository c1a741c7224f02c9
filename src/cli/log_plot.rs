//! The log of a training run as a plot: loss, Dice of each label and learning rate, one below the other.

use insitu_seg::{Error, Result};
use plotters::prelude::*;
use std::ops::Range;

/// Width and height in pixels.
const SIZE: (u32, u32) = (900, 900);
/// Colours that the colour-blind can tell apart (Okabe and Ito), dark enough for lines on white.
const COLORS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];

/// A curve with one point per epoch.
struct Curve {
    name: String,
    points: Vec<(f64, f64)>,
}

/// The last run in the text of a log as SVG.
pub fn plot_log(log: &str) -> Result<String> {
    let curves = curves(log);
    let mut svg = String::new();
    draw(&mut svg, &curves)
        .map_err(|error| Error::argument("plot of the log", error, "numbers that can be drawn"))?;
    Ok(svg)
}

/// The columns of the last run as curves over steps.
fn curves(log: &str) -> Vec<Curve> {
    let start = log.rfind("epoch,").unwrap_or(0);
    let mut rows = log[start..].lines().map(|line| line.split(','));
    let names = rows.next().into_iter().flatten().skip(3);
    let mut curves: Vec<Curve> =
        names.map(|name| Curve { name: name.replace('_', " "), points: Vec::new() }).collect();
    for row in rows {
        let numbers: Vec<f64> = row.map(|cell| cell.parse().unwrap_or(f64::NAN)).collect();
        let Some((&steps, values)) = numbers.get(1).zip(numbers.get(3..)) else { continue };
        for (curve, &value) in curves.iter_mut().zip(values).filter(|(_, value)| value.is_finite()) {
            curve.points.push((steps, value));
        }
    }
    curves
}

fn draw(svg: &mut String, curves: &[Curve]) -> std::result::Result<(), String> {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE).map_err(|error| error.to_string())?;
    let panels = root.split_evenly((3, 1));
    let named = |wanted: fn(&str) -> bool| curves.iter().filter(move |curve| wanted(&curve.name)).collect();
    let parts: [(&str, Vec<&Curve>); 3] = [
        ("loss", named(|name| name.ends_with("loss"))),
        ("Dice of the validation cases", named(|name| name.contains("dice"))),
        ("learning rate", named(|name| name == "rate")),
    ];
    for (panel, (title, curves)) in panels.iter().zip(&parts) {
        plot(panel, title, curves).map_err(|error| error.to_string())?;
    }
    root.present().map_err(|error| error.to_string())
}

type PlotError = Box<dyn std::error::Error>;

fn plot(
    panel: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    title: &str,
    curves: &[&Curve],
) -> std::result::Result<(), PlotError> {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let (steps, values) =
        (axis_range(points().map(|point| point.0)), axis_range(points().map(|point| point.1)));
    let mut chart = ChartBuilder::on(panel)
        .caption(title, ("sans-serif", 18))
        .margin(10)
        .x_label_area_size(30)
        .y_label_area_size(70)
        .build_cartesian_2d(steps, values)
        .map_err(|error| error.to_string())?;
    let mesh = chart.configure_mesh().x_desc("steps").light_line_style(WHITE).draw();
    mesh.map_err(|error| error.to_string())?;
    for (curve, color) in curves.iter().zip(COLORS.iter().cycle()) {
        let line = LineSeries::new(curve.points.iter().copied(), color.stroke_width(2));
        let drawn = chart.draw_series(line).map_err(|error| error.to_string())?;
        drawn
            .label(&curve.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    if curves.len() > 1 {
        let mut labels = chart.configure_series_labels();
        labels.background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.2));
        labels.draw().map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The range of an axis: all values, and 5 % of margin.
fn axis_range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return 0.0..1.0;
    }
    let margin = ((high - low) * 0.05).max(1e-3 * high.abs()).max(1e-12);
    low - margin..high + margin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_run_of_a_log_is_drawn() {
        let head = "epoch,steps,seconds,rate,loss,validation_loss,validation_dice_1";
        let log = format!(
            "{head}\n1,9,1.0,0.1,5.0,4.0,0.1\n{head}\n1,3,1.0,0.1,0.5,0.4,0.5\n2,6,2.0,0.1,0.3,NaN,0.7\n"
        );
        let curves = curves(&log);
        let names: Vec<&str> = curves.iter().map(|curve| curve.name.as_str()).collect();
        assert_eq!(names, ["rate", "loss", "validation loss", "validation dice 1"]);
        assert_eq!(curves[1].points, [(3.0, 0.5), (6.0, 0.3)]);
        assert_eq!(curves[2].points, [(3.0, 0.4)]);
        let svg = plot_log(&log).unwrap();
        assert!(svg.starts_with("<svg") && svg.matches("<polyline").count() >= 4, "{svg}");
    }

    #[test]
    fn an_empty_log_is_an_empty_picture() {
        assert!(plot_log("").unwrap().contains("</svg>"));
    }
}
