//! The browser's adapters of Caravana.
//!
//! Owns everything that uses the browser: [`hydrate`], the REST calls, the socket, the clock, the storage, the page's
//! events. Guarantees to make no decisions: the session and the screen make them. Called by the script that the server
//! puts into the page.

mod api;
mod belongings;
mod connector;
mod device;
mod menu;
mod pane;
mod storage;
mod translation;

use std::sync::Arc;

use caravana_app::App;
use caravana_app::i18n::Lang;
use caravana_app::ports::{Api, Theme, ThisDevice, Wire};
use caravana_app::time::Reader;
use leptos::prelude::provide_context;
use wasm_bindgen::prelude::wasm_bindgen;

/// Hydrates the page that the server rendered.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    belongings::after_a_form();
    translation::give_way();
    leptos::mount::hydrate_body(|| {
        let root = device::root();
        let attribute = |name: &str| root.as_ref().and_then(|root| root.get_attribute(name)).unwrap_or_default();
        // The server chose the language and wrote it into the page. A second choice here could differ.
        provide_context(Lang::from_tag(&attribute("lang")).unwrap_or_default());
        provide_context(Theme::from_word(&attribute("data-theme")));
        if let (Ok(now), Ok(zone)) = (attribute("data-now").parse(), attribute("data-zone").parse()) {
            provide_context(Reader::told(now, zone));
        }
        provide_context(Api(Arc::new(api::Rest)));
        provide_context(ThisDevice(Arc::new(device::Page)));
        provide_context(Wire(Arc::new(connector::PageConnector)));
        App()
    });
}
