//! The HTML document of a refusal, for a person who sees a request's answer as a page.
//!
//! It is independent of the app, because it is shown when a page could not be: it loads only the style sheet and runs
//! no scripts.

use caravana_protocol::ErrorCode;
use leptos::prelude::*;

use crate::components::address::host;
use crate::components::{Brand, EmptyState};
use crate::i18n::{Lang, explain};
use crate::ports::Theme;

/// What the document says.
#[derive(Debug, Clone, Copy)]
pub struct Refusal<'a> {
    /// The reader's language.
    pub lang: Lang,
    /// The reader's theme.
    pub theme: Theme,
    /// Why.
    pub code: ErrorCode,
    /// The site's address, if the document must link to another address than this one; else empty.
    pub site: &'a str,
    /// The path of the style sheet.
    pub style: &'a str,
}

/// The document.
#[must_use]
pub fn document(refusal: &Refusal<'_>) -> String {
    let Refusal { lang, theme, code, site, style } = *refusal;
    let words = lang.words();
    let (title, text) = if code == ErrorCode::NotFound {
        (words.not_found_title, words.not_found_text.to_owned())
    } else {
        (words.error_title, explain(words, Some(code)))
    };
    let (site, style) = (site.to_owned(), style.to_owned());
    let (way, label) = if site.is_empty() {
        ("/".to_owned(), words.go_home.to_owned())
    } else {
        let label = (words.open_site)(host(&site));
        (site, label)
    };
    let render = move || {
        let document = view! {
            <html lang=lang.tag() data-theme=theme.word()>
                <head>
                    <meta charset="utf-8" />
                    <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
                    <meta name="color-scheme" content="light dark" />
                    <title>{format!("{title} · Caravana")}</title>
                    <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                    <link rel="stylesheet" href=style />
                </head>
                <body>
                    <div class="plain">
                        <header class="plain-bar"><Brand /></header>
                        <main class="plain-main" id="content">
                            <EmptyState title text heading=true>
                                <a class="button" href=way>{label}</a>
                            </EmptyState>
                        </main>
                    </div>
                </body>
            </html>
        };
        document.to_html()
    };
    format!("<!DOCTYPE html>{}", Owner::new().with(render))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(lang: Lang, code: ErrorCode, site: &str) -> String {
        document(&Refusal { lang, theme: Theme::Dark, code, site, style: "/pkg/caravana.css" })
    }

    #[test]
    fn a_refusal_is_said_in_the_readers_language_with_a_way_on() {
        let es = page(Lang::Es, ErrorCode::RateLimited, "");
        assert!(es.starts_with("<!DOCTYPE html><html lang=\"es\" data-theme=\"dark\">"), "{es}");
        assert!(es.contains("Demasiados intentos seguidos") && es.contains("href=\"/\""), "{es}");
        let en = page(Lang::En, ErrorCode::Csrf, "https://chat.example.org");
        assert!(en.contains("not at the site’s own address") && en.contains("Open chat.example.org"), "{en}");
        assert!(en.contains("href=\"https://chat.example.org\"") && !en.contains("<script"), "{en}");
    }

    #[test]
    fn every_refusal_has_a_document() {
        for code in ErrorCode::ALL {
            assert!(page(Lang::Es, *code, "").contains("<h1"), "{code}");
        }
    }
}
