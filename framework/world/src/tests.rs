mod graph;

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::path::Path;

use molarena_data::context::ContextManifest;
use molarena_data::{Catalog, Dataset, FileState, Manifest, PreparedDataset, Protocol};
use molarena_data::{sha256_file, verify, verify_context};
use molarena_metrics::Metric;

use crate::assays;
use crate::parameters::Parameters;
use crate::simulate::{Simulated, simulate, simulate_builtin, simulate_builtin_context};

const SMALL: Parameters = Parameters {
    seed: 0,
    molecules: 60,
    context_molecules: 50,
    genes: 40,
    expression_columns: 20,
    morphology_columns: 10,
    expression_profiles: 45,
    morphology_profiles: 130,
    gene_edges: 60,
    batches: 3,
};

fn make(parameters: Parameters, folder: &Path) -> Simulated {
    simulate(&parameters, folder, false, &mut |_| ()).unwrap()
}

/// The digests of a world's data files by name.
fn digests(parameters: Parameters) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let simulated = make(parameters, folder.path());
    let [classes, values] = simulated.manifests;
    let name = |path: &str| path.replacen(&parameters.id(), "world", 1);
    let files = classes.files.iter().chain([values.assays()]);
    files.map(|file| (name(&file.path), file.sha256.clone())).collect()
}

/// The texts of one column of a table.
fn column(folder: &Path, name: &str, column: &str) -> Vec<String> {
    let mut table = csv::Reader::from_path(folder.join(name)).unwrap();
    let column = table.headers().unwrap().iter().position(|header| header == column).unwrap();
    table.records().map(|record| record.unwrap()[column].to_owned()).collect()
}

/// Rows, columns and values of a matrix.
fn matrix(folder: &Path, name: &str) -> (usize, usize, Vec<f32>) {
    let mut archive = zip::ZipArchive::new(fs_err::File::open(folder.join(name)).unwrap()).unwrap();
    let mut bytes = Vec::new();
    archive.by_name("data.npy").unwrap().read_to_end(&mut bytes).unwrap();
    let end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..end]).unwrap();
    let (_, shape) = header.split_once("'shape': (").unwrap();
    let mut shape = shape.split([',', ')']).map(|number| number.trim().parse::<usize>());
    let values = bytes[end..].chunks_exact(4).map(|value| f32::from_le_bytes(value.try_into().unwrap()));
    (shape.next().unwrap().unwrap(), shape.next().unwrap().unwrap(), values.collect())
}

/// The default world, made once.
fn demo() -> &'static (tempfile::TempDir, Simulated) {
    static DEMO: std::sync::OnceLock<(tempfile::TempDir, Simulated)> = std::sync::OnceLock::new();
    DEMO.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let simulated = make(Parameters::DEMO, folder.path());
        (folder, simulated)
    })
}

#[test]
fn the_default_world_has_the_bytes_of_the_built_in_manifests() {
    let (folder, simulated) = demo();
    let builtin = Catalog::builtin().unwrap();
    for made in &simulated.manifests {
        let manifest = builtin.get(&made.id).unwrap();
        let changed: Vec<_> =
            verify(manifest, folder.path()).into_iter().filter(|file| file.state != FileState::Ok).collect();
        assert!(
            changed.is_empty(),
            "if that is meant, copy {}/dataset.toml to datasets: {changed:#?}",
            made.id
        );
        assert_eq!(manifest, made);
        let beside = Manifest::load(&folder.path().join(&made.id).join("dataset.toml")).unwrap();
        assert_eq!((beside.simulated, beside.files), (true, made.files.clone()));
    }
    let made = &simulated.context;
    let hint = "if that is meant, copy demo-context/context.toml to datasets";
    assert_eq!(builtin.context("demo-context").unwrap(), made, "{hint}");
    assert!(verify_context(made, folder.path()).iter().all(|file| file.state == FileState::Ok));
    let beside = ContextManifest::load(&folder.path().join("demo-context/context.toml")).unwrap();
    assert_eq!((beside.id.as_str(), beside.files), ("demo-context", made.files.clone()));
}

#[test]
fn the_seed_and_nothing_else_decides_the_bytes() {
    let in_pool = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| digests(SMALL))
    };
    let first = in_pool(1);
    assert_eq!(first.len(), 18);
    assert_eq!(first, in_pool(3));
    let other = digests(Parameters { seed: 1, ..SMALL });
    let same: Vec<&String> = first.keys().filter(|name| first[*name] == other[*name]).collect();
    // Names of genes and columns are not drawn.
    assert_eq!(same, ["world/expression_genes.csv", "world/genes.csv", "world/morphology.features.txt"]);
}

