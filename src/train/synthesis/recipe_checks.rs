//! Recipes that cannot be followed are refused before any image is made.

use super::recipe::{GeometryPrior, GreyPrior, Recipe};
use crate::error::{Error, Result};

/// Most targets of a recipe: one bit each.
pub const MOST_TARGETS: usize = 8;

/// Checks all that a recipe says.
pub fn check(recipe: &Recipe) -> Result<()> {
    names(recipe)?;
    pairs(recipe)?;
    geometry(&recipe.geometry)?;
    grey(&recipe.grey)?;
    let share = |value: f64| (0.0..=1.0).contains(&value);
    match &recipe.strip {
        Some(strip) if !share(strip.share) || !(0.0..=50.0).contains(&strip.rim_mm) => {
            let found = format!("share {}, rim_mm {}", strip.share, strip.rim_mm);
            wrong("strip", found, "a share from 0 to 1, and a rim of 0 to 50 mm")
        }
        _ => Ok(()),
    }
}

fn wrong(field: &str, found: impl Into<String>, expected: impl Into<String>) -> Result<()> {
    Err(Error::malformed(format!("synthesis: {field}"), found, expected))
}

fn names(recipe: &Recipe) -> Result<()> {
    if !(1..=MOST_TARGETS).contains(&recipe.targets.len()) || recipe.objects().count() == 0 {
        let found = format!("{} targets, {} with a box", recipe.targets.len(), recipe.objects().count());
        return wrong(
            "targets",
            found,
            format!("1 to {MOST_TARGETS}, at least one of them not only measured"),
        );
    }
    for (position, target) in recipe.targets.iter().enumerate() {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_ ".contains(c);
        let known = recipe.targets[..position].iter().any(|other| other.name == target.name);
        if target.name.trim().is_empty() || !target.name.chars().all(plain) || known {
            let expected = "names of letters, digits, '-', '_' and spaces, each once";
            return wrong("targets", format!("\"{}\"", target.name), expected);
        }
        if target.labels.is_empty() || target.labels.contains(0) {
            let found = format!("\"{}\" of labels [{}]", target.name, target.labels);
            return wrong("targets", found, "labels, without the background 0");
        }
    }
    let measured = recipe.targets.iter().position(|target| target.measure).unwrap_or(usize::MAX);
    if recipe.targets.iter().rposition(|target| !target.measure).is_some_and(|last| last > measured) {
        return wrong("targets", "a measured one before one with a box", "the measured ones last");
    }
    for tissue in &recipe.tissues {
        if tissue.labels.contains(0) {
            return wrong("tissues", format!("label 0 in \"{}\"", tissue.name), "0 to be the background");
        }
        if tissue.mean.is_some_and(|[mean, sd]| !mean.is_finite() || !(0.0..=1.0).contains(&sd)) {
            return wrong("tissues", format!("mean of \"{}\"", tissue.name), "a mean and a sd of 0 to 1");
        }
    }
    if recipe.tissues.iter().filter(|tissue| tissue.rest).count() > 1 {
        return wrong("tissues", "two with \"rest\"", "one at most");
    }
    Ok(())
}

fn pairs(recipe: &Recipe) -> Result<()> {
    let mut labels: Vec<u16> = recipe.pairs.iter().flatten().copied().collect();
    labels.sort_unstable();
    match labels.windows(2).find(|two| two[0] == two[1]) {
        Some(two) => wrong("pairs", format!("label {} twice", two[0]), "each label once"),
        None if labels.contains(&0) => wrong("pairs", "label 0", "labels of the object"),
        None => Ok(()),
    }
}

fn ordered<T: PartialOrd + Copy>([low, high]: [T; 2], least: T, most: T) -> bool {
    low >= least && low <= high && high <= most
}

fn geometry(prior: &GeometryPrior) -> Result<()> {
    let share = |value: f64| (0.0..=1.0).contains(&value);
    let fits = share(prior.mirror)
        && share(prior.far[0])
        && share(prior.air[0])
        && share(prior.crop)
        && (0.0..=180.0).contains(&prior.degrees)
        && (0.0..=180.0).contains(&prior.far[1])
        && ordered(prior.scale, 0.2, 5.0)
        && ordered(prior.size, 0.2, 5.0)
        && (0.0..=0.5).contains(&prior.shear)
        && (0.0..=200.0).contains(&prior.shift_mm)
        && (0.0..=200.0).contains(&prior.air[1])
        && ordered(prior.warp_points, 2, 64)
        && (0.0..=50.0).contains(&prior.warp_mm);
    if fits {
        return Ok(());
    }
    let expected = "shares from 0 to 1, angles to 180 degrees, scales from 0.2 to 5 in order, shear to 0.5, shift and air \
                    to 200 mm, 2 to 64 points, warp_mm to 50";
    wrong("geometry", format!("{prior:?}"), expected)
}

fn grey(prior: &GreyPrior) -> Result<()> {
    let share = |value: f64| (0.0..=1.0).contains(&value);
    let fits = share(prior.known)
        && share(prior.thick)
        && ordered(prior.texture, 0.0, 1.0)
        && ordered(prior.blur_mm, 0.0, 20.0)
        && ordered(prior.thick_mm, 0.0, 20.0)
        && ordered(prior.bias_points, 2, 64)
        && (0.0..=3.0).contains(&prior.bias)
        && (0.0..=2.0).contains(&prior.gamma)
        && share(prior.noise)
        && share(prior.background);
    if fits {
        return Ok(());
    }
    let expected = "shares, noise and background from 0 to 1, spans in order, blur to 20 mm, 2 to 64 points, bias to 3, \
                    gamma to 2";
    wrong("grey", format!("{prior:?}"), expected)
}

#[cfg(test)]
mod tests {
    use super::super::recipe::Recipe;
    use serde_json::{Value, json};

    fn with(change: impl Fn(&mut Value)) -> String {
        let mut recipe = json!({
            "name": "Balls",
            "targets": [{"name": "ball", "labels": [1]}, {"name": "all", "labels": ["1-9"], "measure": true}],
            "keep": [1],
            "tissues": [{"name": "ball", "labels": [1]}, {"name": "rest", "rest": true}],
        });
        change(&mut recipe);
        match Recipe::read(recipe.to_string().as_bytes()) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    type Change<'a> = &'a dyn Fn(&mut Value);

    #[test]
    fn what_cannot_be_followed_is_refused_by_its_field() {
        assert_eq!(with(|_| ()), "");
        let refused: [(&str, Change<'_>); 12] = [
            ("targets", &|r| r["targets"] = json!([])),
            ("targets", &|r| r["targets"][0]["measure"] = json!(true)),
            ("targets", &|r| r["targets"][0]["labels"] = json!([0, 1])),
            ("targets", &|r| r["targets"][1]["name"] = json!("ball")),
            ("tissues", &|r| r["tissues"][0]["rest"] = json!(true)),
            ("tissues", &|r| r["tissues"][0]["labels"] = json!(["0-3"])),
            ("tissues", &|r| r["tissues"][0]["mean"] = json!([0.5, -1])),
            ("pairs", &|r| r["pairs"] = json!([[1, 2], [2, 3]])),
            ("strip", &|r| r["strip"] = json!({"keep": [1], "share": 2, "rim_mm": 1})),
            ("geometry", &|r| r["geometry"] = json!({"scale": [1.2, 0.8]})),
            ("grey", &|r| r["grey"] = json!({"noise": -0.1})),
            ("unknown field", &|r| r["colour"] = json!(1)),
        ];
        for (field, change) in refused {
            let said = with(change);
            assert!(said.contains(field), "{field}: {said}");
        }
    }
}
