//! What the reader does with the rows of a conversation: by mouse, finger and keyboard.
//!
//! Listens on the scroller and on the element around it, which also has the bar of a row's actions, instead of on every
//! row. Decides what a movement means (a long press, a swipe, a step to the next row); what follows from it is decided
//! by the screen ([`caravana_app::ports::RowEvent`]).

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use caravana_app::ports::{RowEvent, RowHeard, Scroller};
use caravana_protocol::MessageId;
use send_wrapper::SendWrapper;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{
    AddEventListenerOptions, Element, Event, EventTarget, HtmlElement, KeyboardEvent, PointerEvent, TouchEvent,
};

/// A finger that stays this long on a row, in milliseconds, asks what can be done with the message.
const LONG_PRESS_MS: i32 = 450;
/// A finger that moves further than this, in pixels, scrolls or swipes.
const STILL: f64 = 10.0;
/// A swipe this far to the right, in pixels, replies. The row follows the finger up to a little more.
const SWIPE: f64 = 56.0;
const SWIPE_END: f64 = 72.0;
/// Rows of messages.
const ROWS: &str = ".row[data-id]";

type Listener = (EventTarget, &'static str, Closure<dyn FnMut(Event)>);

/// Listens until the returned function is called.
pub(crate) fn listen(scroller: &Scroller, heard: RowHeard) -> Box<dyn FnOnce() + Send + Sync> {
    let heard: Rc<dyn Fn(RowEvent)> = heard.into();
    let mut listeners = Vec::new();
    mouse(&mut listeners, scroller, &heard);
    keys(&mut listeners, scroller, &heard);
    finger(&mut listeners, scroller, &heard);
    let listeners = SendWrapper::new(listeners);
    Box::new(move || {
        for (target, name, listener) in listeners.take() {
            let _ = target.remove_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
        }
    })
}

fn on(listeners: &mut Vec<Listener>, target: &EventTarget, name: &'static str, listener: impl FnMut(Event) + 'static) {
    let listener = Closure::<dyn FnMut(Event)>::new(listener);
    let function = listener.as_ref().unchecked_ref();
    if target.add_event_listener_with_callback(name, function).is_ok() {
        listeners.push((target.clone(), name, listener));
    }
}

/// The same for a listener that never stops the browser's own action, which then need not wait for it.
fn on_passive(
    listeners: &mut Vec<Listener>,
    target: &EventTarget,
    name: &'static str,
    listener: impl FnMut(Event) + 'static,
) {
    let listener = Closure::<dyn FnMut(Event)>::new(listener);
    let passive = AddEventListenerOptions::new();
    passive.set_passive(true);
    let function = listener.as_ref().unchecked_ref();
    if target.add_event_listener_with_callback_and_add_event_listener_options(name, function, &passive).is_ok() {
        listeners.push((target.clone(), name, listener));
    }
}

fn element(target: Option<EventTarget>) -> Option<Element> {
    target.and_then(|target| target.dyn_into().ok())
}

/// The row around an element, and its message.
fn row_of(element: &Element) -> Option<(HtmlElement, MessageId)> {
    let row = element.closest(ROWS).ok().flatten()?;
    let id = row.get_attribute("data-id")?.parse().ok()?;
    Some((row.dyn_into().ok()?, id))
}

fn message_of(target: Option<EventTarget>) -> Option<MessageId> {
    row_of(&element(target)?).map(|(_, id)| id)
}

fn mouse(listeners: &mut Vec<Listener>, scroller: &Scroller, heard: &Rc<dyn Fn(RowEvent)>) {
    let around = scroller.parent_element().unwrap_or_else(|| scroller.clone().into());
    let over = heard.clone();
    on_passive(listeners, &around, "pointermove", move |event| {
        let is_mouse = event.dyn_ref::<PointerEvent>().is_some_and(|event| event.pointer_type() == "mouse");
        let Some(target) = element(event.target()).filter(|_| is_mouse) else { return };
        // The bar belongs to the row that it is shown for.
        if target.closest(".row-bar").ok().flatten().is_none() {
            over(RowEvent::Pointed(row_of(&target).map(|(_, id)| id)));
        }
    });
    let leave = heard.clone();
    on(listeners, &around, "pointerleave", move |_| leave(RowEvent::Pointed(None)));
    let moved = heard.clone();
    // Scroll events do not bubble.
    on_passive(listeners, scroller, "scroll", move |_| {
        moved(RowEvent::Pointed(None));
    });
}

fn keys(listeners: &mut Vec<Listener>, scroller: &Scroller, heard: &Rc<dyn Fn(RowEvent)>) {
    let focused = heard.clone();
    on(listeners, scroller, "focusin", move |event| {
        let Some(target) = element(event.target()) else { return };
        // A press of the mouse on a link focuses, too, and the bar would follow the press.
        if let Some((row, id)) = row_of(&target).filter(|(row, _)| row.matches(":focus-visible").unwrap_or(false)) {
            drop(row);
            focused(RowEvent::Focused(id));
        }
    });
    let (pressed, pane) = (heard.clone(), scroller.clone());
    on(listeners, scroller, "keydown", move |event| {
        let Some(key) = event.dyn_ref::<KeyboardEvent>() else { return };
        let Some(target) = element(key.target()) else { return };
        let row = row_of(&target).filter(|(row, _)| row.is_same_node(Some(&target)));
        let bare = !(key.ctrl_key() || key.alt_key() || key.meta_key());
        let on_scroller = pane.is_same_node(Some(&target));
        let taken = match (key.key().as_str(), row) {
            ("ArrowUp" | "ArrowDown", Some((row, _))) if bare && !key.shift_key() => step(&row, key.key() == "ArrowUp"),
            ("ArrowUp" | "ArrowDown", None) if bare && !key.shift_key() && on_scroller => enter(&pane),
            ("Enter" | " " | "ContextMenu", Some((_, id))) if bare => {
                pressed(RowEvent::Asked(id));
                true
            }
            ("F10", Some((_, id))) if key.shift_key() => {
                pressed(RowEvent::Asked(id));
                true
            }
            _ => false,
        };
        if taken {
            event.prevent_default();
        }
    });
}

/// Moves the focus to the next row above or below. Returns whether there is one.
fn step(row: &HtmlElement, up: bool) -> bool {
    let mut next = beside(row, up);
    while let Some(other) = next {
        if other.matches(ROWS).unwrap_or(false) {
            return other.dyn_ref::<HtmlElement>().is_some_and(|other| other.focus().is_ok());
        }
        next = beside(&other, up);
    }
    false
}

fn beside(row: &Element, up: bool) -> Option<Element> {
    if up { row.previous_element_sibling() } else { row.next_element_sibling() }
}

/// Moves the focus to the last row that is in view.
fn enter(scroller: &Scroller) -> bool {
    let bottom = scroller.get_bounding_client_rect().bottom();
    let Ok(rows) = scroller.query_selector_all(ROWS) else { return false };
    let rows = (0..rows.length()).rev().filter_map(|number| rows.item(number)?.dyn_into::<HtmlElement>().ok());
    let mut in_view = rows.filter(|row| row.get_bounding_client_rect().top() < bottom - 1.0);
    in_view.next().is_some_and(|row| row.focus().is_ok())
}

/// A finger on a row.
#[derive(Default)]
struct Finger {
    row: Option<(HtmlElement, MessageId)>,
    from: (f64, f64),
    /// The number of the press, so that a timer knows whether it is still the same.
    press: u32,
    swipes: bool,
}

fn finger(listeners: &mut Vec<Listener>, scroller: &Scroller, heard: &Rc<dyn Fn(RowEvent)>) {
    let state = Rc::new(RefCell::new(Finger::default()));
    // The last long press, whose click and menu of the browser are not wanted.
    let held = Rc::new(Cell::new(false));
    let (start, asks, holds) = (state.clone(), heard.clone(), held.clone());
    on_passive(listeners, scroller, "touchstart", move |event| {
        let Some(touch) = event.dyn_ref::<TouchEvent>() else { return };
        holds.set(false);
        let mut finger = start.borrow_mut();
        // A second finger ends a swipe.
        if let Some((row, _)) = finger.row.take() {
            slide(&row, 0.0);
        }
        finger.press += 1;
        finger.swipes = false;
        let alone = touch.touches().length() == 1;
        finger.row = element(event.target()).filter(|_| alone).and_then(|target| row_of(&target));
        let Some(point) = touch.touches().get(0).filter(|_| finger.row.is_some()) else { return };
        finger.from = (f64::from(point.client_x()), f64::from(point.client_y()));
        let (press, state, asks, holds) = (finger.press, start.clone(), asks.clone(), holds.clone());
        let waited = Closure::once_into_js(move || {
            let mut finger = state.borrow_mut();
            if finger.press == press
                && !finger.swipes
                && let Some((_, id)) = finger.row.take()
            {
                drop(finger);
                holds.set(true);
                asks(RowEvent::Asked(id));
            }
        });
        if let Some(window) = web_sys::window() {
            let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(waited.unchecked_ref(), LONG_PRESS_MS);
        }
    });
    let moving = state.clone();
    on_passive(listeners, scroller, "touchmove", move |event| {
        let Some(point) = event.dyn_ref::<TouchEvent>().and_then(|touch| touch.touches().get(0)) else { return };
        let mut finger = moving.borrow_mut();
        let (x, y) = (f64::from(point.client_x()) - finger.from.0, f64::from(point.client_y()) - finger.from.1);
        let Some((row, _)) = &finger.row else { return };
        if !finger.swipes && (y.abs() > STILL || x < -STILL) {
            finger.row = None;
            return;
        }
        if finger.swipes || x > STILL {
            slide(row, x.clamp(0.0, SWIPE_END));
            finger.swipes = true;
        }
    });
    for name in ["touchend", "touchcancel"] {
        let (end, swiped, holds) = (state.clone(), heard.clone(), held.clone());
        on(listeners, scroller, name, move |event| {
            if holds.get() && name == "touchend" && event.cancelable() {
                // No click follows a long press.
                event.prevent_default();
            }
            let mut finger = end.borrow_mut();
            finger.press += 1;
            let Some((row, id)) = finger.row.take().filter(|_| finger.swipes) else { return };
            let point = event.dyn_ref::<TouchEvent>().and_then(|touch| touch.changed_touches().get(0));
            let far = point.is_some_and(|point| f64::from(point.client_x()) - finger.from.0 >= SWIPE);
            drop(finger);
            slide(&row, 0.0);
            if far && name == "touchend" {
                swiped(RowEvent::Swiped(id));
            }
        });
    }
    // A mouse's own menu has what people expect of it: links, words, selections. The menu key on a row is handled with
    // the other keys. Not every browser says what opened the menu, so the last press decides.
    let by_finger = Rc::new(Cell::new(false));
    let pressed = by_finger.clone();
    on_passive(listeners, scroller, "pointerdown", move |event| {
        pressed.set(event.dyn_ref::<PointerEvent>().is_some_and(|event| event.pointer_type() == "touch"));
    });
    let typed = by_finger.clone();
    on_passive(listeners, scroller, "keydown", move |_| typed.set(false));
    let asks = heard.clone();
    on(listeners, scroller, "contextmenu", move |event| {
        if !by_finger.get() {
            return;
        }
        event.prevent_default();
        if held.replace(true) {
            return;
        }
        if let Some(id) = message_of(event.target()) {
            asks(RowEvent::Asked(id));
        }
    });
}

/// Moves a row to the right, with the finger; 0 puts it back.
fn slide(row: &HtmlElement, pixels: f64) {
    let style = row.style();
    let _ = if pixels > 0.0 {
        style.set_property("translate", &format!("{pixels}px"))
    } else {
        style.remove_property("translate").map(drop)
    };
}
