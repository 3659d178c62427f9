//! An audit as Markdown that reads well as text in 100 columns.

use molarena_chem::shorten;
use molarena_data::{
    TaskType,
    audit::{Audit, Canary, ColumnRelation, CorpusOverlap, Report, TwinKind},
};

/// Width of the text.
const WIDTH: usize = 100;
/// Lines shown of a list; JSON has more.
const SHOWN: usize = 3;
/// Characters shown of a SMILES and of a name.
const SMILES_SHOWN: usize = 28;
const NAME_SHOWN: usize = 40;

/// The text of a report.
pub(super) fn markdown(report: &Report) -> String {
    let mut text = Text::default();
    text.line("# Audit");
    for audit in &report.datasets {
        dataset(&mut text, audit);
    }
    contamination(&mut text, report);
    if let Some(canaries) = &report.canaries {
        shuffled(&mut text, canaries);
    }
    text.0
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn heading(&mut self, heading: &str) {
        self.line("");
        self.line(heading);
        self.line("");
    }

    /// An item of a list, wrapped.
    fn item(&mut self, item: &str) {
        self.wrapped("- ", item);
    }

    /// An item below an item, wrapped.
    fn detail(&mut self, item: &str) {
        self.wrapped("  - ", item);
    }

    fn wrapped(&mut self, mark: &str, text: &str) {
        let indent = " ".repeat(mark.len());
        let mut line = mark.to_owned();
        for word in text.split(' ') {
            let begun = line.len() > indent.len();
            if begun && line.chars().count() + 1 + word.chars().count() > WIDTH {
                let full = std::mem::replace(&mut line, indent.clone());
                self.line(&full);
            } else if begun {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(&line);
    }

    /// A table: the first column to the left, the others to the right.
    fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let head: Vec<String> = head.iter().map(ToString::to_string).collect();
        let width = |column: usize| {
            let cells = std::iter::once(&head).chain(rows).map(|row| row[column].chars().count());
            cells.max().unwrap_or(0).max(3)
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let rule = |(column, width): (usize, &usize)| match column {
            0 => format!(":{}", "-".repeat(width + 1)),
            _ => format!("{}:", "-".repeat(width + 1)),
        };
        let row = |cells: &Vec<String>| {
            let cell = |((column, cell), width): ((usize, &String), &usize)| match column {
                0 => format!(" {cell:<width$} "),
                _ => format!(" {cell:>width$} "),
            };
            let cells: Vec<String> = cells.iter().enumerate().zip(&widths).map(cell).collect();
            format!("|{}|", cells.join("|"))
        };
        self.line(&row(&head));
        self.line(&format!("|{}|", widths.iter().enumerate().map(rule).collect::<Vec<_>>().join("|")));
        for cells in rows {
            self.line(&row(cells));
        }
    }
}

fn dataset(text: &mut Text, audit: &Audit) {
    let split = &audit.split;
    text.heading(&format!("## {}: {}", audit.dataset, name(&audit.title)));
    text.item(&format!(
        "split {}{}: {} molecules to train on, {} to validate on, {} to test on; {} {} tasks",
        name(&split.protocol),
        if split.seed == 0 { String::new() } else { format!(" with seed {}", split.seed) },
        split.train,
        split.valid,
        split.test,
        audit.tasks,
        audit.task_type,
    ));
    if !audit.unreadable_rows.is_empty() {
        let rows = listed(audit.unreadable_rows.iter().map(ToString::to_string));
        text.item(&format!("rows that cannot be read: {} ({rows})", audit.unreadable_rows.len()));
    }
    twins(text, audit);
    labels(text, audit);
    similarity(text, audit);
    for corpus in &audit.corpora {
        overlap(text, corpus, split.test);
    }
}

fn twins(text: &mut Text, audit: &Audit) {
    let twins = &audit.twins;
    text.item(&format!(
        "**twins**: {} have a training row with the same first block of the InChIKey",
        of(twins.test_rows_with_training_twin, audit.split.test, "test rows")
    ));
    let found: Vec<_> =
        twins.kinds.iter().filter(|kind| kind.pairs.within() + kind.pairs.across() > 0).collect();
    if found.is_empty() {
        text.item("no pair of rows is of one molecule, by whatever spelling, tautomer, salt or stereoisomer");
        return;
    }
    text.line("");
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|kind| {
            let pairs = &kind.pairs;
            let counts = [
                pairs.train,
                pairs.valid,
                pairs.test,
                pairs.train_valid,
                pairs.train_test,
                pairs.valid_test,
                kind.test_rows as u64,
            ];
            std::iter::once(kind_name(kind.kind).to_owned())
                .chain(counts.iter().map(ToString::to_string))
                .collect()
        })
        .collect();
    let head =
        ["pairs of rows", "train", "valid", "test", "train-valid", "train-test", "valid-test", "test rows"];
    text.table(&head, &rows);
    text.line("");
    for kind in found {
        for example in kind.examples.iter().take(1) {
            let [one, other] = &example.smiles;
            text.item(&format!(
                "{}: row {} ({}) and row {} ({}): {} and {}",
                kind_name(kind.kind),
                example.rows[0],
                example.parts[0],
                example.rows[1],
                example.parts[1],
                code(one),
                code(other)
            ));
        }
    }
}

fn kind_name(kind: TwinKind) -> &'static str {
    match kind {
        TwinKind::Repeat => "same SMILES",
        TwinKind::Spelling => "other spelling",
        TwinKind::Isotope => "isotope",
        TwinKind::Stereoisomer => "stereoisomer",
        TwinKind::Tautomer => "tautomer",
        TwinKind::Charge => "charge form",
        TwinKind::Salt => "salt",
    }
}

