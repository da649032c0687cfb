//! What a client receives that subscribed to the table before Caravana was installed: supabase-js, by logical decoding
//! of the publication.

use caravana_postgres::migrate;

use super::adoption::host;
use super::{group, run, user};

#[tokio::test]
async fn a_subscriber_of_the_publication_hears_every_change_of_the_chat_and_nothing_of_ours() {
    let database = host().await;
    let mut connection = database.connect().await;
    run(&mut connection, "create publication supabase_realtime; alter table group_chat replica identity full").await;
    migrate(&database.options()).await.unwrap();
    let slot = format!("subscriber_{}", std::process::id());
    run(&mut connection, &format!("select pg_create_logical_replication_slot('{slot}', 'pgoutput')")).await;
    run(
        &mut connection,
        &format!(
            "insert into group_chat (group_id, user_id, message) values ('{}', '{}', 'lo oyen todos');
             update group_chat set message = 'corregido';
             insert into caravana.member (group_id, user_id) values ('{0}', '{1}') on conflict do nothing;
             delete from group_chat",
            group(1),
            user(1),
        ),
    )
    .await;
    let changes: Vec<Vec<u8>> = sqlx::query_scalar(
        "select data from pg_logical_slot_get_binary_changes($1, null, null, 'proto_version', '1', \
           'publication_names', 'supabase_realtime')",
    )
    .bind(&slot)
    .fetch_all(&mut connection)
    .await
    .unwrap();
    run(&mut connection, &format!("select pg_drop_replication_slot('{slot}')")).await;
    // pgoutput's messages begin with their kind; Relation names a table before its first row.
    let of_kind = |kind: u8| changes.iter().filter(move |change| change[0] == kind).collect::<Vec<_>>();
    let has = |change: &[u8], text: &str| change.windows(text.len()).any(|part| part == text.as_bytes());
    let (inserts, updates, deletes, tables) = (of_kind(b'I'), of_kind(b'U'), of_kind(b'D'), of_kind(b'R'));
    assert_eq!((inserts.len(), updates.len(), deletes.len(), tables.len()), (1, 1, 1, 1));
    assert!(has(inserts[0], "lo oyen todos"));
    assert!(has(updates[0], "corregido") && has(updates[0], "lo oyen todos"), "with the old values");
    assert!(has(tables[0], "group_chat"));
}
