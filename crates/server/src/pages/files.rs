//! Files of the pages, the health of the server, and the API description.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    context::{Context, Failure, Outcome},
    credentials::hex,
    http::{Method, Reply},
    routes::{Audit, Keep, ROUTES, Rate, Right},
};

/// Name, kind and content of each file.
const FILES: &[(&str, &str, &[u8])] = &[
    ("pages.css", "text/css; charset=utf-8", include_bytes!("../../assets/pages.css")),
    ("pages.js", "text/javascript; charset=utf-8", include_bytes!("../../assets/pages.js")),
    #[cfg(feature = "passkeys")]
    ("passkeys.js", "text/javascript; charset=utf-8", include_bytes!("../../assets/passkeys.js")),
    ("htmx.min.js", "text/javascript; charset=utf-8", include_bytes!("../../assets/htmx.min.js")),
    ("icon.svg", "image/svg+xml", include_bytes!("../../assets/icon.svg")),
];

static ADDRESSES: LazyLock<Vec<(&'static str, String)>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|(name, _, content)| (*name, format!("/static/{name}?{}", &hex(&Sha256::digest(content))[..12])))
        .collect()
});

/// Returns the address of a file, which changes with its content.
pub fn address(name: &str) -> String {
    ADDRESSES
        .iter()
        .find(|(known, _)| *known == name)
        .map_or_else(String::new, |(_, address)| address.clone())
}

/// A file.
pub fn show(context: &Context<'_>) -> Outcome {
    let (_, kind, content) =
        FILES.iter().find(|(name, _, _)| *name == context.request.param("file")).ok_or(Failure::NotFound)?;
    Ok(Reply::of(200, kind, content.to_vec()))
}

/// One line for a watchdog: whether every study can write.
pub fn health(context: &Context<'_>) -> Outcome {
    let troubled = context.house.studies.values().any(|running| running.trouble().is_some());
    let (status, text) = if troubled { (503, "read-only\n") } else { (200, "ok\n") };
    Ok(Reply::of(status, "text/plain; charset=utf-8", text.as_bytes().to_vec()))
}

/// The route table as an OpenAPI 3.1 description.
pub fn openapi(_: &Context<'_>) -> Outcome {
    let text =
        serde_json::to_vec_pretty(&description()).map_err(|error| Failure::Broken(error.to_string()))?;
    Ok(Reply::of(200, "application/json", text))
}

/// Describes the routes.
pub fn description() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let parameters: Vec<Value> = route
            .path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
            .collect();
        let mut operation = json!({
            "summary": route.does,
            "parameters": parameters,
            "responses": { "default": { "description": "A page; 404 for whatever the role may not know of" } },
            "x-right": match route.right {
                Right::Anyone => "anyone".to_owned(),
                Right::Arriving => "half logged in".to_owned(),
                Right::Account => "logged in".to_owned(),
                Right::Administrator => "administrator".to_owned(),
                Right::Seat(needs) => format!("a role in the study{}", needs.iter().map(|need| format!("; {need:?}")).collect::<String>()),
            },
            "x-audit": match route.audit {
                Audit::Nothing => "nothing",
                Audit::AccountLog => "account log",
                Audit::Reading => "log of readings",
                Audit::Record => "record of the study",
            },
            "x-keep": match route.keep { Keep::Never => "no-store", Keep::Always => "immutable" },
            "x-rate": match route.rate { Rate::Files => "files", Rate::Pages => "pages", Rate::Secrets => "secrets" },
        });
        let method = match route.method {
            Method::Get => "get",
            Method::Post => {
                operation["requestBody"] = json!({
                    "content": { "application/x-www-form-urlencoded": { "schema": { "type": "object" } } }
                });
                "post"
            }
        };
        paths.entry(route.path).or_insert_with(|| json!({}))[method] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Equipoise", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendored_files_are_the_ones_of_the_manifest() {
        let manifest: Value = serde_json::from_str(include_str!("../../assets/vendored.json")).unwrap();
        for entry in manifest.as_array().unwrap() {
            let name = entry["file"].as_str().unwrap();
            let (_, _, content) = FILES.iter().find(|(known, _, _)| *known == name).expect(name);
            assert_eq!(entry["sha256"], hex(&Sha256::digest(content)), "{name}");
            for field in ["version", "licence", "from"] {
                assert!(entry[field].as_str().is_some_and(|text| !text.is_empty()), "{name}: {field}");
            }
        }
    }

    #[test]
    fn the_description_holds_every_route_once() {
        let description = description();
        let described: usize = description["paths"]
            .as_object()
            .unwrap()
            .values()
            .map(|path| path.as_object().unwrap().len())
            .sum();
        assert_eq!(described, ROUTES.len());
    }
}
