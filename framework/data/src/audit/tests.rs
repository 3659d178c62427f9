use super::*;
use crate::dataset::Dataset;

/// Parts of rows, in the order of the rows.
const TRAIN: Part = Part::Train;
const VALID: Part = Part::Valid;
const TEST: Part = Part::Test;

/// Molecules of different skeletons and scaffolds, for tables without findings.
const DIFFERENT: [&str; 12] = [
    "c1ccccc1C",
    "C1CCCCC1O",
    "c1ccncc1CC",
    "C1CCNC1C(=O)C",
    "c1ccsc1Cl",
    "C1CCOC1CCO",
    "c1ccc2ccccc2c1F",
    "C1CCCC(=O)C1CC",
    "c1cnc2ccccc2n1",
    "C1CC1CCN",
    "c1ccoc1CO",
    "C1CCC2CCCCC2C1",
];

fn dataset(smiles: &[&str], task_type: TaskType, tasks: &[(&str, Vec<f32>)]) -> PreparedDataset {
    let label = |row: usize| tasks.iter().map(move |(_, labels)| labels[row]);
    PreparedDataset::new(Dataset {
        id: "made-up".into(),
        title: "Made up".into(),
        smiles: smiles.iter().map(ToString::to_string).collect(),
        tasks: tasks.iter().map(|(name, _)| (*name).to_owned()).collect(),
        units: vec![None; tasks.len()],
        task_type,
        labels: (0..smiles.len()).flat_map(label).collect(),
        sha256: String::new(),
        rows: (1..=smiles.len()).collect(),
    })
    .unwrap()
}

fn split(parts: &[Part]) -> Split {
    let of = |part| (0..parts.len()).filter(|&row| parts[row] == part).collect();
    Split { protocol: "made-up".into(), seed: 0, train: of(TRAIN), valid: of(VALID), test: of(TEST) }
}

/// The audit of molecules without labels that matter.
fn audit(rows: &[(&str, Part)]) -> Audit {
    let smiles: Vec<&str> = rows.iter().map(|(smiles, _)| *smiles).collect();
    let parts: Vec<Part> = rows.iter().map(|(_, part)| *part).collect();
    let prepared = dataset(&smiles, TaskType::Classification, &[("t", vec![f32::NAN; smiles.len()])]);
    Audit::new(&prepared, &split(&parts), &[])
}

fn of_kind(audit: &Audit, kind: TwinKind) -> &TwinsOfKind {
    audit.twins.kinds.iter().find(|found| found.kind == kind).unwrap()
}

/// The pairs of each kind that has any.
fn pairs(audit: &Audit) -> Vec<(TwinKind, u64)> {
    let count = |kind: &TwinsOfKind| (kind.kind, kind.pairs.within() + kind.pairs.across());
    audit.twins.kinds.iter().map(count).filter(|(_, pairs)| *pairs > 0).collect()
}

#[test]
fn a_planted_twin_of_each_kind_is_found_as_that_kind() {
    let cases = [
        (TwinKind::Repeat, "c1ccccc1CCO", "c1ccccc1CCO", true),
        (TwinKind::Spelling, "c1ccccc1CCO", "OCCC1=CC=CC=C1", true),
        (TwinKind::Spelling, "C[N+](=O)[O-]", "CN(=O)=O", true),
        (TwinKind::Isotope, "CCCO", "[13CH3]CCO", true),
        (TwinKind::Isotope, "c1ccccc1", "[2H]c1ccccc1", true),
        (TwinKind::Stereoisomer, "N[C@@H](C)C(=O)O", "N[C@H](C)C(=O)O", true),
        (TwinKind::Stereoisomer, "N[C@@H](C)C(=O)O", "NC(C)C(=O)O", true),
        (TwinKind::Stereoisomer, "F/C=C/Cl", "F/C=C\\Cl", true),
        // InChI unites these tautomers.
        (TwinKind::Tautomer, "Oc1ccccn1", "O=c1cccc[nH]1", true),
        (TwinKind::Tautomer, "Cc1c[nH]cn1", "Cc1cnc[nH]1", true),
        // And not a ketone and its enol.
        (TwinKind::Tautomer, "CC(=O)CC(C)=O", "CC(O)=CC(C)=O", false),
        (TwinKind::Charge, "CCCC(=O)O", "CCCC(=O)[O-]", true),
        (TwinKind::Charge, "NCC(=O)O", "[NH3+]CC(=O)[O-]", true),
        (TwinKind::Salt, "CCCCN", "CCCCN.Cl", false),
        (TwinKind::Salt, "CCCCN.Br", "CCCC[NH3+].[Cl-]", false),
        (TwinKind::Salt, "CCCC(=O)O", "CCCC(=O)[O-].[Na+]", false),
        (TwinKind::Salt, "CN(C)C(=N)NC(=N)N.Cc1ccc(cc1)S(=O)(=O)O", "CN(C)C(=N)NC(=N)N.Cl", false),
    ];
    for (kind, one, other, same_identity) in cases {
        let audit = audit(&[(one, TRAIN), ("c1ccncc1", VALID), (other, TEST)]);
        assert_eq!(pairs(&audit), [(kind, 1)], "{one} {other}");
        let found = of_kind(&audit, kind);
        let expected = PairCounts { train_test: 1, ..PairCounts::default() };
        assert_eq!((found.pairs, found.test_rows), (expected, 1), "{one} {other}");
        let example = &found.examples[0];
        assert_eq!((example.rows, example.parts), ([1, 3], [TRAIN, TEST]));
        assert_eq!(example.smiles, [one, other]);
        assert_eq!(audit.twins.test_rows_with_training_twin, usize::from(same_identity), "{one} {other}");
        assert_eq!(audit.contamination().twin_rows, usize::from(same_identity));
        assert!(audit.has_twins_across_parts_or_conflicts(), "{one} {other}");
    }
}

