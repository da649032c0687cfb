//! The beginning of a stream: from a client's cursor to live.
//!
//! The follower is registered first and gets nothing. Then the log is read page by page. A page is read only when the
//! previous one is nearly written and no other stream of the connection has a page pending, so a slow reader costs one
//! page however many groups it follows. The switch to live happens under the group's lock, if nothing was delivered
//! beyond the last page. So no event is lost or duplicated at the seam (G5), no live event is buffered, and a resume
//! costs one query when nothing or little was missed. `model` runs this same code and checks that no order of steps
//! breaks it.

#[cfg(test)]
mod model;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use caravana_protocol::limits::{REPLAY_PIECE_BYTES, RESUME_DEPTH};
use caravana_protocol::{
    CloseReason, Cursor, ErrorCode, GroupId, LeftReason, ResyncReason, Seq, ServerFrame, WireError,
};
use caravana_store::{GroupState, Page, StoreError};
use caravana_telemetry::{Seldom, causes, metrics};
use tokio::sync::{SemaphorePermit, oneshot};
use tokio::time::sleep;

use super::group::{Group, Step};
use super::mailbox::Room;
use super::peer::Peer;
use super::{Hub, feed};
use crate::frame::Outgoing;

/// How many times a page is requested when the database does not answer, and the pause between two attempts.
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
    /// Dropped when `joined` or the refusal is in the mailbox, which wakes the connection that waits for it.
    pub(super) begun: Mutex<Option<oneshot::Sender<()>>>,
}

/// Why a stream does not begin.
#[derive(Debug)]
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

/// Identifies the stream in the group's state.
#[derive(Debug, Clone, Copy)]
struct Stream {
    group: GroupId,
    /// The connection.
    key: u64,
    id: u64,
}

/// What the beginning of a stream does to its surroundings, in single steps. Between two steps anything may happen;
/// within a step nothing can. The model check implements this trait with its own world, and runs the same code in it.
trait Steps {
    /// Room in the mailbox.
    type Room<'a>
    where
        Self: 'a;
    /// A turn to read the database.
    type Turn<'a>
    where
        Self: 'a;

    /// Runs `act` on the group under its lock. `None` means that the group has no follower any more.
    fn with<T>(&self, act: impl FnOnce(&mut Group) -> T) -> Option<T>;
    /// Waits for a turn to read. The holder of a turn waits for nothing except the database.
    async fn turn(&self) -> Self::Turn<'_>;
    /// Reads the state that the hub keeps for the group.
    async fn group_state(&self) -> Result<GroupState, Refused>;
    /// Puts in what has changed besides the log since the group's state was read.
    fn latest(&self, group_state: GroupState) -> GroupState {
        group_state
    }
    /// Checks in the database that the follower is a member.
    async fn membership(&self) -> Result<(), Refused>;
    /// Reads a page of the log, and checks membership in the same statement.
    async fn page(&self, after: Seq) -> Result<Page, Refused>;
    /// Waits until `joined` or a page may be put in. `None` means that the connection ends. While the room is held, no
    /// other stream of the connection gets any.
    async fn room(&self) -> Option<Self::Room<'_>>;
    /// Starts to read the log from the last delivered event.
    fn pull(&self);
    /// Signals that `joined` is in the mailbox.
    fn begun(&self);

    /// One step of the stream under the group's lock.
    fn step(&self, act: impl FnOnce(&mut Group) -> Step) -> Step {
        self.with(act).unwrap_or(Step::Ended)
    }

    /// The seam: makes the stream live, unless more was delivered in the meantime.
    fn go_live(&self, stream: Stream, after: Seq) -> Step {
        self.step(|group| group.go_live(stream.group, stream.key, stream.id, after))
    }
}

/// Takes a stream from registered without events to live.
async fn begin(steps: &impl Steps, stream: Stream, cursor: Option<Cursor>) -> Result<(), Refused> {
    load(steps).await?;
    match cursor {
        Some(cursor) => resume(steps, stream, cursor).await,
        None => start(steps, stream).await,
    }
}

/// Makes sure that the hub has loaded the group's head. This comes before the membership check. So a removal that is
/// committed after the check is an event that the hub has not delivered yet, and it ends this stream (G9).
async fn load(steps: &impl Steps) -> Result<(), Refused> {
    let is_loaded = || steps.with(|group| group.is_loaded()) == Some(true);
    if is_loaded() {
        return Ok(());
    }
    let _turn = steps.turn().await;
    // When many clients return to one group at once, the first one has read it for the others.
    if is_loaded() {
        return Ok(());
    }
    let group_state = steps.group_state().await?;
    if steps.with(|group| group.load(steps.latest(group_state))) == Some(true) {
        steps.pull();
    }
    Ok(())
}

/// Starts a stream that is live from the head.
async fn start(steps: &impl Steps, stream: Stream) -> Result<(), Refused> {
    let Some(_room) = steps.room().await else { return Ok(()) };
    steps.membership().await?;
    steps.step(|group| group.join(stream.group, stream.key, stream.id, 0, true));
    Ok(())
}

