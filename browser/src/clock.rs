//! The browser's clocks.

use caravana_client::Instant;

/// The present moment of the page's clock, which never goes back.
#[must_use]
pub fn now() -> Instant {
    let performance = web_sys::window().and_then(|window| window.performance());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds since the page was opened"
    )]
    let ms = performance.map_or(0, |performance| performance.now() as u64);
    Instant::from_millis(ms)
}

/// The time of day in milliseconds since 1970, for people to read.
#[must_use]
pub fn now_millis() -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "whole milliseconds of any real date fit")]
    let now = js_sys::Date::now() as i64;
    now
}
