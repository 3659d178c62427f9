//! All measurements, as rows.

use crate::{
    algebra,
    contrast::{Samples, dlb, gap, nce, nwj_once},
    critic::{Critic, Family},
    decoder::Decoder,
    train::{Objective, Source, train},
    world::{Estimate, Random, World},
};

/// Size of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Dimensions of Z and of Y.
    pub dimension: usize,
    /// Mutual informations I in nats.
    pub information: Vec<f64>,
    /// Numbers of samples K for the optimal critic.
    pub k: Vec<usize>,
    /// Numbers of samples K for trained critics.
    pub trained_k: Vec<usize>,
    /// Number of steps of a training.
    pub steps: usize,
    /// Number of blocks of 64 pairs in an estimate of `I_NCE`.
    pub blocks: usize,
    /// Number of estimates of `I_NWJ`.
    pub repeats: usize,
    /// Seed of all random numbers.
    pub seed: u64,
}

impl Settings {
    /// The settings behind the book's chapter.
    pub fn whole(seed: u64) -> Self {
        Self {
            dimension: 16,
            information: vec![1.0, 2.0, 4.0, 6.0, 8.0, 10.0],
            k: (1..=12).map(|power| 1 << power).collect(),
            trained_k: (1..=6).map(|power| 1 << (2 * power)).collect(),
            steps: 400,
            blocks: 64,
            repeats: 200,
            seed,
        }
    }

    /// Settings that take a few seconds, for tests.
    pub fn quick(seed: u64) -> Self {
        Self {
            information: vec![1.0, 6.0],
            k: vec![2, 16, 64],
            trained_k: vec![4, 64],
            steps: 60,
            blocks: 8,
            repeats: 20,
            ..Self::whole(seed)
        }
    }
}

/// The quantity of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `I_DLB` of a decoder.
    Decoder,
    /// `I_NCE` of a critic.
    Nce,
    /// `I_DLB` of the decoder that a critic defines.
    CriticDlb,
    /// A statistic of repeated estimates of `I_NWJ`.
    Nwj,
    /// `I_DLB` - `I_ELB` of one critic (Eq. 12).
    Gap,
    /// A step of the appendix; the value is its left side minus its right side.
    Algebra,
}

impl Part {
    /// All parts, in the order of the rows.
    pub const ALL: [Self; 6] =
        [Self::Decoder, Self::Nce, Self::CriticDlb, Self::Nwj, Self::Gap, Self::Algebra];

    /// The part's name in the CSV.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decoder => "decoder",
            Self::Nce => "nce",
            Self::CriticDlb => "critic-dlb",
            Self::Nwj => "nwj",
            Self::Gap => "gap",
            Self::Algebra => "algebra",
        }
    }
}

/// A measured number.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The measured quantity.
    pub part: Part,
    /// Name of the decoder, the critic, the statistic or the step.
    pub name: String,
    /// I(Z; Y) in nats.
    pub information: f64,
    /// Number of samples K, if there is one.
    pub k: Option<usize>,
    /// Value in nats.
    pub value: f64,
    /// Standard error of the value; `None` for closed forms and statistics.
    pub error: Option<f64>,
}

impl Row {
    pub(crate) fn new(part: Part, name: &str, information: f64, k: Option<usize>, found: Estimate) -> Self {
        Self { part, name: name.to_owned(), information, k, value: found.mean, error: Some(found.error) }
    }

    pub(crate) fn known(part: Part, name: &str, information: f64, value: f64) -> Self {
        Self { part, name: name.to_owned(), information, k: None, value, error: None }
    }
}

/// Decoders with their names in tables.
pub(crate) const DECODERS: [(&str, Decoder); 8] = [
    ("exact", Decoder::Exact),
    ("Gaussian, 20,000 samples", Decoder::Gaussian(20_000)),
    ("Gaussian, 200 samples", Decoder::Gaussian(200)),
    ("unit variance", Decoder::UnitVariance),
    ("bottleneck, 4 of 16", Decoder::Bottleneck(4)),
    ("factorised, correlated y", Decoder::Factorised),
    ("continuous Bernoulli", Decoder::ContinuousBernoulli),
    ("cross-entropy on [0, 1]", Decoder::Bernoulli),
];

/// Number of rows in the estimates of a decoder's bound and of a critic's own decoder.
const EVALUATED: usize = 20_000;
/// Number of samples in an estimate of `I_NWJ`.
pub(crate) const NWJ_SAMPLES: usize = 1000;

