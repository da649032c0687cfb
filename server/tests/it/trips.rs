//! What a group tells of its trip: an emoji and the first and last day; and who hears of a change.

use caravana_protocol::GroupId;
use serde_json::{Value, json};

use crate::support::{TestServer, TestUser, Wire};

async fn group_of(user: &TestUser, group: GroupId) -> Value {
    user.get(&format!("/api/v1/groups/{group}")).await.json()["group"].clone()
}

/// The emoji and the days, `null` where they are left out.
fn trip(group: &Value) -> [&Value; 3] {
    ["emoji", "starts_on", "ends_on"].map(|field| &group[field])
}

#[tokio::test]
async fn a_group_is_made_with_its_emoji_and_its_days() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let new = json!({"name": "Oaxaca", "emoji": "🌮", "starts_on": "2027-04-03", "ends_on": "2027-04-03"});
    let made = ana.post("/api/v1/groups", &new).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json()["group"].clone();
    assert_eq!(trip(&made), [&json!("🌮"), &json!("2027-04-03"), &json!("2027-04-03")]);
    assert_eq!(made["head"], 2, "its maker joined, and all of it is one change");
    assert_eq!(ana.get("/api/v1/groups").await.json()["groups"], json!([made]));
    let plain = ana.post("/api/v1/groups", &json!({"name": "Porto", "emoji": null, "ends_on": null})).await.json();
    for field in ["emoji", "starts_on", "ends_on"] {
        assert_eq!(plain["group"].get(field), None, "{field} is left out");
    }
    assert_eq!(plain["group"]["head"], 1);
}

#[tokio::test]
async fn the_members_see_a_change_at_once_and_what_is_so_already_is_no_event() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let path = format!("/api/v1/groups/{group}");
    let (mut wire, joined) = Wire::open_group(&bob, group).await;
    bob.patch(&path, &json!({"emoji": "🌮"})).await.refused(403, "forbidden");
    let change =
        json!({"emoji": "🌮", "starts_on": "2027-04-03", "ends_on": "2027-04-11", "time_zone": "Europe/Lisbon"});
    let changed = ana.patch(&path, &change).await.json()["group"].clone();
    let seq = joined["head"].as_u64().unwrap() + 1;
    let event = wire.expect("group_updated").await;
    assert_eq!((trip(&event), event["seq"].as_u64()), (trip(&changed), Some(seq)));
    assert_eq!((&event["time_zone"], event.get("renamed")), (&json!("Europe/Lisbon"), None));
    assert_eq!(trip(&group_of(&bob, group).await), [&json!("🌮"), &json!("2027-04-03"), &json!("2027-04-11")]);
    for again in [&change, &json!({}), &json!({"emoji": "🌮"}), &json!({"ends_on": "2027-04-11"})] {
        assert_eq!(ana.patch(&path, again).await.json()["group"]["head"], seq, "{again}");
    }
    // One day alone must fit the other, which is stored.
    ana.patch(&path, &json!({"ends_on": "2027-04-02"})).await.refused(422, "bad_request");
    ana.patch(&path, &json!({"name": "Otra", "starts_on": "2027-04-12"})).await.refused(422, "bad_request");
    assert_eq!(group_of(&ana, group).await["head"], seq, "nothing of a refused change stays");
    let moved = ana.patch(&path, &json!({"starts_on": "2027-05-01", "ends_on": "2027-05-09"})).await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    assert_eq!(wire.expect("group_updated").await["starts_on"], "2027-05-01");
    let cleared = ana.patch(&path, &json!({"emoji": null, "ends_on": null})).await.json()["group"].clone();
    assert_eq!(trip(&cleared), [&Value::Null, &json!("2027-05-01"), &Value::Null]);
    let event = wire.expect("group_updated").await;
    assert_eq!((event.get("emoji"), event.get("ends_on")), (None, None));
    // A replay shows the present values at each change.
    let page = bob.get(&format!("{path}/events?after={}", seq - 1)).await.json();
    for event in page["events"].as_array().unwrap() {
        assert_eq!(trip(&event["data"]), [&Value::Null, &json!("2027-05-01"), &Value::Null], "{event}");
    }
}

#[tokio::test]
async fn what_is_no_emoji_or_no_day_is_refused() {
    let server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Lisboa").await;
    for wrong in [
        json!({"emoji": ""}),
        json!({"emoji": "a"}),
        json!({"emoji": "🌮🌮"}),
        json!({"emoji": " 🌮"}),
        json!({"emoji": "❤"}),
        json!({"emoji": 7}),
        json!({"starts_on": "2027-02-29"}),
        json!({"starts_on": "2027-4-3"}),
        json!({"ends_on": "2027-04-03T00:00:00Z"}),
        json!({"ends_on": ""}),
        json!({"ends_on": 20_270_403}),
        json!({"starts_on": "2027-04-03", "ends_on": "2027-04-02"}),
    ] {
        ana.patch(&format!("/api/v1/groups/{group}"), &wrong).await.refused(422, "bad_request");
        let mut new = wrong.clone();
        new["name"] = json!("Porto");
        ana.post("/api/v1/groups", &new).await.refused(422, "bad_request");
    }
    assert_eq!(group_of(&ana, group).await["head"], 1);
}

#[tokio::test]
async fn another_program_that_changes_it_is_heard_and_what_it_breaks_is_not_shown() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let (mut wire, _) = Wire::open_group(&bob, group).await;
    let mut foreign = server.foreign().await;
    let table = "update {ours}group set";
    let here = format!("where group_id = '{group}'");
    foreign.run(&format!("{table} emoji = '🏖️', starts_on = '2027-08-01' {here}")).await;
    let event = wire.expect("group_updated").await;
    assert_eq!(trip(&event), [&json!("🏖️"), &json!("2027-08-01"), &Value::Null]);
    foreign.run(&format!("{table} emoji = 'playa', starts_on = 'mañana', ends_on = '2027-08-09' {here}")).await;
    let event = wire.expect("group_updated").await;
    assert_eq!(trip(&event), [&Value::Null, &Value::Null, &json!("2027-08-09")]);
    assert_eq!(trip(&group_of(&ana, group).await), trip(&event));
}
