//! The language, the theme and the zone of a page's reader.

use axum::http::{HeaderMap, header};
use caravana_app::i18n::Lang;
use caravana_app::ports::{LANG_COOKIE, THEME_COOKIE, Theme, ZONE_COOKIE};
use caravana_app::zone::Zone;

use super::cookies::value_of;

/// The reader's preferences, as far as the request shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reader {
    /// The chosen language, else the one that the browser asks for.
    pub(super) lang: Lang,
    /// The chosen theme.
    pub(super) theme: Theme,
    /// The zone that the page's script wrote. It only shows times: nothing that is stored or allowed depends on it.
    pub(super) zone: Option<Zone>,
}

impl Reader {
    /// Reads the preferences from these headers.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let accept = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Self {
            lang: Lang::negotiate(value_of(headers, LANG_COOKIE), accept),
            theme: Theme::from_word(value_of(headers, THEME_COOKIE).unwrap_or_default()),
            zone: value_of(headers, ZONE_COOKIE).and_then(|text| text.parse().ok()),
        }
    }
}
