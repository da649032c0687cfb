//! A script that uses only the seed's guide and a bearer header.

use serde_json::{Value, json};

use crate::support::{TestServer, Wire};

#[tokio::test]
async fn a_client_of_the_seed_chats_with_somebody_in_a_browser() {
    let server = TestServer::start().await;
    let (ana, script) = (server.register("Ana").await, server.register("Guion").await);
    let group = ana.create_group("Oaxaca").await;
    ana.brings(&script, group).await;
    let token: Value = script.post("/api/v1/auth/token", &json!({})).await.ok();
    let mut seed = Wire::open_with_token(&server, group, token["access_token"].as_str().unwrap()).await;
    let mut browser = Wire::open(&ana).await;
    browser.follow(group, None).await;
    let me = script.id();

    seed.say("typing", json!({"user_id": me})).await;
    assert_eq!(browser.expect("user_typing").await, json!({"user_id": me, "group_id": group}));
    seed.say("stop_typing", json!({"user_id": me})).await;
    assert_eq!(browser.expect("user_stop_typing").await, json!({"user_id": me, "group_id": group}));
    seed.say("send_message", json!({"user_id": me, "message": "¡Hola a todos!"})).await;
    let heard = browser.expect("new_message").await;
    assert_eq!(seed.expect("message_sent").await, heard);
    for (field, value) in [
        ("user_id", json!(me)),
        ("group_id", json!(group)),
        ("message", json!("¡Hola a todos!")),
        ("status", json!(true)),
    ] {
        assert_eq!(heard[field], value, "{field}");
    }

    browser.say("send_message", json!({"group_id": group, "message": "¡Bienvenido!"})).await;
    seed.expect("new_message").await;
    assert_eq!(seed.expect("new_message").await["message"], "¡Bienvenido!");
    browser.say("typing", json!({"group_id": group})).await;
    assert_eq!(seed.expect("user_typing").await["user_id"], json!(ana.id()));

    let connections: Value = ana.get(&format!("/chat/{group}/connections")).await.ok();
    assert_eq!(connections["active_connections"], 2);
    assert_eq!(connections["users"].as_array().unwrap().len(), 2);

    seed.say("send_message", json!({"user_id": ana.id(), "message": "soy Ana"})).await;
    assert_eq!(seed.error().await, "user_mismatch");
    browser.say("send_message", json!({"group_id": group, "message": "fin"})).await;
    browser.expect("new_message").await;
    assert_eq!(browser.expect("new_message").await["message"], "fin", "nothing was stored in between");
}
