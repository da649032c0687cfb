//! What the reader's device knows and can do.

use std::pin::Pin;

use caravana_app::i18n::Lang;
use caravana_app::ports::{Device, Heard, LANG_COOKIE, Menu, Pane, Scroller, THEME_COOKIE, Theme};
use caravana_protocol::{GroupId, NormalForms, UserId};
use js_sys::JsString;
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ClipboardEvent, HtmlDocument};

use crate::belongings;
use crate::menu;
use crate::pane::LaidOut;
use crate::storage::{draft_key, storage};
use crate::translation;

/// How long a choice is remembered: a year, in seconds.
const REMEMBERED: u32 = 31_536_000;

/// The page and the device it is shown on.
pub(crate) struct Page;

/// The `<html>` element.
pub(crate) fn root() -> Option<web_sys::Element> {
    web_sys::window()?.document()?.document_element()
}

/// The path of this page's address.
pub(crate) fn path() -> String {
    web_sys::window().and_then(|window| window.location().pathname().ok()).unwrap_or_default()
}

fn utc_offset(at: i64) -> i32 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are exact in a double for 285,000 years")]
    let date = js_sys::Date::new(&JsValue::from_f64(at as f64));
    // JavaScript counts west of UTC; an invalid date gives NaN, which becomes 0.
    #[expect(clippy::cast_possible_truncation, reason = "an offset is less than a day")]
    let minutes = -date.get_timezone_offset() as i32;
    minutes
}

fn remember(name: &str, value: &str) {
    let document = web_sys::window().and_then(|window| window.document()).and_then(|document| document.dyn_into().ok());
    let document: Option<HtmlDocument> = document;
    if let Some(document) = document {
        // A reader may block cookies; then the choice lasts as long as the page.
        let _ = document.set_cookie(&format!("{name}={value}; Path=/; Max-Age={REMEMBERED}; SameSite=Lax"));
    }
}

impl NormalForms for Page {
    fn nfc(&self, text: &str) -> String {
        JsString::from(text).normalize("NFC").into()
    }

    fn nfkc(&self, text: &str) -> String {
        JsString::from(text).normalize("NFKC").into()
    }
}

impl Device for Page {
    fn now_millis(&self) -> i64 {
        caravana_browser::now_millis()
    }

    fn utc_offset(&self) -> fn(i64) -> i32 {
        utc_offset
    }

    fn visit(&self, path: &str) {
        if let Some(window) = web_sys::window() {
            // If the browser refuses to navigate, the page stays as it is, which the reader sees.
            let _ = window.location().assign(path);
        }
    }

    fn reload(&self) {
        if let Some(window) = web_sys::window() {
            let _ = window.location().reload();
        }
    }

    fn copy(&self, text: String) -> Pin<Box<dyn Future<Output = bool> + Send>> {
        Box::pin(SendWrapper::new(async move {
            // A page without TLS has no clipboard.
            let secure = web_sys::window().filter(web_sys::Window::is_secure_context);
            match secure {
                Some(window) => JsFuture::from(window.navigator().clipboard().write_text(&text)).await.is_ok(),
                None => false,
            }
        }))
    }

    fn remember_lang(&self, lang: Lang) {
        remember(LANG_COOKIE, lang.tag());
    }

    fn remember_theme(&self, theme: Theme) {
        remember(THEME_COOKIE, theme.word());
        if let Some(root) = root() {
            let _ = root.set_attribute("data-theme", theme.word());
        }
    }

    fn touch(&self) -> bool {
        let query = web_sys::window().and_then(|window| window.match_media("(pointer: coarse)").ok().flatten());
        query.is_some_and(|query| query.matches())
    }

    fn untranslate(&self, element: &web_sys::Element) {
        translation::give_way_in(element);
    }

    fn visible(&self) -> bool {
        let document = web_sys::window().and_then(|window| window.document());
        document.is_none_or(|document| document.visibility_state() == web_sys::VisibilityState::Visible)
    }

    fn elsewhere(&self) -> Option<String> {
        let addresses = root()?.get_attribute("data-site")?;
        let location = web_sys::window()?.location();
        let (here, path) = (location.origin().ok()?, location.pathname().ok()?);
        let is_home = addresses.split(' ').any(|address| address == here);
        let right = addresses.split(' ').next().filter(|first| !first.is_empty() && !is_home)?;
        Some(format!("{right}{path}"))
    }

    fn arrive(&self, user: UserId) {
        belongings::arrive(user);
    }

    fn unsent(&self, user: UserId) -> usize {
        belongings::unsent(user)
    }

    fn depart(&self, path: &str) {
        belongings::depart(path);
    }

    fn draft(&self, user: UserId, group: GroupId) -> Option<String> {
        storage()?.get_item(&draft_key(user, group)).ok()?
    }

    fn keep_draft(&self, user: UserId, group: GroupId, text: &str) {
        let Some(storage) = storage().filter(|_| belongings::may_keep(user)) else { return };
        // If the storage is full, only the draft is lost, at the next reload.
        let _ = if text.is_empty() {
            storage.remove_item(&draft_key(user, group))
        } else {
            storage.set_item(&draft_key(user, group), text)
        };
    }

    fn long_paste(&self, paste: &ClipboardEvent, units: usize) -> Option<String> {
        let text = paste.clipboard_data()?.get_data("text/plain").ok()?;
        text.encode_utf16().nth(units).is_some().then_some(text)
    }

    fn close_when_done(&self, menu: Menu) -> Box<dyn FnOnce() + Send + Sync> {
        menu::close_when_done(menu)
    }

    fn pane(&self, scroller: Scroller, happened: Heard) -> Box<dyn Pane> {
        Box::new(LaidOut::new(scroller, happened))
    }
}
