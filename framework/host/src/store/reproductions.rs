//! What came of making records again, in the store.

use std::path::PathBuf;

use molarena_record::reproduction::{REPRODUCTION_SCHEMA, Reproduction};

use crate::{
    error::Result,
    store::{
        Store, json_files, key_in,
        read::{Found, read_record},
        shard,
    },
};

impl Store {
    pub(super) fn reproduction_path(&self, key: &str) -> PathBuf {
        self.root.join("reproductions").join(shard(key)).join(format!("{key}.json"))
    }

    /// What came of making records again, sorted by key. An unreadable file is left out, with a warning.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn reproductions(&self) -> Result<Vec<Reproduction>> {
        let mut found = Vec::new();
        for path in json_files(&self.root.join("reproductions"))? {
            let key = key_in(&path);
            let read = read_record::<Reproduction>(&path, REPRODUCTION_SCHEMA)?.checked(|reproduction| {
                if reproduction.key == key { Ok(()) } else { Err("it is of another record".into()) }
            });
            match read {
                Found::Record(reproduction) => found.push(reproduction),
                Found::Nothing => {}
                Found::Damaged(why) | Found::Newer(why) => {
                    self.warn(format!("{}: {why}; it is left out", path.display()));
                }
            }
        }
        Ok(found)
    }

    /// Writes what came of making a record again; it replaces what came of it before.
    ///
    /// # Errors
    /// Errors of writing.
    pub fn put_reproduction(&self, reproduction: &Reproduction) -> Result<()> {
        let path = self.reproduction_path(&reproduction.key);
        fs_err::create_dir_all(path.parent().expect("it is in a folder"))?;
        self.overwrite(&path, reproduction)
    }
}
