//! What this browser keeps of the person who is signed in, and its end.
//!
//! Owns the mark in the storage that says whose pages these are. Promises that drafts and unsent messages are kept for that
//! person alone ([`may_keep`]), that whoever comes removes what others left ([`arrive`]), that whoever signs out leaves
//! nothing ([`depart`], [`after_a_form`]), and that every page of theirs ends with that: one in another tab, which hears of the
//! mark, and one that returns from the browser's cache, which looks at it. A sign-in that ends by itself is no sign-out: the
//! draft waits for the same person.

use std::cell::Cell;

use caravana_app::ports::{ChatApi as _, SIGNED_OUT_COOKIE};
use caravana_protocol::UserId;
use leptos::ev;
use leptos::prelude::window_event_listener;
use wasm_bindgen::JsCast;
use web_sys::{HtmlDocument, Storage};

use crate::api::Rest;
use crate::device::{DRAFT, storage};
use crate::outbox;

/// Everything of ours in the storage begins like this.
const OURS: &str = "caravana.";
/// Whose pages these are.
const PERSON: &str = "caravana.person";

thread_local! {
    /// This page listens to the end already.
    static WATCHES: Cell<bool> = const { Cell::new(false) };
}

/// This page is this person's.
pub(crate) fn arrive(user: UserId) {
    let marked = storage().is_some_and(|storage| {
        for key in keys(&storage) {
            if owner(&storage, &key).is_some_and(|owner| owner != user.to_string()) {
                let _ = storage.remove_item(&key);
            }
        }
        // A full storage takes no mark, and then nothing is kept.
        storage.set_item(PERSON, &user.to_string()).is_ok()
    });
    if !WATCHES.replace(true) {
        watch(user, marked);
    }
}

/// Whether something of this person may be kept now.
pub(crate) fn may_keep(user: UserId) -> bool {
    storage().and_then(|storage| storage.get_item(PERSON).ok()?).is_some_and(|person| person == user.to_string())
}

/// Unsent messages that are kept for this person.
pub(crate) fn unsent(user: UserId) -> usize {
    outbox::load().iter().filter(|message| message.user_id == user).count()
}

/// The person has signed out, and this page with them.
pub(crate) fn depart(path: &str) {
    forget_all();
    clear_page();
    if let Some(window) = web_sys::window() {
        // In its place: Back leads to what was before.
        let _ = window.location().replace(path);
    }
}

/// Somebody has left by a form that posted by itself, since a page of ours ran here last: it is done for them now.
pub(crate) fn after_a_form() {
    let Some(document) = document().filter(|_| left_by_a_form()) else { return };
    forget_all();
    let _ = document.set_cookie(&format!("{SIGNED_OUT_COOKIE}=; Path=/; Max-Age=0; SameSite=Lax"));
}

/// Listens to the end of this person's sign-in, for as long as the page lives.
fn watch(user: UserId, marked: bool) {
    let is_over = move || left_by_a_form() || marked && !may_keep(user);
    window_event_listener(ev::storage, move |event| {
        // A storage that is emptied as a whole names no key.
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

/// Asks the server whose page this is now. Without an answer it stays: who is offline may read on.
async fn look(user: UserId) {
    let Ok(found) = Rest.session().await else { return };
    if found.is_none_or(|found| found.id != user)
        && let Some(window) = web_sys::window()
    {
        clear_page();
        let _ = window.location().reload();
    }
}

/// Ends this page; what belongs to whoever is here now stays.
fn depart_here() {
    clear_page();
    if let Some(window) = web_sys::window() {
        let _ = window.location().replace("/");
    }
}

/// Nothing of it can be read, whatever becomes of the way on, and also in the browser's cache.
fn clear_page() {
    if let Some(body) = web_sys::window().and_then(|window| window.document()?.body()) {
        body.replace_children_with_node_0();
    }
}

fn forget_all() {
    let Some(storage) = storage() else { return };
    // Without the mark no other page keeps anything more.
    let _ = storage.remove_item(PERSON);
    for key in keys(&storage) {
        let _ = storage.remove_item(&key);
    }
}

/// All keys of ours.
fn keys(storage: &Storage) -> Vec<String> {
    let all = (0..storage.length().unwrap_or(0)).filter_map(|at| storage.key(at).ok()?);
    all.filter(|key| key.starts_with(OURS)).collect()
}

#[derive(serde::Deserialize)]
struct Owned {
    user_id: UserId,
}

/// Whose it is; empty for what can't be read.
fn owner(storage: &Storage, key: &str) -> Option<String> {
    if let Some(rest) = key.strip_prefix(DRAFT) {
        return Some(rest.split('.').next().unwrap_or_default().to_owned());
    }
    outbox::id_of(key)?;
    let text = storage.get_item(key).ok()??;
    // A later build may keep it in a form that this one can't read; it is still its owner's.
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
