//! The document as a page, like Swagger viewers show it, but without JavaScript.
//!
//! Rendered on the server from the document alone, once per process. It loads nothing from other sites and runs no
//! scripts, so its policy can be stricter than that of the chat.

mod html;
mod operation;
mod schema;

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::IntoResponse;
use serde_json::Value;

use super::{DOCUMENT, TAGS};
use html::{Text, paragraphs};

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; manifest-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'; object-src 'none'",
);
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const CSS: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");

static PAGE: LazyLock<String> = LazyLock::new(|| render(&DOCUMENT));

/// GET `/docs/api`.
pub(super) async fn page() -> impl IntoResponse {
    let frame = (HeaderName::from_static("x-frame-options"), HeaderValue::from_static("DENY"));
    let headers =
        [(header::CONTENT_TYPE, HTML), (header::CONTENT_SECURITY_POLICY, POLICY), (header::CACHE_CONTROL, ASK_AGAIN)];
    (headers, [frame], PAGE.as_str())
}

/// GET `/docs/api.css`.
pub(super) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, CSS), (header::CACHE_CONTROL, ASK_AGAIN)], include_str!("page/page.css"))
}

fn render(document: &Value) -> String {
    let mut page = String::with_capacity(128 * 1024);
    let info = &document["info"];
    let (title, version) = (text(&info["title"]), text(&info["version"]));
    let _ = write!(
        page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title} API</title>\
         <link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\"><link rel=\"stylesheet\" href=\"/docs/api.css\">\
         </head><body><a class=\"skip\" href=\"#operations\">Skip to the operations</a>\
         <header><h1>{title} <small>API {version}</small></h1>{about}\
         <p><a href=\"/openapi.json\">openapi.json</a> · OpenAPI {openapi}</p></header>",
        title = Text(title),
        version = Text(version),
        about = paragraphs(text(&info["description"])),
        openapi = Text(text(&document["openapi"])),
    );
    let operations = operation::all(document);
    contents(&mut page, &operations);
    page.push_str("<main id=\"operations\">");
    for (tag, about) in TAGS {
        let _ = write!(page, "<section id=\"{tag}\"><h2>{tag}</h2><p>{}</p>", html::inline(about));
        operations.iter().filter(|operation| operation.tag == tag).for_each(|operation| operation.render(&mut page));
        page.push_str("</section>");
    }
    schemas(&mut page, document);
    page.push_str("</main></body></html>\n");
    page
}

fn contents(page: &mut String, operations: &[operation::Operation<'_>]) {
    page.push_str("<nav aria-label=\"Operations\">");
    for (tag, _) in TAGS {
        let _ = write!(page, "<p><a href=\"#{tag}\"><b>{tag}</b></a></p><ul>");
        for operation in operations.iter().filter(|operation| operation.tag == tag) {
            let (id, method, path) = (Text(operation.id), Text(operation.method), Text(operation.path));
            let _ = write!(page, "<li><a href=\"#{id}\"><b class=\"{method}\">{method}</b> {path}</a></li>");
        }
        page.push_str("</ul>");
    }
    page.push_str("<p><a href=\"#schemas\"><b>shapes</b></a></p></nav>");
}

fn schemas(page: &mut String, document: &Value) {
    page.push_str("<section id=\"schemas\"><h2>shapes</h2>");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let name = Text(name);
        let _ = write!(page, "<article id=\"shape-{name}\"><h3>{name}</h3>");
        schema::block(page, schema);
        page.push_str("</article>");
    }
    page.push_str("</section>");
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_and_every_shape_has_its_place() {
        let page = render(&DOCUMENT);
        for operation in operation::all(&DOCUMENT) {
            assert!(page.contains(&format!("<div id=\"{}\"", operation.id)), "{}", operation.id);
        }
        for name in DOCUMENT["components"]["schemas"].as_object().unwrap().keys() {
            assert!(page.contains(&format!("id=\"shape-{name}\"")), "{name}");
        }
        for link in page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(page.contains(&format!("id=\"{link}\"")), "#{link} leads nowhere");
        }
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere_and_nothing_runs() {
        let page = render(&DOCUMENT).to_lowercase();
        for forbidden in ["<script", "<style", " style=", "src=", "http://", "https://", "javascript:", " on"] {
            let found =
                page.find(forbidden).map(|at| page[at.saturating_sub(40)..].chars().take(80).collect::<String>());
            let is_word = forbidden == " on" && !page.contains("onclick") && !page.contains("onload");
            assert!(found.is_none() || is_word, "{forbidden}: {found:?}");
        }
    }
}
