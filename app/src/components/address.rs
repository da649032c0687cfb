//! A warning strip for a page that was opened at an address that is not the site's.
//!
//! At such an address the page can be read, but nothing can be sent, because another name of the same server may belong
//! to anybody. The strip gives the site's address before a person fills in a form in vain.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};
use crate::erase::Erase as _;
use crate::i18n::use_words;
use crate::ports::use_device;

/// The strip; empty at the site's own addresses.
#[component]
pub fn WrongAddress() -> impl IntoView {
    let words = use_words();
    let device = use_device();
    let right = RwSignal::new(None);
    // After the first render, which must equal the server's: only the browser knows the page's address.
    Effect::new(move |_| right.set(device.as_ref().and_then(|device| device.elsewhere())));
    move || {
        right.get().map(|address: String| {
            let open = (words.open_site)(host(&address));
            view! {
                <div class="banner banner-over" role="alert" data-testid="wrong-address">
                    <Icon glyph=Glyph::Alert />
                    <span>{words.wrong_address}</span>
                    <a class="banner-action" href=address.clone() rel="external">{open}</a>
                </div>
            }
            .erase()
        })
    }
}

/// The host of an address.
pub(crate) fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_by_its_host() {
        for address in ["https://chat.example.org", "https://chat.example.org/", "https://chat.example.org/g/1?x=/y"] {
            assert_eq!(host(address), "chat.example.org");
        }
        assert_eq!(host("http://[::1]:3000/login"), "[::1]:3000");
    }
}