fn labels(text: &mut Text, audit: &Audit) {
    let conflicts = &audit.conflicts;
    let rule = match audit.task_type {
        TaskType::Classification => "0 and 1".to_owned(),
        TaskType::Regression => {
            format!("differing by more than {} standard deviations", conflicts.threshold_in_deviations)
        }
    };
    text.item(&format!(
        "**conflicting labels** ({rule}): {} of {} distinct molecules, in {} of {} tasks",
        conflicts.molecules,
        audit.twins.distinct,
        conflicts.tasks.len(),
        audit.tasks
    ));
    let mut worst: Vec<_> = conflicts.tasks.iter().collect();
    worst.sort_by_key(|task| std::cmp::Reverse(task.conflicting));
    for task in worst.iter().take(SHOWN) {
        let example = &task.examples[0];
        text.detail(&format!(
            "{}: {} of {} molecules with labels in several rows, such as rows {} and {}: {} and {}",
            name(&task.task),
            task.conflicting,
            task.repeated,
            example.rows[0],
            example.rows[1],
            example.labels[0],
            example.labels[1]
        ));
    }
    let columns = &audit.columns;
    text.item(&format!(
        "**repeated label columns**: {} of {} pairs of tasks with {} common rows or more",
        columns.same.len(),
        columns.compared,
        columns.rows_at_least
    ));
    for same in columns.same.iter().take(SHOWN) {
        let relation = match same.relation {
            ColumnRelation::Equal => "equal",
            ColumnRelation::Complement => "each other's complement",
            ColumnRelation::Linear => "equal after a change of unit",
        };
        let [one, other] = &same.tasks;
        text.detail(&format!("{} and {}: {relation} on {} rows", name(one), name(other), same.rows));
    }
    thin(text, audit);
}

fn thin(text: &mut Text, audit: &Audit) {
    let thin = &audit.thin;
    let what = match audit.task_type {
        TaskType::Classification => "test rows of the rarer class",
        TaskType::Regression => "labelled test rows",
    };
    text.item(&format!(
        "**tasks too thin to rank methods by**: {} of {} have fewer than {} {what}; {} of them cannot be scored",
        thin.tasks.len(),
        audit.tasks,
        thin.rows_below,
        thin.without_score
    ));
}

fn similarity(text: &mut Text, audit: &Audit) {
    let scaffolds = &audit.scaffolds;
    for overlap in &scaffolds.overlaps {
        text.item(&format!(
            "**scaffolds**, {} in {}: {} with a ring have a scaffold of the {} part, without stereo {}",
            overlap.part,
            overlap.with,
            of(overlap.shared_rows, overlap.cyclic_rows, &format!("{} rows", overlap.part)),
            overlap.with,
            overlap.shared_rows_without_stereo
        ));
    }
    let acyclic = scaffolds.acyclic;
    text.item(&format!(
        "rows without a ring: train {}, valid {}, test {}",
        acyclic[0], acyclic[1], acyclic[2]
    ));
    let neighbours = &audit.neighbours;
    let Some(mean) = neighbours.mean else { return };
    let shares: Vec<String> = neighbours
        .at_least
        .iter()
        .map(|level| format!("{} % at {} or more", percent(level.share), level.tanimoto))
        .collect();
    text.item(&format!(
        "**nearest training molecule** (Tanimoto, Morgan {} of {} bits): mean {mean:.3}; {}",
        neighbours.radius,
        neighbours.bits,
        shares.join(", ")
    ));
    let deciles: Vec<String> = neighbours.deciles.iter().map(|decile| format!("{decile:.2}")).collect();
    text.detail(&format!("minimum, deciles, maximum: {}", deciles.join(" ")));
}

