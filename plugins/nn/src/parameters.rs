//! The named parameters of a network, and a pass that uses them.

use std::collections::BTreeMap;

use burn::{
    optim::{AdamState, AdaptiveMomentumState, Optimizer},
    tensor::{Device, Gradients, Tensor, TensorData, activation::relu},
};
use molarena_sdk::{Error, Result};

use crate::{
    Adam, Array, Arrays, Random,
    kernels::{BatchNorm, Dropout, EPSILON, batch_norm},
};

/// Weight of a batch's mean and variance in the running statistics, as in `PyTorch`.
const MOMENTUM: f32 = 0.1;

/// Initial values of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Start {
    /// The same number everywhere.
    Constant(f32),
    /// Uniform in [-bound, bound).
    Uniform(f64),
}

/// The description of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// Name in files, which is the name in the `PyTorch` module.
    pub name: String,
    /// Shape in files: `[outputs, inputs]` of a linear map, `[n]` of a vector.
    pub shape: Vec<usize>,
    /// Whether training changes the parameter. Running statistics are not trained, nor is a bias before a batch norm,
    /// which cancels it.
    pub trained: bool,
    /// Initial values.
    pub start: Start,
}

/// The parameters of a network, in the order in which the random ones are drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slots(pub Vec<Slot>);

impl Slots {
    /// Adds a parameter.
    pub fn push(&mut self, name: impl Into<String>, shape: &[usize], trained: bool, start: Start) {
        self.0.push(Slot { name: name.into(), shape: shape.to_vec(), trained, start });
    }

    /// Adds a table of vectors with uniform values (Glorot and Bengio 2010).
    pub fn embedding(&mut self, name: impl Into<String>, rows: usize, width: usize) {
        let bound = (6.0 / (rows + width) as f64).sqrt();
        self.push(name, &[rows, width], true, Start::Uniform(bound));
    }

    /// Adds a linear map with bias, uniform in +-1 / sqrt(inputs) as in `PyTorch`.
    pub fn linear(&mut self, name: &str, inputs: usize, outputs: usize) {
        self.weight_and_bias(name, inputs, outputs, true);
    }

    /// Adds a linear map before a batch norm; its bias is not trained.
    pub fn linear_before_norm(&mut self, name: &str, inputs: usize, outputs: usize) {
        self.weight_and_bias(name, inputs, outputs, false);
    }

    fn weight_and_bias(&mut self, name: &str, inputs: usize, outputs: usize, trained: bool) {
        let start = Start::Uniform(1.0 / (inputs as f64).sqrt());
        self.push(format!("{name}.weight"), &[outputs, inputs], true, start);
        self.push(format!("{name}.bias"), &[outputs], trained, start);
    }

    /// Adds a batch norm.
    pub fn norm(&mut self, name: &str, width: usize) {
        for (part, trained, start) in [
            ("weight", true, 1.0),
            ("bias", true, 0.0),
            ("running_mean", false, 0.0),
            ("running_var", false, 1.0),
        ] {
            self.push(format!("{name}.{part}"), &[width], trained, Start::Constant(start));
        }
    }

    /// Adds a layer norm.
    pub fn layer_norm(&mut self, name: &str, width: usize) {
        self.push(format!("{name}.weight"), &[width], true, Start::Constant(1.0));
        self.push(format!("{name}.bias"), &[width], true, Start::Constant(0.0));
    }

    /// Random initial arrays.
    pub fn random(&self, random: &mut Random) -> Arrays {
        let mut arrays = Arrays::default();
        for slot in &self.0 {
            let count = slot.shape.iter().product();
            let values = match slot.start {
                Start::Constant(value) => vec![value; count],
                Start::Uniform(bound) => random.uniform(count, bound),
            };
            arrays.arrays.insert(slot.name.clone(), Array::new(&slot.shape, values));
        }
        arrays
    }
}

