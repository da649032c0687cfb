//! What the reader is doing with a message of the open group: the open menu, what the composer writes, and the way back
//! from a quoted message.

use caravana_protocol::{GroupId, MessageId};
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use reactive_stores::Store;

use crate::chat::Bridge;
use crate::chat::store::{Delivery, MessageRow, QuoteRow, Said, TimelineState, TimelineStateStoreFields as _};
use crate::components::{Act, ComposeMode, MenuActions, Picked, Selected};
use crate::erase::slices;
use crate::i18n::use_words;
use crate::pages::ask;
use crate::paths;
use crate::ports::{Api, Device, use_device};
use crate::rich_text::plain;

/// All copies refer to the same.
#[derive(Clone, Copy)]
pub(super) struct Care {
    group: GroupId,
    bridge: Bridge,
    timeline: Store<TimelineState>,
    /// The message whose menu is open.
    pub(super) menu: RwSignal<Option<MessageRow>>,
    /// The messages that are selected.
    pub(super) picked: Picked,
    /// What the composer writes.
    pub(super) mode: RwSignal<ComposeMode>,
    /// The message from which the reader went to another one.
    pub(super) came_from: RwSignal<Option<MessageId>>,
}

impl Care {
    pub(super) fn new(group: GroupId, bridge: Bridge, timeline: Store<TimelineState>) -> Self {
        Self {
            group,
            bridge,
            timeline,
            menu: RwSignal::new(None),
            picked: Picked::new(),
            mode: RwSignal::new(ComposeMode::New),
            came_from: RwSignal::new(None),
        }
    }

    /// Brings the message of a link into view: `/g/{id}/m/{message_id}`.
    pub(super) fn follow_links(self) {
        let path = use_location().pathname;
        Effect::new(move |_| {
            // The address may be another group's while that group is loading.
            if let Some(id) = paths::linked(&path.read(), self.group) {
                slices::when_done(move || self.bridge.jump(self.group, id));
            }
        });
    }

    /// A message as its row shows it now.
    fn message(self, id: MessageId) -> Option<MessageRow> {
        self.timeline.lines().try_with_untracked(|lines| lines.message(id)).flatten()
    }

    pub(super) fn show_menu(self, id: MessageId) {
        let shown = self.message(id).filter(|message| !matches!(message.said, Said::Deleted));
        match shown {
            Some(message) if self.picked.is_on_now() => self.picked.turn(message),
            Some(message) => self.menu.set(Some(message)),
            None => {}
        }
    }

    pub(super) fn reply(self, id: MessageId) {
        let Some(message) = self.message(id).filter(|_| !self.timeline.removed().get_untracked()) else { return };
        // The server does not have a message that was refused, so it would refuse the answer, too.
        if matches!(message.own, Some(Delivery::Failed(_))) {
            return;
        }
        if let Said::Text { text, .. } = message.said {
            self.mode.set(ComposeMode::Reply(QuoteRow {
                id,
                author: message.author,
                name: message.name,
                text: plain(&text),
            }));
        }
    }

    /// Goes to a quoted message, and offers the way back.
    pub(super) fn follow_quote(self, from: MessageId, to: MessageId) {
        self.came_from.set(Some(from));
        self.bridge.jump(self.group, to);
    }

    pub(super) fn menu_actions(self) -> MenuActions {
        let (api, device, group) = (use_context::<Api>(), use_device(), self.group);
        MenuActions {
            act: Callback::new(move |(message, act)| self.act(&message, act, device.as_deref())),
            reads: Callback::new(move |id| ask(api.as_ref(), |api| api.reads(group, id))),
        }
    }

    fn act(self, message: &MessageRow, act: Act, device: Option<&dyn Device>) {
        let (group, bridge, id) = (self.group, self.bridge, message.id);
        // The message may have changed while its menu was open.
        let now = self.message(id);
        let message = now.as_ref().unwrap_or(message);
        match act {
            Act::React(emoji, on) => bridge.react(group, id, &emoji, on),
            Act::Reply => self.reply(id),
            Act::Pin(on) => bridge.pin(group, id, on),
            Act::Delete => {
                if matches!(self.mode.get_untracked(), ComposeMode::Edit { id: edited, .. } if edited == id) {
                    self.mode.set(ComposeMode::New);
                }
                bridge.delete(group, vec![id]);
            }
            Act::Edit => {
                if let Said::Text { text, .. } = &message.said {
                    self.mode.set(ComposeMode::Edit { id, text: text.clone() });
                }
            }
            Act::Select => self.picked.set(Some(message.clone())),
            Act::CopyText => {
                if let Said::Text { text, .. } = &message.said {
                    self.copy(device, text.clone());
                }
            }
            Act::CopyLink => {
                let address = device.map(|device| device.address(&paths::message(group, id)));
                self.copy(device, address.unwrap_or_default());
            }
        }
    }

    /// What can be done with the selected messages.
    pub(super) fn selected(self) -> Selected {
        let (device, words, group) = (use_device(), use_words(), self.group);
        let line = move |message: &MessageRow| match &message.said {
            Said::Text { text, .. } => Some((words.selection.line)(&message.clock, &message.name, text)),
            Said::Deleted => None,
        };
        Selected {
            picked: self.picked,
            manages: Signal::derive(move || self.timeline.role().get().0.manages()),
            copy: Callback::new(move |rows: Vec<MessageRow>| {
                // A message may have changed since it was selected.
                let rows = rows.into_iter().map(|row| self.message(row.id).unwrap_or(row));
                let lines: Vec<_> = rows.filter_map(|row| line(&row)).collect();
                self.copy(device.as_deref(), lines.join("\n"));
            }),
            delete: Callback::new(move |ids| self.bridge.delete(group, ids)),
        }
    }

    fn copy(self, device: Option<&dyn Device>, text: String) {
        let Some(copied) = device.map(|device| device.copy(text)) else { return };
        leptos::task::spawn_local(async move {
            let done = copied.await;
            self.bridge.told_copied(done);
        });
    }
}
