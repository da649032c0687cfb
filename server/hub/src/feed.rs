//! Passes events from commits to mailboxes.
//!
//! Owns the tasks that keep every followed group up to date with the database: the stream of our own commits (at once),
//! hints from other programs and other servers (soon), and a sweep of all heads (at the latest). Each of them only says
//! "group G is at seq S"; missing events are read from the log. So a lost hint costs time, but never a message (idea 2,
//! G6).

use std::sync::Arc;
use std::time::Duration;

use caravana_protocol::{Event, GroupId, LeftReason, Seq};
use caravana_store::{Effect, Hint};
use caravana_telemetry::{Seldom, causes, metrics};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use super::Hub;
use super::broker::Signal;
use super::group::{Applied, Group};
use super::peer::Peer;
use crate::frame::Outgoing;

/// Groups in one query of the sweep.
const SWEEP_GROUPS: usize = 1_000;
/// Followers in one query about membership.
const SWEEP_FOLLOWERS: usize = 1_000;
/// How often soft state is checked for expiry.
const EXPIRY_TICK: Duration = Duration::from_millis(500);
/// How long the server waits before it reads a gap again after the database did not answer.
const PULL_RETRY: Duration = Duration::from_millis(250);
/// A follower with more waiting bytes than this is slow, and a long gap is then filled slowly.
const BACKLOG_BYTES: usize = 256 * 1024;
/// The smallest page for which the filling of a gap waits for slow followers.
const GO_BYTES: usize = 64 * 1024;
/// How long the filling of a gap waits for the slowest follower before each page. A follower that does not take even
/// one page in that time is given up until it has less waiting, so the others do not wait for it twice.
const BACKLOG_PATIENCE: Duration = Duration::from_secs(1);
/// How often the slow followers are checked while the filling of a gap waits.
const BACKLOG_LOOK: Duration = Duration::from_millis(10);
/// After so many events of one commit for filling mailboxes comes a pause.
const PAUSE_EVENTS: usize = 32;
/// The shortest time that the runtime's timer knows.
const PAUSE: Duration = Duration::from_millis(1);
/// Pages with fewer events are delivered one by one.
const SMALL_PAGE: usize = 16;

/// Passes on the effects of this server's commits, in commit order.
pub(super) async fn follow_commits(hub: Arc<Hub>, mut commits: mpsc::Receiver<Vec<Effect>>) {
    loop {
        let effects = tokio::select! {
            biased;
            effects = commits.recv() => effects,
            // The hub holds the store, and the store holds the sender of this stream. Without this branch neither would
            // ever end.
            () = hub.shutdown.cancelled() => None,
        };
        let Some(effects) = effects else { return };
        let mut filling = 0;
        for effect in effects {
            match effect {
                Effect::Event(event) => {
                    let applied = deliver(&hub, &event);
                    hub.tell_others(|| Signal::Hint(event.group_id(), Some(event.seq())));
                    // Everything else of the commit is put in before the first socket is written, so that a connection
                    // gets it by one write.
                    if applied == Some(Applied::Filling) {
                        filling += 1;
                        give_way(filling).await;
                    }
                }
                Effect::Moved(group) => hub.signal(Signal::Hint(group, None)),
                Effect::Member(group, user) => hub.signal(Signal::Member(group, user)),
                Effect::GroupDeleted(group, members) => hub.signal(Signal::GroupDeleted(group, members)),
                Effect::Closed(group_id, is_closed, members) => {
                    hub.signal(Signal::Closed { group_id, is_closed, members });
                }
                Effect::Account(user) => hub.signal(Signal::Account(user)),
            }
        }
        // The writing tasks that were woken run before more is put in, even if one thread serves them all.
        tokio::task::yield_now().await;
    }
}

/// Lets the loops that write run, because a mailbox is filling. This is `filling`th such event of the commit. Now and then
/// it pauses: another thread may have such a loop and not run at the moment. A follower that reads nothing delays the others
/// only a few times, because its mailbox is soon full.
async fn give_way(filling: usize) {
    if filling.is_multiple_of(PAUSE_EVENTS) {
        sleep(PAUSE).await;
    } else {
        tokio::task::yield_now().await;
    }
}

/// Compares all heads with the database periodically, and those of groups that another program or server has moved at
/// once. Hints that arrive while the heads are being read are handled together in the next query. So at most one query
/// is running, however many commits there are.
pub(super) async fn sweep(hub: Arc<Hub>) {
    let mut hints = Some(hub.log.hints());
    let mut jitter = SmallRng::seed_from_u64(hub.settings.seed);
    // A jitter of one fifth, so that several servers do not query at the same moment.
    let mut after_pause = || Instant::now() + hub.settings.sweep.mul_f64(jitter.random_range(0.8..1.2));
    let mut next = after_pause();
    loop {
        let hinted = async {
            match &mut hints {
                Some(hints) => hints.next().await,
                None => std::future::pending().await,
            }
        };
        let hint = tokio::select! {
            biased;
            () = hub.shutdown.cancelled() => return,
            hint = hinted => hint,
            () = hub.lost_signals.notified() => Some(Hint::Anything),
            () = sleep_until(next) => Some(Hint::Anything),
        };
        match hint {
            Some(Hint::Anything) => {
                look_at(&hub, &hub.registry.followed()).await;
                next = after_pause();
            }
            Some(Hint::Groups(moved)) => {
                let followed = moved.into_iter().filter(|group| hub.registry.with(*group, |_| ()).is_some());
                look_at(&hub, &followed.collect::<Vec<_>>()).await;
            }
            // The hint stream has ended.
            None => hints = None,
        }
    }
}

