use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of a split. It is displayed as `train`, `valid` or `test`.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase", ascii_case_insensitive)]
pub enum Part {
    /// Molecules that a method may learn from.
    #[strum(to_string = "train", serialize = "training")]
    Train,
    /// Molecules that a method may choose its settings with.
    #[strum(to_string = "valid", serialize = "validation", serialize = "val")]
    Valid,
    /// Molecules that a method is scored on.
    Test,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_names_are_read_and_the_short_ones_displayed() {
        let names = ["train", "Training", "valid", "validation", "VAL", "Test"];
        let parts = names.map(|name| name.parse::<Part>().unwrap());
        assert_eq!(parts, [Part::Train, Part::Train, Part::Valid, Part::Valid, Part::Valid, Part::Test]);
        assert_eq!(
            [Part::Train, Part::Valid, Part::Test].map(|part| part.to_string()),
            ["train", "valid", "test"]
        );
        assert!("holdout".parse::<Part>().is_err());
    }
}