#[test]
fn molecules_that_are_no_twins_are_not_counted() {
    for (one, other) in [
        ("CCO", "COC"),
        ("Cc1ccccc1C", "Cc1cccc(C)c1"),
        ("CCCN.Cl", "CCCO.Cl"),
        ("CCCN.Cc1ccc(cc1)S(=O)(=O)O", "CCCO.Cc1ccc(cc1)S(=O)(=O)O"),
        ("CCC(=O)C", "CCCC=O"),
        ("[Na+].[Cl-]", "[K+].[Cl-]"),
    ] {
        let audit = audit(&[(one, TRAIN), (other, TEST)]);
        assert_eq!(pairs(&audit), [], "{one} {other}");
        assert!(!audit.has_twins_across_parts_or_conflicts(), "{one} {other}");
    }
}

#[test]
fn pairs_are_counted_by_part_and_each_once() {
    let audit = audit(&[
        ("CCO", TRAIN),
        ("OCC", TRAIN),
        ("CCO", TEST),
        ("C(O)C", VALID),
        ("CCO", TEST),
        ("c1ccccc1", TEST),
        ("CCO.O", TEST),
    ]);
    let repeat = of_kind(&audit, TwinKind::Repeat).pairs;
    assert_eq!(repeat, PairCounts { train_test: 2, test: 1, ..PairCounts::default() });
    // Rows 1 to 5 make ten pairs, of which three are repeats.
    let spelling = of_kind(&audit, TwinKind::Spelling).pairs;
    let expected =
        PairCounts { train: 1, train_valid: 2, train_test: 2, valid_test: 2, ..PairCounts::default() };
    assert_eq!(spelling, expected);
    let salt = of_kind(&audit, TwinKind::Salt).pairs;
    assert_eq!(salt, PairCounts { train_test: 2, valid_test: 1, test: 2, ..PairCounts::default() });
    let rows: Vec<usize> = audit.twins.kinds.iter().map(|kind| kind.test_rows).collect();
    assert_eq!(rows, [2, 0, 0, 0, 0, 0, 1], "a test row counts under its closest kind");
    assert_eq!((audit.twins.test_rows_with_training_twin, audit.twins.share), (2, 0.5));
    assert_eq!(audit.twins.distinct, 3);
    assert_eq!(of_kind(&audit, TwinKind::Salt).examples.len(), 1, "one example for a molecule");
}

#[test]
fn examples_are_capped_and_counts_are_not() {
    let smiles: Vec<String> = (0..15).map(|length| format!("{}O", "C".repeat(length + 1))).collect();
    let mut rows: Vec<(&str, Part)> = smiles.iter().map(|text| (text.as_str(), VALID)).collect();
    rows.extend(
        smiles.iter().map(|text| (text.as_str(), if text == "CCCCCCCCCCCCCCCO" { TEST } else { VALID })),
    );
    rows[14].1 = TRAIN;
    let audit = audit(&rows);
    let repeat = of_kind(&audit, TwinKind::Repeat);
    assert_eq!((repeat.pairs.valid, repeat.pairs.train_test, repeat.examples.len()), (14, 1, EXAMPLES));
    assert_eq!(repeat.examples[0].rows, [15, 30], "what leaks is shown first");
    assert_eq!(audit.twins.examples_at_most, EXAMPLES);
}

