//! Frames on their way to clients: encoded once, shared by all connections that get them.
//!
//! This module depends only on the protocol's JSON and on the encodings of the transports. The hub makes an
//! [`Outgoing`] from a frame or from a page of the log, and puts it into mailboxes. The task that writes for a
//! connection takes the encoding of its own transport, which is made once for all connections of that transport. A new
//! transport adds a module here, and the hub does not change.
//!
//! The text of every frame is stored behind its RFC 6455 header. This is the encoding of our own socket
//! ([`websocket`]), which nearly all connections use, so no text is stored twice (G7). Other encodings are made from
//! the texts when a connection first needs them.

pub mod event_stream;
#[cfg(test)]
mod sizes;
pub mod websocket;

use std::sync::{Arc, OnceLock};

use caravana_protocol::{Cursor, Epoch, Event, Seq, ServerFrame, codec};

use event_stream::EventStream;

/// A frame, or a page of events of which the first ones may be left out, that waits for a connection. A clone shares
/// the bytes.
#[derive(Debug, Clone)]
pub struct Outgoing {
    shared: Arc<Shared>,
    /// How many frames of a page are left out, and how many bytes they have in the WebSocket encoding.
    skipped: Skipped,
}

#[derive(Debug, Clone, Copy, Default)]
struct Skipped {
    frames: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Shared {
    /// The WebSocket encoding of all frames, one after the other.
    bytes: Vec<u8>,
    frames: Frames,
    event_stream: OnceLock<EventStream>,
}

#[derive(Debug)]
enum Frames {
    /// One frame, and where its text begins.
    One(Head, usize),
    /// Events in ascending order. The page is one entry in a mailbox.
    Page(Vec<Place>),
    /// Several frames that are one entry in a mailbox, each with the places where its text begins and ends.
    Several(Vec<(Head, usize, usize)>),
    /// A transport's own frame. It has no text, and other transports ignore it.
    Own,
}

/// The position of an event in a page.
#[derive(Debug, Clone, Copy)]
struct Place {
    seq: Seq,
    text: usize,
    end: usize,
}

/// What a transport may have to know about a frame in addition to its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// An event of a group's log.
    Event(Seq),
    /// A `joined` frame: the stream begins in this history.
    Joined(Epoch),
    /// A `resync` frame: the stream continues from here.
    Resync(Cursor),
    /// The server restarts. Wait at least this many milliseconds.
    GoingAway(u64),
    /// Any other frame, with the name of its kind.
    Other(&'static str),
}

impl Head {
    fn of(frame: &ServerFrame) -> Self {
        match frame {
            ServerFrame::Event(event) => Self::Event(event.seq()),
            ServerFrame::Joined(joined) => Self::Joined(joined.epoch),
            ServerFrame::Resync(resync) => Self::Resync(Cursor { epoch: resync.epoch, seq: resync.head }),
            ServerFrame::GoingAway(going) => Self::GoingAway(going.retry_after_ms),
            ServerFrame::Hello(_)
            | ServerFrame::Left(_)
            | ServerFrame::MessageSent(_)
            | ServerFrame::Done(_)
            | ServerFrame::UserTyping(_)
            | ServerFrame::UserStopTyping(_)
            | ServerFrame::Presence(_)
            | ServerFrame::Read(_)
            | ServerFrame::CaughtUp(_)
            | ServerFrame::Heartbeat(_)
            | ServerFrame::AuthExpiring(_)
            | ServerFrame::GroupAdded(_)
            | ServerFrame::GroupRemoved(_)
            | ServerFrame::AccountChanged(_)
            | ServerFrame::Error(_) => Self::Other(frame.family()),
        }
    }
}

impl Outgoing {
    /// A protocol frame.
    #[must_use]
    pub fn server(frame: &ServerFrame) -> Self {
        let text = codec::encode_server(frame);
        let asks = matches!(frame, ServerFrame::Heartbeat(_));
        Self::one(Head::of(frame), &text, if asks { websocket::PING } else { &[] })
    }

    /// An event of a group's log.
    #[must_use]
    pub fn event(event: &Event) -> Self {
        Self::one(Head::Event(event.seq()), &codec::encode_event(event), &[])
    }

    /// A page of ascending events.
    #[must_use]
    pub fn page(events: &[Event]) -> Self {
        let mut bytes = Vec::new();
        let place = |event: &Event| {
            let text = websocket::put_text(&mut bytes, &codec::encode_event(event));
            Place { seq: event.seq(), text, end: bytes.len() }
        };
        let places = events.iter().map(place).collect();
        Self::of(bytes, Frames::Page(places))
    }

