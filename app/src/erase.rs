//! Erases the type of views, without the code that only lazily loaded pages need.
//!
//! Owns [`Erase`], which every component of this crate ends with. Leptos' own `into_any` makes eight functions for every
//! type of view; one of them is a second, asynchronous way of hydration, which only `hydrate_lazy` uses. The browser's
//! erased view (`thin`) has three. The server's (`at_once`) renders the same HTML as `into_any`. Guarantees the same
//! DOM as `into_any`. An erased view is hydrated at once, even if its parent would wait; only [`Erase::later`] gives a
//! view a task of its own ([`slices`]).

use leptos::prelude::{AnyView, IntoAny as _, RenderHtml};

#[cfg(feature = "ssr")]
mod at_once;
pub(crate) mod slices;
#[cfg(not(feature = "ssr"))]
mod thin;

/// Forgets the type of a view.
pub(crate) trait Erase {
    /// The view as an [`AnyView`].
    fn erase(self) -> AnyView;

    /// The same for a view of exactly one element that takes long to hydrate. It is hydrated later in a task of its own, so
    /// that the page answers in between. Until then, nothing that it shows may change: the bridge
    /// shows what comes from the session after the last such view ([`slices::when_done`]).
    fn later(self) -> AnyView;
}

impl<V: RenderHtml> Erase for V {
    fn erase(self) -> AnyView {
        #[cfg(feature = "ssr")]
        let view = at_once::AtOnce(self);
        #[cfg(not(feature = "ssr"))]
        let view = thin::Thin::new(self);
        view.into_any()
    }

    #[cfg(feature = "ssr")]
    fn later(self) -> AnyView {
        self.erase()
    }

    #[cfg(not(feature = "ssr"))]
    fn later(self) -> AnyView {
        thin::Thin::later(self).into_any()
    }
}
