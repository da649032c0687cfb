//! What may happen in the simulated world, and how often.

use proptest::prelude::*;

/// Travellers in the world.
pub(super) const TRAVELLERS: usize = 4;

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Somebody writes so many messages.
    Write(usize, usize),
    /// Somebody edits an own message.
    Edit(usize, usize),
    /// Somebody deletes an own message.
    Delete(usize, usize),
    /// Somebody types.
    Type(usize),
    /// Somebody has read everything.
    Read(usize),
    /// Another program inserts so many rows in one transaction.
    Insert(usize),
    /// Somebody is removed.
    Remove(usize),
    /// Somebody is a member (again).
    Admit(usize),
    /// A socket is reset.
    Cut(usize),
    /// A socket becomes half-open.
    Silence(usize),
    /// Somebody stops reading.
    Stall(usize),
    /// Somebody reads again.
    Unstall(usize),
    /// Somebody loses the network.
    GoOffline(usize),
    /// Somebody has it again.
    GoOnline(usize),
    /// A tab crashes, or is reloaded.
    Reload(usize),
    /// A tab comes to the front.
    Look(usize),
    /// The server is killed.
    Kill,
    /// The server ends as planned.
    End,
    /// A server is started, if there is none.
    Start,
    /// The database answers no questions.
    FailReads(bool),
    /// The database takes no writes.
    FailWrites(bool),
    /// Nobody is told of commits.
    LoseHints(bool),
    /// The database is this slow.
    Slow(u64),
    /// Time passes.
    Pass(u64),
}

fn who() -> impl Strategy<Value = usize> {
    0..TRAVELLERS
}

/// Any step.
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
