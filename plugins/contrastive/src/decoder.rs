//! The decoder `cosine`: how near profiles are to molecules in the shared space.

use molarena_nn::with_threads;
use molarena_sdk::{Call, Component, Decoder, Dense, Error, Info, InputKind, Matrix, Result};
use rayon::prelude::*;

use crate::{
    config::NoOptions,
    model::{Model, untrained},
};

/// The profile encoder that was trained with `cloome` or `infocore`, whose state this component loads.
#[derive(Debug)]
pub struct Cosine {
    model: Option<Model>,
}

impl Component for Cosine {
    type Config = NoOptions;
    const USES_SEED: bool = false;
    const INFO: Info = Info {
        id: "cosine",
        summary: "cosine of a molecule and a profile in the shared space of cloome or infocore",
        inputs: &[InputKind::Dense],
        devices: molarena_nn::DEVICES,
        determinism: molarena_nn::DETERMINISM,
        corpora: &[],
    };

    fn new(_: NoOptions) -> Result<Self> {
        Ok(Self { model: None })
    }
}

impl Cosine {
    fn model(&self) -> Result<&Model> {
        self.model.as_ref().ok_or_else(untrained)
    }

    /// The model, if it was trained on the space `space`.
    fn of_space(&self, space: &str) -> Result<&Model> {
        let model = self.model()?;
        let trained = &model.shape.profile.as_ref().ok_or_else(untrained)?.space;
        if trained == space {
            return Ok(model);
        }
        let message = format!("space `{space}` has no profile encoder; there is one of: {trained}");
        Err(Error::invalid_argument(message))
    }
}

impl Cosine {
    /// Places of profiles of the space `space` in the shared space, `f32[n, d]`, each of length 1.
    ///
    /// # Errors
    /// The decoder has no state, or one of another space; the profiles have another number of columns.
    pub fn places(&self, profiles: &Dense<'_>, space: &str, call: &Call<'_>) -> Result<Matrix> {
        let model = self.of_space(space)?;
        with_threads(call, || model.places_of_profiles(profiles, call))?
    }
}

impl Decoder for Cosine {
    fn columns(&self, space: &str) -> Result<usize> {
        Ok(self.of_space(space)?.scale.as_ref().ok_or_else(untrained)?.columns())
    }

    fn decode(&mut self, _: &Dense<'_>, _: &str, _: &Call<'_>) -> Result<Matrix> {
        Err(Error::unsupported("an aligner scores profiles and does not make them"))
    }

    fn score(
        &mut self,
        z: &Dense<'_>,
        candidates: &Dense<'_>,
        space: &str,
        call: &Call<'_>,
    ) -> Result<Matrix> {
        call.check()?;
        let model = self.of_space(space)?;
        with_threads(call, || {
            let (molecules, profiles) = (model.places(z, call)?, model.places_of_profiles(candidates, call)?);
            let width = molecules.columns.max(1);
            let mut scores = Matrix::zeros(z.rows, candidates.rows);
            let rows = scores.values.par_chunks_exact_mut(candidates.rows.max(1));
            rows.zip(molecules.values.par_chunks_exact(width)).for_each(|(scores, molecule)| {
                for (score, profile) in scores.iter_mut().zip(profiles.values.chunks_exact(width)) {
                    let product =
                        molecule.iter().zip(profile).map(|(one, other)| f64::from(*one) * f64::from(*other));
                    *score = product.sum::<f64>() as f32;
                }
            });
            Ok(scores)
        })?
    }

    fn save(&self) -> Result<Vec<u8>> {
        self.model()?.to_bytes()
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        self.model = Some(Model::from_bytes(state)?);
        Ok(())
    }
}
