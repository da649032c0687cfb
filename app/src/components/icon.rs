//! The icons: one set, inlined, drawn with the colour of the text around them.
//!
//! The shapes are Lucide's (ISC licence, see `public/LICENSES.txt`), each written as one path.

use leptos::prelude::*;

use crate::erase::Erase as _;

/// Which icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "an icon's name says what it shows")]
pub enum Glyph {
    Alert,
    Back,
    Check,
    CheckTwice,
    Clock,
    Close,
    Copy,
    Down,
    Invite,
    LogOut,
    Plus,
    Preferences,
    Send,
    User,
    Users,
}

impl Glyph {
    const fn path(self) -> &'static str {
        match self {
            Self::Alert => "M2 12a10 10 0 1 0 20 0a10 10 0 1 0-20 0M12 8v4M12 16h.01",
            Self::Back => "M12 19l-7-7 7-7M19 12H5",
            Self::Check => "M20 6 9 17l-5-5",
            Self::CheckTwice => "M18 6 7 17l-5-5M22 10l-7.5 7.5L13 16",
            Self::Clock => "M2 12a10 10 0 1 0 20 0a10 10 0 1 0-20 0M12 6v6h4",
            Self::Close => "M18 6 6 18M6 6l12 12",
            Self::Copy => {
                "M10 8h10a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H10a2 2 0 0 1-2-2V10a2 2 0 0 1 2-2z\
                 M4 16c-1.1 0-2-.9-2-2V4c0-1.1.9-2 2-2h10c1.1 0 2 .9 2 2"
            }
            Self::Down => "M12 5v14M19 12l-7 7-7-7",
            Self::Invite => "M16 21v-2a4 4 0 0 0-4-4H6a4 4 0 0 0-4 4v2M5 7a4 4 0 1 0 8 0a4 4 0 1 0-8 0M19 8v6M22 11h-6",
            Self::LogOut => "M16 17l5-5-5-5M21 12H9M9 21H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h4",
            Self::Plus => "M5 12h14M12 5v14",
            Self::Preferences => "M14 17H5M19 7h-9M14 17a3 3 0 1 0 6 0a3 3 0 1 0-6 0M4 7a3 3 0 1 0 6 0a3 3 0 1 0-6 0",
            Self::Send => {
                "M3.714 3.048a.498.498 0 0 0-.683.627l2.843 7.627a2 2 0 0 1 0 1.396l-2.842 7.627\
                 a.498.498 0 0 0 .682.627l18-8.5a.5.5 0 0 0 0-.904zM6 12h16"
            }
            Self::User => "M19 21v-2a4 4 0 0 0-4-4H9a4 4 0 0 0-4 4v2M8 7a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
            Self::Users => {
                "M18 21a8 8 0 0 0-16 0M5 8a5 5 0 1 0 10 0a5 5 0 1 0-10 0M22 20c0-3.37-2-6.5-4-8a5 5 0 0 0-.45-8.3"
            }
        }
    }
}

/// An icon beside text, or in a control with its own label, so assistive technology skips it.
#[component]
pub fn Icon(
    /// Which.
    glyph: Glyph,
) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d=glyph.path() />
        </svg>
    }
    .erase()
}
