//! Makes the rows of the members' panel and of the group list from the data of the server and the session.
//!
//! Pure, like [`super::rows`], and called by the same modules.

use caravana_protocol::rest::{Group, Member};
use caravana_protocol::{Message, UserId};

use super::store::{GroupRow, MemberRow, Whole};
use crate::i18n::Words;

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

/// A row of the group list, with the server's counts.
#[must_use]
pub fn group_row(group: &Group, me: UserId, words: &Words) -> GroupRow {
    let preview = group.last_message.as_ref().map(|message| preview(message, me, words));
    GroupRow {
        id: group.id.to_string(),
        name: group.name.clone(),
        preview: preview.unwrap_or_else(|| words.no_messages_yet.to_owned()),
        at: Whole(group.last_message.as_ref().map(|message| message.created_at)),
        active_at: Whole(group.active_at()),
        unread: group.unread,
        typing: Whole(Vec::new()),
    }
}

/// A message as one line of text.
#[must_use]
pub fn preview(message: &Message, me: UserId, words: &Words) -> String {
    /// More characters than fit on a line of the list on any screen.
    const CHARACTERS: usize = 120;
    if !message.status {
        return words.deleted.to_owned();
    }
    let line: String =
        message.content.body.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(CHARACTERS).collect();
    if message.user_id == Some(me) { (words.preview_mine)(&line) } else { line }
}
