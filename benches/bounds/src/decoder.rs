//! `I_DLB` (Eq. 5) of decoders q(y|z) fitted to samples: E[log q(y|z)] + H(Y), on fresh samples.

use std::f64::consts::PI;

use faer::{Side, linalg::solvers::Solve};
use ndarray::{Array1, Array2, Axis, concatenate, s};

use crate::world::{Estimate, Random, World, row_sums};

/// Number of pairs on which a decoder is evaluated.
const EVALUATED: usize = 20_000;
/// Correlation between any two targets in [`Decoder::Factorised`].
pub const TARGET_CORRELATION: f64 = 0.5;

/// A kind of decoder. All means (or logits) are affine in z, which is the right form for this world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoder {
    /// p(y|z) itself.
    Exact,
    /// N(W z + b, diag s), fitted to this many samples.
    Gaussian(usize),
    /// N(W z + b, 1): the likelihood behind a squared error.
    UnitVariance,
    /// N(W z + b, diag s) that sees only the first dimensions of z; the number of dimensions is given.
    Bottleneck(usize),
    /// N(W z + b, diag s) for targets S Y that are correlated given z. S is an invertible matrix, so I(Z; S Y) = I(Z;
    /// Y).
    Factorised,
    /// p^y (1 - p)^(1 - y) for targets scaled to [0, 1] by column: the likelihood behind the binary cross-entropy of
    /// the reference implementation. It is not a density in y.
    Bernoulli,
    /// The same, normalised (continuous Bernoulli, Loaiza-Ganem and Cunningham 2019).
    ContinuousBernoulli,
}

impl Decoder {
    /// `I_DLB` in nats, trained on 20,000 pairs (unless the decoder says otherwise) and evaluated on 20,000 others.
    pub fn bound(self, world: &World, random: &mut Random) -> Estimate {
        let trained = if let Self::Gaussian(rows) = self { rows } else { EVALUATED };
        let (z, y) = world.pairs(trained + EVALUATED, random);
        let parts = |values: &Array2<f64>| {
            (values.slice(s![..trained, ..]).to_owned(), values.slice(s![trained.., ..]).to_owned())
        };
        match self {
            Self::Exact => {
                let errors = parts(&y).1 - world.correlation * &parts(&z).1;
                let noise = Array1::from_elem(world.dimension, world.noise());
                Estimate::of(&row_sums(&log_normal(&errors, &noise))).plus(world.entropy())
            }
            Self::Gaussian(_) => gaussian(parts(&with_ones(&z)), parts(&y), false).plus(world.entropy()),
            Self::UnitVariance => gaussian(parts(&with_ones(&z)), parts(&y), true).plus(world.entropy()),
            Self::Bottleneck(seen) => {
                let z = z.slice(s![.., ..seen]).to_owned();
                gaussian(parts(&with_ones(&z)), parts(&y), false).plus(world.entropy())
            }
            Self::Factorised => {
                let (mixing, log_determinant) = mixing(world.dimension);
                gaussian(parts(&with_ones(&z)), parts(&y.dot(&mixing)), false)
                    .plus(world.entropy() + log_determinant)
            }
            Self::Bernoulli | Self::ContinuousBernoulli => {
                // Scaled over all data before training, as in the reference implementation.
                let low = y.fold_axis(Axis(0), f64::INFINITY, |low, value| low.min(*value));
                let width = y.fold_axis(Axis(0), f64::NEG_INFINITY, |high, value| high.max(*value)) - &low;
                let entropy = world.entropy() - width.mapv(f64::ln).sum();
                bernoulli(parts(&with_ones(&z)), parts(&((y - &low) / &width)), self).plus(entropy)
            }
        }
    }

    /// The part of I that this kind of decoder loses with infinitely many samples, if it has a closed form.
    pub fn limit(self, world: &World) -> Option<f64> {
        let (d, information) = (world.dimension as f64, world.information());
        match self {
            Self::Exact | Self::Gaussian(_) => Some(information),
            Self::UnitVariance => Some(0.5 * d * world.correlation * world.correlation),
            Self::Bottleneck(seen) => Some(information * seen as f64 / d),
            Self::Factorised => Some(information + mixing(world.dimension).1),
            Self::Bernoulli | Self::ContinuousBernoulli => None,
        }
    }
}

/// The symmetric root S of the matrix with ones on its diagonal and [`TARGET_CORRELATION`] elsewhere, and ln det S.
fn mixing(dimension: usize) -> (Array2<f64>, f64) {
    let d = dimension as f64;
    let (other, along) = (1.0 - TARGET_CORRELATION, 1.0 + (d - 1.0) * TARGET_CORRELATION);
    let shared = (along.sqrt() - other.sqrt()) / d;
    let root = Array2::eye(dimension) * other.sqrt() + shared;
    (root, 0.5 * ((d - 1.0) * other.ln() + along.ln()))
}

fn with_ones(z: &Array2<f64>) -> Array2<f64> {
    concatenate![Axis(1), *z, Array2::ones((z.nrows(), 1))]
}

/// log N(error; 0, variance), element-wise.
fn log_normal(errors: &Array2<f64>, variance: &Array1<f64>) -> Array2<f64> {
    -0.5 * (errors * errors / variance + &variance.mapv(|value| (2.0 * PI * value).ln()))
}

/// E[log q] of a Gaussian decoder; each pair of arguments is for training and evaluation.
fn gaussian(
    (x, fresh_x): (Array2<f64>, Array2<f64>),
    (y, fresh_y): (Array2<f64>, Array2<f64>),
    unit: bool,
) -> Estimate {
    let weights = solve(&x.t().dot(&x), &x.t().dot(&y));
    let errors = y - x.dot(&weights);
    let variance = if unit {
        Array1::ones(errors.ncols())
    } else {
        (&errors * &errors).mean_axis(Axis(0)).expect("there are rows")
    };
    Estimate::of(&row_sums(&log_normal(&(fresh_y - fresh_x.dot(&weights)), &variance)))
}

