//! Pretraining (section 4.2): decoders reconstruct the features of the nodes on a molecule's walk from its vector.

use burn::tensor::{Int, Tensor, TensorData, activation::log_sigmoid};
use molarena_nn::{
    Gaussian, Parameters, Pass, Random,
    gnn::MoleculeGraphs,
    training::{Task, train},
};
use molarena_sdk::{Call, Corpus, Error, Result};
use std::sync::Arc;

use crate::{
    config::{DecodeFrom, Modality, Params},
    model::{Model, Shape},
    targets::{BatchTargets, Targets},
    walks::{ContextWalks, Path},
};

/// Purpose of the random stream that chooses the held-out molecules.
const HELD_OUT: u64 = 30;

/// Trains on a context graph.
pub(crate) fn pretrain(params: &Params, corpus: &Corpus<'_>, call: &Call<'_>) -> Result<Model> {
    let graphs = corpus.molecules.graphs.ok_or_else(|| Error::invalid_argument("corpus: no graphs"))?;
    let targets = Targets::new(corpus, &params.without)?;
    let spaces = targets.spaces().to_vec();
    let shape = Shape { network: params.network(), decoder_times: params.decoder_times, spaces };
    let rows = graphs.rows();
    let held_out = (rows as f64 * params.valid_share).round() as usize;
    if rows < held_out + 2 {
        return Err(Error::data(format!(
            "corpus: {rows} molecules, of which {held_out} are held out; training needs at least 2"
        )));
    }
    let mut order = Random::of(call.seed, 0, HELD_OUT).order(rows);
    let mut train_rows = order.split_off(held_out);
    train_rows.sort_unstable();
    let mut task = Pretraining {
        params,
        shape: shape.clone(),
        graphs: MoleculeGraphs::new(graphs)?,
        nodes: corpus.molecule_nodes,
        walks: ContextWalks::new(corpus, params.transition)?,
        targets,
        train_rows,
        valid_rows: order,
        paths: Vec::new(),
        seed: call.seed,
        call: *call,
    };
    let slots = shape.slots();
    let identity = identity(params, corpus, call.seed);
    let weights = train(&mut task, &slots, &params.training(), &identity, call)?;
    Ok(Model { shape, weights: Arc::new(weights) })
}

/// The settings on which a checkpoint must agree. The arena uses a folder for one corpus and configuration only; this
/// guards other callers.
fn identity(params: &Params, corpus: &Corpus<'_>, seed: u64) -> String {
    let config = serde_json::to_string(&**params).expect("plain data");
    let weights: f64 = corpus.edge_weights.iter().copied().map(f64::from).sum();
    format!(
        "seed {seed}, {} nodes, {} molecules, {} edges of weight {weights}, {config}",
        corpus.node_kinds.len(),
        corpus.molecules.rows,
        corpus.edge_weights.len()
    )
}

/// The loss of Eq. 3 over a corpus.
struct Pretraining<'a> {
    params: &'a Params,
    shape: Shape,
    graphs: MoleculeGraphs<'a>,
    nodes: &'a [u64],
    walks: ContextWalks,
    targets: Targets<'a>,
    train_rows: Vec<usize>,
    valid_rows: Vec<usize>,
    /// Each molecule's walk in this epoch.
    paths: Vec<Path>,
    seed: u64,
    call: Call<'a>,
}

impl Pretraining<'_> {
    /// The modalities that have a decoder.
    fn modalities(&self) -> impl Iterator<Item = Modality> + '_ {
        let has = |modality: &Modality| self.shape.spaces.iter().any(|space| space.modality == *modality);
        Modality::ALL.into_iter().filter(has)
    }

    fn loss_of(
        &self,
        pass: &mut Pass<'_>,
        rows: &[usize],
        paths: &[Path],
    ) -> (Tensor<1>, Vec<Option<Tensor<1>>>) {
        let batch = self.graphs.batch(rows, 0, 0);
        let gaussian = self.shape.encode(pass, &batch);
        let starts: Vec<u64> = rows.iter().map(|&row| self.nodes[row]).collect();
        let paths: Vec<&Path> = rows.iter().map(|&row| &paths[row]).collect();
        let targets = self.targets.batch(&starts, &paths);
        let modalities: Vec<Modality> = self.modalities().collect();
        loss(&self.shape, self.params, pass, &gaussian, &targets, &modalities)
    }

    fn draw(&self, seed: u64) -> Result<Vec<Path>> {
        self.walks.walks(self.nodes, self.params.walk_length, seed, &self.call)
    }
}

