//! Clusters similar rows of a feature space: k-means on the first principal components.
//!
//! Results do not depend on the number of threads: sums are taken over fixed blocks of rows and added in
//! order.

use rand_xoshiro::{
    SplitMix64,
    rand_core::{Rng, SeedableRng},
};
use rayon::prelude::*;

use super::graph::Space;

/// Rows per partial sum.
const BLOCK: usize = 1_024;
/// Components are fitted to at most this many rows, evenly spaced.
const SAMPLE: usize = 4_096;
/// Rounds of subspace iteration. Clustering does not need exact components.
const ROUNDS: usize = 8;
/// Maximum number of rounds of Lloyd's algorithm.
const LLOYD: usize = 25;
/// Larger groups are divided again, so that comparing all pairs of a group stays feasible.
const LARGEST: usize = 4_096;
/// Seed of the random numbers.
const SEED: u64 = 0x6d6f_6c61_7265_6e61;

/// Standardises a space's columns to mean 0 and variance 1 over its rows; a missing value becomes 0, the
/// mean.
pub(super) struct Standard {
    mean: Vec<f32>,
    /// Reciprocal of the standard deviation; 0 for a constant column.
    factor: Vec<f32>,
}

impl Standard {
    /// Fits the scaled values of a space. Scaling a column to [0, 1] does not change its standardised values.
    pub(super) fn new(space: &Space) -> Self {
        let columns = space.columns;
        let blocks: Vec<Vec<[f64; 3]>> = space
            .values
            .par_chunks(BLOCK * columns)
            .map(|block| {
                let mut sums = vec![[0.0; 3]; columns];
                for row in block.chunks_exact(columns) {
                    for (sum, value) in sums.iter_mut().zip(row).filter(|(_, value)| !value.is_nan()) {
                        let value = f64::from(*value);
                        *sum = [sum[0] + 1.0, sum[1] + value, sum[2] + value * value];
                    }
                }
                sums
            })
            .collect();
        let mut sums = vec![[0.0; 3]; columns];
        for block in blocks {
            sums.iter_mut().zip(block).for_each(|(sum, more)| (0..3).for_each(|i| sum[i] += more[i]));
        }
        let moments = sums.into_iter().map(|[count, sum, squares]| {
            let mean = if count > 0.0 { sum / count } else { 0.0 };
            let variance = if count > 0.0 { squares / count - mean * mean } else { 0.0 };
            // Values are in [0, 1], so a smaller variance is rounding error.
            let factor = if variance > 1e-12 { 1.0 / variance.sqrt() } else { 0.0 };
            (mean as f32, factor as f32)
        });
        let (mean, factor) = moments.unzip();
        Self { mean, factor }
    }

    /// Writes a standardised row into `target`.
    pub(super) fn write(&self, row: &[f32], target: &mut [f32]) {
        for (((target, value), mean), factor) in target.iter_mut().zip(row).zip(&self.mean).zip(&self.factor)
        {
            *target = if value.is_nan() { 0.0 } else { (value - mean) * factor };
        }
    }
}

/// Clusters the rows of a space, on `components` principal components, into `clusters` groups (0: the square
/// root of the number of rows), and divides groups of more than [`LARGEST`] rows again. Rows ascend within a
/// group; no group is empty.
pub(super) fn groups(
    space: &Space,
    standard: &Standard,
    components: usize,
    clusters: usize,
) -> Vec<Vec<usize>> {
    let rows = space.len();
    let clusters = if clusters == 0 { (rows as f64).sqrt().ceil() as usize } else { clusters };
    let (points, width) = principal_components(space, standard, components);
    let mut groups = Vec::new();
    divide(&points, width, (0..rows).collect(), clusters, &mut groups);
    groups
}

