//! Observes a scroller in the browser: the positions of its rows, and changes to them.
//!
//! Guarantees that changes are reported before the browser paints: changes of the document in the task that makes them,
//! scrolling and resizing of the window before the frame, and changes that only the layout shows (a font, a picture)
//! right after the layout. Makes no decisions: [`caravana_app::ports::Pane`].

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use caravana_app::ports::{BubblePlace, Heard, Hidden, Laid, Pads, Pane, PaneEvent, RowEdge, Scroller, TopDay};
use caravana_protocol::MessageId;
use js_sys::Reflect;
use send_wrapper::SendWrapper;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{
    Element, Event, EventTarget, FocusOptions, HtmlElement, KeyboardEvent, MutationObserver, MutationObserverInit,
    ResizeObserver,
};

mod focus;
mod spaces;

use focus::keep_focus;
use spaces::Spaces;

/// The position of the unread divider, in pixels below the scroller's upper edge.
const DIVIDER: f64 = 80.0;
/// The label with the day, shown above the rows, covers this many pixels below the scroller's upper edge.
const ON_TOP: f64 = 48.0;
/// The class of a row that is marked, and for how long, in milliseconds.
const LIT: &str = "lit";
const LIT_MS: i32 = 2_000;
/// Elements that can serve as scroll anchors. Separators cannot, because they come and go with the rows around them.
const ROWS: &str = ".row, .notice, .gap";

/// The scroller of a conversation.
pub(crate) struct LaidOut(SendWrapper<Parts>);

