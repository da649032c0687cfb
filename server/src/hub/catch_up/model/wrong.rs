//! Beginnings that do one step wrong.

use std::sync::Arc;

use caravana_protocol::Seq;
use shuttle::sync::mpsc::Sender;

use super::super::{Refused, Steps, Stream};
use super::world::World;
use crate::hub::group::{Group, Step};
use crate::store::{Channel, Page};

/// What is done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// Goes live wherever the group is by now, as if the last page had reached so far.
    LiveUnseen,
    /// Looks whether more was delivered, lets the lock go, and goes live with it taken again.
    TwoLocks,
    /// The database was asked, for membership and for the first page, before the follower was registered.
    AskedBeforeRegistered,
    /// It was asked for membership before the hub had read how far the group is.
    AskedBeforeLoaded,
}

/// Answers that were got too early.
#[derive(Default)]
pub(super) struct Early {
    pub(super) membership: Option<Result<(), Refused>>,
    pub(super) page: Option<Result<Page, Refused>>,
}

/// The steps of a beginning in the model's world, right or wrong.
pub(super) struct Modelled {
    pub(super) world: Arc<World>,
    pub(super) begun: std::sync::Mutex<Option<Sender<()>>>,
    pub(super) fault: Fault,
    pub(super) early: std::sync::Mutex<Early>,
}

impl Steps for Modelled {
    type Room<'a> = ();
    type Turn<'a> = ();

    fn with<T>(&self, act: impl FnOnce(&mut Group) -> T) -> Option<T> {
        self.world.with(act)
    }

    /// Nobody reads for long here.
    async fn turn(&self) {}

    async fn channel(&self) -> Result<Channel, Refused> {
        if self.fault == Fault::AskedBeforeLoaded {
            let membership = self.world.membership();
            self.early.lock().unwrap().membership = Some(membership);
        }
        Ok(self.world.channel())
    }

    async fn membership(&self) -> Result<(), Refused> {
        let early = self.early.lock().unwrap().membership.take();
        early.unwrap_or_else(|| self.world.membership())
    }

    async fn page(&self, after: Seq) -> Result<Page, Refused> {
        let early = self.early.lock().unwrap().page.take();
        early.unwrap_or_else(|| self.world.page(after))
    }

    /// There always is some: streams of one connection that take turns meet in fewer orders, not in others.
    async fn room(&self) -> Option<()> {
        Some(())
    }

    fn pull(&self) {
        self.world.pull();
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
