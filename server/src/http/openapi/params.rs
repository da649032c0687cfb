//! Parameters of paths and queries, described once for all handlers that take them.

use caravana_protocol::rest::schemas;
use caravana_protocol::{GroupId, limits};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Required};
use utoipa::{IntoParams, PartialSchema as _};

use super::super::extract::{InGroup, OfInvite, OfMember, OfMessage, OfReaction, OfSession, OfUser, TokenInPath};

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

impl IntoParams for OfUser {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![id("user_id", "The other person.")]
    }
}

impl IntoParams for OfMessage {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![id("group_id", "The group."), id("message_id", "The message, one of this group.")]
    }
}

impl IntoParams for OfReaction {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let emoji = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).examples(["🎉"]);
        let mut params = OfMessage::into_params(place);
        params.push(parameter("emoji", ParameterIn::Path, "One emoji, at most 32 bytes.", emoji));
        params
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

/// The query of a search.
pub(in super::super) enum SearchQuery {}

impl IntoParams for SearchQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(limits::SEARCH_MIN_CHARACTERS))
            .max_length(Some(limits::SEARCH_MAX_CHARACTERS))
            .examples(["café pla"]);
        let mut words = parameter("q", ParameterIn::Query, "What is searched for. The first 12 words count.", text);
        words.required = Required::True;
        let limit = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(limits::SEARCH_PAGE))
            .default(Some(limits::SEARCH_PAGE_DEFAULT.into()));
        let cursor = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[sw][0-9]{1,18}$"));
        let query = |name, description, schema: RefOr<Schema>| parameter(name, ParameterIn::Query, description, schema);
        vec![
            words,
            query("group_id", "Only in this group. Not a member of it: `not_found`.", GroupId::schema()),
            query("from", "Only what this user has written.", GroupId::schema()),
            query(
                "since",
                "Only what was written at this time or later; of a day (UTC), from its beginning.",
                moment(),
            ),
            query("until", "Only what was written at this time or earlier; of a day (UTC), until its end.", moment()),
            parameter("before", ParameterIn::Query, "The `next` of the page before.", cursor),
            parameter("limit", ParameterIn::Query, "Hits on the page, at most.", limit),
        ]
    }
}

/// A time or a day.
fn moment() -> RefOr<Schema> {
    let text = |format| ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(format)));
    let either = AnyOfBuilder::new().item(text(KnownFormat::DateTime)).item(text(KnownFormat::Date));
    RefOr::T(Schema::AnyOf(either.build()))
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
