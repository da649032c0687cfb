//! The layout of a scroller in the browser.

use std::sync::Arc;

use caravana_protocol::MessageId;
use leptos::html::{Div, ElementType};

/// The element of a scroller; its first child holds the rows.
pub type Scroller = <Div as ElementType>::Output;

/// Pixels of rows outside of the visible part, above and below, as far as they can be scrolled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hidden {
    /// Above the visible part.
    pub above: f64,
    /// Below the visible part.
    pub below: f64,
}

/// Gives the current position of a row's upper edge in the window, in pixels; `None` once the row is not in the
/// document. It is called often, so it must be cheap.
pub type RowEdge = Arc<dyn Fn() -> Option<f64> + Send + Sync>;

/// The layout of a line.
#[derive(Debug, Clone, PartialEq)]
pub struct LaidLine {
    /// The line's key, as `data-line` has it.
    pub key: String,
    /// The line's lower edge in the window, in pixels. The space above a line belongs to that line.
    pub bottom: f64,
}

/// The layout of all lines in the document.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Laid {
    /// The upper edge of the first line in the window, with the space above it.
    pub top: f64,
    /// The lines from top to bottom.
    pub lines: Vec<LaidLine>,
}

/// The empty spaces that stand for the lines that are not in the document, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pads {
    /// Above the lines in the document.
    pub above: f64,
    /// Below the lines in the document.
    pub below: f64,
}

/// The day of the first visible row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopDay {
    /// There is no row, or the day's separator is visible at the top.
    InSight,
    /// The day's separator is above the visible part and has this text.
    Said(String),
    /// It is the day of the first line in the document.
    OfFirst,
}

/// A scroller whose rows are laid out from the end: unless somebody scrolls, the number of hidden pixels below stays
/// the same when rows come or go. Only the browser provides it. Each method reads the current layout.
pub trait Pane: Send + Sync {
    /// The hidden pixels; `None` while the scroller is not laid out.
    fn hidden(&self) -> Option<Hidden>;
    /// The height of the visible part.
    fn height(&self) -> f64;
    /// Scrolls so that this many pixels are hidden below, as exactly as the browser can.
    fn hide_below(&self, pixels: f64);
    /// The first row whose upper edge is visible; if there is none, the row that fills the visible part.
    fn first_row(&self) -> Option<RowEdge>;
    /// The row that was clicked, while the click is handled. If the row gets shorter while its top is hidden, the
    /// reported edge is such that the row's lower end stays where it was.
    fn touched_row(&self) -> Option<RowEdge>;
    /// The divider of unread messages, and the window position where it should be.
    fn divider(&self) -> Option<(RowEdge, f64)>;
    /// The row with this key, and the window position where a reader who goes to it should find it; `None` if it is not
    /// in the document.
    fn row(&self, key: &str) -> Option<(RowEdge, f64)>;
    /// The message of the first visible row, and how far its upper edge is below that of the visible part.
    fn first_message(&self) -> Option<(MessageId, f64)>;
    /// The upper edge of the visible part in the window.
    fn top(&self) -> f64;
    /// Marks the row with this key for a moment, and moves the focus to it, unless the reader walks through hits.
    fn light(&self, key: &str);
    /// The place of the bubble of this row in the visible part.
    fn bubble(&self, key: &str) -> Option<BubblePlace>;
    /// Moves the focus to the row with this key.
    fn focus(&self, key: &str);
    /// The day of the first visible row.
    fn day(&self) -> TopDay;
    /// The keys of the first and the last line in the document. Unlike the other methods, it works before the document
    /// is laid out.
    fn ends(&self) -> Option<(String, String)>;
    /// The layout of the lines in the document; `None` while the scroller is not laid out.
    fn laid(&self) -> Option<Laid>;
    /// Sets the heights of the spaces above and below the lines.
    fn pad(&self, pads: Pads);
    /// Whether neither of these spaces is visible.
    fn is_filled(&self) -> bool;
}

/// The place of a bubble, in pixels from the upper edge and the left edge of the visible part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BubblePlace {
    /// Its upper edge.
    pub top: f64,
    /// Its lower edge.
    pub bottom: f64,
    /// Its left edge.
    pub left: f64,
    /// Its right edge.
    pub right: f64,
    /// The width of the visible part.
    pub width: f64,
    /// Its height.
    pub height: f64,
}

/// What the reader does with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowEvent {
    /// The mouse is on this message, or on none.
    Pointed(Option<MessageId>),
    /// The keyboard's focus is on this message.
    Focused(MessageId),
    /// The reader asks what can be done with this message: by a long press, the menu key or Enter.
    Asked(MessageId),
    /// The reader swiped this message to the right.
    Swiped(MessageId),
}

/// Receives what the reader does with rows.
pub type RowHeard = Box<dyn Fn(RowEvent)>;

/// An event of a pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaneEvent {
    /// The rows, their sizes or the scroller's size changed, or somebody scrolled; possibly several of these.
    Changed,
    /// Somebody scrolled; possibly nothing else changed.
    Scrolled,
    /// A row was clicked. The click's own action has not run yet.
    Touched,
    /// The Home key was pressed.
    Home,
    /// The End key was pressed.
    End,
}

/// Receives the events of a pane. Returns `true` if it replaces the browser's default action.
pub type Heard = Box<dyn Fn(PaneEvent) -> bool>;