/// The parameters of a network on a device.
#[derive(Clone, Debug)]
pub struct Parameters {
    device: Device,
    shapes: BTreeMap<String, Vec<usize>>,
    /// Vectors as rows, `f32[1, n]`.
    trained: BTreeMap<String, Tensor<2>>,
    fixed: BTreeMap<String, Fixed>,
}

/// Values that are not trained.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "some dozens; a tensor is what Burn makes it")]
enum Fixed {
    /// Values of a network on the processor.
    Here(Vec<f32>),
    /// Values of a network on another device, `f32[1, n]` without gradients. They stay there, so no step waits for the
    /// device.
    There(Tensor<2>),
}

impl Fixed {
    fn values(&self) -> Vec<f32> {
        match self {
            Self::Here(values) => values.clone(),
            Self::There(row) => values(row.clone()),
        }
    }
}

impl Parameters {
    /// Takes the parameters of `slots` out of `arrays`, which keep everything else. The error for a missing or
    /// misshapen parameter names it. The parameters can be trained if `device` computes gradients.
    pub fn take(slots: &Slots, arrays: &mut Arrays, device: &Device) -> Result<Self> {
        let mut this = Self {
            device: device.clone(),
            shapes: BTreeMap::new(),
            trained: BTreeMap::new(),
            fixed: BTreeMap::new(),
        };
        for slot in &slots.0 {
            let values = arrays.take(&slot.name, &slot.shape)?;
            if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                return Err(Error::data(format!("tensor `{}` has the value {value}", slot.name)));
            }
            this.shapes.insert(slot.name.clone(), slot.shape.clone());
            if slot.trained {
                let tensor = this.tensor(values, &slot.shape);
                this.trained.insert(slot.name.clone(), tensor);
            } else {
                let place = device.clone().inner();
                let fixed = if place == Device::flex() {
                    Fixed::Here(values)
                } else {
                    Fixed::There(row(values, &place))
                };
                this.fixed.insert(slot.name.clone(), fixed);
            }
        }
        Ok(this)
    }

    fn tensor(&self, values: Vec<f32>, shape: &[usize]) -> Tensor<2> {
        let columns = *shape.last().unwrap_or(&1);
        let shape = [values.len() / columns.max(1), columns];
        let tensor = Tensor::from_data(TensorData::new(values, shape), &self.device);
        if self.device.is_autodiff() { tensor.require_grad() } else { tensor }
    }

    /// The parameters as arrays.
    pub fn arrays(&self) -> Arrays {
        let mut arrays = Arrays::default();
        for (name, shape) in &self.shapes {
            let values = match self.trained.get(name) {
                Some(tensor) => values(tensor.clone()),
                None => self.fixed[name].values(),
            };
            arrays.arrays.insert(name.clone(), Array::new(shape, values));
        }
        arrays
    }

    /// The device of the parameters.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Number of trained values.
    pub fn count(&self) -> usize {
        self.trained.values().map(|tensor| tensor.dims().iter().product::<usize>()).sum()
    }

    /// Keeps the trained parameter called `name` within bounds.
    ///
    /// # Panics
    ///
    /// If there is no such parameter.
    pub fn clamp(&mut self, name: &str, least: f32, most: f32) {
        let parameter = self.trained.get_mut(name).unwrap_or_else(|| panic!("no parameter `{name}`"));
        *parameter = if self.device.is_autodiff() {
            Tensor::from_inner(parameter.clone().inner().clamp(least, most)).require_grad()
        } else {
            parameter.clone().clamp(least, most)
        };
    }

    /// Moves the trained parameters towards those of the same names in `leader`: x = m x + (1 - m) y, where `momentum` has m
    /// by name (momentum encoders, He et al. 2020). Running statistics stay.
    pub fn follow(&mut self, leader: &Self, momentum: impl Fn(&str) -> f32) {
        for (name, parameter) in &mut self.trained {
            let Some(led) = leader.trained.get(name) else { continue };
            let led = if leader.device.is_autodiff() { led.clone().inner() } else { led.clone() };
            let share = momentum(name);
            *parameter = parameter.clone() * share + led * (1.0 - share);
        }
    }

    /// The trained parameters by name.
    pub fn trained(&self) -> impl Iterator<Item = (&str, &Tensor<2>)> {
        self.trained.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }
}

