//! The erased view of the browser: one type for all views.
//!
//! An [`AnyView`](leptos::prelude::AnyView) has eight functions for each type that it is made of. It is made of this one
//! type only, and this one has three functions for each view, and the few that every state has anyway. [`Late`] is a view
//! that is hydrated in a task of its own; until then its element stays as the server rendered it.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::rc::{Rc, Weak};

use leptos::attr::Attribute;
use leptos::attr::any_attribute::AnyAttribute;
use leptos::prelude::{AddAnyAttr, Mountable, Owner, Render, RenderHtml};
use leptos::tachys::hydration::Cursor;
use leptos::tachys::renderer::types::{Element, Node, Placeholder};
use leptos::tachys::renderer::{CastFrom, Rndr};
use leptos::tachys::view::{Position, PositionState};

use super::slices;
use crate::ports::use_device;

/// A view of any type.
pub(super) struct Thin(Box<dyn View + Send>);

impl Thin {
    pub(super) fn new<V: RenderHtml>(view: V) -> Self {
        Self(Box::new(view.into_owned()))
    }

    /// A view of exactly one element, which is hydrated in a task of its own.
    pub(super) fn later<V: RenderHtml>(view: V) -> Self {
        Self(Box::new(Late(Box::new(view.into_owned()))))
    }
}

/// What a view of the browser can do.
trait View {
    fn build(self: Box<Self>) -> Shown;
    fn rebuild(self: Box<Self>, shown: &mut Shown);
    fn hydrate(self: Box<Self>, cursor: &Cursor, position: &PositionState) -> Shown;
}

/// A view in the document. A view without nodes has a placeholder behind it, so that there is a place to insert before.
pub(super) struct Shown {
    /// The type of the view. Views of different types may have states of one type: tags and names of attributes are not in
    /// them.
    of: TypeId,
    state: Box<dyn State>,
    placeholder: Option<Placeholder>,
}

/// The state of a view, which [`View::rebuild`] asks for its type.
trait State: Mountable {
    fn as_any(&mut self) -> &mut dyn Any;
}

impl<T: Mountable + 'static> State for T {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

impl<V: RenderHtml + 'static> View for V {
    fn build(self: Box<Self>) -> Shown {
        let state = Box::new(Render::build(*self));
        Shown { of: TypeId::of::<V>(), state, placeholder: (!V::EXISTS).then(Rndr::create_placeholder) }
    }

    fn rebuild(self: Box<Self>, shown: &mut Shown) {
        let is_same = shown.of == TypeId::of::<V>();
        if let Some(state) = (*shown.state).as_any().downcast_mut::<V::State>().filter(|_| is_same) {
            Render::rebuild(*self, state);
        } else {
            let mut new = View::build(self);
            shown.insert_before_this(&mut new);
            shown.unmount();
            *shown = new;
        }
    }

    fn hydrate(self: Box<Self>, cursor: &Cursor, position: &PositionState) -> Shown {
        let state = Box::new(RenderHtml::hydrate::<true>(*self, cursor, position));
        let placeholder = (!V::EXISTS).then(|| cursor.next_placeholder(position));
        Shown { of: TypeId::of::<V>(), state, placeholder }
    }
}

/// A view of exactly one element, which hydration leaves out at first.
struct Late(Box<dyn View + Send>);

/// Its state, which its task shares while it waits.
struct LateShown(Rc<RefCell<Progress>>);

enum Progress {
    /// The element stands in the document as the server rendered it.
    Waiting(Box<dyn View + Send>, Element),
    /// It is being hydrated now. Nothing else runs meanwhile, so nobody else finds it like this.
    Moving,
    /// The view is hydrated, or was built here.
    Done(Shown),
}

impl View for Late {
    fn build(self: Box<Self>) -> Shown {
        LateShown::of(Progress::Done(self.0.build()))
    }

    fn rebuild(self: Box<Self>, shown: &mut Shown) {
        let late = (*shown.state).as_any().downcast_mut::<LateShown>().map(|late| Rc::clone(&late.0));
        if let Some(late) = late
            && let Progress::Done(inner) = &mut *late.borrow_mut()
        {
            self.0.rebuild(inner);
            return;
        }
        let mut new = View::build(self);
        shown.insert_before_this(&mut new);
        shown.unmount();
        *shown = new;
    }

