//! Erases the type of views, without the code that only lazily loaded pages need.
//!
//! Owns [`Erase`], which every component of this crate ends with. Leptos' own `into_any` makes eight functions for every
//! type of view; one of them is a second, asynchronous way of hydration, which only `hydrate_lazy` uses. The browser's
//! erased view (`thin`) has three. The server's (`at_once`) renders the same HTML as `into_any`. Guarantees the same
//! DOM as `into_any`. Never delays anything: a view that is erased here is hydrated at once, even if its parent would
//! wait.

use leptos::prelude::{AnyView, IntoAny as _, RenderHtml};

#[cfg(feature = "ssr")]
mod at_once;
#[cfg(not(feature = "ssr"))]
mod thin;

/// Forgets the type of a view.
pub(crate) trait Erase {
    /// The view as an [`AnyView`].
    fn erase(self) -> AnyView;
}

impl<V: RenderHtml> Erase for V {
    fn erase(self) -> AnyView {
        #[cfg(feature = "ssr")]
        let view = at_once::AtOnce(self);
        #[cfg(not(feature = "ssr"))]
        let view = thin::Thin::new(self);
        view.into_any()
    }
}
