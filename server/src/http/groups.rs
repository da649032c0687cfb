//! Groups: list, make, see, change, end.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use caravana_hub::budgets::Act;
use caravana_protocol::rest::{Group, GroupAnswer, GroupPatch, GroupsAnswer, NewGroup};
use caravana_protocol::{Emoji, GroupId, GroupName, UserId};
use caravana_store::rules;
use uuid::Uuid;

use super::error::ApiError;
use super::extract::{InGroup, Json};
use super::identity::Identity;
use super::membership::Member;
use super::state::Shared;
use super::taken::until_taken;

/// Characters of an IANA time zone name; the longest known has 32.
const TIME_ZONE_CHARACTERS: usize = 64;

/// Lists one's groups, by last activity.
#[utoipa::path(
    get,
    path = "/groups",
    tag = "groups",
    operation_id = "list_groups",
    responses((status = 200, description = "The groups.", body = GroupsAnswer))
)]
pub(super) async fn list(State(state): State<Shared>, identity: Identity) -> Result<Response, ApiError> {
    let turn = state.turns.answer(identity.user.id).await;
    let groups = of(&state, identity.user.id).await?;
    Ok(until_taken(turn, Answer(groups).into_response()))
}

/// The groups of this user, and whom the user has blocked.
pub(super) async fn of(state: &Shared, user: UserId) -> Result<GroupsAnswer, ApiError> {
    let _turn = state.turns.read(user).await;
    let blocked = state.store.blocked(user).await?.into_iter().map(|user| user.id).collect();
    Ok(GroupsAnswer { groups: state.store.groups(user).await?, blocked })
}

/// Makes a group. Its maker is the owner.
#[utoipa::path(
    post,
    path = "/groups",
    tag = "groups",
    operation_id = "create_group",
    request_body = NewGroup,
    responses((status = 201, description = "The new group.", body = GroupAnswer)),
    extensions(("x-refusals" = json!(["forbidden", "limit_reached"])))
)]
pub(super) async fn create(
    State(state): State<Shared>,
    identity: Identity,
    Json(group): Json<NewGroup>,
) -> Result<(StatusCode, Answer<GroupAnswer>), ApiError> {
    let group = make(&state, &identity, group).await?;
    Ok((StatusCode::CREATED, Answer(GroupAnswer { group })))
}

/// Makes a group with this user as its owner. Guests may not own groups.
pub(super) async fn make(state: &Shared, owner: &Identity, group: NewGroup) -> Result<Group, ApiError> {
    owner.no_guest()?;
    let group = NewGroup {
        name: GroupName::parse(&group.name)?.as_str().to_owned(),
        time_zone: group.time_zone.filter(|zone| !zone.is_empty()).map(time_zone).transpose()?,
        emoji: group.emoji.map(emoji).transpose()?,
        ..group
    };
    rules::trip(group.starts_on, group.ends_on)?;
    owner.spends(state, Act::MakeGroup)?;
    Ok(state.store.create_group(GroupId::new(Uuid::now_v7()), owner.user.id, group).await?)
}

/// Shows a group as the asking member sees it.
#[utoipa::path(
    get,
    path = "/groups/{group_id}",
    tag = "groups",
    operation_id = "show_group",
    params(InGroup),
    responses((status = 200, description = "The group.", body = GroupAnswer))
)]
pub(super) async fn show(
    State(state): State<Shared>,
    Member(identity, InGroup(group)): Member<InGroup>,
) -> Result<Answer<GroupAnswer>, ApiError> {
    Ok(Answer(GroupAnswer { group: one(&state, group, identity.user.id).await? }))
}

/// A group as this member sees it.
pub(super) async fn one(state: &Shared, group: GroupId, viewer: UserId) -> Result<Group, ApiError> {
    let _turn = state.turns.read(viewer).await;
    state.store.group(group, viewer).await?.ok_or_else(ApiError::not_found)
}

/// Changes a group. For the owner and admins.
///
/// Fields that are left out stay unchanged; `null` takes the emoji and the days of the trip away.
#[utoipa::path(
    patch,
    path = "/groups/{group_id}",
    tag = "groups",
    operation_id = "update_group",
    params(InGroup),
    request_body = GroupPatch,
    responses((status = 200, description = "The group as it is now.", body = GroupAnswer)),
    extensions(("x-refusals" = json!(["forbidden"])))
)]
pub(super) async fn update(
    State(state): State<Shared>,
    Member(identity, InGroup(group)): Member<InGroup>,
    Json(patch): Json<GroupPatch>,
) -> Result<Answer<GroupAnswer>, ApiError> {
    let patch = GroupPatch {
        name: patch.name.map(|name| GroupName::parse(&name)).transpose()?.map(|name| name.as_str().to_owned()),
        time_zone: patch.time_zone.map(time_zone).transpose()?,
        emoji: patch.emoji.map(|given| given.map(emoji).transpose()).transpose()?,
        ..patch
    };
    let user = identity.user.id;
    let update = async { Ok::<_, ApiError>(state.store.update_group(user, group, patch).await?) };
    let group = state.hub.budgets().within(Act::UpdateGroup, user, group, update).await?;
    Ok(Answer(GroupAnswer { group }))
}

/// Ends a group for everybody. For the owner.
#[utoipa::path(
    delete,
    path = "/groups/{group_id}",
    tag = "groups",
    operation_id = "delete_group",
    params(InGroup),
    responses((status = 204, description = "The group has ended.")),
    extensions(("x-refusals" = json!(["forbidden"])))
)]
pub(super) async fn delete(
    State(state): State<Shared>,
    Member(identity, InGroup(group)): Member<InGroup>,
) -> Result<StatusCode, ApiError> {
    identity.spends(&state, Act::EndGroup)?;
    state.store.delete_group(identity.user.id, group).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn emoji(text: String) -> Result<String, ApiError> {
    match Emoji::parse(&text) {
        Ok(_) => Ok(text),
        Err(_) => Err(ApiError::bad_request("`emoji` is not one emoji")),
    }
}

/// Checks the shape of an IANA name (`America/Argentina/Ushuaia`, `Etc/GMT+3`). The set of names changes with every
/// release of the time zone database in the browsers, so the browsers decide whether a name exists.
fn time_zone(name: String) -> Result<String, ApiError> {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+'))
    };
    if name.len() <= TIME_ZONE_CHARACTERS && name.split('/').all(is_part) {
        Ok(name)
    } else {
        Err(ApiError::bad_request("`time_zone` is no IANA name like Europe/Madrid"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_zones_look_like_iana_names() {
        for name in ["UTC", "Europe/Madrid", "America/Argentina/Ushuaia", "Etc/GMT+3", "America/Port-au-Prince"] {
            assert!(time_zone(name.into()).is_ok(), "{name}");
        }
        for name in ["", "/", "Europe/", "../etc/passwd", "Europe/Madrid<b>", "+02:00", &"a".repeat(65)] {
            assert!(time_zone(name.into()).is_err(), "{name}");
        }
    }
}