/// The target, the event's name, and the listener.
type Listener = (EventTarget, &'static str, Closure<dyn FnMut(Event)>);

struct Parts {
    scroller: Scroller,
    rows: Element,
    spaces: Option<Spaces>,
    touched: Rc<RefCell<Option<Element>>>,
    changes: Option<MutationObserver>,
    sizes: Option<ResizeObserver>,
    listeners: Vec<Listener>,
    _heard: [Closure<dyn FnMut()>; 2],
}

/// The sizes of the rows together and of the scroller, as bits, because only their equality counts.
type Sizes = [u64; 4];

impl LaidOut {
    pub(crate) fn new(scroller: Scroller, happened: Heard) -> Self {
        let happened: Rc<dyn Fn(PaneEvent) -> bool> = happened.into();
        let rows = scroller.first_element_child().unwrap_or_else(|| scroller.clone().into());
        let focused: Rc<RefCell<Option<Element>>> = Rc::new(RefCell::new(None));
        let sizes = {
            let (scroller, rows) = (scroller.clone(), rows.clone());
            move || -> Sizes {
                let (inner, outer) = (rows.get_bounding_client_rect(), scroller.get_bounding_client_rect());
                [inner.width(), inner.height(), outer.width(), outer.height()].map(f64::to_bits)
            }
        };
        let known: Rc<Cell<Option<Sizes>>> = Rc::default();
        let heard = {
            let (happened, focused, scroller) = (happened.clone(), focused.clone(), scroller.clone());
            let (sizes, known) = (sizes.clone(), known.clone());
            Rc::new(move || {
                keep_focus(&focused, &scroller);
                happened(PaneEvent::Changed);
                known.set(Some(sizes()));
            })
        };
        let if_resized = {
            let heard = heard.clone();
            move || {
                // The new sizes that follow from a change of the document were looked at right after that change.
                if known.get() != Some(sizes()) {
                    heard();
                }
            }
        };
        let heard = [Closure::<dyn FnMut()>::new(move || heard()), Closure::new(if_resized)];
        let [if_changed, if_resized] = heard.each_ref().map(|heard| heard.as_ref().unchecked_ref());
        // Every supported browser has both observers. Without them, rows would be put back at the next scroll event.
        let changes = MutationObserver::new(if_changed).ok();
        let sizes = ResizeObserver::new(if_resized).ok();
        let touched = Rc::new(RefCell::new(None));
        let spaces = Spaces::of(&rows);
        let mut parts = Parts { scroller, rows, spaces, touched, changes, sizes, listeners: Vec::new(), _heard: heard };
        parts.observe();
        parts.listen(&happened);
        parts.listen_to_focus(focused);
        Self(SendWrapper::new(parts))
    }
}

impl Parts {
    fn observe(&self) {
        let everything = MutationObserverInit::new();
        everything.set_child_list(true);
        everything.set_subtree(true);
        everything.set_character_data(true);
        if let Some(changes) = &self.changes {
            // Elements above and below the scroller determine its size.
            if let Some(pane) = self.scroller.closest("main").ok().flatten() {
                let _ = changes.observe_with_options(&pane, &everything);
            }
            // Classes change the form of rows.
            everything.set_attributes(true);
            let _ = changes.observe_with_options(&self.rows, &everything);
        }
        if let Some(sizes) = &self.sizes {
            sizes.observe(&self.scroller);
            sizes.observe(&self.rows);
        }
    }

    fn listen(&mut self, happened: &Rc<dyn Fn(PaneEvent) -> bool>) {
        let tells = |what| {
            let happened = happened.clone();
            Closure::new(move |_| {
                happened(what);
            })
        };
        let scroller: EventTarget = self.scroller.clone().into();
        self.on(scroller.clone(), "scroll", tells(PaneEvent::Scrolled));
        if let Some(window) = web_sys::window() {
            self.on(window.into(), "resize", tells(PaneEvent::Changed));
        }
        let goes = happened.clone();
        let key = move |event: Event| {
            let Some(key) = event.dyn_ref::<KeyboardEvent>().filter(|key| is_bare(key)) else { return };
            let taken = match key.key().as_str() {
                "Home" => goes(PaneEvent::Home),
                "End" => goes(PaneEvent::End),
                _ => false,
            };
            if taken {
                event.prevent_default();
            }
        };
        self.on(scroller.clone(), "keydown", Closure::new(key));
        let (happened, touched) = (happened.clone(), self.touched.clone());
        let touch = move |event: Event| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let row = target.and_then(|target| target.closest(ROWS).ok().flatten());
            touched.replace(row);
            happened(PaneEvent::Touched);
            touched.replace(None);
        };
        self.on(scroller, "click", Closure::new(touch));
    }

    fn listen_to_focus(&mut self, focused: Rc<RefCell<Option<Element>>>) {
        let Some(window) = web_sys::window() else { return };
        // A row that is removed or moved loses the focus, and its event looks as if the reader had left it. So only what
        // the reader does counts: another focus, and a press anywhere.
        let (rows, pressed) = (self.rows.clone(), focused.clone());
        let focus = move |event: Event| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            focused.replace(target.filter(|target| rows.contains(Some(target))));
        };
        self.on(window.clone().into(), "focusin", Closure::new(focus));
        let press = move |_| {
            pressed.replace(None);
        };
        self.on(window.into(), "pointerdown", Closure::new(press));
    }

    /// Listens in the capture phase: before any other handler acts.
    fn on(&mut self, target: EventTarget, name: &'static str, listener: Closure<dyn FnMut(Event)>) {
        let function = listener.as_ref().unchecked_ref();
        if target.add_event_listener_with_callback_and_bool(name, function, true).is_ok() {
            self.listeners.push((target, name, listener));
        }
    }

    /// The row of a message. Keys are ids, so they need no escapes.
    fn row(&self, key: &str) -> Option<HtmlElement> {
        let row = self.rows.query_selector(&format!("[data-id=\"{key}\"]")).ok().flatten();
        row.and_then(|row| row.dyn_into().ok())
    }

    fn top(&self) -> f64 {
        self.scroller.get_bounding_client_rect().top()
    }

    /// Binary search in elements that are stacked vertically: the index of the first one whose edge is below a line.
    fn first_below(count: u32, edge: impl Fn(u32) -> f64, line: f64) -> u32 {
        let (mut from, mut to) = (0, count);
        while from < to {
            let middle = from + (to - from) / 2;
            if edge(middle) > line { to = middle } else { from = middle + 1 }
        }
        from
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        if let Some(changes) = &self.changes {
            changes.disconnect();
        }
        if let Some(sizes) = &self.sizes {
            sizes.disconnect();
        }
        for (target, name, listener) in &self.listeners {
            let function = listener.as_ref().unchecked_ref();
            let _ = target.remove_event_listener_with_callback_and_bool(name, function, true);
        }
    }
}

