//! The search in the open group: when it is shown, what it asks, and where its results lead.

use std::sync::Arc;

use caravana_protocol::{GroupId, MessageId};
use leptos::ev::{KeyboardEvent, keydown};
use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_navigate};
use reactive_stores::Store;

use crate::chat::Bridge;
use crate::chat::store::TimelineState;
use crate::components::search::PanelParts;
use crate::components::{SearchActions, SearchShown};
use crate::pages::ask;
use crate::paths;
use crate::ports::{Api, Device, use_device};

/// All copies refer to the same.
#[derive(Clone, Copy)]
pub(super) struct Finding {
    group: GroupId,
    bridge: Bridge,
    pub(super) shown: SearchShown,
    device: StoredValue<Option<Arc<dyn Device>>>,
    /// Gives the focus back to where it was before the search was opened.
    focus_back: StoredValue<Option<Box<dyn FnOnce() + Send + Sync>>>,
    /// The message from which the reader went to another one.
    came_from: RwSignal<Option<MessageId>>,
}

impl Finding {
    pub(super) fn new(group: GroupId, bridge: Bridge, came_from: RwSignal<Option<MessageId>>) -> Self {
        let words = bridge.take_search();
        let shown = SearchShown {
            open: RwSignal::new(false),
            asked: RwSignal::new(0),
            focused: RwSignal::new(false),
            words: RwSignal::new(words),
        };
        let (device, focus_back) = (StoredValue::new(use_device()), StoredValue::new(None));
        Self { group, bridge, shown, device, focus_back, came_from }
    }

    /// Shows the search, with the focus in its field. The focus leaves its old place at once: if the field's code is still
    /// on its way, the first letters must not go into the composer.
    pub(super) fn open(self) {
        if !self.shown.open.get_untracked() {
            let focus_back = self.device.with_value(|device| device.as_ref().map(|device| device.take_focus()));
            self.focus_back.set_value(focus_back);
            self.shown.open.set(true);
        }
        self.shown.asked.update(|asked| *asked += 1);
    }

    pub(super) fn close(self) {
        if !self.shown.open.get_untracked() {
            return;
        }
        self.shown.open.set(false);
        // Not every browser tells that a field which is hidden loses the focus.
        self.shown.focused.set(false);
        if let Some(focus_back) = self.focus_back.try_update_value(Option::take).flatten() {
            focus_back();
        }
    }

    pub(super) fn turn(self) {
        if self.shown.open.get_untracked() { self.close() } else { self.open() }
    }

    /// Where the results cover nothing, they are there again after one of them has led to this group.
    pub(super) fn go_on(self) {
        let is_wide = self.device.with_value(|device| device.as_ref().is_some_and(|device| device.wide()));
        if is_wide && self.shown.words.with_untracked(Option::is_some) {
            self.shown.open.set(true);
        }
    }

    /// Ctrl+F or Cmd+F opens the search. In its field, the browser's own search comes: so both can be reached.
    pub(super) fn follow_keys(self) {
        let opens = move |event: &KeyboardEvent| {
            (event.ctrl_key() || event.meta_key())
                && !event.alt_key()
                && !event.shift_key()
                && event.key().eq_ignore_ascii_case("f")
                && !self.shown.focused.get_untracked()
                && !self.device.with_value(|device| device.as_ref().is_some_and(|device| device.in_dialog()))
        };
        Effect::new(move |_| {
            let listener = window_event_listener(keydown, move |event| {
                if opens(&event) {
                    event.prevent_default();
                    self.open();
                }
            });
            on_cleanup(move || listener.remove());
        });
        // Who asks for the members wants to see them.
        let path = use_location().pathname;
        Effect::new(move |before: Option<()>| {
            let shows_members = path.read().ends_with("/miembros");
            if before.is_some() && shows_members {
                self.close();
            }
        });
    }

    /// What the panel needs.
    pub(super) fn parts(self, timeline: Store<TimelineState>) -> PanelParts {
        PanelParts {
            shown: self.shown,
            group: self.group,
            timeline,
            reader: self.bridge.reader.into(),
            actions: self.actions(),
            close: Callback::new(move |()| self.close()),
        }
    }

    fn actions(self) -> SearchActions {
        let (api, navigate) = (use_context::<Api>(), use_navigate());
        SearchActions {
            search: Callback::new(move |(sought, before)| ask(api.as_ref(), |api| api.search(sought, before))),
            go: Callback::new(move |(group, message): (GroupId, MessageId)| {
                if group == self.group {
                    self.go(message);
                } else {
                    self.bridge.keep_search(self.shown.words.get_untracked());
                    navigate(&paths::message(group, message), leptos_router::NavigateOptions::default());
                }
            }),
        }
    }

    /// Goes to a message of this group. Where the results cover the conversation, they make room for it; they are there
    /// again when the search is opened.
    fn go(self, message: MessageId) {
        // The way back leads to where the reader was before the first hit.
        if self.came_from.get_untracked().is_none() {
            self.came_from.set(self.bridge.left_at(self.group));
        }
        self.bridge.jump(self.group, message);
        if !self.device.with_value(|device| device.as_ref().is_some_and(|device| device.wide())) {
            self.close();
        }
    }
}
