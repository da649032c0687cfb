//! Collects what has changed since the last update of the screen.

use std::collections::{BTreeSet, HashSet};

use caravana_client::{Change, TimelineChange};
use caravana_protocol::GroupId;

use crate::chat::virtual_list::ItemKey;

/// What has to be updated. The default value means that nothing has.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing to look at, and is marked on its own")]
pub(super) struct Dirty {
    /// These rows of the group list.
    pub(super) listed: BTreeSet<GroupId>,
    /// All rows of the group list.
    pub(super) list: bool,
    /// The loaded part of the open group's log.
    pub(super) log: LogChange,
    /// Everything that all rows of the open group depend on: names, the reader's time.
    pub(super) rows: bool,
    /// What the open group's members have read. The rows depend only on what all have read.
    pub(super) reads: bool,
    /// The open group's members, and which of them are online.
    pub(super) members: bool,
    /// A pass is already scheduled.
    due: bool,
}

/// How the loaded part of the log has changed.
#[derive(Debug, Default)]
pub(super) enum LogChange {
    /// Nothing.
    #[default]
    None,
    /// These items, and possibly unacknowledged messages or the gap.
    Items(Items),
    /// Everything.
    All,
}

/// Items by the kind of change; an item may be in several sets.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub(super) inserted: HashSet<ItemKey>,
    pub(super) updated: HashSet<ItemKey>,
    pub(super) removed: HashSet<ItemKey>,
}

impl Dirty {
    /// Marks everything except the log, for example when the reader's time changes.
    pub(super) fn everything(&mut self) {
        (self.list, self.rows, self.reads, self.members) = (true, true, true, true);
    }

    /// Asks for a pass. Returns `true` if none was scheduled yet.
    pub(super) fn ask(&mut self) -> bool {
        !std::mem::replace(&mut self.due, true)
    }

    /// Whether a pass was asked for.
    pub(super) fn is_due(&self) -> bool {
        self.due
    }

    /// Marks what a change of the session concerns.
    pub(super) fn note(&mut self, change: &Change, open: Option<GroupId>) {
        let is_open = |group: &GroupId| open == Some(*group);
        match change {
            // The last message may be deleted, which the list says, too.
            Change::Typing { group } | Change::Pins { group } => self.listed.extend([*group]),
            Change::Timeline { group, what } => {
                self.listed.insert(*group);
                if is_open(group) {
                    self.timeline(what);
                }
            }
            Change::Reads { group } => {
                self.listed.insert(*group);
                self.reads |= is_open(group);
            }
            Change::Outbox { group } | Change::Sent { group, .. } | Change::SendFailed { group, .. } => {
                if is_open(group) {
                    self.items();
                }
            }
            // A gap is an item of the virtual_list, and the list of present members is known while the gap is being filled.
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
