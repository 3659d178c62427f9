//! Whole numbers in configurations.

use molarena_sdk::ComponentKind;

use crate::{
    error::{Error, Result},
    plan::planner::Planner,
    request::{
        config_schema::with_integers,
        method::{Method, Recipe},
    },
};

impl Planner<'_> {
    /// The method with [integers](with_integers) where its components want them. Of a plugin that is not there, nothing
    /// is changed: it is missed when the method is checked.
    ///
    /// # Errors
    /// A plugin cannot be described.
    pub(crate) fn settled(&mut self, mut method: Method) -> Result<Method> {
        let Recipe::Model(model) = &mut method.recipe else { return Ok(method) };
        let model = &mut **model;
        let (mut tune, mut finetune) = (model.tune.take(), model.finetune.take());
        for (kind, spec) in model.components_mut() {
            let (plugin, id) = match self.plugin(&method.name, spec) {
                Ok(found) => found,
                Err(Error::UnknownPlugin { .. }) => continue,
                Err(error) => return Err(error),
            };
            let mut components = plugin.description.components.iter();
            let Some(component) = components.find(|known| known.kind == kind && known.id == id) else {
                continue;
            };
            with_integers(&mut spec.config, &component.config_schema);
            let offered = component.finetune.as_ref().map(|offered| &offered.config_schema);
            // A method has a baseline or a fine-tuned encoder; which of them it is, `tune` is of.
            let predicts = match (kind, &mut finetune, offered) {
                (ComponentKind::Baseline, ..) => &component.config_schema,
                (ComponentKind::Encoder, Some(finetune), Some(schema)) => {
                    with_integers(finetune, schema);
                    schema
                }
                _ => continue,
            };
            for (key, values) in tune.iter_mut().flat_map(|tune| &mut tune.grid) {
                for value in values {
                    let mut config = serde_json::json!({ key: value.take() });
                    with_integers(&mut config, predicts);
                    *value = config[key].take();
                }
            }
        }
        (model.tune, model.finetune) = (tune, finetune);
        Ok(method)
    }
}
