//! A comparison as Markdown that reads well as text, too.

use crate::md::escape;
use crate::table::markdown;
use crate::units::{NONE, duration, memory, points, signed_points, with_decimals};
use molarena_evaluate::compare::{
    AgainstRow, Comparison, FEWEST_LABELS, FEWEST_OF_CLASS, GroupComparison, ReferenceComparison, Side,
    TaskComparison, Verdict,
};

/// Most tasks that are listed without `all`: those with the smallest p values.
const MOST_TASKS: usize = 20;

/// Comparisons as Markdown; with `all`, every task is listed.
pub fn comparisons_as_markdown(comparisons: &[Comparison], all: bool) -> String {
    comparisons.iter().map(|comparison| section(comparison, all)).collect::<Vec<_>>().join("\n")
}

/// Comparisons of one row with all others as Markdown.
pub fn references_as_markdown(comparisons: &[ReferenceComparison]) -> String {
    comparisons.iter().map(against_all).collect::<Vec<_>>().join("\n")
}

fn against_all(comparison: &ReferenceComparison) -> String {
    let ReferenceComparison { dataset, split, metric, reference, .. } = comparison;
    let better = if metric.higher_is_better() { "higher is better" } else { "lower is better" };
    let head = [
        "row",
        &format!("{metric} x100"),
        "difference",
        "interval",
        "p",
        "p (Dunnett)",
        "win/tie/loss",
        "the row is",
    ];
    let head: Vec<String> = head.iter().map(ToString::to_string).collect();
    let row = |row: &AgainstRow| {
        let said = match row.verdict {
            Verdict::Same => "the same",
            Verdict::FirstIsBetter => "better",
            Verdict::SecondIsBetter => "worse",
            Verdict::NotSeparable => "not separable",
        };
        vec![
            escape(&row.row),
            points(row.mean),
            signed_points(row.difference),
            format!("{} to {}", signed_points(row.low), signed_points(row.high)),
            p(row.p_value),
            optional(row.dunnett_p_value, p),
            format!("{}/{}/{}", row.wins, row.ties, row.losses),
            said.to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = comparison.rows.iter().map(row).collect();
    let lines = [
        vec![
            format!(
                "## All rows against {}: {}, {split} split, {metric}",
                escape(reference),
                escape(dataset)
            ),
            String::new(),
            format!(
                "{} has {} ({better}). Differences are a row less {}; the {:.0} % intervals and p values, by the \
                 bootstrap over molecules and seeds, hold for all rows together. Dunnett's test has the tasks as blocks.",
                escape(reference),
                points(comparison.mean),
                escape(reference),
                comparison.confidence * 100.0
            ),
            String::new(),
        ],
        markdown(&head, &rows),
    ];
    lines.concat().join("\n") + "\n"
}

fn section(comparison: &Comparison, all: bool) -> String {
    let Comparison { dataset, split, metric, first, second, .. } = comparison;
    let mut lines = vec![
        format!(
            "## {} against {}: {}, {split} split, {metric}",
            escape(&first.row),
            escape(&second.row),
            escape(dataset)
        ),
        String::new(),
        verdict(comparison),
        String::new(),
    ];
    lines.extend(overall(comparison));
    lines.push(String::new());
    lines.extend(facts(comparison).into_iter().map(|fact| format!("- {fact}")));
    lines.extend(tasks(comparison, all));
    let loss = if metric.is_classification() { "squared error of the probability" } else { "absolute error" };
    lines.extend(groups(&comparison.scaffolds, &format!("Scaffolds ({loss})"), comparison));
    lines.extend(groups(&comparison.most_different, &format!("Molecules ({loss})"), comparison));
    lines.join("\n") + "\n"
}

fn optional(value: Option<f64>, text: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| NONE.to_owned(), text)
}

pub(crate) fn p(value: f64) -> String {
    if value < 0.0001 { "<0.0001".to_owned() } else { format!("{value:.4}") }
}

fn verdict(comparison: &Comparison) -> String {
    let (first, second) = (escape(&comparison.first.row), escape(&comparison.second.row));
    let between = |better: &str, worse: &str| format!("**{better} is better than {worse}.**");
    let said = match comparison.verdict {
        Verdict::Same => "**The same: all predictions are equal.**".to_owned(),
        Verdict::FirstIsBetter => between(&first, &second),
        Verdict::SecondIsBetter => between(&second, &first),
        Verdict::NotSeparable => format!("**{first} and {second} cannot be told apart on these data.**"),
    };
    format!(
        "{said} Difference {} ({:.0} % interval {} to {}, p {}).",
        signed_points(comparison.difference),
        comparison.confidence * 100.0,
        signed_points(comparison.low),
        signed_points(comparison.high),
        p(comparison.p_value)
    )
}

fn overall(comparison: &Comparison) -> Vec<String> {
    let metric = comparison.metric;
    let better = if metric.higher_is_better() { "higher is better" } else { "lower is better" };
    let head = [
        "row",
        &format!("{metric} x100 ({better})"),
        "tasks",
        "time of a seed",
        "fit",
        "predict",
        "peak memory",
    ];
    let head: Vec<String> = head.iter().map(ToString::to_string).collect();
    let row = |side: &Side| {
        vec![
            escape(&side.row),
            points(side.mean),
            side.tasks.to_string(),
            duration(Some(side.cost.wall_s)),
            duration(Some(side.cost.fit_s)),
            duration(Some(side.cost.predict_s)),
            memory(Some(side.cost.peak_rss_mb)),
        ]
    };
    markdown(&head, &[row(&comparison.first), row(&comparison.second)])
}

fn facts(comparison: &Comparison) -> Vec<String> {
    let seeds: Vec<String> = comparison.seeds.iter().map(ToString::to_string).collect();
    let mut facts = vec![
        format!(
            "{} test molecules; seeds in common: {}; interval and p value by the paired bootstrap over molecules and seeds.",
            comparison.molecules,
            seeds.join(", ")
        ),
        format!(
            "Tasks: {} wins, {} ties, {} losses of the first row{}; Wilcoxon's signed-rank test p {}; Cohen's d {}.",
            comparison.wins,
            comparison.ties,
            comparison.losses,
            if comparison.margin > 0.0 {
                format!(" at a margin of {}", comparison.margin)
            } else {
                String::new()
            },
            optional(comparison.wilcoxon_p_value, p),
            optional(comparison.cohens_d, |d| format!("{d:.2}"))
        ),
    ];
    if let Some(detectable) = comparison.detectable.filter(|_| comparison.verdict != Verdict::Same) {
        facts.push(format!(
            "The smallest true difference that would be found with a probability of 0.8: {}.",
            points(detectable)
        ));
    }
    if let Some(needed) = comparison.needed.as_ref().filter(|_| comparison.verdict == Verdict::NotSeparable) {
        let count = |count: Option<usize>, what: &str, rest: &str| {
            count.map_or_else(
                || format!("no number of {what} alone, with {rest} as they are"),
                |count| format!("{count} {what} with {rest} as they are"),
            )
        };
        facts.push(format!(
            "If the difference is as large as it looks, these would separate the rows: {}; or {}.",
            count(needed.molecules, "test molecules", "the seeds"),
            count(needed.seeds, "seeds", "the molecules")
        ));
    }
    facts
}

fn tasks(comparison: &Comparison, all: bool) -> Vec<String> {
    let mut tasks: Vec<&TaskComparison> = comparison.tasks.iter().collect();
    let count = tasks.len();
    if !all && count > MOST_TASKS {
        let place = |task: &TaskComparison| task.p_value.unwrap_or(f64::INFINITY);
        tasks.sort_by(|one, other| place(one).total_cmp(&place(other)));
        tasks.truncate(MOST_TASKS);
    }
    let head = ["task", "molecules", "first", "second", "difference", "interval", "p", "p (Holm)"];
    let head: Vec<String> = head.iter().map(ToString::to_string).collect();
    let rows: Vec<Vec<String>> = tasks
        .iter()
        .map(|task| {
            vec![
                escape(&task.task),
                task.labelled.to_string(),
                optional(task.first, points),
                optional(task.second, points),
                optional(task.difference, signed_points),
                task.low.zip(task.high).map_or_else(
                    || NONE.to_owned(),
                    |(low, high)| format!("{} to {}", signed_points(low), signed_points(high)),
                ),
                optional(task.p_value, p),
                optional(task.p_holm, p),
            ]
        })
        .collect();
    let left_out = count - rows.len();
    let title = if left_out == 0 {
        "### Tasks".to_owned()
    } else {
        format!("### Tasks: the {} with the smallest p of {count} (--all-tasks lists all)", rows.len())
    };
    let thin = comparison.tasks.iter().filter(|task| task.is_thin).count();
    let mut lines = [vec![String::new(), title, String::new()], markdown(&head, &rows)].concat();
    if thin > 0 {
        lines.push(String::new());
        lines.push(format!(
            "- {thin} of {count} tasks have too few molecules for an interval: fewer than {FEWEST_OF_CLASS} of a class, or \
             fewer than {FEWEST_LABELS} labels."
        ));
    }
    lines
}

fn groups(groups: &[GroupComparison], title: &str, comparison: &Comparison) -> Vec<String> {
    if groups.is_empty() {
        return Vec::new();
    }
    let head = ["SMILES", "molecules", "first", "second", "smaller loss"];
    let head: Vec<String> = head.iter().map(ToString::to_string).collect();
    let rows: Vec<Vec<String>> = groups
        .iter()
        .map(|group| {
            let first = group.first_loss < group.second_loss;
            let better = if first { &comparison.first.row } else { &comparison.second.row };
            vec![
                escape(&group.group),
                group.molecules.to_string(),
                with_decimals(group.first_loss, 4),
                with_decimals(group.second_loss, 4),
                escape(better),
            ]
        })
        .collect();
    [vec![String::new(), format!("### {title}"), String::new()], markdown(&head, &rows)].concat()
}
