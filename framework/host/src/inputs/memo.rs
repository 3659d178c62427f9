//! A cache in memory that steps share; it drops the least recently used value.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use crate::error::Result;

/// The most recently used values, by key.
#[derive(Debug)]
pub(crate) struct Memo<T> {
    kept: Mutex<VecDeque<(String, Arc<T>)>>,
    capacity: usize,
}

impl<T> Memo<T> {
    /// An empty cache for `capacity` values.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { kept: Mutex::new(VecDeque::new()), capacity }
    }

    /// The value of `key`, made unless it is cached. The lock is held meanwhile, so concurrent callers share
    /// one value.
    pub(crate) fn get(&self, key: &str, make: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = kept.iter().position(|(known, _)| known == key) {
            let entry = kept.remove(place).expect("the place was found");
            let value = Arc::clone(&entry.1);
            kept.push_back(entry);
            return Ok(value);
        }
        let value = Arc::new(make()?);
        kept.push_back((key.to_owned(), Arc::clone(&value)));
        if kept.len() > self.capacity {
            kept.pop_front();
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_kept() {
        let memo = Memo::new(2);
        let get = |key: &str, value: u32| *memo.get(key, || Ok(value)).unwrap();
        assert_eq!((get("a", 1), get("b", 2), get("a", 9)), (1, 2, 1));
        get("c", 3);
        assert_eq!((get("a", 9), get("b", 7)), (1, 7), "b was asked for least recently");
        assert!(memo.get("d", || Err(crate::error::Error::Interrupted)).is_err());
        assert_eq!(get("d", 4), 4);
    }
}
