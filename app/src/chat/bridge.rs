//! The bridge between the client session and the screen.
//!
//! Owns the handle of the running session, and what is known about the open group besides its log. Guarantees that
//! every [`Change`](caravana_client::Change) reaches only the rows that it concerns, that all changes between two frames
//! cost one pass, that rows are made only for items in the document ([`super::virtual_list`]), and that the reader's actions are sent to
//! the session at once. On the server and before hydration, the bridge holds the first state and sends nothing. Called by
//! the pages.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use caravana_client::{Handle, Input, Older};
use caravana_protocol::limits::{MENTION_EVERYONE_MEMBERS, SUBSCRIPTIONS};
use caravana_protocol::rest::{Group, Member};
use caravana_protocol::{Cursor, GroupId, MessageId, Role, Timestamp, UserId};
use leptos::prelude::*;
use reactive_stores::Store;

use super::link_view::LinkMemory;
use super::lists;
use super::opened::Opened;
use super::rows::{self, Cut, Entry, View};
use super::store::{Arrived, ChatState, Continuity, Lines, Peer, Since, TimelineState, Whole};
use super::tints::Tints;
use super::trip::Trip;
use super::virtual_list::VirtualList;
use crate::erase::slices;
use crate::i18n::Words;
use crate::ports::{Api, Connector, Device, Wire, use_device};
use crate::reader::use_reader;
use crate::time::Reader;

mod care;
mod changes;
mod commands;
mod direct;
mod dirty;
mod entries;
mod listing;
mod memberships;
mod notices;
mod open;
mod screen;

use dirty::Dirty;
use entries::Log;
use listing::Listing;
pub(crate) use open::ANNOUNCED;
use open::{Members, Onlooker, Open};

/// How often the countdown of a wait is updated.
const SECOND: Duration = Duration::from_secs(1);

/// The chat of the signed-in person. All copies refer to the same chat.
#[derive(Clone, Copy)]
pub struct Bridge {
    /// The state of the screen outside of the open group.
    pub chat: Store<ChatState>,
    /// A notice that is shown to the reader once.
    pub notice: RwSignal<Option<String>>,
    /// The server runs another build than this page.
    pub outdated: RwSignal<bool>,
    /// Where the reader is in time.
    pub reader: RwSignal<Reader>,
    /// Who is signed in.
    pub me: UserId,
    words: &'static Words,
    running: StoredValue<Option<Running>>,
    open: StoredValue<Option<Open>>,
    listed: StoredValue<Listing>,
    memory: StoredValue<LinkMemory>,
    /// The server has already announced its build.
    knows_build: StoredValue<bool>,
    /// What the next pass has to update.
    dirty: StoredValue<Dirty>,
    /// Makes that pass if no frame does.
    late: StoredValue<Option<TimeoutHandle>>,
    /// The messages whose deletion can still be undone.
    pub undo: RwSignal<Option<(GroupId, Vec<MessageId>)>>,
    care: StoredValue<care::Care>,
    /// The group whose newest message was scrolled into view while the page was hidden.
    unseen: StoredValue<Option<GroupId>>,
}

/// What exists only after hydration.
#[derive(Clone)]
struct Running {
    handle: Handle,
    connector: Arc<dyn Connector>,
    device: Arc<dyn Device>,
    api: Api,
}

impl Running {
    /// The time of day.
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.device.now_millis().saturating_mul(1_000))
    }
}

/// The bridge that [`crate::pages::ChatPage`] provides; `None` if nobody is signed in.
#[must_use]
pub fn use_bridge() -> Option<Bridge> {
    use_context()
}

fn names(members: &[Member]) -> HashMap<UserId, String> {
    members.iter().map(|member| (member.user.id, member.user.display_name.clone())).collect()
}

/// Whether the reader may invite, by the server's rule: owners and admins always, members if the group allows it.
fn may_invite(group: &Group) -> bool {
    group.role.manages() || group.members_can_invite
}

/// Whether the reader may mention all members, by the server's rule: in small groups everybody may.
fn may_mention_all(role: Role, members: u64) -> bool {
    role.manages() || members <= MENTION_EVERYONE_MEMBERS as u64
}

/// Follows a listed group from the head that the list was read at.
fn follow(group: &Group) -> Input {
    let cursor = Cursor { epoch: group.epoch, seq: group.head };
    Input::FollowGroup { group: group.id, cursor, last_read: Some(group.last_read) }
}

