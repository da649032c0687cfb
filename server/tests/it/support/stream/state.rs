//! One possible state of one group on one connection.

use std::collections::VecDeque;
use std::fmt;

use caravana_protocol::limits::RESUME_DEPTH;
use caravana_protocol::{CaughtUp, Cursor, Epoch, Joined, LeftReason, Resync, ResyncReason, Seq};

/// A request about a group that the client has sent and that is not answered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// `subscribe` or `sync`.
    Subscribe(Subscription),
    /// `unsubscribe`.
    Unsubscribe,
}

/// The stream that a request asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subscription {
    pub(super) cursor: Option<Cursor>,
    pub(super) reference: Option<String>,
}

/// One possible state of one group on one connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    /// In the order of sending. The server answers in the same order.
    asked: VecDeque<Asked>,
    stream: Stream,
}

/// What may come next for the group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Stream {
    /// Nothing: the group is not followed.
    #[default]
    Silent,
    /// `joined` answered a request with this cursor. Next comes the replay after the cursor, or `resync`.
    Begun { cursor: Cursor, epoch: Epoch, head: Seq },
    /// Events from `last + 1` on, and `caught_up` as soon as `last` is at least `head`.
    Replaying { epoch: Epoch, head: Seq, last: Seq },
    /// Events from `last + 1` on.
    Live { last: Seq },
}

type Followers = Result<Vec<State>, String>;

