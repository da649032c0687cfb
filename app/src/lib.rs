//! The screen of Caravana, for the server (`ssr`) and for the browser (`hydrate`).

use leptos::prelude::*;

/// The document around the app.
#[must_use]
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="es">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <HydrationScripts options />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The app.
#[component]
#[must_use]
pub fn App() -> impl IntoView {
    view! { <main>"Caravana"</main> }
}
