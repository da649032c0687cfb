//! A second opinion on JSON, got in another way than the strict parser's.
//!
//! serde_json says whether a text is JSON at all and what is left when repeated keys have fallen together; a scanner
//! that knows nothing but quotes counts what was written. Where the two differ, a key stood twice.

use serde_json::Value;

/// Integers from here on do not fit in 64 bits.
const TOO_LARGE: f64 = 18_446_744_073_709_551_616.0;

/// What kind of JSON a text is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shape {
    /// It is JSON with an object outside.
    pub object: bool,
    /// Levels of `{` and `[`.
    pub depth: usize,
    /// A key stands twice in one object.
    pub repeats: bool,
    /// A number that does not fit.
    pub overflows: bool,
}

impl Shape {
    /// Looks at a text. `None` where serde_json's own opinion does not count: it reads a key of its private names as
    /// something else than a key.
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

    /// What a frame must be before anybody looks at what it says.
    #[must_use]
    pub fn is_strict_object(&self, depth: usize) -> bool {
        self.object && self.depth <= depth && !self.repeats && !self.overflows
    }
}

/// The nesting, and the number of entries of all objects: in valid JSON there is one colon for each outside of texts.
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
