//! Checks whether credentials are still valid, and ends them.

use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};

use caravana_protocol::UserId;
use caravana_protocol::rest::User;
use caravana_store::{FOR_EVER, KnownHolder, NAMELESS, Proof, Proofs, SecretHash, StoreError, TokenHolder};
use sqlx::SqliteConnection;

use super::privacy::{SharingColumns, sharing_columns};
use super::rows::Name;
use super::{SqliteStore, ended, privacy, roles};

/// What is stored about the holder of a token.
#[derive(sqlx::FromRow)]
struct HolderRow {
    display_name: Name,
    is_guest: bool,
    has_signed_up: bool,
    holds: bool,
    #[sqlx(flatten)]
    sharing: SharingColumns,
}

#[async_trait]
impl Proofs for SqliteStore {
    /// Usually the stored user already matches the token. Then one read is enough and the writer is not used.
    async fn token_holder(&self, holder: TokenHolder, now: i64) -> Result<Option<KnownHolder>, StoreError> {
        let TokenHolder { id, proof, .. } = holder;
        let row: Option<HolderRow> = sqlx::query_as(concat!(
            "select u.display_name, ",
            sharing_columns!(),
            ",
               exists (select 1 from caravana_guest g where g.user_id = u.id) as is_guest,
               exists (select 1 from caravana_signed_up p where p.user_id = u.id)
                 or exists (select 1 from caravana_account a where a.user_id = u.id) as has_signed_up,
               (?2 is null or exists (select 1 from caravana_session s
                  where s.token_hash = ?2 and s.user_id = u.id and s.expires_at > ?3))
               and not exists (select 1 from caravana_sign_out o
                  where o.user_id = u.id and o.at >= coalesce(?4, o.at)) as holds
             from users u left join caravana_privacy p on p.user_id = u.id where u.id = ?1"
        ))
        .bind(id.to_string())
        .bind(proof.session.as_ref().map(|hash| &hash[..]))
        .bind(now)
        .bind(proof.issued_at)
        .fetch_optional(&self.readers)
        .await?;
        if let Some(row) = row {
            if !row.holds {
                return Ok(None);
            }
            let sharing = row.sharing.into_sharing();
            let user = User { id, display_name: row.display_name.0, email: None, sharing, blocked: Vec::new() };
            let stored = KnownHolder { user, is_guest: row.is_guest };
            if holder.is_known(&stored, row.has_signed_up, true) {
                return Ok(Some(stored));
            }
        } else if proof.session.is_some() {
            return Ok(None);
        }
        match remember(self, id, holder.display_name, holder.is_guest).await {
            Ok(known) => Ok(Some(known)),
            // The account has ended meanwhile.
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn last_sign_out(&self, user: UserId) -> Result<Option<i64>, StoreError> {
        Ok(sqlx::query_scalar("select at from caravana_sign_out where user_id = ?")
            .bind(user.to_string())
            .fetch_optional(&self.readers)
            .await?)
    }

    async fn end_sign_ins(&self, user: UserId, kept: Option<SecretHash>, now: i64) -> Result<(), StoreError> {
        self.writer.run(move |tx, _| Box::pin(async move { sign_out(tx, &user.to_string(), kept, now).await })).await
    }

    /// Two queries for any number of proofs.
    async fn ended(&self, proofs: Vec<(UserId, Proof)>, now: i64) -> Result<Vec<(UserId, Proof)>, StoreError> {
        let sessions: BTreeSet<String> =
            proofs.iter().filter_map(|(_, proof)| proof.session.as_ref()).map(hex).collect();
        let living: Vec<(Vec<u8>, String)> = sqlx::query_as(
            "select s.token_hash, s.user_id from json_each(?) named
             join caravana_session s on s.token_hash = unhex(named.value) where s.expires_at > ?",
        )
        .bind(json(&sessions))
        .bind(now)
        .fetch_all(&self.readers)
        .await?;
        let living: BTreeSet<(Vec<u8>, String)> = living.into_iter().collect();
        let users: BTreeSet<String> =
            proofs.iter().filter(|(_, proof)| proof.expires_at.is_some()).map(|(user, _)| user.to_string()).collect();
        let signed_out: Vec<(String, i64)> = sqlx::query_as(
            "select o.user_id, o.at from json_each(?) named join caravana_sign_out o on o.user_id = named.value",
        )
        .bind(json(&users))
        .fetch_all(&self.readers)
        .await?;
        let signed_out: BTreeMap<String, i64> = signed_out.into_iter().collect();
        let is_over = |(user, proof): &(UserId, Proof)| {
            let user = user.to_string();
            let signed_out = signed_out.get(&user).copied();
            let session_lives = proof.session.is_some_and(|hash| living.contains(&(hash.to_vec(), user)));
            proof.is_over(session_lives, signed_out)
        };
        Ok(proofs.into_iter().filter(is_over).collect())
    }
}

/// Creates the user, or stores what a new token says: that a guest has signed up, which is never undone, or a name for
/// a user without one.
async fn remember(
    store: &SqliteStore,
    id: UserId,
    display_name: Option<String>,
    is_guest: bool,
) -> Result<KnownHolder, StoreError> {
    store
        .writer
        .run(move |tx, _| {
            Box::pin(async move {
                let user = id.to_string();
                ended::lives(tx, &user).await?;
                let name = display_name.as_deref().unwrap_or(NAMELESS);
                // Another request may have been first; then its name is kept.
                sqlx::query(
                    "insert into users (id, display_name) values (?1, ?2)
                     on conflict (id) do update set display_name =
                       case when display_name = ?3 then excluded.display_name else display_name end",
                )
                .bind(&user)
                .bind(name)
                .bind(NAMELESS)
                .execute(&mut *tx)
                .await?;
                let statements: &[&str] = if is_guest {
                    &["insert into caravana_guest (user_id) select ?1
                       where not exists (select 1 from caravana_signed_up where user_id = ?1)
                         and not exists (select 1 from caravana_account where user_id = ?1)
                       on conflict (user_id) do nothing"]
                } else {
                    &[
                        "insert into caravana_signed_up (user_id) values (?1) on conflict (user_id) do nothing",
                        "delete from caravana_guest where user_id = ?1",
                    ]
                };
                for statement in statements {
                    sqlx::query(*statement).bind(&user).execute(&mut *tx).await?;
                }
                let is_guest = roles::is_guest(tx, &user).await?;
                let user = privacy::user(tx, id).await?.ok_or(StoreError::NotFound)?;
                Ok(KnownHolder { user, is_guest })
            })
        })
        .await
}

/// Whether a proof is still valid, inside a write's own transaction.
pub(super) async fn holds(tx: &mut SqliteConnection, user: &str, proof: &Proof, now: i64) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar(
        "select (?2 is null or exists (select 1 from caravana_session s
            where s.token_hash = ?2 and s.user_id = ?1 and s.expires_at > ?3))
         and (?5 is null or not exists (select 1 from caravana_sign_out o
            where o.user_id = ?1 and o.at >= coalesce(?4, o.at)))",
    )
    .bind(user)
    .bind(proof.session.as_ref().map(|hash| &hash[..]))
    .bind(now)
    .bind(proof.issued_at)
    .bind(proof.expires_at)
    .fetch_one(tx)
    .await?)
}