/// Reads the heads of these groups, and starts to read the events that are missing.
async fn look_at(hub: &Arc<Hub>, groups: &[GroupId]) {
    for some in groups.chunks(SWEEP_GROUPS) {
        match hub.log.heads(some).await {
            Ok(heads) => heads.into_iter().for_each(|(group, head)| hint(hub, group, head)),
            Err(error) => {
                static FAILED: Seldom = Seldom::new();
                if let Some(times) = FAILED.happened() {
                    tracing::warn!(error = %causes(&error), times, "a sweep failed");
                }
            }
        }
    }
}

/// Checks periodically whether the followers are still members, for a store that has no event for a removal (G9).
pub(super) async fn watch_members(hub: Arc<Hub>) {
    loop {
        tokio::select! {
            biased;
            () = hub.shutdown.cancelled() => return,
            () = sleep(hub.settings.sweep) => {}
        }
        let followers: Vec<_> = hub
            .registry
            .followed()
            .into_iter()
            .flat_map(|group| {
                let users = hub.registry.with(group, |state| state.users()).unwrap_or_default();
                users.into_iter().map(move |user| (group, user))
            })
            .collect();
        for some in followers.chunks(SWEEP_FOLLOWERS) {
            match hub.log.strangers(some).await {
                Ok(strangers) => strangers.into_iter().for_each(|(group, stranger)| {
                    let is_theirs = |peer: &Peer| peer.user == stranger;
                    hub.registry.with(group, |state| {
                        state.forget_member(stranger);
                        state.cut(group, LeftReason::Removed, is_theirs);
                    });
                    hub.membership_changed(group, stranger);
                }),
                Err(error) => {
                    static FAILED: Seldom = Seldom::new();
                    if let Some(times) = FAILED.happened() {
                        tracing::warn!(
                            error = %causes(&error),
                            times,
                            "members could not be looked up"
                        );
                    }
                }
            }
        }
    }
}

/// Ends typing states, and presence on other instances, that were not repeated. Tells accounts for which there was no room.
pub(super) async fn expire_soft_state(hub: Arc<Hub>) {
    loop {
        tokio::select! {
            biased;
            () = hub.shutdown.cancelled() => return,
            () = sleep(EXPIRY_TICK) => {}
        }
        hub.tell_accounts_again();
        let now = Instant::now();
        for group in hub.registry.followed() {
            hub.registry.with(group, |state| state.expire(group, now));
        }
    }
}

/// Delivers an event that was just committed. `None`: nobody here follows the group.
fn deliver(hub: &Arc<Hub>, event: &Event) -> Option<Applied> {
    let group = event.group_id();
    // Most groups have no follower on this server most of the time; then nothing is encoded.
    let applied = hub.registry.with(group, |state| state.apply(event, &Outgoing::event(event)));
    if applied == Some(Applied::Gap) {
        pull(hub, group);
    }
    applied
}

/// A group's log moved, and the writer has no event for it. If the group is followed here, the event is read from the
/// log.
pub(super) fn nudge(hub: &Arc<Hub>, group: GroupId) {
    if hub.registry.with(group, Group::nudge) == Some(true) {
        pull(hub, group);
    }
}

/// A hint says that a group is at this seq.
pub(super) fn hint(hub: &Arc<Hub>, group: GroupId, head: Seq) {
    if hub.registry.with(group, |state| state.hint(head)) == Some(true) {
        pull(hub, group);
    }
}

/// Starts to fill a gap, unless a task is already filling it.
pub(super) fn pull(hub: &Arc<Hub>, group: GroupId) {
    if hub.registry.with(group, Group::begin_pull) == Some(true) {
        metrics::gap();
        let hub = Arc::clone(hub);
        hub.tasks.clone().spawn(async move { fill(&hub, group).await });
    }
}

/// Reads the log after the last delivered event, until every event that a hint has named is delivered.
async fn fill(hub: &Arc<Hub>, group: GroupId) {
    while let Some(delivered) = hub.registry.with(group, Group::next_pull) {
        let page = match hub.log.tail(group, delivered).await {
            Ok(page) => page,
            Err(error) => {
                // Throttled: while the database is away, each followed group fails here four times a second.
                static UNREAD: Seldom = Seldom::new();
                if let Some(times) = UNREAD.happened() {
                    tracing::warn!(error = %causes(&error), %group, times, "a gap could not be read yet");
                }
                sleep(PULL_RETRY).await;
                if hub.shutdown.is_cancelled() {
                    return;
                }
                continue;
            }
        };
        deliver_page(hub, group, &page.events).await;
        for event in &page.events {
            hub.member_event(event);
        }
        let more = hub.registry.with(group, |state| state.end_pull(page.events.is_empty()));
        if more != Some(true) {
            return;
        }
    }
}

