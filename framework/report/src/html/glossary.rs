//! What each column means, in place: heads of columns link here.

use std::fmt::Write as _;

use strum::VariantArray;

/// A word that the page explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray)]
pub(crate) enum Term {
    Row,
    Rank,
    AverageRank,
    Seeds,
    Coverage,
    Profiled,
    Score,
    Interval,
    Ties,
    Twins,
    Above,
    Time,
    Memory,
    Pretraining,
    Seen,
    SelectedOn,
    Failed,
    Best,
    Versus,
    Build,
    Key,
    Confined,
    Device,
    Simulated,
    Published,
}

impl Term {
    /// Id of its explanation.
    pub(super) const fn id(self) -> &'static str {
        self.entry().0
    }

    /// As it is written in sentences.
    pub(super) const fn name(self) -> &'static str {
        self.entry().1
    }

    /// Id, name, explanation.
    #[rustfmt::skip]
    const fn entry(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Row => ("g-row", "row", "A method: features, encoder, baseline and their settings, summarised over its seeds. Records of one method that differ in these have a row each, named by a hash behind an @."),
            Self::Rank => ("g-rank", "rank", "1 and the number of rows that are better. In brackets stand the best and the worst rank that the data allow at the stated confidence. Rows without a score, scored on predicted classes or trained on shuffled labels have none. A row with failed seeds is compared with each other row on the seeds that both have scored."),
            Self::AverageRank => ("g-average-rank", "average rank", "Mean over all boards of the rank among the rows that are ranked on every board. A row that is missing somewhere has none, since its mean would be over other boards."),
            Self::Seeds => ("g-seeds", "seeds", "Number of seeds that were scored. Everything is a mean over them."),
            Self::Coverage => ("g-coverage", "coverage", "Share of the seeds of the row that were scored. The others failed; the failures are listed."),
            Self::Profiled => ("g-profiled", "profiled", "Share of the test labels that a member with measured profiles predicts. The other molecules have no profile, and the other members predict them. Empty for methods without profiles."),
            Self::Score => ("g-score", "score", "Mean over the tasks of the dataset, then mean ± sample standard deviation over seeds, times 100. Each board says what its score is, and whether higher or lower is better."),
            Self::Interval => ("g-interval", "interval", "Interval of the score by the bootstrap over test molecules and seeds: where the score would be with other molecules of the same kind and other seeds."),
            Self::Ties => ("g-ties", "ties", "Letters of tie groups. Rows with a letter in common cannot be told apart at the stated confidence, all pairs of the board together."),
            Self::Twins => ("g-twins", "no twins", "The score on the test molecules that have no twin in training: no training molecule with the same skeleton (first block of the InChIKey)."),
            Self::Above => ("g-above", "share of tasks above a score", "Mean over seeds of the share of defined tasks with an AUC above 0.80, 0.85 or 0.90, times 100."),
            Self::Time => ("g-time", "time", "Mean wall-clock time of a seed, from the start of its worker to its end. Times of other machines are not comparable."),
            Self::Memory => ("g-memory", "peak memory", "Largest peak of resident memory of any seed: what a machine must have."),
            Self::Pretraining => ("g-pretraining", "pretraining", "Wall-clock time of the pretraining of the encoder, once for all seeds and datasets."),
            Self::Seen => ("g-seen", "seen", "Share of the test molecules that a corpus of the encoder has, by the first block of the InChIKey. The arena leaves them out of what it pretrains on itself; of weights that a plugin brings, the corpora that it declares are looked through. ? where a corpus cannot be read here."),
            Self::SelectedOn => ("g-selected-on", "selected on", "On which molecules settings were chosen, and how many were tried for a seed."),
            Self::Failed => ("g-failed", "failed", "Number of failed seeds by reason. Each failure has its message in the list of failures."),
            Self::Best => ("g-best", "share of tasks won", "Share of the tasks on which the row has the best score of all ranked rows. Rows that are equally good share a task."),
            Self::Versus => ("g-versus", "win, tie and loss", "Number of tasks on which the row is better than, equal to and worse than the other, by the means over seeds in full precision. It says nothing about chance; the mark ≈ does: the two rows share a tie group."),
            Self::Build => ("g-build", "build", "The same method with other versions of its plugins. Only the newest build counts on boards."),
            Self::Key => ("g-key", "key", "Hash of everything that determines a result; the name of its record in the store. Its first 16 digits are shown."),
            Self::Confined => ("g-confined", "confined", "Whether every worker of the row was cut off from the data folder, the store and the network, so that it cannot have read the test labels."),
            Self::Device => ("g-device", "device", "Class of the device that the row was run on."),
            Self::Simulated => ("g-simulated", "simulated", "The data are made up, to try the program. They say nothing about chemistry."),
            Self::Published => ("g-published", "published row", "A mean and a standard deviation that a paper prints for these data. It has no predictions, so it is not ranked, and no interval of its difference can be had."),
        }
    }
}

/// The section of all explanations.
pub(super) fn section() -> String {
    let mut html =
        "<section id=glossary aria-labelledby=glossary-h><h2 id=glossary-h>What the columns mean</h2><dl>\n"
            .to_owned();
    for term in Term::VARIANTS {
        let (id, name, meaning) = term.entry();
        writeln!(html, "<dt id=\"{id}\" tabindex=-1>{name}</dt><dd>{meaning}</dd>")
            .expect("a String takes every write");
    }
    html + "</dl></section>\n"
}