    fn hydrate(self: Box<Self>, cursor: &Cursor, position: &PositionState) -> Shown {
        // As an element finds itself.
        match position.get() {
            Position::Current => {}
            Position::FirstChild => cursor.child(),
            Position::NextChild | Position::NextChildAfterText | Position::OnlyChild | Position::LastChild => {
                cursor.sibling();
            }
        }
        let Some(element) = Element::cast_from(cursor.current()) else {
            // No element: the view itself reports what it expected here.
            position.set(Position::Current);
            return LateShown::of(Progress::Done(self.0.hydrate(cursor, position)));
        };
        position.set(Position::NextChild);
        let progress = Rc::new(RefCell::new(Progress::Waiting(self.0, element)));
        // A view that was removed meanwhile is not hydrated.
        let (owner, waiting) = (Owner::current().map(|owner| owner.downgrade()), Rc::downgrade(&progress));
        slices::add(move || {
            if let Some(owner) = owner.and_then(|owner| owner.upgrade()) {
                owner.with(|| hydrate_now(&waiting));
            }
        });
        Shown { of: TypeId::of::<Late>(), state: Box::new(LateShown(progress)), placeholder: None }
    }
}

fn hydrate_now(waiting: &Weak<RefCell<Progress>>) {
    let Some(progress) = waiting.upgrade() else { return };
    // Nothing is borrowed meanwhile, because the view may run any code.
    let before = progress.replace(Progress::Moving);
    let after = match before {
        Progress::Waiting(view, element) => {
            // The browser may have translated the page since the others were hydrated.
            if let Some(device) = use_device() {
                device.untranslate(&element);
            }
            let position = PositionState::new(Position::Current);
            Progress::Done(view.hydrate(&Cursor::new(element), &position))
        }
        done @ (Progress::Moving | Progress::Done(_)) => done,
    };
    progress.replace(after);
}

impl LateShown {
    fn of(progress: Progress) -> Shown {
        let state = Box::new(Self(Rc::new(RefCell::new(progress))));
        Shown { of: TypeId::of::<Late>(), state, placeholder: None }
    }
}

impl Mountable for LateShown {
    fn unmount(&mut self) {
        match &mut *self.0.borrow_mut() {
            Progress::Waiting(_, element) => element.unmount(),
            Progress::Moving => {}
            Progress::Done(shown) => shown.unmount(),
        }
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        match &mut *self.0.borrow_mut() {
            Progress::Waiting(_, element) => element.mount(parent, marker),
            Progress::Moving => {}
            Progress::Done(shown) => shown.mount(parent, marker),
        }
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        match &*self.0.borrow() {
            Progress::Waiting(_, element) => element.insert_before_this(child),
            Progress::Moving => false,
            Progress::Done(shown) => shown.insert_before_this(child),
        }
    }

    fn elements(&self) -> Vec<Element> {
        match &*self.0.borrow() {
            Progress::Waiting(_, element) => element.elements(),
            Progress::Moving => Vec::new(),
            Progress::Done(shown) => shown.elements(),
        }
    }
}

impl Mountable for Shown {
    fn unmount(&mut self) {
        self.state.unmount();
        if let Some(placeholder) = &mut self.placeholder {
            placeholder.unmount();
        }
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        self.state.mount(parent, marker);
        if let Some(placeholder) = &mut self.placeholder {
            placeholder.mount(parent, marker);
        }
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        self.state.insert_before_this(child)
            || self.placeholder.as_ref().is_some_and(|placeholder| placeholder.insert_before_this(child))
    }

    fn elements(&self) -> Vec<Element> {
        self.state.elements()
    }
}

impl Render for Thin {
    type State = Shown;

    fn build(self) -> Shown {
        self.0.build()
    }

    fn rebuild(self, shown: &mut Shown) {
        self.0.rebuild(shown);
    }
}

/// An erased view keeps its attributes beside this one.
impl AddAnyAttr for Thin {
    type Output<A: Attribute> = Self;

    fn add_any_attr<A: Attribute>(self, _: A) -> Self {
        self
    }
}

impl RenderHtml for Thin {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    /// Never called: the browser writes no HTML.
    fn to_html_with_buf(self, _: &mut String, _: &mut Position, _: bool, _: bool, _: Vec<AnyAttribute>) {}

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> Shown {
        self.0.hydrate(cursor, position)
    }

    fn into_owned(self) -> Self {
        self
    }
}
