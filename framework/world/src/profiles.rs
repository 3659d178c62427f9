//! Profiles: the effects of pathways on genes and on the shape of cells, measured in batches, with noise.

use rayon::prelude::*;

use crate::latent::{Activities, HIDDEN_EXPRESSION, HIDDEN_MORPHOLOGY, PATHWAYS};
use crate::random::{Purpose, Stream};

/// Share of the columns that respond to nothing.
const SILENT: f64 = 0.2;
/// Share of the other columns that respond to a second pathway, half as strongly.
const SECOND: f64 = 0.3;
/// Standard deviation of a measurement's noise.
const NOISE: f64 = 1.4;
/// Standard deviation of a batch's shift of a column.
const BATCH_EFFECT: f64 = 0.8;

/// A kind of profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Modality {
    Expression,
    Morphology,
}

impl Modality {
    /// The pathways that profiles of this kind respond to. Two are shared; each kind has two of its own, and a hidden one.
    fn pathways(self) -> [usize; 5] {
        match self {
            Self::Expression => [0, 1, 2, 3, HIDDEN_EXPRESSION],
            Self::Morphology => [2, 3, 4, 5, HIDDEN_MORPHOLOGY],
        }
    }
}

/// The response of a column to the pathways.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loading {
    /// The pathway that it responds to most.
    pub(crate) pathway: Option<usize>,
    /// Change of the column for one standard deviation of each pathway.
    weights: Activities,
}

/// The loading of a column, or of a gene, whether or not it is measured.
pub(crate) fn loading(seed: u64, modality: Modality, column: usize) -> Loading {
    let mut stream = Stream::of_row(seed, Purpose::Loading, modality as u64, column);
    let mut weights = [0.0; PATHWAYS];
    if stream.uniform() < SILENT {
        return Loading { pathway: None, weights };
    }
    let pathways = modality.pathways();
    let first = pathways[stream.below(pathways.len())];
    let mut weight = || {
        let size = stream.between(0.4, 1.2);
        if stream.uniform() < 0.5 { -size } else { size }
    };
    weights[first] = weight();
    let second = 0.5 * weight();
    if stream.uniform() < SECOND {
        weights[pathways[stream.below(pathways.len())]] += second;
    }
    Loading { pathway: Some(first), weights }
}

/// Measures profiles of one kind.
pub(crate) struct Instrument {
    seed: u64,
    loadings: Vec<Loading>,
    /// `[batches, columns]`: each batch's shift.
    shifts: Vec<f64>,
    modality: Modality,
}

/// What is measured: a molecule's activities, in a batch.
pub(crate) struct Sample<'a> {
    pub(crate) activities: &'a Activities,
    pub(crate) batch: usize,
}

impl Instrument {
    pub(crate) fn new(seed: u64, modality: Modality, columns: usize, batches: usize) -> Self {
        let loadings = (0..columns).map(|column| loading(seed, modality, column)).collect();
        let shift = |batch| {
            let mut stream = Stream::of_row(seed, Purpose::BatchEffect, modality as u64, batch);
            std::iter::repeat_with(move || BATCH_EFFECT * stream.normal()).take(columns)
        };
        Self { seed, loadings, shifts: (0..batches).flat_map(shift).collect(), modality }
    }

    pub(crate) fn columns(&self) -> usize {
        self.loadings.len()
    }

    /// The batch that row `row` of table `table` is measured in.
    pub(crate) fn batch(&self, table: Table, row: usize) -> usize {
        Stream::of_row(self.seed, Purpose::Batch, self.stream_of(table), row)
            .below(self.shifts.len() / self.columns())
    }