#[test]
fn molecules_are_read_unique_and_split_by_scaffold() {
    let (folder, simulated) = demo();
    let mut smiles = Vec::new();
    for manifest in &simulated.manifests {
        let prepared = PreparedDataset::new(Dataset::load(manifest, folder.path()).unwrap()).unwrap();
        assert!(prepared.failures.is_empty());
        assert_eq!(prepared.molecules.len(), 600);
        let identities: HashSet<String> =
            prepared.molecules.iter().map(molarena_chem::Molecule::identity).collect();
        assert_eq!(identities.len(), 600);
        let split = prepared.split(Protocol::Scaffold, 0).unwrap();
        assert_eq!((split.straddling(&prepared.scaffolds), split.test.len()), (0, 60));
        smiles.push(prepared.dataset.smiles);
    }
    assert_eq!(smiles[0], smiles[1], "both datasets have the same molecules");
}

#[test]
fn classes_are_balanced_labels_missing_and_truth_predicts_them() {
    let (folder, simulated) = demo();
    let dataset = Dataset::load(&simulated.manifests[0], folder.path()).unwrap();
    let missing =
        dataset.labels.iter().filter(|label| label.is_nan()).count() as f64 / dataset.labels.len() as f64;
    assert!((missing - assays::MISSING).abs() < 0.02, "{missing}");
    for (task, name) in dataset.tasks.iter().enumerate() {
        let truth = column(folder.path(), "demo/truth.csv", name);
        let (labels, truth): (Vec<f32>, Vec<f32>) = (0..dataset.len())
            .filter_map(|row| Some((dataset.label(row, task)?, truth[row].parse::<f32>().unwrap())))
            .unzip();
        let share = labels.iter().filter(|label| **label == 1.0).count() as f64 / labels.len() as f64;
        assert!((0.15..=0.6).contains(&share), "{name}: {share}");
        let auc = Metric::RocAuc.compute(&labels, &truth).unwrap();
        assert!((0.84..0.99).contains(&auc), "{name}: {auc}");
    }
    let dataset = Dataset::load(&simulated.manifests[1], folder.path()).unwrap();
    for (task, name) in dataset.tasks.iter().enumerate() {
        let truth = column(folder.path(), "demo/truth.csv", name);
        let (labels, truth): (Vec<f32>, Vec<f32>) = (0..dataset.len())
            .filter_map(|row| Some((dataset.label(row, task)?, truth[row].parse::<f32>().unwrap())))
            .unzip();
        let r2 = Metric::R2.compute(&labels, &truth).unwrap();
        // 1 / (1 + 0.4^2) = 0.86 where the signal's variance is 1.
        assert!((0.75..0.95).contains(&r2), "{name}: {r2}");
        assert!(dataset.units[task].is_some());
    }
}

#[test]
fn sizes_hold_and_no_id_dangles() {
    let folder = tempfile::tempdir().unwrap();
    make(SMALL, folder.path());
    let world = folder.path().join(SMALL.id());
    let molecules: HashSet<String> = column(&world, "molecules.csv", "mol_id").into_iter().collect();
    assert_eq!(molecules.len(), 56);
    let genes: HashSet<String> = column(&world, "genes.csv", "entrez_gene_id").into_iter().collect();
    assert_eq!(genes.len(), 40);
    assert_eq!(column(&world, "expression_genes.csv", "column").len(), 20);
    assert_eq!(fs_err::read_to_string(world.join("morphology.features.txt")).unwrap().lines().count(), 10);
    let mut edges = 0;
    for (name, id, rows, columns) in
        [("expression", "expression_id", 45, 20), ("morphology", "morphology_id", 130, 10)]
    {
        let csv = format!("{name}.csv");
        let ids: HashSet<String> = column(&world, &csv, id).into_iter().collect();
        let of = column(&world, &csv, "mol_id");
        assert_eq!((ids.len(), of.len()), (rows, rows));
        assert!(of.iter().all(|molecule| molecules.contains(molecule)));
        let (found, width, values) = matrix(&world, &format!("{name}.npz"));
        assert_eq!((found, width, values.len()), (rows, columns, rows * columns));
        assert!(values.iter().all(|value| value.is_finite()));
        let (found, width, _) = matrix(&world, &format!("{name}-profiles.npz"));
        assert_eq!((found, width), (60, columns));
        edges += rows;
    }
    let pairs = column(&world, "edges-molecule-gene.csv", "mol_id").into_iter();
    let pairs: HashSet<(String, String)> =
        pairs.zip(column(&world, "edges-molecule-gene.csv", "entrez_gene_id")).collect();
    assert!(pairs.iter().all(|(molecule, gene)| molecules.contains(molecule) && genes.contains(gene)));
    let of_genes = column(&world, "edges-gene-gene.csv", "source").into_iter();
    let of_genes: HashSet<(String, String)> =
        of_genes.zip(column(&world, "edges-gene-gene.csv", "target")).collect();
    assert!(of_genes.iter().all(|(one, other)| genes.contains(one) && genes.contains(other) && one != other));
    assert_eq!((pairs.len(), of_genes.len()), (45 * 3, 60));
    assert_eq!(edges + pairs.len() + of_genes.len(), SMALL.edges());
    assert_eq!(molecules.len() + genes.len() + 175, SMALL.nodes());
}

