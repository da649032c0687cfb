//! The emoji that can be chosen: their list, how one is found by its name, skin tones, and what the reader used last.
//!
//! Owns [`Emojis`], which loads the list when somebody first looks for an emoji, and [`List`], which reads it. The list
//! is a file of the site (`xtask/emoji/make.mjs` makes it and describes its form). Guarantees that names are found in
//! both languages, without regard to accents and case. Used by the picker and by the composer.

use std::ops::Range;
use std::sync::Arc;

use caravana_protocol::UserId;
use caravana_protocol::limits::EMOJI_BYTES;
use leptos::prelude::*;

use crate::fold::folded;
use crate::i18n::Lang;
use crate::ports::{Device, Kept, use_device};

/// The list, with the hash of its content in its name.
const FILE: &str = "/emoji/emoji.77ed04af8dc5ecae.txt";
/// How many emoji that were used last are kept.
const RECENT: usize = 28;
/// The style that makes a character an emoji; a skin tone takes its place.
const EMOJI_STYLE: char = '\u{FE0F}';
/// The people in an emoji of two, each of whom has the tone.
const PEOPLE: [char; 3] = ['🧑', '👨', '👩'];

/// A skin tone; `None` is the yellow that all emoji have.
pub type Tone = Option<char>;

/// The tones, as they are offered.
pub const TONES: [Tone; 6] =
    [None, Some('\u{1F3FB}'), Some('\u{1F3FC}'), Some('\u{1F3FD}'), Some('\u{1F3FE}'), Some('\u{1F3FF}')];

/// An emoji.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emoji {
    /// Without a skin tone.
    sign: String,
    toning: Toning,
    spanish: String,
    english: String,
    /// All words that find it, each behind a space.
    words: String,
}

/// Where a skin tone stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Toning {
    Nowhere,
    AfterTheFirst,
    AfterEachPerson,
}

impl Emoji {
    /// Its text, in a skin tone if it can have one. Two people who kiss have one tone each, which is too long for a
    /// reaction, so they stay as they are.
    #[must_use]
    pub fn toned(&self, tone: Tone) -> String {
        let toned = tone.map(|tone| self.with_tone(tone));
        toned.filter(|toned| toned.len() <= EMOJI_BYTES).unwrap_or_else(|| self.sign.clone())
    }

    fn with_tone(&self, tone: char) -> String {
        match self.toning {
            Toning::Nowhere => self.sign.clone(),
            Toning::AfterTheFirst => {
                let mut characters = self.sign.chars();
                let first = characters.next();
                let rest = characters.as_str();
                let rest = rest.strip_prefix(EMOJI_STYLE).unwrap_or(rest);
                first.into_iter().chain([tone]).chain(rest.chars()).collect()
            }
            Toning::AfterEachPerson => {
                let toned = |c: char| [Some(c), PEOPLE.contains(&c).then_some(tone)];
                self.sign.chars().flat_map(toned).flatten().collect()
            }
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self, lang: Lang) -> &str {
        match lang {
            Lang::Es => &self.spanish,
            Lang::En => &self.english,
        }
    }
}

/// All emoji, in the usual order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct List {
    emoji: Vec<Emoji>,
    groups: Vec<Range<usize>>,
}

