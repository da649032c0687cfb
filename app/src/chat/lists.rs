//! Makes the rows of the members' panel and of the group list from the data of the server and the session.
//!
//! Pure, like [`super::rows`], and called by the same modules.

use caravana_protocol::rest::{Group, Member, Mine, MinePatch};
use caravana_protocol::{Message, Timestamp, UserId};

use super::store::{GroupRow, MemberRow, Peer, Whole};
use crate::fold::folded;
use crate::i18n::Words;
use crate::rich_text::plain;

/// The place of a member in the panel of a page: as in [`members`], by the server's presence.
pub(super) fn place(member: &Member) -> (bool, String, String) {
    (!member.online, member.user.display_name.to_lowercase(), member.user.id.to_string())
}

/// The rows of the members' panel: online members first, then by name.
#[must_use]
pub fn members(members: &[Member], online: &dyn Fn(&Member) -> bool, me: UserId) -> Vec<MemberRow> {
    let mut rows: Vec<MemberRow> = members
        .iter()
        .map(|member| MemberRow {
            id: member.user.id.to_string(),
            user: Whole(member.user.id),
            name: member.user.display_name.clone(),
            role: Whole(member.role),
            online: online(member),
            you: member.user.id == me,
        })
        .collect();
    rows.sort_by_cached_key(|row| (!row.online, row.name.to_lowercase(), row.id.clone()));
    rows
}

/// A row of the group list, with the server's counts. `now`: milliseconds since 1970, where they are known.
#[must_use]
pub fn group_row(group: &Group, me: UserId, blocked: &[UserId], words: &Words, now: Option<i64>) -> GroupRow {
    let last = group.last_message.as_ref();
    let preview = last.map(|last| {
        let name = last.display_name.as_deref();
        line(group, blocked, &last.message, name, (me, words))
    });
    GroupRow {
        id: group.id.to_string(),
        name: name(group, words),
        peer: Whole(Peer::of(group).map(|peer| peer.user)),
        emoji: Whole(group.emoji.clone()),
        preview: preview.unwrap_or_else(|| words.no_messages_yet.to_owned()),
        draft: String::new(),
        at: Whole(last.map(|last| last.message.created_at)),
        active_at: Whole(group.active_at()),
        unread: group.unread,
        mentions: group.unread_mentions,
        typing: Whole(Vec::new()),
        muted: is_muted(&group.me, now),
        archived: group.me.archived,
        favourite: group.me.favourite,
    }
}

/// All rows, in their order.
#[must_use]
pub fn group_rows(groups: &[Group], me: UserId, blocked: &[UserId], words: &Words, now: Option<i64>) -> Vec<GroupRow> {
    let mut rows: Vec<GroupRow> = groups.iter().map(|group| group_row(group, me, blocked, words, now)).collect();
    rows.sort_by_key(GroupRow::place);
    rows
}

/// Whether the member is told nothing now. The server keeps a moment that is over. Where the time is not known, it counts.
#[must_use]
pub fn is_muted(mine: &Mine, now: Option<i64>) -> bool {
    mine.muted_until.is_some_and(|until| now.is_none_or(|now| until.unix_millis() > now))
}

/// So long silence can last, in milliseconds; `None` is for always.
pub const SILENCES: [Option<i64>; 3] = [Some(HOUR_MS), Some(8 * HOUR_MS), None];
const HOUR_MS: i64 = 60 * 60_000;

/// Mutes a group from now on.
#[must_use]
pub fn mute(silence: Option<i64>, now: i64) -> MinePatch {
    /// The end of the years that a timestamp can tell.
    const ALWAYS: &str = "9999-12-31T23:59:59Z";
    let until = match silence {
        Some(time) => Some(Timestamp::from_unix_micros(now.saturating_add(time).saturating_mul(1_000))),
        None => ALWAYS.parse().ok(),
    };
    MinePatch { muted_until: Some(until), ..MinePatch::default() }
}

/// The settings after a change.
#[must_use]
pub fn changed(mine: Mine, patch: MinePatch) -> Mine {
    Mine {
        notify: patch.notify.unwrap_or(mine.notify),
        muted_until: patch.muted_until.unwrap_or(mine.muted_until),
        archived: patch.archived.unwrap_or(mine.archived),
        favourite: patch.favourite.unwrap_or(mine.favourite),
    }
}

