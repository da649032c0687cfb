//! Whom a text mentions: the members whose `@Name` stands in it, and everybody by `@todos`.
//!
//! Pure. Guarantees that a name is found as people write it, without regard to accents and case; that the longest name
//! counts where several fit; and that a name never begins or ends inside a word, so that an e-mail address mentions
//! nobody. A text holds no ids: if two members have the same name, it mentions both, because nobody should miss what is
//! meant for them. Called by [`super::bridge`] for what the reader sends, and by [`super::rows`] for what is shown.

use caravana_protocol::UserId;
use caravana_protocol::limits::MENTIONS;

use crate::fold::{fold, folded};
use crate::rich_text::Mark;

/// The words that mention all members. Both languages are understood, whichever the reader has.
pub const EVERYONE: [&str; 2] = ["todos", "everyone"];

/// Characters after which no mention begins, because the `@` belongs to an address.
const OF_ADDRESSES: &[char] = &['.', '_', '-', '+', '/', '=', '#', '%', '@'];

/// Whom a text mentions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mentioned {
    /// These members, by their first place in the text.
    pub members: Vec<UserId>,
    /// All members.
    pub everyone: bool,
}

/// A found place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    start: usize,
    end: usize,
    whom: Whom,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Whom {
    Members(Vec<UserId>),
    Everyone,
}

impl Found {
    /// The place as it is shown. `you` is the reader, if a mention of the reader is to stand out.
    pub(super) fn mark(self, you: Option<UserId>) -> Mark {
        let you = you.is_some_and(|you| match &self.whom {
            Whom::Members(members) => members.contains(&you),
            Whom::Everyone => true,
        });
        Mark { start: self.start, end: self.end, you }
    }
}

/// Whom a text mentions, of these people; all of them only if that is allowed.
#[must_use]
pub fn mentioned<'a>(text: &str, people: impl Iterator<Item = (UserId, &'a str)>, may_all: bool) -> Mentioned {
    let mut mentioned = Mentioned::default();
    // Most messages mention nobody.
    if !text.contains('@') {
        return mentioned;
    }
    for found in find(text, people, may_all) {
        match found.whom {
            Whom::Everyone => mentioned.everyone = true,
            Whom::Members(members) => {
                for member in members {
                    if !mentioned.members.contains(&member) && mentioned.members.len() < MENTIONS {
                        mentioned.members.push(member);
                    }
                }
            }
        }
    }
    mentioned
}

/// The places that mention these people, in order.
pub(super) fn find<'a>(text: &str, people: impl Iterator<Item = (UserId, &'a str)>, everyone: bool) -> Vec<Found> {
    let names = names(people, everyone);
    let letters: Vec<Letter> = text.char_indices().map(|(at, c)| Letter { at, c, folded: fold(c) }).collect();
    let end = |place: usize| letters.get(place).map_or(text.len(), |letter| letter.at);
    let mut found = Vec::new();
    let mut from = 0;
    for (place, Letter { at, c, .. }) in letters.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|before| letters.get(before)).map(|letter| letter.c);
        if place < from || *c != '@' || !begins(before) {
            continue;
        }
        if let Some((length, whom)) = longest(letters.get(place + 1..).unwrap_or_default(), &names) {
            from = place + 1 + length;
            found.push(Found { start: *at, end: end(from), whom: whom.clone() });
        }
    }
    found
}

/// A letter of a text.
struct Letter {
    at: usize,
    c: char,
    folded: char,
}

/// Whether a mention may begin after this character.
#[must_use]
pub fn begins(before: Option<char>) -> bool {
    before.is_none_or(|before| !before.is_alphanumeric() && !OF_ADDRESSES.contains(&before))
}

/// The folded names in their order; members of the same name have one entry.
fn names<'a>(people: impl Iterator<Item = (UserId, &'a str)>, everyone: bool) -> Vec<(Vec<char>, Whom)> {
    let mut names: Vec<(Vec<char>, Whom)> = Vec::new();
    let mut folded_people: Vec<(Vec<char>, UserId)> = people.map(|(user, name)| (folded(name.trim()), user)).collect();
    // Somebody who deleted the account has an empty name.
    folded_people.retain(|(name, _)| !name.is_empty());
    folded_people.sort();
    for (name, user) in folded_people {
        match names.last_mut() {
            Some((known, Whom::Members(members))) if *known == name => members.push(user),
            _ => names.push((name, Whom::Members(vec![user]))),
        }
    }
    for word in EVERYONE.iter().filter(|_| everyone).map(|word| folded(word)) {
        // A member of this name is meant.
        if let Err(place) = names.binary_search_by(|(name, _)| name.cmp(&word)) {
            names.insert(place, (word, Whom::Everyone));
        }
    }
    names
}

