//! A link as a QR code, drawn here, so that no other server learns of it.

use std::fmt::Write as _;

use leptos::prelude::*;
use qrcodegen::{QrCode, QrCodeEcc};

use crate::erase::Erase as _;
use crate::i18n::use_words;

/// The quiet zone that the standard asks for, in modules.
const MARGIN: i32 = 4;

/// The code; nothing for a text that is too long for one. It is dark on white in both themes, as cameras expect.
#[component]
pub fn QrImage(
    /// What it says.
    text: String,
) -> impl IntoView {
    let words = use_words();
    let drawn = Drawing::of(&text)?;
    let whole = drawn.size + 2 * MARGIN;
    Some(
        view! {
            <svg
                class="qr"
                role="img"
                aria-label=words.qr_code
                data-testid="qr"
                viewBox=format!("-{MARGIN} -{MARGIN} {whole} {whole}")
                shape-rendering="crispEdges"
            >
                <path fill="#000" d=drawn.path></path>
            </svg>
        }
        .erase(),
    )
}

/// The dark modules.
struct Drawing {
    /// Modules on a side.
    size: i32,
    /// A path that fills them: one rectangle for each run in a line.
    path: String,
}

impl Drawing {
    fn of(text: &str) -> Option<Self> {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
        let size = code.size();
        let mut path = String::new();
        for y in 0..size {
            let mut x = 0;
            while x < size {
                let run = (x..size).take_while(|x| code.get_module(*x, y)).count();
                if run > 0 {
                    // Writing into a string does not fail.
                    let _ = write!(path, "M{x} {y}h{run}v1h-{run}z");
                }
                x += i32::try_from(run).unwrap_or(1).max(1);
            }
        }
        Some(Self { size, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every module is drawn as the code has it.
    #[test]
    fn the_path_fills_the_dark_modules() {
        let text = "https://chat.example/i/0123456789abcdefghijkl";
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).unwrap();
        let drawing = Drawing::of(text).unwrap();
        let mut dark = std::collections::HashSet::new();
        for run in drawing.path.split('z').filter(|run| !run.is_empty()) {
            let (place, length) = run.trim_start_matches('M').split_once('h').unwrap();
            let (x, y) = place.split_once(' ').unwrap();
            let (x, y): (i32, i32) = (x.parse().unwrap(), y.parse().unwrap());
            let length: i32 = length.split('v').next().unwrap().parse().unwrap();
            dark.extend((x..x + length).map(|x| (x, y)));
        }
        for (x, y) in (0..drawing.size).flat_map(|y| (0..drawing.size).map(move |x| (x, y))) {
            assert_eq!(dark.contains(&(x, y)), code.get_module(x, y), "{x} {y}");
        }
    }

    #[test]
    fn a_text_that_is_too_long_is_not_drawn() {
        assert!(Drawing::of(&"x".repeat(4_000)).is_none());
    }
}