/// All rows, in the order of the parts; `said` receives the progress.
pub fn run(settings: &Settings, mut said: impl FnMut(&str)) -> Vec<Row> {
    let mut rows = Vec::new();
    for (number, &information) in settings.information.iter().enumerate() {
        said(&format!("I = {information} nats"));
        let world = World::of_information(settings.dimension, information);
        let random = &mut Random::new(settings.seed, number as u64);
        rows.extend(DECODERS.map(|(name, decoder)| {
            Row::new(Part::Decoder, name, information, None, decoder.bound(&world, random))
        }));
        critics(settings, &world, information, random, &mut rows);
        repeated_nwj(settings, &world, information, random, &mut rows);
    }
    said("Eq. 5 to 12");
    rows.extend(algebra::rows(&mut Random::new(settings.seed, 1000)));
    rows.sort_by_key(|row| Part::ALL.iter().position(|part| *part == row.part));
    rows
}

/// Number of pairs for the critic that is trained on few.
const FEW: usize = 256;

fn critics(settings: &Settings, world: &World, information: f64, random: &mut Random, rows: &mut Vec<Row>) {
    let blocks = settings.blocks;
    let optimal = Critic::optimal(world);
    let mut of_y = Critic::zero(world.dimension);
    of_y.linear_y[0] = 1.5;
    let twice: Vec<f64> = optimal.parameters(Family::Quadratic).iter().map(|value| 2.0 * value).collect();
    let sharp = Critic::from_parameters(world.dimension, Family::Quadratic, &twice);
    for &k in &settings.k {
        for (name, samples) in
            [("optimal", Samples::WithPositive), ("optimal, negatives only", Samples::NegativesOnly)]
        {
            let found = nce(&optimal, world, k, samples, blocks, random);
            rows.push(Row::new(Part::Nce, name, information, Some(k), found));
        }
        for (name, critic) in [("optimal", &optimal), ("optimal x 2", &sharp), ("of y alone", &of_y)] {
            let found = gap(critic, world, k, false, blocks, random);
            rows.push(Row::new(Part::Gap, name, information, Some(k), found));
        }
    }
    let few = world.pairs(FEW, random);
    let trainings = [
        ("bilinear, trained", Family::Bilinear, Source::Fresh(*world)),
        ("quadratic, trained", Family::Quadratic, Source::Fresh(*world)),
        ("quadratic, trained on 256", Family::Quadratic, Source::Fixed(few.0, few.1)),
    ];
    for (k, (name, family, source)) in
        settings.trained_k.iter().flat_map(|&k| trainings.iter().map(move |training| (k, training)))
    {
        let critic = train(source, *family, Objective::Nce(k), settings.steps, random);
        let found = nce(&critic, world, k, Samples::WithPositive, blocks, random);
        rows.push(Row::new(Part::Nce, name, information, Some(k), found));
        let own = dlb(&critic, world, EVALUATED, random);
        rows.push(Row::new(Part::CriticDlb, name, information, Some(k), own));
        for (from_decoder, ending) in [(false, ""), (true, ", y from q")] {
            let found = gap(&critic, world, k, from_decoder, blocks, random);
            rows.push(Row::new(Part::Gap, &format!("{name}{ending}"), information, Some(k), found));
        }
    }
}

/// Repeated estimates of `I_NWJ` from 1000 samples each, for the optimal critic and a trained one.
fn repeated_nwj(
    settings: &Settings,
    world: &World,
    information: f64,
    random: &mut Random,
    rows: &mut Vec<Row>,
) {
    let mut optimal = Critic::optimal(world);
    optimal.constant += 1.0;
    let trained =
        train(&Source::Fresh(*world), Family::Quadratic, Objective::Nwj(256), settings.steps, random);
    for (name, critic) in [("optimal", optimal), ("quadratic, trained", trained)] {
        let mut values: Vec<f64> =
            (0..settings.repeats).map(|_| nwj_once(&critic, world, NWJ_SAMPLES, random)).collect();
        let found = Estimate::of(&values);
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values[(share * (values.len() - 1) as f64).round() as usize];
        rows.push(Row::new(Part::Nwj, &format!("{name}: mean"), information, None, found));
        let statistics = [
            ("5 %", at(0.05)),
            ("median", at(0.5)),
            ("95 %", at(0.95)),
            ("sd", found.error * (values.len() as f64).sqrt()),
        ];
        for (statistic, value) in statistics {
            rows.push(Row::known(Part::Nwj, &format!("{name}: {statistic}"), information, value));
        }
    }
    // Var[e^(h - 1)] under p(z) p(y) is e^(2 I) - 1, and Var[h] under p(z, y) is d rho².
    let squares = (2.0 * information).exp_m1() + world.dimension as f64 * world.correlation.powi(2);
    rows.push(Row::known(
        Part::Nwj,
        "optimal: sd in theory",
        information,
        (squares / NWJ_SAMPLES as f64).sqrt(),
    ));
}