/// Ends all sign-ins, tickets and tokens of a user except the kept sign-in, inside a write's own transaction. A second
/// sign-out within one second counts for the next second, so that it also ends tokens that were made between the two. A
/// third one does not go further, because no token is made for more than one second ahead.
pub(super) async fn sign_out(
    tx: &mut SqliteConnection,
    user: &str,
    kept: Option<SecretHash>,
    at: i64,
) -> Result<(), StoreError> {
    sqlx::query("delete from caravana_session where user_id = ?1 and token_hash is not ?2")
        .bind(user)
        .bind(kept.as_ref().map(|hash| &hash[..]))
        .execute(&mut *tx)
        .await?;
    sqlx::query("delete from caravana_ticket where user_id = ?").bind(user).execute(&mut *tx).await?;
    sqlx::query(
        "insert into caravana_sign_out (user_id, at) values (?1, ?2)
         on conflict (user_id) do update
         set at = case when at > excluded.at or at = ?3 then at else max(at + 1, excluded.at) end",
    )
    .bind(user)
    .bind(at)
    .bind(FOR_EVER)
    .execute(tx)
    .await?;
    Ok(())
}

fn json(texts: &BTreeSet<String>) -> String {
    texts.iter().map(String::as_str).collect::<serde_json::Value>().to_string()
}

fn hex(hash: &SecretHash) -> String {
    use std::fmt::Write as _;
    hash.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
