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

/// A line as it is laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct LaidLine {
    /// The line's key, as `data-line` has it.
    pub key: String,
    /// Its lower edge in the window, in pixels. The space above a line is the line's own.
    pub bottom: f64,
}

/// All lines that are in the document, as they are laid out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Laid {
    /// The upper edge of the first of them with its space, in the window.
    pub top: f64,
    /// The lines from top to bottom.
    pub lines: Vec<LaidLine>,
}

/// The empty spaces that stand for the lines that are not in the document, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pads {
    /// Above those that are.
    pub above: f64,
    /// Below them.
    pub below: f64,
}

/// The day that the first row in sight belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopDay {
    /// There is none, or its separator can be seen up there.
    InSight,
    /// Its separator is above and says this.
    Said(String),
    /// It is that of the first line in the document.
    OfFirst,
}

/// A scroller whose rows are laid out from its end: as long as nobody scrolls, the same number of pixels stays hidden
/// below, whatever comes or goes. The browser's; every answer is of the present moment.
pub trait Pane: Send + Sync {
    /// What is out of sight; `None` while the scroller is not laid out.
    fn hidden(&self) -> Option<Hidden>;
    /// How high what is in sight is.
    fn height(&self) -> f64;
    /// Scrolls until so much is hidden below, as nearly as the browser can.
    fn hide_below(&self, pixels: f64);
    /// The first row that begins in sight, or the one that is in sight alone.
    fn first_row(&self) -> Option<RowEdge>;
    /// The row that was clicked last, while the click is handled. If it gets shorter while its head is out of sight, its
    /// edge is where it keeps its end in its place.
    fn touched_row(&self) -> Option<RowEdge>;
    /// The divider of unread messages, and where it should be in the window.
    fn divider(&self) -> Option<(RowEdge, f64)>;
    /// The day of the first row in sight.
    fn day(&self) -> TopDay;
    /// The keys of the first and the last line in the document. Unlike all else it may be asked before the document is laid
    /// out.
    fn ends(&self) -> Option<(String, String)>;
    /// The lines that are in the document; `None` while the scroller is not laid out.
    fn laid(&self) -> Option<Laid>;
    /// Gives the spaces above and below the lines their heights.
    fn pad(&self, pads: Pads);
    /// Whether no part of those spaces is in sight.
    fn is_filled(&self) -> bool;
}

/// What a pane says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaneEvent {
    /// Rows or their sizes changed, or the size of the scroller, or somebody scrolled; maybe several of these.
    Changed,
    /// Somebody scrolled, and maybe nothing else has changed.
    Scrolled,
    /// A row was touched, and what the touch does has not happened yet.
    Touched,
    /// The key was pressed that goes to the start.
    Home,
    /// The key was pressed that goes to the end.
    End,
}

/// Hears what a pane says. Returns whether it does itself what the browser would do.
pub type Heard = Box<dyn Fn(PaneEvent) -> bool>;
