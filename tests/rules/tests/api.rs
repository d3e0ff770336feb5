//! The API's description against the routes that are served: the same methods and paths, no more and no fewer.

use std::collections::BTreeSet;

use r3e_rules::read;
use serde_json::Value;

const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

#[test]
fn every_route_is_described() {
    let served = routes(&read("enclave/src/router/mod.rs"));
    assert!(served.len() > 10, "the routes were not found: {served:?}");
    let described = described(&read("enclave/src/router/openapi.json"));
    let missing: Vec<_> = served.difference(&described).collect();
    let extra: Vec<_> = described.difference(&served).collect();
    assert!(missing.is_empty(), "served, but not described: {missing:?}");
    assert!(extra.is_empty(), "described, but not served: {extra:?}");
}

#[test]
fn the_reader_of_routes_sees_every_form() {
    let source = r#"
        .route("/a", get(h::one).post(h::two))
        .route(
            "/b/{id}",
            axum::routing::delete(h::three),
        )
    "#;
    let expected = [("delete", "/b/{id}"), ("get", "/a"), ("post", "/a")];
    let expected: BTreeSet<_> = expected.map(|(method, path)| (method.to_owned(), path.to_owned())).into();
    assert_eq!(routes(source), expected);
}

/// Method and path of each `.route("path", get(…).post(…))`.
fn routes(source: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for call in source.split(".route(").skip(1) {
        let Some((_, rest)) = call.split_once('"') else { continue };
        let Some((path, handlers)) = rest.split_once('"') else { continue };
        let handlers = balanced(handlers);
        for method in METHODS {
            let stands_free =
                |at: usize| !handlers[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if handlers.match_indices(&format!("{method}(")).any(|(at, _)| stands_free(at)) {
                found.insert((method.to_owned(), path.to_owned()));
            }
        }
    }
    found
}

/// The text up to the bracket that closes the call.
fn balanced(text: &str) -> &str {
    let mut depth = 1;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

/// Method and path of each operation in the API description.
fn described(json: &str) -> BTreeSet<(String, String)> {
    let description: Value = serde_json::from_str(json).unwrap_or_default();
    let mut found = BTreeSet::new();
    for (path, methods) in description["paths"].as_object().into_iter().flatten() {
        let methods = methods.as_object().into_iter().flatten().map(|(method, _)| method);
        for method in methods.filter(|method| METHODS.contains(&method.as_str())) {
            found.insert((method.clone(), path.clone()));
        }
    }
    found
}
