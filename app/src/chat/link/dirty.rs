//! What has changed since the screen was last brought up to date.

use std::collections::{BTreeSet, HashSet};

use caravana_client::{Change, TimelineChange};
use caravana_protocol::GroupId;

use crate::chat::reel::ItemKey;

/// What has to be looked at again. Empty, when nothing has.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing to look at, and is marked on its own")]
pub(super) struct Dirty {
    /// These rows of the list of groups.
    pub(super) listed: BTreeSet<GroupId>,
    /// All of them.
    pub(super) list: bool,
    /// What is loaded of the open group.
    pub(super) log: LogChange,
    /// What all of its rows depend on: names, who has read, the reader's time.
    pub(super) rows: bool,
    /// Its members, and who of them is here.
    pub(super) members: bool,
    /// A pass is due.
    due: bool,
}

/// What is loaded differs.
#[derive(Debug, Default)]
pub(super) enum LogChange {
    /// Nothing.
    #[default]
    None,
    /// These items, and maybe what is not acknowledged or missing.
    Items(Items),
    /// Everything.
    All,
}

/// Items by what became of them; one may have become several things.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub(super) inserted: HashSet<ItemKey>,
    pub(super) updated: HashSet<ItemKey>,
    pub(super) removed: HashSet<ItemKey>,
}

impl Dirty {
    /// Everything, as when the reader's time changes.
    pub(super) fn everything(&mut self) {
        (self.list, self.rows, self.members) = (true, true, true);
    }

    /// The pass that is asked for is the first since the last one.
    pub(super) fn ask(&mut self) -> bool {
        !std::mem::replace(&mut self.due, true)
    }

    /// Notes what a change of the session is about.
    pub(super) fn note(&mut self, change: &Change, open: Option<GroupId>) {
        let is_open = |group: &GroupId| open == Some(*group);
        match change {
            Change::Timeline { group, what } => {
                self.listed.insert(*group);
                if is_open(group) {
                    self.timeline(what);
                }
            }
            Change::Reads { group } => {
                self.listed.insert(*group);
                self.rows |= is_open(group);
            }
            Change::Outbox { group } | Change::Sent { group, .. } | Change::SendFailed { group, .. } => {
                if is_open(group) {
                    self.items();
                }
            }
            // A gap is an item, and who is here is known while it is being filled.
            Change::Progress { group } => {
                if is_open(group) {
                    self.items();
                    self.members = true;
                }
            }
            Change::Roster { group } => self.members |= is_open(group),
            Change::Link
            | Change::Build(_)
            | Change::HistoryFailed { .. }
            | Change::Typing { .. }
            | Change::Members { .. }
            | Change::Refused { .. }
            | Change::NotSaved { .. }
            | Change::GroupLeft { .. }
            | Change::GroupAdded(_)
            | Change::Account(_)
            | Change::Notice { .. } => {}
        }
    }

    fn timeline(&mut self, what: &TimelineChange) {
        let (keys, into): (_, fn(&mut Items) -> &mut HashSet<ItemKey>) = match what {
            TimelineChange::Inserted(keys) => (keys, |items| &mut items.inserted),
            TimelineChange::Updated(keys) => (keys, |items| &mut items.updated),
            TimelineChange::Removed(keys) => (keys, |items| &mut items.removed),
            TimelineChange::Reset => {
                self.log = LogChange::All;
                return;
            }
        };
        if let Some(items) = self.items() {
            into(items).extend(keys.iter().copied().map(ItemKey::from));
        }
    }

    fn items(&mut self) -> Option<&mut Items> {
        if matches!(self.log, LogChange::None) {
            self.log = LogChange::Items(Items::default());
        }
        match &mut self.log {
            LogChange::Items(items) => Some(items),
            LogChange::None | LogChange::All => None,
        }
    }
}

#[cfg(test)]
mod tests;
