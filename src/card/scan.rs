//! A model of one object that also takes whole scans.

use super::label::Label;
use super::model_card::Card;
use super::scan_card::ScanCard;
use super::stages::Stages;

impl Card {
    /// The card of this model for whole scans: one of several objects.
    pub fn for_scans(&self) -> Option<Self> {
        let scan = self.scan.as_ref()?;
        let ScanCard { labels, objects, measured, modalities, preset, field_mm, whole, .. } = scan.clone();
        let stages = Stages { whole: Some(whole), patch: self.stages.patch.clone() };
        let card = Self { labels, objects, measured, modalities, preset, field_mm, stages, ..self.clone() };
        Some(Self { normalize_box: true, reference: None, scan: None, ..card })
    }

    /// Whether a field of view of these sides, in mm, is that of a whole scan: its volume is nearer, by factor, to that of the
    /// smallest scan than to that of the largest image of one object.
    pub fn is_scan(&self, mm: [f64; 3]) -> bool {
        let Some(scan) = &self.scan else { return false };
        let volume = |sides: [f64; 3]| sides.iter().product::<f64>();
        volume(mm).powi(2) > volume(self.field_mm.max) * volume(scan.field_mm.min)
    }

    /// Labels of an object of a scan, by its place in the list; the card's own where it takes no scans.
    pub fn labels_of(&self, object: usize) -> &[Label] {
        let Some(scan) = &self.scan else { return &self.labels };
        scan.labels.chunks(self.labels.len().max(1)).nth(object).unwrap_or(&self.labels)
    }
}

#[cfg(test)]
mod tests {
    use super::super::object::CardObject;
    use super::super::preset::FieldOfView;
    use super::super::stages::{Fold, Stage, StageCard};
    use super::*;
    use crate::model::Architecture;

    fn card() -> Card {
        let mut card = Card::draft("a", "a", &["front".into(), "back".into()], vec!["MRI".into()], "", "");
        card.field_mm = FieldOfView { min: [30.0, 40.0, 25.0], max: [43.0, 59.0, 46.0] };
        let names = ["Left front", "Left back", "Right front", "Right back"].map(String::from);
        let labels = Card::draft("a", "a", &names, vec![], "", "").labels;
        let object = |name: &str, mirror| CardObject { name: name.into(), mirror };
        let architecture = Architecture { base: 2, inputs: 1, outputs: 3, ..Architecture::default() };
        card.scan = Some(ScanCard {
            labels,
            objects: vec![object("left", false), object("right", true)],
            sure_agreement: Some(0.97),
            patch_fold: None,
            measured: vec!["intracranial".into()],
            modalities: vec!["MRI of a head".into()],
            preset: card.preset,
            field_mm: FieldOfView { min: [130.0, 160.0, 120.0], max: [260.0; 3] },
            whole: StageCard { architecture, folds: Vec::new() },
            training_data: String::new(),
        });
        card
    }

    #[test]
    fn a_card_of_scans_is_one_of_several_objects_and_comes_back_from_its_file() {
        let card = card();
        assert_eq!(Card::read(&card.write().unwrap()).unwrap(), card);
        let scans = card.for_scans().unwrap();
        assert_eq!([Stage::Whole, Stage::Patch].map(|stage| scans.outputs(stage)), [3, 2]);
        assert_eq!(card.labels_of(1)[0].name, "Right front");
        assert_eq!((card.labels_of(1)[0].index, card.object_count()), (3, 1));
    }

    #[test]
    fn a_scan_is_told_from_a_crop_by_its_volume() {
        let card = card();
        for crop in [[35.0, 50.0, 36.0], [60.0, 75.0, 60.0], [43.0, 59.0, 46.0]] {
            assert!(!card.is_scan(crop), "{crop:?}");
        }
        for scan in [[256.0; 3], [140.0, 170.0, 130.0], [200.0, 200.0, 40.0]] {
            assert!(card.is_scan(scan), "{scan:?}");
        }
        assert!(!Card { scan: None, ..card }.is_scan([256.0; 3]));
    }

    fn patch_of(folds: usize) -> StageCard {
        let fold = |fold| Fold {
            fold,
            file: format!("patch-{fold}.safetensors"),
            sha256: String::new(),
            next: None,
            steps: 1,
            validation_dice: Vec::new(),
            command: String::new(),
            recipe: None,
        };
        let architecture = Architecture { base: 2, outputs: 2, ..Architecture::default() };
        StageCard { architecture, folds: (0..folds).map(fold).collect() }
    }

    #[test]
    fn what_is_wrong_with_the_part_for_scans_is_refused() {
        let mut wrong = card();
        wrong.scan.as_mut().unwrap().labels.pop();
        assert_eq!(Card::read(&wrong.write().unwrap()).unwrap_err().code(), "malformed");
        let mut wrong = card();
        wrong.scan.as_mut().unwrap().whole.architecture.outputs = 2;
        assert_eq!(Card::read(&wrong.write().unwrap()).unwrap_err().code(), "malformed");
        let mut wrong = card();
        wrong.scan.as_mut().unwrap().objects[0].mirror = true;
        assert_eq!(Card::read(&wrong.write().unwrap()).unwrap_err().code(), "malformed");
        // Of three folds the first two are at hand.
        for (fold, fits) in [(1, true), (2, false), (9, false)] {
            let mut folds = card();
            folds.stages.patch = Some(patch_of(3));
            folds.scan.as_mut().unwrap().patch_fold = Some(fold);
            assert_eq!(Card::read(&folds.write().unwrap()).is_ok(), fits, "{fold}");
        }
    }
}
