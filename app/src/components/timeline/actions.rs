//! What the timeline asks of its page.

use leptos::prelude::*;

use crate::components::bubble::RowActions;

/// The timeline's callbacks.
#[derive(Clone, Copy)]
pub struct TimelineActions {
    /// The actions on a row.
    pub row: RowActions,
    /// Load older messages.
    pub older: Callback<()>,
    /// Load the newest messages again, if they were dropped from memory.
    pub latest: Callback<()>,
    /// The newest message is visible.
    pub seen: Callback<()>,
    /// Other rows are near the window now.
    pub turn: Callback<()>,
}
