//! English: conversations of two people.

use crate::i18n::isolate::isolated;
use crate::i18n::words::DirectWords;

pub(super) const WORDS: DirectWords = DirectWords {
    send_message: "Send a message",
    block: "Block",
    unblock: "Unblock",
    block_title: |name| format!("Block {}?", isolated(name)),
    block_text: "You can't send each other direct messages, and in groups their messages are folded for you. They are not told, and you can unblock them at any time.",
    gone: "Deleted account",
    closed_by_me: "You blocked this person.",
    closed: "You can't write to this person.",
    closed_gone: "This person has no account any more.",
    empty_title: |name| format!("Write to {}", isolated(name)),
    empty_text: "Only the two of you read this conversation.",
    details: "Details of the conversation",
    online: "Online",
    offline: "Offline",
    folded: "Message from someone you blocked",
    show: "Show",
    blocked_people: "Blocked people",
    nobody_blocked: "You have blocked nobody.",
    person_options: |name| format!("Options for {}", isolated(name)),
};
