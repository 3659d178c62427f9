//! One board: its table, and the views of its rows and tasks.

use molarena_data::TaskType;
use molarena_metrics::{Metric, Scoring};

use super::glossary::Term;
use super::table::{Cell, Head, Table};
use super::text::{download, text};
use super::{Page, costs, duel, heat, published, ranks, tasks, wins};
use crate::md::{shows_costs, shows_coverage, shows_pretraining, shows_selection, shows_tasks};
use crate::units::{NONE, duration, hundredfold, interval, memory, score, short_number};
use crate::{Board, Boards, Row, SelectedOn, TaskScore};

pub(super) fn section(page: &Page<'_>, index: usize) -> String {
    let board = &page.boards[index];
    let id = format!("b{index}");
    let mut html =
        format!("<section id={id} aria-labelledby={id}-h><h2 id={id}-h>{}</h2>\n", page.label(index));
    html += &facts(board);
    html += &table(page, index).render();
    html += &notes(board);
    html += &downloads(page, index);
    let views = [
        ("ranks", "Ranks and tie groups", true, ranks::view(page, index)),
        ("cost", "Score against cost", true, costs::view(page, index)),
        ("wins", "Share of tasks won", true, wins::view(page, index)),
        ("tasks", "Tasks, and one row against another", true, tasks::view(page, index)),
        ("heat", "Map of all tasks", false, heat::view(page, index)),
        ("duel", "Head to head of all rows", false, duel::view(page, index)),
        ("published", "What papers print", false, published::view(page, index)),
    ];
    for (name, title, is_open, view) in views {
        if view.is_empty() {
            continue;
        }
        let open = if is_open { " open" } else { "" };
        push!(
            html,
            "<details id={id}-{name}{open}><summary><h3>{title}<span class=v>, {}</span></h3></summary>\n{view}</details>\n",
            text(&page.labels[index])
        );
    }
    html + "</section>\n"
}

fn facts(board: &Board) -> String {
    let mut html = format!(
        "<p>{}. {} tasks; {} training, {} validation and {} test molecules. ",
        text(&crate::md::title(board)),
        board.tasks.len(),
        board.train,
        board.valid,
        board.test
    );
    if let Some(uncertainty) = &board.uncertainty {
        let count = if uncertainty.twins == 0 { "None".to_owned() } else { uncertainty.twins.to_string() };
        push!(
            html,
            "{count} of the test molecules have a <a href=\"#{}\">twin</a> in training. Intervals are of {} resamples. ",
            Term::Twins.id(),
            uncertainty.resamples
        );
    }
    let better = if board.metric.higher_is_better() { "Higher" } else { "Lower" };
    push!(
        html,
        "The score is the <a href=\"#{}\">{}</a>. <strong>{better} is better.</strong> Data <code>{}</code>, split <code>{}</code>.</p>\n",
        Term::Score.id(),
        text(board.metric.description().title),
        text(board.data_sha256.get(..12).unwrap_or(&board.data_sha256)),
        text(board.split_sha256.get(..12).unwrap_or(&board.split_sha256)),
    );
    if board.simulated {
        html += "<p><b class=s>simulated</b> These data are made up and say nothing about chemistry.</p>\n";
    }
    html
}

fn notes(board: &Board) -> String {
    if board.notes.is_empty() {
        return String::new();
    }
    let notes: Vec<String> = board.notes.iter().map(|note| format!("<li>{}", text(note))).collect();
    format!("<ul class=n>{}</ul>\n", notes.join("\n"))
}

/// Files of the board for pages without their script.
fn downloads(page: &Page<'_>, index: usize) -> String {
    let board = &page.boards[index];
    let slim = |row: &Row| Row { per_task: std::collections::BTreeMap::new(), ..row.clone() };
    let one = Board { rows: board.rows.iter().map(slim).collect(), ..board.clone() };
    let one = Boards { schema: crate::BOARD_SCHEMA.to_owned(), boards: vec![one], matches: Vec::new() };
    let name = format!("{}-{}", board.dataset, board.metric);
    format!(
        "<p class=d>Save this board: {}, {} (without its tasks), {}.</p>\n",
        download(&format!("{name}.csv"), "text/csv", &crate::csv::render(&one)),
        download(&format!("{name}.json"), "application/json", &crate::json::render(&one)),
        download(&format!("{name}-tasks.csv"), "text/csv", &tasks::csv(board)),
    )
}