async fn deliver_page(hub: &Arc<Hub>, group: GroupId, events: &[Event]) {
    let Some(last) = events.last() else { return };
    let changes_members = |event: &Event| matches!(event, Event::MemberLeft(_) | Event::MemberJoined(_));
    if events.len() < SMALL_PAGE || events.iter().any(changes_members) {
        let mut rest = events;
        while let [event, later @ ..] = rest {
            let frame = Outgoing::event(event);
            wait_for_slow_followers(hub, group, frame.len()).await;
            hub.registry.with(group, |state| state.apply_before(event, &frame, later));
            rest = later;
        }
    } else {
        let page = Outgoing::page(events);
        wait_for_slow_followers(hub, group, page.len()).await;
        hub.registry.with(group, |state| state.apply_page(last.seq(), &page));
    }
}

/// Waits for slow followers before a large delivery. A long gap, or one large row, must not push all followers over the
/// limit of their mailboxes at once.
async fn wait_for_slow_followers(hub: &Arc<Hub>, group: GroupId, bytes: usize) {
    if bytes < GO_BYTES {
        return;
    }
    let until = Instant::now() + BACKLOG_PATIENCE;
    hub.registry.with(group, Group::begin_wait);
    while hub.registry.with(group, |state| state.has_slow_followers(BACKLOG_BYTES)) == Some(true) {
        if Instant::now() >= until {
            hub.registry.with(group, |state| state.end_wait(BACKLOG_BYTES, bytes));
            return;
        }
        sleep(BACKLOG_LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use caravana_protocol::Epoch;
    use caravana_protocol::limits::MAILBOX_BYTES;
    use caravana_store::{Effects, GroupState};
    use uuid::Uuid;

    use super::*;
    use crate::frame::Head;
    use crate::mailbox::Next;
    use crate::samples::{GROUP, hub, message, peer};

    /// Reports that the kernel has taken this many bytes.
    fn takes(peer: &Peer, bytes: usize) {
        peer.mailbox.written(0, bytes);
    }

    /// Before the fix, one socket that took little made all followers wait a second for each page, without end.
    #[tokio::test(start_paused = true)]
    async fn others_wait_once_for_a_follower_who_takes_nothing_and_page_by_page_for_who_keeps_pace() {
        let (hub, _commits) = hub(&[], "");
        let slow = peer(1);
        hub.registry.enter(GROUP, |state| state.enter(&slow, 1));
        let waits = async || {
            let start = Instant::now();
            wait_for_slow_followers(&hub, GROUP, GO_BYTES).await;
            start.elapsed()
        };
        for _ in 0..2 {
            let much = Outgoing::own(vec![0; MAILBOX_BYTES / 2]);
            slow.mailbox.push(&much);
            assert_eq!(waits().await, BACKLOG_PATIENCE);
            assert_eq!(waits().await, Duration::ZERO, "one page later");
            takes(&slow, much.len());
            assert_eq!(waits().await, Duration::ZERO, "there is nothing to wait for");
        }
        slow.mailbox.push(&Outgoing::own(vec![0; MAILBOX_BYTES / 2]));
        for _ in 0..2 {
            let takes_a_page = async {
                sleep(BACKLOG_PATIENCE / 2).await;
                takes(&slow, GO_BYTES);
            };
            let (waited, ()) = tokio::join!(waits(), takes_a_page);
            assert_eq!(waited, BACKLOG_PATIENCE, "who keeps pace");
        }
    }

    /// A commit of SQLite's writer has up to 512 events.
    #[tokio::test]
    async fn a_commit_of_more_events_than_a_mailbox_holds_closes_nobody_who_reads() {
        let (hub, commits) = hub(&[], "");
        let reader = peer(1);
        hub.registry.enter(GROUP, |state| state.enter(&reader, 1));
        let epoch = Epoch::new(Uuid::from_u128(3));
        hub.registry.with(GROUP, |state| {
            state.load(GroupState {
                epoch,
                head: 0,
                members: [reader.user].into(),
                reads: BTreeMap::new(),
                hidden: [].into(),
                is_closed: false,
            });
            state.join(GROUP, reader.key, 1, 0, true)
        });
        let mut effects = Effects::default();
        (1..=512).for_each(|seq| effects.event(message(seq)));
        commits.tell(effects).await;
        let mut seqs = Vec::new();
        while seqs.len() < 512 {
            let Next::Write(frames) = reader.mailbox.next().await else { panic!("closed after {} events", seqs.len()) };
            reader.mailbox.written(frames.len(), frames.iter().map(Outgoing::len).sum());
            let heads = frames.iter().flat_map(Outgoing::frames).map(|(head, _)| head);
            seqs.extend(heads.filter_map(|head| if let Head::Event(seq) = head { Some(seq) } else { None }));
        }
        assert!(seqs.is_sorted());
    }
}
