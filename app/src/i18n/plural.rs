//! Whole numbers in the languages of the screen: CLDR's cardinal categories, and separators of thousands.

/// The form that a counted noun takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plural {
    /// Exactly one.
    One,
    /// Round millions, in Spanish: «1000000 de mensajes».
    Many,
    /// Everything else.
    Other,
}

/// Spanish: one, many, other.
#[must_use]
pub const fn es(n: u64) -> Plural {
    match n {
        1 => Plural::One,
        _ if n != 0 && n.is_multiple_of(1_000_000) => Plural::Many,
        _ => Plural::Other,
    }
}

/// English: one, other.
#[must_use]
pub const fn en(n: u64) -> Plural {
    match n {
        1 => Plural::One,
        _ => Plural::Other,
    }
}

/// A number with this separator between its thousands. Numbers of four digits have none, as is usual in Spanish.
#[must_use]
pub fn in_thousands(n: usize, between: char) -> String {
    match n {
        0..10_000 => n.to_string(),
        10_000..1_000_000 => format!("{}{between}{:03}", n / 1_000, n % 1_000),
        _ => format!("{}{between}{:03}{between}{:03}", n / 1_000_000, n / 1_000 % 1_000, n % 1_000),
    }
}

/// A number and its noun, in Spanish.
#[must_use]
pub fn counted_es(n: u64, one: &str, other: &str) -> String {
    match es(n) {
        Plural::One => format!("{n} {one}"),
        Plural::Many => format!("{n} de {other}"),
        Plural::Other => format!("{n} {other}"),
    }
}

/// A number and its noun, in English.
#[must_use]
pub fn counted_en(n: u64, one: &str, other: &str) -> String {
    match en(n) {
        Plural::One => format!("{n} {one}"),
        Plural::Many | Plural::Other => format!("{n} {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_are_parted() {
        assert_eq!([999, 9_999, 16_000, 15_007].map(|n| in_thousands(n, ',')), ["999", "9999", "16,000", "15,007"]);
    }

    #[test]
    fn spanish_has_a_form_of_its_own_for_round_millions() {
        assert_eq!(
            [0, 1, 2, 999_999, 1_000_000, 1_000_001, 3_000_000].map(es),
            [Plural::Other, Plural::One, Plural::Other, Plural::Other, Plural::Many, Plural::Other, Plural::Many]
        );
    }
}