#[test]
fn the_context_shares_a_tenth_of_the_labelled_molecules_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let simulated = make(SMALL, folder.path());
    let labelled: HashSet<String> =
        Dataset::load(&simulated.manifests[0], folder.path()).unwrap().smiles.into_iter().collect();
    let world = folder.path().join(SMALL.id());
    let smiles = column(&world, "molecules.csv", "smiles");
    assert_eq!(smiles.iter().filter(|smiles| labelled.contains(*smiles)).count(), 6);
    let identities = column(&world, "molecules.csv", "inchikey14");
    assert!(identities.iter().all(|identity| identity.len() == 14));
    assert_eq!(identities.into_iter().collect::<HashSet<_>>().len(), 56);
}

#[test]
fn matrices_follow_their_tables() {
    let folder = tempfile::tempdir().unwrap();
    make(Parameters { morphology_profiles: 4_000, ..SMALL }, folder.path());
    let id = Parameters { morphology_profiles: 4_000, ..SMALL }.id();
    let world = folder.path().join(id);
    let (_, width, values) = matrix(&world, "morphology.npz");
    let mut sums = BTreeMap::<String, (Vec<f64>, f64)>::new();
    for (batch, row) in column(&world, "morphology.csv", "batch").into_iter().zip(values.chunks(width)) {
        let (sum, count) = sums.entry(batch).or_insert_with(|| (vec![0.0; width], 0.0));
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        *count += 1.0;
    }
    let means: Vec<Vec<f64>> =
        sums.into_values().map(|(sum, count)| sum.iter().map(|sum| sum / count).collect()).collect();
    assert_eq!(means.len(), 3);
    let spread = |column: usize| (means[0][column] - means[1][column]).abs();
    // Shifts of two batches differ by 0.8 sqrt(2) or so; by chance, means of 1,300 rows differ by 0.06.
    assert!((0..width).filter(|column| spread(*column) > 0.25).count() > width / 2);
}

#[test]
fn other_files_are_not_replaced_unless_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let first = make(SMALL, folder.path());
    assert!(first.files.iter().all(|file| file.new));
    assert!(make(SMALL, folder.path()).files.iter().all(|file| !file.new));
    let touched = folder.path().join(SMALL.id()).join("truth.csv");
    let before = sha256_file(&touched).unwrap();
    fs_err::write(&touched, "mine").unwrap();
    let error = simulate(&SMALL, folder.path(), false, &mut |_| ()).unwrap_err();
    assert_eq!(error.code(), "E-DATA-031");
    assert!(error.to_string().contains("truth.csv"), "{error}");
    assert_eq!(fs_err::read_to_string(&touched).unwrap(), "mine");
    let again = simulate(&SMALL, folder.path(), true, &mut |_| ()).unwrap();
    assert_eq!(again.files.iter().filter(|file| file.new).count(), 1);
    assert_eq!(sha256_file(&touched).unwrap(), before);
    let names: Vec<_> =
        fs_err::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().ends_with(".part")), "{names:?}");
}

#[test]
fn built_in_worlds_are_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let builtin = Catalog::builtin().unwrap();
    let manifest = builtin.get("demo-regression").unwrap();
    assert!(simulate_builtin(manifest, folder.path(), &mut |_| ()).unwrap().iter().all(|file| file.new));
    let again = simulate_builtin(manifest, folder.path(), &mut |_| unreachable!("nothing to do")).unwrap();
    assert!(again.iter().all(|file| !file.new));
    let context = builtin.context("demo-context").unwrap();
    let again =
        simulate_builtin_context(context, folder.path(), &mut |_| unreachable!("nothing to do")).unwrap();
    assert!(again.iter().all(|file| !file.new));
    let other = make(Parameters { seed: 9, ..SMALL }, folder.path());
    let error = simulate_builtin_context(&other.context, folder.path(), &mut |_| ()).unwrap_err();
    assert_eq!(error.code(), "E-DATA-032");
    let error = simulate_builtin(&other.manifests[0], folder.path(), &mut |_| ()).unwrap_err();
    assert_eq!(error.code(), "E-DATA-032");
    let error = simulate_builtin(builtin.get("chembl2k").unwrap(), folder.path(), &mut |_| ()).unwrap_err();
    assert_eq!(error.code(), "E-DATA-032");
}
