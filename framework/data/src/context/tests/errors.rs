//! Every mistake in a manifest or a file is named with its place.

use super::world::Made;

/// The code and text of the error that a change to the small world causes.
fn refused(change: impl FnOnce(Made) -> Made) -> (&'static str, String) {
    let error = change(Made::new()).build().unwrap_err();
    (error.code(), error.to_string())
}

#[track_caller]
fn check(change: impl FnOnce(Made) -> Made, code: &str, parts: &[&str]) {
    let (found, text) = refused(change);
    assert_eq!(found, code, "{text}");
    for part in parts {
        assert!(text.contains(part), "{part} not in: {text}");
    }
}

#[test]
fn an_edge_to_a_node_that_is_not_there() {
    let list = |text: &'static str| move |made: Made| made.text("molecule-gene.csv", text);
    check(
        list("mol_id,gene,z\nm0,11,1\nm0,99,1\n"),
        "E-DATA-034",
        &["molecule-gene.csv: row 2 (line 3), column \"gene\"", "no gene is called \"99\""],
    );
    check(list("mol_id,gene,z\nm9,11,1\n"), "E-DATA-034", &["row 1", "no molecule is called \"m9\""]);
    check(list("mol_id,gene,z\n,11,1\n"), "E-DATA-034", &["no molecule is called \"\""]);
    check(
        |made| made.text("expression.csv", "mol_id\nm0\nm1\nm5\nm7\n"),
        "E-DATA-034",
        &["expression.csv: row 4", "no molecule is called \"m7\""],
    );
    check(
        |made| made.text("columns.csv", "column,id\n1,11\n0,77\n"),
        "E-DATA-034",
        &["columns.csv: row 2", "no gene is called \"77\""],
    );
    let graph = Made::new()
        .edit("magnitude = \"z\"", "magnitude = \"z\"\nunknown = \"skip\"")
        .text("molecule-gene.csv", "mol_id,gene,z\nm0,99,1\nm9,11,1\n,11,1\nm2,11,2\n")
        .build()
        .unwrap();
    assert_eq!(graph.counts.edges_without_node, 3);
}

#[test]
fn matrices_that_do_not_fit() {
    check(
        |made| made.matrix("expression.npz", 4, &[1.0; 8]),
        "E-DATA-038",
        &["expression.npz: 4 columns, but the manifest of made says 2"],
    );
    check(
        |made| made.matrix("expression.npz", 2, &[1.0; 6]),
        "E-DATA-038",
        &["expression.npz: 3 rows, but made/expression.csv has 4"],
    );
    check(
        |made| made.text("morphology.features.txt", "a\nb\n"),
        "E-DATA-038",
        &["morphology.features.txt: 2 lines, but", "morphology are 3"],
    );
    check(|made| made.text("columns.csv", "column,id\n1,11\n"), "E-DATA-038", &["columns.csv: 1 rows, but"]);
    check(|made| made.text("morphology.npz", "text"), "E-DATA-037", &["morphology.npz: not a matrix"]);
}

#[test]
fn columns_without_a_value_and_infinite_values() {
    let nan = f32::NAN;
    check(
        |made| made.matrix("expression.npz", 2, &[1.0, nan, 2.0, nan, 3.0, nan, 4.0, nan]),
        "E-DATA-040",
        &["expression.npz: column 1 (11) has no value in any of 4 rows"],
    );
    check(
        |made| made.matrix("morphology.npz", 3, &[1.0, 1.0, 1.0, 2.0, f32::NEG_INFINITY, 1.0]),
        "E-DATA-039",
        &["morphology.npz: row 2, column 1 (b): -inf is not finite"],
    );
}

#[test]
fn molecules_that_cannot_be() {
    check(
        |made| made.text("molecules.csv", "mol_id,smiles\nm0,C\nm1,CC\nm0,CCC\n"),
        "E-DATA-035",
        &["row 3 (line 4), column \"mol_id\": \"m0\" is the id of row 1 of made/molecules.csv, too"],
    );
    check(
        |made| made.text("molecules.csv", "mol_id,smiles\n,C\n"),
        "E-DATA-036",
        &["row 1", "\"\" is not the id of a molecule"],
    );
    let few = "mol_id,smiles\nm0,C\nm1,CC(\nm2,CC(\nm3,CC(\nm4,CC(\nm5,CC(\n";
    let error = Made::new().text("molecules.csv", few).build_without(&["C"]).unwrap_err();
    assert_eq!(error.code(), "E-DATA-041");
    let text = error.to_string();
    assert!(text.contains("of 6 rows: 1 molecules were left out, 5 SMILES cannot be read"), "{text}");
}

