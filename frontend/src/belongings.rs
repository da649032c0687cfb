//! What this browser keeps for the person who is signed in, and when it is deleted.
//!
//! Owns the storage entry that says which person the pages belong to ([`PERSON`]). Guarantees that drafts and unsent
//! messages are kept only for that person ([`may_keep`]), that a new person's page deletes what others left
//! ([`arrive`]), that a sign-out deletes everything ([`depart`], [`after_a_form`]), and that a sign-out ends all of the
//! person's pages: a page in another tab is told by a storage event, and a page that returns from the browser's page
//! cache checks the entry. If the server ends a sign-in, that is not a sign-out: the draft is kept for the same person.

use std::cell::Cell;

use caravana_app::ports::{ChatApi as _, SIGNED_OUT_COOKIE};
use caravana_browser::SavedOutbox;
use caravana_protocol::UserId;
use leptos::ev;
use leptos::prelude::window_event_listener;
use wasm_bindgen::JsCast;
use web_sys::{HtmlDocument, Storage};

use crate::api::Rest;
use crate::notices;
use crate::storage::{CHOICE, DRAFT, storage};

/// All of the app's storage keys begin with this prefix.
const OURS: &str = "caravana.";
/// The key of the entry that names the person.
const PERSON: &str = "caravana.person";

thread_local! {
    /// This page already listens for the end of the sign-in.
    static WATCHES: Cell<bool> = const { Cell::new(false) };
}

/// Marks this page as the person's, and deletes what others left.
pub(crate) fn arrive(user: UserId) {
    let marked = storage().is_some_and(|storage| {
        for key in keys(&storage) {
            if owner(&storage, &key).is_some_and(|owner| owner != user.to_string()) {
                let _ = storage.remove_item(&key);
            }
        }
        // A full storage does not accept the entry; then nothing is kept.
        storage.set_item(PERSON, &user.to_string()).is_ok()
    });
    if !WATCHES.replace(true) {
        watch(user, marked);
    }
}

/// Whether data of this person may be kept now.
pub(crate) fn may_keep(user: UserId) -> bool {
    storage().and_then(|storage| storage.get_item(PERSON).ok()?).is_some_and(|person| person == user.to_string())
}

/// The number of unsent messages that are kept for this person.
pub(crate) fn unsent(user: UserId) -> usize {
    SavedOutbox::load().iter().filter(|message| message.user_id == user).count()
}

/// The person has signed out: deletes everything and leaves this page.
pub(crate) fn depart(path: &str) {
    forget_all();
    clear_page();
    if let Some(window) = web_sys::window() {
        // `replace` and not `assign`, so that Back does not return to this page.
        let _ = window.location().replace(path);
    }
}

/// Deletes everything if somebody signed out by a form that the browser submitted itself, after scripts of a page last
/// ran here.
pub(crate) fn after_a_form() {
    let Some(document) = document().filter(|_| left_by_a_form()) else { return };
    forget_all();
    notices::count(0);
    let _ = document.set_cookie(&format!("{SIGNED_OUT_COOKIE}=; Path=/; Max-Age=0; SameSite=Lax"));
}

/// Watches for the end of this person's sign-in, as long as the page lives.
fn watch(user: UserId, marked: bool) {
    let is_over = move || left_by_a_form() || marked && !may_keep(user);
    window_event_listener(ev::storage, move |event| {
        // When the whole storage is cleared, the event has no key.
        if event.key().is_none_or(|key| key == PERSON) && is_over() {
            depart_here();
        }
    });
    window_event_listener(ev::Custom::<web_sys::Event>::new("pageshow"), move |event| {
        let is_from_cache = js_sys::Reflect::get(&event, &"persisted".into()).is_ok_and(|value| value.is_truthy());
        if is_from_cache && is_over() {
            depart_here();
        } else if is_from_cache {
            wasm_bindgen_futures::spawn_local(look(user));
        }
    });
}

/// Asks the server who is signed in, and reloads if it is somebody else. Without an answer the page stays: a person who
/// is offline may continue to read.
async fn look(user: UserId) {
    let Ok(found) = Rest.session().await else { return };
    if found.is_none_or(|found| found.id != user)
        && let Some(window) = web_sys::window()
    {
        clear_page();
        let _ = window.location().reload();
    }
}

/// Ends this page. The data of the person who is signed in now stays.
fn depart_here() {
    clear_page();
    if let Some(window) = web_sys::window() {
        let _ = window.location().replace("/");
    }
}

/// Removes the content, so that it cannot be read if the navigation fails or the page is kept in the browser's page
/// cache; also what the browser shows beside it.
fn clear_page() {
    notices::end_all();
    if let Some(body) = web_sys::window().and_then(|window| window.document()?.body()) {
        body.replace_children_with_node_0();
    }
}

fn forget_all() {
    let Some(storage) = storage() else { return };
    // Without this entry, other pages stop keeping data.
    let _ = storage.remove_item(PERSON);
    for key in keys(&storage) {
        let _ = storage.remove_item(&key);
    }
}

/// All keys of the app.
fn keys(storage: &Storage) -> Vec<String> {
    let all = (0..storage.length().unwrap_or(0)).filter_map(|at| storage.key(at).ok()?);
    all.filter(|key| key.starts_with(OURS)).collect()
}

#[derive(serde::Deserialize)]
struct Owned {
    user_id: UserId,
}

/// The owner's id; empty if the value cannot be read. `None` if the key has no owner.
fn owner(storage: &Storage, key: &str) -> Option<String> {
    if let Some(rest) = [DRAFT, CHOICE].into_iter().find_map(|prefix| key.strip_prefix(prefix)) {
        return Some(rest.split('.').next().unwrap_or_default().to_owned());
    }
    SavedOutbox::id_of(key)?;
    let text = storage.get_item(key).ok()??;
    // A later build may add fields or use another form; the owner's field stays readable.
    let kept = serde_json::from_str::<Owned>(&text).ok();
    Some(kept.map(|kept| kept.user_id.to_string()).unwrap_or_default())
}

fn left_by_a_form() -> bool {
    let cookies = document().and_then(|document| document.cookie().ok()).unwrap_or_default();
    cookies.split(';').filter_map(|pair| pair.trim().split_once('=')).any(|(name, _)| name == SIGNED_OUT_COOKIE)
}

fn document() -> Option<HtmlDocument> {
    web_sys::window()?.document()?.dyn_into().ok()
}
