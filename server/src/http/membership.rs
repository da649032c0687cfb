//! Checks that a request about a group comes from a member. For everyone else the group does not exist.
//!
//! Promises that membership is checked before the query and the body are read: a handler that takes [`Member`] reads
//! them afterwards. So no refusal tells a stranger what exists. The order of the checks is: the user (401), the ids in
//! the address (400), the membership (404), then the rest. The store checks membership again, in the statement that
//! depends on it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use caravana_protocol::GroupId;

use super::error::ApiError;
use super::extract::{InGroup, OfInvite, OfMember, OfMessage, OfReaction};
use super::identity::Identity;
use super::state::Shared;

/// A member of the group that the path names, and the path.
pub(super) struct Member<P>(pub(super) Identity, pub(super) P);

/// A path below the path of a group.
pub(super) trait BelowGroup: FromRequestParts<Shared, Rejection = ApiError> + Send {
    /// The group.
    fn group(&self) -> GroupId;
}

impl BelowGroup for InGroup {
    fn group(&self) -> GroupId {
        self.0
    }
}

impl BelowGroup for OfMember {
    fn group(&self) -> GroupId {
        self.0
    }
}

impl BelowGroup for OfMessage {
    fn group(&self) -> GroupId {
        self.0
    }
}

impl BelowGroup for OfReaction {
    fn group(&self) -> GroupId {
        self.0
    }
}

impl BelowGroup for OfInvite {
    fn group(&self) -> GroupId {
        self.0
    }
}

impl<P: BelowGroup> FromRequestParts<Shared> for Member<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, ApiError> {
        let identity = <Identity as FromRequestParts<Shared>>::from_request_parts(parts, state).await?;
        let path = P::from_request_parts(parts, state).await?;
        state.store.role(path.group(), identity.user.id).await?.ok_or_else(ApiError::not_found)?;
        Ok(Self(identity, path))
    }
}
