//! Pretraining: molecules and profiles are aligned in a shared space.

use std::sync::Arc;

use burn::tensor::{
    Device, Tensor, TensorData,
    activation::{log_softmax, softmax},
};
use molarena_nn::{
    Array, Arrays, Parameters, Pass, Random, Slots,
    training::{Task, train},
};
use molarena_sdk::{Call, Corpus, Error, NodeKind, Result};

use crate::{
    config::{Form, InfoCoreLoss, LossKind, MOST_INVERSE, Objective, Params},
    losses::{
        Anchors, Others, clip, cloob, infocore_moco, infocore_simclr, infonce_moco, infonce_simclr,
        normalised, reweighted,
    },
    model::{CLASSIFIERS, LOG_INVERSE, Model, Molecules, Shape},
    pairs::Pairs,
    scale::Scale,
};

/// Purposes of random streams.
const HELD_OUT: u64 = 40;
const SHUFFLE: u64 = 41;
const QUEUE: u64 = 42;

/// Aligns the molecules of a corpus with their profiles; `kind` is that of the space if the configuration names none.
pub(crate) fn pretrain(
    params: &Params,
    corpus: &Corpus<'_>,
    kind: Option<NodeKind>,
    call: &Call<'_>,
) -> Result<Model> {
    let pairs = Pairs::new(corpus, params.space.as_deref(), kind)?;
    let split = Split::new(params, pairs.molecules.len(), call.seed)?;
    let correction = correction(params, &pairs, call)?;
    let columns = pairs.profiles.values.columns;
    let trained_rows = split.train.iter().flat_map(|&molecule| &pairs.rows[molecule]);
    let profile = |row: &usize| &pairs.profiles.values.values[row * columns..(row + 1) * columns];
    let scale = Scale::of(&trained_rows.map(profile), columns, pairs.profiles.space)?;
    let shape = Shape::of(params, &corpus.molecules)?.with_profiles(
        params,
        pairs.profiles.space,
        columns,
        correction,
    );
    let slots = shape.slots();
    let mut task = Alignment {
        molecules: Molecules::new(&corpus.molecules, &shape.molecule)?,
        profiles: scale.apply(pairs.profiles.values.values),
        partners: partners(params, &split, pairs.rows.len(), call.seed),
        keys: keys(params, &shape, &slots, call)?,
        chosen: Vec::new(),
        noise: Vec::new(),
        latents: None,
        epoch: 0,
        batches: correction.map_or(0, |(batches, _)| batches),
        params,
        shape: shape.clone(),
        columns,
        pairs,
        split,
    };
    let identity = task.identity(call.seed);
    let weights = train(&mut task, &slots, &params.training, &identity, call)?;
    Ok(Model { shape, scale: Some(scale), weights: Arc::new(weights) })
}

/// The batches to correct for, if there are any; says so if there are none.
fn correction<'p>(
    params: &'p Params,
    pairs: &Pairs<'_>,
    call: &Call<'_>,
) -> Result<Option<(usize, &'p InfoCoreLoss)>> {
    let LossKind::InfoCore(loss) = &params.loss else { return Ok(None) };
    match &pairs.batches {
        _ if !loss.correct_batches => Ok(None),
        Some((_, 1)) => Err(Error::data(format!(
            "corpus: all profiles of the space `{}` are of one batch, so that there is nothing to correct; say \
             `correct_batches = false`, which is InfoNCE",
            pairs.profiles.space
        ))),
        Some((_, batches)) => Ok(Some((*batches, loss))),
        None => {
            let space = pairs.profiles.space;
            call.progress(0.0, &format!("space `{space}` has no batches: InfoCORE is InfoNCE here"));
            Ok(None)
        }
    }
}

/// Indices of molecules with a profile.
#[derive(Clone, Debug)]
struct Split {
    train: Vec<usize>,
    valid: Vec<usize>,
}

