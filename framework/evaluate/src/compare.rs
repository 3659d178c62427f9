//! Two rows of a board head to head, from their stored predictions: overall, by task, by scaffold and by molecule.

mod groups;
mod parts;
mod reference;
mod sides;

pub use parts::{
    COMPARISON_SCHEMA, Comparison, CostOfSide, FEWEST_LABELS, FEWEST_OF_CLASS, GroupComparison, Needs, Side,
    TaskComparison, Verdict,
};
pub use reference::{AgainstRow, REFERENCE_SCHEMA, ReferenceComparison, compare_with_reference};

use molarena_metrics::{
    Metric, mean_defined, score_tasks,
    statistics::{
        Bootstrap, Design, PairedDifference, Replicates, VarianceComponents, cohens_d, holm,
        paired_difference, smallest_detectable_difference, wilcoxon, win_tie_loss,
    },
};
use molarena_record::cell::Record;

use crate::{labels::Labels, row::Row, statistics::Resampling};
use sides::Sides;

/// How rows are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CompareOptions {
    /// How uncertainty is measured.
    pub resampling: Resampling,
    /// Scores up to this far apart are a tie of a task, as a fraction of 1 or in the labels' unit.
    pub margin: f64,
}

/// The power with which a difference is to be found.
const POWER: f64 = 0.8;

/// Compares two rows: the records of each, of one board, one record for each seed, and the stores that they lie in.
///
/// Only seeds that both have scored take part. The overall interval is that of the paired bootstrap over molecules and
/// seeds, the p value of a task that of the paired bootstrap over molecules (of DeLong's test for the area under the ROC
/// curve of one seed), corrected by Holm's method over tasks.
///
/// # Errors
/// Says why the rows cannot be compared: they are of other data, splits, tasks or metrics; they share no scored seed;
/// predictions or labels are missing.
pub fn compare(
    first: &Row<'_>,
    second: &Row<'_>,
    labels: &mut Labels<'_>,
    options: CompareOptions,
) -> Result<Comparison, String> {
    let sides = Sides::of(first, second, labels)?;
    let metric = sides.record().metric;
    let whole = whole(&sides, options).ok_or_else(|| "no task has a score in both rows".to_owned())?;
    let by_seed = [sides.scores(&sides.first), sides.scores(&sides.second)];
    let tasks = tasks(&sides, &by_seed, &whole.bootstrap, options);
    let scores = |side: fn(&TaskComparison) -> Option<f64>| tasks.iter().map(side).collect::<Vec<_>>();
    let (one, other) = (scores(|task| task.first), scores(|task| task.second));
    let differences: Vec<f64> = tasks.iter().filter_map(|task| task.difference).collect();
    let counts = win_tie_loss(&one, &other, options.margin, metric.higher_is_better());
    let level = 1.0 - options.resampling.confidence;
    let (components, design) = whole.components(&sides, &by_seed, &tasks);
    let (scaffolds, molecules) = groups::groups(&sides);
    let record = sides.record();
    Ok(Comparison {
        schema: COMPARISON_SCHEMA.to_owned(),
        dataset: record.dataset.clone(),
        split: record.split.protocol.clone(),
        metric,
        seeds: sides.seeds.clone(),
        molecules: sides.molecules(),
        first: side(first, one.as_slice(), whole.first.estimate),
        second: side(second, other.as_slice(), whole.second.estimate),
        difference: whole.paired.difference,
        low: whole.paired.interval.low,
        high: whole.paired.interval.high,
        confidence: options.resampling.confidence,
        p_value: whole.paired.p_value,
        wilcoxon_p_value: wilcoxon(&differences).map(|test| test.p_value),
        cohens_d: cohens_d(&differences),
        wins: counts.wins,
        ties: counts.ties,
        losses: counts.losses,
        margin: options.margin,
        verdict: verdict(&sides, &whole.paired, metric, level),
        detectable: components.map(|components| {
            smallest_detectable_difference(components.standard_error(design), level, POWER)
        }),
        needed: components
            .map(|components| Needs::of(components.needed(whole.paired.difference, design, level, POWER))),
        tasks,
        scaffolds,
        most_different: molecules,
    })
}

struct Whole<'a> {
    bootstrap: Bootstrap<'a>,
    first: Replicates,
    second: Replicates,
    paired: PairedDifference,
}

fn whole<'a>(sides: &'a Sides, options: CompareOptions) -> Option<Whole<'a>> {
    let record = sides.record();
    let tasks = record.tasks.len();
    let Resampling { resamples, seed, .. } = options.resampling;
    let bootstrap = Bootstrap::new(record.metric, record.scoring, &sides.test.labels, tasks, resamples, seed);
    let first = bootstrap.replicates(&slices(&sides.first))?;
    let second = bootstrap.replicates(&slices(&sides.second))?;
    let paired = paired_difference(&first, &second, options.resampling.confidence)?;
    Some(Whole { bootstrap, first, second, paired })
}

fn slices(tables: &[Vec<f32>]) -> Vec<&[f32]> {
    tables.iter().map(Vec::as_slice).collect()
}