fn overlap(text: &mut Text, corpus: &CorpusOverlap, tested: usize) {
    text.item(&format!(
        "**{}** ({} molecules): {}, {} training and {} validation rows are in it",
        name(&corpus.corpus),
        corpus.distinct,
        of(corpus.test_rows, tested, "test rows"),
        corpus.train_rows,
        corpus.valid_rows
    ));
    match &corpus.assays {
        None => text.detail("it declares no assays"),
        Some(assays) if assays.shared.is_empty() => {
            text.detail(&format!("none of its {} assays has the name of a task", assays.declared));
        }
        Some(assays) => text.detail(&format!(
            "{} of its {} assays have the name of a task: {}",
            assays.shared.len(),
            assays.declared,
            listed(assays.shared.iter().map(|assay| name(assay)))
        )),
    }
}

fn contamination(text: &mut Text, report: &Report) {
    text.heading("## Contamination");
    for audit in &report.datasets {
        let found = audit.contamination();
        let corpora: Vec<String> = found
            .corpora
            .iter()
            .map(|(corpus, share)| format!(", {} % in {}", percent(*share), name(corpus)))
            .collect();
        text.item(&format!(
            "{} ({}): of {} test rows, {} % have a training twin{}",
            found.dataset,
            name(&found.split),
            found.test_rows,
            percent(found.twin_share),
            corpora.concat()
        ));
    }
    for declared in &report.declared {
        let (component, corpus) = (name(&declared.component), name(&declared.corpus));
        match &declared.unread {
            Some(why) => {
                text.item(&format!("{component} was pretrained on {corpus}, which cannot be read: {why}"));
            }
            None => text.item(&format!("{component} was pretrained on {corpus}: see above")),
        }
    }
    if report.declared.is_empty() {
        text.item("no plugin that was found declares a corpus");
    }
}

fn shuffled(text: &mut Text, canaries: &[Canary]) {
    text.heading("## Shuffled labels");
    if canaries.is_empty() {
        text.item("the store has no record of shuffled labels; molarena run --shuffle-labels makes them");
        return;
    }
    for canary in canaries {
        let number =
            |number: Option<f64>| number.map_or("unknown".to_owned(), |number| format!("{number:.4}"));
        let judgement = match canary.leaks {
            Some(true) => "**leaks?**",
            Some(false) => "no leak is seen",
            None => "cannot be told",
        };
        text.item(&format!(
            "{} on {} ({}): {} {}, standard error {} of {} scores in {} seeds, chance {}: {judgement}",
            name(&canary.method),
            canary.dataset,
            canary.split,
            canary.metric,
            number(canary.mean),
            number(canary.standard_error),
            canary.scores,
            canary.seeds,
            number(canary.chance)
        ));
    }
}

/// `643 of 1642 test rows (39.2 %)`.
fn of(count: usize, total: usize, what: &str) -> String {
    let share = if total == 0 { 0.0 } else { count as f64 / total as f64 };
    format!("{count} of {total} {what} ({} %)", percent(share))
}

fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

/// The first few, and how many more there are.
fn listed(items: impl ExactSizeIterator<Item = String>) -> String {
    let more = items.len().saturating_sub(SHOWN);
    let shown = items.take(SHOWN).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// A name from a file or plugin, short and without what Markdown would take for a mark.
fn name(text: &str) -> String {
    let mut escaped = String::new();
    for c in shorten(text, NAME_SHOWN, "...").chars() {
        if matches!(c, '*' | '`' | '|' | '<' | '>' | '[' | ']' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// A SMILES as code.
fn code(smiles: &str) -> String {
    format!("`{}`", shorten(smiles, SMILES_SHOWN, "...").replace('`', "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_wrapped_and_a_long_word_stays_whole() {
        let mut text = Text::default();
        text.item(&format!("{} {} end", "word ".repeat(18).trim_end(), "x".repeat(120)));
        let lines: Vec<&str> = text.0.lines().collect();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[0].starts_with("- word word") && lines[0].len() <= WIDTH);
        assert_eq!((lines[1].trim(), lines[2]), ("x".repeat(120).as_str(), "  end"));
    }

    #[test]
    fn names_do_no_harm_to_markdown() {
        assert_eq!(name("a|b*<c>"), "a\\|b\\*\\<c\\>");
        assert_eq!(name(&"n".repeat(50)).len(), NAME_SHOWN + 3);
        assert_eq!(code("CC`O"), "`CC'O`");
    }
}
