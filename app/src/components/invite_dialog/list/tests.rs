use caravana_protocol::rest::{Member, Sharing, User};
use caravana_protocol::{Role, Timestamp};

use super::*;
use crate::chat::lists;
use crate::i18n::Lang;
use crate::ports::ApiError;

const ANA: &str = "018f0000-0000-7000-8000-00000000000a";
const BRUNO: &str = "018f0000-0000-7000-8000-00000000000b";
const GONE: &str = "018f0000-0000-7000-8000-00000000000c";

fn member(user: &str, name: &str, role: Role) -> Member {
    Member {
        user: User {
            id: user.parse().expect("an id"),
            display_name: name.to_owned(),
            email: None,
            sharing: Sharing::default(),
            blocked: Vec::new(),
        },
        role,
        joined_at: "2026-11-01T12:00:00Z".parse().expect("a moment"),
        online: true,
    }
}

/// A link; its number is its id.
fn invite(number: u8, by: &str, uses: u32, max_uses: Option<u32>) -> LivingInvite {
    LivingInvite {
        id: format!("018f0000-0000-7000-8000-0000000001{number:02x}").parse().expect("an id"),
        created_by: by.parse().expect("an id"),
        created_at: None,
        expires_at: "2026-11-22T04:30:00Z".parse().expect("a moment"),
        uses,
        max_uses,
    }
}

/// The server's HTML of the list as Ana sees it, with that role, in Bogotá.
fn html(role: Role, known: Result<Option<Vec<LivingInvite>>, ApiError>) -> String {
    Owner::new().with(|| {
        let me: UserId = ANA.parse().expect("an id");
        let members = [member(ANA, "Ana", role), member(BRUNO, "<b>דנה", Role::Member)];
        let members = lists::members(&members, &|member| member.online, me);
        let timeline = Store::new(TimelineState { members, member_count: 2, ..TimelineState::empty() });
        let living = Living::new(Callback::new(|()| Box::pin(async { Ok(Vec::new()) }) as ApiFuture<_>));
        match known {
            Ok(rows) => living.rows.set(rows),
            Err(error) => living.problem.set(Some(explain(use_words(), error.code()))),
        }
        let now = "2026-11-15T12:00:00Z".parse::<Timestamp>().expect("a moment");
        let reader = Signal::stored(Reader::at(now.unix_millis(), |_| -300));
        let revoke = Callback::new(|_| Box::pin(async { Ok(()) }) as ApiFuture<_>);
        let (revoked, told) = (Callback::new(|_| ()), RwSignal::new(""));
        view! { <LivingLinks living timeline me reader revoke revoked told /> }.to_html()
    })
}

#[test]
fn a_link_says_whose_it_is_until_when_it_is_good_and_who_used_it() {
    let rows = vec![invite(1, ANA, 0, None), invite(2, BRUNO, 3, Some(10)), invite(3, GONE, 1, Some(2))];
    let html = html(Role::Owner, Ok(Some(rows)));
    assert_eq!(html.matches("data-testid=\"revoke-invite\"").count(), 3, "{html}");
    assert_eq!(html.matches(">Tú<").count(), 1, "{html}");
    for text in [
        "<bdi translate=\"no\">Ana</bdi>",
        "<bdi translate=\"no\">&lt;b&gt;דנה</bdi>",
        "<bdi translate=\"no\">Ya no está en el grupo</bdi>",
        ">Vence el 21 de noviembre, 23:30\u{a0}· aún sin usar<",
        ">Vence el 21 de noviembre, 23:30\u{a0}· entraron 3 personas, quedan 7 usos<",
        ">Vence el 21 de noviembre, 23:30\u{a0}· entró 1 persona, queda 1 uso<",
    ] {
        assert!(html.contains(text), "{text}: {html}");
    }
}

#[test]
fn who_sees_only_their_own_links_is_told_so() {
    let words = Lang::Es.words();
    for (role, title) in
        [(Role::Owner, words.living_links), (Role::Admin, words.living_links), (Role::Member, words.own_living_links)]
    {
        let html = html(role, Ok(Some(Vec::new())));
        assert!(html.contains(&format!(">{title}<")), "{html}");
        assert!(html.contains(words.no_living_links) && !html.contains("<ul"), "{html}");
    }
}

#[test]
fn a_list_that_is_not_here_is_no_empty_list() {
    let words = Lang::Es.words();
    let waiting = html(Role::Owner, Ok(None));
    assert!(waiting.contains(words.loading) && !waiting.contains(words.no_living_links), "{waiting}");
    let failed = html(Role::Owner, Err(ApiError::unreachable("cut")));
    assert!(failed.contains(words.error_network) && failed.contains("retry-invites"), "{failed}");
    assert!(!failed.contains(words.no_living_links), "{failed}");
}

#[test]
fn the_focus_goes_to_the_next_row_else_to_the_one_before() {
    let rows = [1, 2, 3].map(|number| invite(number, ANA, 0, None));
    let id = |number: usize| rows[number - 1].id;
    assert_eq!(beside(&rows, id(1)), Some(id(2)));
    assert_eq!(beside(&rows, id(3)), Some(id(2)));
    assert_eq!(beside(&rows[..1], id(1)), None);
    assert_eq!(beside(&rows[..1], id(2)), None);
}