    /// Several short frames that a connection gets all or none of.
    #[must_use]
    pub fn several(frames: &[ServerFrame]) -> Self {
        let mut bytes = Vec::new();
        let place = |frame: &ServerFrame| {
            let text = websocket::put_text(&mut bytes, &codec::encode_server(frame));
            (Head::of(frame), text, bytes.len())
        };
        let places = frames.iter().map(place).collect();
        Self::of(bytes, Frames::Several(places))
    }

    /// A transport's own frame in its final encoding, for example an answer to a ping. Only the transport of the
    /// connection puts it in.
    #[must_use]
    pub fn own(bytes: Vec<u8>) -> Self {
        Self::of(bytes, Frames::Own)
    }

    fn one(head: Head, text: &str, before: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(before.len() + websocket::HEADER + text.len());
        bytes.extend_from_slice(before);
        let at = websocket::put_text(&mut bytes, text);
        Self::of(bytes, Frames::One(head, at))
    }

    fn of(bytes: Vec<u8>, frames: Frames) -> Self {
        let shared = Shared { bytes, frames, event_stream: OnceLock::new() };
        Self { shared: Arc::new(shared), skipped: Skipped::default() }
    }

    /// The part of a page after this event. Nothing is copied.
    #[must_use]
    pub fn after(&self, seq: Seq) -> Self {
        let Frames::Page(places) = &self.shared.frames else { return self.clone() };
        let frames = places.partition_point(|place| place.seq <= seq);
        let bytes = frames.checked_sub(1).and_then(|last| places.get(last)).map_or(0, |place| place.end);
        Self { shared: Arc::clone(&self.shared), skipped: Skipped { frames, bytes } }
    }

    /// The same page with no frames left out.
    fn whole(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), skipped: Skipped::default() }
    }

    /// The encoding of our own socket.
    #[must_use]
    pub fn websocket(&self) -> &[u8] {
        self.shared.bytes.get(self.skipped.bytes..).unwrap_or_default()
    }

    /// The size in the unit of a mailbox. It is the same for every transport, so that the limit of a mailbox does not
    /// depend on the transport. It is the length of the texts and of their WebSocket headers, which are at most ten
    /// bytes each.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.bytes.len() - self.skipped.bytes
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The frames in it, each with its JSON text.
    pub fn frames(&self) -> impl Iterator<Item = (Head, &str)> {
        let text = |from: usize, to: usize| {
            let bytes = self.shared.bytes.get(from..to).unwrap_or_default();
            std::str::from_utf8(bytes).unwrap_or_default()
        };
        let (one, page, several) = match &self.shared.frames {
            Frames::One(head, at) => (Some((*head, text(*at, self.shared.bytes.len()))), &[][..], &[][..]),
            Frames::Page(places) => (None, places.get(self.skipped.frames..).unwrap_or_default(), &[][..]),
            Frames::Several(places) => (None, &[][..], places.as_slice()),
            Frames::Own => (None, &[][..], &[][..]),
        };
        let page = page.iter().map(move |place| (Head::Event(place.seq), text(place.text, place.end)));
        let several = several.iter().map(move |(head, from, to)| (*head, text(*from, *to)));
        one.into_iter().chain(page).chain(several)
    }
}

#[cfg(test)]
mod tests {
    use caravana_protocol::{Heartbeat, Timestamp};

    use super::*;

    fn heartbeat() -> Outgoing {
        let t = Timestamp::from_unix_micros(0);
        Outgoing::server(&ServerFrame::Heartbeat(Heartbeat { t, heads: [].into() }))
    }

    #[test]
    fn a_text_of_any_length_is_found_behind_its_header() {
        for length in [0, 5, 125, 126, 65_535, 65_536] {
            let text = "x".repeat(length);
            let frame = Outgoing::one(Head::Other("x"), &text, &[]);
            assert_eq!(frame.frames().collect::<Vec<_>>(), [(Head::Other("x"), text.as_str())]);
            assert_eq!(frame.len(), frame.websocket().len());
            assert!((length + 2..=length + websocket::HEADER).contains(&frame.len()), "{length}");
        }
    }

    #[test]
    fn a_heartbeat_asks_the_peer_by_the_transports_own_means() {
        let frame = heartbeat();
        assert!(frame.websocket().starts_with(websocket::PING));
        let (head, text) = frame.frames().next().unwrap();
        assert_eq!(head, Head::Other("heartbeat"));
        assert!(text.starts_with(r#"{"type":"heartbeat""#), "{text}");
    }

    #[test]
    fn what_a_transport_says_for_itself_has_no_text() {
        let own = Outgoing::own(websocket::pong(b"?"));
        assert_eq!((own.frames().count(), own.websocket()), (0, &b"\x8a\x01?"[..]));
    }
}
