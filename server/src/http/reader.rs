//! Who reads a page: in which language, in which light.

use axum::http::{HeaderMap, header};
use caravana_app::i18n::Lang;
use caravana_app::ports::{LANG_COOKIE, THEME_COOKIE, Theme};

use super::cookies::value_of;

/// How somebody reads this site, as far as a request tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reader {
    /// What they chose, else what their browser asks for.
    pub(super) lang: Lang,
    /// What they chose.
    pub(super) theme: Theme,
}

impl Reader {
    /// The reader of what is answered to these headers.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let accept = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Self {
            lang: Lang::negotiate(value_of(headers, LANG_COOKIE), accept),
            theme: Theme::from_word(value_of(headers, THEME_COOKIE).unwrap_or_default()),
        }
    }
}
