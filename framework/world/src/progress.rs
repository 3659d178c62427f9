//! Progress of a simulation.

/// What is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Molecules.
    Molecules,
    /// Morphology profiles.
    Morphology,
    /// Expression profiles.
    Expression,
    /// Digests of the files.
    Digests,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Molecules => "molecules",
            Self::Morphology => "morphology profiles",
            Self::Expression => "expression profiles",
            Self::Digests => "digests",
        })
    }
}

/// How far a simulation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being made.
    pub step: Step,
    /// How much of it is done.
    pub done: usize,
    /// How much of it there will be.
    pub total: usize,
}
