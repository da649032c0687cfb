//! Who is online, who is typing, and how far each member has read.
//!
//! Owns the ephemeral state of one group: it is not stored and not ordered, and nothing waits for it. Promises that a
//! typing state ends by itself, also when `stop_typing` was lost, and that reads never go back. Called by the session.

use std::collections::{BTreeMap, BTreeSet};

use caravana_protocol::{Joined, Seq, UserId};

use crate::Instant;

/// The longest time for which a member is shown as typing without a repetition, whatever the server announces.
pub const TYPING_LONGEST_MS: u64 = 8_000;

/// The ephemeral state of one group.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    online: BTreeSet<UserId>,
    typing: BTreeMap<UserId, Instant>,
    reads: BTreeMap<UserId, Seq>,
    /// Those who do not share how far they have read.
    hidden: BTreeSet<UserId>,
}

impl Roster {
    /// Users who have an open socket in the group. While the link is down this is how it last was.
    pub fn online(&self) -> impl Iterator<Item = UserId> + '_ {
        self.online.iter().copied()
    }

    /// Whether this user has an open socket in the group.
    #[must_use]
    pub fn is_online(&self, user: UserId) -> bool {
        self.online.contains(&user)
    }

    /// Other members who are typing now.
    pub fn typing(&self) -> impl Iterator<Item = UserId> + '_ {
        self.typing.keys().copied()
    }

    /// How far members have read, as far as the server has told. Members who have never read may be missing, and in a
    /// large group others too.
    #[must_use]
    pub const fn reads(&self) -> &BTreeMap<UserId, Seq> {
        &self.reads
    }

    /// The seq up to which all `members`, and all others whose reads are known, have read. A member without a known
    /// read counts as 0. `user` and those who do not share it are not counted; `None` if there is no other.
    pub(crate) fn read_by_all(&self, user: UserId, members: impl IntoIterator<Item = UserId>) -> Option<Seq> {
        let known = self.reads.iter().map(|(member, seq)| (*member, *seq));
        let asked = members.into_iter().map(|member| (member, self.reads.get(&member).copied().unwrap_or(0)));
        known
            .chain(asked)
            .filter(|(member, _)| *member != user && !self.hidden.contains(member))
            .map(|(_, seq)| seq)
            .min()
    }

    /// Takes over the state that the server sees now. Reads do not go back.
    pub(crate) fn join(&mut self, joined: &Joined) {
        self.online = joined.roster.iter().copied().collect();
        self.typing.clear();
        self.hidden.clone_from(&joined.hidden_reads);
        self.reads.retain(|member, _| !joined.hidden_reads.contains(member));
        for (user, seq) in &joined.reads {
            self.read(*user, *seq);
        }
    }

    /// A member came online or went offline. Returns whether that is a change.
    pub(crate) fn presence(&mut self, user: UserId, online: bool) -> bool {
        if online { self.online.insert(user) } else { self.online.remove(&user) }
    }

    /// A member is typing. Returns whether that is a change.
    pub(crate) fn types(&mut self, user: UserId, expiry_ms: u64, now: Instant) -> bool {
        self.typing.insert(user, now.after(expiry_ms.min(TYPING_LONGEST_MS))).is_none()
    }

    /// A member stopped typing, or sent the message. Returns whether the member was typing.
    pub(crate) fn stops_typing(&mut self, user: UserId) -> bool {
        self.typing.remove(&user).is_some()
    }

    /// A member no longer shares how far it has read. Returns whether that is a change.
    pub(crate) fn hide_reads(&mut self, user: UserId) -> bool {
        self.reads.remove(&user);
        self.hidden.insert(user)
    }

    /// A member has read up to `seq`, and shares it. The larger seq stays. Returns whether something changed.
    pub(crate) fn read(&mut self, user: UserId, seq: Seq) -> bool {
        let was_hidden = self.hidden.remove(&user);
        let known = self.reads.entry(user).or_insert(0);
        let moved = seq > *known;
        *known = seq.max(*known);
        moved || was_hidden
    }

    /// A user became a member. Without a known read the member has read nothing.
    pub(crate) fn add(&mut self, user: UserId) {
        self.reads.entry(user).or_insert(0);
    }

    /// A user is no longer a member.
    pub(crate) fn remove(&mut self, user: UserId) {
        self.online.remove(&user);
        self.typing.remove(&user);
        self.reads.remove(&user);
        self.hidden.remove(&user);
    }

    /// Seqs of an earlier history mean nothing in this one.
    pub(crate) fn forget_reads(&mut self) {
        self.reads.clear();
    }

    /// Ends all typing states, because the link is down. Returns whether there were any.
    pub(crate) fn hush(&mut self) -> bool {
        let anybody = !self.typing.is_empty();
        self.typing.clear();
        anybody
    }

    /// Ends the typing states whose time is over. Returns whether there were any.
    pub(crate) fn expire(&mut self, now: Instant) -> bool {
        let before = self.typing.len();
        self.typing.retain(|_, until| *until > now);
        before != self.typing.len()
    }

    /// When the next typing state ends.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.typing.values().min().copied()
    }
}
