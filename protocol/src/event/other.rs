//! An event of a kind that this build does not know.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{ClientFrame, Event, GroupId, MessageId, Seq, ServerFrame, Timestamp, UserId};

/// The `type` of an event whose stored kind can't be a `type`.
const UNNAMED: &str = "unknown_event";
/// The most characters of a kind. Of a kind that can't be a `type`, so many are shown.
const KIND_CHARACTERS: usize = 64;

/// A durable change of a kind that this build does not know, because a newer server or another program wrote it. A
/// program that only carries events passes it on unchanged. The receiver moves its cursor and shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Other {
    /// The group.
    pub group_id: GroupId,
    /// Position in the group's log.
    pub seq: Seq,
    /// The frame's `type`.
    pub kind: String,
    /// The frame's whole `data`: a JSON object with `group_id`, `seq` and the other fields of the kind.
    payload: Box<str>,
}

/// The columns that the log has for events of every kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    /// The message that it is about: `message_id` in the frame.
    pub message_id: Option<MessageId>,
    /// Who did it: `user_id` in the frame.
    pub actor_id: Option<UserId>,
    /// When: `at` in the frame.
    pub at: Timestamp,
}

impl Other {
    /// Makes the event from the row in the log. `payload` is a JSON object with the kind's own fields. They become the
    /// frame's fields, character by character except for line ends between them, and except those that a column gives. A
    /// payload that is no object is left out.
    #[must_use]
    pub fn stored(group_id: GroupId, seq: Seq, kind: &str, columns: Columns, payload: Option<&str>) -> Self {
        let mut fields: BTreeMap<String, Box<RawValue>> =
            payload.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        put(&mut fields, "group_id", &group_id);
        put(&mut fields, "seq", &seq);
        put(&mut fields, "at", &columns.at);
        if let Some(message) = columns.message_id {
            put(&mut fields, "message_id", &message);
        }
        if let Some(actor) = columns.actor_id {
            put(&mut fields, "user_id", &actor);
        }
        let named = if can_be_a_type(kind) {
            kind
        } else {
            let shown: String = kind.chars().take(KIND_CHARACTERS).collect();
            put(&mut fields, "kind", &shown);
            UNNAMED
        };
        // Between the values there may be line ends, which a line-based transport must not see. In a JSON text they are never
        // part of a string.
        let payload = serde_json::to_string(&fields).unwrap_or_default().replace(['\n', '\r'], " ").into();
        Self { group_id, seq, kind: named.to_owned(), payload }
    }

    /// Makes the event from a frame of an unknown type. `None` if its data names no group and no seq: then it is no
    /// event.
    pub(crate) fn carried(kind: &str, data: Option<&RawValue>) -> Option<Self> {
        #[derive(Deserialize)]
        struct Place {
            group_id: GroupId,
            seq: Seq,
        }
        let data = data?.get();
        let Place { group_id, seq } = serde_json::from_str(data).ok()?;
        Some(Self { group_id, seq, kind: kind.to_owned(), payload: data.into() })
    }

    /// The frame's whole `data`, unchanged.
    #[must_use]
    pub fn payload(&self) -> &str {
        &self.payload
    }
}

/// Whether a client can tell this kind from the types of all known frames.
fn can_be_a_type(kind: &str) -> bool {
    let is_word = kind.starts_with(|first: char| first.is_ascii_lowercase())
        && kind.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    is_word
        && kind.len() <= KIND_CHARACTERS
        && ![&ServerFrame::KINDS[..], &Event::KINDS[..], &ClientFrame::KINDS[..]].concat().contains(&kind)
}

fn put<T: Serialize>(fields: &mut BTreeMap<String, Box<RawValue>>, name: &str, value: &T) {
    // Ids, numbers, times and short texts: JSON has a form for all of them.
    if let Ok(value) = serde_json::value::to_raw_value(value) {
        fields.insert(name.to_owned(), value);
    }
}

impl fmt::Debug for Other {
    /// The payload may hold text of people, which never reaches a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group_id, seq, kind, .. } = self;
        f.debug_struct("Other")
            .field("kind", kind)
            .field("group_id", group_id)
            .field("seq", seq)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;

    const GROUP: &str = "0197b1c2-0000-7000-8000-00000000000a";

    fn stored(kind: &str, payload: Option<&str>) -> String {
        let columns = Columns { message_id: None, actor_id: None, at: Timestamp::from_unix_micros(0) };
        codec::encode_event(&Event::Other(Other::stored(GROUP.parse().unwrap(), 7, kind, columns, payload)))
    }

    #[test]
    fn what_is_stored_travels_as_it_is_and_the_columns_win() {
        let frame = stored("poll_closed", Some(r#"{"emoji":"\u2764","n":1e400,"seq":1,"group_id":"x"}"#));
        assert_eq!(
            frame,
            format!(
                r#"{{"type":"poll_closed","data":{{"at":"1970-01-01T00:00:00Z","emoji":"\u2764","group_id":"{GROUP}","n":1e400,"seq":7}}}}"#
            )
        );
        let Ok(Some(ServerFrame::Event(Event::Other(other)))) = codec::decode_server(&frame) else {
            panic!("no event: {frame}")
        };
        assert_eq!((other.kind.as_str(), other.seq), ("poll_closed", 7));
        assert_eq!(codec::encode_event(&Event::Other(other)), frame, "who only carries it changes nothing");
    }

    #[test]
    fn a_payload_that_is_no_object_and_a_kind_that_is_no_type_leave_no_hole() {
        for payload in [None, Some("null"), Some("[1]"), Some("3"), Some("{\"a\":"), Some("")] {
            assert!(stored("poll_closed", payload).contains(r#""seq":7"#), "{payload:?}");
        }
        for kind in ["hello", "error", "new_message", "message_sent", "send_message", "", "ñ", "A b", &"k".repeat(65)]
        {
            let frame = stored(kind, None);
            assert!(frame.starts_with(r#"{"type":"unknown_event","#), "{frame}");
            assert!(matches!(codec::decode_server(&frame), Ok(Some(ServerFrame::Event(Event::Other(_))))), "{frame}");
        }
    }

    #[test]
    fn a_payload_of_several_lines_is_one_line_in_a_frame() {
        let frame =
            stored("poll_closed", Some("{\r\n  \"options\": [\n    1,\n    2\n  ],\n  \"title\": \"a\\nb\"\n}"));
        assert!(!frame.contains(['\n', '\r']), "{frame}");
        assert!(frame.contains(r#""title":"a\nb""#), "{frame}");
    }

    #[test]
    fn a_frame_without_a_place_in_a_log_is_no_event() {
        let id = GROUP;
        for data in [
            String::new(),
            r#","data":null"#.into(),
            r#","data":[]"#.into(),
            format!(r#","data":{{"group_id":"{id}"}}"#),
            format!(r#","data":{{"group_id":"{id}","seq":-1}}"#),
            format!(r#","data":{{"group_id":"{id}","seq":"7"}}"#),
        ] {
            let frame = format!(r#"{{"type":"story"{data}}}"#);
            assert_eq!(codec::decode_server(&frame).unwrap(), None, "{frame}");
        }
    }
}