#[test]
fn conflicting_classes_are_counted_by_task() {
    let nan = f32::NAN;
    let prepared = dataset(
        &["N[C@@H](C)C(=O)O", "CCO", "N[C@H](C)C(=O)O", "OCC", "c1ccccc1"],
        TaskType::Classification,
        &[("a", vec![1.0, 0.0, 0.0, 0.0, 1.0]), ("b", vec![1.0, nan, nan, 1.0, 0.0])],
    );
    let conflicts = Audit::new(&prepared, &split(&[TRAIN, TRAIN, TEST, VALID, TEST]), &[]).conflicts;
    assert_eq!((conflicts.molecules, conflicts.tasks.len()), (1, 1));
    let task = &conflicts.tasks[0];
    assert_eq!((task.task.as_str(), task.repeated, task.conflicting), ("a", 2, 1));
    assert_eq!(task.examples, [ConflictExample { rows: [3, 1], labels: [0.0, 1.0] }]);
}

#[test]
fn numbers_conflict_beyond_half_a_deviation() {
    let smiles = ["CCO", "OCC", "c1ccccc1", "C1=CC=CC=C1", "CCN", "CCC"];
    // The deviation of these labels is 4.39.
    let labels = vec![0.0, 2.0, 5.0, 8.0, -4.0, 6.0];
    let prepared = dataset(&smiles, TaskType::Regression, &[("y", labels)]);
    let parts = [TRAIN, TEST, TRAIN, TEST, TRAIN, VALID];
    let conflicts = Audit::new(&prepared, &split(&parts), &[]).conflicts;
    assert_eq!(conflicts.threshold_in_deviations, 0.5);
    assert_eq!((conflicts.molecules, conflicts.tasks[0].repeated, conflicts.tasks[0].conflicting), (1, 2, 1));
    assert_eq!(conflicts.tasks[0].examples[0].rows, [3, 4]);
}

#[test]
fn columns_that_repeat_each_other_are_found() {
    let nan = f32::NAN;
    let a = vec![1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0];
    let mut equal = a.clone();
    equal[11] = nan;
    let complement: Vec<f32> = a.iter().map(|label| 1.0 - label).collect();
    let mut other = a.clone();
    other[3] = 1.0;
    let rare = vec![0.0; 12];
    let tasks =
        [("a", a), ("equal", equal), ("not", complement), ("other", other), ("r", rare.clone()), ("s", rare)];
    let prepared = dataset(&DIFFERENT, TaskType::Classification, &tasks);
    let columns = Audit::new(&prepared, &split(&[TRAIN; 12]), &[]).columns;
    let found: Vec<_> =
        columns.same.iter().map(|same| (same.tasks.join(" "), same.relation, same.rows)).collect();
    assert_eq!(
        found,
        [
            ("a equal".to_owned(), ColumnRelation::Equal, 11),
            ("a not".to_owned(), ColumnRelation::Complement, 12),
            ("equal not".to_owned(), ColumnRelation::Complement, 11),
        ]
    );
    assert_eq!(columns.same[0].rows_of_either, 12);
    assert_eq!(columns.compared, 6, "columns of one class say nothing of one another");
}

#[test]
fn columns_with_few_common_rows_are_not_compared() {
    let smiles: Vec<String> =
        (0..36).map(|row| format!("{}{}", "C".repeat(row / 12), DIFFERENT[row % 12])).collect();
    let smiles: Vec<&str> = smiles.iter().map(String::as_str).collect();
    let label = |row: usize| (row % 2) as f32;
    let first = (0..36).map(|row| if row < 24 { label(row) } else { f32::NAN }).collect();
    let last = (0..36).map(|row| if row >= 12 { label(row) } else { f32::NAN }).collect();
    let more = (0..36).map(|row| if row >= 6 { label(row) } else { f32::NAN }).collect();
    let tasks = [("first", first), ("last", last), ("more", more)];
    let prepared = dataset(&smiles, TaskType::Classification, &tasks);
    let columns = Audit::new(&prepared, &split(&[TRAIN; 36]), &[]).columns;
    // 12, 18 and 24 rows are common, of 36, 36 and 30.
    assert_eq!(columns.compared, 2);
    assert_eq!(columns.same[0].tasks, ["first", "more"]);
}