/// Number of Newton steps, which suffices for the concave likelihoods here.
const STEPS: usize = 25;

/// E[log q] of a decoder with density p^y (1 - p)^(1 - y), optionally normalised, and affine logits.
fn bernoulli(
    (x, fresh_x): (Array2<f64>, Array2<f64>),
    (y, fresh_y): (Array2<f64>, Array2<f64>),
    kind: Decoder,
) -> Estimate {
    let mut sums = Array1::zeros(fresh_x.nrows());
    for (target, fresh) in y.columns().into_iter().zip(fresh_y.columns()) {
        let mut weights = Array2::<f64>::zeros((x.ncols(), 1));
        for _ in 0..STEPS {
            let parts = x.dot(&weights).column(0).mapv(|logit| LogPartition::of(kind, logit));
            let residual = (&target - &parts.mapv(|part| part.slope)).insert_axis(Axis(1));
            let curvature = parts.mapv(|part| part.curvature).insert_axis(Axis(1));
            let step = solve(&x.t().dot(&(&x * &curvature)), &x.t().dot(&residual));
            weights += &step;
            if step.iter().all(|value| value.abs() < 1e-9) {
                break;
            }
        }
        let logits = fresh_x.dot(&weights).column(0).to_owned();
        sums += &(&logits * &fresh - logits.mapv(|logit| LogPartition::of(kind, logit).value));
    }
    Estimate::of(&sums.to_vec())
}

/// A(t) of a density e^(t y - A(t)) and its first two derivatives.
#[derive(Clone, Copy)]
struct LogPartition {
    value: f64,
    slope: f64,
    curvature: f64,
}

impl LogPartition {
    fn of(kind: Decoder, logit: f64) -> Self {
        let softplus = logit.max(0.0) + (-logit.abs()).exp().ln_1p();
        if kind == Decoder::Bernoulli {
            let slope = 1.0 / (1.0 + (-logit).exp());
            return Self { value: softplus, slope, curvature: slope * (1.0 - slope) };
        }
        // A = ln((e^t - 1) / t), with its series where t is small.
        if logit.abs() < 1e-2 {
            let square = logit * logit;
            return Self {
                value: logit / 2.0 + square / 24.0,
                slope: 0.5 + logit / 12.0,
                curvature: 1.0 / 12.0 - square / 240.0,
            };
        }
        let size = logit.abs();
        let half_sinh = 2.0 * (size / 2.0).sinh();
        Self {
            value: logit.max(0.0) + (-(-size).exp_m1() / size).ln(),
            slope: -1.0 / (-logit).exp_m1() - 1.0 / logit,
            curvature: 1.0 / (size * size) - 1.0 / (half_sinh * half_sinh),
        }
    }
}

/// The solution of a symmetric positive definite system, for each column of `right`.
fn solve(matrix: &Array2<f64>, right: &Array2<f64>) -> Array2<f64> {
    let to_faer = |values: &Array2<f64>| {
        faer::Mat::from_fn(values.nrows(), values.ncols(), |row, column| values[(row, column)])
    };
    let factor =
        to_faer(matrix).llt(Side::Lower).expect("more samples than columns, so the matrix is definite");
    let solution = factor.solve(to_faer(right));
    Array2::from_shape_fn(right.dim(), |(row, column)| solution[(row, column)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoders_attain_their_limits() {
        let world = World::of_information(8, 4.0);
        let kinds = [
            (Decoder::Exact, 0.0),
            // The loss is (d² + 2 d) / 2 divided by the number of samples: 40 / 20,000.
            (Decoder::Gaussian(20_000), 0.002),
            (Decoder::UnitVariance, 0.002),
            (Decoder::Bottleneck(2), 0.001),
            (Decoder::Factorised, 0.002),
        ];
        for (number, (kind, lost)) in kinds.into_iter().enumerate() {
            let found = kind.bound(&world, &mut Random::new(7, number as u64));
            let limit = kind.limit(&world).unwrap();
            assert!((found.mean + lost - limit).abs() < 3.5 * found.error, "{kind:?}: {found:?}, {limit}");
        }
    }

    #[test]
    fn cross_entropy_says_nothing_and_its_normalised_form_little() {
        let world = World::of_information(8, 4.0);
        let bare = Decoder::Bernoulli.bound(&world, &mut Random::new(7, 8)).mean;
        let normalised = Decoder::ContinuousBernoulli.bound(&world, &mut Random::new(7, 8)).mean;
        // y' lies in [0, 1], so H(Y') is at most 0, and so is the mean of log (p^y (1 - p)^(1 - y)).
        assert!(bare < normalised && bare < 0.0 && normalised < 4.0, "{bare}, {normalised}");
    }

    #[test]
    fn derivatives_of_the_log_partition() {
        for kind in [Decoder::Bernoulli, Decoder::ContinuousBernoulli] {
            for logit in [-30.0, -2.0, -0.0101, 0.004, 0.0099, 0.5, 8.0] {
                let (low, high) =
                    (LogPartition::of(kind, logit - 1e-4), LogPartition::of(kind, logit + 1e-4));
                let here = LogPartition::of(kind, logit);
                assert!(((high.value - low.value) / 2e-4 - here.slope).abs() < 1e-6, "{kind:?} {logit}");
                assert!(((high.slope - low.slope) / 2e-4 - here.curvature).abs() < 1e-5, "{kind:?} {logit}");
            }
        }
    }
}
