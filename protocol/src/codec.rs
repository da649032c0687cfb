//! Encodes frames as JSON text and decodes them. Only this module knows the encoding.
//!
//! Decoding is total in both directions. A client's frame becomes an [`Incoming`] or a [`DecodeError`] with the code
//! and reference that the answer needs; a server's frame becomes a [`ServerFrame`], `None` for a type that this build
//! does not know, or an error.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::limits::{FRAME_DEPTH, MENTIONS, REF_CHARACTERS};
use crate::{
    ClientFrame, Content, Cursor, ErrorCode, Event, FrameRef, Incoming, Other, ServerFrame, UserId, WireError,
    strict_json,
};

/// Why a client's text is not a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct DecodeError {
    /// The code of the answer.
    pub code: ErrorCode,
    /// The text of the answer, for people to read.
    pub message: String,
    /// The reference that the answer repeats.
    pub reference: Option<FrameRef>,
}

impl From<DecodeError> for WireError {
    fn from(error: DecodeError) -> Self {
        Self::new(error.code, error.message, error.reference)
    }
}

/// Reads a client's frame.
pub fn decode_client(text: &str) -> Result<Incoming, DecodeError> {
    let fail = |code, message: String, reference| Err(DecodeError { code, message, reference });
    let mut envelope = match strict_json::parse(text, FRAME_DEPTH) {
        Ok(Value::Object(envelope)) => envelope,
        Ok(_) => return fail(ErrorCode::BadJson, "a frame is a JSON object".into(), None),
        Err(error) => return fail(ErrorCode::BadJson, format!("not a frame: {error}"), None),
    };
    let id = || {
        let id = envelope.get("data")?.get("id")?.as_str()?;
        (id.chars().count() <= REF_CHARACTERS).then(|| id.to_owned())
    };
    let own_reference = match envelope.get("ref") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.chars().count() <= REF_CHARACTERS => Some(text.clone()),
        Some(_) => return fail(ErrorCode::BadRequest, "`ref` is a text of at most 64 characters".into(), id()),
    };
    let reference = own_reference.clone().or_else(id);
    let Some(Value::String(kind)) = envelope.remove("type") else {
        return fail(ErrorCode::BadRequest, "`type` is missing".into(), reference);
    };
    if !ClientFrame::KINDS.contains(&kind.as_str()) {
        let shown: String = kind.chars().take(REF_CHARACTERS).collect();
        return fail(ErrorCode::UnknownType, format!("unknown type {shown:?}"), reference);
    }
    let Some(Value::Object(data)) = envelope.remove("data") else {
        return fail(ErrorCode::BadRequest, "`data` is missing or no object".into(), reference);
    };
    match read_frame(&kind, Fields(data)) {
        Ok(frame) => Ok(Incoming { frame, own_reference, reference }),
        Err((code, message)) => fail(code, message, reference),
    }
}

type FieldError = (ErrorCode, String);

fn read_frame(kind: &str, mut data: Fields) -> Result<ClientFrame, FieldError> {
    Ok(match kind {
        "send_message" => ClientFrame::SendMessage {
            content: Content {
                body: data.text("message")?,
                reply_to: data.id("reply_to")?,
                mentions: data.mentions()?.unwrap_or_default(),
                mentions_everyone: data.flag("mentions_everyone")?.unwrap_or(false),
            },
            id: data.id("id")?,
            user_id: data.id("user_id")?,
            group_id: data.id("group_id")?,
        },
        "edit_message" => ClientFrame::EditMessage {
            id: data.needed_id("id")?,
            message: data.text("message")?,
            mentions: data.mentions()?,
        },
        "delete_message" => ClientFrame::DeleteMessage { id: data.needed_id("id")? },
        "react" => ClientFrame::React {
            id: data.needed_id("id")?,
            emoji: data.text("emoji")?,
            on: data.flag("on")?.ok_or_else(|| missing("on"))?,
        },
        "pin_message" => {
            ClientFrame::PinMessage { id: data.needed_id("id")?, on: data.flag("on")?.ok_or_else(|| missing("on"))? }
        }
        "typing" => ClientFrame::Typing { user_id: data.id("user_id")?, group_id: data.id("group_id")? },
        "stop_typing" => ClientFrame::StopTyping { user_id: data.id("user_id")?, group_id: data.id("group_id")? },
        "mark_read" => ClientFrame::MarkRead { group_id: data.id("group_id")?, seq: data.seq("seq")? },
        "subscribe" => ClientFrame::Subscribe { group_id: data.needed_id("group_id")?, cursor: data.cursor("cursor")? },
        "unsubscribe" => ClientFrame::Unsubscribe { group_id: data.needed_id("group_id")? },
        "sync" => ClientFrame::Sync {
            group_id: data.id("group_id")?,
            cursor: data.cursor("cursor")?.ok_or_else(|| missing("cursor"))?,
        },
        "auth" => ClientFrame::Auth { token: data.text("token")? },
        _ => return Err((ErrorCode::UnknownType, "unknown type".into())),
    })
}