    /// `[samples, columns]`: rows `first..` of table `table`.
    pub(crate) fn measure(&self, table: Table, first: usize, samples: &[Sample<'_>]) -> Vec<f32> {
        let columns = self.columns();
        let mut values = vec![0.0; samples.len() * columns];
        values.par_chunks_exact_mut(columns).zip(samples).enumerate().for_each(|(index, (row, sample))| {
            let mut noise = Stream::of_row(self.seed, Purpose::Noise, self.stream_of(table), first + index);
            let shifts = &self.shifts[sample.batch * columns..][..columns];
            for ((value, loading), shift) in row.iter_mut().zip(&self.loadings).zip(shifts) {
                let effect: f64 =
                    loading.weights.iter().zip(sample.activities).map(|(weight, z)| weight * z).sum();
                *value = (effect + shift + NOISE * noise.normal()) as f32;
            }
        });
        values
    }

    fn stream_of(&self, table: Table) -> u64 {
        2 * self.modality as u64 + table as u64
    }
}

/// Cells behind a morphology profile of a molecule that does no harm, without noise.
const CELLS: f64 = 1_000.0;
/// The pathway that kills cells: electrophiles and chelators.
const HARM: usize = 2;

/// Number of cells behind the morphology profile in row `row` of table `table`.
pub(crate) fn cell_count(seed: u64, table: Table, row: usize, activities: &Activities) -> u32 {
    let noise = Stream::of_row(seed, Purpose::CellCount, table as u64, row).normal();
    (CELLS * libm::exp(-0.4 * activities[HARM].max(0.0) + 0.2 * noise)).round() as u32
}

/// Whose profiles a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// The context graph's.
    Context,
    /// The labelled molecules', one each.
    Labelled,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_follow_their_pathways_and_batches() {
        let instrument = Instrument::new(0, Modality::Expression, 200, 4);
        let silent = instrument.loadings.iter().filter(|loading| loading.pathway.is_none()).count();
        assert!((20..60).contains(&silent), "{silent}");
        let unseen = instrument.loadings.iter().all(|loading| loading.weights[HIDDEN_MORPHOLOGY] == 0.0);
        assert!(unseen);
        let (low, high) = ([0.0; PATHWAYS], [3.0; PATHWAYS]);
        let mean = |activities: &Activities, batch, column: usize| {
            let samples: Vec<Sample> = (0..4_000).map(|_| Sample { activities, batch }).collect();
            let values = instrument.measure(Table::Context, 0, &samples);
            values.iter().skip(column).step_by(200).map(|value| f64::from(*value)).sum::<f64>() / 4_000.0
        };
        let column = instrument.loadings.iter().position(|loading| loading.pathway.is_some()).unwrap();
        let expected = 3.0 * instrument.loadings[column].weights.iter().sum::<f64>();
        // The noise is the same in both, so that the difference has no error.
        assert!((mean(&high, 1, column) - mean(&low, 1, column) - expected).abs() < 1e-4);
        let shift = instrument.shifts[200 + column];
        // Four standard errors of 1.4 / sqrt(4000).
        assert!((mean(&low, 1, column) - shift).abs() < 0.089);
    }

    #[test]
    fn harmful_molecules_leave_fewer_cells() {
        let (mut harmless, mut harmful) = ([0.0; PATHWAYS], [0.0; PATHWAYS]);
        (harmless[HARM], harmful[HARM]) = (-1.0, 2.0);
        let mean = |activities: &Activities| {
            let counts = (0..1_000).map(|row| f64::from(cell_count(0, Table::Context, row, activities)));
            counts.sum::<f64>() / 1_000.0
        };
        // Four standard errors of a lognormal with 0.2 over 1,000 rows: 2.6 % of the mean 1,020.
        assert!((mean(&harmless) - 1_020.0).abs() < 27.0);
        assert!((mean(&harmful) / mean(&harmless) - (-0.8_f64).exp()).abs() < 0.002);
        assert_ne!(cell_count(0, Table::Context, 0, &harmless), cell_count(0, Table::Labelled, 0, &harmless));
    }

    #[test]
    fn rows_do_not_depend_on_the_block_they_are_in() {
        let instrument = Instrument::new(0, Modality::Morphology, 7, 3);
        let activities = [0.5; PATHWAYS];
        let samples: Vec<Sample> = (0..10).map(|_| Sample { activities: &activities, batch: 2 }).collect();
        let whole = instrument.measure(Table::Context, 0, &samples);
        let parts = [
            instrument.measure(Table::Context, 0, &samples[..4]),
            instrument.measure(Table::Context, 4, &samples[4..]),
        ];
        assert_eq!(whole, parts.concat());
        assert_ne!(whole, instrument.measure(Table::Labelled, 0, &samples));
    }
}
