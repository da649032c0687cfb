//! placeholder
use std::collections::HashMap;
use caravana_protocol::rest::Group;
use caravana_protocol::{GroupId, MessageBody, MessageId, UserId};
use leptos::prelude::*;
use reactive_stores::Store;
use super::rows::{self, Entry, MessageEntry, View};
use super::store::{ChatState, TimelineState, Whole};
use crate::i18n::Words;
use crate::pages::Opened;
use crate::time::Reader;

#[derive(Clone, Copy)]
pub struct Link {
    pub chat: Store<ChatState>,
    pub loading: RwSignal<bool>,
    pub notice: RwSignal<Option<String>>,
    pub reader: RwSignal<Reader>,
    me: UserId,
    words: &'static Words,
}
pub fn use_link() -> Option<Link> { use_context() }
pub trait Connector {}
impl Link {
    pub fn new(chat: Store<ChatState>, me: UserId, words: &'static Words) -> Self {
        Self { chat, loading: RwSignal::new(false), notice: RwSignal::new(None), reader: RwSignal::new(Reader::default()), me, words }
    }
    pub fn start(self, _groups: Vec<Group>) {}
    pub fn open(self, _opened: Opened, _timeline: Store<TimelineState>) {}
    pub fn close(self, _group: GroupId) {}
    pub fn retry(self, _group: GroupId, _id: MessageId) {}
    pub fn discard(self, _group: GroupId, _id: MessageId) {}
    pub fn older(self, _group: GroupId) {}
    pub fn seen(self, _group: GroupId) {}
    pub fn send(self, _group: GroupId, _body: MessageBody) -> bool { false }
    pub fn typed(self, _group: GroupId, _writing: bool) {}
    pub fn retry_now(self) {}
    pub fn first_state(self, opened: &Opened) -> TimelineState {
        let names: HashMap<UserId, String> = opened.members.iter().map(|m| (m.user.id, m.user.display_name.clone())).collect();
        let entries: Vec<Entry> = opened.messages.messages.iter().map(|m| Entry::Message(MessageEntry::from(m))).collect();
        let unread_after = (opened.group.unread > 0).then_some(opened.group.last_read);
        let view = View { me: self.me, names: &names, unread_after, read_by_all: 0, reader: self.reader.get_untracked(), words: self.words };
        TimelineState {
            name: opened.group.name.clone(),
            rows: rows::rows(&entries, &view),
            members: rows::members(&opened.members, &|m| m.online, self.me),
            typing: Whole(Vec::new()),
            has_more: opened.messages.has_more_before,
            removed: false,
        }
    }
}
