//! The texts of the list of groups and of what opens from it.

/// Texts of the list of groups.
pub struct ListWords {
    /// Who wrote the last message, and its text.
    pub preview_of: fn(&str, &str) -> String,
    /// Before a text that is not sent.
    pub draft: &'static str,
    pub mentioned: fn(u64) -> String,
    pub favourite: &'static str,
    pub muted: &'static str,
    pub archived: fn(usize) -> String,
    pub find_group: &'static str,
    pub no_group_found: &'static str,
    pub more_groups: fn(usize) -> String,
    pub switch_group: &'static str,
    pub group_options: fn(&str) -> String,
    pub add_favourite: &'static str,
    pub remove_favourite: &'static str,
    pub mute_hour: &'static str,
    pub mute_hours: &'static str,
    pub mute_always: &'static str,
    pub unmute: &'static str,
    pub archive: &'static str,
    pub unarchive: &'static str,
    pub mark_read: &'static str,
    // A new group.
    pub name_needed: &'static str,
    pub group_emoji: &'static str,
    pub no_group_emoji: &'static str,
    pub trip_starts: &'static str,
    pub trip_ends: &'static str,
    pub trip_optional: &'static str,
    pub trip_backwards: &'static str,
    pub invite_first_title: &'static str,
    pub invite_first_text: &'static str,
    pub share: &'static str,
}