#[test]
fn numbers_in_another_unit_repeat_a_column() {
    let y: Vec<f32> = (0..12).map(|row| ((row * row) % 7) as f32).collect();
    let scaled: Vec<f32> = y.iter().map(|label| 3.0 - 0.1 * label).collect();
    let mut other = y.clone();
    other[5] += 0.5;
    let tasks = [("y", y.clone()), ("scaled", scaled), ("other", other), ("copy", y)];
    let prepared = dataset(&DIFFERENT, TaskType::Regression, &tasks);
    let columns = Audit::new(&prepared, &split(&[TRAIN; 12]), &[]).columns;
    let found: Vec<_> = columns.same.iter().map(|same| (same.tasks.join(" "), same.relation)).collect();
    assert_eq!(
        found,
        [
            ("y scaled".to_owned(), ColumnRelation::Linear),
            ("y copy".to_owned(), ColumnRelation::Equal),
            ("scaled copy".to_owned(), ColumnRelation::Linear),
        ]
    );
}

#[test]
fn thin_tasks_are_listed() {
    let smiles: Vec<&str> = DIFFERENT.to_vec();
    let ones = |count: usize| (0..12).map(|row| f32::from(u8::from(row < count))).collect::<Vec<f32>>();
    let tasks = [("even", ones(5)), ("thin", ones(4)), ("single", ones(12)), ("none", vec![f32::NAN; 12])];
    let prepared = dataset(&smiles, TaskType::Classification, &tasks);
    let thin = Audit::new(&prepared, &split(&[TEST; 12]), &[]).thin;
    let found: Vec<_> =
        thin.tasks.iter().map(|task| (task.task.as_str(), task.labels, task.rarer_class)).collect();
    assert_eq!(found, [("thin", 12, Some(4)), ("single", 12, Some(0)), ("none", 0, Some(0))]);
    assert_eq!((thin.rows_below, thin.without_score), (5, 2));
    // Only the test part counts.
    let mut parts = [TEST; 12];
    parts[0] = TRAIN;
    let thin = Audit::new(&prepared, &split(&parts), &[]).thin;
    assert_eq!(thin.tasks[0].task, "even");

    let labels = |count: usize| (0..12).map(|row| if row < count { row as f32 } else { f32::NAN }).collect();
    let prepared = dataset(&smiles, TaskType::Regression, &[("ten", labels(10)), ("nine", labels(9))]);
    let thin = Audit::new(&prepared, &split(&[TEST; 12]), &[]).thin;
    assert_eq!((thin.tasks.len(), thin.tasks[0].task.as_str(), thin.rows_below), (1, "nine", 10));
}

#[test]
fn scaffolds_in_several_parts_are_counted_without_molecules_that_have_no_ring() {
    let scaffolds = audit(&[
        ("c1ccccc1CO", TRAIN),
        ("CCCO", TRAIN),
        ("CCCN", TEST),
        ("c1ccccc1CCN", TEST),
        ("Cc1ccccc1F", TEST),
        ("C1CCCCC1", TEST),
        ("C1CCCCC1C", VALID),
        ("c1ccncc1", VALID),
    ])
    .scaffolds;
    assert_eq!((scaffolds.distinct, scaffolds.straddling, scaffolds.acyclic), (3, 2, [1, 0, 1]));
    let overlaps: Vec<_> = scaffolds
        .overlaps
        .iter()
        .map(|found| (found.part, found.with, found.cyclic_rows, found.shared_rows, found.shared_scaffolds))
        .collect();
    assert_eq!(overlaps, [(TEST, TRAIN, 3, 2, 1), (VALID, TRAIN, 2, 0, 0), (TEST, VALID, 3, 1, 1)]);
    // Stereoisomers have two scaffolds with stereo, and one without.
    let stereo =
        audit(&[("C[C@H]1CC[C@@H](c2ccccc2)C1", TRAIN), ("C[C@H]1CC[C@H](c2ccccc2)C1", TEST), ("CCC", TEST)]);
    let found = &stereo.scaffolds.overlaps[0];
    assert_eq!((found.cyclic_rows, found.shared_rows_without_stereo), (1, 1));
}