/// The longest name at the beginning of a text, with its length; `None` if other words stand there. The names that fit
/// get fewer with each letter, so that the number of names costs next to nothing, however alike they are.
fn longest<'n>(letters: &[Letter], names: &'n [(Vec<char>, Whom)]) -> Option<(usize, &'n Whom)> {
    let (mut fitting, mut found) = (names, None);
    for length in 0.. {
        let next = letters.get(length);
        if let Some(((name, whom), longer)) = fitting.split_first()
            && name.len() == length
        {
            if next.is_none_or(|next| !next.c.is_alphanumeric() && !matches!(next.c, '@' | '_')) {
                found = Some((length, whom));
            }
            fitting = longer;
        }
        let wanted = next.map(|next| next.folded);
        let letter = |(name, _): &(Vec<char>, Whom)| name.get(length).copied();
        if fitting.first().map(letter) != Some(wanted) || fitting.last().map(letter) != Some(wanted) {
            let start = fitting.partition_point(|name| letter(name) < wanted);
            let end = fitting.partition_point(|name| letter(name) <= wanted);
            fitting = fitting.get(start..end).unwrap_or_default();
        }
        if next.is_none() || fitting.is_empty() {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(number: u128) -> UserId {
        UserId::new(uuid::Uuid::from_u128(number))
    }

    const NAMES: [&str; 7] = ["Ana", "Ana María", "José Ñúñez", "Leo", "leo", "Todos", ""];

    /// The numbers of the mentioned people, and 99 for all.
    fn whom(text: &str, people: usize, may_all: bool) -> Vec<u128> {
        let people = NAMES.iter().take(people).enumerate().map(|(number, name)| (user(number as u128), *name));
        let Mentioned { members, everyone } = mentioned(text, people, may_all);
        members.iter().map(|user| user.uuid().as_u128()).chain(everyone.then_some(99)).collect()
    }

    #[test]
    fn names_are_found_with_spaces_and_without_accents_and_case() {
        assert_eq!(whom("@ana, ¿vienes?", 4, true), [0]);
        assert_eq!(whom("hola @jose nunez y (@LEO)", 4, true), [2, 3]);
        assert_eq!(whom("@Ana @Leo @Ana", 4, true), [0, 3], "each once, by the first place");
        assert_eq!(whom("hola Ana", 4, true), [] as [u128; 0]);
    }

    #[test]
    fn the_longest_name_counts() {
        assert_eq!(whom("@Ana María", 4, true), [1]);
        assert_eq!(whom("@Ana Marías", 4, true), [0], "another person, and a word that follows");
        assert_eq!(whom("@Ana y María", 4, true), [0]);
    }

    #[test]
    fn a_name_is_a_word() {
        for text in ["@Anabel", "ana@ana", "x@leo.example", "@leo_", "@Leo@ana", "https://a.example/@leo", "@", "@@leo"]
        {
            assert_eq!(whom(text, 5, true), [] as [u128; 0], "{text}");
        }
        assert_eq!(whom("¡@Ana!\n@Leo…", 4, true), [0, 3]);
    }

    #[test]
    fn of_two_members_with_one_name_both_are_meant() {
        assert_eq!(whom("@Leo", 5, true), [3, 4]);
    }

    #[test]
    fn everybody_is_meant_where_that_is_allowed_and_nobody_has_that_name() {
        assert_eq!(whom("@todos y @Everyone", 5, true), [99]);
        assert_eq!(whom("@todos", 5, false), [] as [u128; 0]);
        assert_eq!(whom("@todos", 6, true), [5]);
    }

    #[test]
    fn a_message_mentions_so_many_and_no_more() {
        let names: Vec<String> = (0..80).map(|number| format!("n{number:02}")).collect();
        let text: String = names.iter().flat_map(|name| ["@", name, " "]).collect();
        let people = names.iter().enumerate().map(|(number, name)| (user(number as u128), name.as_str()));
        assert_eq!(mentioned(&text, people, true).members.len(), MENTIONS);
    }

    #[test]
    fn a_message_of_signs_costs_nobody_time() {
        let names: Vec<String> = (0..500).map(|number| format!("n{number:03}")).collect();
        let people = || names.iter().enumerate().map(|(number, name)| (user(number as u128), name.as_str()));
        let text = " @n".repeat(1_300);
        let begin = std::time::Instant::now();
        assert_eq!(mentioned(&text, people(), true), Mentioned::default());
        // Names that differ only at their ends, and a text of what they have in common.
        let common = "(@".repeat(28);
        let names: Vec<String> = (0..50).map(|number| format!("{common}{number:02}x")).collect();
        let people = || names.iter().enumerate().map(|(number, name)| (user(number as u128), name.as_str()));
        let text = "(@".repeat(2_000);
        for _ in 0..50 {
            assert_eq!(mentioned(&text, people(), true), Mentioned::default());
        }
        assert!(begin.elapsed() < std::time::Duration::from_secs(10), "{:?}", begin.elapsed());
    }
}
