//! A scroller as the browser has laid it out.

use std::sync::Arc;

use leptos::html::{Div, ElementType};

/// The element of a scroller; its first child holds the rows.
pub type Scroller = <Div as ElementType>::Output;

/// Pixels of rows that are out of sight, as they can be scrolled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hidden {
    /// Above what is in sight.
    pub above: f64,
    /// Below it.
    pub below: f64,
}

/// Where a row's upper edge is in the window now, in pixels; `None` once it is not there any more. It is asked often.
pub type RowEdge = Arc<dyn Fn() -> Option<f64> + Send + Sync>;

/// A scroller whose rows are laid out from its end: as long as nobody scrolls, the same number of pixels stays hidden
/// below, whatever comes or goes. The browser's; every answer is of the present moment.
pub trait Pane: Send + Sync {
    /// What is out of sight; `None` while the scroller is not laid out.
    fn hidden(&self) -> Option<Hidden>;
    /// Scrolls until so much is hidden below, as nearly as the browser can.
    fn hide_below(&self, pixels: f64);
    /// The first row that begins in sight, or the one that is in sight alone.
    fn first_row(&self) -> Option<RowEdge>;
    /// The row that was clicked last, while the click is handled. If it gets shorter while its head is out of sight, its
    /// edge is where it keeps its end in its place.
    fn touched_row(&self) -> Option<RowEdge>;
    /// The divider of unread messages, and where it should be in the window.
    fn divider(&self) -> Option<(RowEdge, f64)>;
    /// The day of the first row in sight, as its separator says it; `None` where a separator is in sight up there.
    fn day(&self) -> Option<String>;
}

/// What a pane says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaneEvent {
    /// Rows or their sizes changed, or the size of the scroller, or somebody scrolled; maybe several of these.
    Changed,
    /// A row was touched, and what the touch does has not happened yet.
    Touched,
}