fn missing(name: &str) -> FieldError {
    (ErrorCode::BadRequest, format!("`{name}` is missing"))
}

fn wrong(name: &str, what: &str) -> FieldError {
    (ErrorCode::BadRequest, format!("`{name}` is not {what}"))
}

/// The fields of a frame's `data`, taken out one by one. `null` counts as absent.
struct Fields(Map<String, Value>);

impl Fields {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &str) -> Result<String, FieldError> {
        let Value::String(text) = self.take(name).ok_or_else(|| missing(name))? else {
            return Err(wrong(name, "a text"));
        };
        Ok(text)
    }

    fn id<T: std::str::FromStr>(&mut self, name: &str) -> Result<Option<T>, FieldError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        value
            .as_str()
            .and_then(|text| text.parse().ok())
            .map(Some)
            .ok_or_else(|| (ErrorCode::InvalidId, format!("`{name}` is no UUID")))
    }

    fn needed_id<T: std::str::FromStr>(&mut self, name: &str) -> Result<T, FieldError> {
        self.id(name)?.ok_or_else(|| missing(name))
    }

    fn flag(&mut self, name: &str) -> Result<Option<bool>, FieldError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| wrong(name, "true or false"))
    }

    /// At most [`MENTIONS`] members, each once.
    fn mentions(&mut self) -> Result<Option<Vec<UserId>>, FieldError> {
        let Some(value) = self.take("mentions") else { return Ok(None) };
        let listed = value.as_array().filter(|listed| listed.len() <= MENTIONS);
        let listed = listed.ok_or_else(|| wrong("mentions", "a list of at most 50 members"))?;
        let mut users = Vec::with_capacity(listed.len());
        for one in listed {
            let user = one.as_str().and_then(|text| text.parse().ok());
            let user = user.ok_or_else(|| (ErrorCode::InvalidId, "`mentions` has something that is no UUID".into()))?;
            if !users.contains(&user) {
                users.push(user);
            }
        }
        Ok(Some(users))
    }

    fn seq(&mut self, name: &str) -> Result<u64, FieldError> {
        let value = self.take(name).ok_or_else(|| missing(name))?;
        // Databases count in signed 64 bits; a larger seq can't exist.
        value.as_u64().filter(|seq| i64::try_from(*seq).is_ok()).ok_or_else(|| wrong(name, "a whole number from 0"))
    }

    fn cursor(&mut self, name: &str) -> Result<Option<Cursor>, FieldError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let Value::Object(fields) = value else { return Err(wrong(name, "an object {epoch, seq}")) };
        let mut fields = Self(fields);
        Ok(Some(Cursor { epoch: fields.needed_id("epoch")?, seq: fields.seq("seq")? }))
    }
}

/// Writes a client's frame, with the client's own reference if it gives one.
#[must_use]
pub fn encode_client(frame: &ClientFrame, reference: Option<&str>) -> String {
    #[derive(Serialize)]
    struct WithRef<'a> {
        #[serde(flatten)]
        frame: &'a ClientFrame,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        reference: Option<&'a str>,
    }
    to_json(&WithRef { frame, reference })
}

