//! The JSON Schemas of the public formats, as `docs/schemas` has them.

use std::{collections::BTreeSet, path::Path};

use molarena_tests::TestArena;

#[test]
fn the_committed_schemas_are_those_that_are_printed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schemas");
    let arena = TestArena::new();
    let list = arena.molarena(&["schema"]);
    assert_eq!(list.code, Some(0), "{}", list.stderr);
    let names: Vec<&str> =
        list.stdout.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains(&"molarena.step/1"), "{}", list.stdout);
    let mut expected = BTreeSet::new();
    for name in names {
        let file = format!("{}.json", name.trim_start_matches("molarena.").replace('/', "-"));
        let printed = arena.molarena(&["schema", name]).stdout;
        let committed = fs_err::read_to_string(folder.join(&file)).unwrap_or_default();
        assert_eq!(
            committed, printed,
            "run `molarena schema {name} > docs/schemas/{file}` and look at what changed"
        );
        expected.insert(file);
    }
    let there: BTreeSet<String> = fs_err::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(there, expected, "docs/schemas has other files");
}
