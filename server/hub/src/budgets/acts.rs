//! The acts that have a budget, and their budgets. docs/protocol.md has the same table.

use std::hash::Hash;
use std::time::Duration;

use super::{Buckets, BudgetSettings, Rate};

/// A number at once, and how fast one comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How many at one moment.
    pub at_once: u32,
    /// How long until one more is available.
    pub every: Duration,
}

impl Quota {
    /// `rate` per second, and `at_once` at one moment.
    #[must_use]
    pub fn per_second(rate: u32, at_once: u32) -> Self {
        Self { at_once, every: Duration::from_secs(1) / rate.max(1) }
    }

    /// A quota that is larger by a factor.
    pub(super) fn times(self, factor: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast to an integer saturates")]
        let at_once = (f64::from(self.at_once) * factor) as u32;
        let every = Duration::try_from_secs_f64(self.every.as_secs_f64() / factor).unwrap_or(Duration::MAX);
        Self { at_once: at_once.max(1), every: every.min(LONGEST) }
    }

    pub(super) fn buckets<K: Eq + Hash + Copy>(self) -> Buckets<K> {
        Buckets::new(Rate::every(self.every, self.at_once))
    }
}

/// The longest interval: no budget comes back more slowly.
const LONGEST: Duration = Duration::from_hours(24);

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident: $user:expr, $group:expr;)*) => {
        /// An act that has a budget.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Act { $($(#[$doc])* $name,)* }

        impl Act {
            /// Every act.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            const fn default_quotas(self) -> (Quota, Option<Quota>) {
                match self { $(Self::$name => ($user, $group),)* }
            }
        }
    };
}

const fn quota(at_once: u32, every_ms: u64) -> Quota {
    Quota { at_once, every: Duration::from_millis(every_ms) }
}

/// A placeholder for the operator's figures, see [`Act::quotas`].
const AS_SENDS: Quota = quota(10, 500);

acts! {
    /// Sending a message.
    SendMessage: AS_SENDS, Some(AS_SENDS);
    /// Editing the text of a message.
    EditMessage: AS_SENDS, Some(AS_SENDS);
    /// Deleting a message.
    DeleteMessage: AS_SENDS, Some(AS_SENDS);
    /// Reacting to a message, or taking a reaction back.
    React: AS_SENDS, Some(AS_SENDS);
    /// Pinning a message, or taking its pin off.
    PinMessage: AS_SENDS, Some(AS_SENDS);
    /// Moving a read mark.
    MarkRead: quota(100, 200), Some(quota(1_000, 10));
    /// Making a group.
    MakeGroup: quota(120, 10_000), None;
    /// Changing the name, the time zone or a rule of a group.
    UpdateGroup: quota(30, 2_000), Some(quota(60, 1_000));
    /// Beginning a direct conversation, or finding the one that is there.
    OpenDirect: quota(60, 2_000), None;
    /// Blocking somebody, or taking that back.
    Block: quota(60, 1_000), None;
    /// Changing what is one's own in a group. No group budget, because no other member has anything to do with it.
    ChangeMine: quota(120, 500), None;
    /// Deleting a group. No group budget, because a group is deleted only once.
    EndGroup: quota(120, 10_000), None;
    /// Changing the role of a member.
    GiveRole: quota(60, 1_000), Some(quota(120, 500));
    /// Removing a member, or leaving a group.
    RemoveMember: quota(150, 1_000), Some(quota(300, 200));
    /// Making an invite link.
    MakeInvite: quota(200, 1_000), Some(quota(400, 500));
    /// Revoking an invite link.
    RevokeInvite: quota(200, 1_000), Some(quota(400, 500));
    /// Joining by an invite link. A link that thousands of users have must not make the log grow faster than removals
    /// could.
    AcceptInvite: quota(120, 1_000), Some(quota(300, 200));
    /// Making a ticket for an upgrade.
    BuyTicket: quota(120, 500), None;
    /// Making a token for programs.
    MintToken: quota(120, 500), None;
    /// Signing in with the right password. The throttle counts wrong ones.
    SignIn: quota(200, 500), None;
    /// Changing one's own name or password.
    ChangeAccount: quota(30, 2_000), None;
    /// Ending one's other sign-ins.
    EndSignIns: quota(120, 1_000), None;
    /// Searching in messages. Enough for a search while somebody types.
    Search: quota(60, 500), None;
    /// Exporting all data of one's own account.
    Export: quota(20, 30_000), None;
}

impl Act {
    /// The quotas of each user and of each group.
    #[must_use]
    pub fn quotas(self, settings: &BudgetSettings) -> (Quota, Option<Quota>) {
        if matches!(self, Self::SendMessage | Self::EditMessage | Self::DeleteMessage | Self::React | Self::PinMessage)
        {
            return (settings.of_user, Some(settings.of_group));
        }
        let (user, group) = self.default_quotas();
        (user.times(settings.factor), group.map(|group| group.times(settings.factor)))
    }
}
