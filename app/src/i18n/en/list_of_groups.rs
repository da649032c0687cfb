//! English: the list of groups.

use crate::i18n::isolate::isolated;
use crate::i18n::plural::counted_en as counted;
use crate::i18n::words::ListWords;

pub(super) const WORDS: ListWords = ListWords {
    preview_of: |name, text| format!("{}: {}", isolated(name), isolated(text)),
    draft: "Draft:",
    mentioned: |n| counted(n, "mention", "mentions"),
    favourite: "Favourite",
    muted: "Muted",
    archived: |n| format!("Archived ({n})"),
    find_group: "Find groups and messages",
    no_group_found: "No group has this name.",
    more_groups: |n| counted(n as u64, "more group", "more groups"),
    switch_group: "Go to a group",
    group_options: |name| format!("Options of {}", isolated(name)),
    add_favourite: "Add to favourites",
    remove_favourite: "Remove from favourites",
    mute_hour: "Mute for 1 hour",
    mute_hours: "Mute for 8 hours",
    mute_always: "Mute always",
    unmute: "Unmute",
    archive: "Archive",
    unarchive: "Unarchive",
    mark_read: "Mark as read",
    name_needed: "Give the group a name.",
    group_emoji: "Emoji",
    no_group_emoji: "No emoji",
    trip_starts: "From",
    trip_ends: "To",
    trip_optional: "The dates of the trip are optional.",
    trip_backwards: "The trip can't end before it begins.",
    invite_first_title: "Your group is ready",
    invite_first_text: "Share the link so that the others can join. You can already write: they will read it when they arrive.",
    share: "Share",
};
