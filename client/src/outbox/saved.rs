//! The form in which an intent survives a reload.

use caravana_protocol::{Content, ErrorCode, GroupId, MessageId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::{Intent, IntentId, SendState, Want};

/// The version of the saved form. A later form is of a later build; this build leaves it alone.
const VERSION: u32 = 2;

/// An [`Intent`] as it is saved. The adapter stores it under its id and does not look inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ReadForm")]
pub struct SavedIntent {
    /// The form: [`VERSION`].
    v: u32,
    /// Its id, and the key in the storage.
    pub id: IntentId,
    /// The user who created it. On a shared device a session sends only the intents of its own user.
    pub user_id: UserId,
    /// The group.
    pub group_id: GroupId,
    /// The message that it is about.
    pub message_id: MessageId,
    /// What the person wants.
    pub want: Want,
    /// When the person asked for it, for people to read.
    pub at: Timestamp,
    /// Its place in the order of all intents of this device.
    pub order: u64,
    /// It was refused, and is not sent again before the person asks for that.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
}

/// A saved intent as it is read: in the current form, or in the first one, which had no version and was for messages
/// only.
#[derive(Deserialize)]
struct ReadForm {
    #[serde(default)]
    v: Option<u32>,
    id: IntentId,
    user_id: UserId,
    group_id: GroupId,
    message_id: Option<MessageId>,
    want: Option<Want>,
    message: Option<String>,
    reply_to: Option<MessageId>,
    at: Timestamp,
    order: u64,
    #[serde(default)]
    failed: bool,
    code: Option<ErrorCode>,
}

impl TryFrom<ReadForm> for SavedIntent {
    type Error = &'static str;

    fn try_from(form: ReadForm) -> Result<Self, Self::Error> {
        let ReadForm { v, id, user_id, group_id, message_id, want, message, reply_to, at, order, failed, code } = form;
        let (message_id, want) = match (v, message_id, want, message) {
            (Some(VERSION), Some(message_id), Some(want), _) => (message_id, want),
            (None, _, _, Some(body)) => (id.message(), Want::Send(Content { reply_to, ..Content::text(body) })),
            _ => return Err("saved in a form that this build does not know"),
        };
        Ok(Self { v: VERSION, id, user_id, group_id, message_id, want, at, order, failed, code })
    }
}

impl SavedIntent {
    pub(crate) fn new(intent: &Intent, group_id: GroupId, user_id: UserId) -> Self {
        let (failed, code) = match intent.state {
            SendState::Failed { code, .. } => (true, code),
            SendState::Queued | SendState::Sending => (false, None),
        };
        Self {
            v: VERSION,
            id: intent.id,
            user_id,
            group_id,
            message_id: intent.message,
            want: intent.want.clone(),
            at: intent.at,
            order: intent.order,
            failed,
            code,
        }
    }

    pub(crate) fn into_intent(self) -> Intent {
        let state = if self.failed {
            SendState::Failed { code: self.code, retryable: self.code.is_none_or(ErrorCode::retryable) }
        } else {
            SendState::Queued
        };
        Intent { state, order: self.order, ..Intent::new(self.id, self.message_id, self.want, self.at) }
    }
}

#[cfg(test)]
mod tests {
    use caravana_protocol::Emoji;

    use super::*;
    use crate::Edit;

    const ID: &str = "0197b1c2-0000-7000-8000-000000000001";

    #[test]
    fn intents_saved_in_the_first_form_are_sent_by_this_build() {
        let first = format!(
            r#"{{"id":"{ID}","user_id":"{ID}","group_id":"{ID}","message":"hola","at":"2026-01-01T00:00:00Z","order":7,"failed":true,"code":"forbidden"}}"#
        );
        let intent = serde_json::from_str::<SavedIntent>(&first).unwrap().into_intent();
        assert_eq!((intent.text(), intent.message, intent.order), ("hola", ID.parse().unwrap(), 7));
        assert_eq!(intent.state, SendState::Failed { code: Some(ErrorCode::Forbidden), retryable: false });
    }

    /// Edits had no mentions once, and those of an earlier build may still wait.
    #[test]
    fn an_edit_saved_without_mentions_leaves_them_as_they_are() {
        let read = |want: &str| {
            let saved = format!(
                r#"{{"v":2,"id":"{ID}","user_id":"{ID}","group_id":"{ID}","message_id":"{ID}","want":{want},"at":"2026-01-01T00:00:00Z","order":7}}"#
            );
            serde_json::from_str::<SavedIntent>(&saved).unwrap().want
        };
        let edit = |mentions| Want::Edit(Edit { text: "hola".to_owned(), mentions });
        assert!(read(r#"{"edit":"hola"}"#) == edit(None));
        assert!(read(r#"{"edit":{"text":"hola"}}"#) == edit(None));
        assert!(read(r#"{"edit":{"text":"hola","mentions":[]}}"#) == edit(Some(Vec::new())));
    }

    fn wants() -> [Want; 5] {
        let emoji = Emoji::parse("🎉").unwrap();
        let react = Want::React { emoji, on: true };
        let edit = Edit { text: "b".into(), mentions: Some(vec![ID.parse().unwrap()]) };
        [Want::Send(Content::text("a".into())), Want::Edit(edit), Want::Delete, react, Want::Pin { on: false }]
    }

    #[test]
    fn every_want_can_be_saved_and_a_later_form_is_left_alone() {
        for want in wants() {
            let at = Timestamp::from_unix_micros(0);
            let intent = Intent::new(ID.parse().unwrap(), ID.parse().unwrap(), want, at);
            let saved = SavedIntent::new(&intent, ID.parse().unwrap(), ID.parse().unwrap());
            let text = serde_json::to_string(&saved).unwrap();
            assert_eq!(serde_json::from_str::<SavedIntent>(&text).unwrap(), saved, "{text}");
            let later = text.replace(r#""v":2"#, r#""v":3"#);
            assert!(serde_json::from_str::<SavedIntent>(&later).is_err(), "{later}");
            let unknown =
                ["edit", "delete", "send", "react", "pin"].iter().fold(text, |text, kind| text.replace(kind, "vote"));
            assert!(serde_json::from_str::<SavedIntent>(&unknown).is_err(), "{unknown}");
        }
    }
}
