//! The baseline `mpnn`.

use molarena_nn::{
    gnn::MoleculeGraphs,
    supervised::{Labelling, Members, Predictor},
    with_threads,
};
use molarena_sdk::{
    Baseline, Call, Component, Error, Info, InputKind, Inputs, Labels, Matrix, Result,
    state::{Header, fitted},
};
use serde::{Deserialize, Serialize};

use super::{
    atoms::Atoms,
    config::{MessagePassingConfig, Messages},
    directed::{Directed, Molecules},
};

const HEADER: Header = Header { name: *b"mpnn", version: 1 };

/// A network that passes messages, whose atoms together are a molecule's vector, and a perceptron that predicts all tasks from it.
///
/// The loss over the labels that are not missing is binary cross-entropy for classes, and the squared error of standardised labels for
/// numbers. The validation molecules choose the epoch.
#[derive(Debug)]
pub struct MessagePassing {
    config: MessagePassingConfig,
    model: Option<Model>,
}

/// The trained networks.
#[derive(Debug, Serialize, Deserialize)]
enum Model {
    Directed(Members<Directed>),
    Atoms(Members<Atoms>),
}

impl Component for MessagePassing {
    type Config = MessagePassingConfig;
    const INFO: Info = Info {
        id: "mpnn",
        summary: "message passing end to end from graphs: D-MPNN with chemprop's defaults, GIN or GCN",
        inputs: &[InputKind::Graphs],
        devices: &["cpu"],
        determinism: molarena_nn::DETERMINISM,
        corpora: &[],
    };

    fn new(config: MessagePassingConfig) -> Result<Self> {
        config.check()?;
        Ok(Self { config, model: None })
    }
}

/// Molecules and labels for training and for validation.
struct Data<'a> {
    train: (&'a Inputs<'a>, &'a Labels<'a>),
    valid: (&'a Inputs<'a>, &'a Labels<'a>),
}

impl MessagePassing {
    fn members<P>(
        &self,
        network: impl FnOnce(usize) -> P + Send,
        data: &Data<'_>,
        read: impl for<'m> Fn(&Inputs<'m>) -> Result<P::Molecules<'m>>,
        call: &Call<'_>,
    ) -> Result<Members<P>>
    where
        P: Predictor + Send,
        for<'m> P::Molecules<'m>: Sync,
    {
        let molecules = read(data.train.0)?;
        let others = if data.valid.0.rows == 0 { None } else { Some(read(data.valid.0)?) };
        let train = Labelling { molecules: &molecules, labels: data.train.1 };
        let valid = others.as_ref().map(|molecules| Labelling { molecules, labels: data.valid.1 });
        let options = self.config.options(data.train.1.kind);
        let plan = (&options, self.config.members, self.config.epochs);
        with_threads(call, || Members::fit(network, plan, &train, valid.as_ref(), call))?
    }
}

impl Baseline for MessagePassing {
    fn fit(
        &mut self,
        train: &Inputs<'_>,
        labels: &Labels<'_>,
        valid: &Inputs<'_>,
        valid_labels: &Labels<'_>,
        call: &Call<'_>,
    ) -> Result<()> {
        call.check()?;
        let data = Data { train: (train, labels), valid: (valid, valid_labels) };
        self.model = Some(match self.config.messages {
            Messages::Directed => {
                let network = |outputs| self.config.directed(outputs);
                Model::Directed(self.members::<Directed>(network, &data, directed, call)?)
            }
            Messages::Gin | Messages::Gcn => {
                let network = |outputs| self.config.atoms(outputs);
                Model::Atoms(self.members::<Atoms>(network, &data, graphs, call)?)
            }
        });
        Ok(())
    }

    fn tasks(&self) -> usize {
        match &self.model {
            None => 0,
            Some(Model::Directed(members)) => members.tasks(),
            Some(Model::Atoms(members)) => members.tasks(),
        }
    }

    fn predict(&mut self, inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        match fitted(self.model.as_ref(), "predict")? {
            Model::Directed(members) => {
                let molecules = directed(inputs)?;
                with_threads(call, || members.predict(&molecules, call))?
            }
            Model::Atoms(members) => {
                let molecules = graphs(inputs)?;
                with_threads(call, || members.predict(&molecules, call))?
            }
        }
    }

    fn save(&self) -> Result<Vec<u8>> {
        HEADER.save(fitted(self.model.as_ref(), "save")?)
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        let model: Model = HEADER.load(state)?;
        match &model {
            Model::Directed(members) => members.check()?,
            Model::Atoms(members) => {
                // Nothing else of a stored shape can make a network fail.
                if members.networks.as_ref().is_some_and(|(network, _)| network.network.layers == 0) {
                    return Err(Error::data("state of the network is damaged: it has no layers"));
                }
                members.check()?;
            }
        }
        self.model = Some(model);
        Ok(())
    }
}

fn directed(inputs: &Inputs<'_>) -> Result<Molecules> {
    Ok(Molecules::new(&inputs.graphs()?))
}

fn graphs<'m>(inputs: &Inputs<'m>) -> Result<MoleculeGraphs<'m>> {
    MoleculeGraphs::new(inputs.graphs()?)
}
