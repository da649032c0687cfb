//! The beginning of a stream: from a client's cursor to live.
//!
//! The follower is registered first and gets nothing; the log is read page by page, each page only when the one before
//! is nearly written, so that a slow reader costs one page; the switch to live happens under the group's lock when
//! nothing was delivered beyond the last page. So nothing is lost or doubled at the seam (G5), no live event is
//! buffered, and a resume costs one query when nothing or little was missed.

use std::sync::Arc;
use std::time::Duration;

use caravana_protocol::limits::RESUME_DEPTH;
use caravana_protocol::{CloseReason, Cursor, ErrorCode, GroupId, LeftReason, ResyncReason, ServerFrame, WireError};
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::group::{Group, Step};
use super::peer::Peer;
use super::{Hub, feed};
use crate::frame::{Frame, FramedPage};
use crate::store::{Page, StoreError};

/// How often a page is asked for again when the database does not answer, and how long between.
const ATTEMPTS: u32 = 5;
const RETRY: Duration = Duration::from_millis(500);

/// A stream that is to begin.
pub(super) struct CatchUp {
    pub(super) hub: Arc<Hub>,
    pub(super) peer: Arc<Peer>,
    pub(super) group: GroupId,
    /// Distinguishes this stream from later ones of the same connection and group.
    pub(super) stream: u64,
    pub(super) cursor: Option<Cursor>,
    /// The `ref` of the frame that asked, for an error about it.
    pub(super) reference: Option<String>,
    /// Dropped when `joined` or the refusal is in the mailbox: whoever waits for that may go on.
    pub(super) begun: Option<oneshot::Sender<()>>,
}

/// Why a stream does not begin.
enum Refused {
    /// Not a member, or no such group.
    Stranger,
    /// The database does not answer.
    Unavailable(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::NotFound) { Self::Stranger } else { Self::Unavailable(error) }
    }
}

impl CatchUp {
    /// Brings the stream to live, or tells why not.
    pub(super) async fn run(mut self) {
        let outcome = match self.load().await {
            Ok(()) => match self.cursor {
                Some(cursor) => self.resume(cursor).await,
                None => self.start().await,
            },
            Err(refused) => Err(refused),
        };
        if let Err(refused) = outcome {
            self.refuse(refused);
        }
    }

    /// Makes sure that the hub knows how far the group is. Before the question of membership, so that a removal which
    /// is committed after the answer is an event that the hub has yet to deliver, and ends this stream (G9).
    async fn load(&self) -> Result<(), Refused> {
        let loaded = self.hub.registry.with(self.group, |group| group.is_loaded());
        if loaded == Some(true) {
            return Ok(());
        }
        let channel = self.hub.log.channel(self.group).await?.ok_or(Refused::Stranger)?;
        if self.hub.registry.with(self.group, |group| group.load(channel)) == Some(true) {
            feed::pull(&self.hub, self.group);
        }
        Ok(())
    }

    /// Live from the head.
    async fn start(&self) -> Result<(), Refused> {
        self.hub.log.role(self.group, self.peer.user).await?.ok_or(Refused::Stranger)?;
        self.step(|group| group.join(self.group, self.peer.key, self.stream, 0, true));
        Ok(())
    }

    /// What was missed, then live.
    async fn resume(&mut self, cursor: Cursor) -> Result<(), Refused> {
        let first = self.page(cursor.seq).await?.ok_or(Refused::Stranger)?;
        if let Some(reason) = cannot_continue(cursor, &first) {
            self.step(|group| {
                group.resync(self.group, self.peer.key, self.stream, first.head, reason);
                Step::Live
            });
            return Ok(());
        }
        let joined = self.step(|group| group.join(self.group, self.peer.key, self.stream, first.head, false));
        self.begun = None;
        if joined == Step::Ended {
            return Ok(());
        }
        let (mut page, mut after) = (first, cursor.seq);
        loop {
            if let Some(last) = page.events.last() {
                after = last.seq();
                let frames = FramedPage::new(&page.events).after(0);
                if !self.peer.mailbox.room().await {
                    return Ok(());
                }
                if self.step(|group| group.replay(self.peer.key, self.stream, &frames)) == Step::Ended {
                    return Ok(());
                }
            }
            if after >= page.head
                && self.step(|group| group.go_live(self.group, self.peer.key, self.stream, after)) != Step::Behind
            {
                return Ok(());
            }
            page = self.page(after).await?.ok_or(Refused::Stranger)?;
        }
    }

    async fn page(&self, after: u64) -> Result<Option<Page>, Refused> {
        let mut attempt = 1;
        loop {
            match self.ask(after).await {
                Ok(page) => return Ok(page),
                Err(error) if attempt == ATTEMPTS => return Err(error.into()),
                Err(_) => attempt += 1,
            }
            sleep(RETRY).await;
        }
    }

    async fn ask(&self, after: u64) -> Result<Option<Page>, StoreError> {
        // Ten thousand returning clients ask a few at a time; the others wait here, not in the database's pool.
        let Ok(_turn) = self.hub.replays.acquire().await else { return Ok(None) };
        self.hub.log.replay(self.group, self.peer.user, after).await
    }

    fn step(&self, act: impl FnOnce(&mut Group) -> Step) -> Step {
        self.hub.registry.with(self.group, act).unwrap_or(Step::Ended)
    }

    fn refuse(self, refused: Refused) {
        let current = self.hub.registry.with(self.group, |group| {
            let current = group.has_stream(self.peer.key, self.stream);
            if current {
                group.leave(self.peer.key, self.group);
            }
            current
        });
        if current != Some(true) {
            return;
        }
        match refused {
            Refused::Stranger if self.peer.only.is_some() => self.peer.cut_off(self.group, LeftReason::Removed),
            Refused::Stranger => {
                let error = WireError::new(ErrorCode::NotFound, "no such group", self.reference);
                self.peer.mailbox.push(&Frame::server(&ServerFrame::Error(error)));
            }
            Refused::Unavailable(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, group = %self.group, "a resume failed");
                // The client holds its cursor; it comes back and asks again.
                self.peer.mailbox.close(CloseReason::Overload);
            }
        }
    }
}

fn cannot_continue(cursor: Cursor, page: &Page) -> Option<ResyncReason> {
    if cursor.epoch != page.epoch {
        Some(ResyncReason::UnknownEpoch)
    } else if cursor.seq > page.head {
        Some(ResyncReason::AboveHead)
    } else if page.head - cursor.seq > RESUME_DEPTH {
        Some(ResyncReason::TooDeep)
    } else {
        None
    }
}
