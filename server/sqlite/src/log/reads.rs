//! Who has read a message, in SQLite.

use caravana_protocol::{MessageId, UserId};
use caravana_store::StoreError;
use sqlx::SqliteConnection;

use super::super::rows::signed;
use super::target::message_for;

/// The members who have read a message and share it. An author who does not share sees nobody, and so does the
/// author in a closed conversation.
pub(super) async fn readers(
    connection: &mut SqliteConnection,
    actor: UserId,
    id: MessageId,
) -> Result<Vec<UserId>, StoreError> {
    let (message, _) = message_for(connection, actor, id).await?;
    if message.user_id != Some(actor) {
        return Err(StoreError::Forbidden);
    }
    let users: Vec<String> = sqlx::query_scalar(
        "select r.user_id from caravana_read r \
         join caravana_member v on v.group_id = r.group_id and v.user_id = r.user_id \
         where r.group_id = ?1 and r.seq >= ?2 and r.user_id <> ?3 \
         and not exists (select 1 from caravana_privacy p where p.user_id in (r.user_id, ?3) and not p.share_reads) \
         and not exists (select 1 from caravana_direct d where d.group_id = r.group_id and d.closed) \
         order by r.user_id",
    )
    .bind(message.group_id.to_string())
    .bind(signed(message.seq))
    .bind(actor.to_string())
    .fetch_all(connection)
    .await?;
    Ok(users.iter().filter_map(|user| user.parse().ok()).collect())
}
