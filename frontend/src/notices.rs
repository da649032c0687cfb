//! The browser's notifications, and the count on the page's and the app's icon.
//!
//! Chrome on Android shows notifications only through a service worker, and throws at the constructor. There this page
//! says that it can't notify, once it has noticed.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use caravana_app::ports::{Notice, NoticesAre};
use js_sys::{Function, Reflect};
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlElement, Notification, NotificationOptions, NotificationPermission};

/// The icon of the notification, and the page's icon.
const ICON: &str = "/favicon.svg";
/// The page's icon while there is something unread.
const ICON_UNREAD: &str = "/favicon-unread.svg";

/// A notification that is shown, with its listener.
type Shown = (Notification, Closure<dyn FnMut()>);

thread_local! {
    /// The browser has a constructor that does not work.
    static BROKEN: Cell<bool> = const { Cell::new(false) };
    /// By tag.
    static SHOWN: RefCell<HashMap<String, Shown>> = RefCell::new(HashMap::new());
}

/// Whether the browser may notify.
pub(crate) fn state() -> NoticesAre {
    let is_there = Reflect::get(&js_sys::global(), &"Notification".into()).is_ok_and(|found| found.is_function());
    // Only secure pages may ask.
    if !is_there || BROKEN.get() || !web_sys::window().is_some_and(|window| window.is_secure_context()) {
        return NoticesAre::Unknown;
    }
    match Notification::permission() {
        NotificationPermission::Granted => NoticesAre::Allowed,
        NotificationPermission::Denied => NoticesAre::Refused,
        NotificationPermission::Default | _ => NoticesAre::Unasked,
    }
}

/// Asks the reader; called from a click.
pub(crate) async fn ask() -> NoticesAre {
    if let Ok(asked) = Notification::request_permission() {
        // The answer is read below.
        drop(JsFuture::from(asked).await);
    }
    state()
}

/// Shows a notification, in place of the one with the same tag.
pub(crate) fn show(notice: &Notice) {
    if state() != NoticesAre::Allowed {
        return;
    }
    let options = NotificationOptions::new();
    options.set_body(&notice.text);
    options.set_tag(&notice.tag);
    options.set_icon(ICON);
    options.set_silent(Some(true));
    let Ok(shown) = Notification::new_with_options(&notice.title, &options) else {
        BROKEN.set(true);
        return;
    };
    let (path, tag) = (notice.path.clone(), notice.tag.clone());
    let pressed = Closure::new(move || {
        if let Some(window) = web_sys::window() {
            let _ = window.focus();
        }
        go(&path);
        end(&tag);
    });
    shown.set_onclick(Some(pressed.as_ref().unchecked_ref()));
    SHOWN.with_borrow_mut(|all| all.insert(notice.tag.clone(), (shown, pressed)));
}

/// Takes a notification away, because it was read.
pub(crate) fn end(tag: &str) {
    // The listener may be running, so it is dropped later.
    if let Some((shown, pressed)) = SHOWN.with_borrow_mut(|all| all.remove(tag)) {
        shown.set_onclick(None);
        shown.close();
        let pressed = SendWrapper::new(pressed);
        wasm_bindgen_futures::spawn_local(async move { drop(pressed) });
    }
}

/// Takes all notifications away, and the marks on the icons: the person has signed out.
pub(crate) fn end_all() {
    let tags: Vec<String> = SHOWN.with_borrow(|all| all.keys().cloned().collect());
    for tag in tags {
        end(&tag);
    }
    count(0);
}

/// Opens a path as a press on a link does, without a new load.
fn go(path: &str) {
    let Some(window) = web_sys::window() else { return };
    let link = window.document().and_then(|document| document.create_element("a").ok());
    let Some(link) = link.and_then(|link| link.dyn_into::<HtmlElement>().ok()) else { return };
    let body = window.document().and_then(|document| document.body());
    if let Some(body) = body.filter(|_| link.set_attribute("href", path).is_ok()) {
        // The router hears presses that bubble to the document.
        if body.append_child(&link).is_ok() {
            link.click();
            link.remove();
        }
    }
}

/// Shows how much is unread on the app's icon, and whether on the page's.
pub(crate) fn count(unread: u64) {
    let Some(window) = web_sys::window() else { return };
    let navigator = window.navigator();
    let badge: Option<Function> =
        Reflect::get(&navigator, &"setAppBadge".into()).ok().and_then(|badge| badge.dyn_into().ok());
    let number = JsValue::from_f64(f64::from(u32::try_from(unread).unwrap_or(u32::MAX)));
    if let Some(Ok(set)) = badge.map(|badge| badge.call1(&navigator, &number)) {
        // A page that is not installed has no badge.
        let set = JsFuture::from(js_sys::Promise::resolve(&set));
        wasm_bindgen_futures::spawn_local(async move { drop(set.await) });
    }
    let icon =
        window.document().and_then(|document| document.query_selector("link[rel=icon][type='image/svg+xml']").ok()?);
    let file = if unread > 0 { ICON_UNREAD } else { ICON };
    if let Some(icon) = icon.filter(|icon| icon.get_attribute("href").as_deref() != Some(file)) {
        let _ = icon.set_attribute("href", file);
    }
}
