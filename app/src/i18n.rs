//! The texts of the screen, in Spanish and in English.
//!
//! Owns every text that a person reads, the plural rules and the way names are listed. Guarantees at compile time that
//! both languages are complete: a text is a field of [`Words`], and a language that lacks it does not compile. Never
//! joins fragments into sentences outside of the catalogues; a text that needs a value is a function of that value.
//!
//! Why there is no i18n crate: two languages need three plural categories and one rule of euphony, which are a few
//! lines in [`plural`] and [`list`]. They add almost nothing to the browser's bundle, need no `Intl`, and so give the
//! server and the browser the same texts.

mod en;
mod es;
mod forms;
pub mod isolate;
pub mod list;
mod notices;
pub mod plural;
mod privacy;
mod search;
mod selection;
mod trip;
mod words;

use caravana_protocol::ErrorCode;
use leptos::prelude::use_context;

pub use forms::FormWords;
pub use notices::NoticeWords;
pub use privacy::PrivacyWords;
pub use search::SearchWords;
pub use selection::SelectionWords;
pub use trip::TripWords;
pub use words::Words;

/// A language of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// Spanish, neutral Latin American, tú.
    #[default]
    Es,
    /// English.
    En,
}

impl Lang {
    /// Both, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::Es, Self::En];

    /// The BCP 47 tag, for `<html lang>` and the cookie.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Es => "es",
            Self::En => "en",
        }
    }

    /// The language of a tag such as `es`, `es-CO` or `EN`.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|lang| lang.tag().eq_ignore_ascii_case(primary))
    }

    /// The language for the reader: the remembered choice, else the best match of an `Accept-Language` header, else
    /// Spanish.
    #[must_use]
    pub fn negotiate(cookie: Option<&str>, accept_language: Option<&str>) -> Self {
        cookie.and_then(Self::from_tag).or_else(|| accept_language.and_then(best_accepted)).unwrap_or_default()
    }

    /// Its catalogue.
    #[must_use]
    pub const fn words(self) -> &'static Words {
        match self {
            Self::Es => &es::WORDS,
            Self::En => &en::WORDS,
        }
    }
}

/// The known language with the highest weight; of equal weights, the first.
fn best_accepted(header: &str) -> Option<Lang> {
    let mut best: Option<(Lang, f32)> = None;
    for entry in header.split(',') {
        let mut parts = entry.split(';');
        let lang = parts.next().and_then(Lang::from_tag);
        let weight = parts
            .find_map(|part| part.trim().strip_prefix("q="))
            .map_or(1.0, |weight| weight.trim().parse().unwrap_or(0.0));
        if let Some(lang) = lang
            && weight > best.map_or(0.0, |(_, known)| known)
        {
            best = Some((lang, weight));
        }
    }
    best.map(|(lang, _)| lang)
}

/// The language of this page, from the context that [`crate::App`] provides.
#[must_use]
pub fn use_lang() -> Lang {
    use_context().unwrap_or_default()
}

/// The catalogue of this page.
#[must_use]
pub fn use_words() -> &'static Words {
    use_lang().words()
}

