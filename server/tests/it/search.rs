//! The search in messages: what is found, by whom, in which order and page by page, on both databases.

mod agreement;
mod foreign;

use std::collections::BTreeSet;

use caravana_protocol::limits::{SEARCH_PAGE, SEARCH_PAGE_DEFAULT};
use caravana_protocol::{GroupId, MessageId};
use serde_json::{Value, json};

use crate::support::{Answer, PASSWORD, TestServer, TestUser, eventually};

/// Budgets that these tests do not reach.
const NO_HASTE: [&str; 4] = [
    "--send-rate-per-user=20000",
    "--send-burst-per-user=20000",
    "--send-rate-per-group=20000",
    "--budget-factor=1000",
];

async fn patient() -> TestServer {
    let mut server = TestServer::builder();
    for flag in NO_HASTE {
        server = server.flag(flag);
    }
    server.start().await
}

async fn asked(user: &TestUser, parameters: &[(&str, &str)]) -> Answer {
    user.get(&format!("/api/v1/search?{}", serde_urlencoded::to_string(parameters).unwrap())).await
}

/// The first page of hits.
async fn hits(user: &TestUser, parameters: &[(&str, &str)]) -> Vec<Value> {
    let answer = asked(user, parameters).await;
    assert_eq!(answer.status, 200, "{parameters:?}: {}", answer.text);
    answer.json()["hits"].as_array().unwrap().clone()
}

/// The texts of the hits of the first page.
async fn found(user: &TestUser, query: &str) -> Vec<String> {
    texts(&hits(user, &[("q", query)]).await)
}

fn texts(hits: &[Value]) -> Vec<String> {
    hits.iter().map(|hit| hit["message"]["message"].as_str().unwrap().to_owned()).collect()
}

/// All pages, with what `between` does after each.
async fn all_pages(user: &TestUser, query: &str, limit: usize, mut between: impl AsyncFnMut()) -> Vec<String> {
    let (mut all, mut next) = (Vec::new(), None::<String>);
    let limit = limit.to_string();
    loop {
        let mut parameters = vec![("q", query), ("limit", limit.as_str())];
        parameters.extend(next.as_deref().map(|next| ("before", next)));
        let page = asked(user, &parameters).await.json();
        let hits = page["hits"].as_array().unwrap();
        assert!(hits.len() <= limit.parse().unwrap());
        all.extend(texts(hits));
        match page["next"].as_str() {
            Some(cursor) => next = Some(cursor.to_owned()),
            None => return all,
        }
        between().await;
    }
}

