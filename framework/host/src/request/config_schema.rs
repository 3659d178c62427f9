//! Checks a configuration against its component's JSON Schema, with messages that name the key and its
//! allowed values.

use jsonschema::{ValidationError, error::ValidationErrorKind};
use serde_json::Value;

use crate::{
    error::{Error, Result},
    request::component::ComponentSpec,
    request::method::Method,
};

/// Checks the configuration of `spec`; the error names every key at fault.
pub(crate) fn check_config(method: &Method, spec: &ComponentSpec, schema: &Value) -> Result<()> {
    let failed = |message: String| Error::Config {
        method: method.name.clone(),
        component: spec.component.clone(),
        message,
    };
    let validator = jsonschema::validator_for(schema)
        .map_err(|error| failed(format!("the plugin's own schema is broken: {error}")))?;
    let errors: Vec<String> =
        validator.iter_errors(&spec.config).map(|error| describe(&error, schema)).collect();
    if errors.is_empty() { Ok(()) } else { Err(failed(errors.join("; "))) }
}

fn describe(error: &ValidationError<'_>, schema: &Value) -> String {
    let key = error.instance_path().to_string();
    let choices = choices(error);
    let text = if !choices.is_empty() {
        format!("{} is none of: {}", error.instance(), choices.join(", "))
    } else if matches!(error.kind(), ValidationErrorKind::AdditionalProperties { .. }) && key.is_empty() {
        let known = schema["properties"].as_object().into_iter().flat_map(|keys| keys.keys());
        format!("{error}; known: {}", known.map(String::as_str).collect::<Vec<_>>().join(", "))
    } else {
        error.to_string()
    };
    if key.is_empty() { text } else { format!("at `{key}`: {text}") }
}

/// The values or types that a choice of schemas allows, if the value matches none of them.
fn choices(error: &ValidationError<'_>) -> Vec<String> {
    match error.kind() {
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
            context.iter().flatten().flat_map(choices_of_branch).collect()
        }
        _ => Vec::new(),
    }
}

fn choices_of_branch(error: &ValidationError<'_>) -> Vec<String> {
    match error.kind() {
        ValidationErrorKind::Constant { expected_value } => vec![expected_value.to_string()],
        ValidationErrorKind::Enum { options } => {
            options.as_array().into_iter().flatten().map(ToString::to_string).collect()
        }
        ValidationErrorKind::Type { kind } => vec![match kind {
            jsonschema::error::TypeKind::Single(kind) => format!("a {kind}"),
            jsonschema::error::TypeKind::Multiple(kinds) => format!("a value of {kinds:?}"),
        }],
        _ => choices(error),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(schema: &Value, config: Value) -> String {
        let spec = ComponentSpec { component: "p/c".into(), config };
        let method = crate::request::method::Method::parse(
            "schema = 'molarena.method/1'\nname = 'm'\nfeatures = { kind = 'smiles' }\nbaseline = { component = 'p/c' }",
            std::path::Path::new("m.toml"),
        )
        .unwrap();
        check_config(&method, &spec, schema).unwrap_err().to_string()
    }

    #[test]
    fn messages_name_the_key_and_the_choices() {
        let schema = json!({
            "type": "object",
            "properties": {
                "k": {"type": "integer", "minimum": 1},
                "weights": {"oneOf": [{"const": "similarity"}, {"const": "uniform"}]},
                "share": {"anyOf": [{"enum": ["sqrt", "all"]}, {"type": "number"}, {"type": "null"}]},
            },
            "additionalProperties": false,
        });
        let text = message(&schema, json!({"weights": "heavy"}));
        assert!(text.ends_with("at `/weights`: \"heavy\" is none of: \"similarity\", \"uniform\""), "{text}");
        let text = message(&schema, json!({"share": "some"}));
        assert!(text.contains("is none of: \"sqrt\", \"all\", a number, a null"), "{text}");
        let text = message(&schema, json!({"k": 0}));
        assert!(text.contains("at `/k`: 0 is less than the minimum of 1"), "{text}");
        let text = message(&schema, json!({"kk": 1}));
        assert!(text.contains("'kk'") && text.ends_with("known: k, share, weights"), "{text}");
    }
}
