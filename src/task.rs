//! The ten tasks of the Medical Segmentation Decathlon: how they differ.

use crate::intensity::Intensity;

/// The settings of a task.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Task {
    /// 1 to 10.
    pub number: u8,
    /// Name, as its folder has it after the number.
    pub name: &'static str,
    /// Name in the `dataset.json` that was published, where it is another.
    pub alias: &'static str,
    /// Channels of an image, in order.
    pub modalities: &'static [&'static str],
    /// Names of the labels 1, 2, ...
    pub labels: &'static [&'static str],
    /// Window and z-score that the reference gives. Of other CT tasks they are computed from the training cases.
    pub window: Option<Intensity>,
    /// Tolerance of the normalised surface distance in mm.
    pub tolerance_mm: f64,
    /// Whether the object is scattered, so that a training sample shows one of its clusters.
    pub clusters: bool,
    /// Consecutive case numbers that belong to one person.
    pub cases_per_subject: usize,
}

const PLAIN: Task = Task {
    number: 0,
    name: "",
    alias: "",
    modalities: &["MRI"],
    labels: &[],
    window: None,
    tolerance_mm: 1.0,
    clusters: false,
    cases_per_subject: 1,
};
const CT: Task = Task { modalities: &["CT"], ..PLAIN };

const fn window(center: f64, width: f64, mean: f64, sd: f64) -> Option<Intensity> {
    Some(Intensity::Ct { center, width, mean, sd })
}

/// All ten, by number.
pub const TASKS: [Task; 10] = [
    Task {
        number: 1,
        name: "BrainTumour",
        alias: "BRATS",
        modalities: &["FLAIR", "T1w", "t1gd", "T2w"],
        labels: &["edema", "non-enhancing tumor", "enhancing tumour"],
        tolerance_mm: 5.0,
        clusters: true,
        ..PLAIN
    },
    Task {
        number: 2,
        name: "Heart",
        alias: "LeftAtrium",
        labels: &["left atrium"],
        tolerance_mm: 4.0,
        ..PLAIN
    },
    Task {
        number: 3,
        name: "Liver",
        labels: &["liver", "cancer"],
        window: window(100.0, 180.0, 0.093_771_81, 0.226_479_49),
        tolerance_mm: 7.0,
        ..CT
    },
    // Ids 2k-1 and 2k are the two sides of one person.
    Task {
        number: 4,
        name: "Hippocampus",
        labels: &["Anterior", "Posterior"],
        tolerance_mm: 1.0,
        cases_per_subject: 2,
        ..PLAIN
    },
    Task {
        number: 5,
        name: "Prostate",
        modalities: &["T2", "ADC"],
        labels: &["PZ", "TZ"],
        tolerance_mm: 4.0,
        ..PLAIN
    },
    Task {
        number: 6,
        name: "Lung",
        labels: &["cancer"],
        window: window(-271.0, 1716.0, 0.313_972_95, 0.279_876_14),
        tolerance_mm: 2.0,
        ..CT
    },
    Task {
        number: 7,
        name: "Pancreas",
        labels: &["pancreas", "cancer"],
        window: window(80.0, 342.0, 0.123_380_184, 0.234_536_44),
        tolerance_mm: 5.0,
        ..CT
    },
    Task { number: 8, name: "HepaticVessel", labels: &["Vessel", "Tumour"], tolerance_mm: 3.0, ..CT },
    Task { number: 9, name: "Spleen", labels: &["spleen"], tolerance_mm: 3.0, ..CT },
    Task { number: 10, name: "Colon", labels: &["colon cancer primaries"], tolerance_mm: 4.0, ..CT },
];

impl Task {
    /// The task of a name as people write it: `Liver`, `Task03`, `Task03_Liver`, `3`, or the one in the published
    /// `dataset.json`; capitals do not matter.
    pub fn find(name: &str) -> Option<&'static Self> {
        let lower = name.trim().to_ascii_lowercase();
        let bare = lower.strip_prefix("task").unwrap_or(&lower);
        let (number, rest) = bare.split_at(bare.bytes().take_while(u8::is_ascii_digit).count());
        let named = |task: &&Task, name: &str| {
            !name.is_empty()
                && (task.name.eq_ignore_ascii_case(name) || task.alias.eq_ignore_ascii_case(name))
        };
        match (number.parse::<u8>(), rest.trim_start_matches('_')) {
            (Ok(number), rest) => {
                TASKS.iter().find(|task| task.number == number && (rest.is_empty() || named(task, rest)))
            }
            _ => TASKS.iter().find(|task| named(task, &lower)),
        }
    }

    /// `Task03_Liver`
    pub fn folder(&self) -> String {
        format!("Task{:02}_{}", self.number, self.name)
    }
}

/// Whether a channel's name is that of computed tomography.
pub fn is_ct(modality: &str) -> bool {
    modality.trim().eq_ignore_ascii_case("ct")
}

/// Whether a label's name contains a side of the body, so that mirroring an image would make it wrong:
/// `left` or `right` at the start of a word, or `L`, `R`, `lh`, `rh` as a word.
pub fn names_a_side(label: &str) -> bool {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for letter in label.chars() {
        // Words end at what is no letter, and at a capital after a small letter.
        if !letter.is_alphabetic() || (letter.is_uppercase() && before.is_lowercase()) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (letter.is_alphabetic(), words.last_mut()) {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words.iter().any(|word| {
        word.starts_with("left") || word.starts_with("right") || ["l", "r", "lh", "rh"].contains(&&word[..])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_found_by_the_names_that_people_write() {
        for name in ["Liver", "liver", "Task03", "Task03_Liver", "task3", "3", " 03 "] {
            assert_eq!(Task::find(name).map(|task| task.number), Some(3), "{name}");
        }
        assert_eq!(Task::find("LeftAtrium").map(Task::folder), Some("Task02_Heart".into()));
        for name in ["", "Task", "Task11", "Task03_Spleen", "Balls", "cascade"] {
            assert_eq!(Task::find(name), None, "{name}");
        }
        assert!(TASKS.iter().enumerate().all(|(i, task)| usize::from(task.number) == i + 1));
    }

    #[test]
    fn sides_are_told_from_words_that_look_like_them() {
        for label in ["left atrium", "Right kidney", "kidney_L", "HippocampusLeft", "rh-cortex", "LEFT LUNG"]
        {
            assert!(names_a_side(label), "{label}");
        }
        for label in ["bright lesion", "cleft", "Anterior", "TZ", "liver", "colon cancer primaries", ""] {
            assert!(!names_a_side(label), "{label}");
        }
    }
}