#[test]
fn cells_that_are_not_what_their_column_is() {
    check(
        |made| made.text("molecule-gene.csv", "mol_id,gene,z\nm0,11,high\n"),
        "E-DATA-036",
        &["column \"z\"", "\"high\" is not a finite number"],
    );
    check(
        |made| made.text("gene-gene.csv", "source,target,kind\n11,12,likes\n"),
        "E-DATA-036",
        &["\"likes\" is not a kind of edge (perturbs, "],
    );
    for wrong in ["column,id\n1,11\n1,12\n", "column,id\n1,11\n2,12\n", "column,id\n1,11\nx,12\n"] {
        check(
            |made| made.text("columns.csv", wrong),
            "E-DATA-036",
            &["columns.csv: row 2", "number of a column"],
        );
    }
    check(|made| made.text("genes.csv", "gene\n11\n"), "E-DATA-007", &["genes.csv", "no column \"id\""]);
}

#[test]
fn files_that_are_missing_or_changed() {
    let made = Made::new();
    let manifest = made.manifest();
    let build = || {
        let none = std::collections::BTreeSet::new();
        crate::context::ContextGraph::build(&manifest, made.folder(), &none, None, 1, &mut |_| ())
    };
    fs_err::write(made.folder().join("made/genes.csv"), "id\n11\n12\n13\n14\n").unwrap();
    let error = build().unwrap_err();
    assert_eq!(error.code(), "E-DATA-006");
    assert!(error.to_string().contains("genes.csv"), "{error}");
    fs_err::remove_file(made.folder().join("made/genes.csv")).unwrap();
    let error = build().unwrap_err();
    assert_eq!(error.code(), "E-DATA-005");
    assert!(
        error.to_string().contains("genes.csv is missing; get it with: molarena data fetch made"),
        "{error}"
    );
}

#[test]
fn manifests_that_make_no_sense() {
    let cases = [
        ("schema = \"molarena.context/1\"", "schema = \"molarena.dataset/1\"", "schema"),
        ("id = \"made\"", "id = \"Made\"", "id"),
        ("kind = \"expression\"", "kind = \"molecule\"", "spaces[0].kind"),
        ("kind = \"expression\"", "kind = \"gene\"", "spaces[0].gene"),
        ("name = \"morphology\"", "name = \"expression\"", "spaces[1].name"),
        ("columns = 3", "columns = 0", "spaces[1].columns"),
        ("top_share = 0.5", "top_share = 1.5", "spaces[0].column_genes.top_share"),
        ("kind_column = \"kind\"", "", "edges[0].kind"),
        ("kind = \"regulates\"", "kind = \"regulates\"\nkind_column = \"z\"", "edges[1].kind"),
        ("node = \"molecule\"", "node = \"morphology\"", "edges[1].source.node"),
        ("made/molecule-gene.csv", "made/other.csv", "files[5].path"),
        ("[[genes]]", "[similarity]\nsparsity = 2.0\n[[genes]]", "similarity.sparsity"),
        ("[[genes]]", "[fingerprint]\nradius = 2\nbits = 100\n[[genes]]", "fingerprint.bits"),
        ("[[genes]]", "[[files]]\npath = \"made/columns.csv\"\n[[genes]]", "files[0].sha256"),
    ];
    for (from, to, key) in cases {
        let error = Made::new().edit(from, to).parse().unwrap_err();
        assert_eq!(error.code(), "E-DATA-003", "{error}");
        assert!(error.to_string().contains(&format!("made/context.toml: {key}: ")), "{key}: {error}");
    }
    let error = Made::new().edit("licence", "license").parse().unwrap_err();
    assert_eq!(error.code(), "E-DATA-002", "{error}");
}
