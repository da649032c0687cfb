//! A second, independent check of JSON, for comparison with the strict parser.
//!
//! serde_json tells whether a text is JSON, and how many entries remain after repeated keys are merged. A scanner that
//! only understands quotes counts the entries as written. If the two numbers differ, a key was repeated.

use serde_json::Value;

/// The first integer that does not fit in 64 bits.
const TOO_LARGE: f64 = 18_446_744_073_709_551_616.0;

/// The properties of a JSON text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shape {
    /// Whether it is JSON whose outermost value is an object.
    pub object: bool,
    /// The depth of nested `{` and `[`.
    pub depth: usize,
    /// Whether an object has the same key twice.
    pub repeats: bool,
    /// Whether a number does not fit in 64 bits.
    pub overflows: bool,
}

impl Shape {
    /// Examines a text. `None` where serde_json's result can't be used, because it treats its private key names as
    /// something else than keys.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        if text.contains("$serde_json::private") {
            return None;
        }
        let Ok(value) = serde_json::from_str::<Value>(text) else { return Some(Self::default()) };
        let (depth, written) = scan(text);
        let (repeats, overflows) = (entries(&value) != written, overflows(&value));
        Some(Self { object: value.is_object(), depth, repeats, overflows })
    }

    /// Whether the text may be a frame, independent of its content.
    #[must_use]
    pub fn is_strict_object(&self, depth: usize) -> bool {
        self.object && self.depth <= depth && !self.repeats && !self.overflows
    }
}

/// The depth, and the number of entries of all objects: valid JSON has one colon outside of strings for each entry.
fn scan(text: &str) -> (usize, usize) {
    let (mut depth, mut deepest, mut colons) = (0_usize, 0, 0);
    let mut in_text = false;
    let mut escaped = false;
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth -= 1,
            b':' => colons += 1,
            _ => {}
        }
    }
    (deepest, colons)
}

fn entries(value: &Value) -> usize {
    match value {
        Value::Object(object) => object.len() + object.values().map(entries).sum::<usize>(),
        Value::Array(items) => items.iter().map(entries).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn overflows(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.values().any(overflows),
        Value::Array(items) => items.iter().any(overflows),
        Value::Number(number) => !number.is_u64() && number.as_f64().is_some_and(|number| number.abs() >= TOO_LARGE),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_seen() {
        let plain = Shape { object: true, depth: 2, ..Shape::default() };
        assert_eq!(Shape::of(r#"{"a":[1],"b\"{":":["}"#), Some(plain));
        assert_eq!(Shape::of(r#"{"a":{"b":1,"\u0062":2}}"#), Some(Shape { repeats: true, ..plain }));
        assert_eq!(Shape::of(r#"{"a":[18446744073709551616]}"#), Some(Shape { overflows: true, ..plain }));
        assert_eq!(Shape::of(r#"{"a":[18446744073709551615,-1]}"#), Some(plain));
        assert_eq!(Shape::of(r#"{"a":1} x"#), Some(Shape::default()));
        assert_eq!(Shape::of("[]"), Some(Shape { depth: 1, ..Shape::default() }));
    }
}