/// Adds the clusters of `members` to `groups`; divides those that are too large.
fn divide(points: &[f32], width: usize, members: Vec<usize>, clusters: usize, groups: &mut Vec<Vec<usize>>) {
    let own: Vec<f32> = members.iter().flat_map(|row| &points[row * width..][..width]).copied().collect();
    let mut parts = vec![Vec::new(); clusters];
    let count = members.len();
    for (row, part) in members.into_iter().zip(kmeans(&own, width, clusters)) {
        parts[part].push(row);
    }
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        if part.len() <= LARGEST {
            groups.push(part);
        } else if part.len() < count || clusters == 1 {
            let clusters = part.len().div_ceil(LARGEST / 2);
            divide(points, width, part, clusters, groups);
        } else {
            // Clustering cannot divide equal points.
            groups.extend(part.chunks(LARGEST).map(<[usize]>::to_vec));
        }
    }
}

/// The rows' coordinates `f32[rows, width]` on the first principal components, and `width`.
fn principal_components(space: &Space, standard: &Standard, components: usize) -> (Vec<f32>, usize) {
    let (rows, columns) = (space.len(), space.columns);
    let count = rows.min(SAMPLE);
    let mut sample = vec![0.0_f32; count * columns];
    sample.par_chunks_mut(columns).enumerate().for_each(|(index, target)| {
        standard.write(space.row(index * rows / count), target);
    });
    let width = components.min(columns).min(count);
    let mut generator = SplitMix64::seed_from_u64(SEED);
    let mut uniform = || generator.next_u64() as f64 / u64::MAX as f64 - 0.5;
    let mut axes: Vec<f64> = (0..columns * width).map(|_| uniform()).collect();
    orthonormalise(&mut axes, width);
    for _ in 0..ROUNDS {
        axes = times_covariance(&sample, columns, &axes, width);
        orthonormalise(&mut axes, width);
    }
    let axes: Vec<f32> = axes.iter().map(|value| *value as f32).collect();
    let mut points = vec![0.0_f32; rows * width];
    points.par_chunks_mut(width).enumerate().for_each_init(
        || vec![0.0; columns],
        |buffer, (row, point)| {
            standard.write(space.row(row), buffer);
            project(buffer, &axes, point);
        },
    );
    (points, width)
}

/// Adds `row` times the axes `[columns, width]` to `point`.
fn project(row: &[f32], axes: &[f32], point: &mut [f32]) {
    for (value, axis) in row.iter().zip(axes.chunks_exact(point.len())) {
        point.iter_mut().zip(axis).for_each(|(sum, part)| *sum += value * part);
    }
}

/// The sample's transpose times the sample times the axes.
fn times_covariance(sample: &[f32], columns: usize, axes: &[f64], width: usize) -> Vec<f64> {
    let axes: Vec<f32> = axes.iter().map(|value| *value as f32).collect();
    let blocks: Vec<Vec<f64>> = sample
        .par_chunks(BLOCK * columns)
        .map(|block| {
            let mut sums = vec![0.0; columns * width];
            let mut point = vec![0.0_f32; width];
            for row in block.chunks_exact(columns) {
                point.fill(0.0);
                project(row, &axes, &mut point);
                for (value, sums) in row.iter().zip(sums.chunks_exact_mut(width)) {
                    sums.iter_mut().zip(&point).for_each(|(sum, part)| *sum += f64::from(value * part));
                }
            }
            sums
        })
        .collect();
    let mut total = vec![0.0; columns * width];
    for block in blocks {
        total.iter_mut().zip(block).for_each(|(sum, more)| *sum += more);
    }
    total
}

/// Makes the columns of `axes` `[rows, width]` orthonormal (modified Gram-Schmidt); a column that depends
/// linearly on earlier ones becomes 0.
fn orthonormalise(axes: &mut [f64], width: usize) {
    let dot = |axes: &[f64], one: usize, other: usize| -> f64 {
        axes.chunks_exact(width).map(|row| row[one] * row[other]).sum()
    };
    for column in 0..width {
        let before = dot(axes, column, column);
        for earlier in 0..column {
            let part = dot(axes, earlier, column);
            axes.chunks_exact_mut(width).for_each(|row| row[column] -= part * row[earlier]);
        }
        let norm = dot(axes, column, column);
        let factor = if norm > before * 1e-20 { 1.0 / norm.sqrt() } else { 0.0 };
        axes.chunks_exact_mut(width).for_each(|row| row[column] *= factor);
    }
}

