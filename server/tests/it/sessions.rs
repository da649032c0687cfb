//! The real client against the real server: what a user sees when something fails between them.

use std::sync::Arc;

use crate::support::{RealClient, TestServer};

#[tokio::test]
async fn two_people_talk() {
    let server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let (ana, bob) = (Arc::new(ana), Arc::new(bob));
    let (mut alice, mut bobby) = (RealClient::start(&ana, group).await, RealClient::start(&bob, group).await);
    alice.send("hola");
    bobby.sees(&["hola"]).await;
    bobby.send("¿qué tal?");
    alice.sees(&["hola", "¿qué tal?"]).await;
    bobby.has_sent_everything().await;
}

#[tokio::test]
async fn a_planned_restart_loses_and_doubles_nothing() {
    let mut server = TestServer::start().await;
    let (ana, bob, group) = server.couple().await;
    let (ana, bob) = (Arc::new(ana), Arc::new(bob));
    let (mut alice, mut bobby) = (RealClient::start(&ana, group).await, RealClient::start(&bob, group).await);
    alice.send("antes");
    bobby.sees(&["antes"]).await;
    server.stop().await;
    alice.is_not_online().await;
    alice.send("durante, uno");
    alice.send("durante, dos");
    server.start_again().await;
    bobby.sees(&["antes", "durante, uno", "durante, dos"]).await;
    alice.has_sent_everything().await;
    alice.sees(&["antes", "durante, uno", "durante, dos"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_in_the_middle_of_talking_loses_and_doubles_nothing() {
    let mut server = TestServer::builder().own_process().start().await;
    let (ana, bob, group) = server.couple().await;
    let (ana, bob) = (Arc::new(ana), Arc::new(bob));
    let (mut alice, mut bobby) = (RealClient::start(&ana, group).await, RealClient::start(&bob, group).await);
    let said: Vec<String> = (0..60).map(|number| number.to_string()).collect();
    for (number, text) in said.iter().enumerate() {
        alice.send(text);
        if number % 20 == 10 {
            let seen = number - 5;
            bobby
                .until("some of it", |session| session.group(group).is_some_and(|group| group.timeline().len() > seen))
                .await;
            server.kill();
            server.start_process_again();
        }
    }
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    bobby.sees(&said).await;
    alice.has_sent_everything().await;
    alice.sees(&said).await;
}

#[tokio::test]
async fn a_row_of_another_program_is_on_the_screen_at_once() {
    let server = TestServer::start().await;
    let ana = Arc::new(server.register("Ana").await);
    let group = ana.create_group("Oaxaca").await;
    let mut alice = RealClient::start(&ana, group).await;
    // Otherwise the row could come with the first page.
    alice.is_live().await;
    server.foreign().await.says(ana.id(), group, &["desde fuera".to_owned()]).await;
    alice.sees(&["desde fuera"]).await;
}
