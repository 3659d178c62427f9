//! A decoder of a library, or of a program.

use molarena_abi as abi;
use molarena_sdk::{Call, Dense, Matrix, raw};

use super::{Backend, LoadError, call, check_shape, filled, instance, loaded, need};

/// A decoder of a library.
#[derive(Debug)]
pub(super) struct TableDecoder {
    factory: abi::MolarenaDecoderFactory,
    handle: abi::MolarenaHandle,
}

instance!(TableDecoder, abi::MolarenaDecoderFactory);

impl TableDecoder {
    /// Decodes z, `f32[n, d]`, to `f32[n, m]`, where m is the number of columns of `space`.
    pub(super) fn decode(
        &mut self,
        z: &Dense<'_>,
        space: &str,
        context: &Call<'_>,
    ) -> Result<Matrix, LoadError> {
        let shape = need(self.factory.output_shape, "output_shape")?;
        let decode = need(self.factory.decode, "decode")?;
        let rows = z.rows as u64;
        let mut dims = [0u64; 2];
        // SAFETY: the handle came from this factory; everything lent lives until the function returns.
        call(|error| unsafe { shape(self.handle, raw::text(space), rows, dims.as_mut_ptr(), error) })?;
        let columns = dims[1] as usize;
        check_shape(z.rows, columns.max(1), dims[0], dims[1])?;
        let lent = z.to_abi();
        context.with_abi(|context| {
            // SAFETY: as above.
            filled(z.rows, columns, |output, error| unsafe {
                decode(self.handle, rows, &raw const lent, raw::text(space), output, context, error)
            })
        })
    }

    /// Scores c candidates, `f32[c, m]`, for each z: `f32[n, c]`.
    pub(super) fn score(
        &mut self,
        z: &Dense<'_>,
        candidates: &Dense<'_>,
        space: &str,
        context: &Call<'_>,
    ) -> Result<Matrix, LoadError> {
        let score = need(self.factory.score, "score")?;
        let (lent, lent_candidates) = (z.to_abi(), candidates.to_abi());
        context.with_abi(|context| {
            // SAFETY: as in `decode`.
            filled(z.rows, candidates.rows, |output, error| unsafe {
                score(
                    self.handle,
                    z.rows as u64,
                    &raw const lent,
                    candidates.rows as u64,
                    &raw const lent_candidates,
                    raw::text(space),
                    output,
                    context,
                    error,
                )
            })
        })
    }
}

/// A decoder of a plugin.
#[derive(Debug)]
pub struct LoadedDecoder(pub(super) Backend<TableDecoder>);

loaded!(LoadedDecoder);

impl LoadedDecoder {
    /// Decodes z, `f32[n, d]`, to `f32[n, m]`, where m is the number of columns of `space`.
    pub fn decode(&mut self, z: &Dense<'_>, space: &str, context: &Call<'_>) -> Result<Matrix, LoadError> {
        match &mut self.0 {
            Backend::Table(table) => table.decode(z, space, context),
            Backend::Process(instance) => instance.decode(z, space, context),
        }
    }

    /// Scores c candidates, `f32[c, m]`, for each z: `f32[n, c]`.
    pub fn score(
        &mut self,
        z: &Dense<'_>,
        candidates: &Dense<'_>,
        space: &str,
        context: &Call<'_>,
    ) -> Result<Matrix, LoadError> {
        match &mut self.0 {
            Backend::Table(table) => table.score(z, candidates, space, context),
            Backend::Process(instance) => instance.score(z, candidates, space, context),
        }
    }
}
