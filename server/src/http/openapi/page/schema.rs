//! A schema as text, and as a list of its fields.

use std::fmt::Write as _;

use serde_json::Value;

use super::html::{Text, inline};
use super::text;

const PREFIX: &str = "#/components/schemas/";
/// A longer pattern is not shown, because only programs can use it.
const READABLE_PATTERN: usize = 80;

/// The target of a `$ref`, or the schema itself.
pub(super) fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match text(&schema["$ref"]).strip_prefix(PREFIX) {
        Some(name) => &document["components"]["schemas"][name],
        None => schema,
    }
}

/// A schema in a few words, with its bounds. HTML.
pub(super) fn words(schema: &Value) -> String {
    if let Some(name) = text(&schema["$ref"]).strip_prefix(PREFIX) {
        let name = Text(name);
        return format!("<a href=\"#shape-{name}\">{name}</a>");
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        return choices.iter().map(words).collect::<Vec<_>>().join(" or ");
    }
    if schema["type"] == "array" {
        return format!("list of {}", words(&schema["items"]));
    }
    if let Some(choices) = schema["enum"].as_array() {
        let choices = choices.iter().map(|choice| format!("<code>{}</code>", Text(text(choice))));
        return choices.collect::<Vec<_>>().join(" · ");
    }
    let mut words = vec![kind(schema)];
    words.extend(schema["format"].as_str().map(|format| Text(format).to_string()));
    words.extend(bounds(schema, "minimum", "maximum", ""));
    words.extend(bounds(schema, "minLength", "maxLength", " characters"));
    if let Some(pattern) = schema["pattern"].as_str().filter(|pattern| pattern.len() <= READABLE_PATTERN) {
        words.push(format!("<code>{}</code>", Text(pattern)));
    }
    if !schema["default"].is_null() {
        words.push(format!("default {}", Text(&schema["default"].to_string())));
    }
    words.retain(|word| !word.is_empty());
    words.join(", ")
}

fn kind(schema: &Value) -> String {
    match &schema["type"] {
        Value::String(kind) => Text(kind).to_string(),
        Value::Array(kinds) => kinds.iter().map(|kind| Text(text(kind)).to_string()).collect::<Vec<_>>().join(" or "),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => String::new(),
    }
}

fn bounds(schema: &Value, low: &str, high: &str, unit: &str) -> Option<String> {
    match (schema[low].as_u64(), schema[high].as_u64()) {
        (Some(low), Some(high)) => Some(format!("{low} to {high}{unit}")),
        (Some(low), None) => Some(format!("{low}{unit} or more")),
        (None, Some(high)) => Some(format!("up to {high}{unit}")),
        (None, None) => None,
    }
}

/// A field's description. A field that may be `null` has it next to the reference.
fn about(field: &Value) -> &str {
    let choices = field["oneOf"].as_array().into_iter().flatten();
    std::iter::once(field)
        .chain(choices)
        .map(|schema| text(&schema["description"]))
        .find(|about| !about.is_empty())
        .unwrap_or_default()
}

/// The fields of an object with their descriptions; for any other schema, its text.
pub(super) fn block(page: &mut String, schema: &Value) {
    let about = text(&schema["description"]);
    if !about.is_empty() {
        let _ = write!(page, "<p>{}</p>", inline(about));
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        page.push_str("<p class=\"soft\">One of:</p>");
        for choice in choices {
            fields(page, choice);
        }
    } else if schema["properties"].is_object() {
        fields(page, schema);
    } else {
        let _ = write!(page, "<p>{}</p>", words(schema));
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        let all = words(part);
        if !all.is_empty() {
            let _ = write!(page, "<p>{all}</p>");
        }
        if part["properties"].is_object() {
            fields(page, part);
        }
    }
}

fn fields(page: &mut String, schema: &Value) {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    page.push_str("<dl>");
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let optional = if required.contains(&name.as_str()) { "" } else { " · may be missing" };
        let _ = write!(
            page,
            "<dt><code>{}</code> <span class=\"soft\">{}{optional}</span></dt><dd>{}</dd>",
            Text(name),
            words(field),
            inline(about(field)),
        );
    }
    page.push_str("</dl>");
}
