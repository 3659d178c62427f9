//! The groups of tasks that a dataset names, such as kinds of assay: the mean of each row over each group, as in Figure 7 of
//! arXiv 2406.12056.

use molarena_metrics::mean_defined;

use super::Page;
use super::table::{Cell, Head, Table};
use super::tasks::{of, scored};
use super::text::text;
use crate::published::manifest;
use crate::units::{NONE, points};

pub(super) fn view(page: &Page<'_>, index: usize) -> String {
    let board = &page.boards[index];
    let Some(named) =
        manifest(board).map(|manifest| &manifest.tasks).filter(|tasks| !tasks.groups.is_empty())
    else {
        return String::new();
    };
    let members = |group: &str| -> Vec<&str> {
        let of_group = &named.groups[group];
        board.tasks.iter().filter(|task| of_group.contains(task)).map(String::as_str).collect()
    };
    let groups: Vec<(&str, Vec<&str>)> = named
        .groups
        .keys()
        .map(|group| (group.as_str(), members(group)))
        .filter(|(_, of)| !of.is_empty())
        .collect();
    let rows = scored(board);
    if groups.is_empty() || rows.is_empty() {
        return String::new();
    }
    let mut html = format!(
        "<p>Means over the tasks of each group. <code>molarena board --dataset {} --group NAME</code> makes a board of one group, with \
         intervals and ties.</p>\n",
        text(&board.dataset)
    );
    let head = std::iter::once(Head::plain("row"))
        .chain(groups.iter().map(|(group, tasks)| Head::plain(&format!("{group} ({})", tasks.len()))));
    let cells = rows.iter().map(|row| {
        let scores = groups.iter().map(|(_, tasks)| {
            let of_tasks: Vec<Option<f64>> = tasks.iter().map(|task| of(row, task)).collect();
            let mean = mean_defined(&of_tasks);
            Cell::number(mean.map_or_else(|| NONE.to_owned(), points), mean)
        });
        std::iter::once(Cell::html(page.row(&row.method))).chain(scores).collect()
    });
    let table = Table {
        id: format!("b{index}-groups-t"),
        caption: format!("Scores x100 of {} by group of tasks, and the number of tasks", page.label(index)),
        is_text: false,
        head: head.collect(),
        rows: cells.collect(),
    };
    html += &table.render();
    html += "<dl>";
    for (group, tasks) in &groups {
        let name = |task: &&str| match named.names.get(*task) {
            Some(name) => format!("{} ({})", text(task), text(name)),
            None => text(task),
        };
        let tasks: Vec<String> = tasks.iter().map(name).collect();
        push!(html, "<dt>{}</dt><dd>{}</dd>", text(group), tasks.join("; "));
    }
    html + "</dl>\n"
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::testing::classification;
    use crate::{BoardOptions, board::Board, build, html::page, published::ARENA};
    use molarena_record::cell::{Outcome, Record};

    /// A record of `Broad6K`: task i scores i %.
    fn record() -> Record {
        let manifest = ARENA.get("broad6k").unwrap();
        let molarena_data::TaskColumns::Named(tasks) = &manifest.tasks.columns else {
            panic!("they are named")
        };
        let mut record = classification("a", 0, &[]);
        record.dataset = "broad6k".into();
        record.composition.data_sha256 = manifest.assays().sha256.clone();
        record.tasks = tasks.clone().into();
        let scores: BTreeMap<String, Option<f64>> = tasks
            .iter()
            .enumerate()
            .map(|(place, task)| (task.clone(), Some(place as f64 / 100.0)))
            .collect();
        record.outcome = Outcome::Scored { scores, mean: Some(0.155) };
        record
    }

    #[test]
    fn groups_stand_on_the_page_of_a_dataset_that_names_them() {
        let records = [record()];
        let boards = build(&records, BoardOptions::default());
        let board: &Board = &boards.boards[0];
        let place = |task: &str| board.tasks.iter().position(|other| other == task).unwrap();
        let viral = (place("238_712") + place("265_743")) as f64 / 2.0;
        let html = page(&boards, &records);
        let section =
            &html[html.find("id=b0-groups>").or_else(|| html.find("id=b0-groups ")).expect("the view")..];
        assert!(section.contains("viral (2)") && section.contains("cell (14)"), "{section}");
        assert!(section.contains(&format!("{viral:.1}")), "{viral}");
        assert!(section.contains("238_712 (MLPCN Dengue)"));
        let other = [classification("a", 0, &[Some(0.5)])];
        assert!(!page(&build(&other, BoardOptions::default()), &other).contains("b0-groups"));
    }
}
