//! The baseline `mpnn`.

use molarena_nn::{gnn::MoleculeGraphs, supervised::Members};
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
        let valid = if valid.rows == 0 { None } else { Some(valid) };
        let labels = (labels, valid_labels);
        let options = self.config.options(labels.0.kind);
        let plan = (&options, self.config.members, self.config.epochs);
        self.model = Some(match self.config.messages {
            Messages::Directed => {
                let (train, valid) = (directed(train)?, valid.map(directed).transpose()?);
                let network = |outputs| self.config.directed(outputs);
                Model::Directed(Members::fit(network, plan, (&train, valid.as_ref()), labels, call)?)
            }
            Messages::Gin | Messages::Gcn => {
                let (train, valid) = (graphs(train)?, valid.map(graphs).transpose()?);
                let network = |outputs| self.config.atoms(outputs);
                Model::Atoms(Members::fit(network, plan, (&train, valid.as_ref()), labels, call)?)
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
            Model::Directed(members) => members.predict(&directed(inputs)?, call),
            Model::Atoms(members) => members.predict(&graphs(inputs)?, call),
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
                // The parameters of a graph network are only defined from one layer on.
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
