//! Links that lead into a group.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use caravana_hub::budgets::Act;
use caravana_protocol::ErrorCode;
use caravana_protocol::rest::{Group, GroupAnswer, Invite, InvitePreview, InvitesAnswer, LivingInvite, NewInvite};
use caravana_protocol::{GroupId, UserId};
use caravana_store::{self as store, InviteRow};

use super::error::{ApiError, Named as _};
use super::extract::{InGroup, OfInvite, OptionalJson, TokenInPath};
use super::groups;
use super::identity::Identity;
use super::membership::Member;
use super::state::Shared;
use crate::auth::Secret;
use crate::clock::{to_timestamp, unix_seconds};
use crate::origin::Origin;

/// The default lifetime of a link: a week.
const SECONDS_DEFAULT: u64 = 7 * 24 * 60 * 60;
/// The maximum lifetime of a link: a year.
const SECONDS_MAX: u64 = 366 * 24 * 60 * 60;
/// The highest limit of uses that a link can have.
const USES_MAX: u32 = 100_000;

/// Makes a link that leads into a group.
///
/// For the owner and admins, and for members while the group allows it.
#[utoipa::path(
    post,
    path = "/groups/{group_id}/invites",
    tag = "invites",
    operation_id = "create_invite",
    params(InGroup),
    request_body(content = NewInvite, description = "May be left out."),
    responses((status = 201, description = "The invite.", body = Invite)),
    extensions(("x-refusals" = json!(["forbidden", "limit_reached"])))
)]
pub(super) async fn create(
    State(state): State<Shared>,
    Member(identity, InGroup(group)): Member<InGroup>,
    headers: HeaderMap,
    OptionalJson(asked): OptionalJson<NewInvite>,
) -> Result<(StatusCode, Answer<Invite>), ApiError> {
    let site = state.origins.of_reader(&headers);
    Ok((StatusCode::CREATED, Answer(make(&state, &identity, group, &asked, &site).await?)))
}

/// Makes a link for this member. Guests may not invite, because the server does not know whom they would bring in.
async fn make(
    state: &Shared,
    actor: &Identity,
    group: GroupId,
    asked: &NewInvite,
    site: &Origin,
) -> Result<Invite, ApiError> {
    actor.no_guest()?;
    let seconds = asked.expires_in.unwrap_or(SECONDS_DEFAULT);
    if !(1..=SECONDS_MAX).contains(&seconds) {
        return Err(ApiError::bad_request("`expires_in` is 1 to 31622400 seconds"));
    }
    if asked.max_uses.is_some_and(|uses| !(1..=USES_MAX).contains(&uses)) {
        return Err(ApiError::bad_request("`max_uses` is 1 to 100000"));
    }
    let (secret, created_at) = (Secret::generate(), unix_seconds());
    let expires_at = created_at.saturating_add_unsigned(seconds);
    let invite = store::NewInvite { token: secret.hash(), max_uses: asked.max_uses, created_at, expires_at };
    let user = actor.user.id;
    let made = async { Ok::<_, ApiError>(state.store.create_invite(user, group, invite).await?) };
    state.hub.budgets().within(Act::MakeInvite, user, group, made).await?;
    Ok(Invite {
        id: InviteRow::id_of(&secret.hash()),
        url: format!("{site}/i/{}", secret.expose()),
        token: secret.expose().to_owned(),
        expires_at: to_timestamp(expires_at),
    })
}

/// Lists the links that lead into a group now: all for the owner and admins, one's own for members.
///
/// The secrets of the links are not included: each was shown once, to the user who made the link.
#[utoipa::path(
    get,
    path = "/groups/{group_id}/invites",
    tag = "invites",
    operation_id = "list_invites",
    params(InGroup),
    responses((status = 200, description = "The links, the one that was made last first.", body = InvitesAnswer))
)]
pub(super) async fn list(
    State(state): State<Shared>,
    Member(identity, InGroup(group)): Member<InGroup>,
) -> Result<Answer<InvitesAnswer>, ApiError> {
    Ok(Answer(InvitesAnswer { invites: of(&state, group, identity.user.id).await? }))
}