/// Replays the missed events, then makes the stream live.
async fn resume(steps: &impl Steps, stream: Stream, cursor: Cursor) -> Result<(), Refused> {
    let Stream { group: group_id, key, id } = stream;
    let Some(mut room) = steps.room().await else { return Ok(()) };
    let first = steps.page(cursor.seq).await?;
    if let Some(reason) = cannot_continue(cursor, &first) {
        steps.with(|group| group.resync(group_id, key, id, first.head, reason));
        return Ok(());
    }
    let joined = steps.step(|group| group.join(group_id, key, id, first.head, false));
    steps.begun();
    if joined == Step::Ended {
        return Ok(());
    }
    let (mut page, mut after) = (first, cursor.seq);
    loop {
        if let Some(last) = page.events.last() {
            after = last.seq();
            metrics::replayed(page.events.len());
            let frames = Outgoing::page(&page.events);
            if steps.step(|group| group.replay(key, id, &frames)) == Step::Ended {
                return Ok(());
            }
        }
        if after >= page.head && steps.go_live(stream, after) != Step::Behind {
            return Ok(());
        }
        // Gives the room to the other streams first: they have waited while this stream had its page.
        drop(room);
        let Some(next) = steps.room().await else { return Ok(()) };
        room = next;
        page = steps.page(after).await?;
    }
}

/// Removes a refused stream from the group. Returns whether it was still current.
fn give_up(steps: &impl Steps, stream: Stream) -> bool {
    let gone = steps.with(|group| {
        let meant = group.has_stream(stream.key, stream.id);
        meant && group.leave(stream.key, stream.group)
    });
    gone == Some(true)
}

impl CatchUp {
    /// Takes the stream to live, or tells the client why it was refused.
    pub(super) async fn run(self) {
        if let Err(refused) = begin(&self, self.stream(), self.cursor).await {
            self.refuse(refused);
        }
    }

    fn has_begun(&self) -> bool {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn stream(&self) -> Stream {
        Stream { group: self.group, key: self.peer.key, id: self.stream }
    }

    async fn ask(&self, after: Seq) -> Result<Option<Page>, StoreError> {
        let _turn = self.turn().await;
        self.hub.log.replay(self.group, self.peer.user, after, REPLAY_PIECE_BYTES).await
    }

    fn refuse(self, refused: Refused) {
        if !give_up(&self, self.stream()) {
            return;
        }
        match refused {
            // A stream that has already begun ends like any stream of a removed member, even between two of its pages.
            Refused::Stranger if self.peer.only.is_some() || self.has_begun() => {
                self.peer.cut_off(self.group, LeftReason::Removed);
            }
            Refused::Stranger => {
                let error = WireError::new(ErrorCode::NotFound, "no such group", self.reference);
                self.peer.mailbox.push(&Outgoing::server(&ServerFrame::Error(error)));
            }
            Refused::Unavailable(error) => {
                static FAILED: Seldom = Seldom::new();
                if let Some(times) = FAILED.happened() {
                    tracing::warn!(error = %causes(&error), group = %self.group, times, "a resume failed");
                }
                // The client keeps its cursor, and asks again after it has reconnected.
                self.peer.mailbox.close(CloseReason::Overload);
            }
        }
    }
}

impl Steps for CatchUp {
    type Room<'a> = Room<'a>;
    // `None` never occurs, because the semaphore is never closed.
    type Turn<'a> = Option<SemaphorePermit<'a>>;

    fn with<T>(&self, act: impl FnOnce(&mut Group) -> T) -> Option<T> {
        self.hub.registry.with(self.group, act)
    }

    /// If ten thousand clients return at once, only a few read at a time. The others wait here, not in the database's
    /// pool.
    async fn turn(&self) -> Self::Turn<'_> {
        self.hub.replays.acquire().await.ok()
    }

    async fn group_state(&self) -> Result<GroupState, Refused> {
        self.hub.log.group_state(self.group).await?.ok_or(Refused::Stranger)
    }

    fn latest(&self, group_state: GroupState) -> GroupState {
        self.hub.sharing_changes.put_into(group_state)
    }

    async fn membership(&self) -> Result<(), Refused> {
        let _turn = self.turn().await;
        self.hub.log.role(self.group, self.peer.user).await?.map(|_| ()).ok_or(Refused::Stranger)
    }

    async fn page(&self, after: Seq) -> Result<Page, Refused> {
        let mut attempt = 1;
        loop {
            match self.ask(after).await {
                Ok(page) => return page.ok_or(Refused::Stranger),
                Err(error) if attempt == ATTEMPTS => return Err(error.into()),
                Err(_) => attempt += 1,
            }
            sleep(RETRY).await;
        }
    }

    async fn room(&self) -> Option<Room<'_>> {
        self.peer.mailbox.room().await
    }

    fn pull(&self) {
        feed::pull(&self.hub, self.group);
    }

    fn begun(&self) {
        *self.begun.lock().unwrap_or_else(PoisonError::into_inner) = None;
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