fn distance(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| (one - other) * (one - other)).sum()
}

/// The cluster of each point `f32[n, width]`: k-means++ (Arthur and Vassilvitskii 2007), then Lloyd's algorithm.
fn kmeans(points: &[f32], width: usize, clusters: usize) -> Vec<usize> {
    let mut centres = first_centres(points, width, clusters);
    let mut assigned = Vec::new();
    for _ in 0..LLOYD {
        let nearest = |point: &[f32]| {
            let mut best = (f32::INFINITY, 0);
            for (cluster, centre) in centres.chunks_exact(width).enumerate() {
                let distance = distance(point, centre);
                if distance < best.0 {
                    best = (distance, cluster);
                }
            }
            best.1
        };
        let next: Vec<usize> = points.par_chunks_exact(width).map(nearest).collect();
        if next == assigned {
            break;
        }
        assigned = next;
        move_centres(&mut centres, points, width, &assigned);
    }
    assigned
}

/// Moves each centre to the mean of its points; a centre without points stays.
fn move_centres(centres: &mut [f32], points: &[f32], width: usize, assigned: &[usize]) {
    let mut sums = vec![0.0_f64; centres.len()];
    let mut counts = vec![0.0_f64; centres.len() / width];
    for (point, cluster) in points.chunks_exact(width).zip(assigned) {
        counts[*cluster] += 1.0;
        let sums = &mut sums[cluster * width..][..width];
        sums.iter_mut().zip(point).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    let middles = sums.chunks_exact(width).zip(counts);
    for (centre, (sums, count)) in centres.chunks_exact_mut(width).zip(middles).filter(|(_, (_, n))| *n > 0.0)
    {
        centre.iter_mut().zip(sums).for_each(|(value, sum)| *value = (sum / count) as f32);
    }
}

/// Initial centres: points drawn with probability proportional to the squared distance to the nearest centre;
/// fewer than `clusters` if there are fewer distinct points.
fn first_centres(points: &[f32], width: usize, clusters: usize) -> Vec<f32> {
    let mut generator = SplitMix64::seed_from_u64(SEED ^ 1);
    let count = points.len() / width;
    let mut distances = vec![f32::INFINITY; count];
    let mut centres = Vec::with_capacity(clusters * width);
    let mut chosen = ((u128::from(generator.next_u64()) * count as u128) >> 64) as usize;
    loop {
        let centre = &points[chosen * width..][..width];
        centres.extend_from_slice(centre);
        if centres.len() == clusters * width {
            return centres;
        }
        let update = |(nearest, point): (&mut f32, &[f32])| *nearest = nearest.min(distance(point, centre));
        distances.par_iter_mut().zip(points.par_chunks_exact(width)).for_each(update);
        let total: f64 = distances.iter().copied().map(f64::from).sum();
        if total == 0.0 {
            return centres;
        }
        let mut left = generator.next_u64() as f64 / u64::MAX as f64 * total;
        let passes = |distance: &f32| {
            left -= f64::from(*distance);
            left < 0.0
        };
        // Rounding may leave a remainder after the last point.
        chosen = distances.iter().position(passes).unwrap_or(count - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::super::graph::NodeKind;
    use super::*;

    /// Rows around three far-apart centres in five columns, in turn.
    fn space() -> Space {
        let mut generator = SplitMix64::seed_from_u64(7);
        let mut noise = || (generator.next_u64() >> 40) as f32 / (1_u32 << 24) as f32 * 0.05;
        let centres = [[0.1, 0.1, 0.9, 0.5, 0.2], [0.9, 0.1, 0.1, 0.5, 0.8], [0.1, 0.9, 0.1, 0.5, 0.5]];
        let values = (0..90).flat_map(|row| centres[row % 3]).map(|value: f32| value + noise()).collect();
        Space {
            name: "x".to_owned(),
            kind: NodeKind::Morphology,
            columns: 5,
            names: Vec::new(),
            nodes: (0..90).collect(),
            values,
            bounds: vec![[0.0, 1.0]; 5],
            rows: (1..=90).collect(),
            batches: Vec::new(),
            batch_names: Vec::new(),
            cell_counts: Vec::new(),
        }
    }

    #[test]
    fn standardised_columns_have_mean_0_and_variance_1() {
        let mut space = space();
        space.values[3] = f32::NAN;
        space.values.chunks_mut(5).for_each(|row| row[4] = 0.25);
        let standard = Standard::new(&space);
        let mut rows = vec![0.0; 450];
        for (row, target) in rows.chunks_mut(5).enumerate() {
            standard.write(space.row(row), target);
        }
        for column in 0..4 {
            let count = if column == 3 { 89.0 } else { 90.0 };
            let values = rows.iter().skip(column).step_by(5).map(|value| f64::from(*value));
            let (sum, squares) = values.fold((0.0, 0.0), |(sum, squares), v| (sum + v, squares + v * v));
            assert!(sum.abs() / count < 1e-4 && (squares / count - 1.0).abs() < 1e-3, "{column}");
        }
        assert_eq!(rows[3], 0.0, "a missing value is the mean");
        assert!(rows.iter().skip(4).step_by(5).all(|value| *value == 0.0), "a constant column says nothing");
    }

    #[test]
    fn far_apart_groups_are_found_whatever_the_threads() {
        let space = space();
        let in_pool = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| groups(&space, &Standard::new(&space), 2, 3))
        };
        let mut found = in_pool(1);
        assert_eq!(found, in_pool(3));
        found.sort();
        let expected: Vec<Vec<usize>> = (0..3).map(|first| (first..90).step_by(3).collect()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_first_component_is_the_direction_of_most_variance() {
        // Covariance [[5, 4], [4, 5]] over the four rows: eigenvectors (1, 1) and (1, -1), up to the sign.
        let sample = [3.0, 3.0, -3.0, -3.0, 1.0, -1.0, -1.0, 1.0];
        let mut axes = vec![1.0, 0.3, 0.2, 1.0];
        orthonormalise(&mut axes, 2);
        for _ in 0..20 {
            axes = times_covariance(&sample, 2, &axes, 2);
            orthonormalise(&mut axes, 2);
        }
        let half = 0.5_f64.sqrt();
        for (value, expected) in axes.iter().zip([half, half, half, -half]) {
            assert!((value.abs() - expected.abs()).abs() < 1e-6, "{axes:?}");
        }
        assert!(axes[0] * axes[2] > 0.0 && axes[1] * axes[3] < 0.0);
    }

    #[test]
    fn large_groups_are_divided_even_if_all_points_are_equal() {
        let mut generator = SplitMix64::seed_from_u64(2);
        let random: Vec<f32> = (0..2 * 10_000).map(|_| (generator.next_u64() >> 40) as f32).collect();
        for points in [random, vec![1.0; 2 * 10_000]] {
            let mut groups = Vec::new();
            divide(&points, 2, (0..10_000).collect(), 1, &mut groups);
            assert!(groups.len() >= 3 && groups.iter().all(|group| group.len() <= LARGEST));
            assert!(groups.iter().all(|group| group.is_sorted()));
            let mut rows = groups.concat();
            rows.sort_unstable();
            assert_eq!(rows, (0..10_000).collect::<Vec<_>>());
        }
    }

    #[test]
    fn equal_points_are_one_group() {
        assert_eq!(kmeans(&[1.0; 12], 2, 3), [0; 6]);
        assert_eq!(kmeans(&[5.0, 5.0], 2, 4), [0]);
    }
}
