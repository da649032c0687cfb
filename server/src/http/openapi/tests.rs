//! Compares the document with the router, and checks it for consistency.

use std::collections::BTreeSet;

use super::super::{all_routes, for_browsers, nothing_here};
use super::*;

/// The paths that a router serves. axum shows them only in its debug output. If that output changes, the first
/// assertion below finds nothing and fails.
fn paths_of<S>(router: &Router<S>) -> BTreeSet<String> {
    let text = format!("{router:?}");
    // After them come the fallbacks, which have paths of their own.
    let own = text.split("fallback_router:").next().unwrap_or_default();
    let names = own.split("RouteId(").skip(1).filter_map(|entry| entry.split_once("): \"")?.1.split('"').next());
    names.filter(|path| !path.contains("__private")).map(str::to_owned).collect()
}

#[test]
fn every_route_is_described_or_is_for_browsers() {
    let served = paths_of(&all_routes().0);
    assert!(served.contains("/api/v1/groups/{group_id}"), "axum's debug form has changed: {served:?}");
    let described: BTreeSet<String> = DOCUMENT["paths"].as_object().unwrap().keys().cloned().collect();
    let for_browsers = &paths_of(&for_browsers()) | &paths_of(&nothing_here());
    let undescribed: BTreeSet<String> = &for_browsers | &paths_of(&pages());
    assert_eq!(served, &described | &undescribed, "left: what is served; right: what is described or for browsers");
    assert!(described.is_disjoint(&undescribed));
}

/// Every operation with its method and path.
fn operations() -> Vec<(String, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, operation)| (format!("{method} {path}"), operation))
        })
        .collect()
}

#[test]
fn every_operation_says_what_a_client_needs() {
    assert!(DOCUMENT["openapi"].as_str().unwrap().starts_with("3.1"), "{}", DOCUMENT["openapi"]);
    let mut ids = BTreeSet::new();
    for (name, operation) in operations() {
        assert!(!operation["summary"].as_str().unwrap_or("").is_empty(), "{name} has no summary");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{name}: its id is taken");
        let tag = operation["tags"][0].as_str().unwrap();
        assert!(TAGS.iter().any(|(known, _)| *known == tag), "{name}: tag {tag}");
        assert!(operation.get("x-refusals").is_none(), "{name}: its refusals were not written out");
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(!response["description"].as_str().unwrap_or("").is_empty(), "{name} {status}");
            let has_body = !response["content"]["application/json"]["schema"].is_null();
            assert_eq!(has_body, status != "204", "{name} {status}");
            assert_eq!(response["headers"]["Retry-After"]["required"] == true, status == "429", "{name} {status}");
        }
        for variable in name.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()) {
            let known = operation["parameters"].as_array().into_iter().flatten();
            let known: Vec<&Value> = known.filter(|parameter| parameter["name"] == variable).collect();
            assert!(known.len() == 1 && known[0]["in"] == "path" && known[0]["required"] == true, "{name}: {variable}");
        }
    }
}

#[test]
fn every_named_refusal_is_a_code() {
    let words = |path: &str| format!("{path}: not a code");
    for (path, item) in serde_json::to_value(all_routes().1).unwrap()["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            let named = operation["x-refusals"].as_array().into_iter().flatten();
            named.for_each(|word| assert!(ErrorCode::from_word(word.as_str().unwrap()).is_some(), "{}", words(path)));
        }
    }
}

#[test]
fn every_shape_that_is_named_is_there() {
    fn names(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|value| names(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| names(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = BTreeSet::new();
    names(&DOCUMENT, &mut found);
    assert!(found.len() > 10, "{found:?}");
    for name in found {
        assert!(DOCUMENT.pointer(name.trim_start_matches('#')).is_some(), "{name} is not in the document");
    }
}
