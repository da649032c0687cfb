//! What a group has besides its name: time zone, who may invite, and what is known of the trip.

use caravana_protocol::GroupId;
use caravana_protocol::rest::GroupPatch;
use caravana_store::entry::Trip;
use caravana_store::{StoreError, changes_more_than_the_name, rules};

use super::backend::Backend;
use super::rows::TripColumns;

/// Changes everything of a group but its name, by one statement: one change, one event. What is so already makes none.
pub(super) async fn set(backend: &mut Backend, group: GroupId, patch: &GroupPatch) -> Result<(), StoreError> {
    if !changes_more_than_the_name(patch) {
        return Ok(());
    }
    let stored: Option<TripColumns> = sqlx::query_as(
        "update caravana.\"group\" set time_zone = coalesce($2, time_zone),
           members_can_invite = coalesce($3, members_can_invite),
           emoji = case when $4 then $5 else emoji end,
           starts_on = case when $6 then $7 else starts_on end,
           ends_on = case when $8 then $9 else ends_on end
         where group_id = $1 returning emoji, starts_on, ends_on",
    )
    .bind(group.uuid())
    .bind(&patch.time_zone)
    .bind(patch.members_can_invite)
    .bind(patch.emoji.is_some())
    .bind(patch.emoji.as_ref().and_then(Option::as_deref))
    .bind(patch.starts_on.is_some())
    .bind(patch.starts_on.flatten().map(|day| day.to_string()))
    .bind(patch.ends_on.is_some())
    .bind(patch.ends_on.flatten().map(|day| day.to_string()))
    .fetch_optional(backend)
    .await?;
    if let Some(stored) = stored.filter(|_| patch.starts_on.is_some() || patch.ends_on.is_some()) {
        let Trip { starts_on, ends_on, .. } = stored.into_trip();
        rules::trip(starts_on, ends_on)?;
    }
    Ok(())
}
