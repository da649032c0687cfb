//! A person's or a group's initials on a colour of their own.

use leptos::prelude::*;
use reactive_stores::Store;
use uuid::Uuid;

use crate::chat::store::{TimelineState, TimelineStateStoreFields as _};
use crate::chat::tints::of_id;
use crate::erase::Erase as _;
use crate::says::says;

/// The first letters of the first and the last word; for a name without letters, its first visible character.
#[must_use]
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let first = words.next();
    if first.is_none() {
        return caravana_protocol::emoji::first(name).to_owned();
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
    /// The emoji that stands for it in place of the initials.
    #[prop(optional)]
    emoji: Option<Signal<Option<String>>>,
) -> impl IntoView {
    let emoji = move || emoji.and_then(|emoji| emoji.try_get()).flatten();
    let has_emoji = move || emoji().is_some();
    let class = if group {
        let class = format!("avatar avatar-group tint-{}", of_id(id));
        Signal::stored(class)
    } else {
        let tint = tint_of(id);
        Signal::derive(move || format!("avatar {}", tint()))
    };
    view! {
        <span
            class=move || class.get()
            class:avatar-emoji=has_emoji
            aria-hidden="true"
            translate="no"
            {..says(move || emoji().unwrap_or_else(|| initials(&name.read())))}
        ></span>
    }
    .erase()
}

/// The open group, for those who show its members in their colours.
#[derive(Clone, Copy)]
pub struct Tinted(pub Store<TimelineState>);

/// The class of a person's tint: in the open group, if there is one around. It follows the group.
pub fn tint_of(user: Option<Uuid>) -> impl Fn() -> String + Clone + Send + Sync + 'static {
    let group = use_context::<Tinted>();
    move || {
        // The group may just have been closed.
        let known = group.and_then(|Tinted(timeline)| Some(timeline.tints().try_read()?.tint(user)));
        format!("tint-{}", known.unwrap_or_else(|| of_id(user)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::tints::TINTS;

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
        let tints: std::collections::HashSet<usize> = (0..64).map(|n| of_id(Some(Uuid::from_u128(n)))).collect();
        assert_eq!(tints.len(), TINTS);
    }

    /// The relative luminance of a colour as six hexadecimal digits (WCAG).
    fn luminance(colour: &str) -> f64 {
        let part = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.0722f64.mul_add(part(4), 0.2126f64.mul_add(part(0), 0.7152 * part(2)))
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn every_tint_can_be_read_in_both_themes() {
        let style = include_str!("../../../style/tokens.css");
        for number in 0..TINTS {
            let line = style.lines().find(|line| line.starts_with(&format!(".tint-{number} "))).unwrap();
            let colours: Vec<&str> = line.split('#').skip(1).map(|rest| &rest[..6]).collect();
            let [back, top, light, dark] = colours[..] else { panic!("{line}") };
            for (text, behind) in [("ffffff", back), ("ffffff", top), (light, "fffdf8"), (dark, "22304f")] {
                assert!(contrast(text, behind) >= 4.5, "{line}: {text} on {behind} is {}", contrast(text, behind));
            }
        }
    }
}
