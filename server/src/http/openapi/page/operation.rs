//! One operation: its parameters and its answers.

use std::fmt::Write as _;

use serde_json::Value;

use super::html::{Text, inline, paragraphs};
use super::{schema, text};

/// One method of one path.
pub(super) struct Operation<'a> {
    pub(super) id: &'a str,
    pub(super) tag: &'a str,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    /// Its description in the document.
    about: &'a Value,
    document: &'a Value,
}

/// All operations, in the document's order.
pub(super) fn all(document: &Value) -> Vec<Operation<'_>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, item)| {
            item.as_object().into_iter().flatten().map(move |(method, about)| (path, method, about))
        })
        .map(|(path, method, about)| Operation {
            id: text(&about["operationId"]),
            tag: text(&about["tags"][0]),
            method,
            path,
            about,
            document,
        })
        .collect()
}

impl Operation<'_> {
    /// The anchor is inside the folded part, because browsers unfold the target of a link.
    pub(super) fn render(&self, page: &mut String) {
        let (id, method, path) = (Text(self.id), Text(self.method), Text(self.path));
        let _ = write!(
            page,
            "<article><details><summary><b class=\"{method}\">{method}</b> <code>{path}</code> <span>{}</span></summary>\
             <div id=\"{id}\">{}<p class=\"soft\">{}</p>",
            inline(text(&self.about["summary"])),
            paragraphs(text(&self.about["description"])),
            self.proofs(),
        );
        self.parameters(page);
        self.body(page);
        self.answers(page);
        page.push_str("</div></details></article>");
    }

    fn proofs(&self) -> String {
        let own = &self.about["security"];
        let ways = if own.is_null() { &self.document["security"] } else { own };
        let ways: Vec<&str> = ways
            .as_array()
            .into_iter()
            .flatten()
            .map(|way| way.as_object().and_then(|way| way.keys().next()).map_or("nothing", String::as_str))
            .collect();
        format!("Proof of who asks: {}", ways.join(", or "))
    }

    fn parameters(&self, page: &mut String) {
        let Some(parameters) = self.about["parameters"].as_array() else { return };
        page.push_str("<h4>Parameters</h4><dl>");
        for parameter in parameters {
            let _ = write!(
                page,
                "<dt><code>{}</code> <span class=\"soft\">{} · {}</span></dt><dd>{}</dd>",
                Text(text(&parameter["name"])),
                Text(text(&parameter["in"])),
                schema::words(&parameter["schema"]),
                inline(text(&parameter["description"])),
            );
        }
        page.push_str("</dl>");
    }

    fn body(&self, page: &mut String) {
        let content = &self.about["requestBody"]["content"]["application/json"];
        if content.is_null() {
            return;
        }
        let required = self.about["requestBody"]["required"] == true;
        let note = if required { "" } else { " <span class=\"soft\">may be left out</span>" };
        let shape = schema::words(&content["schema"]);
        let _ = write!(page, "<h4>Body{note}</h4><p>{shape}</p>");
        schema::block(page, schema::resolve(self.document, &content["schema"]));
    }

    fn answers(&self, page: &mut String) {
        page.push_str("<h4>Answers</h4><dl>");
        for (status, answer) in self.about["responses"].as_object().into_iter().flatten() {
            let class = status.chars().next().unwrap_or('x');
            let shape = &answer["content"]["application/json"]["schema"];
            let shape = if shape["allOf"].is_array() { String::new() } else { schema::words(shape) };
            let headers = answer["headers"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
            let headers: Vec<String> = headers.map(|name| format!("<code>{}</code>", Text(name))).collect();
            let headers = if headers.is_empty() { String::new() } else { format!(" · header {}", headers.join(", ")) };
            let about = inline(text(&answer["description"]));
            let status = Text(status);
            let _ = write!(
                page,
                "<dt><b class=\"s{class}\">{status}</b></dt><dd>{about} <span class=\"soft\">{shape}{headers}</span></dd>"
            );
        }
        page.push_str("</dl>");
    }
}
