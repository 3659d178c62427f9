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

/// Most schemas looked at for one configuration: a schema of a plugin may refer to itself.
const MOST_SCHEMAS: usize = 10_000;
/// Largest whole number that each 64-bit float below it has, 2^53.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Writes whole numbers as integers where the schema takes integers, but no other numbers. For JSON Schema 10.0 is an
/// integer; readers of configurations refuse it, and 1e1 and 10 would be two methods.
pub(crate) fn with_integers(config: &mut Value, schema: &Value) {
    let mut left = MOST_SCHEMAS;
    settle(config, &[schema], schema, &mut left);
}

fn settle(value: &mut Value, schemas: &[&Value], root: &Value, left: &mut usize) {
    let branches = branches(schemas, root, left);
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let named = branches
                    .iter()
                    .map(|schema| schema["properties"].get(key).unwrap_or(&schema["additionalProperties"]));
                settle(member, &named.collect::<Vec<_>>(), root, left);
            }
        }
        Value::Array(items) => {
            let schemas: Vec<&Value> = branches.iter().map(|schema| &schema["items"]).collect();
            for item in items {
                settle(item, &schemas, root, left);
            }
        }
        Value::Number(number) if takes(&branches, "integer") && !takes(&branches, "number") => {
            let whole = number.as_f64().filter(|_| number.is_f64());
            if let Some(whole) = whole.filter(|whole| whole.fract() == 0.0 && whole.abs() < LARGEST_WHOLE) {
                *value = (whole as i64).into();
            }
        }
        _ => {}
    }
}

/// Whether one of the schemas has the type.
fn takes(branches: &[&Value], name: &str) -> bool {
    let named = |kind: &Value| {
        kind == name || kind.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == name))
    };
    branches.iter().any(|schema| named(&schema["type"]))
}

/// The schemas, with those that they refer to and choose from.
fn branches<'a>(schemas: &[&'a Value], root: &'a Value, left: &mut usize) -> Vec<&'a Value> {
    let mut waiting: Vec<&Value> = schemas.to_vec();
    let mut branches = Vec::new();
    while let Some(schema) = waiting.pop()
        && *left > 0
    {
        *left -= 1;
        let referred = schema["$ref"].as_str().and_then(|place| root.pointer(place.strip_prefix('#')?));
        waiting.extend(referred);
        for choices in ["anyOf", "oneOf", "allOf"] {
            waiting.extend(schema[choices].as_array().into_iter().flatten());
        }
        branches.push(schema);
    }
    branches
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
    fn whole_numbers_are_integers_where_the_schema_wants_integers() {
        let schema = json!({
            "properties": {
                "trees": {"type": "integer", "minimum": 0},
                "depth": {"type": ["integer", "null"]},
                "share": {"type": "number"},
                "either": {"anyOf": [{"type": "integer"}, {"type": "number"}]},
                "inner": {"$ref": "#/$defs/Inner"},
            },
            "$defs": {
                "Inner": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/Widths"}]},
                "Widths": {"properties": {"widths": {"items": {"type": "integer"}}}},
                "Loop": {"$ref": "#/$defs/Loop"},
            },
        });
        let settled = |mut config: Value| {
            with_integers(&mut config, &schema);
            config.to_string()
        };
        assert_eq!(settled(json!({"trees": 1e1, "depth": -3.0})), r#"{"depth":-3,"trees":10}"#);
        assert_eq!(
            settled(json!({"share": 1.0, "either": 2.0, "other": 3.0})),
            r#"{"either":2.0,"other":3.0,"share":1.0}"#
        );
        assert_eq!(settled(json!({"inner": {"widths": [1.0, 2.5, 3]}})), r#"{"inner":{"widths":[1,2.5,3]}}"#);
        assert_eq!(settled(json!({"trees": 1e30})), r#"{"trees":1e+30}"#);
        let mut config = json!({"a": 1.0});
        with_integers(&mut config, &json!({"properties": {"a": {"$ref": "#/properties/a"}}}));
        assert_eq!(config, json!({"a": 1.0}));
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
