//! A hub over a store that knows only memberships, some of which it can't read.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use caravana_protocol::rest::{Group, GroupKind, LastMessage, Mine};
use caravana_protocol::{
    Content, Emoji, Epoch, GroupId, Message, MessageBody, MessageId, Role, Seq, Timestamp, UserId,
};
use caravana_store::{
    Anchor, Appended, Changed, Commits, Effect, GroupState, HintSender, Hints, History, Log, Marked, NewMessage, Page,
    StoreError,
};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::broker::LocalBroker;
use crate::budgets::{BudgetSettings, Quota};
use crate::{Hub, HubSettings, Unverified};

/// A store in which every user is in every group.
#[derive(Default)]
struct Odd {
    /// The groups whose rows can't be read.
    unreadable: BTreeSet<GroupId>,
    /// The text of the last message of each group.
    text: String,
    commits: Commits,
}

fn failed<T>() -> Result<T, StoreError> {
    Err(StoreError::Failed("no row".into()))
}

#[async_trait]
impl Log for Odd {
    fn append(&self, _: NewMessage) -> BoxFuture<'static, Result<Appended, StoreError>> {
        async { failed() }.boxed()
    }

    async fn stored(&self, _: MessageId) -> Result<Option<Message>, StoreError> {
        failed()
    }

    async fn edit(
        &self,
        _: UserId,
        _: MessageId,
        _: MessageBody,
        _: Option<Vec<UserId>>,
    ) -> Result<Changed, StoreError> {
        failed()
    }

    async fn react(&self, _: UserId, _: MessageId, _: Emoji, _: bool) -> Result<Changed, StoreError> {
        failed()
    }

    async fn pin(&self, _: UserId, _: MessageId, _: bool) -> Result<Changed, StoreError> {
        failed()
    }

    async fn pins(&self, _: GroupId, _: UserId) -> Result<Option<Vec<Message>>, StoreError> {
        failed()
    }

    async fn readers(&self, _: UserId, _: MessageId) -> Result<Vec<UserId>, StoreError> {
        failed()
    }

    async fn delete(&self, _: UserId, _: MessageId) -> Result<Changed, StoreError> {
        failed()
    }

    async fn mark_read(&self, _: GroupId, _: UserId, _: Seq) -> Result<Marked, StoreError> {
        failed()
    }

    async fn group_state(&self, _: GroupId) -> Result<Option<GroupState>, StoreError> {
        failed()
    }

    async fn role(&self, _: GroupId, _: UserId) -> Result<Option<Role>, StoreError> {
        failed()
    }

    async fn membership(&self, id: GroupId, user_id: UserId) -> Result<Option<Group>, StoreError> {
        if self.unreadable.contains(&id) {
            return failed();
        }
        let at = Timestamp::from_unix_micros(0);
        let last_message = Message {
            id: MessageId::new(Uuid::nil()),
            user_id: Some(user_id),
            group_id: id,
            content: Content::text(self.text.clone()),
            created_at: at,
            status: true,
            seq: 1,
            edited_at: None,
            reply: None,
            reactions: Vec::new(),
            pinned: false,
        };
        Ok(Some(Group {
            kind: GroupKind::Group,
            peer_id: None,
            closed: false,
            id,
            name: "Lisboa".into(),
            time_zone: None,
            emoji: None,
            starts_on: None,
            ends_on: None,
            role: Role::Member,
            member_count: 2,
            members_can_invite: true,
            epoch: Epoch::new(Uuid::nil()),
            head: 1,
            last_read: 0,
            unread: 1,
            unread_mentions: 0,
            last_message: Some(LastMessage { message: last_message, display_name: Some("Ana".into()) }),
            joined_at: at,
            me: Mine::default(),
        }))
    }

    async fn replay(&self, _: GroupId, _: UserId, _: Seq, _: usize) -> Result<Option<Page>, StoreError> {
        failed()
    }

    async fn tail(&self, _: GroupId, _: Seq) -> Result<Page, StoreError> {
        failed()
    }

    async fn history(&self, _: GroupId, _: UserId, _: Anchor, _: usize) -> Result<Option<History>, StoreError> {
        failed()
    }

    async fn heads(&self, _: &[GroupId]) -> Result<Vec<(GroupId, Seq)>, StoreError> {
        Ok(Vec::new())
    }

    fn commits(&self) -> mpsc::Receiver<Vec<Effect>> {
        self.commits.subscribe()
    }

    fn hints(&self) -> Hints {
        HintSender::default().source().listen()
    }
}

/// A hub, and the sender of its commits.
pub(crate) fn hub(unreadable: &[GroupId], text: &str) -> (Arc<Hub>, Commits) {
    let log =
        Odd { unreadable: unreadable.iter().copied().collect(), text: text.to_owned(), commits: Commits::default() };
    let commits = log.commits.clone();
    (start(log, LocalBroker::default(), CancellationToken::new()), commits)
}

/// The hub of one of several instances. It stops to do anything when it is frozen.
pub(crate) fn instance(broker: LocalBroker, frozen: CancellationToken) -> Arc<Hub> {
    start(Odd::default(), broker, frozen)
}

fn start(log: Odd, broker: LocalBroker, end: CancellationToken) -> Arc<Hub> {
    let settings = HubSettings {
        budgets: BudgetSettings { of_user: Quota::per_second(1, 1), of_group: Quota::per_second(1, 1), factor: 1.0 },
        connections_per_user: 10,
        sweep: Duration::from_secs(5),
        seed: 1,
        build: String::new(),
        verify: Arc::new(|_| async { Err(Unverified::Refused) }.boxed()),
    };
    Hub::start(Arc::new(log), Arc::new(broker), settings, TaskTracker::new(), end)
}