/// Writes a server's frame.
#[must_use]
pub fn encode_server(frame: &ServerFrame) -> String {
    #[derive(Serialize)]
    struct Flat<'a> {
        r#type: &'a str,
        #[serde(flatten)]
        error: &'a WireError,
    }
    match frame {
        ServerFrame::Hello(data) => tagged(frame.kind(), data),
        ServerFrame::Joined(data) => tagged(frame.kind(), data),
        ServerFrame::Left(data) => tagged(frame.kind(), data),
        ServerFrame::Event(event) => encode_event(event),
        ServerFrame::MessageSent(data) => tagged(frame.kind(), data),
        ServerFrame::Done(data) => tagged(frame.kind(), data),
        ServerFrame::UserTyping(data) | ServerFrame::UserStopTyping(data) => tagged(frame.kind(), data),
        ServerFrame::Presence(data) => tagged(frame.kind(), data),
        ServerFrame::Read(data) => tagged(frame.kind(), data),
        ServerFrame::CaughtUp(data) => tagged(frame.kind(), data),
        ServerFrame::Resync(data) => tagged(frame.kind(), data),
        ServerFrame::Heartbeat(data) => tagged(frame.kind(), data),
        ServerFrame::AuthExpiring(data) => tagged(frame.kind(), data),
        ServerFrame::GoingAway(data) => tagged(frame.kind(), data),
        ServerFrame::GroupAdded(data) => tagged(frame.kind(), data),
        ServerFrame::GroupRemoved(data) => tagged(frame.kind(), data),
        ServerFrame::AccountChanged(data) => tagged(frame.kind(), data),
        ServerFrame::Error(error) => to_json(&Flat { r#type: frame.kind(), error }),
    }
}

/// Writes an event as the frame that carries it. Borrows the event, so that its owner keeps it.
#[must_use]
pub fn encode_event(event: &Event) -> String {
    match event {
        Event::NewMessage(data) => tagged(event.kind(), data),
        Event::MessageEdited(data) | Event::MessageDeleted(data) => tagged(event.kind(), data),
        Event::MemberJoined(data) => tagged(event.kind(), data),
        Event::MemberLeft(data) => tagged(event.kind(), data),
        Event::GroupUpdated(data) => tagged(event.kind(), data),
        Event::ReactionChanged(data) => tagged(event.kind(), data),
        Event::MessagePinned(data) | Event::MessageUnpinned(data) => tagged(event.kind(), data),
        Event::Other(other) => other_event(other),
    }
}

fn tagged<T: Serialize>(kind: &str, data: &T) -> String {
    #[derive(Serialize)]
    struct Tagged<'a, T> {
        r#type: &'a str,
        data: &'a T,
    }
    to_json(&Tagged { r#type: kind, data })
}

/// Writes an unknown event, whose data is JSON already.
fn other_event(other: &Other) -> String {
    let (kind, data) = (to_json(&other.kind), other.payload());
    format!(r#"{{"type":{kind},"data":{data}}}"#)
}

fn to_json<T: Serialize>(value: &T) -> String {
    // Writing these frames into memory can't fail: every key of a map is text.
    serde_json::to_string(value).unwrap_or_default()
}

/// Reads a server's frame. A type that this build does not know becomes [`Event::Other`] if its data names a group and
/// a seq. If not, the result is `Ok(None)`, and the caller ignores the frame.
pub fn decode_server(text: &str) -> Result<Option<ServerFrame>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow, rename = "type")]
        kind: std::borrow::Cow<'a, str>,
        #[serde(borrow, default)]
        data: Option<&'a RawValue>,
    }
    fn read<'a, T: Deserialize<'a>>(data: Option<&'a RawValue>) -> Result<T, serde_json::Error> {
        serde_json::from_str(data.map_or("null", RawValue::get))
    }
    let envelope: Envelope<'_> = serde_json::from_str(text)?;
    let data = envelope.data;
    Ok(Some(match &*envelope.kind {
        "hello" => ServerFrame::Hello(read(data)?),
        "joined" => ServerFrame::Joined(read(data)?),
        "left" => ServerFrame::Left(read(data)?),
        "message_sent" => ServerFrame::MessageSent(read(data)?),
        "done" => ServerFrame::Done(read(data)?),
        "user_typing" => ServerFrame::UserTyping(read(data)?),
        "user_stop_typing" => ServerFrame::UserStopTyping(read(data)?),
        "presence" => ServerFrame::Presence(read(data)?),
        "read" => ServerFrame::Read(read(data)?),
        "caught_up" => ServerFrame::CaughtUp(read(data)?),
        "resync" => ServerFrame::Resync(read(data)?),
        "heartbeat" => ServerFrame::Heartbeat(read(data)?),
        "auth_expiring" => ServerFrame::AuthExpiring(read(data)?),
        "going_away" => ServerFrame::GoingAway(read(data)?),
        "group_added" => ServerFrame::GroupAdded(read(data)?),
        "group_removed" => ServerFrame::GroupRemoved(read(data)?),
        "account_changed" => ServerFrame::AccountChanged(read(data)?),
        "error" => ServerFrame::Error(serde_json::from_str(text)?),
        "new_message" => ServerFrame::Event(Event::NewMessage(read(data)?)),
        "message_edited" => ServerFrame::Event(Event::MessageEdited(read(data)?)),
        "message_deleted" => ServerFrame::Event(Event::MessageDeleted(read(data)?)),
        "member_joined" => ServerFrame::Event(Event::MemberJoined(read(data)?)),
        "member_left" => ServerFrame::Event(Event::MemberLeft(read(data)?)),
        "group_updated" => ServerFrame::Event(Event::GroupUpdated(read(data)?)),
        "reaction_changed" => ServerFrame::Event(Event::ReactionChanged(read(data)?)),
        "message_pinned" => ServerFrame::Event(Event::MessagePinned(read(data)?)),
        "message_unpinned" => ServerFrame::Event(Event::MessageUnpinned(read(data)?)),
        kind => return Ok(Other::carried(kind, data).map(|other| ServerFrame::Event(Event::Other(other)))),
    }))
}
