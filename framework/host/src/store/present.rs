//! The keys that a store has, listed once: a plan of a million cells would else look for each in the places of every format.

use molarena_record::keys::KeySet;

use crate::{
    error::Result,
    store::{Store, for_each_json, key_in},
};

/// The keys of the cells and steps that a store had when it was listed. What is written meanwhile is not among them.
#[derive(Debug)]
pub struct Present(KeySet);

impl Store {
    /// Lists the keys of cells and steps, those in earlier formats too.
    ///
    /// # Errors
    /// The folders cannot be read.
    pub fn present(&self) -> Result<Present> {
        let mut keys = KeySet::default();
        for folder in ["records", "matches", "steps", "fits"] {
            for_each_json(&self.root().join(folder), &mut |path| {
                keys.insert(&key_in(&path));
            })?;
        }
        Ok(Present(keys))
    }
}

impl Present {
    /// Whether there is a file for the cell or step of this key, which may be damaged.
    pub fn may_have(&self, key: &str) -> bool {
        self.0.contains(key)
    }
}

#[cfg(test)]
mod tests {
    use molarena_record::key::key_of;

    use super::*;

    #[test]
    fn what_lies_in_any_format_is_present() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        let keys: Vec<String> = (0..5).map(|number| key_of(&number)).collect();
        let places = [
            format!("records/{}/{}.json", &keys[0][..2], keys[0]),
            format!("records/{}.json", keys[1]),
            format!("steps/{}/{}.json", &keys[2][..2], keys[2]),
            format!("fits/{}.json", keys[3]),
        ];
        for place in places {
            let path = folder.path().join(place);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, "{}").unwrap();
        }
        let present = store.present().unwrap();
        let found: Vec<bool> = keys.iter().map(|key| present.may_have(key)).collect();
        assert_eq!(found, [true, true, true, true, false]);
    }
}
