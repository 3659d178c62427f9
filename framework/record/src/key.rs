//! Canonical JSON and the keys made from it.

use serde::Serialize;
use serde_json::Value;

/// JSON text with sorted object keys and no spaces, so that equal values give equal text.
pub fn canonical_json(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let body: Vec<String> = entries
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical_json(value)))
                .collect();
            format!("{{{}}}", body.join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical_json).collect::<Vec<_>>().join(","))
        }
        scalar => scalar.to_string(),
    }
}

/// sha256 of the canonical JSON of `parts`, 64 lower-case hex digits.
pub fn key_of(parts: &impl Serialize) -> String {
    let value = serde_json::to_value(parts).expect("keys are made of plain data");
    molarena_data::sha256_hex(canonical_json(&value).as_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn order_of_keys_does_not_matter() {
        let text = canonical_json(&json!({"b": [1, {"d": null, "c": "x\n"}], "a": 0.5}));
        assert_eq!(text, r#"{"a":0.5,"b":[1,{"c":"x\n","d":null}]}"#);
        assert_eq!(key_of(&json!({"a": 1, "b": 2})), key_of(&json!({"b": 2, "a": 1})));
        assert_ne!(key_of(&json!({"a": 1})), key_of(&json!({"a": 1.5})));
    }
}