/// The loss of Eq. 3 for a batch and its parts, each `f32[1]`: the reconstruction of each modality (`None` without a
/// target) and the divergence.
///
/// As in the reference implementation, the reconstruction of a modality is the binary cross-entropy of logits with
/// targets in [0, 1], weighted by alpha and averaged over all values of its spaces along all walks. The modalities are
/// added.
pub(crate) fn loss(
    shape: &Shape,
    params: &Params,
    pass: &mut Pass<'_>,
    gaussian: &Gaussian,
    targets: &[BatchTargets],
    modalities: &[Modality],
) -> (Tensor<1>, Vec<Option<Tensor<1>>>) {
    let vectors = match params.decode_from {
        DecodeFrom::Mean => gaussian.mu.clone(),
        DecodeFrom::Sample => gaussian.sample(pass),
    };
    let divergence = gaussian.divergence().mean();
    let mut total = divergence.clone() * params.beta as f32;
    let mut parts = Vec::new();
    for modality in modalities {
        let spaces = || (0..shape.spaces.len()).filter(|&space| shape.spaces[space].modality == *modality);
        let count: usize = spaces().map(|space| targets[space].count).sum();
        let mut sum = Tensor::zeros([1], &gaussian.mu.device());
        for space in spaces() {
            sum = sum + reconstruction(shape, pass, &vectors, space, &targets[space]);
        }
        let mean = sum / count.max(1) as f32;
        total = total + mean.clone();
        parts.push((count > 0).then_some(mean));
    }
    parts.push(Some(divergence));
    (total, parts)
}

/// The sum over values of alpha times the cross-entropy, `f32[1]`. Every parameter gets a gradient, even if it is zero.
fn reconstruction(
    shape: &Shape,
    pass: &mut Pass<'_>,
    vectors: &Tensor<2>,
    space: usize,
    targets: &BatchTargets,
) -> Tensor<1> {
    let decoder = shape.decoder(space);
    // The batch norm sees all molecules, as in the reference implementation; the wide last map sees only those with a
    // target.
    let hidden = decoder.hidden(pass, vectors.clone());
    let device = hidden.device();
    if targets.places.is_empty() {
        return decoder.logits(pass, hidden.narrow(0, 0, 1)).sum() * 0.0;
    }
    let places: Vec<i32> = targets.places.iter().map(|&place| place as i32).collect();
    let places = Tensor::<1, Int>::from_data(TensorData::new(places, [targets.places.len()]), &device);
    let logits = decoder.logits(pass, hidden.select(0, places));
    let [weights, sums] = [&targets.weights, &targets.sums]
        .map(|values| Tensor::<2>::from_data(TensorData::new(values.clone(), logits.dims()), &device));
    // softplus(x) = x - ln sigmoid(x)
    let softplus = logits.clone() - log_sigmoid(logits.clone());
    (weights * softplus - sums * logits).sum()
}

impl Task for Pretraining<'_> {
    fn parts(&self) -> Vec<String> {
        let losses = self.modalities().map(|modality| format!("loss_{}", modality.name()));
        losses.chain(["kl".to_owned()]).collect()
    }

    fn rows(&self) -> usize {
        self.train_rows.len()
    }

    fn start_epoch(&mut self, epoch: usize, _: &mut Random) -> Result<()> {
        self.paths = self.draw(self.seed ^ (epoch as u64 + 1).rotate_left(32))?;
        Ok(())
    }

    fn loss(
        &mut self,
        pass: &mut Pass<'_>,
        rows: &[usize],
        _: usize,
    ) -> Result<(Tensor<1>, Vec<Option<Tensor<1>>>)> {
        let rows: Vec<usize> = rows.iter().map(|&row| self.train_rows[row]).collect();
        Ok(self.loss_of(pass, &rows, &self.paths))
    }

    fn validate(&mut self, parameters: &mut Parameters, call: &Call<'_>) -> Result<Option<f64>> {
        if self.valid_rows.is_empty() {
            return Ok(None);
        }
        // Validation uses the same walks in every epoch.
        let paths = self.draw(self.seed)?;
        let mut sum = 0.0;
        for rows in self.valid_rows.chunks(self.params.batch_size) {
            call.check()?;
            let (loss, _) = self.loss_of(&mut Pass::evaluate(parameters), rows, &paths);
            sum += f64::from(loss.into_scalar::<f32>()) * rows.len() as f64;
        }
        Ok(Some(sum / self.valid_rows.len() as f64))
    }
}
