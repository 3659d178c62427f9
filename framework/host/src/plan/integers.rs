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
        let mut tune = model.tune.take();
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
            let tuned = tune.as_mut().filter(|_| kind == ComponentKind::Baseline);
            for (key, values) in tuned.into_iter().flat_map(|tune| &mut tune.grid) {
                for value in values {
                    let mut config = serde_json::json!({ key: value.take() });
                    with_integers(&mut config, &component.config_schema);
                    *value = config[key].take();
                }
            }
        }
        model.tune = tune;
        Ok(method)
    }
}
