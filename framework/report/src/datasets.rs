//! Names of datasets. Records belong to the data, so those of one table under several names share boards.

use std::collections::BTreeMap;

use molarena_data::TaskType;
use molarena_record::{cell::Record, shared::Shared};

/// What records have in common that are of the same data: the sha256, the tasks, and whether these are of regression.
type Data<'a> = (&'a str, &'a Shared<Vec<String>>, bool);

fn data_of(record: &Record) -> Data<'_> {
    (&record.composition.data_sha256, &record.tasks, record.task_type == TaskType::Regression)
}

/// The names of each data, and when the last record under a name was finished.
pub(crate) struct Names<'a>(BTreeMap<Data<'a>, BTreeMap<&'a str, Option<u64>>>);

impl<'a> Names<'a> {
    pub(crate) fn of(records: &'a [Record]) -> Self {
        let mut names: BTreeMap<Data<'a>, BTreeMap<&str, Option<u64>>> = BTreeMap::new();
        for record in records {
            let last = names.entry(data_of(record)).or_default().entry(&record.dataset).or_default();
            *last = (*last).max(record.finished);
        }
        Self(names)
    }

    /// The name under which the data of a record were used last; of several, the first.
    pub(crate) fn shown(&self, record: &'a Record) -> &'a str {
        let names = self.0.get(&data_of(record)).into_iter().flatten();
        names.rev().max_by_key(|(_, finished)| **finished).map_or(&record.dataset, |(name, _)| name)
    }

    /// The other names of the data of a record.
    pub(crate) fn others(&self, record: &'a Record) -> Vec<&'a str> {
        let shown = self.shown(record);
        let names = self.0.get(&data_of(record)).into_iter().flatten();
        names.map(|(name, _)| *name).filter(|name| *name != shown).collect()
    }
}

/// Keeps the records of the data that have one of the `wanted` names, all if none is given, and shows these under that
/// name, whatever name they were made under.
pub fn keep_datasets(records: &mut Vec<Record>, wanted: &[String]) {
    if wanted.is_empty() {
        return;
    }
    let renamed: Vec<Option<String>> = {
        let names = Names::of(records);
        let name = |record: &Record| {
            let known = &names.0[&data_of(record)];
            let own = Some(record.dataset.as_str()).filter(|own| wanted.iter().any(|name| name == own));
            let other = wanted.iter().find(|name| known.contains_key(name.as_str())).map(String::as_str);
            own.or(other).map(str::to_owned)
        };
        records.iter().map(name).collect()
    };
    let mut renamed = renamed.into_iter();
    records.retain_mut(|record| match renamed.next().flatten() {
        Some(name) => {
            record.dataset = name;
            true
        }
        None => false,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::classification;
    use crate::{BoardOptions, build};

    fn named(name: &str, method: &str, finished: u64) -> Record {
        let record = classification(method, 0, &[Some(0.5)]);
        Record { dataset: name.to_owned(), finished: Some(finished), ..record }
    }

    #[test]
    fn data_under_two_names_share_a_board_under_the_last() {
        let records = [named("b", "x", 1), named("a", "y", 2)];
        let boards = build(&records, BoardOptions { cost: false }).boards;
        assert_eq!((boards.len(), boards[0].dataset.as_str(), boards[0].rows.len()), (1, "a", 2));
        assert_eq!(boards[0].notes, ["The same data were used under other names, too: b."]);
    }

    #[test]
    fn other_data_tasks_and_types_under_one_name_stay_apart() {
        let mut records = [named("a", "x", 1), named("a", "y", 2), named("a", "z", 3), named("a", "v", 3)];
        records[1].composition.data_sha256 = "d".repeat(64);
        records[2].tasks = vec!["another".to_owned()].into();
        records[3].task_type = TaskType::Regression;
        assert_eq!(build(&records, BoardOptions { cost: false }).boards.len(), 4);
    }

    #[test]
    fn a_name_finds_the_records_of_its_data() {
        let wanted = |names: &[&str]| {
            let mut records = vec![named("a", "x", 1), named("b", "y", 2), named("c", "z", 3)];
            records[2].tasks = vec!["another".to_owned()].into();
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            keep_datasets(&mut records, &names);
            records.into_iter().map(|record| record.dataset + &record.method).collect::<Vec<_>>()
        };
        assert_eq!(wanted(&["a"]), ["ax", "ay"]);
        assert_eq!(wanted(&["b", "c"]), ["bx", "by", "cz"]);
        assert_eq!(wanted(&["d"]).len(), 0);
        assert_eq!(wanted(&[]), ["ax", "by", "cz"]);
    }
}
