//! A person's or a group's initials on a colour of their own.

use leptos::prelude::*;
use uuid::Uuid;

use crate::emoji;
use crate::erase::Erase as _;
use crate::says::says;

/// How many tints the style sheet has, each with a contrast of at least 4.5:1 to its text in both themes.
const TINTS: u8 = 8;

/// The tint of an id: always the same one, on every device.
#[must_use]
pub fn tint(id: Option<Uuid>) -> String {
    // Version-7 ids begin with the time; only the sum of all bytes spreads ids that were made together.
    let number =
        id.map_or(0, |id| id.as_bytes().iter().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte)));
    format!("tint-{}", number % TINTS)
}

/// The first letters of the first and the last word; for a name without letters, its first visible character.
#[must_use]
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let first = words.next();
    if first.is_none() {
        return emoji::first(name).to_owned();
    }
    let last = words.next_back();
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

/// An avatar; decorative, because the name always stands beside it.
#[component]
pub fn Avatar(
    /// The id; it determines the colour.
    id: Option<Uuid>,
    /// The name; it determines the initials.
    #[prop(into)]
    name: Signal<String>,
    /// A group's, which is a rounded square.
    #[prop(optional)]
    group: bool,
) -> impl IntoView {
    let shape = if group { "avatar avatar-group" } else { "avatar" };
    view! {
        <span
            class=format!("{shape} {}", tint(id))
            aria-hidden="true"
            translate="no"
            {..says(move || initials(&name.read()))}
        ></span>
    }
    .erase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_those_of_the_first_and_the_last_word() {
        for (name, letters) in [
            ("Ana", "A"),
            ("ana maría pérez", "AP"),
            ("Ñandú «Éxodo»", "ÑÉ"),
            ("", ""),
            ("🚀 Leo", "L"),
            ("ßeta", "SS"),
            ("🏔️", "🏔️"),
            ("👩‍👧‍👦 🚀", "👩‍👧‍👦"),
            ("🇨🇴🇪🇸", "🇨🇴"),
            ("¿?", "¿"),
        ] {
            assert_eq!(initials(name), letters, "{name}");
        }
    }

    #[test]
    fn neighbouring_ids_are_spread_over_the_tints() {
        let tints: std::collections::HashSet<String> = (0..64).map(|n| tint(Some(Uuid::from_u128(n)))).collect();
        assert_eq!(tints.len(), usize::from(TINTS));
    }
}
