//! What a page loads of a group before it shows the group.

use caravana_protocol::rest::{Group, Member, MessagesAnswer};
use serde::{Deserialize, Serialize};

/// A group with everything that its first render shows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Opened {
    /// The group.
    pub group: Group,
    /// Its members.
    pub members: Vec<Member>,
    /// Its newest messages, with enough of them to include the first unread one.
    pub messages: MessagesAnswer,
}
