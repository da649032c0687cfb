//! CLDR's cardinal categories for whole numbers, for the languages of the screen.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spanish_has_a_form_of_its_own_for_round_millions() {
        assert_eq!(
            [0, 1, 2, 999_999, 1_000_000, 1_000_001, 3_000_000].map(es),
            [Plural::Other, Plural::One, Plural::Other, Plural::Other, Plural::Many, Plural::Other, Plural::Many]
        );
    }
}