impl Whole<'_> {
    /// Variance components over the tasks that are defined, with the size of the comparison.
    fn components(
        &self,
        sides: &Sides,
        [first, second]: &[Vec<TaskScores>; 2],
        tasks: &[TaskComparison],
    ) -> (Option<VarianceComponents>, Design) {
        let seeds = sides.seeds.len();
        let defined: Vec<usize> = (0..tasks.len()).filter(|&task| tasks[task].difference.is_some()).collect();
        let design = Design { tasks: defined.len(), molecules: sides.molecules(), seeds };
        let of_task = |&task: &usize| {
            first.iter().zip(second).map(move |(first, second)| Some(first[task]? - second[task]?))
        };
        let differences: Option<Vec<f64>> = defined.iter().flat_map(of_task).collect();
        let sampling: Vec<f64> = defined.iter().map(|&task| tasks[task].sampling_variance).collect();
        let fixed: Vec<f64> = self
            .first
            .fixed_seeds
            .iter()
            .zip(&self.second.fixed_seeds)
            .map(|(one, other)| one - other)
            .collect();
        let mean_sampling = variance(&fixed);
        let components = differences.and_then(|differences| {
            VarianceComponents::estimate(&differences, &sampling, mean_sampling, design)
        });
        // A board is about exactly its own tasks.
        (components.map(|components| VarianceComponents { task: 0.0, ..components }), design)
    }
}

fn variance(values: &[f64]) -> f64 {
    let (_, std) = molarena_metrics::mean_and_std(values).unwrap_or_default();
    std.map_or(0.0, |std| std * std)
}

fn tasks(
    sides: &Sides,
    by_seed: &[Vec<TaskScores>; 2],
    bootstrap: &Bootstrap<'_>,
    options: CompareOptions,
) -> Vec<TaskComparison> {
    let record = sides.record();
    let [one, other] = by_seed.each_ref().map(|by_seed| over_seeds(by_seed, record.tasks.len()));
    let mut tasks: Vec<TaskComparison> = (0..record.tasks.len())
        .map(|task| {
            let paired = task_difference(sides, bootstrap, task, options.resampling.confidence);
            let difference = one[task].zip(other[task]).map(|(one, other)| one - other);
            let is_thin = sides.is_thin(task);
            // What a thin task adds to the variance of the mean still counts.
            let sampling_variance =
                paired.map_or(0.0, |paired| paired.standard_error * paired.standard_error);
            let paired = paired.filter(|_| difference.is_some() && !is_thin);
            TaskComparison {
                task: record.tasks[task].clone(),
                labelled: sides.labelled(task),
                first: one[task],
                second: other[task],
                difference,
                low: paired.map(|paired| paired.interval.low),
                high: paired.map(|paired| paired.interval.high),
                p_value: paired.map(|paired| sides.delong(task).unwrap_or(paired.p_value)),
                is_thin,
                p_holm: None,
                sampling_variance,
            }
        })
        .collect();
    let tested: Vec<usize> = (0..tasks.len()).filter(|&task| tasks[task].p_value.is_some()).collect();
    let p_values: Vec<f64> = tested.iter().filter_map(|&task| tasks[task].p_value).collect();
    for (task, adjusted) in tested.into_iter().zip(holm(&p_values)) {
        tasks[task].p_holm = Some(adjusted);
    }
    tasks
}

/// The paired difference of one task over resamples of molecules.
fn task_difference(
    sides: &Sides,
    bootstrap: &Bootstrap<'_>,
    task: usize,
    confidence: f64,
) -> Option<PairedDifference> {
    let one = bootstrap.task_replicates(&slices(&sides.first), task);
    let other = bootstrap.task_replicates(&slices(&sides.second), task);
    // Resamples without one of the classes leave a task undefined in both rows.
    let (one, other): (Vec<f64>, Vec<f64>) = one.into_iter().zip(other).filter_map(|(a, b)| a.zip(b)).unzip();
    let replicates = |values: Vec<f64>| Replicates { estimate: 0.0, fixed_seeds: Vec::new(), values };
    paired_difference(&replicates(one), &replicates(other), confidence)
}

fn side(row: &Row<'_>, scores: &[Option<f64>], mean: f64) -> Side {
    let count = row.records.len() as f64;
    let mean_of =
        |value: fn(&Record) -> f64| row.records.iter().map(|record| value(record)).sum::<f64>() / count;
    Side {
        row: row.name.clone(),
        mean,
        tasks: scores.iter().flatten().count(),
        cost: CostOfSide {
            wall_s: mean_of(|record| record.cost.wall_s),
            fit_s: mean_of(|record| record.cost.fit_s),
            predict_s: mean_of(|record| record.cost.predict_s),
            peak_rss_mb: row.records.iter().map(|record| record.cost.peak_rss_mb).fold(0.0, f64::max),
            settings: row
                .records
                .iter()
                .filter_map(|record| record.search.as_ref())
                .map(|s| s.candidates.len())
                .max(),
        },
    }
}

fn verdict(sides: &Sides, paired: &PairedDifference, metric: Metric, level: f64) -> Verdict {
    if sides.first == sides.second {
        return Verdict::Same;
    }
    let outside = paired.interval.low > 0.0 || paired.interval.high < 0.0;
    if outside && paired.p_value <= level {
        Verdict::of_difference(paired.difference, metric)
    } else {
        Verdict::NotSeparable
    }
}

/// Score of each task; `None` where it is undefined.
type TaskScores = Vec<Option<f64>>;

/// Score of each of `tasks` tasks, averaged over seeds.
fn over_seeds(by_seed: &[TaskScores], tasks: usize) -> TaskScores {
    let mean = |task: usize| mean_defined(&by_seed.iter().map(|scores| scores[task]).collect::<Vec<_>>());
    (0..tasks).map(mean).collect()
}

impl Sides {
    /// The scores of each seed's predictions.
    fn scores(&self, tables: &[Vec<f32>]) -> Vec<TaskScores> {
        let Record { metric, scoring, tasks, .. } = self.record();
        tables
            .iter()
            .map(|table| score_tasks(*metric, *scoring, &self.test.labels, table, tasks.len()))
            .collect()
    }
}