/// The text for an error.
#[must_use]
pub fn explain(words: &Words, code: Option<ErrorCode>) -> String {
    let Some(code) = code else { return words.error_network.to_owned() };
    match code {
        ErrorCode::InvalidCredentials => words.error_credentials.to_owned(),
        ErrorCode::EmptyMessage => words.error_empty_message.to_owned(),
        ErrorCode::InvalidMessage => words.error_invalid_message.to_owned(),
        ErrorCode::MessageTooLong => (words.error_message_too_long)(caravana_protocol::limits::MESSAGE_CHARACTERS),
        ErrorCode::NotFound => words.error_not_found.to_owned(),
        ErrorCode::Forbidden => words.error_forbidden.to_owned(),
        ErrorCode::Blocked => words.direct.closed.to_owned(),
        ErrorCode::Gone => words.error_gone.to_owned(),
        ErrorCode::RateLimited => words.error_rate_limited.to_owned(),
        ErrorCode::LimitReached => words.error_limit_reached.to_owned(),
        ErrorCode::TooManyReactions => words.error_too_many_reactions.to_owned(),
        ErrorCode::Unauthenticated => words.session_ended.to_owned(),
        ErrorCode::StorageFull | ErrorCode::TemporarilyUnavailable | ErrorCode::Overloaded => {
            words.error_unavailable.to_owned()
        }
        ErrorCode::BadRequest | ErrorCode::InvalidParam | ErrorCode::IdConflict => words.error_bad_request.to_owned(),
        ErrorCode::BadJson
        | ErrorCode::UnknownType
        | ErrorCode::InvalidId
        | ErrorCode::UserMismatch
        | ErrorCode::TooManySubscriptions
        | ErrorCode::TokenInUrl
        | ErrorCode::TooLarge => words.error_other.to_owned(),
        ErrorCode::OriginNotAllowed | ErrorCode::Csrf => words.error_elsewhere.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remembered_language_wins_over_the_browsers() {
        assert_eq!(Lang::negotiate(Some("en"), Some("es-CO,es;q=0.9")), Lang::En);
        assert_eq!(Lang::negotiate(Some("xx"), Some("en-GB")), Lang::En);
    }

    #[test]
    fn the_browsers_best_known_language_wins_else_spanish() {
        assert_eq!(Lang::negotiate(None, Some("de, en;q=0.5, es;q=0.8")), Lang::Es);
        assert_eq!(Lang::negotiate(None, Some("fr-FR, en-US;q=0.4, es;q=0.3")), Lang::En);
        assert_eq!(Lang::negotiate(None, Some("de")), Lang::Es);
        assert_eq!(Lang::negotiate(None, Some("en;q=0, ;;q=x,")), Lang::Es);
        assert_eq!(Lang::negotiate(None, None), Lang::Es);
    }

    #[test]
    fn every_error_is_explained_in_both_languages() {
        for lang in Lang::ALL {
            for code in ErrorCode::ALL {
                assert!(!explain(lang.words(), Some(*code)).is_empty(), "{code}");
            }
        }
    }

    #[test]
    fn counts_follow_the_plural_rules_of_the_language() {
        let (es, en) = (Lang::Es.words(), Lang::En.words());
        assert_eq!((es.member_count)(1), "1 integrante");
        assert_eq!((es.member_count)(2), "2 integrantes");
        assert_eq!((es.member_count)(1_000_000), "1000000 de integrantes");
        assert_eq!((en.member_count)(1), "1 member");
        assert_eq!((en.member_count)(0), "0 members");
    }

    #[test]
    fn those_who_type_are_named_up_to_three() {
        let names: Vec<String> = ["Ana", "Iñaki", "Leo", "Mía"].map(str::to_owned).into();
        let es = Lang::Es.words();
        assert_eq!((es.typing)(&names[..1]), "Ana está escribiendo…");
        assert_eq!((es.typing)(&names[..2]), "Ana e Iñaki están escribiendo…");
        assert_eq!((es.typing)(&names[..3]), "Ana, Iñaki y Leo están escribiendo…");
        assert_eq!((es.typing)(&names), "Varias personas están escribiendo…");
        assert_eq!((Lang::En.words().typing)(&names[..2]), "Ana and Iñaki are typing…");
    }

    /// Once, «דנה (2)» beside the app's own text was shown in the wrong order. This test tries every sentence with a
    /// name.
    #[test]
    fn a_name_turns_nothing_around_it() {
        let name = "דנה (2)";
        let apart = "\u{2068}דנה (2)\u{2069}";
        for lang in Lang::ALL {
            let words = lang.words();
            let names = |others: &[&str]| -> Vec<String> {
                std::iter::once(name).chain(others.iter().copied()).map(str::to_owned).collect()
            };
            for sentence in [
                (words.joined)(name),
                (words.left)(name),
                (words.group_updated)(name),
                (words.preview_mine)(name),
                (words.typing)(&names(&[])),
                (words.typing)(&names(&["Ana"])),
                (words.typing)(&names(&["Ana", "Leo"])),
                (words.title)(3, name),
                (words.title)(0, name),
                (words.announced)(name, "hola"),
                (words.announced)("Ana", name),
            ] {
                assert!(sentence.contains(apart), "{sentence}");
                assert_eq!(sentence.matches(['\u{2068}', '\u{2069}']).count(), 2, "{sentence}");
            }
        }
    }
}
