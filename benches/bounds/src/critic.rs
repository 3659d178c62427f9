//! Critics h(z, y): quadratic forms, including the optimal critic of a Gaussian world.

use ndarray::{Array1, Array2, ArrayView1, Axis};

use crate::world::World;

/// h(z, y) = z·A y + b·y + c·y² + e·z + g·z² + k with element-wise squares; z and y both have dimension d.
#[derive(Clone, Debug, PartialEq)]
pub struct Critic {
    /// A, d x d.
    pub bilinear: Array2<f64>,
    /// b, of y.
    pub linear_y: Array1<f64>,
    /// c, of y².
    pub square_y: Array1<f64>,
    /// e, of z.
    pub linear_z: Array1<f64>,
    /// g, of z².
    pub square_z: Array1<f64>,
    /// k.
    pub constant: f64,
}

/// Which terms of a critic are trained; the others stay 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// z·A y + k, as in CLIP-like methods on linear embeddings.
    Bilinear,
    /// All terms: the family includes the optimal critic.
    Quadratic,
}

impl Critic {
    /// h = 0.
    pub fn zero(dimension: usize) -> Self {
        Self {
            bilinear: Array2::zeros((dimension, dimension)),
            linear_y: Array1::zeros(dimension),
            square_y: Array1::zeros(dimension),
            linear_z: Array1::zeros(dimension),
            square_z: Array1::zeros(dimension),
            constant: 0.0,
        }
    }

    /// log p(y|z) / p(y) of a world.
    pub fn optimal(world: &World) -> Self {
        let (d, rho, noise) = (world.dimension, world.correlation, world.noise());
        let square = Array1::from_elem(d, -rho * rho / (2.0 * noise));
        Self {
            bilinear: Array2::eye(d) * (rho / noise),
            square_y: square.clone(),
            square_z: square,
            constant: -0.5 * d as f64 * noise.ln(),
            ..Self::zero(d)
        }
    }

    /// Scores of pairs: `h(z[i], y[i])`.
    pub fn of_pairs(&self, z: &Array2<f64>, y: &Array2<f64>) -> Array1<f64> {
        (z.dot(&self.bilinear) * y).sum_axis(Axis(1)) + self.of_y(y) + self.of_z(z)
    }

    /// Scores of all combinations: `h(z[i], y[j])`.
    pub fn of_all(&self, z: &Array2<f64>, y: &Array2<f64>) -> Array2<f64> {
        z.dot(&self.bilinear).dot(&y.t()) + self.of_y(y) + self.of_z(z).insert_axis(Axis(1))
    }

    fn of_y(&self, y: &Array2<f64>) -> Array1<f64> {
        y.dot(&self.linear_y) + (y * y).dot(&self.square_y)
    }

    fn of_z(&self, z: &Array2<f64>) -> Array1<f64> {
        z.dot(&self.linear_z) + (z * z).dot(&self.square_z) + self.constant
    }

    /// log Z(z) = log E[e^h(z, y)] over a standard normal y, exactly, for each row; infinite if some c is 1/2 or more.
    pub fn log_partition(&self, z: &Array2<f64>) -> Array1<f64> {
        let precision = self.square_y.mapv(|c| 1.0 - 2.0 * c);
        if precision.iter().any(|value| *value <= 0.0) {
            return Array1::from_elem(z.nrows(), f64::INFINITY);
        }
        let slope = z.dot(&self.bilinear) + &self.linear_y;
        let shared = -0.5 * precision.mapv(f64::ln).sum();
        ((&slope * &slope) / &precision).sum_axis(Axis(1)) * 0.5 + shared + self.of_z(z)
    }

    /// The decoder q(y|z) = p(y) e^h / Z(z) of the critic (appendix A.2), which is Gaussian: the means of each row, and
    /// the variances, which are equal for all rows.
    pub fn decoder(&self, z: &Array2<f64>) -> (Array2<f64>, Array1<f64>) {
        let variance = self.square_y.mapv(|c| 1.0 / (1.0 - 2.0 * c));
        ((z.dot(&self.bilinear) + &self.linear_y) * &variance, variance)
    }