impl Split {
    fn new(params: &Params, molecules: usize, seed: u64) -> Result<Self> {
        let held_out = (molecules as f64 * params.valid_share).round() as usize;
        let left = molecules - held_out.min(molecules);
        let batch = params.training.batch_size;
        if batch > left {
            let why = if held_out > 0 {
                format!("{left} molecules with a profile are left to train on, and {held_out} are held out")
            } else {
                format!("{left} molecules have a profile")
            };
            return Err(Error::data(format!("`batch_size` is {batch}, but {why}: say at most {left}")));
        }
        let mut order = Random::of(seed, 0, HELD_OUT).order(molecules);
        let mut train = order.split_off(held_out);
        train.sort_unstable();
        Ok(Self { train, valid: order })
    }
}

/// The molecule whose profiles each molecule is trained with: its own, or another's if pairs are shuffled.
fn partners(params: &Params, split: &Split, molecules: usize, seed: u64) -> Vec<usize> {
    let mut partners: Vec<usize> = (0..molecules).collect();
    if params.shuffle_pairs {
        let mut random = Random::of(seed, 0, SHUFFLE);
        for part in [&split.train, &split.valid] {
            for (place, other) in random.order(part.len()).into_iter().enumerate() {
                partners[part[place]] = part[other];
            }
        }
    }
    partners
}

/// Momentum encoders and queues, before the first step; only for `moco`.
fn keys(params: &Params, shape: &Shape, slots: &Slots, call: &Call<'_>) -> Result<Option<Keys>> {
    let LossKind::InfoCore(loss @ InfoCoreLoss { form: Form::Moco, .. }) = &params.loss else {
        return Ok(None);
    };
    let device = molarena_nn::device(call.device)?;
    let batches = shape.classifiers.as_ref().map_or(0, |[classifier, _]| classifier.outputs);
    let mut random = Random::of(call.seed, 0, QUEUE);
    let mut vectors = || {
        let values = random.normal(loss.queue * params.width);
        let tensor = Tensor::from_data(TensorData::new(values, [loss.queue, params.width]), &device);
        rows_of(normalised(tensor))
    };
    let queues = [vectors(), vectors()];
    Ok(Some(Keys {
        parameters: None,
        slots: slots.clone(),
        device,
        width: params.width,
        batches,
        size: loss.queue,
        queues,
        probabilities: [(); 2].map(|()| vec![1.0 / batches.max(1) as f32; loss.queue * batches]),
        next: 0,
        pending: None,
    }))
}

/// Momentum encoders and the queues of their keys (He et al. 2020): molecules first, then profiles.
#[derive(Debug)]
struct Keys {
    /// The momentum encoders and classifiers; `None` before the first step, when they are the trained ones.
    parameters: Option<Parameters>,
    slots: Slots,
    device: Device,
    width: usize,
    batches: usize,
    /// Number of keys in a queue.
    size: usize,
    /// `f32[size, width]` each.
    queues: [Vec<f32>; 2],
    /// `f32[size, batches]` each.
    probabilities: [Vec<f32>; 2],
    /// Place of the next key.
    next: usize,
    /// Keys of this step: vectors and probabilities of both sides.
    pending: Option<[(Vec<f32>, Vec<f32>); 2]>,
}

const KEYS: &str = "keys.";
const QUEUES: [&str; 2] = ["queue.molecule", "queue.profile"];
const PROBABILITIES: [&str; 2] = ["probabilities.molecule", "probabilities.profile"];
const NEXT: &str = "next";

impl Keys {
    /// Both queues on a device.
    fn others(&self, device: &Device) -> [Others; 2] {
        [0, 1].map(|side| Others {
            vectors: tensor(&self.queues[side], self.width, device),
            probabilities: tensor(&self.probabilities[side], self.batches, device),
        })
    }

    /// Puts the keys of this step into the queues, in place of the oldest.
    fn enqueue(&mut self) {
        let Some(pending) = self.pending.take() else { return };
        let count = pending[0].0.len() / self.width;
        for (side, (vectors, probabilities)) in pending.iter().enumerate() {
            for row in 0..count {
                let place = (self.next + row) % self.size;
                let copy = |target: &mut Vec<f32>, values: &[f32], columns: usize| {
                    target[place * columns..][..columns].copy_from_slice(&values[row * columns..][..columns]);
                };
                copy(&mut self.queues[side], vectors, self.width);
                copy(&mut self.probabilities[side], probabilities, self.batches);
            }
        }
        self.next = (self.next + count) % self.size;
    }

