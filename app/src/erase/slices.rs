//! Hydration in several tasks.
//!
//! Owns the queue of views that hydration left out, and of what waits for all of them. Each view is a task of its own,
//! in the order of the document; what waits runs together at the end. Guarantees that nothing waits if there is no such
//! view, and that a view that fails keeps neither the others nor the end waiting. A hidden page hydrates all in one
//! task, because there timers come once a second. Called by [`super::Erase::later`] and by the bridge, which shows
//! nothing new before the end. The server hydrates nothing, so there nothing ever waits.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

use leptos::prelude::{document, set_timeout};

type Task = Box<dyn FnOnce()>;

#[derive(Default)]
struct Queue {
    slices: VecDeque<Task>,
    at_the_end: Vec<Task>,
    is_waiting: bool,
}

thread_local! {
    static QUEUE: RefCell<Queue> = RefCell::default();
}

/// Hydrates a view in a later task.
#[cfg_attr(feature = "ssr", expect(dead_code, reason = "only a browser hydrates"))]
pub(super) fn add(slice: impl FnOnce() + 'static) {
    let is_first = QUEUE.with_borrow_mut(|queue| {
        queue.slices.push_back(Box::new(slice));
        !std::mem::replace(&mut queue.is_waiting, true)
    });
    if is_first {
        set_timeout(next, Duration::ZERO);
    }
}

/// Runs this after all views are hydrated; at once if none is waiting. During the page's own hydration it could run before
/// the first view is put into the queue, so it is called afterwards, for example by an effect.
pub(crate) fn when_done(task: impl FnOnce() + 'static) {
    if QUEUE.with_borrow(|queue| queue.is_waiting) {
        QUEUE.with_borrow_mut(|queue| queue.at_the_end.push(Box::new(task)));
    } else {
        task();
    }
}

fn next() {
    if QUEUE.with_borrow(|queue| !queue.slices.is_empty()) {
        // Before the view, which may fail.
        set_timeout(next, Duration::ZERO);
    }
    while let Some(slice) = QUEUE.with_borrow_mut(|queue| queue.slices.pop_front()) {
        slice();
        if !document().hidden() {
            return;
        }
    }
    let tasks = QUEUE.with_borrow_mut(|queue| {
        queue.is_waiting = false;
        std::mem::take(&mut queue.at_the_end)
    });
    for task in tasks {
        task();
    }
}