/// The valid links into a group that this member may see.
pub(super) async fn of(state: &Shared, group: GroupId, user: UserId) -> Result<Vec<LivingInvite>, ApiError> {
    let turn = state.turns.read(user).await;
    let rows = state.store.invites(group, user, unix_seconds()).await?.ok_or_else(ApiError::not_found)?;
    drop(turn);
    let invite = |row: InviteRow| LivingInvite {
        id: row.id,
        created_by: row.created_by,
        created_at: row.created_at.map(to_timestamp),
        expires_at: to_timestamp(row.expires_at),
        uses: row.uses,
        max_uses: row.max_uses,
    };
    Ok(rows.into_iter().map(invite).collect())
}

/// Revokes a link: owner and admins any, members their own. Doing it again changes nothing.
#[utoipa::path(
    delete,
    path = "/groups/{group_id}/invites/{invite_id}",
    tag = "invites",
    operation_id = "revoke_invite",
    params(OfInvite),
    responses((status = 204, description = "The link lets nobody in any more.")),
    extensions(("x-refusals" = json!(["forbidden"])))
)]
pub(super) async fn revoke(
    State(state): State<Shared>,
    Member(identity, OfInvite(group, invite)): Member<OfInvite>,
) -> Result<StatusCode, ApiError> {
    let (user, budgets) = (identity.user.id, state.hub.budgets());
    budgets.charge(Act::RevokeInvite, user)?;
    budgets.charge_group(Act::RevokeInvite, group).inspect_err(|_| budgets.refund(Act::RevokeInvite, user))?;
    let charge = budgets.group_charge(Act::RevokeInvite, group);
    // A repetition changes nothing in the group, so it must not use up the group's budget.
    if state.store.revoke_invite(user, group, invite, unix_seconds()).await? {
        charge.stays();
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Shows what a link leads to. No sign-in is needed.
#[utoipa::path(
    get,
    path = "/invites/{token}",
    tag = "invites",
    operation_id = "preview_invite",
    params(TokenInPath),
    security(()),
    responses((status = 200, description = "The group behind the link.", body = InvitePreview)),
    extensions(("x-refusals" = json!(["gone", "not_found"])))
)]
pub(super) async fn preview(
    State(state): State<Shared>,
    TokenInPath(token): TokenInPath,
) -> Result<Answer<InvitePreview>, ApiError> {
    look(&state, &token).await.map(Answer)
}

/// The group that a link leads to.
pub(super) async fn look(state: &Shared, token: &str) -> Result<InvitePreview, ApiError> {
    let token = secret(token)?.hash();
    let group = state.store.invite(token, unix_seconds()).await.named(ErrorCode::Gone, over())?;
    Ok(InvitePreview { group })
}

/// Joins the group behind a link. An existing member keeps the role.
#[utoipa::path(
    post,
    path = "/invites/{token}/accept",
    tag = "invites",
    operation_id = "accept_invite",
    params(TokenInPath),
    responses((status = 200, description = "The group, joined.", body = GroupAnswer)),
    extensions(("x-refusals" = json!(["gone", "not_found", "limit_reached"])))
)]
pub(super) async fn accept(
    State(state): State<Shared>,
    identity: Identity,
    TokenInPath(token): TokenInPath,
) -> Result<Answer<GroupAnswer>, ApiError> {
    let group = join(&state, identity.user.id, &token).await?;
    Ok(Answer(GroupAnswer { group }))
}

/// Makes the user a member.
pub(super) async fn join(state: &Shared, user: UserId, token: &str) -> Result<Group, ApiError> {
    let (token, budgets) = (secret(token)?.hash(), state.hub.budgets());
    let Some(group) = state.store.invites_into(token).await? else {
        budgets.charge(Act::AcceptInvite, user)?;
        return Err(ApiError::not_found());
    };
    let accept = async { state.store.accept_invite(token, user, unix_seconds()).await.named(ErrorCode::Gone, over()) };
    if state.store.role(group, user).await?.is_some() {
        // A user who is already a member does not use up the group's budget.
        budgets.charge(Act::AcceptInvite, user)?;
        accept.await?;
    } else {
        budgets.within(Act::AcceptInvite, user, group, accept).await?;
    }
    groups::one(state, group, user).await
}

fn secret(token: &str) -> Result<Secret, ApiError> {
    Secret::parse(token).ok_or_else(ApiError::not_found)
}

fn over() -> ApiError {
    ApiError::new(ErrorCode::Gone, "this invite is over; ask for a new one")
}