fn values(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().try_into_vec().expect("parameters are f32")
}

/// `f32[1, n]`.
fn row(values: Vec<f32>, device: &Device) -> Tensor<2> {
    let shape = [1, values.len()];
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// A pass through a network. In training it draws dropout, uses the batch's statistics and updates the running ones.
#[derive(Debug)]
pub struct Pass<'a> {
    parameters: &'a mut Parameters,
    random: Option<&'a mut Random>,
}

impl<'a> Pass<'a> {
    /// A training pass.
    pub fn train(parameters: &'a mut Parameters, random: &'a mut Random) -> Self {
        Self { parameters, random: Some(random) }
    }

    /// An evaluation pass, which changes nothing: it uses the running statistics and no dropout.
    pub fn evaluate(parameters: &'a mut Parameters) -> Self {
        Self { parameters, random: None }
    }

    /// The device of the parameters.
    pub fn device(&self) -> &Device {
        &self.parameters.device
    }

    /// The parameters.
    pub fn parameters(&self) -> &Parameters {
        self.parameters
    }

    /// The random stream; only in training.
    pub fn random(&mut self) -> Option<&mut Random> {
        self.random.as_deref_mut()
    }

    /// The trained parameter called `name`.
    ///
    /// # Panics
    ///
    /// If there is no such parameter.
    pub fn parameter(&self, name: &str) -> Tensor<2> {
        self.parameters.trained.get(name).unwrap_or_else(|| panic!("no parameter `{name}`")).clone()
    }

    fn fixed(&self, name: &str) -> &Fixed {
        self.parameters.fixed.get(name).unwrap_or_else(|| panic!("no statistic `{name}`"))
    }

    /// The linear map x W' + b.
    pub fn linear(&self, name: &str, input: Tensor<2>) -> Tensor<2> {
        self.product(name, input) + self.parameter(&format!("{name}.bias"))
    }

    /// Layer norm (Ba et al. 2016): each row with mean 0 and variance 1, times a factor, plus an addend.
    pub fn layer_norm(&self, name: &str, input: Tensor<2>) -> Tensor<2> {
        let centred = input.clone() - input.mean_dim(1);
        let variance = centred.clone().powi_scalar(2).mean_dim(1);
        let [factor, addend] = ["weight", "bias"].map(|part| self.parameter(&format!("{name}.{part}")));
        centred / (variance + EPSILON).sqrt() * factor + addend
    }

    /// In training, drops values with this probability and scales the others.
    pub fn dropped(&mut self, input: Tensor<2>, probability: f64) -> Tensor<2> {
        let Some(random) = self.random.as_deref_mut().filter(|_| probability > 0.0) else { return input };
        let shape = input.dims();
        let mask = random.mask(shape[0] * shape[1], probability);
        let mask = Tensor::from_data(TensorData::new(mask, shape), &input.device());
        input * mask
    }

    fn product(&self, name: &str, input: Tensor<2>) -> Tensor<2> {
        input.matmul(self.parameter(&format!("{name}.weight")).transpose())
    }

    /// A linear map, batch norm, and the steps of `after`.
    pub fn linear_and_norm(&mut self, linear: &str, norm: &str, input: Tensor<2>, after: After) -> Tensor<2> {
        let product = self.product(linear, input);
        let bias = self.fixed(&format!("{linear}.bias")).clone();
        self.normalise(norm, product, Some(&bias), after)
    }

    /// Batch norm and the steps of `after`.
    pub fn norm(&mut self, norm: &str, input: Tensor<2>, after: After) -> Tensor<2> {
        self.normalise(norm, input, None, after)
    }

