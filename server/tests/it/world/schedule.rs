//! The steps that can happen in the simulated world, and how often each is chosen.

use proptest::prelude::*;

/// The number of travellers. (A step names a traveller by its index.)
pub(super) const TRAVELLERS: usize = 4;

/// One step of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A user writes so many messages.
    Write(usize, usize),
    /// A user edits an own message.
    Edit(usize, usize),
    /// A user deletes an own message.
    Delete(usize, usize),
    /// A user types.
    Type(usize),
    /// A user has read everything.
    Read(usize),
    /// Another program inserts so many rows in one transaction.
    Insert(usize),
    /// A user is removed from the group.
    Remove(usize),
    /// A user becomes a member (again).
    Admit(usize),
    /// A socket is reset.
    Cut(usize),
    /// A socket becomes half-open.
    Silence(usize),
    /// A client stops reading its socket.
    Stall(usize),
    /// The client reads again.
    Unstall(usize),
    /// A user loses the network.
    GoOffline(usize),
    /// The user has a network again.
    GoOnline(usize),
    /// A tab crashes, or is reloaded.
    Reload(usize),
    /// A tab comes to the front.
    Look(usize),
    /// The server is killed.
    Kill,
    /// The server ends as planned.
    End,
    /// A server starts, if none runs.
    Start,
    /// Reads of the database fail (or work again).
    FailReads(bool),
    /// Writes to the database fail (or work again).
    FailWrites(bool),
    /// The hub gets no hints about commits (or gets them again).
    LoseHints(bool),
    /// One step of a query takes up to so many milliseconds.
    Slow(u64),
    /// So many milliseconds pass.
    Pass(u64),
}

fn who() -> impl Strategy<Value = usize> {
    0..TRAVELLERS
}

/// Any step, with its weight.
pub(super) fn step() -> impl Strategy<Value = Step> {
    let passing = prop_oneof![1_u64..300, 300_u64..5_000, 5_000_u64..60_000];
    prop_oneof![
        12 => (who(), 1_usize..4).prop_map(|(who, count)| Step::Write(who, count)),
        1 => (who(), 10_usize..30).prop_map(|(who, count)| Step::Write(who, count)),
        2 => (who(), 0_usize..20).prop_map(|(who, nth)| Step::Edit(who, nth)),
        2 => (who(), 0_usize..20).prop_map(|(who, nth)| Step::Delete(who, nth)),
        2 => who().prop_map(Step::Type),
        2 => who().prop_map(Step::Read),
        3 => (1_usize..5).prop_map(Step::Insert),
        1 => (300_usize..700).prop_map(Step::Insert),
        2 => who().prop_map(Step::Remove),
        3 => who().prop_map(Step::Admit),
        4 => who().prop_map(Step::Cut),
        2 => who().prop_map(Step::Silence),
        2 => who().prop_map(Step::Stall),
        2 => who().prop_map(Step::Unstall),
        2 => who().prop_map(Step::GoOffline),
        3 => who().prop_map(Step::GoOnline),
        2 => who().prop_map(Step::Reload),
        2 => who().prop_map(Step::Look),
        2 => Just(Step::Kill),
        1 => Just(Step::End),
        4 => Just(Step::Start),
        1 => any::<bool>().prop_map(Step::FailReads),
        1 => any::<bool>().prop_map(Step::FailWrites),
        2 => any::<bool>().prop_map(Step::LoseHints),
        2 => (0_u64..400).prop_map(Step::Slow),
        12 => passing.prop_map(Step::Pass),
    ]
}

/// A whole schedule.
pub(super) fn schedule() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 1..60)
}