impl List {
    /// Reads the list. A line that is missing leaves a name empty.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut columns = text.splitn(4, "\n\n").map(str::lines);
        let mut column = || columns.next().into_iter().flatten();
        let (signs, mut spanish, mut english, mut more) = (column(), column(), column(), column());
        let mut list = Self::default();
        for sign in signs {
            // The sign of a key is an emoji, too: `#` with what makes it one.
            if sign.len() == 2 && sign.starts_with('#') {
                list.groups.push(list.emoji.len()..list.emoji.len());
                continue;
            }
            let (sign, toning) = match (sign.strip_suffix('+'), sign.strip_suffix('*')) {
                (Some(sign), _) => (sign, Toning::AfterTheFirst),
                (None, Some(sign)) => (sign, Toning::AfterEachPerson),
                (None, None) => (sign, Toning::Nowhere),
            };
            let (spanish, english) = (spanish.next().unwrap_or_default(), english.next().unwrap_or_default());
            let words = words(&[spanish, english, more.next().unwrap_or_default()]);
            let (sign, spanish, english) = (sign.to_owned(), spanish.to_owned(), english.to_owned());
            list.emoji.push(Emoji { sign, toning, spanish, english, words });
            if let Some(group) = list.groups.last_mut() {
                group.end = list.emoji.len();
            }
        }
        list
    }

    /// The emoji of a group; the groups have numbers from 0.
    #[must_use]
    pub fn group(&self, number: usize) -> &[Emoji] {
        self.groups.get(number).and_then(|group| self.emoji.get(group.clone())).unwrap_or_default()
    }

    /// How many groups there are.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// The emoji with words that begin like those of the text, at most so many. Those whose name begins with the text
    /// come first, and then those in whose name it stands.
    #[must_use]
    pub fn find(&self, text: &str, most: usize) -> Vec<&Emoji> {
        let wanted = words(&[text]);
        if wanted.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<(u8, &Emoji)> = self
            .emoji
            .iter()
            .filter(|emoji| has_all(&emoji.words, &wanted))
            .map(|emoji| (rank(emoji, &wanted), emoji))
            .collect();
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().take(most).map(|(_, emoji)| emoji).collect()
    }

    /// The emoji that looks like this in some tone.
    #[must_use]
    pub fn of(&self, toned: &str) -> Option<&Emoji> {
        let tone = |c: char| TONES.contains(&Some(c));
        let wanted: Vec<char> = toned.chars().filter(|c| !tone(*c) && *c != EMOJI_STYLE).collect();
        let is_it = |emoji: &&Emoji| emoji.sign.chars().filter(|c| *c != EMOJI_STYLE).eq(wanted.iter().copied());
        self.emoji.iter().find(is_it)
    }
}

/// The folded words of some texts, each behind a space.
fn words(texts: &[&str]) -> String {
    let mut words = String::new();
    let mut is_inside = false;
    for text in texts {
        for c in folded(text) {
            let is_letter = c.is_alphanumeric();
            if is_letter && !is_inside {
                words.push(' ');
            }
            if is_letter {
                words.push(c);
            }
            is_inside = is_letter;
        }
        is_inside = false;
    }
    words
}

/// Whether a word begins with each of these.
fn has_all(words: &str, wanted: &str) -> bool {
    wanted.split(' ').filter(|word| !word.is_empty()).all(|word| {
        let mut found = words.match_indices(word);
        found.any(|(at, _)| words[..at].ends_with(' '))
    })
}

fn rank(emoji: &Emoji, wanted: &str) -> u8 {
    let names = [words(&[&emoji.spanish]), words(&[&emoji.english])];
    if names.iter().any(|name| name.starts_with(wanted)) {
        0
    } else if names.iter().any(|name| has_all(name, wanted)) {
        1
    } else {
        2
    }
}

/// What is known of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loaded {
    /// Nobody has looked for an emoji.
    Not,
    /// It is on its way.
    Coming,
    /// Here it is.
    Here(Arc<List>),
    /// It did not come.
    Missing,
}

/// The emoji of this page. All copies refer to the same.
#[derive(Clone, Copy)]
pub struct Emojis {
    me: UserId,
    device: StoredValue<Option<Arc<dyn Device>>>,
    loaded: RwSignal<Loaded>,
    recent: RwSignal<Vec<String>>,
    tone: RwSignal<Tone>,
}

impl Emojis {
    /// Nothing is loaded.
    #[must_use]
    pub fn new(me: UserId) -> Self {
        Self {
            me,
            device: StoredValue::new(use_device()),
            loaded: RwSignal::new(Loaded::Not),
            recent: RwSignal::new(Vec::new()),
            tone: RwSignal::new(None),
        }
    }

    /// Loads the list, and what the device has kept, unless that is done. A list that did not come is asked for again.
    pub fn load(self) {
        let Some(device) = self.device.get_value() else { return };
        match self.loaded.get_untracked() {
            Loaded::Coming | Loaded::Here(_) => return,
            Loaded::Not | Loaded::Missing => {}
        }
        let kept = |what| device.kept(self.me, what).unwrap_or_default();
        self.recent.set(kept(Kept::RecentEmoji).split_whitespace().map(str::to_owned).take(RECENT).collect());
        self.tone.set(kept(Kept::SkinTone).chars().next().filter(|tone| TONES.contains(&Some(*tone))));
        self.loaded.set(Loaded::Coming);
        let text = device.text(FILE);
        leptos::task::spawn_local(async move {
            let loaded = text.await.map_or(Loaded::Missing, |text| Loaded::Here(Arc::new(List::read(&text))));
            // The page may be gone.
            self.loaded.try_set(loaded);
        });
    }

