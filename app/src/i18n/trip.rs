//! The texts about the trip of a group: its days, its place, its emoji.

use super::plural::{counted_en, counted_es};

/// The texts.
pub struct TripWords {
    /// So many days before the first.
    pub before: fn(u64) -> String,
    /// This day, of so many if the last one is known.
    pub day: fn(u64, Option<u64>) -> String,
    /// After the last day.
    pub over: &'static str,
    /// The line in the header: the day of the trip, the members.
    pub and_members: fn(&str, &str) -> String,
    /// The hour, the place.
    pub place_time: fn(&str, &str) -> String,
    /// The zone of the group's place.
    pub place_zone: &'static str,
    /// No zone is chosen.
    pub no_place: &'static str,
    /// The button that chooses the group's emoji, with the one that is chosen, or nothing.
    pub choose_emoji: fn(&str) -> String,
}

/// Spanish.
pub(super) const ES: TripWords = TripWords {
    before: |days| {
        if days == 1 { "Falta 1 día".to_owned() } else { format!("Faltan {}", counted_es(days, "día", "días")) }
    },
    day: |day, days| match days {
        Some(days) => format!("Día {day} de {days}"),
        None => format!("Día {day}"),
    },
    over: "Viaje terminado",
    and_members: |trip, members| format!("{trip} · {members}"),
    place_time: |clock, place| format!("{clock} en {place}"),
    place_zone: "Hora del lugar",
    no_place: "Sin lugar",
    choose_emoji: |emoji| format!("Elegir el emoji del grupo {emoji}"),
};

/// English.
pub(super) const EN: TripWords = TripWords {
    before: |days| format!("{} to go", counted_en(days, "day", "days")),
    day: |day, days| match days {
        Some(days) => format!("Day {day} of {days}"),
        None => format!("Day {day}"),
    },
    over: "The trip is over",
    and_members: |trip, members| format!("{trip} · {members}"),
    place_time: |clock, place| format!("{clock} in {place}"),
    place_zone: "Time of the place",
    no_place: "No place",
    choose_emoji: |emoji| format!("Choose the group’s emoji {emoji}"),
};
