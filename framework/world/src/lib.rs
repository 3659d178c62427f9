//! The demo world: molecules, cells and assays simulated from a known model, so that the arena can be tried
//! offline and methods can be compared with the truth. **It says nothing about chemistry.**
//!
//! # Model
//!
//! Molecules are cores with two or three substituents, each a linker and an end group, drawn at random; a
//! molecule with a repeated identity key or with fewer than 16 or more than 42 heavy atoms is drawn again.
//! Cores, linkers and groups carry one of nine pharmacophores or none; a pharmacophore has 6 to 30 carriers
//! with dissimilar fingerprints. Carrier `f` has the potency `v_f ~ U(0.1, 3)`.
//!
//! **Exposure** of molecule `i` to pharmacophore `k`, which saturates: `x_ik = 1 - exp(-sum of v_f over the parts f of i that carry k)`.
//!
//! **Pathways**, then standardised over all molecules of the world to `z_ip` (mean 0, variance 1):
//!
//! | p | activity | |
//! |---|---|---|
//! | 0 | `x_acid` | |
//! | 1 | `x_base x_amide` | both are needed |
//! | 2 | `x_electrophile + x_chelator - x_electrophile x_chelator` | either suffices |
//! | 3 | `x_hinge x_planar` | group and core are needed |
//! | 4 | `x_lipophile (1 - x_acid)` | one blocks the other |
//! | 5 | `x_acceptor` | |
//! | 6 | `U(0, 1)` | hidden: does not depend on the structure; expression shows it |
//! | 7 | `U(0, 1)` | hidden: does not depend on the structure; morphology shows it |
//!
//! **Profiles** `y_jc = sum_p L_cp z_ip + s_bc + 1.4 e_jc` of profile `j` of molecule `i` in batch `b`, column `c`, with `e ~ N(0, 1)` and
//! the batch's shift `s_bc ~ N(0, 0.8²)`. Expression responds to pathways 0, 1, 2, 3, 6; morphology to 2, 3, 4, 5, 7. A
//! fifth of the columns responds to none; the others to one with `|L| ~ U(0.4, 1.2)` and a random sign; three in ten of
//! these to a second one, half as strongly.
//!
//! **Cell counts** of the morphology profiles: `n_j = 1000 exp(-0.4 max(z_i2, 0) + 0.2 e_j)`, rounded: molecules that activate
//! pathway 2 kill cells, and nothing else does.
//!
//! **Assays** have the signal `u_it = sum_p B_tp z_ip / |B_t|`, where task `t` has `B = 1` for pathway
//! `t mod 6`, `±U(0.4, 0.8)` for another visible one, and every second task 0.6 for a hidden one.
//! Classification: `P(label_it = 1) = Phi((u_it - theta_t) / 0.4)`, where `theta_t` is such that a share
//! `U(0.25, 0.45)` of the labels is expected to be 1. Regression: `m_t + c_t (u_it + 0.4 e_it)` in the task's
//! unit. Of the labels, 40 % are missing at random.
//!
//! **Context graph**: molecules of its own and a tenth of the labelled ones (an arena must leave those out),
//! profiles with replicates, edges from each molecule to the genes that its first expression profile changes
//! most, and edges between genes, four of five within a pathway.
//!
//! # Planted order
//!
//! Methods rank by what they can know: pathways (`truth.npz`) above measured profiles above fingerprints
//! (forest and Gaussian process, then nearest neighbours) above the constant. The profiles show the hidden
//! pathways, but with noise and in batches; fingerprints see every visible pathway, but must learn each
//! carrier's potency from few labels. An encoder trained on the context graph learns the carriers from the
//! profiles of other molecules, so it can beat fingerprints but cannot know the hidden pathways.

mod assays;
mod context;
mod error;
mod files;
mod fragments;
mod labelled;
mod latent;
mod manifests;
mod molecules;
mod parameters;
mod profiles;
mod progress;
mod random;
mod simulate;
#[cfg(test)]
mod tests;
mod world;

pub use error::{Error, Result};
pub use files::Written;
pub use parameters::Parameters;
pub use progress::{Progress, Step};
pub use simulate::{Simulated, simulate, simulate_builtin, simulate_builtin_context};
