//! The layout in which the `InfoAlign` authors published their graph, on a small folder.

use std::collections::BTreeSet;
use std::path::Path;

use crate::catalog::Catalog;
use crate::context::{ContextGraph, ContextManifest, EdgeKind, NodeKind};
use crate::fetch::{Origin, fetch_context};
use crate::npz::MatrixWriter;
use crate::verify::{FileState, verify_context};

/// The built-in manifest, with narrow matrices.
fn manifest() -> ContextManifest {
    let mut manifest = Catalog::builtin().unwrap().context("infoalign-data").unwrap().clone();
    let widths = [1783, 966, 1111, 862, 978];
    assert_eq!(manifest.spaces.iter().map(|space| space.columns).collect::<Vec<_>>(), widths);
    for (space, columns) in manifest.spaces.iter_mut().zip([3, 2, 2, 1, 4]) {
        space.columns = columns;
    }
    manifest
}

fn write(folder: &Path) {
    let folder = folder.join("infoalign-data/pretrain_raw");
    fs_err::create_dir_all(&folder).unwrap();
    let gzip = |name: &str, text: &str| {
        let file = fs_err::File::create(folder.join(name)).unwrap();
        let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
        encoder.finish().unwrap();
    };
    let matrix = |name: &str, columns: usize, values: &[f32]| {
        let mut writer = MatrixWriter::create(&folder.join(name), values.len() / columns, columns).unwrap();
        writer.write(values).unwrap();
        writer.finish().unwrap();
    };
    // An id that occurs twice.
    gzip("structure.csv.gz", "mol_id,smiles\nA,CCO\nB,CCN\nA,CCO\nC,c1ccccc1O\n");
    gzip("CP-Bray.csv.gz", "cell_bid,mol_id\nb1,A\nb2,B\n");
    matrix("CP-Bray_feature.npz", 3, &[1.0, 2.0, 3.0, 3.0, 2.0, 1.0]);
    gzip("CP-JUMP.csv.gz", "cell_jid,mol_id\nj1,A\nj2,C\n");
    matrix("CP-JUMP_feature.npz", 2, &[1.0, f32::NAN, 2.0, 5.0]);
    // A gene with two rows, one without a molecule, and a gene in both screens.
    gzip("G-CRISPR.csv.gz", "ncbi_gene_id,mol_id\n7,A\n7,\n8,\n");
    matrix("G-CRISPR_feature.npz", 2, &[1.0, 0.0, 9.0, 9.0, 2.0, 4.0]);
    gzip("G-ORF.csv.gz", "ncbi_gene_id,mol_id\n7,C\n9,\n");
    matrix("G-ORF_feature.npz", 1, &[6.0, 2.0]);
    gzip("GE.csv.gz", "express_id,mol_id\ne1,C\n");
    let values: Vec<f32> = vec![0.1, -9.0, 0.2, 8.0];
    matrix("GE_feature.npz", 4, &values);
    gzip("G-G.csv.gz", "source_id,target_id\n7,8\n8,9\n9,1000\n");
    fs_err::write(folder.join("L1k_idmaps.csv"), "ncbi_gene_id\n500\n8.0\n501\n502\n").unwrap();
}

#[test]
fn the_published_layout_is_fetched_and_built() {
    let (mirror, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(mirror.path());
    let mut manifest = manifest();
    manifest.spaces[4].column_genes.as_mut().unwrap().top_share = 0.5;
    let origin = Origin::Mirror(mirror.path().to_owned());
    let fetched = fetch_context(&manifest, data.path(), &origin, &mut |_| ()).unwrap();
    assert_eq!(fetched.len(), 13);
    assert!(fetched.iter().all(|file| file.transferred && file.unverified.as_ref().unwrap().len() == 64));
    let again = fetch_context(&manifest, data.path(), &origin, &mut |_| ()).unwrap();
    assert!(again.iter().zip(&fetched).all(|(again, first)| {
        !again.transferred && again.unverified == first.unverified && again.path == first.path
    }));
    let states = verify_context(&manifest, data.path());
    assert!(states.iter().all(|file| matches!(file.state, FileState::Unverified { .. }) && file.is_good()));

    let build =
        || ContextGraph::build(&manifest, data.path(), &BTreeSet::new(), None, 1, &mut |_| ()).unwrap();
    let graph = build();
    assert_eq!(graph.genes, ["7", "8", "9"]);
    let count = |kind| graph.node_kinds.iter().filter(|other| **other == kind).count();
    assert_eq!(NodeKind::ALL.map(count), [3, 3, 4, 1]);
    assert_eq!(graph.unverified.len(), 13);
    // Screen features belong to the genes: gene 7 (node 3) has them in both spaces.
    let crispr = graph.space("gene-crispr").unwrap();
    assert_eq!((&crispr.nodes[..], &crispr.values[..]), (&[3, 4][..], &[0.0, 0.0, 1.0, 1.0][..]));
    let orf = graph.space("gene-orf").unwrap();
    assert_eq!((&orf.nodes[..], &orf.values[..], orf.bounds[0]), (&[3, 5][..], &[1.0, 0.0][..], [2.0, 6.0]));
    assert!(graph.profiles_of("gene-orf").is_empty());
    let edges = |kind| -> Vec<(u64, u64)> {
        let of_kind = graph.edges.iter().filter(|edge| edge.kind == kind);
        of_kind.map(|edge| (edge.source, edge.target)).collect()
    };
    assert_eq!(edges(EdgeKind::Binds), [(0, 3), (2, 3)]);
    assert_eq!(edges(EdgeKind::Interacts), [(3, 4), (4, 5)]);
    // Of the values -9 and 8, the second belongs to gene 502, which is not a node.
    assert_eq!(edges(EdgeKind::Regulates), [(2, 4)]);
    assert_eq!(edges(EdgeKind::Perturbs).len(), 5);
    let counts = &graph.counts;
    assert_eq!((counts.repeated_molecule_ids, counts.repeated_gene_rows), (1, 1));
    // Three rows of the screens without a molecule, gene 1000, gene 502.
    assert_eq!(counts.edges_without_node, 5);

    // Changed bytes are accepted, as no digest is known, but give a different graph.
    fs_err::write(
        data.path().join("infoalign-data/pretrain_raw/L1k_idmaps.csv"),
        "ncbi_gene_id\n1\n2\n3\n7\n",
    )
    .unwrap();
    assert_ne!(build().key, graph.key);
}

#[test]
fn every_file_comes_from_the_authors_repository() {
    for file in &Catalog::builtin().unwrap().context("infoalign-data").unwrap().files {
        let (_, name) = file.path.rsplit_once('/').unwrap();
        let folder =
            "https://huggingface.co/datasets/liuganghuggingface/InfoAlign-Data/resolve/main/pretrain_raw";
        assert_eq!(file.url.as_deref(), Some(format!("{folder}/{name}").as_str()));
        assert!(file.unverified);
    }
}
