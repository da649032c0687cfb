//! The client's logical link, which outlives many sockets.
//!
//! Owns the link, the known groups and the open requests. Promises to be deterministic: the same seed, inputs and
//! instants give the same outputs. Never waits and never fails: a [`Change`] reports what can't be done. Called by
//! [`crate::Driver`], and by tests that simulate everything around the session.

use std::collections::BTreeMap;

use caravana_protocol::{GroupId, UserId};

mod commands;
mod composing;
mod config;
mod errors;
mod following;
mod frames;
mod group;
mod history;
mod input;
mod link;
mod output;
mod pages;
mod reading;
mod reference;
mod secret;
mod sending;
mod shared;
mod siblings;
mod stream;

pub use config::Config;
pub use group::{Group, Item};
pub use history::Older;
pub use input::{HistoryError, Input};
pub use output::{Change, Output, RefusedReason, RequestId, TimelineChange};
pub use secret::Secret;

use shared::Shared;

use crate::link_state::Link;
use crate::{Instant, LinkState, SavedIntent};

/// A client's link to the server and to its groups.
///
/// ```
/// use caravana_client::{Config, Input, Instant, LinkState, Output, Session};
/// # let user = "0b1f3d52-4f47-4a61-9c55-6a0f35b7c001".parse().unwrap();
/// let mut session = Session::new(Config::new(user), 42);
/// session.handle(Input::Start, Instant::from_millis(0));
/// assert!(matches!(session.poll_output(), Some(Output::Open { .. })));
/// assert_eq!(session.link(), LinkState::Connecting { attempt: 0 });
/// ```
#[derive(Debug)]
pub struct Session {
    link: Link,
    groups: BTreeMap<GroupId, Group>,
    shared: Shared,
    shown: LinkState,
    build: Option<String>,
    last_order: u64,
    /// The last number that was given out for a group's [`group::Priority`].
    last_priority: u64,
}

impl Session {
    /// A session that is not started. The seed decides about jitter only; any source of randomness will do.
    #[must_use]
    pub fn new(config: Config, seed: u64) -> Self {
        Self {
            link: Link::new(seed),
            groups: BTreeMap::new(),
            shared: Shared::new(&config),
            shown: LinkState::Idle,
            build: None,
            last_order: 0,
            last_priority: 0,
        }
    }

    /// Restores saved intents before the session is started. Ignores intents of other users; they stay in the storage.
    pub fn restore(&mut self, saved: Vec<SavedIntent>) {
        for saved in saved {
            if saved.user_id != self.shared.user {
                continue;
            }
            self.last_order = self.last_order.max(saved.order);
            let shared = &self.shared;
            let group = self.groups.entry(saved.group_id).or_insert_with(|| Group::new(saved.group_id, shared));
            if group.outbox.get(saved.id).is_none() {
                let intent = saved.into_intent();
                group.outbox.add(intent.clone());
                group.shows(&intent, &mut self.shared);
            }
        }
    }

    /// Handles one input. The outputs that follow from it wait in [`Session::poll_output`].
    pub fn handle(&mut self, input: Input, now: Instant) {
        self.take(input, now);
        self.settle(now);
        self.pump(now);
        self.show();
    }

    /// The next output. Take all outputs before the next input.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.shared.out.pop()
    }

    /// When to send [`Input::Tick`], if no other input comes before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let groups = self.groups.values().filter_map(|group| group.deadline(&self.shared));
        groups.chain(self.link.deadline()).min()
    }

    /// The state of the connection.
    #[must_use]
    pub const fn link(&self) -> LinkState {
        self.link.state()
    }

    /// The signed-in user.
    #[must_use]
    pub const fn user(&self) -> UserId {
        self.shared.user
    }

    /// What is known of a group that was opened, followed, or has unsent messages.
    #[must_use]
    pub fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(&id)
    }

    /// All groups that are known here.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }

    /// How many more intents (messages, and changes of messages) fit into the outbox.
    #[must_use]
    pub fn outbox_room(&self) -> usize {
        crate::OUTBOX_MESSAGES.saturating_sub(self.groups.values().map(|group| group.outbox.len()).sum())
    }

    /// Sends what may be sent now, and drops groups that are no longer needed.
    fn pump(&mut self, now: Instant) {
        for group in self.groups.values_mut() {
            group.pump(&mut self.shared, now);
        }
        let shared = &mut self.shared;
        self.groups.retain(|_, group| !group.let_go(shared));
    }

    /// Reports changes of the link and of each group's progress.
    fn show(&mut self) {
        if self.shown != self.link.state() {
            self.shown = self.link.state();
            self.shared.out.change(Change::Link);
        }
        for group in self.groups.values_mut() {
            group.show(&mut self.shared);
        }
    }
}
