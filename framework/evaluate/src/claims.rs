//! What holds of a paper's claims: each is decided by comparisons of rows, from their stored predictions.

mod parts;
mod verdict;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use molarena_host::{Against, Claim, Claims, Expect};
use molarena_metrics::{
    mean_and_std,
    statistics::{Interval, paired_t},
};
use molarena_record::cell::{Outcome, Record};

pub use parts::{
    CLAIMS_REPORT_SCHEMA, ClaimComparison, ClaimCounts, ClaimOnDataset, ClaimResult, ClaimSide, ClaimVerdict,
    ClaimedPaper, ClaimsReport, JudgedClaim, MissingRow, TaskCounts,
};

use crate::{
    compare::{CompareOptions, Comparison, Verdict, compare},
    labels::Labels,
    row::Row,
    statistics::Resampling,
};

/// A row of a board with the name of its store.
#[derive(Clone, Debug)]
pub struct StoreRow<'a> {
    /// Name of the store in the report.
    pub store: String,
    /// The row.
    pub row: Row<'a>,
}

/// A figure that a paper prints, as a fraction of 1 or in the labels' unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrintedFigure {
    /// Mean.
    pub mean: f64,
    /// Standard deviation, where the paper prints one.
    pub std: Option<f64>,
}

/// What a paper prints under a name for the data, the split and the tasks of a record.
pub type PrintedFigures<'a> = &'a dyn Fn(&str, &Record) -> Option<PrintedFigure>;

/// How a report is made, beside what is judged.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimsOptions {
    /// How uncertainty is measured.
    pub resampling: Resampling,
    /// The command, for the report.
    pub command: String,
    /// Names of the stores, for the report.
    pub stores: Vec<String>,
}

/// Judges each claim on each of its datasets by the comparison of its rows ([`compare`]).
///
/// Where several stores have a row, the two rows are compared that are on one board together: of the dataset's own split
/// first, then with the most scored seeds in common, then of one store, then of the store that is named first. What cannot
/// be compared is not measured, with the reason.
pub fn judge_claims(
    claims: &Claims,
    rows: &[StoreRow<'_>],
    labels: &mut Labels<'_>,
    printed: PrintedFigures<'_>,
    options: ClaimsOptions,
) -> ClaimsReport {
    let ClaimsOptions { resampling, command, stores } = options;
    let mut judge = Judge { rows, labels, printed, resampling, known: BTreeMap::new() };
    let judged: Vec<JudgedClaim> = claims.claims.iter().map(|claim| judge.claim(claim)).collect();
    let mut datasets: Vec<String> = Vec::new();
    for on in judged.iter().flat_map(|claim| &claim.datasets) {
        if !datasets.contains(&on.dataset) {
            datasets.push(on.dataset.clone());
        }
    }
    let counts = ClaimCounts::of(judged.iter().flat_map(|claim| claim.datasets.iter().map(|on| on.verdict)));
    ClaimsReport {
        schema: CLAIMS_REPORT_SCHEMA.to_owned(),
        paper: ClaimedPaper { title: claims.paper.title.clone(), url: claims.paper.url.clone() },
        command,
        confidence: resampling.confidence,
        resamples: resampling.resamples,
        stores,
        missing: missing(&judged, rows, &datasets),
        datasets,
        counts,
        claims: judged,
        notes: claims.notes.clone(),
    }
}

struct Judge<'j, 'a> {
    rows: &'j [StoreRow<'j>],
    labels: &'j mut Labels<'a>,
    printed: PrintedFigures<'j>,
    resampling: Resampling,
    /// The comparisons that were made, by the places of both rows: claims share them.
    known: BTreeMap<(usize, usize), Result<Comparison, String>>,
}

impl Judge<'_, '_> {
    fn claim(&mut self, claim: &Claim) -> JudgedClaim {
        let (against, is_published) = match &claim.against {
            Against::Rows(rows) => (rows.clone(), false),
            Against::Published(name) => (vec![name.clone()], true),
        };
        let datasets =
            if claim.datasets.is_empty() { self.datasets_of(claim) } else { claim.datasets.clone() };
        let datasets: Vec<ClaimOnDataset> =
            datasets.into_iter().map(|dataset| self.on_dataset(claim, dataset)).collect();
        JudgedClaim {
            name: claim.name.clone(),
            text: claim.text.trim().to_owned(),
            source: claim.source.clone(),
            method: claim.method.clone(),
            against,
            is_published,
            expect: claim.expect.name().to_owned(),
            within: match claim.expect {
                Expect::Equal(within) => Some(within),
                Expect::Better | Expect::Worse => None,
            },
            counts: ClaimCounts::of(datasets.iter().map(|on| on.verdict)),
            datasets,
            note: claim.note.clone(),
        }
    }

