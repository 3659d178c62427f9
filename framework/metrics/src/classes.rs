//! What the classification metrics share.

/// Number of rows in each class of a binary task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClassCounts {
    /// Rows with label 1; at least one.
    pub(crate) positives: usize,
    /// Rows with label 0; at least one.
    pub(crate) negatives: usize,
}

impl ClassCounts {
    /// Counts the classes. `None` if a label is neither 0 nor 1, or if a class is absent.
    pub(crate) fn of(labels: &[f32]) -> Option<Self> {
        if !is_binary(labels) {
            return None;
        }
        let positives = labels.iter().filter(|&&label| label == 1.0).count();
        let negatives = labels.len() - positives;
        (positives > 0 && negatives > 0).then_some(Self { positives, negatives })
    }
}

/// Whether every label is 0 or 1.
pub(crate) fn is_binary(labels: &[f32]) -> bool {
    labels.iter().all(|&label| label == 0.0 || label == 1.0)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Labels of both classes, and predictions that are integers (so often tied), 2 to 60 rows.
    pub(crate) fn binary_task() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
        let row = (prop::bool::weighted(0.3), -20_i8..=20);
        prop::collection::vec(row, 2..=60)
            .prop_map(|rows| {
                rows.into_iter()
                    .map(|(positive, prediction)| (f32::from(u8::from(positive)), f32::from(prediction)))
                    .unzip()
            })
            .prop_filter("both classes", |(labels, _): &(Vec<f32>, Vec<f32>)| {
                ClassCounts::of(labels).is_some()
            })
    }

    /// Labels of one class or both, and predictions that are 24ths of 1 (so often tied, and often 0.5), 1 to 60 rows.
    pub(crate) fn probability_task() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
        let row = (prop::bool::weighted(0.4), 0_u8..=24);
        prop::collection::vec(row, 1..=60).prop_map(|rows| {
            rows.into_iter()
                .map(|(positive, prediction)| (f32::from(u8::from(positive)), f32::from(prediction) / 24.0))
                .unzip()
        })
    }

    #[test]
    fn both_classes_and_nothing_else() {
        assert_eq!(ClassCounts::of(&[1.0, 0.0, 1.0]), Some(ClassCounts { positives: 2, negatives: 1 }));
        assert_eq!(ClassCounts::of(&[1.0, 1.0]), None);
        assert_eq!(ClassCounts::of(&[0.0, 0.0]), None);
        assert_eq!(ClassCounts::of(&[0.0, 1.0, 0.5]), None);
        assert_eq!(ClassCounts::of(&[-1.0, 1.0]), None);
        assert_eq!(ClassCounts::of(&[]), None);
    }
}
