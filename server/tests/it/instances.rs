//! Two instances of the hub on one store.

use std::sync::Arc;
use std::time::Duration;

use caravana_hub::broker::LocalBroker;
use caravana_hub::budgets::{BudgetSettings, Quota};
use caravana_hub::{Caller, Connection, Hub, HubSettings, Next, Posted, Scope, Unverified};
use caravana_protocol::rest::{NewGroup, Sharing};
use caravana_protocol::{Content, GroupId, UserId};
use caravana_store::{NewAccount, Proof, SharedStore};
use serde_json::Value;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::support::PATIENCE;
use crate::support::database::{Database, Kind};

fn hub(store: &SharedStore, broker: LocalBroker) -> Arc<Hub> {
    let settings = HubSettings {
        budgets: BudgetSettings {
            of_user: Quota::per_second(100, 100),
            of_group: Quota::per_second(100, 100),
            factor: 1.0,
        },
        connections_per_user: 10,
        // A test that waits for a sweep fails.
        sweep: Duration::from_hours(1),
        seed: 1,
        build: "test".into(),
        verify: Arc::new(|_| Box::pin(async { Err(Unverified::Refused) })),
    };
    Hub::start(Arc::clone(store) as _, Arc::new(broker), settings, TaskTracker::new(), CancellationToken::new())
}

fn joins(hub: &Arc<Hub>, user_id: UserId, group: GroupId) -> Connection {
    hub.connect(
        &Caller { user_id, proof: Proof::default(), is_direct: true, sharing: Sharing::default() },
        Scope::Group(group, None),
    )
}

/// Waits for a frame of this kind, and returns its data.
async fn frame(connection: &Connection, kind: &str) -> Value {
    let found = async {
        loop {
            let Next::Write(frames) = connection.mailbox().next().await else { panic!("closed before {kind}") };
            for (_, text) in frames.iter().flat_map(caravana_hub::frame::Outgoing::frames) {
                let frame: Value = serde_json::from_str(text).unwrap();
                if frame["type"] == kind {
                    return frame["data"].clone();
                }
            }
        }
    };
    timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("no {kind}"))
}

#[tokio::test]
async fn every_commit_reaches_both_instances_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::new(Kind::chosen(), folder.path().join("caravana.db")).await;
    let store = database.open().await;
    let (ana, group) = (UserId::new(Uuid::new_v4()), GroupId::new(Uuid::new_v4()));
    let (email, password_hash) = (format!("{ana}@example.org"), "not a hash".into());
    store.create_account(NewAccount { id: ana, email, display_name: "Ana".into(), password_hash }).await.unwrap();
    store.create_group(group, ana, NewGroup::named("Oaxaca")).await.unwrap();
    let broker = LocalBroker::default();
    let other = broker.join();
    let hubs = [hub(&store, broker), hub(&store, other)];
    let connections = [joins(&hubs[0], ana, group), joins(&hubs[1], ana, group)];
    for connection in &connections {
        frame(connection, "joined").await;
    }
    for (sender, text) in [(0, "uno"), (1, "dos")] {
        let content = Content::text(text.to_owned());
        hubs[sender].post(Posted { user_id: ana, group_id: group, id: None, content }).await.unwrap();
        for connection in &connections {
            assert_eq!(frame(connection, "new_message").await["message"], text);
        }
    }
    let mut foreign = database.foreign().await;
    foreign.says(ana, group, &["tres".to_owned()]).await;
    for connection in &connections {
        assert_eq!(frame(connection, "new_message").await["message"], "tres", "each hears the hints too");
    }
    store.close().await;
}
