//! One board: its table, and the views of its rows and tasks.

use molarena_data::TaskType;
use molarena_metrics::Scoring;

use super::glossary::Term;
use super::table::{Cell, Head, Table};
use super::text::{download, text};
use super::{Page, costs, duel, groups, heat, published, ranks, tasks, wins};
use crate::columns::{Column, Shown, columns};
use crate::{Board, Boards, Row};

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
        ("groups", "Groups of tasks", false, groups::view(page, index)),
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

fn table(page: &Page<'_>, index: usize) -> Table {
    let board = &page.boards[index];
    let columns = columns(board);
    let of = |column: &Column<'_>| match column.term {
        Some(term) => Head::of(&column.head, term),
        None => Head::plain(&column.head),
    };
    let head = std::iter::once(Head::of("method", Term::Row)).chain(columns.iter().map(of)).collect();
    let cell = |shown: Shown| match shown {
        Shown::Text(shown) => Cell::text(&shown),
        Shown::Number(shown, number) => Cell::number(text(&shown), number),
    };
    let row = |row: &Row| {
        let cells = columns.iter().map(|column| cell(column.of(row)));
        std::iter::once(Cell::html(name(page, board, row))).chain(cells).collect()
    };
    Table {
        id: format!("b{index}-t"),
        caption: format!("Board of {}", page.label(index)),
        is_text: false,
        head,
        rows: board.rows.iter().map(row).collect(),
    }
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
