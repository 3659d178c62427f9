//! Many keys at a time: those of all seeds, and sets of keys.

use std::collections::HashSet;

use molarena_data::Hasher;
use serde_json::Value;

use crate::key::{canonical_json, key_of};

/// The keys of materials that differ in a seed only.
#[derive(Clone, Debug)]
pub struct SeedKeys {
    /// Has the canonical text before the seed.
    before: Hasher,
    after: String,
}

impl SeedKeys {
    /// The keys of `material`, which names its seed once.
    ///
    /// # Panics
    /// The materials of two seeds differ in more than the seed.
    pub fn of(material: impl Fn(u64) -> Value) -> Self {
        let [zero, one] = [0, 1].map(|seed| canonical_json(&material(seed)));
        let place = zero.bytes().zip(one.bytes()).position(|(zero, one)| zero != one);
        let place = place.expect("the seed is part of the material");
        let (before, after) = (&zero[..place], &zero[place + 1..]);
        assert!(
            one.strip_prefix(before).and_then(|rest| rest.strip_prefix('1')) == Some(after),
            "the material names its seed once"
        );
        let mut hasher = Hasher::default();
        hasher.update(before.as_bytes());
        Self { before: hasher, after: after.to_owned() }
    }

    /// The key of the material with `seed`: what [`key_of`](crate::key::key_of) makes of it.
    pub fn key(&self, seed: u64) -> String {
        let mut hasher = self.before.clone();
        hasher.update(seed.to_string().as_bytes());
        hasher.update(self.after.as_bytes());
        hasher.finish()
    }
}

/// A set of keys, in 32 bytes each.
#[derive(Clone, Debug, Default)]
pub struct KeySet(HashSet<[u8; 32]>);

impl KeySet {
    /// Adds a key; whether it is new. What is no key of 64 lower-case hex digits counts by the key of its text.
    pub fn insert(&mut self, key: &str) -> bool {
        self.0.insert(bytes_of(key))
    }

    /// Whether the key was added.
    pub fn contains(&self, key: &str) -> bool {
        self.0.contains(&bytes_of(key))
    }
}

fn bytes_of(key: &str) -> [u8; 32] {
    parsed(key).unwrap_or_else(|| parsed(&key_of(&key)).expect("a hash has 64 digits"))
}

fn parsed(key: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 32];
    let (pairs, rest) = key.as_bytes().as_chunks::<2>();
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_of_seeds_are_those_of_their_materials() {
        let material = |seed: u64| json!({"b": {"seed": 5}, "seed": seed, "z": "0", "a": [0.5, null]});
        let keys = SeedKeys::of(material);
        for seed in [0, 1, 9, 10, 123_456_789, u64::MAX] {
            assert_eq!(keys.key(seed), key_of(&material(seed)));
        }
    }

    #[test]
    #[should_panic(expected = "names its seed once")]
    fn a_material_that_names_the_seed_twice_is_refused() {
        SeedKeys::of(|seed| json!({"seed": seed, "again": seed}));
    }

    #[test]
    fn a_set_tells_keys_apart() {
        let mut keys = KeySet::default();
        let key = key_of(&1);
        assert!(keys.insert(&key) && !keys.insert(&key) && keys.insert("k") && !keys.insert("k"));
        assert!(keys.contains(&key) && keys.contains("k"));
        assert!(
            !keys.contains(&key.to_uppercase()) && !keys.contains(&key[1..]) && !keys.contains(&key_of(&2))
        );
    }
}