impl Bridge {
    /// A bridge without a running session.
    #[must_use]
    pub fn new(chat: Store<ChatState>, me: UserId, words: &'static Words) -> Self {
        Self {
            chat,
            notice: RwSignal::new(None),
            outdated: RwSignal::new(false),
            reader: use_reader(),
            me,
            words,
            running: StoredValue::new(None),
            open: StoredValue::new(None),
            listed: StoredValue::new(Listing::default()),
            memory: StoredValue::new(LinkMemory::default()),
            knows_build: StoredValue::new(false),
            dirty: StoredValue::new(Dirty::default()),
            late: StoredValue::new(None),
            undo: RwSignal::new(None),
            care: StoredValue::new(care::Care::default()),
            unseen: StoredValue::new(None),
        }
    }

    /// Starts the session after hydration; does nothing on the server.
    pub fn start(self, groups: Vec<Group>) {
        self.listed.set_value(Listing::new(groups));
        let (wire, device, api) = (use_context::<Wire>(), use_device(), use_context::<Api>());
        Effect::new(move |_| {
            let (Some(Wire(connector)), Some(device), Some(api)) = (wire.clone(), device.clone(), api.clone()) else {
                return;
            };
            // The socket opens while the page is still being taken over. What the session then shows may differ from the
            // server's page, so it waits.
            let shows = move |change| {
                slices::when_done(move || {
                    // The person may have left this page meanwhile.
                    if self.running.try_get_value().is_some() {
                        self.on_change(&change);
                    }
                });
            };
            let handle = connector.start(self.me, Box::new(shows));
            self.running.set_value(Some(Running { handle, connector, device, api }));
            self.say(Input::Start);
            // The open group comes first: its log begins with the page of history that is already on the screen, not
            // with its head.
            self.open_in_session();
            self.follow_listed();
            self.look_at_drafts(None);
            let owner = Owner::current().map(|owner| owner.downgrade());
            slices::when_done(move || {
                if let Some(owner) = owner.and_then(|owner| owner.upgrade()) {
                    owner.with(|| self.watch());
                }
            });
        });
        on_cleanup(move || self.say_quietly(Input::Stop));
    }

    /// The timers and the listener that live as long as the chat page.
    fn watch(self) {
        self.show_link();
        let second = set_interval_with_handle(move || self.tick(), SECOND).ok();
        // When the reader's day or zone changes, labels such as «Hoy» and the hours are made again.
        Effect::new(move |_| {
            self.reader.track();
            self.mark(Dirty::everything);
        });
        let visible = window_event_listener(leptos::ev::visibilitychange, move |_| {
            // The frame that was asked for may not come now, or not have come.
            self.refresh();
            self.page_shown();
        });
        // Another tab keeps or sends a draft.
        let kept = window_event_listener(leptos::ev::storage, move |_| self.look_at_drafts(None));
        let leaving = window_event_listener(leptos::ev::pagehide, move |_| self.delete_now());
        on_cleanup(move || {
            if let Some(second) = second {
                second.clear();
            }
            visible.remove();
            leaving.remove();
            kept.remove();
        });
    }

    /// Follows the listed groups from their heads, so that their previews and unread counts stay current.
    fn follow_listed(self) {
        self.listed.with_value(|groups| {
            // One subscription is left free for a group that is opened without being in the list. Those that are put aside
            // come last.
            let (aside, present): (Vec<_>, Vec<_>) = groups.iter().partition(|group| group.me.archived);
            for group in present.into_iter().chain(aside).take(SUBSCRIPTIONS - 1) {
                self.say(follow(group));
            }
        });
    }

