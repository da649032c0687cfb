//! Hydration in several tasks.
//!
//! Owns the queue of views that hydration left out, and of what waits for all of them. Each is a task of its own, in
//! the order of the document. Guarantees that nothing waits if there is no such view. Called by [`super::Erase::later`]
//! and by the bridge, which shows nothing new before the end. The server hydrates nothing, so there nothing ever waits.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

use leptos::prelude::set_timeout;

type Task = Box<dyn FnOnce()>;

#[derive(Default)]
struct Queue {
    slices: VecDeque<Task>,
    last: Vec<Task>,
    is_running: bool,
}

thread_local! {
    static QUEUE: RefCell<Queue> = RefCell::default();
}

/// Hydrates a view in a later task.
#[cfg_attr(feature = "ssr", expect(dead_code, reason = "only a browser hydrates"))]
pub(super) fn add(slice: impl FnOnce() + 'static) {
    let is_first = QUEUE.with_borrow_mut(|queue| {
        queue.slices.push_back(Box::new(slice));
        !std::mem::replace(&mut queue.is_running, true)
    });
    if is_first {
        set_timeout(next, Duration::ZERO);
    }
}

/// Runs this after all views are hydrated; at once if none is waiting. To be called after the hydration of the page, for
/// example by an effect.
pub(crate) fn when_done(task: impl FnOnce() + 'static) {
    if QUEUE.with_borrow(|queue| queue.is_running) {
        QUEUE.with_borrow_mut(|queue| queue.last.push(Box::new(task)));
    } else {
        task();
    }
}

fn next() {
    if let Some(slice) = QUEUE.with_borrow_mut(|queue| queue.slices.pop_front()) {
        slice();
        set_timeout(next, Duration::ZERO);
        return;
    }
    let last = QUEUE.with_borrow_mut(|queue| {
        queue.is_running = false;
        std::mem::take(&mut queue.last)
    });
    for task in last {
        task();
    }
}
