//! A panic in one connection (G19).

use std::sync::Arc;
use std::time::Duration;

use caravana_hub::broker::LocalBroker;
use caravana_hub::budgets::{BudgetSettings, Quota};
use caravana_hub::{Caller, Hub, HubSettings, Scope};
use caravana_protocol::rest::Sharing;
use caravana_protocol::{GroupId, UserId};
use caravana_server::socket::drive;
use caravana_store::{Proof, SharedLog};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::{End, TestServer, Wire};

/// A socket on the endpoint of one group. The test holds both ends.
async fn open(hub: &Arc<Hub>, user: UserId, group: GroupId) -> Wire {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    let identity = Caller { user_id: user, proof: Proof::default(), is_direct: true, sharing: Sharing::default() };
    let connection = hub.connect(&identity, Scope::Group(group, None));
    tokio::spawn(drive(server, &[], connection));
    let mut wire = Wire::over(client).await;
    wire.expect("hello").await;
    wire.expect("joined").await;
    wire
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_ends_its_own_socket_and_no_other() {
    // A real server creates the users and the group. Then a hub with a fault opens its database file.
    let mut server = TestServer::start().await;
    let ana = server.register("Ana").await;
    let group = ana.create_group("Oaxaca").await;
    server.stop().await;
    let store = server.database().open().await;
    let settings = HubSettings {
        budgets: BudgetSettings {
            of_user: Quota::per_second(1_000, 1_000),
            of_group: Quota::per_second(1_000, 1_000),
            factor: 1.0,
        },
        connections_per_user: 10,
        sweep: Duration::from_secs(5),
        seed: 1,
        build: "test".into(),
        verify: Arc::new(|_| panic!("this panic belongs to the test")),
    };
    let (tasks, end) = (TaskTracker::new(), CancellationToken::new());
    let hub = Hub::start(
        Arc::clone(&store) as SharedLog,
        Arc::new(LocalBroker::default()),
        settings,
        tasks.clone(),
        end.clone(),
    );
    let (mut faulty, mut other) = (open(&hub, ana.id(), group).await, open(&hub, ana.id(), group).await);
    faulty.say("auth", json!({"token": "x"})).await;
    assert_eq!(faulty.end().await, End::Code(1011));
    other.say("send_message", json!({"message": "sigo"})).await;
    assert_eq!(other.expect("message_sent").await["message"], "sigo");
    assert_eq!(other.expect("new_message").await["message"], "sigo");
    drop(other);
    end.cancel();
    tasks.close();
    tasks.wait().await;
    store.close().await;
}