/// The settings after a change was refused: what was changed once more meanwhile stays.
#[must_use]
pub fn taken_back(mine: Mine, refused: MinePatch, before: Mine) -> Mine {
    fn back<T: PartialEq>(now: T, refused: Option<T>, before: T) -> T {
        if refused.is_some_and(|refused| refused == now) { before } else { now }
    }
    Mine {
        notify: back(mine.notify, refused.notify, before.notify),
        muted_until: back(mine.muted_until, refused.muted_until, before.muted_until),
        archived: back(mine.archived, refused.archived, before.archived),
        favourite: back(mine.favourite, refused.favourite, before.favourite),
    }
}

/// What a group is called: a conversation with somebody whose account is gone has no name of its own.
#[must_use]
pub fn name(group: &Group, words: &Words) -> String {
    let is_gone = group.name.is_empty() && !group.kind.is_group();
    if is_gone { words.direct.gone.to_owned() } else { group.name.clone() }
}

/// The last message of a group as its line in the list: nothing of somebody whom the reader has blocked, and in a
/// conversation of two no name, because it is clear who wrote.
#[must_use]
pub fn line(
    group: &Group,
    blocked: &[UserId],
    message: &Message,
    author: Option<&str>,
    (me, words): (UserId, &Words),
) -> String {
    if !group.kind.is_group() {
        return preview(message, None, me, words);
    }
    if message.status && message.user_id.is_some_and(|author| blocked.contains(&author)) {
        return words.direct.folded.to_owned();
    }
    preview(message, author, me, words)
}

/// A message as one line of text, with its author's name if it is known.
#[must_use]
pub fn preview(message: &Message, author: Option<&str>, me: UserId, words: &Words) -> String {
    if !message.status {
        return words.deleted.to_owned();
    }
    let line = one_line(&message.content.body);
    match author {
        _ if message.user_id == Some(me) => (words.preview_mine)(&line),
        Some(author) => (words.list.preview_of)(author, &line),
        None => line,
    }
}

/// The beginning of a text in one line, without marks of emphasis.
#[must_use]
pub fn one_line(text: &str) -> String {
    /// More characters than fit on a line of the list on any screen.
    const CHARACTERS: usize = 120;
    // Marks of emphasis and white space take places, too.
    let start: String = text.chars().take(4 * CHARACTERS).collect();
    plain(&start).split_whitespace().collect::<Vec<_>>().join(" ").chars().take(CHARACTERS).collect()
}

/// The groups that the list shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// The ids of its rows.
    pub rows: Vec<String>,
    /// The same of those that are put aside.
    pub archived: Vec<String>,
    /// How many groups are put aside, shown or not.
    pub archived_count: usize,
    /// How many rows follow that are not shown.
    pub more: usize,
}

/// Chooses what the list shows: at most `limit` rows of each kind, and if something is looked for, all groups whose names
/// contain it.
#[must_use]
pub fn listed(rows: &[GroupRow], query: &str, limit: usize) -> Listed {
    let query = folded(query.trim());
    if !query.is_empty() {
        let is_found = |row: &&GroupRow| row.is_begun() && contains(&row.name, &query);
        let found: Vec<&GroupRow> = rows.iter().filter(is_found).collect();
        let more = found.len().saturating_sub(limit);
        return Listed { rows: ids(found.into_iter().take(limit)), more, ..Listed::default() };
    }
    // Those that are put aside come last.
    let begun: Vec<&GroupRow> = rows.iter().filter(|row| row.is_begun()).collect();
    let (present, archived) = begun.split_at(begun.partition_point(|row| !row.archived));
    Listed {
        rows: ids(present.iter().copied().take(limit)),
        archived: ids(archived.iter().copied().take(limit)),
        archived_count: archived.len(),
        more: present.len().saturating_sub(limit).max(archived.len().saturating_sub(limit)),
    }
}

/// The groups that one may want to go to, the latest first; the open one is the last.
#[must_use]
pub fn to_switch(rows: &[GroupRow], query: &str, open: &str, limit: usize) -> Vec<String> {
    let query = folded(query.trim());
    let mut found: Vec<&GroupRow> = rows.iter().filter(|row| contains(&row.name, &query)).collect();
    found.sort_by_key(|row| (row.id == open, std::cmp::Reverse(row.active_at.0)));
    ids(found.into_iter().take(limit))
}

fn ids<'a>(rows: impl Iterator<Item = &'a GroupRow>) -> Vec<String> {
    rows.map(|row| row.id.clone()).collect()
}

fn contains(name: &str, query: &[char]) -> bool {
    query.is_empty() || folded(name).windows(query.len()).any(|part| part == query)
}

#[cfg(test)]
mod tests;
