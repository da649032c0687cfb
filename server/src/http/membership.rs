//! Who asks about a group: its members, and for everybody else it does not exist.
//!
//! Promises that nothing else about a request is judged before that. A handler that takes [`Member`] has its query and its
//! body read afterwards, so that no refusal tells a stranger what there is: who they are (401), what the address says (400),
//! whether they are in (404), and then the rest. The store asks once more, in the statement that depends on it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use caravana_protocol::GroupId;

use super::error::ApiError;
use super::extract::{InGroup, OfInvite, OfMember, OfMessage};
use super::identity::Identity;
use super::state::Shared;

/// A member of the group that the path names, and the path.
pub(super) struct Member<P>(pub(super) Identity, pub(super) P);

/// A path below a group's.
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