/// The columns of [`table()`], each with its link to what it means. They are those of the board in Markdown.
fn head(board: &Board) -> Vec<Head> {
    let mut head =
        vec![Head::of("method", Term::Row), Head::of("rank", Term::Rank), Head::of("seeds", Term::Seeds)];
    if shows_coverage(board) {
        head.push(Head::of("coverage", Term::Coverage));
    }
    head.push(Head::of(&format!("{} (x100) mean±sd", board.metric.description().abbreviation), Term::Score));
    if let Some(uncertainty) = &board.uncertainty {
        let confidence = short_number((uncertainty.confidence * 100.0) as f32);
        head.push(Head::of(&format!("{confidence} % interval"), Term::Interval));
        head.push(Head::of("ties", Term::Ties));
        if uncertainty.twins > 0 {
            head.push(Head::of("no twins", Term::Twins));
        }
    }
    if board.metric == Metric::RocAuc {
        head.extend([">80 %", ">85 %", ">90 %"].map(|label| Head::of(label, Term::Above)));
    }
    if shows_tasks(board) {
        head.extend(board.tasks.iter().map(|task| Head::plain(task)));
    }
    if shows_costs(board) {
        head.extend([Head::of("time", Term::Time), Head::of("peak memory", Term::Memory)]);
        if shows_pretraining(board) {
            head.push(Head::of("pretraining", Term::Pretraining));
        }
    }
    if shows_selection(board) {
        head.push(Head::of("selected on", Term::SelectedOn));
    }
    head.push(Head::of("failed", Term::Failed));
    head
}

fn table(page: &Page<'_>, index: usize) -> Table {
    let board = &page.boards[index];
    Table {
        id: format!("b{index}-t"),
        caption: format!("Board of {}", page.label(index)),
        is_text: false,
        head: head(board),
        rows: board.rows.iter().map(|row| cells(page, board, row)).collect(),
    }
}

fn cells(page: &Page<'_>, board: &Board, row: &Row) -> Vec<Cell> {
    let metric = board.metric;
    let mut cells = vec![
        Cell::html(name(page, board, row)),
        Cell::number(crate::md::rank(row), row.rank.map(|rank| rank as f64)),
        Cell::number(row.seeds.to_string(), Some(row.seeds as f64)),
    ];
    if shows_coverage(board) {
        cells.push(Cell::number(format!("{:.0} %", row.coverage * 100.0), Some(row.coverage)));
    }
    cells.push(if row.seeds == 0 {
        let reasons: Vec<&str> = row.failed.keys().map(String::as_str).collect();
        Cell::number(text(&reasons.join(", ")), None)
    } else {
        Cell::number(score(metric, row.mean, row.std), row.mean)
    });
    if let Some(uncertainty) = &board.uncertainty {
        cells.extend(uncertain(metric, row, uncertainty.twins));
    }
    if metric == Metric::RocAuc {
        let shares = [(row.gt80, row.gt80_std), (row.gt85, row.gt85_std), (row.gt90, row.gt90_std)];
        cells.extend(shares.map(|(share, std)| Cell::number(hundredfold(share, std), share)));
    }
    if shows_tasks(board) {
        let none = TaskScore { mean: None, std: None };
        cells.extend(board.tasks.iter().map(|task| {
            let TaskScore { mean, std } = row.per_task.get(task).copied().unwrap_or(none);
            Cell::number(score(metric, mean, std), mean)
        }));
    }
    if shows_costs(board) {
        cells.push(Cell::number(duration(row.wall_s), row.wall_s));
        cells.push(Cell::number(memory(row.peak_rss_mb), row.peak_rss_mb));
        if shows_pretraining(board) {
            let wall = row.pretraining.as_ref().and_then(|pretraining| pretraining.wall_s);
            cells.push(Cell::number(duration(wall), wall));
        }
    }
    if shows_selection(board) {
        cells.push(match row.selected_on {
            SelectedOn::None => Cell::text("none"),
            SelectedOn::Validation => Cell::text(&format!("validation, of {}", row.settings)),
        });
    }
    let reasons: Vec<String> = row.failed.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    let failed: usize = row.failed.values().sum();
    let reasons = if reasons.is_empty() { NONE.to_owned() } else { reasons.join(", ") };
    cells.push(Cell::number(text(&reasons), Some(failed as f64)));
    cells
}

