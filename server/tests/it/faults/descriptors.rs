//! The server has no free file descriptor (G13, G19).

use std::process::Command;

use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::ana_in_oaxaca;
use super::crowd::until;
use crate::support::{Vitals, Wire, eventually};

/// How many more descriptors the process may open.
const LEFT: usize = 12;
/// How many connections need one.
const WANTED: usize = 40;

fn limit(pid: u32, descriptors: usize) {
    let set = Command::new("prlimit").arg(format!("--pid={pid}")).arg(format!("--nofile={descriptors}:")).status();
    assert!(set.is_ok_and(|status| status.success()), "prlimit (util-linux) could not set the limit");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_without_descriptors_serves_those_inside_and_takes_others_when_there_are_some() {
    let (server, ana, group) = ana_in_oaxaca().await;
    let bob = server.register("Bob").await;
    ana.brings(&bob, group).await;
    let (mut of_ana, _) = Wire::open_group(&ana, group).await;
    let (mut of_bob, _) = Wire::open_group(&bob, group).await;
    let limited = Vitals::of(server.pid()).descriptors + LEFT;
    limit(server.pid(), limited);
    let mut crowd = Vec::new();
    for _ in 0..WANTED {
        // The kernel accepts all of them. The process can not.
        crowd.push(TcpStream::connect(server.address).await.unwrap());
    }
    until("the process has no descriptor left", || Vitals::of(server.pid()).descriptors >= limited).await;
    for number in 0..20 {
        of_ana.say("send_message", json!({"message": number.to_string()})).await;
        of_ana.expect("message_sent").await;
        assert_eq!(of_bob.expect("new_message").await["message"], number.to_string());
    }
    drop(crowd);
    let answer: Value = eventually("new connections are taken again", async || {
        let answer = ana.request(reqwest::Method::GET, &format!("/chat/{group}/connections")).send().await.ok()?;
        answer.json().await.ok()
    })
    .await;
    assert_eq!(answer["active_connections"], 2, "those inside were not disturbed");
    let (mut again, _) = Wire::open_group(&bob, group).await;
    of_ana.say("send_message", json!({"message": "ya hay sitio"})).await;
    assert_eq!(again.expect("new_message").await["message"], "ya hay sitio");
}
