//! The one Cartesian product behind `vary` and `tune`.

use std::collections::BTreeMap;

use serde_json::Value;

/// Values to try by key.
pub(crate) type Choices = BTreeMap<String, Vec<Value>>;

/// The number of combinations; `None` on overflow.
pub(crate) fn count(choices: &Choices) -> Option<usize> {
    choices.values().try_fold(1usize, |product, values| product.checked_mul(values.len()))
}

/// All combinations of one value for each key; the values of the last key change fastest.
pub(crate) fn combinations(choices: &Choices) -> Vec<Vec<(&str, &Value)>> {
    choices.iter().fold(vec![Vec::new()], |combinations, (key, values)| {
        let extended = combinations.iter().flat_map(|combination: &Vec<(&str, &Value)>| {
            values.iter().map(move |value| [combination.as_slice(), &[(key.as_str(), value)]].concat())
        });
        extended.collect()
    })
}