#[test]
fn neighbours_are_those_in_the_training_part() {
    let neighbours =
        audit(&[("CCCCO", TRAIN), ("c1ccccc1", VALID), ("OCCCC", TEST), ("c1ccccc1", TEST)]).neighbours;
    assert_eq!(neighbours.rows, 2);
    assert_eq!((neighbours.deciles[0], neighbours.deciles[10], neighbours.mean), (0.0, 1.0, Some(0.5)));
    let shares: Vec<f64> = neighbours.at_least.iter().map(|level| level.share).collect();
    assert_eq!(shares, [0.5; 4]);
    let nothing = audit(&[("CCCCO", VALID), ("OCCCC", TEST)]).neighbours;
    assert_eq!((nothing.rows, nothing.mean, nothing.deciles.len()), (0, None, 0));
}

#[test]
fn a_corpus_is_compared_by_identity_and_by_the_names_of_assays() {
    let smiles = ["N[C@@H](C)C(=O)O", "CCO", "CCCN.Cl", "c1ccccc1", "CCCC"];
    let prepared =
        dataset(&smiles, TaskType::Classification, &[("AhR", vec![1.0; 5]), ("p53", vec![0.0; 5])]);
    let declared = Some(vec!["ahr".to_owned(), "hERG".to_owned()]);
    let corpus = ["C(", "OCC", "N[C@H](C)C(=O)O", "C1=CC=CC=C1", "c1ccccc1", "CCCN"];
    let corpora = [
        Corpus::new("with", &corpus, declared, &mut |_| {}),
        Corpus::new("without", &["CCCCCCCC"], None, &mut |_| {}),
    ];
    let audit = Audit::new(&prepared, &split(&[TEST, VALID, TEST, TRAIN, TEST]), &corpora);
    let found = &audit.corpora[0];
    assert_eq!((found.rows, found.unreadable, found.distinct), (6, 1, 4));
    assert_eq!((found.train_rows, found.valid_rows, found.test_rows), (1, 1, 1));
    assert_eq!(found.examples, [[1, 3]]);
    assert_eq!(found.assays, Some(AssayOverlap { declared: 2, shared: vec!["AhR".to_owned()] }));
    assert_eq!((audit.corpora[1].test_rows, &audit.corpora[1].assays), (0, &None));
    let contamination = audit.contamination();
    assert_eq!(contamination.corpora, [("with".to_owned(), 1.0 / 3.0), ("without".to_owned(), 0.0)]);
    assert_eq!((contamination.test_rows, contamination.twin_share), (3, 0.0));
}

#[test]
fn a_clean_table_has_no_findings() {
    let labels = |modulus: usize| (0..36).map(|row| f32::from(u8::from(row % modulus == 0))).collect();
    let smiles: Vec<String> =
        (0..36).map(|row| format!("{}{}", "C".repeat(row / 12), DIFFERENT[row % 12])).collect();
    let smiles: Vec<&str> = smiles.iter().map(String::as_str).collect();
    let prepared = dataset(&smiles, TaskType::Classification, &[("a", labels(2)), ("b", labels(3))]);
    // A scaffold is in one part.
    let parts: Vec<Part> = (0..36).map(|row| [TRAIN, TEST, TEST, VALID][row % 4]).collect();
    let audit = Audit::new(&prepared, &split(&parts), &[]);
    assert_eq!(pairs(&audit), []);
    assert_eq!((audit.twins.distinct, audit.twins.test_rows_with_training_twin), (36, 0));
    assert_eq!((audit.conflicts.molecules, audit.columns.same.len(), audit.columns.compared), (0, 0, 1));
    assert_eq!((audit.scaffolds.straddling, audit.thin.tasks.len()), (0, 0));
    assert!(audit.neighbours.at_least[3].rows == 0 && audit.unreadable_rows.is_empty());
    assert!(!audit.has_twins_across_parts_or_conflicts());
}

#[test]
fn rows_that_cannot_be_read_are_listed_and_rows_are_those_of_the_file() {
    let smiles = ["C(", "CCO", "c1ccccc1", "OCC"];
    let prepared = dataset(&smiles, TaskType::Classification, &[("t", vec![0.0; 4])]);
    let audit = Audit::new(&prepared, &split(&[TRAIN, VALID, TEST]), &[]);
    assert_eq!(audit.unreadable_rows, [1]);
    assert_eq!(of_kind(&audit, TwinKind::Spelling).examples[0].rows, [2, 4]);
}