fn uncertain(metric: Metric, row: &Row, twins: usize) -> Vec<Cell> {
    let statistics = row.statistics.as_ref();
    let none = || Cell::number(NONE, None);
    let mut cells = vec![
        statistics.map_or_else(none, |of| Cell::number(interval(metric, of.low, of.high), Some(of.low))),
        statistics.filter(|of| !of.ties.is_empty()).map_or_else(none, |of| Cell::text(&of.ties.join(" "))),
    ];
    if twins > 0 {
        cells.push(statistics.map_or_else(none, |of| {
            Cell::number(score(metric, of.without_twins, of.without_twins_std), of.without_twins)
        }));
    }
    cells
}

/// The name of a row and what sets it apart.
fn name(page: &Page<'_>, board: &Board, row: &Row) -> String {
    let mut html = page.row(&row.method);
    let mut mark = |text: &str| push!(html, " <small>({text})</small>");
    if row.shuffled_labels {
        mark("shuffled labels");
    }
    if !row.confined {
        mark("not confined");
    }
    if board.task_type == TaskType::Classification && row.scoring == Scoring::Hard {
        mark("predicted classes");
    }
    if let Some(device) = &row.device {
        mark(&format!("on {}", text(device)));
    }
    html
}

/// All failures of all boards, with their reasons.
pub(super) fn failures(page: &Page<'_>) -> String {
    if page.boards.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<Cell>> = page
        .boards
        .iter()
        .enumerate()
        .flat_map(|(index, board)| board.rows.iter().map(move |row| (index, row)))
        .flat_map(|(index, row)| row.failures.iter().map(move |failure| (index, row, failure)))
        .map(|(index, row, failure)| {
            let seeds: Vec<String> = failure.seeds.iter().map(u64::to_string).collect();
            vec![
                Cell::html(page.row(&row.method)),
                Cell::html(page.label(index)),
                Cell::text(&failure.reason),
                Cell::text(&seeds.join(", ")),
                Cell::text(&molarena_chem::shorten(&failure.message, 300, "…")),
            ]
        })
        .collect();
    let mut html =
        "<section id=failures aria-labelledby=failures-h><h2 id=failures-h>Failures</h2>\n".to_owned();
    if rows.is_empty() {
        html += "<p>No seed of any row failed.</p>\n";
    } else {
        let head = [
            Head::of("row", Term::Row),
            Head::plain("board"),
            Head::plain("reason"),
            Head::of("seeds", Term::Failed),
            Head::plain("message"),
        ];
        let caption = "Failed seeds by message".to_owned();
        html +=
            &Table { id: "failures-t".to_owned(), caption, is_text: true, head: head.into(), rows }.render();
    }
    html + "</section>\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample;
    use crate::{BoardOptions, build};

    #[test]
    fn the_columns_are_those_of_markdown() {
        for cost in [true, false] {
            for board in &build(&sample(), BoardOptions { cost }).boards {
                let markdown = crate::md::head(board);
                assert_eq!(head(board).len(), markdown.len(), "{markdown:?}");
                for row in &board.rows {
                    let boards =
                        Boards { schema: String::new(), boards: vec![board.clone()], matches: Vec::new() };
                    assert_eq!(cells(&Page::new(&boards, &[]), board, row).len(), markdown.len());
                }
            }
        }
    }
}