async fn sent(author: &TestUser, group: GroupId, text: &str) -> String {
    let answer = author.sends(group, text).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()["message"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn accents_and_case_are_ignored_and_words_are_prefixes() {
    let server = patient().await;
    let (ana, bob, group) = server.couple().await;
    for text in [
        "Un Café en la plaza",
        "la Straße de Łódź",
        "İstanbul de noche",
        "Αθήνα, κι άλλη μέρα",
        "Ёлка в Москве",
        "cafe\u{301} solo",
        "हिन्दी में",
        "l'Alhambra a las 10:30",
        "❤️playa🏖️mar",
        "ＦＵＬＬ width",
    ] {
        sent(&ana, group, text).await;
    }
    for (query, expected) in [
        ("CAFE", &["cafe\u{301} solo", "Un Café en la plaza"][..]),
        ("plaz caf", &["Un Café en la plaza"]),
        ("strass", &["la Straße de Łódź"]),
        ("straße", &["la Straße de Łódź"]),
        ("lodz", &["la Straße de Łódź"]),
        ("istanbul", &["İstanbul de noche"]),
        ("αθηνα", &["Αθήνα, κι άλλη μέρα"]),
        ("ΑΛΛΗ", &["Αθήνα, κι άλλη μέρα"]),
        ("елка", &["Ёлка в Москве"]),
        ("हिन्", &["हिन्दी में"]),
        ("हिनद", &[]),
        ("alhambra 10", &["l'Alhambra a las 10:30"]),
        ("playa mar", &["❤️playa🏖️mar"]),
        ("afé", &[]),
        ("café té", &[]),
    ] {
        let found: Vec<String> =
            found(&bob, query).await.into_iter().map(|text| text.replace('é', "e\u{301}")).collect();
        let expected: Vec<String> = expected.iter().map(|text| text.replace('é', "e\u{301}")).collect();
        assert_eq!(found, expected, "{query}");
    }
    let hit = &hits(&bob, &[("q", "plaz caf")]).await[0];
    let part = |text: &str, hit: bool| json!({"text": text, "hit": hit});
    assert_eq!(
        hit["parts"],
        json!([part("Un ", false), part("Caf", true), part("é en la ", false), part("plaz", true), part("a", false)])
    );
    assert_eq!(hit["group"]["id"], json!(group));
    assert!(hit["group"]["name"].is_string() && hit["message"]["seq"].is_u64());
    // A client does not know the members of all groups.
    assert!(hit["display_name"].as_str().is_some_and(|name| !name.is_empty()), "{hit}");
}

#[tokio::test]
async fn the_exact_spelling_comes_first_and_then_the_newest() {
    let server = patient().await;
    let (ana, bob, group) = server.couple().await;
    for text in ["1 cafe", "2 café", "3 CAFE", "4 cafetería", "5 Café", "6 cafe"] {
        sent(&ana, group, text).await;
    }
    assert_eq!(found(&bob, "cafe").await, ["6 cafe", "3 CAFE", "1 cafe", "5 Café", "4 cafetería", "2 café"]);
    assert_eq!(found(&bob, "café").await, ["5 Café", "2 café", "6 cafe", "4 cafetería", "3 CAFE", "1 cafe"]);
    assert_eq!(found(&bob, "caf").await, ["6 cafe", "5 Café", "4 cafetería", "3 CAFE", "2 café", "1 cafe"]);
    for limit in 1..=7 {
        let paged = all_pages(&bob, "cafe", limit, async || ()).await;
        assert_eq!(paged, ["6 cafe", "3 CAFE", "1 cafe", "5 Café", "4 cafetería", "2 café"], "{limit}");
    }
}

#[tokio::test]
async fn pages_lose_and_repeat_nothing_while_messages_arrive() {
    let server = patient().await;
    let (ana, bob, group) = server.couple().await;
    let mut expected = BTreeSet::new();
    for number in 0..60 {
        let text = if number % 3 == 0 { format!("hola {number}") } else { format!("holá {number}") };
        sent(&ana, group, &text).await;
        expected.insert(text);
    }
    let mut later = 0;
    let paged = all_pages(&bob, "hola", 7, async || {
        for word in ["hola", "holá", "holas"] {
            sent(&ana, group, &format!("{word} nueva {later}")).await;
            later += 1;
        }
    })
    .await;
    let old: Vec<&String> = paged.iter().filter(|text| !text.contains("nueva")).collect();
    assert_eq!(old.iter().copied().cloned().collect::<BTreeSet<_>>(), expected);
    assert_eq!(old.len(), expected.len(), "each once");
    assert_eq!(paged.iter().collect::<BTreeSet<_>>().len(), paged.len(), "the new ones too");
    let exact = old.iter().position(|text| text.starts_with("holá")).unwrap();
    assert!(old[exact..].iter().all(|text| text.starts_with("holá")) && exact == 20);
}

#[tokio::test]
async fn only_present_members_find_what_is_not_deleted() {
    let server = patient().await;
    let (ana, bob, group) = server.couple().await;
    let stranger = server.register("Nadie").await;
    let id = sent(&ana, group, "un secreto").await;
    assert_eq!(found(&bob, "secreto").await.len(), 1);
    assert_eq!(found(&stranger, "secreto").await.len(), 0);
    let in_group = [("q", "secreto"), ("group_id", &*group.to_string())];
    assert_eq!(hits(&bob, &in_group).await.len(), 1);
    asked(&stranger, &in_group).await.refused(404, "not_found");
    // Who comes later finds what was written before; who is removed finds nothing any more.
    ana.brings(&stranger, group).await;
    assert_eq!(found(&stranger, "secreto").await.len(), 1);
    ana.delete(&format!("/api/v1/groups/{group}/members/{}", stranger.id())).await;
    assert_eq!(found(&stranger, "secreto").await.len(), 0);
    bob.delete(&format!("/api/v1/groups/{group}/members/{}", bob.id())).await;
    assert_eq!(found(&bob, "secreto").await.len(), 0);
    asked(&bob, &in_group).await.refused(404, "not_found");
    ana.patch(&format!("/api/v1/groups/{group}/messages/{id}"), &json!({"message": "algo más"})).await;
    assert_eq!((found(&ana, "secreto").await.len(), found(&ana, "mas").await.len()), (0, 1));
    ana.delete(&format!("/api/v1/groups/{group}/messages/{id}")).await;
    assert_eq!(found(&ana, "mas").await.len(), 0);
    let other = sent(&ana, group, "otro secreto").await;
    assert_eq!(found(&ana, "secreto").await.len(), 1, "{other}");
    ana.delete(&format!("/api/v1/groups/{group}")).await;
    assert_eq!(found(&ana, "secreto").await.len(), 0);
    asked(&ana, &in_group).await.refused(404, "not_found");
    let unknown = MessageId::new(uuid::Uuid::now_v7()).to_string();
    asked(&ana, &[("q", "secreto"), ("group_id", &unknown)]).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_hit_has_the_present_name_of_its_author_and_none_when_the_account_is_gone() {
    let server = patient().await;
    let (ana, bob, group) = server.couple().await;
    sent(&bob, group, "mate amargo").await;
    let name = async || hits(&ana, &[("q", "mate")]).await[0]["display_name"].clone();
    assert_eq!(name().await, json!("Bob"));
    assert_eq!(bob.patch("/api/v1/account", &json!({"display_name": "Roberto"})).await.status, 200);
    assert_eq!(name().await, json!("Roberto"));
    assert_eq!(bob.post("/api/v1/account/delete", &json!({"password": PASSWORD})).await.status, 204);
    eventually("nobody's name is there", || async { name().await.is_null().then_some(()) }).await;
}

#[tokio::test]
async fn whatever_is_searched_for_is_words() {
    let server = patient().await;
    let (ana, bob, group) = server.couple().await;
    sent(&ana, group, "near or and not null select café").await;
    for query in [
        "\"near\"",
        "near*",
        "NEAR(near or)",
        "near OR zzz*or",
        "-near",
        "near:*",
        "and:near",
        "^near",
        "near & or",
        "near | or",
        "!near",
        "near <-> or",
        "(near",
        "near)",
        "'near'",
        "near\\",
        "near;--",
        "near\0or",
        "{near}",
        "near AND NOT null",
        "%near%",
        "$near$",
        "near\u{200b}or",
        "near+or",
    ] {
        let answer = asked(&bob, &[("q", query)]).await;
        assert_eq!(answer.status, 200, "{query:?}: {}", answer.text);
        let expected = usize::from(!query.contains("zzz"));
        assert_eq!(answer.json()["hits"].as_array().unwrap().len(), expected, "{query:?}");
    }
    for query in ["¿?", "🎉🎉", "  ", "\"\"", "**", "\u{301}\u{301}", "\0\0"] {
        assert_eq!(asked(&bob, &[("q", query)]).await.json(), json!({"hits": []}), "{query:?}");
    }
    let many = (0..50).map(|number| char::from(b'a' + number % 26).to_string()).collect::<Vec<_>>().join(" ");
    assert_eq!(asked(&bob, &[("q", &many)]).await.status, 200);
}

#[tokio::test]
async fn hits_can_be_restricted_to_a_person_and_a_time() {
    let server = patient().await;
    let (ana, bob, group) = server.couple().await;
    let mut program = server.foreign().await;
    for (author, day, text) in [(&ana, 1, "viaje uno"), (&bob, 2, "viaje dos"), (&ana, 3, "viaje tres")] {
        program
            .run(&format!(
                "insert into group_chat (user_id, group_id, message, created_at) \
                 values ('{}', '{group}', '{text}', '2027-04-0{day}T12:00:00.250Z')",
                author.id()
            ))
            .await;
    }
    let with = async |name: &str, value: &str| texts(&hits(&bob, &[("q", "viaje"), (name, value)]).await);
    assert_eq!(with("from", &ana.id().to_string()).await, ["viaje tres", "viaje uno"]);
    assert_eq!(with("since", "2027-04-02").await, ["viaje tres", "viaje dos"]);
    assert_eq!(with("until", "2027-04-02").await, ["viaje dos", "viaje uno"]);
    assert_eq!(with("since", "2027-04-02T12:00:00.25Z").await, ["viaje tres", "viaje dos"]);
    assert_eq!(with("since", "2027-04-02T12:00:00.251Z").await, ["viaje tres"]);
    assert_eq!(with("until", "2027-04-02T14:00:00.25+02:00").await, ["viaje dos", "viaje uno"]);
    assert_eq!(with("until", "2027-04-02T12:00:00.249Z").await, ["viaje uno"]);
    let all = [("q", "viaje"), ("from", &*bob.id().to_string()), ("since", "2027-04-02"), ("until", "2027-04-02")];
    assert_eq!(texts(&hits(&bob, &all).await), ["viaje dos"]);
    let nobody = uuid::Uuid::now_v7().to_string();
    assert_eq!(with("from", &nobody).await.len(), 0);
}

#[tokio::test]
async fn what_can_not_be_understood_is_refused() {
    let server = patient().await;
    let ana = server.register("Ana").await;
    let long = "ñ".repeat(101);
    for parameters in [
        &[][..],
        &[("q", "a")],
        &[("q", &long)],
        &[("q", "")],
        &[("q", "hola"), ("q", "hola")],
        &[("q", "hola"), ("limit", "0")],
        &[("q", "hola"), ("limit", "51")],
        &[("q", "hola"), ("limit", "x")],
        &[("q", "hola"), ("group_id", "x")],
        &[("q", "hola"), ("from", "x")],
        &[("q", "hola"), ("before", "x")],
        &[("q", "hola"), ("before", "s99999999999999999999")],
        &[("q", "hola"), ("since", "ayer")],
        &[("q", "hola"), ("since", "2027-02-30")],
        &[("q", "hola"), ("until", "2027-02-01T25:00:00Z")],
    ] {
        asked(&ana, parameters).await.refused(400, "invalid_param");
    }
    for parameters in [
        &[("q", "ab")][..],
        &[("q", &long[..200])],
        &[("q", "hola"), ("before", "w0")],
        &[("q", "hola"), ("before", "s9223372036854775807")],
        &[("q", "hola"), ("limit", "50"), ("other", "x")],
    ] {
        assert_eq!(asked(&ana, parameters).await.json(), json!({"hits": []}), "{parameters:?}");
    }
    server.stranger().get("/api/v1/search?q=hola").await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn three_thousand_messages_in_thirty_three_groups() {
    let server = patient().await;
    let ana = server.register("Ana").await;
    let mut program = server.foreign().await;
    let mut groups = Vec::new();
    for number in 0..33 {
        groups.push(ana.create_group(&format!("Viaje {number}")).await);
    }
    for round in 0..10 {
        for (number, group) in groups.iter().enumerate() {
            let texts: Vec<String> = (0..10)
                .map(|n| match (round * 10 + n) % 50 {
                    0 => format!("restaurante {number} {round}"),
                    7 if number == 5 && round == 0 => "el único tranvía".to_owned(),
                    even if even % 2 == 0 => format!("buenos días a todos {number} {round} {n}"),
                    _ => format!("nada de particular {number} {round} {n}"),
                })
                .collect();
            program.says(ana.id(), group, &texts).await;
        }
    }
    assert_eq!(found(&ana, "tranvia").await, ["el único tranvía"]);
    assert_eq!(found(&ana, "dias").await.len(), SEARCH_PAGE_DEFAULT);
    for (query, expected) in [("restaur", 66), ("restaurante", 66), ("dia", 33 * 48), ("dias tod", 33 * 48), ("zz", 0)]
    {
        let all = all_pages(&ana, query, SEARCH_PAGE, async || ()).await;
        assert_eq!(all.len(), expected, "{query}");
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), expected, "{query}: each once");
    }
    let newest = found(&ana, "dias").await;
    assert!(
        newest.iter().all(|text| text.contains("todos 32 9")
            || text.contains("todos 31 9")
            || text.contains("todos 30 9")
            || text.contains("todos 29 9")),
        "{newest:?}"
    );
    let inside = hits(&ana, &[("q", "restaurante"), ("group_id", &groups[7].to_string()), ("limit", "50")]).await;
    assert_eq!(texts(&inside), ["restaurante 7 5", "restaurante 7 0"]);
}