    fn follow(&mut self, leader: &Parameters, loss: &InfoCoreLoss) -> Result<()> {
        match &mut self.parameters {
            Some(parameters) => parameters.follow(leader, |name| {
                if name.starts_with(CLASSIFIERS) { loss.classifier_momentum } else { loss.momentum }
            }),
            None => self.start(leader)?,
        }
        Ok(())
    }

    /// The momentum encoders start as the trained ones.
    fn start(&mut self, leader: &Parameters) -> Result<()> {
        self.parameters = Some(Parameters::take(&self.slots, &mut leader.arrays(), &self.device)?);
        Ok(())
    }

    fn state(&self) -> Arrays {
        let mut arrays = Arrays::default();
        for (name, array) in self.parameters.iter().flat_map(|parameters| parameters.arrays().arrays) {
            arrays.arrays.insert(format!("{KEYS}{name}"), array);
        }
        for side in 0..2 {
            let shapes = [[self.size, self.width], [self.size, self.batches]];
            let named =
                [(QUEUES[side], &self.queues[side]), (PROBABILITIES[side], &self.probabilities[side])];
            for ((name, values), shape) in named.into_iter().zip(shapes) {
                arrays.arrays.insert(name.to_owned(), Array::new(&shape, values.clone()));
            }
        }
        arrays.arrays.insert(NEXT.to_owned(), Array::new(&[1], vec![self.next as f32]));
        arrays
    }

    fn restore(&mut self, mut state: Arrays) -> Result<()> {
        for side in 0..2 {
            self.queues[side] = state.take(QUEUES[side], &[self.size, self.width])?;
            self.probabilities[side] = state.take(PROBABILITIES[side], &[self.size, self.batches])?;
        }
        self.next = state.take(NEXT, &[1])?[0] as usize % self.size;
        let mut arrays = Arrays::default();
        for (name, array) in state.arrays {
            if let Some(name) = name.strip_prefix(KEYS) {
                arrays.arrays.insert(name.to_owned(), array);
            }
        }
        self.parameters = Some(Parameters::take(&self.slots, &mut arrays, &self.device)?);
        Ok(())
    }
}

/// The alignment of a corpus.
struct Alignment<'a> {
    params: &'a Params,
    shape: Shape,
    pairs: Pairs<'a>,
    split: Split,
    molecules: Molecules<'a>,
    /// `f32[profiles, columns]`, standardised.
    profiles: Vec<f32>,
    columns: usize,
    /// Number of batches to correct for; 0 without a correction.
    batches: usize,
    partners: Vec<usize>,
    /// The profile of each molecule in this epoch.
    chosen: Vec<usize>,
    /// Noise of each molecule's profile in this epoch, `f32[molecules, columns]`; empty without noise.
    noise: Vec<f32>,
    epoch: usize,
    keys: Option<Keys>,
    /// Places of the step's molecules and profiles, without gradients, and their batches: for the classifiers' turns.
    latents: Option<([Tensor<2>; 2], Tensor<2>)>,
}

/// A step's molecules and profiles in the shared space.
struct Places {
    molecules: Tensor<2>,
    profiles: Tensor<2>,
}

