//! Erases the type of views, without the code that only lazily loaded pages need.
//!
//! Owns [`Erase`], which every component of this crate ends with. Leptos' own `into_any` adds a second, asynchronous
//! way of hydration for every erased view, although only `hydrate_lazy` uses it; it was an eighth of the browser's
//! bundle. Guarantees the same HTML and the same DOM as `into_any`. Never delays anything: a view that is erased here
//! is hydrated at once, even if its parent would wait.

use leptos::attr::Attribute;
use leptos::attr::any_attribute::AnyAttribute;
use leptos::prelude::{AddAnyAttr, AnyView, IntoAny as _, Render, RenderHtml};
use leptos::tachys::hydration::Cursor;
use leptos::tachys::ssr::StreamBuilder;
use leptos::tachys::view::{Position, PositionState};

/// Forgets the type of a view.
pub(crate) trait Erase {
    /// The view as an [`AnyView`].
    fn erase(self) -> AnyView;
}

impl<V: RenderHtml> Erase for V {
    fn erase(self) -> AnyView {
        AtOnce(self).into_any()
    }
}

/// A view that is hydrated in one step. It forwards everything to the inner view except `hydrate_async`, which keeps
/// the trait's default: it calls `hydrate`.
struct AtOnce<V>(V);

impl<V: Render> Render for AtOnce<V> {
    type State = V::State;

    fn build(self) -> Self::State {
        self.0.build()
    }

    fn rebuild(self, state: &mut Self::State) {
        self.0.rebuild(state);
    }
}

impl<V: AddAnyAttr> AddAnyAttr for AtOnce<V> {
    type Output<A: Attribute> = AtOnce<V::Output<A>>;

    fn add_any_attr<A: Attribute>(self, attribute: A) -> Self::Output<A>
    where
        Self::Output<A>: RenderHtml,
    {
        AtOnce(self.0.add_any_attr(attribute))
    }
}

impl<V: RenderHtml> RenderHtml for AtOnce<V> {
    type AsyncOutput = V::AsyncOutput;
    type Owned = AtOnce<V::Owned>;

    const MIN_LENGTH: usize = V::MIN_LENGTH;
    const EXISTS: bool = V::EXISTS;

    fn dry_resolve(&mut self) {
        self.0.dry_resolve();
    }

    fn resolve(self) -> impl Future<Output = Self::AsyncOutput> + Send {
        self.0.resolve()
    }

    fn html_len(&self) -> usize {
        self.0.html_len()
    }

    fn to_html_with_buf(
        self,
        html: &mut String,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        attributes: Vec<AnyAttribute>,
    ) {
        self.0.to_html_with_buf(html, position, escape, mark_branches, attributes);
    }

    fn to_html_async_with_buf<const OUT_OF_ORDER: bool>(
        self,
        html: &mut StreamBuilder,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        attributes: Vec<AnyAttribute>,
    ) {
        self.0.to_html_async_with_buf::<OUT_OF_ORDER>(html, position, escape, mark_branches, attributes);
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> Self::State {
        self.0.hydrate::<FROM_SERVER>(cursor, position)
    }

    fn into_owned(self) -> Self::Owned {
        AtOnce(self.0.into_owned())
    }
}
