//! Checks the book's chapter against the committed numbers, and that a short run satisfies the same bounds.

use std::path::{Path, PathBuf};

use molarena_benches_bounds::{Part, Row, Settings, figures, from_csv, run, tables, to_csv};
use molarena_report::plot::render;

fn book(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src").join(path)
}

#[test]
fn tables_and_figures_are_those_of_the_numbers() {
    let rows = from_csv(&fs_err::read_to_string(book("bounds/bounds.csv")).unwrap()).unwrap();
    let chapter = fs_err::read_to_string(book("bounds.md")).unwrap();
    for (name, table) in tables(&rows) {
        assert!(chapter.contains(&table), "docs/src/bounds.md has another table `{name}` than:\n{table}");
    }
    for (name, figure) in figures(&rows) {
        let committed = fs_err::read_to_string(book(&format!("bounds/{name}.svg"))).unwrap();
        assert!(committed == render(&figure).unwrap(), "bounds/{name}.svg: run the bounds again");
        assert!(chapter.contains(&format!("(bounds/{name}.svg)")), "the chapter does not show {name}.svg");
    }
}

#[test]
fn a_short_run_repeats_itself_and_keeps_to_the_bounds() {
    let settings = Settings::quick(1);
    let rows = run(&settings, |_| {});
    assert_eq!(rows, run(&settings, |_| {}));
    let read = from_csv(&to_csv(&rows).unwrap()).unwrap();
    assert_eq!(read.len(), rows.len());
    let within = |row: &Row, expected: f64| {
        let error = row.error.expect("estimates have one");
        assert!((row.value - expected).abs() < 4.0 * error, "{row:?}, {expected}");
    };
    for row in &rows {
        match (row.part, row.name.as_str()) {
            (Part::Decoder, "exact") => within(row, row.information),
            (Part::Nce, name) if !name.contains("negatives only") => {
                assert!(row.value <= (row.k.unwrap() as f64).ln() + 1e-9, "{row:?}");
            }
            // With y from the critic's own decoder the difference is a divergence, so it is not negative.
            (Part::Gap, name) if name.ends_with("y from q") => {
                assert!(row.value > -4.0 * row.error.unwrap(), "{row:?}");
            }
            (Part::Algebra, name) if name.contains("line 4") || name.starts_with("Eq. 10") => {
                within(row, 0.0);
            }
            _ => {}
        }
    }
}