    /// The datasets that have the claim's row and one that it is compared with, sorted.
    fn datasets_of(&self, claim: &Claim) -> Vec<String> {
        let of = |wanted: &dyn Fn(&str, &Record) -> bool| -> BTreeSet<&str> {
            let records = self.rows.iter().map(|row| (row.row.name.as_str(), row.row.records[0]));
            records.filter(|(name, record)| wanted(name, record)).map(|(_, r)| r.dataset.as_str()).collect()
        };
        let own = of(&|name, _| name == claim.method);
        let others = match &claim.against {
            Against::Rows(rows) => of(&|name, _| rows.iter().any(|row| row == name)),
            Against::Published(figure) => {
                of(&|name, record| name == claim.method && (self.printed)(figure, record).is_some())
            }
        };
        own.intersection(&others).map(|dataset| (*dataset).to_owned()).collect()
    }

    fn on_dataset(&mut self, claim: &Claim, dataset: String) -> ClaimOnDataset {
        let mut comparisons: Vec<ClaimComparison> = match &claim.against {
            Against::Rows(rows) => rows.iter().map(|other| self.with_row(claim, other, &dataset)).collect(),
            Against::Published(figure) => vec![self.with_figure(claim, figure, &dataset)],
        };
        verdict::correct(&mut comparisons, claim.expect, 1.0 - self.resampling.confidence);
        ClaimOnDataset { dataset, verdict: verdict::together(&comparisons), comparisons }
    }

    /// Places of the rows of this name on a dataset.
    fn places(&self, name: &str, dataset: &str) -> Vec<usize> {
        let is_of = |row: &Row<'_>| row.name == name && row.records[0].dataset == dataset;
        (0..self.rows.len()).filter(|&place| is_of(&self.rows[place].row)).collect()
    }

    fn with_row(&mut self, claim: &Claim, other: &str, dataset: &str) -> ClaimComparison {
        let compared = self.compared(&claim.method, other, dataset).map(|(comparison, [one, two])| {
            let ends = (comparison.low, comparison.high);
            let verdict = verdict::of_comparison(claim.expect, comparison.verdict, ends);
            (verdict, self.result(&comparison, one, two))
        });
        written(other, compared)
    }

    /// The comparison of the best pair of rows of these names, and the rows' places.
    fn compared(
        &mut self,
        method: &str,
        other: &str,
        dataset: &str,
    ) -> Result<(Comparison, [usize; 2]), String> {
        let (own, others) = (self.places(method, dataset), self.places(other, dataset));
        let absent: Vec<String> = [(method, &own), (other, &others)]
            .iter()
            .filter(|(_, places)| places.is_empty())
            .map(|(name, _)| (*name).to_owned())
            .collect();
        if !absent.is_empty() {
            return Err(format!("no store has a row {} on {dataset}", absent.join(" or ")));
        }
        let row = |place: usize| &self.rows[place].row;
        let mut pairs: Vec<(usize, usize)> =
            own.iter().flat_map(|&one| others.iter().map(move |&two| (one, two))).collect();
        pairs.retain(|&(one, two)| row(one).is_beside(row(two)));
        pairs.sort_by_cached_key(|&(one, two)| {
            let (first, second) = (row(one).scored(), row(two).scored());
            let seeds = first.keys().filter(|seed| second.contains_key(seed)).count();
            let is_own = self.labels.is_of_own_split(row(one).records[0]);
            let apart = self.rows[one].store != self.rows[two].store;
            (Reverse(is_own), Reverse(seeds), apart, one, two)
        });
        let mut failed = None;
        for (one, two) in pairs {
            if !self.known.contains_key(&(one, two)) {
                let options = CompareOptions { resampling: self.resampling, margin: 0.0 };
                let made = compare(&self.rows[one].row, &self.rows[two].row, self.labels, options);
                self.known.insert((one, two), made);
            }
            match &self.known[&(one, two)] {
                Ok(comparison) => return Ok((comparison.clone(), [one, two])),
                Err(why) => {
                    failed.get_or_insert_with(|| why.clone());
                }
            }
        }
        Err(failed.unwrap_or_else(|| {
            format!("{method} and {other} are of other data, splits, tasks or metrics on {dataset}")
        }))
    }

    fn result(&self, comparison: &Comparison, one: usize, two: usize) -> ClaimResult {
        let side = |place: usize, mean: f64| {
            let StoreRow { store, row } = &self.rows[place];
            ClaimSide { mean, std: std_over(row, &comparison.seeds), store: Some(store.clone()) }
        };
        ClaimResult {
            split: comparison.split.clone(),
            metric: comparison.metric,
            seeds: comparison.seeds.clone(),
            first: side(one, comparison.first.mean),
            second: side(two, comparison.second.mean),
            difference: comparison.difference,
            low: comparison.low,
            high: comparison.high,
            p_value: Some(comparison.p_value),
            p_holm: None,
            wilcoxon_p_value: comparison.wilcoxon_p_value,
            tasks: Some(TaskCounts {
                wins: comparison.wins,
                ties: comparison.ties,
                losses: comparison.losses,
            }),
        }
    }

