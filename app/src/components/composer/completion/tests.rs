use caravana_protocol::Role;
use uuid::Uuid;

use super::*;
use crate::chat::store::Whole;

/// The word at `|`.
fn word(text: &str) -> Option<(u32, String)> {
    let (before, after) = text.split_once('|').unwrap();
    let caret = before.encode_utf16().count();
    let word = word_at(&format!("{before}{after}"), u32::try_from(caret).unwrap());
    word.filter(Word::can_be_completed).map(|word| (word.start, word.text))
}

#[test]
fn the_word_at_the_caret_begins_with_the_sign() {
    let is = |start, text: &str| Some((start, text.to_owned()));
    assert_eq!(word("@|"), is(0, ""));
    assert_eq!(word("😀 @An|a"), is(3, "An"));
    assert_eq!(word("(@Ana Ma|"), is(1, "Ana Ma"));
    assert_eq!(word("@Ana y @Le|"), is(7, "Le"));
    assert_eq!(word("hola :co|"), is(5, "co"));
    for none in [
        "|@Ana",
        "@Ana |",
        "@ |",
        "@Ana\n|",
        "ana@exam|",
        "hola|",
        "https://a.example/@a|",
        "hola :c|",
        "10:30|",
        "a las: di|",
    ] {
        assert_eq!(word(none), None, "{none}");
    }
}

fn member(number: u128, name: &str) -> MemberRow {
    let user = UserId::new(Uuid::from_u128(number));
    let (user, role) = (Whole(user), Whole(Role::Member));
    MemberRow { id: number.to_string(), user, name: name.to_owned(), role, online: true, you: number == 0 }
}

#[test]
fn members_are_found_by_any_word_of_their_name() {
    let names = ["Ana", "María-José Ñúñez", "José", "", "Anabel de la Torre"];
    let members: Vec<_> = names.iter().enumerate().map(|(number, name)| member(number as u128, name)).collect();
    let found = |text: &str, may_all| -> Vec<String> {
        let name = |choice| match choice {
            Choice::Member { name, .. } => name,
            Choice::Everyone => "*".to_owned(),
            Choice::Emoji { sign, .. } => sign,
        };
        choices(text, &members, may_all).into_iter().map(name).collect()
    };
    assert_eq!(found("ana", true), ["Anabel de la Torre"], "not oneself");
    assert_eq!(found("JOSE", true), ["José", "María-José Ñúñez"], "the beginning of a name comes first");
    assert_eq!(found("nu", true), ["María-José Ñúñez"]);
    assert_eq!(found("de la t", true), ["Anabel de la Torre"]);
    assert_eq!(found("to", true), ["Anabel de la Torre", "*"]);
    assert_eq!(
        (found("to", false), found("every", true)),
        (vec!["Anabel de la Torre".to_owned()], vec!["*".to_owned()])
    );
    assert_eq!(found("bel", true), [""; 0]);
    assert_eq!(found("anabel de la torre", true), [""; 0], "it is complete");
    assert_eq!(found("josé", true), ["José", "María-José Ñúñez"]);
    let many: Vec<_> = (1..20).map(|number| member(number, "Ana")).collect();
    assert_eq!((choices("", &many, true).len(), choices("", &many, true).last()), (SHOWN, Some(&Choice::Everyone)));
    assert_eq!(choices("a", &many, true).len(), SHOWN);
}