impl State {
    pub(super) fn ask(&mut self, asked: Asked) {
        self.asked.push_back(asked);
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.stream, Stream::Live { .. }) && self.asked.is_empty()
    }

    pub(super) fn is_following(&self) -> bool {
        self.stream != Stream::Silent
    }

    pub(super) fn is_answered(&self) -> bool {
        self.asked.is_empty()
    }

    pub(super) fn position(&self) -> Option<Seq> {
        match self.stream {
            Stream::Replaying { last, .. } | Stream::Live { last } => Some(last),
            Stream::Silent | Stream::Begun { .. } => None,
        }
    }

    fn to(&self, stream: Stream) -> Vec<Self> {
        vec![Self { asked: self.asked.clone(), stream }]
    }

    pub(super) fn joined(&self, joined: &Joined) -> Followers {
        let mut asked = self.asked.clone();
        let Some(Asked::Subscribe(subscription)) = asked.pop_front() else {
            return Err(format!("`joined` at {} answers no `subscribe`", joined.head));
        };
        let (epoch, head) = (joined.epoch, joined.head);
        let stream = match subscription.cursor {
            Some(cursor) => Stream::Begun { cursor, epoch, head },
            None => Stream::Live { last: head },
        };
        Ok(vec![Self { asked, stream }])
    }

    pub(super) fn event(&self, seq: Seq) -> Followers {
        match self.stream {
            Stream::Silent => Err(format!("event {seq} of a group that is not followed")),
            Stream::Begun { cursor, epoch, .. } if cursor.epoch != epoch => {
                Err(format!("event {seq} is replayed from a cursor of another history"))
            }
            Stream::Begun { cursor, epoch, head } => {
                Ok(self.to(Stream::Replaying { epoch, head, last: next(cursor.seq, seq)? }))
            }
            Stream::Replaying { epoch, head, last } => {
                Ok(self.to(Stream::Replaying { epoch, head, last: next(last, seq)? }))
            }
            Stream::Live { last } => Ok(self.to(Stream::Live { last: next(last, seq)? })),
        }
    }

    pub(super) fn caught_up(&self, done: &CaughtUp) -> Followers {
        let (epoch, head, last) = match self.stream {
            Stream::Begun { cursor, epoch, head } if cursor.epoch == epoch => (epoch, head, cursor.seq),
            Stream::Replaying { epoch, head, last } => (epoch, head, last),
            Stream::Begun { .. } | Stream::Silent | Stream::Live { .. } => {
                return Err(format!("`caught_up` at {} where nothing is replayed", done.seq));
            }
        };
        if done.epoch != epoch {
            return Err(format!("`caught_up` is of {}, `joined` was of {epoch}", done.epoch));
        }
        if done.seq != last {
            return Err(format!("`caught_up` names {}, the last event was {last}", done.seq));
        }
        if last < head {
            return Err(format!("`caught_up` at {last}, but `joined` had named {head}"));
        }
        Ok(self.to(Stream::Live { last }))
    }

    pub(super) fn resync(&self, resync: &Resync) -> Followers {
        let Stream::Begun { cursor, epoch, head } = self.stream else {
            return Err(format!("`resync` at {} that answers no cursor", resync.head));
        };
        if (resync.epoch, resync.head) != (epoch, head) {
            return Err(format!("`resync` at {}, `joined` was at {head} of {epoch}", resync.head));
        }
        let same = cursor.epoch == epoch;
        let is_true = match resync.reason {
            ResyncReason::UnknownEpoch => !same,
            // The head may have moved while the answer was on its way, so there is nothing to compare with.
            ResyncReason::AboveHead => same,
            ResyncReason::TooDeep => same && head.saturating_sub(cursor.seq) > RESUME_DEPTH,
        };
        if !is_true {
            return Err(format!("`resync` at {head} says {:?} of the cursor {cursor:?}", resync.reason));
        }
        Ok(self.to(Stream::Live { last: head }))
    }

    pub(super) fn left(&self, reason: LeftReason) -> Followers {
        match reason {
            LeftReason::Asked => {
                let mut asked = self.asked.clone();
                if asked.pop_front() != Some(Asked::Unsubscribe) {
                    return Err("`left` answers no `unsubscribe`".into());
                }
                Ok(vec![Self { asked, stream: Stream::Silent }])
            }
            // Either the removal ended the stream before the server read the oldest open request, or it is the answer
            // to that request.
            LeftReason::Removed | LeftReason::GroupDeleted => {
                let ended = Self { asked: self.asked.clone(), stream: Stream::Silent };
                let mut answered = ended.clone();
                match answered.asked.pop_front() {
                    Some(Asked::Subscribe(_)) => Ok(vec![ended, answered]),
                    _ if self.stream == Stream::Silent => Err(format!("`left` ({reason:?}) of what is not followed")),
                    _ => Ok(vec![ended]),
                }
            }
        }
    }

    /// Typing, presence and read marks come only to a client that follows the group. Between a `subscribe` and its
    /// `joined`, the previous stream still counts.
    pub(super) fn soft(&self) -> Followers {
        if self.stream == Stream::Silent {
            return Err("a soft frame of a group that is not followed".into());
        }
        Ok(vec![self.clone()])
    }

    pub(super) fn heartbeat(&self, head: Seq) -> Followers {
        if let Stream::Live { last } = self.stream
            && head > last
        {
            return Err(format!("`heartbeat` names {head}, but only {last} has come: a lost tail"));
        }
        Ok(vec![self.clone()])
    }

    /// An error with the reference of a `subscribe` refuses it. An error without a reference may refuse it.
    pub(super) fn refused(&self, reference: Option<&str>) -> Vec<Self> {
        // The server answers in order, so a refused request is always the oldest open one.
        let is_later = |asked: &Asked| matches!(asked, Asked::Subscribe(one) if reference.is_some() && one.reference.as_deref() == reference);
        if self.asked.iter().skip(1).any(is_later) {
            return Vec::new();
        }
        let Some(Asked::Subscribe(first)) = self.asked.front() else { return vec![self.clone()] };
        // A refused `subscribe` has already ended the previous stream.
        let mut refused = Self { asked: self.asked.clone(), stream: Stream::Silent };
        refused.asked.pop_front();
        match (reference, first.reference.as_deref()) {
            (None, None) => vec![self.clone(), refused],
            (named, own) if named == own => vec![refused],
            (Some(_) | None, Some(_) | None) => vec![self.clone()],
        }
    }
}

/// Each event has the seq after the previous one.
fn next(last: Seq, seq: Seq) -> Result<Seq, String> {
    match seq {
        _ if seq == last.saturating_add(1) => Ok(seq),
        _ if seq <= last => Err(format!("event {seq} is repeated, the last one was {last}")),
        _ => Err(format!("a hole: event {seq} comes after {last}")),
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.stream {
            Stream::Silent => f.write_str("not followed")?,
            Stream::Begun { cursor, head, .. } => write!(f, "joined at {head} with the cursor {}", cursor.seq)?,
            Stream::Replaying { head, last, .. } => write!(f, "replayed to {last}, joined at {head}")?,
            Stream::Live { last } => write!(f, "live after {last}")?,
        }
        write!(f, ", {} answers to come", self.asked.len())
    }
}
