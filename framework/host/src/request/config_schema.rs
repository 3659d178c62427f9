//! Checks a configuration against its component's JSON Schema, with messages that name the key and its
//! allowed values. The schema is the plugin's, and a small one may take hours: only a worker checks.

use jsonschema::{ValidationError, error::ValidationErrorKind};
use serde_json::Value;

/// Characters kept of a message: it repeats parts of the schema and of the configuration.
const KEPT: usize = 2000;

/// What is wrong with a configuration, with every key at fault, or with `schema` itself, a JSON text. A schema that
/// refers to another document is broken: nothing is fetched.
pub(crate) fn violation(config: &Value, schema: &str) -> Option<String> {
    let broken = |error: &dyn std::fmt::Display| {
        Some(shortened(&format!("the plugin's own schema is broken: {error}")))
    };
    let schema: Value = match serde_json::from_str(schema) {
        Ok(schema) => schema,
        Err(error) => return broken(&error),
    };
    let validator = match jsonschema::validator_for(&schema) {
        Ok(validator) => validator,
        Err(error) => return broken(&error),
    };
    let errors: Vec<String> =
        validator.iter_errors(config).map(|error| shortened(&describe(&error, &schema))).collect();
    if errors.is_empty() { None } else { Some(shortened(&errors.join("; "))) }
}

fn shortened(message: &str) -> String {
    molarena_chem::shorten(message, KEPT, "…").into_owned()
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

    fn message(schema: &Value, config: &Value) -> String {
        violation(config, &schema.to_string()).unwrap()
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
        let text = message(&schema, &json!({"weights": "heavy"}));
        assert!(
            text.starts_with("at `/weights`: \"heavy\" is none of: \"similarity\", \"uniform\""),
            "{text}"
        );
        let text = message(&schema, &json!({"share": "some"}));
        assert!(text.contains("is none of: \"sqrt\", \"all\", a number, a null"), "{text}");
        let text = message(&schema, &json!({"k": 0}));
        assert!(text.contains("at `/k`: 0 is less than the minimum of 1"), "{text}");
        let text = message(&schema, &json!({"kk": 1}));
        assert!(text.contains("'kk'") && text.ends_with("known: k, share, weights"), "{text}");
    }

    #[test]
    fn a_broken_schema_is_named_and_nothing_is_fetched() {
        for (schema, message) in [
            (r#"{"type": "nonsense"}"#.to_owned(), "is not valid under"),
            (r#"{"properties": {"k": {"pattern": "("}}}"#.to_owned(), "regex"),
            (r#"{"$ref": "http://127.0.0.1:9/schema.json"}"#.to_owned(), "127.0.0.1"),
            (r#"{"$ref": "file:///etc/hostname"}"#.to_owned(), "/etc/hostname"),
            (r##"{"$ref": "#/nowhere"}"##.to_owned(), "nowhere"),
            ("[".repeat(200) + &"]".repeat(200), "recursion limit"),
        ] {
            let text = violation(&json!({"k": "v"}), &schema).unwrap();
            assert!(text.starts_with("the plugin's own schema is broken: "), "{text}");
            assert!(text.contains(message), "{text}");
        }
        assert_eq!(violation(&json!({"k": 1}), "{}"), None);
    }

    #[test]
    fn a_message_has_an_end() {
        let schema = json!({"type": "object", "additionalProperties": {"type": "null"}});
        let many: serde_json::Map<String, Value> =
            (0..500).map(|key| (key.to_string(), json!("x"))).collect();
        assert!(message(&schema, &many.into()).chars().count() <= KEPT + 1);
        assert!(message(&schema, &json!({"k": "x".repeat(100_000)})).chars().count() <= KEPT + 1);
    }
}
