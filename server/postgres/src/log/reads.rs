//! Who has read a message, in PostgreSQL.

use caravana_protocol::{MessageId, UserId};
use caravana_store::StoreError;
use uuid::Uuid;

use super::super::PostgresStore;
use super::super::roles;
use super::super::rows::signed;
use super::target::message_by_id;

/// The members who have read a message and share it. An author who does not share sees nobody, and so does the
/// author in a closed conversation.
pub(super) async fn readers(store: &PostgresStore, actor: UserId, id: MessageId) -> Result<Vec<UserId>, StoreError> {
    let access = store.access.clone();
    let users: Vec<Uuid> = store
        .access
        .ask(|backend| {
            let access = access.clone();
            Box::pin(async move {
                let message = message_by_id(backend, id).await?.ok_or(StoreError::NotFound)?.to_message();
                let role = roles::role_of(&access, backend, message.group_id, actor).await?;
                role.ok_or(StoreError::NotFound)?;
                if message.user_id != Some(actor) {
                    return Err(StoreError::Forbidden);
                }
                let question = sqlx::query_scalar(access.sql(
                    "select r.user_id from caravana.read r where r.group_id = $1 and r.seq >= $2 and r.user_id <> $3 \
                     and exists (select from {members} v where v.group_id = r.group_id and v.user_id = r.user_id) \
                     and not exists (select from caravana.privacy p \
                       where p.user_id in (r.user_id, $3) and not p.share_reads) \
                     and not exists (select from caravana.direct d where d.group_id = r.group_id and d.closed) \
                     order by r.user_id",
                ));
                let question = question.bind(message.group_id.uuid()).bind(signed(message.seq)).bind(actor.uuid());
                Ok(question.fetch_all(backend).await?)
            })
        })
        .await?;
    Ok(users.into_iter().map(UserId::new).collect())
}