    /// The trained parameters of a family as a flat list.
    pub fn parameters(&self, family: Family) -> Vec<f64> {
        let mut list: Vec<f64> = self.bilinear.iter().copied().chain([self.constant]).collect();
        if family == Family::Quadratic {
            for part in [&self.linear_y, &self.square_y, &self.linear_z, &self.square_z] {
                list.extend(part);
            }
        }
        list
    }

    /// The critic with a list of parameters.
    pub fn from_parameters(dimension: usize, family: Family, list: &[f64]) -> Self {
        let mut critic = Self::zero(dimension);
        let (bilinear, rest) = list.split_at(dimension * dimension);
        critic.bilinear.iter_mut().zip(bilinear).for_each(|(to, from)| *to = *from);
        critic.constant = rest[0];
        if family == Family::Quadratic {
            let mut parts = rest[1..].chunks_exact(dimension);
            for to in [&mut critic.linear_y, &mut critic.square_y, &mut critic.linear_z, &mut critic.square_z]
            {
                to.assign(&ArrayView1::from(parts.next().expect("as many parts as there are")));
            }
        }
        critic
    }

    /// Gradient with respect to the parameters of a weighted sum of scores: pair i has the weight `own_weights[i]`, and
    /// the combination of z i and `others` j has the weight `weights[i, j]`.
    pub fn gradient(
        (z, y, others): (&Array2<f64>, &Array2<f64>, &Array2<f64>),
        own_weights: &Array1<f64>,
        weights: &Array2<f64>,
    ) -> Self {
        let column = own_weights.view().insert_axis(Axis(1));
        let of_z = own_weights + &weights.sum_axis(Axis(1));
        let of_others = weights.sum_axis(Axis(0));
        Self {
            bilinear: z.t().dot(&(&column * y)) + z.t().dot(&weights.dot(others)),
            linear_y: y.t().dot(own_weights) + others.t().dot(&of_others),
            square_y: (y * y).t().dot(own_weights) + (others * others).t().dot(&of_others),
            linear_z: z.t().dot(&of_z),
            square_z: (z * z).t().dot(&of_z),
            constant: of_z.sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Estimate, Random};

    #[test]
    fn the_optimal_critic_is_the_log_ratio_of_densities() {
        let world = World::of_information(2, 0.7);
        let (z, y) = world.pairs(3, &mut Random::new(0, 0));
        let scores = Critic::optimal(&world).of_pairs(&z, &y);
        for row in 0..3 {
            let by_hand: f64 = (0..2)
                .map(|j| {
                    let error = y[(row, j)] - world.correlation * z[(row, j)];
                    0.5 * (y[(row, j)].powi(2) - error * error / world.noise() - world.noise().ln())
                })
                .sum();
            assert!((scores[row] - by_hand).abs() < 1e-12);
        }
        assert!(Critic::optimal(&world).log_partition(&z).iter().all(|value| value.abs() < 1e-12));
    }

    #[test]
    fn the_partition_function_is_the_mean_over_y() {
        let mut critic = Critic::zero(2);
        (critic.bilinear[(0, 1)], critic.linear_y[0], critic.square_y[1], critic.square_z[0]) =
            (0.5, 0.3, -0.2, 0.1);
        let random = &mut Random::new(0, 1);
        let z = random.normal(2, 2);
        let scores = critic.of_all(&z, &random.normal(200_000, 2)).mapv(f64::exp);
        for row in 0..2 {
            let found = Estimate::of(&scores.row(row).to_vec());
            assert!((found.mean - critic.log_partition(&z)[row].exp()).abs() < 4.0 * found.error);
        }
        critic.square_y[0] = 0.5;
        assert_eq!(critic.log_partition(&z)[0], f64::INFINITY);
    }

    #[test]
    fn parameters_there_and_back() {
        let list: Vec<f64> = (0..9 + 1 + 12).map(f64::from).collect();
        assert_eq!(Critic::from_parameters(3, Family::Quadratic, &list).parameters(Family::Quadratic), list);
        assert_eq!(
            Critic::from_parameters(3, Family::Bilinear, &list[..10]).parameters(Family::Bilinear),
            list[..10]
        );
    }
}