/// Whether no modifier key is pressed: with one, the key would mean something else.
fn is_bare(key: &KeyboardEvent) -> bool {
    !(key.ctrl_key() || key.alt_key() || key.meta_key() || key.shift_key())
}

/// Gives a row's upper edge while the row is in the document.
fn edge(row: Element) -> RowEdge {
    let row = SendWrapper::new(row);
    Arc::new(move || row.is_connected().then(|| row.get_bounding_client_rect().top()))
}

/// Like [`edge`], for a row that was clicked. If the click makes the row shorter while its top is hidden, the reported
/// edge keeps the row's lower end, and the control that was clicked there, where it was; or lower, if that makes the
/// whole row visible.
fn touched_edge(row: Element, scroller: Scroller) -> RowEdge {
    let before = row.get_bounding_client_rect();
    let parts = SendWrapper::new((row, scroller, before));
    Arc::new(move || {
        let (row, scroller, before) = &*parts;
        let (now, window) = (row.get_bounding_client_rect(), scroller.get_bounding_client_rect());
        let end = if before.top() >= window.top() || now.height() >= before.height() {
            now.height() + before.top()
        } else {
            (window.top() + now.height()).min(window.bottom()).max(before.bottom())
        };
        row.is_connected().then(|| before.top() + now.bottom() - end)
    })
}

impl Pane for LaidOut {
    fn hidden(&self) -> Option<Hidden> {
        let scroller = &self.0.scroller;
        let height = scroller.client_height();
        // The binding's own getter drops fractions, which occur on screens with fractional pixels.
        let name = JsValue::from_str("scrollTop");
        let top = Reflect::get(scroller, &name).ok().and_then(|top| top.as_f64()).filter(|_| height > 0)?;
        Some(Hidden { above: f64::from(scroller.scroll_height() - height) + top, below: -top })
    }

    fn hide_below(&self, pixels: f64) {
        #[expect(clippy::cast_possible_truncation, reason = "browsers lay out less than 2^31 pixels")]
        let top = -pixels.round() as i32;
        self.0.scroller.set_scroll_top(top);
    }

    fn first_row(&self) -> Option<RowEdge> {
        let (rows, top) = (self.0.rows.children(), self.0.top());
        let row = |number| rows.item(number);
        let bottom = |number| row(number).map_or(f64::MAX, |row| row.get_bounding_client_rect().bottom());
        let mut alone = None;
        for number in Parts::first_below(rows.length(), bottom, top)..rows.length() {
            let Some(row) = row(number).filter(|row| row.matches(ROWS).unwrap_or(false)) else { continue };
            let place = row.get_bounding_client_rect();
            if place.top() >= top {
                // If a single huge row fills the visible part, the next row begins below it and is not visible.
                let in_sight = place.top() < top + f64::from(self.0.scroller.client_height());
                return Some(edge(alone.filter(|_| !in_sight).unwrap_or(row)));
            }
            alone = Some(row);
        }
        alone.map(edge)
    }

    fn touched_row(&self) -> Option<RowEdge> {
        let row = self.0.touched.borrow().clone();
        row.map(|row| touched_edge(row, self.0.scroller.clone()))
    }

    fn divider(&self) -> Option<(RowEdge, f64)> {
        let divider = self.0.rows.query_selector(".unread").ok().flatten()?;
        Some((edge(divider), self.0.top() + DIVIDER))
    }

