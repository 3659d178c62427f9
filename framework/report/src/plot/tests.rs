use std::collections::BTreeMap;

use molarena_record::parts::Pretrained;
use molarena_record::{cell::Record, parts::Reason};
use serde_json::json;

use super::*;
use crate::testing::{classification, failed};

/// Forests of 10, 100 and 1000 trees under names of their own, three seeds each; a Gaussian process has no trees.
fn forests() -> Vec<Record> {
    let mut records = Vec::new();
    for (trees, score) in [(10, 0.70), (100, 0.75), (1000, 0.76)] {
        for seed in 0..3_u32 {
            let score = score + 0.01 * f64::from(seed);
            let mut record = classification(&format!("rf-{trees}"), u64::from(seed), &[Some(score)]);
            let baseline = record.composition.baseline.as_mut().expect("made with one");
            baseline.config = json!({"trees": trees, "depth": 4});
            records.push(record);
        }
    }
    let mut other = classification("gp", 0, &[Some(0.8)]);
    other.composition.baseline.as_mut().expect("made with one").config = json!({"noise": 1.0});
    records.push(other);
    records
}

fn save(name: &str, svg: &str) {
    // To look at the figures: MOLARENA_FIGURES=DIR cargo test.
    if let Some(folder) = std::env::var_os("MOLARENA_FIGURES") {
        fs_err::write(std::path::Path::new(&folder).join(name), svg).expect("the folder is there");
    }
}

#[test]
fn records_that_differ_in_the_parameter_are_a_line() {
    let sweeps = sweeps(&forests(), "baseline.config.trees").unwrap();
    let [sweep] = sweeps.as_slice() else { panic!("{sweeps:?}") };
    assert_eq!(sweep.file_stem, "chembl2k-trees");
    assert_eq!(sweep.left_out, BTreeMap::from([("gp".to_owned(), 1)]));
    let [line] = sweep.lines.as_slice() else { panic!("{:?}", sweep.lines) };
    assert_eq!(line.name, "rf");
    let numbers: Vec<_> = line.points.iter().map(|point| point.x.clone()).collect();
    assert_eq!(numbers, [10.0, 100.0, 1000.0].map(XValue::Number));
    // 0.70, 0.71, 0.72: mean 0.71, standard deviation 0.01.
    let first = &line.points[0];
    assert!((first.mean.unwrap() - 0.71).abs() < 1e-12 && (first.std.unwrap() - 0.01).abs() < 1e-12);
    assert_eq!((first.seeds, first.failed), (3, 0));
    let csv = sweeps_csv(&sweeps);
    assert_eq!(csv.lines().count(), 4);
    assert!(
        csv.contains("chembl2k-trees,chembl2k,infoalign,roc_auc,baseline.config.trees,rf,1000,0.77"),
        "{csv}"
    );
}

#[test]
fn a_parameter_of_a_pretrained_encoder_makes_one_line() {
    let records: Vec<Record> = [1e-9, 1e-3]
        .into_iter()
        .map(|beta| {
            let mut record = classification(&format!("infoalign[beta={beta:?}]"), 0, &[Some(0.8)]);
            let mut encoder = record.composition.baseline.clone().expect("made with one");
            encoder.config = json!({"beta": beta});
            record.composition.encoder = Some(encoder);
            let key = format!("{beta:?}");
            record.composition.pretraining =
                Some(Pretrained { key, corpus: "c".to_owned(), leave_out: Vec::new(), left_out: 7, seed: 0 });
            record
        })
        .collect();
    let sweeps = sweeps(&records, "encoder.config.beta").unwrap();
    let lines: Vec<_> = sweeps[0].lines.iter().map(|line| (line.name.as_str(), line.points.len())).collect();
    assert_eq!(lines, [("infoalign", 2)]);
}

#[test]
fn another_setting_is_another_line_and_failures_are_counted() {
    let mut records = forests();
    let mut deep = records[0].clone();
    deep.method = "rf-10-deep".to_owned();
    deep.composition.baseline.as_mut().unwrap().config["depth"] = json!(9);
    let mut broken = failed("rf-100", 3, Reason::Timeout, "too slow");
    broken.tasks.truncate(1);
    broken.composition = records[3].composition.clone();
    records.extend([deep, broken]);
    let sweeps = sweeps(&records, "baseline.config.trees").unwrap();
    let names: Vec<&str> = sweeps[0].lines.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(names, ["rf", "rf-10-deep"]);
    assert_eq!((sweeps[0].lines[0].points[1].seeds, sweeps[0].lines[0].points[1].failed), (3, 1));
    let figure = sweeps[0].figure(None);
    assert!(figure.notes.iter().any(|note| note == "Cells that failed and are in no mean: 1."), "{figure:?}");
    assert_eq!(figure.panels[0].x.scale, Scale::Log);
    save("sweep.svg", &render(&figure).unwrap());
}

