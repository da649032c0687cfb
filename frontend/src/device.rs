//! What the reader's device knows and can do.

use std::collections::HashMap;
use std::pin::Pin;

use caravana_app::i18n::Lang;
use caravana_app::ports::{
    Device, Heard, Kept, LANG_COOKIE, Menu, Modal, Notice, NoticesAre, Pane, RowHeard, Scroller, THEME_COOKIE, Theme,
};
use caravana_protocol::{GroupId, NormalForms, UserId};
use js_sys::{Function, JsString, Object, Reflect};
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    ClipboardEvent, HtmlDocument, HtmlElement, Navigator, Response, ScrollIntoViewOptions, ScrollLogicalPosition,
};

use crate::belongings;
use crate::menu;
use crate::pane::LaidOut;
use crate::rows;
use crate::storage::{self, draft_key, kept_key, storage};
use crate::{notices, translation, zones};

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

/// Whether the address has left the page that the server rendered: after a reload, Back changes only the address, and
/// nothing listens until the page is taken over.
pub(crate) fn is_elsewhere() -> bool {
    root().and_then(|root| root.get_attribute("data-path")).is_some_and(|rendered| rendered != path())
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

/// The browser's own sheet for sharing; only some have one, and only on secure pages.
fn share_sheet() -> Option<(Navigator, Function)> {
    let navigator = web_sys::window()?.navigator();
    let share = Reflect::get(&navigator, &"share".into()).ok()?.dyn_into().ok()?;
    Some((navigator, share))
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

    fn can_share(&self) -> bool {
        share_sheet().is_some()
    }

    fn share(&self, url: &str) {
        let Some((navigator, share)) = share_sheet() else { return };
        let what = Object::new();
        if Reflect::set(&what, &"url".into(), &url.into()).is_ok()
            && let Ok(shared) = share.call1(&navigator, &what)
        {
            // It fails if the reader closes the sheet.
            let shared = JsFuture::from(js_sys::Promise::resolve(&shared));
            wasm_bindgen_futures::spawn_local(async move { drop(shared.await) });
        }
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

    fn clock_in(&self, zone: &str) -> Option<String> {
        zones::clock(zone)
    }

    fn zones(&self) -> (Option<String>, Vec<String>) {
        (zones::own(), zones::all())
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

    fn drafts(&self, user: UserId) -> HashMap<GroupId, String> {
        storage().map(|storage| storage::drafts(&storage, user)).unwrap_or_default()
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

    fn rows(&self, scroller: &Scroller, heard: RowHeard) -> Box<dyn FnOnce() + Send + Sync> {
        rows::listen(scroller, heard)
    }

    fn show_modal(&self, dialog: &Modal) {
        // If a browser refuses a modal dialog, it is shown in place.
        if !dialog.open() && dialog.show_modal().is_err() {
            dialog.show();
        }
    }

    fn step_focus(&self, within: &Scroller, by: i32) {
        let Ok(buttons) = within.query_selector_all("button") else { return };
        let buttons: Vec<HtmlElement> =
            (0..buttons.length()).filter_map(|number| buttons.item(number)?.dyn_into().ok()).collect();
        let focused = web_sys::window().and_then(|window| window.document()?.active_element());
        let now = buttons.iter().position(|button| button.is_same_node(focused.as_deref()));
        let count = buttons.len();
        let next = match (now, by > 0) {
            (None, true) => 0,
            (None, false) => count.saturating_sub(1),
            (Some(now), true) => (now + 1) % count,
            (Some(now), false) => (now + count - 1) % count,
        };
        if let Some(button) = buttons.get(next) {
            let _ = button.focus();
        }
    }

    fn text(&self, path: &'static str) -> Pin<Box<dyn Future<Output = Option<String>> + Send>> {
        Box::pin(SendWrapper::new(async move {
            let response = JsFuture::from(web_sys::window()?.fetch_with_str(path)).await.ok()?;
            let response: Response = response.dyn_into().ok()?;
            let text = response.ok().then(|| response.text().ok())??;
            JsFuture::from(text).await.ok()?.as_string()
        }))
    }

    fn kept(&self, user: UserId, what: Kept) -> Option<String> {
        storage()?.get_item(&kept_key(user, what)).ok()?
    }

    fn keep(&self, user: UserId, what: Kept, text: &str) {
        if let Some(storage) = storage().filter(|_| belongings::may_keep(user)) {
            // If the storage is full, the choice lasts as long as the page.
            let _ = storage.set_item(&kept_key(user, what), text);
        }
    }

    fn reveal(&self, id: &str) {
        let element = web_sys::window().and_then(|window| window.document()?.get_element_by_id(id));
        if let Some(element) = element {
            let how = ScrollIntoViewOptions::new();
            how.set_block(ScrollLogicalPosition::Nearest);
            element.scroll_into_view_with_scroll_into_view_options(&how);
        }
    }

    fn notices(&self) -> NoticesAre {
        notices::state()
    }

    fn ask_notices(&self) -> Pin<Box<dyn Future<Output = NoticesAre> + Send>> {
        Box::pin(SendWrapper::new(notices::ask()))
    }

    fn notify(&self, notice: &Notice) {
        notices::show(notice);
    }

    fn end_notice(&self, tag: &str) {
        notices::end(tag);
    }

    fn show_unread(&self, unread: u64) {
        notices::count(unread);
    }

    fn wide(&self) -> bool {
        // The style sheet has the same width.
        let query = web_sys::window().and_then(|window| window.match_media("(min-width: 1100px)").ok().flatten());
        query.is_some_and(|query| query.matches())
    }

    fn in_dialog(&self) -> bool {
        let document = web_sys::window().and_then(|window| window.document());
        document.is_some_and(|document| document.query_selector("dialog:modal").ok().flatten().is_some())
    }

    fn take_focus(&self) -> Box<dyn FnOnce() + Send + Sync> {
        let focused = web_sys::window().and_then(|window| window.document()?.active_element());
        let focused = focused.and_then(|element| element.dyn_into::<HtmlElement>().ok());
        if let Some(element) = &focused {
            // This and `focus` below fail only for elements that are not in the document.
            let _ = element.blur();
        }
        let focused = SendWrapper::new(focused);
        Box::new(move || {
            if let Some(element) = focused.take() {
                let _ = element.focus();
            }
        })
    }

    fn is_busy(&self) -> bool {
        let document = web_sys::window().and_then(|window| window.document());
        let focused = document.and_then(|document| document.active_element());
        focused.is_some_and(|focused| !matches!(focused.tag_name().as_str(), "BODY" | "A"))
    }

    fn focus_beside(&self) {
        let focused = web_sys::window().and_then(|window| window.document()?.active_element());
        let item = focused.and_then(|focused| focused.closest("li").ok().flatten());
        let beside = item.and_then(|item| item.next_element_sibling().or_else(|| item.previous_element_sibling()));
        let first = beside.and_then(|beside| beside.query_selector("a, button").ok().flatten());
        if let Some(first) = first.and_then(|first| first.dyn_into::<HtmlElement>().ok()) {
            let _ = first.focus();
        }
    }

    fn skip(&self) {
        let Some(document) = web_sys::window().and_then(|window| window.document()) else { return };
        let found = |what| document.query_selector(what).ok().flatten()?.dyn_into::<HtmlElement>().ok();
        if let Some(place) = found("#content textarea:enabled").or_else(|| found("#content")) {
            // Only what may have the focus takes it; a field already does.
            if place.tag_name() != "TEXTAREA" {
                place.set_tab_index(-1);
            }
            let _ = place.focus();
        }
    }

    fn address(&self, path: &str) -> String {
        let origin = web_sys::window().and_then(|window| window.location().origin().ok()).unwrap_or_default();
        format!("{origin}{path}")
    }
}