    /// What is known of the list.
    #[must_use]
    pub fn loaded(self) -> Loaded {
        self.loaded.get()
    }

    /// The list, if it is here.
    #[must_use]
    pub fn list(self) -> Option<Arc<List>> {
        match self.loaded.get() {
            Loaded::Here(list) => Some(list),
            Loaded::Not | Loaded::Coming | Loaded::Missing => None,
        }
    }

    /// The emoji that were used last, the last one first.
    #[must_use]
    pub fn recent(self) -> Vec<String> {
        self.recent.get()
    }

    /// An emoji was used.
    pub fn used(self, sign: &str) {
        self.recent.update(|recent| {
            recent.retain(|known| known != sign);
            recent.insert(0, sign.to_owned());
            recent.truncate(RECENT);
        });
        self.keep(Kept::RecentEmoji, &self.recent.read_untracked().join(" "));
    }

    /// The chosen skin tone.
    #[must_use]
    pub fn tone(self) -> Tone {
        self.tone.get()
    }

    /// Chooses a skin tone.
    pub fn choose_tone(self, tone: Tone) {
        self.tone.set(tone);
        self.keep(Kept::SkinTone, &tone.map(String::from).unwrap_or_default());
    }

    fn keep(self, what: Kept, text: &str) {
        if let Some(device) = self.device.get_value() {
            device.keep(self.me, what, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use caravana_protocol::Emoji as Reaction;

    use super::*;

    fn list() -> List {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../public");
        List::read(&std::fs::read_to_string(format!("{file}{FILE}")).unwrap())
    }

    fn found(list: &List, text: &str) -> Vec<String> {
        list.find(text, 5).into_iter().map(|emoji| emoji.sign.clone()).collect()
    }

    #[test]
    fn every_emoji_has_names_and_can_be_a_reaction_in_every_tone() {
        let list = list();
        assert_eq!((list.groups(), list.emoji.len()), (9, 1_914));
        assert!((0..9).all(|group| !list.group(group).is_empty()));
        for emoji in &list.emoji {
            assert!(Lang::ALL.iter().all(|lang| !emoji.name(*lang).is_empty()), "{emoji:?}");
            for tone in TONES {
                let toned = emoji.toned(tone);
                assert!(Reaction::parse(&toned).is_ok(), "{toned} {emoji:?}");
                assert_eq!(list.of(&toned), Some(emoji), "{toned}");
            }
        }
    }

    #[test]
    fn names_are_found_in_both_languages_without_accents() {
        let list = list();
        for (text, sign) in [
            ("cora", "❤️"),
            ("corazón rojo", "❤️"),
            ("HEART", "❤️"),
            ("cafe", "☕"),
            ("coffee", "☕"),
            ("avion", "✈️"),
            ("espana", "🇪🇸"),
            ("pulgar arriba", "👍"),
            ("lagrim", "😂"),
        ] {
            let all: Vec<_> = list.find(text, 60).into_iter().map(|emoji| emoji.sign.clone()).collect();
            assert!(all.iter().any(|found| found == sign), "{text}: {all:?}");
        }
        assert_eq!(found(&list, "xqxq"), [""; 0]);
        assert_eq!(found(&list, " "), [""; 0]);
        assert!(list.find("fuego", 1)[0].sign == "🔥", "the name comes before other words");
    }

    #[test]
    fn a_tone_stands_where_unicode_wants_it() {
        let list = list();
        let toned = |sign: &str| list.of(sign).unwrap().toned(Some('\u{1F3FD}'));
        assert_eq!(toned("👍"), "👍🏽");
        assert_eq!(toned("☝️"), "☝🏽");
        assert_eq!(toned("👩‍🚒"), "👩🏽‍🚒");
        assert_eq!(toned("👩‍❤️‍👨"), "👩🏽‍❤️‍👨🏽");
        assert_eq!(toned("😀"), "😀");
    }
}
