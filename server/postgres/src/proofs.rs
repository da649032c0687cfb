//! Checks whether credentials are still valid, and ends them.

use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};

use caravana_protocol::UserId;
use caravana_protocol::rest::User;
use caravana_store::{FOR_EVER, KnownHolder, NAMELESS, Proof, Proofs, SecretHash, StoreError, TokenHolder};
use uuid::Uuid;

use super::backend::Backend;
use super::privacy::{SharingColumns, sharing_columns};
use super::rows::Name;
use super::{PostgresStore, ended, privacy, roles};

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
impl Proofs for PostgresStore {
    /// Usually the stored user already matches the token. Then one read is enough.
    async fn token_holder(&self, holder: TokenHolder, now: i64) -> Result<Option<KnownHolder>, StoreError> {
        let TokenHolder { id, proof, .. } = holder;
        let row: Option<HolderRow> = self
            .access
            .ask(|backend| {
                let statement = self.access.sql(concat!(
                    "select {user name} as display_name, ",
                    sharing_columns!(),
                    ",
                       exists (select from caravana.guest g where g.user_id = u.id) as is_guest,
                       exists (select from caravana.signed_up p where p.user_id = u.id)
                         or exists (select from caravana.account a where a.user_id = u.id) as has_signed_up,
                       ($2::bytea is null or exists (select from caravana.session s
                          where s.token_hash = $2 and s.user_id = u.id and s.expires_at > $3))
                       and not exists (select from caravana.sign_out o
                          where o.user_id = u.id and o.at >= coalesce($4::bigint, o.at)) as holds
                     from public.users u left join caravana.privacy p on p.user_id = u.id where u.id = $1"
                ));
                Box::pin(async move {
                    let question = sqlx::query_as(statement).bind(id.uuid());
                    let question = question.bind(proof.session.as_ref().map(|hash| &hash[..])).bind(now);
                    Ok(question.bind(proof.issued_at).fetch_optional(backend).await?)
                })
            })
            .await?;
        if let Some(row) = row {
            if !row.holds {
                return Ok(None);
            }
            let sharing = row.sharing.into_sharing();
            let user = User { id, display_name: row.display_name.0, email: None, sharing, blocked: Vec::new() };
            let stored = KnownHolder { user, is_guest: row.is_guest };
            if holder.is_known(&stored, row.has_signed_up, self.access.shape().keeps_names()) {
                return Ok(Some(stored));
            }
        } else if proof.session.is_some() {
            return Ok(None);
        } else if !self.access.shape().makes_users() {
            // Only the host may create users here, and it has not created this one.
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
        self.access
            .ask(|backend| {
                Box::pin(async move {
                    let question = sqlx::query_scalar("select at from caravana.sign_out where user_id = $1");
                    Ok(question.bind(user.uuid()).fetch_optional(backend).await?)
                })
            })
            .await
    }

    async fn end_sign_ins(&self, user: UserId, kept: Option<SecretHash>, now: i64) -> Result<(), StoreError> {
        self.access.write(move |backend, _| Box::pin(async move { sign_out(backend, user, kept, now).await })).await
    }

    /// Two queries in one snapshot, for any number of proofs.
    async fn ended(&self, proofs: Vec<(UserId, Proof)>, now: i64) -> Result<Vec<(UserId, Proof)>, StoreError> {
        let sessions: BTreeSet<SecretHash> = proofs.iter().filter_map(|(_, proof)| proof.session).collect();
        let sessions: Vec<Vec<u8>> = sessions.into_iter().map(|hash| hash.to_vec()).collect();
        let users: BTreeSet<UserId> =
            proofs.iter().filter(|(_, proof)| proof.expires_at.is_some()).map(|(user, _)| *user).collect();
        let users: Vec<Uuid> = users.into_iter().map(UserId::uuid).collect();
        let (living, signed_out): (Vec<SessionRow>, Vec<SignOutRow>) = self
        .access
        .ask_in_snapshot(|backend| {
            let (sessions, users) = (sessions.clone(), users.clone());
            Box::pin(async move {
                let living = sqlx::query_as(
                    "select token_hash, user_id from caravana.session where token_hash = any($1) and expires_at > $2",
                );
                let living = living.bind(sessions).bind(now).fetch_all(&mut *backend).await?;
                let signed_out = sqlx::query_as("select user_id, at from caravana.sign_out where user_id = any($1)");
                Ok((living, signed_out.bind(users).fetch_all(backend).await?))
            })
        })
        .await?;
        let living: BTreeSet<(Vec<u8>, UserId)> =
            living.into_iter().map(|(hash, user)| (hash, UserId::new(user))).collect();
        let signed_out: BTreeMap<UserId, i64> =
            signed_out.into_iter().map(|(user, at)| (UserId::new(user), at)).collect();
        let is_over = |(user, proof): &(UserId, Proof)| {
            let session_lives = proof.session.is_some_and(|hash| living.contains(&(hash.to_vec(), *user)));
            proof.is_over(session_lives, signed_out.get(user).copied())
        };
        Ok(proofs.into_iter().filter(is_over).collect())
    }
}

/// Creates the user, or stores what a new token says: that a guest has signed up, which is never undone, or a name for
/// a user without one.
async fn remember(
    store: &PostgresStore,
    id: UserId,
    display_name: Option<String>,
    is_guest: bool,
) -> Result<KnownHolder, StoreError> {
    let access = store.access.clone();
    store
        .access
        .write(move |backend, _| {
            // Another request may have been first; then its name is kept.
            let insert =
                access.sql("insert into public.users (id{, user name}) values ($1{, $2}) on conflict (id) do nothing");
            let rename = access.sql("{rename user}");
            let (access, keeps_names, name) = (access.clone(), access.shape().keeps_names(), display_name.clone());
            let name = name.unwrap_or_else(|| NAMELESS.to_owned());
            Box::pin(async move {
                ended::hold(backend, id).await?;
                ended::refuse_ended(backend, id).await?;
                sqlx::query(insert).bind(id.uuid()).bind(&name).execute(&mut *backend).await?;
                if keeps_names {
                    sqlx::query(rename).bind(id.uuid()).bind(&name).bind(NAMELESS).execute(&mut *backend).await?;
                }
                let statements: &[&str] = if is_guest {
                    &["insert into caravana.guest (user_id) select $1
                       where not exists (select from caravana.signed_up where user_id = $1)
                         and not exists (select from caravana.account where user_id = $1)
                       on conflict (user_id) do nothing"]
                } else {
                    &[
                        "insert into caravana.signed_up (user_id) values ($1) on conflict (user_id) do nothing",
                        "delete from caravana.guest where user_id = $1",
                    ]
                };
                for statement in statements {
                    sqlx::query(*statement).bind(id.uuid()).execute(&mut *backend).await?;
                }
                let is_guest = roles::is_guest(backend, id).await?;
                let user = privacy::user(&access, backend, id).await?.ok_or(StoreError::NotFound)?;
                Ok(KnownHolder { user, is_guest })
            })
        })
        .await
}

/// Whether a proof is still valid, inside a write's own transaction.
pub(super) async fn holds(backend: &mut Backend, user: UserId, proof: &Proof, now: i64) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar(
        "select ($2::bytea is null or exists (select from caravana.session s
            where s.token_hash = $2 and s.user_id = $1 and s.expires_at > $3))
         and ($5::bigint is null or not exists (select from caravana.sign_out o
            where o.user_id = $1 and o.at >= coalesce($4::bigint, o.at)))",
    )
    .bind(user.uuid())
    .bind(proof.session.as_ref().map(|hash| &hash[..]))
    .bind(now)
    .bind(proof.issued_at)
    .bind(proof.expires_at)
    .fetch_one(backend)
    .await?)
}