    fn with_figure(&mut self, claim: &Claim, figure: &str, dataset: &str) -> ClaimComparison {
        let compared = self.against_figure(&claim.method, figure, dataset).map(|(said, result)| {
            (verdict::of_comparison(claim.expect, said, (result.low, result.high)), result)
        });
        written(figure, compared)
    }

    /// A row's mean over seeds less a printed mean, which counts as exact. Both are of the same test molecules, so only the
    /// seeds are drawn by chance: the interval is that of the t test over seeds.
    fn against_figure(
        &mut self,
        method: &str,
        figure: &str,
        dataset: &str,
    ) -> Result<(Verdict, ClaimResult), String> {
        let places = self.places(method, dataset);
        if places.is_empty() {
            return Err(format!("no store has a row {method} on {dataset}"));
        }
        let record = |place: usize| self.rows[place].row.records[0];
        let of_place = |place| (self.printed)(figure, record(place)).map(|printed| (place, printed));
        let mut found: Vec<(usize, PrintedFigure)> = places.into_iter().filter_map(of_place).collect();
        found.sort_by_key(|&(place, _)| (Reverse(self.rows[place].row.scored().len()), place));
        let Some(&(place, printed)) = found.first() else {
            return Err(format!(
                "no figure of {figure} is printed for the data, split and tasks of {dataset}"
            ));
        };
        let StoreRow { store, row } = &self.rows[place];
        let seeds: Vec<u64> = row.scored().into_keys().collect();
        let metric = record(place).metric;
        let means = means_over(row, &seeds);
        let differences: Vec<f64> = means.iter().map(|mean| mean - printed.mean).collect();
        let Some(tested) = paired_t(&differences, self.resampling.confidence) else {
            return Err(format!("{method} has {} scored seeds on {dataset}, of at least 2", means.len()));
        };
        let (difference, Interval { low, high }) = (tested.difference, tested.interval);
        let said = if low > 0.0 || high < 0.0 {
            Verdict::of_difference(difference, metric)
        } else {
            Verdict::NotSeparable
        };
        let mean = difference + printed.mean;
        let first = ClaimSide { mean, std: std_over(row, &seeds), store: Some(store.clone()) };
        let result = ClaimResult {
            split: record(place).split.protocol.clone(),
            metric,
            seeds,
            first,
            second: ClaimSide { mean: printed.mean, std: printed.std, store: None },
            difference,
            low,
            high,
            p_value: None,
            p_holm: None,
            wilcoxon_p_value: None,
            tasks: None,
        };
        Ok((said, result))
    }
}

fn written(against: &str, compared: Result<(ClaimVerdict, ClaimResult), String>) -> ClaimComparison {
    let (verdict, reason, result) = match compared {
        Ok((verdict, result)) => (verdict, None, Some(result)),
        Err(why) => (ClaimVerdict::NotMeasured, Some(why), None),
    };
    ClaimComparison { against: against.to_owned(), verdict, reason, result }
}

/// Sample standard deviation of a row's scores over these seeds.
fn std_over(row: &Row<'_>, seeds: &[u64]) -> Option<f64> {
    mean_and_std(&means_over(row, seeds)).and_then(|(_, std)| std)
}

/// A row's scores of these seeds.
fn means_over(row: &Row<'_>, seeds: &[u64]) -> Vec<f64> {
    let scored = row.scored();
    let mean = |seed: &u64| match &scored.get(seed)?.outcome {
        Outcome::Scored { mean, .. } => *mean,
        Outcome::Failed(_) => None,
    };
    seeds.iter().filter_map(mean).collect()
}

/// The rows that claims name and no store has, in the order of the claims; datasets are in the order of the report.
fn missing(claims: &[JudgedClaim], rows: &[StoreRow<'_>], datasets: &[String]) -> Vec<MissingRow> {
    let has = |name: &str, dataset: Option<&str>| {
        rows.iter().any(|StoreRow { row, .. }| {
            row.name == name && dataset.is_none_or(|dataset| row.records[0].dataset == dataset)
        })
    };
    let mut found: Vec<MissingRow> = Vec::new();
    for claim in claims {
        let others = claim.against.iter().filter(|_| !claim.is_published);
        for name in std::iter::once(&claim.method).chain(others) {
            let lacking = claim.datasets.iter().map(|on| &on.dataset);
            let lacking: Vec<&String> = lacking.filter(|dataset| !has(name, Some(dataset))).collect();
            if lacking.is_empty() && (!claim.datasets.is_empty() || has(name, None)) {
                continue;
            }
            let place = found.iter().position(|known| known.row == *name).unwrap_or_else(|| {
                found.push(MissingRow { row: name.clone(), datasets: Vec::new() });
                found.len() - 1
            });
            for dataset in lacking {
                if !found[place].datasets.contains(dataset) {
                    found[place].datasets.push(dataset.clone());
                }
            }
        }
    }
    let place = |dataset: &String| datasets.iter().position(|known| known == dataset);
    for row in &mut found {
        row.datasets.sort_by_key(place);
    }
    found
}
