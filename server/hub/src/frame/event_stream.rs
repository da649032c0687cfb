//! The encoding of server-sent events: the log and the frames that concern it. Presence, typing and read marks are left
//! out. So are answers, because a client of this transport sends no frames.

use bytes::Bytes;
use caravana_protocol::{CloseReason, Epoch};
use serde_json::json;

use super::{Frames, Head, Outgoing};

/// Frames as server-sent events, encoded once for all streams.
#[derive(Debug)]
pub(super) struct EventStream {
    /// The history that the event ids belong to. All streams of a group are in the same history, except for a moment
    /// after the group got a new one.
    epoch: Epoch,
    bytes: Bytes,
    /// Where the event of each frame ends. For a frame without an event, where it would begin.
    ends: Vec<usize>,
}

impl EventStream {
    fn new(frames: &Outgoing, epoch: Epoch) -> Self {
        let (mut bytes, mut ends) = (String::new(), Vec::new());
        for (head, text) in frames.frames() {
            put(&mut bytes, head, text, epoch);
            ends.push(bytes.len());
        }
        Self { epoch, bytes: bytes.into(), ends }
    }

    /// The events after the first `skipped` frames.
    fn pieces(&self, skipped: usize) -> Vec<Bytes> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let pieces = starts.zip(&self.ends).skip(skipped).filter(|(start, end)| start < *end);
        pieces.map(|(start, end)| self.bytes.slice(start..*end)).collect()
    }
}

impl Outgoing {
    /// The events of these frames, for a stream in this history.
    #[must_use]
    pub fn event_stream(&self, epoch: Epoch) -> Vec<Bytes> {
        if matches!(self.shared.frames, Frames::Own) {
            return Vec::new();
        }
        let made = self.shared.event_stream.get_or_init(|| EventStream::new(&self.whole(), epoch));
        if made.epoch == epoch {
            return made.pieces(self.skipped.frames);
        }
        EventStream::new(self, epoch).pieces(0)
    }
}

/// The last event of a stream.
#[must_use]
pub fn close(reason: CloseReason) -> Bytes {
    let data = json!({"type": "close", "data": {"code": reason.code(), "reason": reason.text()}});
    format!("event: close\ndata: {data}\n\n").into()
}

/// Appends a frame as a server-sent event. A JSON text is one line.
fn put(bytes: &mut String, head: Head, text: &str, epoch: Epoch) {
    let event = match head {
        Head::Event(seq) => format!("id: {epoch}:{seq}\ndata: {text}\n\n"),
        Head::Resync(at) => format!("event: resync\nid: {}:{}\ndata: {text}\n\n", at.epoch, at.seq),
        Head::Other(kind @ ("caught_up" | "left" | "auth_expiring")) => format!("event: {kind}\ndata: {text}\n\n"),
        Head::Other("heartbeat") => ": heartbeat\n\n".to_owned(),
        Head::GoingAway(millis) => format!("retry: {millis}\n\n"),
        Head::Joined(_) | Head::Other(_) => return,
    };
    bytes.push_str(&event);
}

#[cfg(test)]
mod tests {
    use caravana_protocol::{Content, Event, GoingAway, GroupId, Message, MessageId, ServerFrame, Timestamp};
    use uuid::Uuid;

    use super::*;

    fn epoch(number: u128) -> Epoch {
        Epoch::new(Uuid::from_u128(number))
    }

    fn message(seq: u64) -> Event {
        Event::NewMessage(Message {
            id: MessageId::new(Uuid::from_u128(u128::from(seq))),
            user_id: None,
            group_id: GroupId::new(Uuid::nil()),
            content: Content::text("una línea\ny otra".into()),
            created_at: Timestamp::from_unix_micros(0),
            status: true,
            seq,
            edited_at: None,
            reply: None,
            reactions: Vec::new(),
            pinned: false,
        })
    }

    fn ids(pieces: &[Bytes]) -> Vec<String> {
        let lines = |piece: &Bytes| std::str::from_utf8(piece).unwrap().lines().map(str::to_owned).collect::<Vec<_>>();
        let id = |piece: &Bytes| {
            let lines = lines(piece);
            assert_eq!(lines.len(), 3, "{lines:?}");
            assert!(lines[1].starts_with("data: {") && lines[2].is_empty(), "{lines:?}");
            lines[0].strip_prefix("id: ").unwrap().to_owned()
        };
        pieces.iter().map(id).collect()
    }

    #[test]
    fn the_events_of_a_page_are_made_once_whoever_gets_how_much_of_it() {
        let page = Outgoing::page(&[message(7), message(8), message(9)]);
        let (tail, whole) = (page.after(8).event_stream(epoch(1)), page.event_stream(epoch(1)));
        assert_eq!(ids(&tail), [format!("{}:9", epoch(1))]);
        assert_eq!(ids(&whole), [7, 8, 9].map(|seq| format!("{}:{seq}", epoch(1))));
        assert_eq!(tail[0].as_ptr(), whole[2].as_ptr(), "it was made twice");
    }

    #[test]
    fn a_stream_of_another_history_gets_ids_of_its_own() {
        let page = Outgoing::page(&[message(7), message(8)]);
        assert_eq!(page.event_stream(epoch(1)).len(), 2);
        assert_eq!(ids(&page.after(7).event_stream(epoch(2))), [format!("{}:8", epoch(2))]);
    }

    #[test]
    fn what_is_no_event_of_the_log_is_said_in_the_streams_own_words() {
        let going = Outgoing::server(&ServerFrame::GoingAway(GoingAway { retry_after_ms: 500 }));
        assert_eq!(going.event_stream(epoch(1)), ["retry: 500\n\n"]);
        assert!(Outgoing::own(vec![0]).event_stream(epoch(1)).is_empty());
        assert_eq!(
            close(CloseReason::Restart),
            "event: close\ndata: {\"data\":{\"code\":1012,\"reason\":\"restarting\"},\"type\":\"close\"}\n\n"
        );
    }
}
