//! The browser's adapters of Caravana.
//!
//! Owns everything that uses the browser: [`hydrate`], the REST calls, the socket, the clock, the storage, the page's
//! events. Guarantees to make no decisions: the session and the screen make them. Called by the script that the server
//! puts into the page.

mod api;
mod belongings;
mod connector;
mod device;
mod keyboard;
mod menu;
mod notices;
mod pane;
mod rows;
mod storage;
mod translation;
mod zones;

use std::sync::Arc;

use caravana_app::App;
use caravana_app::i18n::Lang;
use caravana_app::ports::{Api, Device as _, IsNew, Theme, ThisDevice, Wire};
use caravana_app::time::Reader;
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::provide_context;
use wasm_bindgen::prelude::wasm_bindgen;

/// How often the code of this page is asked for before it stays as the server rendered it. The loader waits a second
/// longer each time.
const ATTEMPTS: u32 = 8;

/// Hydrates the page that the server rendered, as soon as all of its code is there.
#[wasm_bindgen]
pub async fn hydrate() {
    console_error_panic_hook::set_once();
    belongings::after_a_form();
    translation::give_way();
    keyboard::follow();
    let path = device::path();
    for attempt in 1..=ATTEMPTS {
        if caravana_app::pages::load_for(&path).await.is_ok() {
            if device::is_elsewhere() {
                device::Page.reload();
            } else {
                take_over();
            }
            return;
        }
        TimeoutFuture::new(attempt * 1_000).await;
    }
}

fn take_over() {
    leptos::mount::hydrate_body(|| {
        let root = device::root();
        let attribute = |name: &str| root.as_ref().and_then(|root| root.get_attribute(name)).unwrap_or_default();
        // The server chose the language and wrote it into the page. A second choice here could differ.
        provide_context(Lang::from_tag(&attribute("lang")).unwrap_or_default());
        provide_context(Theme::from_word(&attribute("data-theme")));
        provide_context(IsNew(root.as_ref().is_some_and(|root| root.has_attribute("data-new"))));
        if let (Ok(now), Ok(zone)) = (attribute("data-now").parse(), attribute("data-zone").parse()) {
            provide_context(Reader::told(now, zone));
        }
        provide_context(Api(Arc::new(api::Rest)));
        provide_context(ThisDevice(Arc::new(device::Page)));
        provide_context(Wire(Arc::new(connector::PageConnector)));
        App()
    });
}