impl Alignment<'_> {
    /// The settings on which a checkpoint must agree. The arena uses a folder for one corpus and configuration only; this
    /// guards other callers.
    fn identity(&self, seed: u64) -> String {
        let sum: f64 = self.profiles.iter().copied().map(f64::from).sum();
        format!(
            "seed {seed}, {} molecules with {} profiles of {} columns in {}, {} batches, sum {sum}, {}",
            self.pairs.molecules.len(),
            self.pairs.rows.iter().map(Vec::len).sum::<usize>(),
            self.columns,
            self.pairs.profiles.space,
            self.batches,
            self.params.text
        )
    }

    fn places(&self, pass: &mut Pass<'_>, indices: &[usize], noisy: bool) -> Places {
        let device = pass.device().clone();
        let rows: Vec<usize> = indices.iter().map(|&index| self.pairs.molecules[index]).collect();
        let vectors = self.shape.vectors(pass, &self.molecules.batch(&rows, &device));
        let molecules = self.shape.place(pass, vectors);
        let profiles = self.profiles_of(indices, noisy, &device);
        Places { molecules, profiles: self.shape.place_profile(pass, profiles) }
    }

    /// The standardised profiles of molecules in this epoch, `f32[n, columns]`.
    fn profiles_of(&self, indices: &[usize], noisy: bool, device: &Device) -> Tensor<2> {
        let mut values = Vec::with_capacity(indices.len() * self.columns);
        for &index in indices {
            let row = self.chosen[index];
            values.extend_from_slice(&self.profiles[row * self.columns..][..self.columns]);
        }
        if noisy && !self.noise.is_empty() {
            let drawn = indices.iter().flat_map(|&index| &self.noise[index * self.columns..][..self.columns]);
            values.iter_mut().zip(drawn).for_each(|(value, drawn)| *value += drawn);
        }
        Tensor::from_data(TensorData::new(values, [indices.len(), self.columns]), device)
    }

    /// The batches of molecules' profiles in this epoch, 1 in one place of each row, `f32[n, batches]`.
    fn batches_of(&self, indices: &[usize], device: &Device) -> Tensor<2> {
        let (numbers, _) = self.pairs.batches.as_ref().expect("a correction has batches");
        let mut values = vec![0f32; indices.len() * self.batches];
        for (row, &index) in values.chunks_exact_mut(self.batches).zip(indices) {
            row[numbers[self.chosen[index]]] = 1.0;
        }
        tensor(&values, self.batches, device)
    }

    /// The loss of the encoders, as in the configuration; `in_batch` leaves out keys and queues.
    fn encoder_loss(&mut self, pass: &mut Pass<'_>, indices: &[usize], in_batch: bool) -> Tensor<1> {
        let places = self.places(pass, indices, !in_batch);
        match &self.params.loss {
            LossKind::Cloome { objective, inverse_temperature, hopfield_scale, .. } => {
                let inverse = self.inverse(pass, *inverse_temperature);
                let (profiles, molecules) = (places.profiles, places.molecules);
                match objective {
                    Objective::Cloob => cloob(&profiles, &molecules, &inverse, *hopfield_scale as f32),
                    Objective::Clip => clip(profiles, molecules, &inverse),
                }
            }
            LossKind::InfoCore(loss) => {
                let loss = loss.clone();
                self.infocore_loss(pass, indices, &loss, places, in_batch)
            }
        }
    }

    /// The inverse temperature, `f32[1, 1]`.
    fn inverse(&self, pass: &Pass<'_>, fixed: f64) -> Tensor<2> {
        match self.shape.temperature {
            Some(_) => pass.parameter(LOG_INVERSE).exp(),
            None => Tensor::full([1, 1], fixed as f32, pass.device()),
        }
    }

    fn infocore_loss(
        &mut self,
        pass: &mut Pass<'_>,
        indices: &[usize],
        loss: &InfoCoreLoss,
        places: Places,
        in_batch: bool,
    ) -> Tensor<1> {
        let device = pass.device().clone();
        let sides = [places.molecules, places.profiles];
        let batches = (self.batches > 0).then(|| self.batches_of(indices, &device));
        if let Some(batches) = &batches {
            self.latents = Some((sides.clone().map(Tensor::detach), batches.clone()));
        }
        if !in_batch && self.keys.is_some() {
            return self.against_keys(pass, indices, loss, &sides, batches.as_ref());
        }
        let [molecules, profiles] = sides;
        let per_row = match batches {
            None => [
                infonce_simclr(molecules.clone(), profiles.clone(), loss.temperature),
                infonce_simclr(profiles, molecules, loss.temperature),
            ],
            Some(batches) => {
                let [of_molecules, of_profiles] = self
                    .probabilities(pass, [molecules.clone(), profiles.clone()])
                    .map(|probabilities| reweighted(&probabilities, loss.weight_gradient));
                let anchors = |vectors: &Tensor<2>, probabilities: &Tensor<2>| Anchors {
                    vectors: vectors.clone(),
                    probabilities: probabilities.clone(),
                    batches: batches.clone(),
                };
                let others = |vectors: &Tensor<2>, probabilities: &Tensor<2>| Others {
                    vectors: vectors.clone(),
                    probabilities: probabilities.clone(),
                };
                let of = |anchors: Anchors, others: Others| {
                    infocore_simclr(&anchors, &others, loss.temperature, loss.anchor_weight)
                };
                [
                    of(anchors(&molecules, &of_molecules), others(&profiles, &of_profiles)),
                    of(anchors(&profiles, &of_profiles), others(&molecules, &of_molecules)),
                ]
            }
        };
        let [one, other] = per_row.map(Tensor::mean);
        (one + other) * 0.5
    }

    /// Batch probabilities of molecules and profiles by the classifiers, `f32[n, batches]` each.
    fn probabilities(&self, pass: &mut Pass<'_>, sides: [Tensor<2>; 2]) -> [Tensor<2>; 2] {
        let classifiers = self.shape.classifiers.as_ref().expect("a correction has classifiers");
        let [molecules, profiles] = sides;
        [
            softmax(classifiers[0].forward(pass, molecules), 1),
            softmax(classifiers[1].forward(pass, profiles), 1),
        ]
    }

    /// The loss against the keys of the momentum encoders and the queues.
    fn against_keys(
        &mut self,
        pass: &mut Pass<'_>,
        indices: &[usize],
        loss: &InfoCoreLoss,
        sides: &[Tensor<2>; 2],
        batches: Option<&Tensor<2>>,
    ) -> Tensor<1> {
        let device = pass.device().clone();
        let mut keys = self.keys.take().expect("asked before");
        let mut parameters = keys.parameters.take().expect("they started with the epoch");
        let mut key_pass = match pass.random() {
            Some(random) => Pass::train(&mut parameters, random),
            None => Pass::evaluate(&mut parameters),
        };
        let places = self.places(&mut key_pass, indices, true);
        let key_sides = [places.molecules, places.profiles];
        let key_probabilities = match batches {
            Some(_) => self.probabilities(&mut key_pass, key_sides.clone()).map(rows_of),
            None => [Vec::new(), Vec::new()],
        };
        keys.parameters = Some(parameters);
        let key_sides = key_sides.map(rows_of);
        let others = |side: usize| Others {
            vectors: tensor(&key_sides[side], keys.width, &device),
            probabilities: tensor(&key_probabilities[side], keys.batches, &device),
        };
        let (own, queue) = ([others(0), others(1)], keys.others(&device));
        let per_row = match batches {
            None => [0, 1].map(|side| {
                let other = 1 - side;
                infonce_moco(
                    sides[side].clone(),
                    own[other].vectors.clone(),
                    queue[other].vectors.clone(),
                    loss.temperature,
                )
            }),
            Some(batches) => {
                let probabilities = self.probabilities(pass, sides.clone());
                [0, 1].map(|side| {
                    let other = 1 - side;
                    let anchors = Anchors {
                        vectors: sides[side].clone(),
                        probabilities: reweighted(&probabilities[side], loss.weight_gradient),
                        batches: batches.clone(),
                    };
                    infocore_moco(&anchors, &own[other], &queue[other], loss.temperature, loss.anchor_weight)
                })
            }
        };
        let mut pending = key_sides.into_iter().zip(key_probabilities);
        keys.pending = Some([(); 2].map(|()| pending.next().expect("two sides")));
        self.keys = Some(keys);
        let [one, other] = per_row.map(Tensor::mean);
        (one + other) * 0.5
    }

    /// The cross-entropy of a batch classifier, molecules' or profiles', on places that do not change.
    fn classifier_loss(&self, pass: &mut Pass<'_>, side: usize) -> Tensor<1> {
        let (places, batches) = self.latents.as_ref().expect("the encoders' turn comes first");
        let classifiers = self.shape.classifiers.as_ref().expect("a correction has classifiers");
        let logits = classifiers[side].forward(pass, places[side].clone());
        -(log_softmax(logits, 1) * batches.clone()).sum_dim(1).mean()
    }

    /// The side of a turn: `None` for the encoders.
    fn side(&self, turn: usize) -> Option<usize> {
        let LossKind::InfoCore(loss) = &self.params.loss else { return None };
        (turn > 0).then(|| usize::from(turn > loss.classifier_steps))
    }

    /// Chooses a profile for each molecule.
    fn choose(&mut self, random: &mut Random) {
        let rows = |molecule: usize| &self.pairs.rows[self.partners[molecule]];
        self.chosen = (0..self.partners.len())
            .map(|molecule| {
                let rows = rows(molecule);
                rows[random.below(rows.len())]
            })
            .collect();
    }
}