#[test]
fn names_with_settings_lose_the_varied_one() {
    let mut records = forests();
    for (record, name) in records.iter_mut().zip(["a", "a", "a", "b", "b", "b", "c", "c", "c"]) {
        record.method = format!("infoalign[beta={name},walk_length=4]");
    }
    let sweeps = sweeps(&records, "baseline.config.trees").unwrap();
    assert_eq!(sweeps[0].lines[0].name, "infoalign[walk_length=4]");
}

#[test]
fn values_that_are_no_numbers_are_named() {
    let mut records = forests();
    for (index, record) in records.iter_mut().enumerate() {
        let words = ["sum", "mean", "max", "max"];
        record.composition.baseline.as_mut().unwrap().config = json!({"readout": words[index / 3]});
        record.method = "gin".to_owned();
        record.seed = index as u64;
    }
    let figure = sweeps(&records, "baseline.config.readout").unwrap()[0].figure(None);
    let ticks = figure.panels[0].x.ticks.clone().unwrap();
    assert_eq!(ticks.iter().map(|(_, word)| word.as_str()).collect::<Vec<_>>(), ["max", "mean", "sum"]);
    save("words.svg", &render(&figure).unwrap());
}

#[test]
fn an_unknown_parameter_is_refused_with_those_that_there_are() {
    let error = sweeps(&forests(), "baseline.config.tress").unwrap_err().to_string();
    assert_eq!(
        error,
        "none of the 10 records has a value at `baseline.config.tress`; they have: baseline.config.depth, \
         baseline.config.noise, baseline.config.trees, features.morgan.bits, features.morgan.radius"
    );
}

#[test]
fn two_boards_of_a_dataset_are_two_files() {
    let mut records = forests();
    let mut others = forests();
    for record in &mut others {
        record.split.protocol = "scaffold".to_owned();
    }
    records.extend(others);
    let stems: Vec<String> =
        sweeps(&records, "baseline.config.trees").unwrap().into_iter().map(|sweep| sweep.file_stem).collect();
    assert_eq!(stems, ["chembl2k-infoalign-trees", "chembl2k-scaffold-trees"]);
}

const LOG: &str =
    "epoch,loss,loss_molecule,kl,learning_rate\n1,0.9,0.5,120,1e-3\n2,0.6,0.4,30,5e-4\n3,0.5,,2,1e-5\n";

#[test]
fn columns_of_a_log_are_curves() {
    let figure = training_figure(LOG, "infoalign").unwrap();
    let panels: Vec<(&str, usize, Scale)> = figure
        .panels
        .iter()
        .map(|panel| (panel.y.label.as_str(), panel.series.len(), panel.y.scale))
        .collect();
    assert_eq!(panels, [("loss", 2, Scale::Linear), ("kl", 1, Scale::Log), ("learning rate", 1, Scale::Log)]);
    let Shape::Line { points, .. } = &figure.panels[0].series[1].shape else { panic!("a line") };
    assert_eq!(points.len(), 2, "an empty cell is no point");
    save("training.svg", &render(&figure).unwrap());
}

#[test]
fn a_bad_log_is_refused_by_name() {
    let refused = |csv| training_figure(csv, "t").unwrap_err().to_string();
    assert_eq!(refused("step,loss\n1,2\n"), "no column `epoch`; the columns are: step, loss");
    assert_eq!(refused("epoch,loss\n1,2\n2,nan\n"), "line 3, column `loss`: `nan` is no finite number");
    assert_eq!(refused("epoch,loss,loss\n"), "column `loss` is there twice");
    assert_eq!(refused("epoch,loss\n1,\n"), "no column beside `epoch` holds a number");
    assert!(refused("epoch,loss\n1,2,3\n").starts_with("not a CSV table"));
}

#[test]
fn ranks_of_methods() {
    let spread = |power: f64| (0..196).map(|rank| 100.0 * (f64::from(rank) / 196.0).powf(power)).collect();
    let groups = [("infoalign", 2.5), ("cosine", 1.5), ("random", 1.0)]
        .map(|(name, power)| RankGroup { name: name.to_owned(), percent: spread(power) });
    let figure = ranks_figure("Matching morphology profiles", &groups);
    save("ranks.svg", &render(&figure).unwrap());
}

#[test]
fn equal_figures_give_equal_bytes_and_text_is_escaped() {
    let mut figure = training_figure(LOG, "a < b & \"c\"").unwrap();
    let svg = render(&figure).unwrap();
    assert_eq!(svg, render(&figure).unwrap());
    assert!(
        svg.starts_with("<svg role=\"img\" width=\"1400\"") && svg.trim_end().ends_with("</svg>"),
        "{svg}"
    );
    assert!(svg.contains("<title>a &lt; b &amp; \"c\"</title>"), "{svg}");
    let hidden = render(&training_figure(LOG, "a\u{1b}[2J\u{202e}b").unwrap()).unwrap();
    assert!(hidden.contains(r"a\u{1b}[2J\u{202e}b") && !hidden.contains(['\u{1b}', '\u{202e}']), "{hidden}");
    figure.panels[0].series.clear();
    let empty = render(&figure).unwrap_err().to_string();
    assert_eq!(empty, "figure `a < b & \"c\"`: nothing to draw on the axes `epoch` and `loss`");
}