    /// The first state of a group, the same on the server and in the browser: the page is hydrated before the reader's
    /// clock and zone are known.
    #[must_use]
    pub fn first_state(self, opened: &Opened) -> TimelineState {
        let mut names = names(&opened.members);
        let entries = entries::of_page(&opened.messages, &opened.group, &opened.members, &mut names);
        let cut = Cut::loaded(&entries, opened.messages.has_more_before);
        let shown = entries.get(cut.lead..).unwrap_or_default();
        let read = (opened.group.unread > 0).then_some(opened.group.last_read);
        let blocked = self.folds(&opened.group);
        let view = View {
            me: self.me,
            blocked: &blocked,
            names: &names,
            unread_at: read.and_then(|read| rows::first_unread(shown, read, self.me)),
            read_by_all: 0,
            reader: self.reader.get_untracked(),
            words: self.words,
        };
        let member_count = opened.group.member_count.max(opened.members.len() as u64);
        TimelineState {
            name: lists::name(&opened.group, self.words),
            peer: Whole(Peer::of(&opened.group)),
            trip: Whole(Trip::from(&opened.group)),
            lines: Whole(Lines::new(rows::lines(&entries, cut, &view))),
            day: rows::day(shown, &view),
            is_empty: !shown.iter().any(|entry| matches!(entry, Entry::Message(_))),
            revision: 0,
            arrived: Whole(Arrived::default()),
            tints: Whole(Tints::of(&opened.members)),
            members: lists::members(&opened.members, &|member| member.online, self.me),
            member_count,
            typing: Whole(Vec::new()),
            continuity: Whole(Continuity {
                up_to: opened.messages.messages.last().map(|message| message.seq),
                since: Since::Unknown,
            }),
            wait: Whole(None),
            older: Whole(if opened.messages.has_more_before { Older::More } else { Older::Start }),
            has_newer: false,
            newer_failed: false,
            may_invite: may_invite(&opened.group),
            role: Whole(opened.group.role),
            members_can_invite: opened.group.members_can_invite,
            may_mention_all: may_mention_all(opened.group.role, member_count),
            removed: false,
            pins: Whole(
                opened.pins.iter().map(|message| rows::quote_row(message.id, &message.quote(), &view)).collect(),
            ),
            target: Whole(None),
        }
    }

    /// Shows a group: from here on `timeline` and `virtual_list` follow the session.
    pub fn open(self, opened: Opened, timeline: Store<TimelineState>, virtual_list: StoredValue<VirtualList>) {
        let members_are = if opened.has_some_members_only() { Members::Some } else { Members::All };
        let Opened { group, members, messages, pins } = opened;
        self.notice.set(None);
        self.open.set_value(Some(Open {
            names: names(&members),
            unread_after: (group.unread > 0).then_some(group.last_read),
            log: Log::of(&group, self.words),
            blocked: self.folds(&group),
            group,
            members,
            members_are,
            timeline,
            virtual_list,
            page: Some(messages),
            wanted: None,
            pins,
            deleting: HashSet::new(),
            cursor: None,
            arrived: Arrived::default(),
            read_by_all: 0,
        }));
        self.open_in_session();
    }

    /// Sends the open group to a running session, once.
    fn open_in_session(self) {
        if self.running.with_value(Option::is_none) {
            return;
        }
        let told = self.open.try_update_value(|open| {
            let open = open.as_mut()?;
            let page = open.page.take()?;
            Some(Input::OpenGroup { group: open.group.id, page: Some(page), last_read: Some(open.group.last_read) })
        });
        if let Some(Some(input)) = told {
            self.say(input);
            self.mark(Dirty::everything);
            self.load_other_members();
            self.look_at_drafts(None);
        }
    }

    /// Closes the open group. It stays in the list, and the session continues to follow it.
    pub fn close(self, group: GroupId) {
        self.delete_now();
        self.say_quietly(Input::StoppedTyping { group });
        let _ = self.open.try_update_value(|open| {
            if open.as_ref().is_some_and(|open| open.group.id == group) {
                *open = None;
            }
        });
        self.look_at_drafts(Some(group));
    }

    /// Shows the reader a notice once.
    fn tell(self, text: String) {
        /// Long enough to read the notice.
        const SHOWN: Duration = Duration::from_secs(5);
        self.notice.set(Some(text.clone()));
        set_timeout(
            move || {
                if self.notice.try_get_untracked().flatten().as_ref() == Some(&text) {
                    self.notice.set(None);
                }
            },
            SHOWN,
        );
    }

    /// Sends an input to the session. If the queue is full or the driver has ended, the input is lost and the reader is
    /// told.
    fn say(self, input: Input) {
        let refused = self.running.try_get_value().flatten().is_some_and(|running| running.handle.send(input).is_err());
        if refused {
            self.tell(self.words.error_other.to_owned());
        }
    }

    /// Sends an input that may be lost without harm.
    fn say_quietly(self, input: Input) {
        if let Some(running) = self.running.try_get_value().flatten() {
            let _ = running.handle.send(input);
        }
    }
}