    /// Batch norm of `input` plus `bias`. The bias affects the running mean only, because the batch's own mean cancels
    /// it.
    fn normalise(&mut self, norm: &str, input: Tensor<2>, bias: Option<&Fixed>, after: After) -> Tensor<2> {
        let affine = ["weight", "bias"].map(|part| self.parameter(&format!("{norm}.{part}")));
        if self.random.is_none() {
            return self.evaluate_norm(bias, norm, input, affine, after);
        }
        let rows = input.dims()[0];
        let dropout = self.dropout(after.dropout);
        let step = BatchNorm { rectified: after.rectified, dropout, ..BatchNorm::default() };
        let output = batch_norm(input, affine, after.residual, &step);
        let unbiased = rows as f32 / (rows.max(2) - 1) as f32;
        let names = ["running_mean", "running_var"].map(|part| format!("{norm}.{part}"));
        if let Some([mean, variance]) = step.elsewhere.get() {
            let [mean, variance] = [mean, variance].map(|row| self.without_gradients(row.clone()));
            let mean = match bias {
                Some(bias) => mean + self.there(bias),
                None => mean,
            };
            for (name, batch) in names.iter().zip([mean, variance * unbiased]) {
                let running = self.there(self.fixed(name));
                let moved = running.clone() + (batch - running) * MOMENTUM;
                self.parameters.fixed.insert(name.clone(), Fixed::There(moved));
            }
        } else {
            let moments = step.moments.get().expect("the step ran");
            let bias = bias.map_or_else(|| vec![0.0; moments.mean.len()], Fixed::values);
            let batch_mean = moments.mean.iter().zip(&bias).map(|(mean, bias)| mean + bias);
            let batch_variance = moments.variance.iter().map(|variance| variance * unbiased);
            self.move_towards(&names[0], batch_mean);
            self.move_towards(&names[1], batch_variance);
        }
        output
    }

    fn move_towards(&mut self, name: &str, batch: impl Iterator<Item = f32>) {
        let Some(Fixed::Here(running)) = self.parameters.fixed.get_mut(name) else {
            panic!("no statistic `{name}` on the processor")
        };
        running.iter_mut().zip(batch).for_each(|(running, batch)| *running += MOMENTUM * (batch - *running));
    }

    /// An untrained value as a row on the device, without gradients.
    fn there(&self, fixed: &Fixed) -> Tensor<2> {
        match fixed {
            Fixed::Here(values) => row(values.clone(), &self.device().clone().inner()),
            Fixed::There(row) => row.clone(),
        }
    }

    fn without_gradients(&self, tensor: Tensor<2>) -> Tensor<2> {
        if self.device().is_autodiff() { tensor.inner() } else { tensor }
    }

    fn evaluate_norm(
        &self,
        bias: Option<&Fixed>,
        norm: &str,
        input: Tensor<2>,
        affine: [Tensor<2>; 2],
        after: After,
    ) -> Tensor<2> {
        let statistics = ["running_var", "running_mean"].map(|part| self.fixed(&format!("{norm}.{part}")));
        let [factor, addend] = match statistics {
            [Fixed::Here(variance), Fixed::Here(mean)] => {
                let bias = bias.map_or_else(|| vec![0.0; mean.len()], Fixed::values);
                let [gamma, beta] = affine.map(values);
                let scales = gamma.iter().zip(variance);
                let factor: Vec<f32> =
                    scales.map(|(gamma, variance)| gamma / (variance + EPSILON).sqrt()).collect();
                let offsets = bias.iter().zip(mean).map(|(bias, mean)| bias - mean);
                let addend =
                    offsets.zip(&factor).zip(&beta).map(|((offset, factor), beta)| beta + offset * factor);
                let addend = addend.collect();
                [factor, addend].map(|values| row(values, self.device()))
            }
            statistics => {
                let [variance, mean] = statistics.map(|fixed| self.there(fixed));
                let [gamma, beta] = affine.map(|row| self.without_gradients(row));
                let factor = gamma / (variance + EPSILON).sqrt();
                let offset = match bias {
                    Some(bias) => self.there(bias) - mean,
                    None => -mean,
                };
                let addend = beta + offset * factor.clone();
                let place = |row| if self.device().is_autodiff() { Tensor::from_inner(row) } else { row };
                [factor, addend].map(place)
            }
        };
        let mut output = input * factor + addend;
        if after.rectified {
            output = relu(output);
        }
        match after.residual {
            Some(residual) => output + residual,
            None => output,
        }
    }

