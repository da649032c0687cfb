//! Parameters of paths and queries, described once for all handlers that take them.

use caravana_protocol::rest::schemas;
use caravana_protocol::{GroupId, limits};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, Required};
use utoipa::{IntoParams, PartialSchema as _};

use super::super::extract::{InGroup, OfInvite, OfMember, OfMessage, OfSession, TokenInPath};

fn parameter(name: &str, place: ParameterIn, description: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    let required = if place == ParameterIn::Path { Required::True } else { Required::False };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}

fn id(name: &str, description: &str) -> Parameter {
    parameter(name, ParameterIn::Path, description, GroupId::schema())
}

fn seq(name: &str, description: &str) -> Parameter {
    parameter(name, ParameterIn::Query, description, schemas::seq())
}

impl IntoParams for InGroup {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![id("group_id", "The group.")]
    }
}

impl IntoParams for OfMember {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![id("group_id", "The group."), id("user_id", "The member.")]
    }
}

impl IntoParams for OfMessage {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![id("group_id", "The group."), id("message_id", "The message, one of this group.")]
    }
}

impl IntoParams for OfInvite {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![id("group_id", "The group."), id("invite_id", "The link, one of this group.")]
    }
}

impl IntoParams for OfSession {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![id("session_id", "The sign-in, one of the asking person's own.")]
    }
}

impl IntoParams for TokenInPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1));
        vec![parameter("token", ParameterIn::Path, "The secret part of the link.", text)]
    }
}

/// The query of a page of history.
pub(in super::super) enum HistoryQuery {}

impl IntoParams for HistoryQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let limit = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(limits::HISTORY_PAGE))
            .default(Some(limits::HISTORY_PAGE_DEFAULT.into()));
        vec![
            seq("before", "The page ends below this position. Not beside `after` or `around`."),
            seq("after", "The page begins above this position. Not beside `before` or `around`."),
            seq("around", "The page lies on both sides of this position. Not beside `before` or `after`."),
            parameter("limit", ParameterIn::Query, "Messages on the page, at most.", limit),
        ]
    }
}

/// The query of a page of the log.
pub(in super::super) enum LogQuery {}

impl IntoParams for LogQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let epoch = "The history that `after` counts in. With another one the cursor is `gone`.";
        vec![
            seq("after", "The last event that is known; 0 when left out."),
            parameter("epoch", ParameterIn::Query, epoch, GroupId::schema()),
        ]
    }
}