/// Ends all sign-ins, tickets and tokens of a user except the kept sign-in, inside a write's own transaction. A second
/// sign-out within one second counts for the next second, so that it also ends tokens that were made between the two. A
/// third one does not go further, because no token is made for more than one second ahead.
pub(super) async fn sign_out(
    backend: &mut Backend,
    user: UserId,
    kept: Option<SecretHash>,
    at: i64,
) -> Result<(), StoreError> {
    sqlx::query("delete from caravana.session where user_id = $1 and token_hash is distinct from $2")
        .bind(user.uuid())
        .bind(kept.as_ref().map(|hash| &hash[..]))
        .execute(&mut *backend)
        .await?;
    sqlx::query("delete from caravana.ticket where user_id = $1").bind(user.uuid()).execute(&mut *backend).await?;
    sqlx::query(
        "insert into caravana.sign_out as o (user_id, at) values ($1, $2)
         on conflict (user_id) do update
         set at = case when o.at > excluded.at or o.at = $3 then o.at else greatest(o.at + 1, excluded.at) end",
    )
    .bind(user.uuid())
    .bind(at)
    .bind(FOR_EVER)
    .execute(backend)
    .await?;
    Ok(())
}

type SessionRow = (Vec<u8>, Uuid);
type SignOutRow = (Uuid, i64);