impl Task for Alignment<'_> {
    fn parts(&self) -> Vec<String> {
        vec!["alignment".to_owned()]
    }

    fn rows(&self) -> usize {
        self.split.train.len()
    }

    /// The encoders, and then, where batches are corrected for, the classifier of molecules and that of profiles several
    /// times each.
    fn turns(&self) -> usize {
        match &self.params.loss {
            LossKind::InfoCore(loss) if self.batches > 0 => 1 + 2 * loss.classifier_steps,
            _ => 1,
        }
    }

    fn takes(&self, turn: usize, name: &str) -> bool {
        match self.side(turn) {
            // As in the reference implementation, the first epoch trains the classifiers only.
            None => !name.starts_with(CLASSIFIERS) && (self.batches == 0 || self.epoch > 0),
            Some(side) => {
                let classifiers = self.shape.classifiers.as_ref().expect("they have turns");
                name.strip_prefix(&*classifiers[side].name).is_some_and(|rest| rest.starts_with('.'))
            }
        }
    }

    fn start_epoch(&mut self, epoch: usize, random: &mut Random) -> Result<()> {
        self.epoch = epoch;
        self.choose(random);
        self.noise.clear();
        if self.params.noise > 0.0 {
            self.noise = random.normal(self.partners.len() * self.columns);
            self.noise.iter_mut().for_each(|value| *value *= self.params.noise as f32);
        }
        Ok(())
    }

    fn loss(
        &mut self,
        pass: &mut Pass<'_>,
        rows: &[usize],
        turn: usize,
    ) -> Result<(Tensor<1>, Vec<Option<Tensor<1>>>)> {
        if let Some(side) = self.side(turn) {
            return Ok((self.classifier_loss(pass, side), Vec::new()));
        }
        if let Some(keys) = self.keys.as_mut().filter(|keys| keys.parameters.is_none()) {
            keys.start(pass.parameters())?;
        }
        let indices: Vec<usize> = rows.iter().map(|&row| self.split.train[row]).collect();
        let loss = self.encoder_loss(pass, &indices, false);
        Ok((loss.clone(), vec![Some(loss)]))
    }

    fn after_step(&mut self, parameters: &mut Parameters) -> Result<()> {
        if self.shape.temperature.is_some() {
            parameters.clamp(LOG_INVERSE, 0.0, MOST_INVERSE.ln() as f32);
        }
        if let (Some(keys), LossKind::InfoCore(loss)) = (&mut self.keys, &self.params.loss) {
            keys.enqueue();
            keys.follow(parameters, loss)?;
        }
        Ok(())
    }

    fn state(&self) -> Arrays {
        self.keys.as_ref().map(Keys::state).unwrap_or_default()
    }

    fn restore(&mut self, state: Arrays) -> Result<()> {
        match &mut self.keys {
            Some(keys) => keys.restore(state),
            None => Ok(()),
        }
    }

    /// The loss within batches, without noise, on the same profiles in every epoch.
    fn validate(&mut self, parameters: &mut Parameters, call: &Call<'_>) -> Result<Option<f64>> {
        let valid = self.split.valid.clone();
        if valid.len() < 2 {
            return Ok(None);
        }
        self.choose(&mut Random::of(call.seed, 0, HELD_OUT));
        let mut sum = 0.0;
        let blocks = molarena_nn::training::batches(&valid, self.params.training.batch_size);
        for indices in blocks {
            call.check()?;
            let loss = self.encoder_loss(&mut Pass::evaluate(parameters), indices, true);
            sum += f64::from(loss.into_scalar::<f32>()) * indices.len() as f64;
        }
        Ok(Some(sum / valid.len() as f64))
    }
}

/// Values as rows of `columns`.
fn tensor(values: &[f32], columns: usize, device: &Device) -> Tensor<2> {
    let shape = [values.len() / columns.max(1), columns];
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

/// The values of a tensor.
fn rows_of(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().try_into_vec().expect("vectors are f32")
}

#[cfg(test)]
mod tests;
