//! Parameters that a suite varies: `vary = { "encoder.config.beta" = [1e-9, 1e-6] }`.

use serde_json::{Value, json};

use crate::{
    error::{Error, Result},
    request::method::Method,
    request::product::{Choices, combinations, count},
};

/// Largest number of variants of a method.
const MAX_VARIANTS: usize = 256;

/// Values to try by key, a dotted path in the method file.
pub type Vary = Choices;

/// One value of one key.
#[derive(Clone, Debug)]
pub struct Assignment<'a> {
    /// Dotted path in the method file, such as `encoder.config.beta`.
    pub key: &'a str,
    /// The value.
    pub value: &'a Value,
    /// The last part of the path, or the whole path if another varied key ends in the same part.
    short: &'a str,
}

impl Assignment<'_> {
    /// `key=value`, as in a method's name.
    pub(crate) fn label(&self) -> String {
        let value = self.value.as_str().map_or_else(|| self.value.to_string(), ToOwned::to_owned);
        // Blanks in a list or text would break a board's cell.
        format!("{}={}", self.short, value.split_whitespace().collect::<String>())
    }

    /// Puts the value into a method file's content; `Err` says which part is missing.
    pub(crate) fn set(&self, content: &mut Value) -> Result<(), String> {
        let parts: Vec<&str> = self.key.split('.').collect();
        let [first, inner @ .., last] = parts.as_slice() else {
            return Err(format!("`{}` must be a path such as encoder.config.beta", self.key));
        };
        if !["features", "encoder", "baseline", "decoder"].contains(first) {
            return Err(format!("`{}` must begin with features, encoder, baseline or decoder", self.key));
        }
        let mut place = content
            .get_mut(*first)
            .filter(|part| part.is_object())
            .ok_or_else(|| format!("`{}`: the method has no `{first}`", self.key))?;
        for part in inner {
            let table =
                place.as_object_mut().ok_or_else(|| format!("`{}`: `{part}` is in no table", self.key))?;
            place = table.entry(*part).or_insert_with(|| json!({}));
        }
        let table =
            place.as_object_mut().ok_or_else(|| format!("`{}`: `{last}` is in no table", self.key))?;
        table.insert((*last).to_owned(), self.value.clone());
        Ok(())
    }
}

/// Checks that each key has distinct values and that there are not too many variants.
pub(crate) fn check(vary: &Vary) -> Result<(), String> {
    if let Some((key, _)) = vary.iter().find(|(_, values)| values.is_empty()) {
        return Err(format!("vary: `{key}` has no values"));
    }
    for (key, values) in vary {
        if let Some(twice) = values.iter().enumerate().find(|(index, value)| values[..*index].contains(value))
        {
            return Err(format!("vary: `{key}` has the value {} twice", twice.1));
        }
    }
    match count(vary) {
        Some(..=MAX_VARIANTS) => Ok(()),
        _ => Err(format!("vary: more than {MAX_VARIANTS} combinations")),
    }
}

/// The variants of `method`, the values of the last key changing fastest; the method itself if nothing is varied.
///
/// # Errors
/// Those of [`Method::with`].
pub(crate) fn variants(method: Method, vary: &Vary) -> Result<Vec<Method>, Error> {
    if vary.is_empty() {
        return Ok(vec![method]);
    }
    let assigned = |combination: Vec<(&str, &Value)>| -> Result<Method, Error> {
        let assignments: Vec<Assignment<'_>> = combination
            .into_iter()
            .map(|(key, value)| Assignment { key, value, short: short_name(key, vary) })
            .collect();
        method.with(&assignments)
    };
    combinations(vary).into_iter().map(assigned).collect()
}

fn short_name<'a>(key: &'a str, vary: &Vary) -> &'a str {
    let last = key.rsplit('.').next().unwrap_or(key);
    let alike = vary.keys().filter(|other| other.rsplit('.').next() == Some(last)).count();
    if alike > 1 { key } else { last }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::request::method::Recipe;

    fn method() -> Method {
        let text = "schema = 'molarena.method/1'\nname = 'm'\nfeatures = { kind = 'graphs' }\n\
                    encoder = { component = 'p/e', corpus = 'c' }\nbaseline = { component = 'p/b', config = { k = 1 } }";
        Method::parse(text, Path::new("m.toml")).unwrap()
    }

    fn vary(value: Value) -> Vary {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn each_combination_is_a_method_of_its_own_name() {
        let grid = vary(json!({"encoder.config.beta": [1e-9, 0.1], "baseline.config.k": [1, 10]}));
        check(&grid).unwrap();
        let variants = variants(method(), &grid).unwrap();
        let names: Vec<&str> = variants.iter().map(|method| method.name.as_str()).collect();
        assert_eq!(names, ["m[k=1,beta=1e-9]", "m[k=1,beta=0.1]", "m[k=10,beta=1e-9]", "m[k=10,beta=0.1]"]);
        let Recipe::Model(model) = &variants[2].recipe else { panic!("a model") };
        assert_eq!(model.encoder.as_ref().unwrap().config, json!({"beta": 1e-9}));
        assert_eq!(model.baseline.as_ref().unwrap().config, json!({"k": 10}));
        assert_eq!(json!(variants[2].varied), json!({"baseline.config.k": 10, "encoder.config.beta": 1e-9}));
        let seeds = super::variants(method(), &vary(json!({"encoder.pretrain_seed": [0, 1]}))).unwrap();
        let Recipe::Model(model) = &seeds[1].recipe else { panic!("a model") };
        assert_eq!(model.pretraining.as_ref().unwrap().seed, 1);
    }

    #[test]
    fn keys_of_one_end_are_named_in_full() {
        let grid = vary(json!({"encoder.config.width": [2], "baseline.config.width": [3]}));
        let name = variants(method(), &grid).unwrap().remove(0).name;
        assert_eq!(name, "m[baseline.config.width=3,encoder.config.width=2]");
    }

    #[test]
    fn keys_that_are_not_there_are_named() {
        for (grid, part) in [
            (json!({"beta": [1]}), "`beta` must be a path such as encoder.config.beta"),
            (json!({"name.x": ["n"]}), "must begin with features, encoder, baseline or decoder"),
            (json!({"decoder.config.x": [1]}), "`decoder.config.x`: the method has no `decoder`"),
            (json!({"encoder.sedd": [1]}), "unknown field `sedd`"),
            (json!({"features.bits": [1]}), "bits"),
        ] {
            let error = variants(method(), &vary(grid)).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        assert!(check(&vary(json!({"k": []}))).unwrap_err().contains("`k` has no values"));
        assert!(check(&vary(json!({"k": [1, 1]}))).unwrap_err().contains("the value 1 twice"));
        let many: Vec<usize> = (0..300).collect();
        assert!(check(&vary(json!({"k": many}))).unwrap_err().contains("more than 256"));
    }
}
