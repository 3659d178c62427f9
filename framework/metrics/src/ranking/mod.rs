//! Scores of one query's ranking, one file for each, and the ranks that they are computed from.

mod hit;
mod ndcg;
mod reciprocal_rank;
mod relevant_ranks;

pub use hit::hit_at;
pub use ndcg::ndcg_at;
pub use reciprocal_rank::reciprocal_rank;
pub use relevant_ranks::relevant_ranks;