    fn dropout(&mut self, probability: f64) -> Option<Dropout> {
        let random = self.random.as_deref_mut().filter(|_| probability > 0.0)?;
        let seeds = [random.below(1 << 32) as u32, random.below(1 << 32) as u32];
        Some(Dropout::new(probability, seeds))
    }
}

/// The steps after a batch norm.
#[derive(Clone, Debug, Default)]
pub struct After {
    /// Whether a rectifier follows.
    pub rectified: bool,
    /// Probability with which training then drops values; 0 for no dropout.
    pub dropout: f64,
    /// Tensor that is then added, if any.
    pub residual: Option<Tensor<2>>,
}

/// Adam's moments for each parameter, by name.
#[derive(Clone)]
pub struct Optimiser {
    adam: Adam,
    moments: BTreeMap<String, AdamState<2>>,
}

/// Prefixes of the names of moments in files.
const FIRST: &str = "adam.first.";
const SECOND: &str = "adam.second.";

impl Optimiser {
    /// Adam with this weight decay, before its first step.
    pub fn new(weight_decay: f32) -> Self {
        Self { adam: Adam::new(weight_decay), moments: BTreeMap::new() }
    }

    /// Takes one step with the parameters that `rate_of` has a learning rate for. The error names a parameter whose gradient
    /// is missing or not finite.
    pub fn step(
        &mut self,
        parameters: &mut Parameters,
        gradients: &mut Gradients,
        rate_of: impl Fn(&str) -> Option<f64>,
    ) -> Result<()> {
        for (name, place) in &mut parameters.trained {
            let Some(rate) = rate_of(name) else { continue };
            let Some(gradient) = place.grad_remove(gradients) else {
                return Err(Error::internal(format!("parameter `{name}` got no gradient")));
            };
            // Taken out, so that Adam can change its memory.
            let parameter = std::mem::replace(place, Tensor::empty([0, 0], &parameters.device));
            let state = self.moments.remove(name);
            let (next, state) = self.adam.step(rate, parameter.inner(), gradient, state);
            *place = Tensor::from_inner(next).require_grad();
            self.moments.extend(state.map(|state| (name.clone(), state)));
        }
        Ok(())
    }

    /// Adds the moments to `arrays`; returns the number of steps that each parameter took, if any.
    pub fn save(&self, parameters: &Parameters, arrays: &mut Arrays) -> BTreeMap<String, usize> {
        for (name, state) in &self.moments {
            let shape = &parameters.shapes[name];
            for (prefix, moment) in [(FIRST, &state.momentum.moment_1), (SECOND, &state.momentum.moment_2)] {
                let array = Array::new(shape, values(moment.clone()));
                arrays.arrays.insert(format!("{prefix}{name}"), array);
            }
        }
        self.moments.iter().map(|(name, state)| (name.clone(), state.momentum.time)).collect()
    }

    /// Takes the moments of the parameters that took this many `steps` out of `arrays`.
    pub fn load(
        &mut self,
        parameters: &Parameters,
        arrays: &mut Arrays,
        steps: &BTreeMap<String, usize>,
    ) -> Result<()> {
        self.moments.clear();
        let device = parameters.device.clone().inner();
        for (name, parameter) in &parameters.trained {
            let Some(&steps) = steps.get(name) else { continue };
            let mut moment = |prefix: &str| -> Result<Tensor<2>> {
                let values = arrays.take(&format!("{prefix}{name}"), &parameters.shapes[name])?;
                Ok(Tensor::from_data(TensorData::new(values, parameter.dims()), &device))
            };
            let momentum = AdaptiveMomentumState::new(steps, moment(FIRST)?, moment(SECOND)?);
            self.moments.insert(name.clone(), AdamState::new(momentum));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Optimiser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Optimiser").field("parameters", &self.moments.len()).finish_non_exhaustive()
    }
}