    fn row(&self, key: &str) -> Option<(RowEdge, f64)> {
        let row = self.0.row(key)?;
        let spare = f64::from(self.0.scroller.client_height()) - row.get_bounding_client_rect().height();
        Some((edge(row.into()), self.0.top() + (spare / 2.0).max(DIVIDER)))
    }

    fn top(&self) -> f64 {
        self.0.top()
    }

    fn first_message(&self) -> Option<(MessageId, f64)> {
        let (rows, top) = (self.0.rows.children(), self.0.top());
        let place = |number| rows.item(number).map(|row| row.get_bounding_client_rect());
        let first = Parts::first_below(rows.length(), |number| place(number).map_or(f64::MAX, |row| row.bottom()), top);
        (first..rows.length()).find_map(|number| {
            let id = rows.item(number)?.get_attribute("data-id")?.parse().ok()?;
            Some((id, place(number)?.top() - top))
        })
    }

    fn light(&self, key: &str) {
        let Some(row) = self.0.row(key) else { return };
        let focused = web_sys::window().and_then(|window| window.document()?.active_element());
        if focused.is_none_or(|focused| focused.closest(".search, dialog").ok().flatten().is_none()) {
            let still = FocusOptions::new();
            still.set_prevent_scroll(true);
            let _ = row.focus_with_options(&still);
        }
        let lit = row.class_list();
        let _ = lit.add_1(LIT);
        let dark = Closure::once_into_js(move || {
            let _ = lit.remove_1(LIT);
        });
        if let Some(window) = web_sys::window() {
            let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(dark.unchecked_ref(), LIT_MS);
        }
    }

    fn bubble(&self, key: &str) -> Option<BubblePlace> {
        let bubble = self.0.row(key)?.query_selector(".bubble").ok().flatten()?.get_bounding_client_rect();
        let pane = self.0.scroller.get_bounding_client_rect();
        Some(BubblePlace {
            top: bubble.top() - pane.top(),
            bottom: bubble.bottom() - pane.top(),
            left: bubble.left() - pane.left(),
            right: bubble.right() - pane.left(),
            width: f64::from(self.0.scroller.client_width()),
            height: pane.height(),
        })
    }

    fn focus(&self, key: &str) {
        if let Some(row) = self.0.row(key) {
            let _ = row.focus();
        }
    }

    fn day(&self) -> TopDay {
        let (days, top) = (self.0.rows.get_elements_by_class_name("day"), self.0.top());
        // The label alone, without the space below it.
        let place = |number| {
            let day = days.item(number);
            day.map(|day| day.first_element_child().unwrap_or(day).get_bounding_client_rect())
        };
        let bottom = |number| place(number).map_or(f64::MAX, |day| day.bottom());
        let next = Parts::first_below(days.length(), bottom, top);
        if place(next).is_some_and(|day| day.top() < top + ON_TOP) {
            return TopDay::InSight;
        }
        match next.checked_sub(1) {
            Some(above) => days.item(above).and_then(|day| day.text_content()).map_or(TopDay::InSight, TopDay::Said),
            None if self.0.spaces.as_ref().is_some_and(Spaces::are_followed_by_day) => TopDay::InSight,
            None => TopDay::OfFirst,
        }
    }

    fn height(&self) -> f64 {
        f64::from(self.0.scroller.client_height())
    }

    fn ends(&self) -> Option<(String, String)> {
        self.0.spaces.as_ref()?.ends()
    }

    fn laid(&self) -> Option<Laid> {
        self.0.spaces.as_ref().filter(|_| self.0.scroller.client_height() > 0).map(Spaces::laid)
    }

    fn pad(&self, pads: Pads) {
        if let Some(spaces) = &self.0.spaces {
            spaces.set(pads);
        }
    }

    fn is_filled(&self) -> bool {
        self.0.spaces.as_ref().is_none_or(|spaces| !spaces.reach_into(&self.0.scroller))
    }
}
