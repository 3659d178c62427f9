use super::*;
use crate::catalog::Catalog;

/// Loads `text` as a table named `My Set.csv`, with options changed by `edit`.
fn own(text: impl AsRef<[u8]>, edit: impl FnOnce(&mut OwnTable)) -> Result<OwnData> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("My Set.csv");
    fs_err::write(&path, text).unwrap();
    let mut table = OwnTable { path, ..OwnTable::default() };
    edit(&mut table);
    table.load()
}

/// Code and text of the error that `text` causes.
fn refused(text: impl AsRef<[u8]>, edit: impl FnOnce(&mut OwnTable)) -> (&'static str, String) {
    let error = own(text, edit).unwrap_err();
    (error.code(), error.to_string())
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn types_are_inferred_and_other_columns_told() {
    let text = "\u{feff}ID,\"SMILES\",active,logS,name,toxic,hole\r\n1,CC,1,-0.5,a,true,\r\n\
                2,CCO,0,NA,b,False,nan\r\n3,CN,,2e1,c,null,";
    let own = own(text, |_| ()).unwrap();
    assert_eq!((own.smiles.as_str(), own.rows), ("SMILES", 3));
    let told: Vec<_> =
        own.tasks.iter().map(|task| (task.name.as_str(), task.kind, task.known, task.missing)).collect();
    let (classification, regression) = (TaskType::Classification, TaskType::Regression);
    assert_eq!(
        told,
        [("active", classification, 2, 1), ("toxic", classification, 2, 1), ("logS", regression, 2, 1)]
    );
    let left: Vec<_> = own.left_out.iter().map(|left| (left.column.as_str(), left.reason.as_str())).collect();
    assert_eq!(
        left,
        [("ID", "numbers the rows, by its name"), ("name", "is text"), ("hole", "has no labels")]
    );
    let [classes, numbers] = own.datasets.as_slice() else { panic!("{:?}", own.datasets) };
    assert_eq!(classes.dataset.id, "my-set-classification");
    assert_eq!(classes.dataset.tasks, ["active", "toxic"]);
    assert_eq!(classes.dataset.labels[..4], [1.0, 1.0, 0.0, 0.0]);
    assert!(classes.dataset.labels[4..].iter().all(|label| label.is_nan()));
    assert_eq!(numbers.dataset.id, "my-set-regression");
    assert_eq!((numbers.dataset.label(0, 0), numbers.dataset.label(1, 0)), (Some(-0.5), None));
    assert_eq!(numbers.dataset.units, [Some("1".to_owned())]);
    assert_eq!(classes.dataset.sha256, numbers.dataset.sha256);
}

#[test]
fn manifests_in_memory_are_those_that_a_file_could_state() {
    let own = own("smiles,a,b\nCC,1,0.5\nCCC,0,1\n", |_| ()).unwrap();
    for dataset in &own.datasets {
        let text = toml::to_string(&dataset.manifest).unwrap();
        let again = Manifest::parse(&text, dataset.manifest.origin.clone()).unwrap();
        assert_eq!(again, dataset.manifest);
    }
}

#[test]
fn types_and_tasks_can_be_stated() {
    let text = "smiles,a,b,c\nCC,1,0,x\nCCC,0,1,y\n";
    let one = own(text, |table| {
        table.tasks = names(&["b"]);
        table.types = "regression".parse().unwrap();
    })
    .unwrap();
    assert_eq!(one.datasets.len(), 1);
    assert_eq!(one.datasets[0].dataset.id, "my-set");
    assert_eq!((one.tasks[0].kind, one.tasks[0].inferred), (TaskType::Regression, false));
    let two = own(text, |table| table.types = "b=regression".parse().unwrap()).unwrap();
    assert_eq!(two.datasets.len(), 2);
    let (code, text) = refused(text, |table| table.types = "d=regression".parse().unwrap());
    assert_eq!(code, "E-DATA-007", "{text}");
    assert!("a=number".parse::<TaskTypes>().unwrap_err().contains("`number` is no type of task"));
    assert!("a=regression,b".parse::<TaskTypes>().unwrap_err().contains("TASK=TYPE"));
    assert_eq!("auto".parse::<TaskTypes>().unwrap(), TaskTypes::default());
}

#[test]
fn labels_that_cannot_be_are_named_by_column_row_and_value() {
    let (code, text) = refused("smiles,a\nC,1.5\nCC,2\nCCC,high\n", |_| ());
    assert_eq!(code, "E-DATA-025");
    assert!(text.contains("My Set.csv: row 3 (line 4), column \"a\": \"high\" is not a number"), "{text}");
    // A column of words is an error if it is asked for.
    let (code, text) = refused("smiles,a,b\nC,x,1\nCC,y,0\n", |table| table.tasks = names(&["a"]));
    assert!(code == "E-DATA-025" && text.contains("row 1 (line 2), column \"a\": \"x\""), "{text}");
    let edit = |table: &mut OwnTable| table.types = "classification".parse().unwrap();
    let (code, text) = refused("smiles,a\nC,1\nCC,2\n", edit);
    assert!(code == "E-DATA-025" && text.contains("\"2\" is neither 0 nor 1"), "{text}");
    let (code, text) = refused("smiles,a\nC,1\nCC,inf\n", |_| ());
    assert!(code == "E-DATA-011" && text.contains("row 2"), "{text}");
}

#[test]
fn columns_that_are_missing_are_answered_with_those_there_are() {
    let (code, text) = refused("structures,a\nC,1\n", |_| ());
    assert_eq!(code, "E-DATA-024");
    assert!(text.contains("\"structures\", \"a\"") && text.contains("--smiles-column"), "{text}");
    let (code, text) = refused("smiles,a\nC,1\n", |table| table.tasks = names(&["b"]));
    assert!(
        code == "E-DATA-007" && text.contains("no column \"b\"; the file has: \"smiles\", \"a\""),
        "{text}"
    );
    let (code, text) = refused("smiles,a,b\nC,,x\nCC,NA,y\n", |_| ());
    assert_eq!(code, "E-DATA-026");
    assert!(text.contains("\"a\" has no labels; \"b\" is text"), "{text}");
    assert_eq!(refused("smiles\nC\n", |_| ()).0, "E-DATA-026");
    assert_eq!(refused("smiles,a,a\nC,1,1\n", |_| ()).0, "E-DATA-008");
    assert_eq!(refused("", |_| ()).0, "E-DATA-012");
    assert_eq!(refused(b"PK\x03\x04 and so on, a workbook", |_| ()).0, "E-DATA-014");
}

#[test]
fn separators_other_than_commas_are_known() {
    for separator in ["\t", ";"] {
        let text = "smiles,a\nCC,1\nC,0\n".replace(',', separator);
        assert_eq!(own(text, |_| ()).unwrap().tasks[0].name, "a");
    }
}

const REPEATED: &str = "smiles,c,r\nOCC,1,1\nCC,0,5\nCCO,0,2\nxx,1,1\nC(C)O,0,\nC[C@H](F)Cl,1,1\n\
                        C[C@@H](F)Cl,1,1\n[Na+].[Cl-],0,0\n";

#[test]
fn repeats_and_mixtures_are_found() {
    let own = own(REPEATED, |_| ()).unwrap();
    let found: Vec<_> =
        own.repeats.iter().map(|repeat| (repeat.rows.as_slice(), repeat.conflicting)).collect();
    assert_eq!(found, [([1, 3, 5].as_slice(), true), (&[6, 7], false)]);
    assert_eq!(own.mixtures.len(), 1);
    assert_eq!((own.mixtures[0].row, own.mixtures[0].fragments), (8, 2));
    assert_eq!(own.datasets[0].dataset.len(), 8);
}

#[test]
fn repeats_are_left_out_or_merged_on_request() {
    let load = |policy: &str| own(REPEATED, |table| table.duplicates = policy.parse().unwrap()).unwrap();
    for policy in ["first", "mean"] {
        let own = load(policy);
        assert_eq!(own.datasets[0].dataset.rows, [1, 2, 4, 6, 8], "{policy}");
        assert_eq!(own.datasets[0].dataset.smiles[2], "xx", "unreadable rows stay, to be told");
    }
    let labels = |own: &OwnData| {
        let of = |dataset: &OwnDataset| dataset.dataset.label(0, 0);
        (of(&own.datasets[0]), of(&own.datasets[1]))
    };
    assert_eq!(labels(&load("first")), (Some(1.0), Some(1.0)));
    // Two of three say 0; the numbers are 1 and 2.
    assert_eq!(labels(&load("mean")), (Some(0.0), Some(1.5)));
    let tie = own("smiles,c\nOCC,1\nCCO,0\nC,1\n", |table| table.duplicates = DuplicatePolicy::Mean).unwrap();
    assert_eq!(tie.datasets[0].dataset.label(0, 0), None);
    let digests: std::collections::HashSet<String> =
        ["keep", "first", "mean"].map(|policy| load(policy).datasets[0].dataset.sha256.clone()).into();
    assert_eq!(digests.len(), 3, "what is cached for one must not serve another");
}

#[test]
fn single_classes_and_constants_are_warned_of() {
    let own = own("smiles,ones,zeros,same,good\nC,1,0,2.5,1\nCC,1,0,2.5,3\n", |_| ()).unwrap();
    let warnings: Vec<String> = own.tasks.iter().filter_map(OwnTask::warning).collect();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(warnings[0].contains("\"ones\" has 2 positives and no negative"), "{warnings:?}");
    assert!(warnings[1].contains("\"zeros\" has 2 negatives and no positive"), "{warnings:?}");
    assert!(warnings[2].contains("\"same\" is constant: all 2 labels are 2.5"), "{warnings:?}");
}

#[test]
fn a_column_states_the_split() {
    let text = "smiles,a,fold\nC,1,train\nCC,0,Validation\nCCC,0,test\nCCCC,1,TRAIN\n";
    let own_data = own(text, |table| table.parts = Some("fold".to_owned())).unwrap();
    assert_eq!(own_data.tasks.len(), 1, "the column of parts is no task");
    let parts = own_data.datasets[0].parts.as_ref().unwrap();
    // As if row 1 could not be read.
    let split = parts.split(&[2, 3, 4], &[String::new(), String::new(), String::new()], 0);
    assert_eq!((split.train, split.valid, split.test), (vec![2], vec![0], vec![1]));
    assert_eq!((split.protocol.as_str(), split.seed), ("column:fold", 0));
    for (from, value) in [("Validation", "fold2"), ("Validation", "")] {
        let (code, text) = refused(text.replace(from, value), |table| table.parts = Some("fold".to_owned()));
        assert_eq!(code, "E-DATA-027");
        assert!(text.contains(&format!("row 2 (line 3), column \"fold\": \"{value}\"")), "{text}");
    }
}

#[test]
fn without_rows_for_validation_some_are_taken_from_training() {
    let rows = ["C,1,train\n".repeat(30), "C,1,test\n".repeat(10)].concat();
    let own = own(format!("smiles,a,fold\n{rows}"), |table| table.parts = Some("fold".to_owned())).unwrap();
    let parts = own.datasets[0].parts.as_ref().unwrap();
    assert!(!parts.has_valid());
    let scaffolds: Vec<String> = (0..40).map(|row| row.to_string()).collect();
    let split = parts.split(&(1..=40).collect::<Vec<_>>(), &scaffolds, 0);
    assert_eq!((split.train.len(), split.valid.len(), split.test.len()), (27, 3, 10));
    assert!(split.valid.iter().all(|&row| row < 30 && !split.train.contains(&row)));
    assert_ne!(split.valid, parts.split(&(1..=40).collect::<Vec<_>>(), &scaffolds, 1).valid);
}

#[test]
fn an_own_table_hides_no_dataset_of_the_same_name() {
    let mut catalog = Catalog::builtin().unwrap();
    let mut own = own("smiles,a\nCC,1\nCCC,0\n", |_| ()).unwrap();
    own.datasets[0].manifest.id = "toxcast".to_owned();
    let id = catalog.insert_own(own.datasets.remove(0));
    assert_eq!(id, "toxcast-own");
    assert_eq!(catalog.get("toxcast").unwrap().table.rows, 8576);
    let dataset = catalog.dataset(&id, Path::new("nowhere")).unwrap();
    assert_eq!((dataset.id.as_str(), dataset.len()), ("toxcast-own", 2));
    assert_eq!(catalog.own_files().count(), 1);
}

#[test]
fn names_of_files_become_ids() {
    for (name, id) in
        [("a/My Set (2).csv.gz", "my-set--2"), ("x.parquet", "x"), ("é.csv", "own"), ("tox_21.TSV", "tox_21")]
    {
        assert_eq!(id_of(Path::new(name)), id);
    }
}
