//! The texts of conversations of two people, and of blocking somebody.

/// Texts of direct conversations.
pub struct DirectWords {
    pub send_message: &'static str,
    pub block: &'static str,
    pub unblock: &'static str,
    pub block_title: fn(&str) -> String,
    pub block_text: &'static str,
    /// Stands for the name of a person whose account is gone.
    pub gone: &'static str,
    /// Why nothing can be written: the reader blocked the other, or something that the reader is not told, or the other is
    /// gone.
    pub closed_by_me: &'static str,
    pub closed: &'static str,
    pub closed_gone: &'static str,
    pub empty_title: fn(&str) -> String,
    pub empty_text: &'static str,
    pub details: &'static str,
    pub online: &'static str,
    pub offline: &'static str,
    /// In place of a message of somebody whom the reader has blocked.
    pub folded: &'static str,
    pub show: &'static str,
    pub blocked_people: &'static str,
    pub nobody_blocked: &'static str,
    pub person_options: fn(&str) -> String,
}
