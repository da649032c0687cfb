//! Beginnings that do one step wrong.

use std::sync::Arc;

use caravana_protocol::Seq;
use caravana_store::{GroupState, Page};
use shuttle::sync::mpsc::Sender;

use super::super::{Refused, Steps, Stream};
use super::surroundings::Surroundings;
use crate::group::{Group, Step};

/// Which step is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// Goes live at the group's current head, as if the last page had reached it.
    LiveUnseen,
    /// Checks whether more was delivered, releases the lock, and goes live under a second lock.
    TwoLocks,
    /// Reads membership and the first page before the follower is registered.
    AskedBeforeRegistered,
    /// Reads membership before the hub has loaded the group's head.
    AskedBeforeLoaded,
}

/// Answers that were read too early.
#[derive(Default)]
pub(super) struct Early {
    pub(super) membership: Option<Result<(), Refused>>,
    pub(super) page: Option<Result<Page, Refused>>,
}

/// The steps of a beginning in the model's surroundings, right or wrong.
pub(super) struct Modelled {
    pub(super) surroundings: Arc<Surroundings>,
    pub(super) begun: std::sync::Mutex<Option<Sender<()>>>,
    pub(super) fault: Fault,
    pub(super) early: std::sync::Mutex<Early>,
}

impl Steps for Modelled {
    type Room<'a> = ();
    type Turn<'a> = ();

    fn with<T>(&self, act: impl FnOnce(&mut Group) -> T) -> Option<T> {
        self.surroundings.with(act)
    }

    /// The model needs no limit on reads.
    async fn turn(&self) {}

    async fn group_state(&self) -> Result<GroupState, Refused> {
        if self.fault == Fault::AskedBeforeLoaded {
            let membership = self.surroundings.membership();
            self.early.lock().unwrap().membership = Some(membership);
        }
        Ok(self.surroundings.group_state())
    }

    async fn membership(&self) -> Result<(), Refused> {
        let early = self.early.lock().unwrap().membership.take();
        early.unwrap_or_else(|| self.surroundings.membership())
    }

    async fn page(&self, after: Seq) -> Result<Page, Refused> {
        let early = self.early.lock().unwrap().page.take();
        early.unwrap_or_else(|| self.surroundings.page(after))
    }

    /// There is always room. Streams of one connection that take turns meet in fewer orders, and in no additional ones.
    async fn room(&self) -> Option<()> {
        Some(())
    }

    fn pull(&self) {
        self.surroundings.pull();
    }

    fn begun(&self) {
        *self.begun.lock().unwrap() = None;
    }

    fn go_live(&self, stream: Stream, after: Seq) -> Step {
        let live_at_head = |group: &mut Group| {
            let head = group.delivered();
            group.go_live(stream.group, stream.key, stream.id, head)
        };
        match self.fault {
            Fault::None | Fault::AskedBeforeRegistered | Fault::AskedBeforeLoaded => {
                self.step(|group| group.go_live(stream.group, stream.key, stream.id, after))
            }
            Fault::LiveUnseen => self.step(live_at_head),
            Fault::TwoLocks => match self.with(|group| group.delivered() > after) {
                Some(true) => Step::Behind,
                Some(false) => self.step(live_at_head),
                None => Step::Ended,
            },
        }
    }
}
