//! Rate limits: one budget for every act that stores something or costs much.
//!
//! Sockets, REST and the forms of the pages all use these budgets, so no path avoids a limit. Every [`Act`] has a
//! budget per user, and most acts in a group also have one per group. So one user can't use up what others need, and
//! many users together can't make a group's log grow faster than its members can follow. The only source of time is the
//! clock that tests can pause.

mod acts;
mod buckets;
mod turns;

use std::net::IpAddr;
use std::time::Duration;

use caravana_protocol::{GroupId, UserId};
use tokio::time::Instant;

use crate::network::Network;
pub use acts::{Act, Quota};
pub(crate) use buckets::{Bucket, Buckets, Rate};
pub use turns::{Turn, Turns};

/// Accounts that one address may make. A school behind one address can sign up in a morning.
const SIGN_UPS: Quota = Quota { at_once: 1_000, every: Duration::from_millis(500) };

/// The budgets that an operator can set.
#[derive(Debug, Clone, Copy)]
pub struct BudgetSettings {
    /// Messages of one user, and each kind of change of a message.
    pub of_user: Quota,
    /// Messages to one group, and each kind of change in it.
    pub of_group: Quota,
    /// The factor by which all other budgets are larger than documented.
    pub factor: f64,
}

/// A budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too often; wait a little")]
pub struct TooSoon {
    /// How long until the budget allows one more.
    pub retry_after: Duration,
}

/// All budgets of a process.
#[derive(Debug)]
pub struct Budgets {
    of_acts: Vec<Budget>,
    sign_ups: Buckets<Network>,
}

#[derive(Debug)]
struct Budget {
    users: Buckets<UserId>,
    groups: Option<Buckets<GroupId>>,
}

/// A group's charge for work that is in progress.
#[derive(Debug)]
#[must_use]
pub struct GroupCharge<'a> {
    budgets: &'a Budgets,
    act: Act,
    group: GroupId,
    stays: bool,
}

impl GroupCharge<'_> {
    /// Keeps the charge, because the work was done.
    pub fn stays(mut self) {
        self.stays = true;
    }
}

impl Drop for GroupCharge<'_> {
    fn drop(&mut self) {
        if !self.stays {
            self.budgets.refund_group(self.act, self.group);
        }
    }
}

impl Budgets {
    /// Full budgets.
    #[must_use]
    pub fn new(settings: &BudgetSettings) -> Self {
        let of_acts = Act::ALL.iter().map(|act| {
            let (user, group) = act.quotas(settings);
            Budget { users: user.buckets(), groups: group.map(Quota::buckets) }
        });
        Self { of_acts: of_acts.collect(), sign_ups: SIGN_UPS.times(settings.factor).buckets() }
    }

    /// Charges a user.
    pub fn charge(&self, act: Act, user: UserId) -> Result<(), TooSoon> {
        self.of(act).users.charge(user, Instant::now()).map_err(too_soon)
    }

    /// Charges a group.
    pub fn charge_group(&self, act: Act, group: GroupId) -> Result<(), TooSoon> {
        let Some(groups) = &self.of(act).groups else { return Ok(()) };
        groups.charge(group, Instant::now()).map_err(too_soon)
    }

    /// Runs `work` in a group, within the budgets of the user and the group. Only for members, who may know that a
    /// group's budget is used up.
    pub async fn within<T, E: From<TooSoon>>(
        &self,
        act: Act,
        user: UserId,
        group: GroupId,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.charge(act, user)?;
        self.charge_group(act, group).inspect_err(|_| self.refund(act, user))?;
        self.charged(act, group, work).await
    }

    /// Runs `work` that was already charged. If it is refused, only the user stays charged: a user who is not a member
    /// can't use up a group's budget.
    pub async fn charged<T, E>(
        &self,
        act: Act,
        group: GroupId,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let charge = self.group_charge(act, group);
        let done = work.await;
        if done.is_ok() {
            charge.stays();
        }
        done
    }

    /// Guards a group charge that was already made. The charge is refunded unless [`GroupCharge::stays`] is called,
    /// even if the work is cancelled: a stranger who resets connections must not use up the members' budget.
    pub fn group_charge(&self, act: Act, group: GroupId) -> GroupCharge<'_> {
        GroupCharge { budgets: self, act, group, stays: false }
    }

    /// Refunds a user's charge.
    pub fn refund(&self, act: Act, user: UserId) {
        self.of(act).users.refund(user);
    }

    /// Refunds a group's charge.
    pub fn refund_group(&self, act: Act, group: GroupId) {
        if let Some(groups) = &self.of(act).groups {
            groups.refund(group);
        }
    }

    /// Charges an address for a new account. An unknown address is not charged, because it stands for many users.
    pub fn sign_up(&self, address: Option<IpAddr>) -> Result<(), TooSoon> {
        let Some(address) = address else { return Ok(()) };
        self.sign_ups.charge(Network::of(address), Instant::now()).map_err(too_soon)
    }

    /// Refunds the charge for an account that was not made.
    pub fn no_sign_up(&self, address: Option<IpAddr>) {
        if let Some(address) = address {
            self.sign_ups.refund(Network::of(address));
        }
    }

    fn of(&self, act: Act) -> &Budget {
        &self.of_acts[act as usize]
    }
}

fn too_soon(retry_after: Duration) -> TooSoon {
    TooSoon { retry_after }
}

/// A rate limit per address: a number per second, twice as many at once.
#[derive(Debug)]
pub struct PerAddress(Buckets<Network>);

impl PerAddress {
    /// A limit of `rate` per second.
    #[must_use]
    pub fn new(rate: u32) -> Self {
        Self(Buckets::new(Rate::new(f64::from(rate), rate.saturating_mul(2))))
    }

    /// Takes one if the address is known. `Err`: how long until there is one.
    pub fn take(&self, address: impl Into<Option<IpAddr>>, now: std::time::Instant) -> Result<(), Duration> {
        let Some(address) = address.into() else { return Ok(()) };
        self.0.charge(Network::of(address), Instant::from_std(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budgets(factor: f64) -> Budgets {
        let two = Quota { at_once: 2, every: Duration::from_secs(1) };
        let three = Quota { at_once: 3, every: Duration::from_secs(1) };
        Budgets::new(&BudgetSettings { of_user: two, of_group: three, factor })
    }

    fn user(n: u128) -> UserId {
        UserId::new(uuid::Uuid::from_u128(n))
    }

    const GROUP: GroupId = GroupId::new(uuid::Uuid::nil());

    async fn edits(budgets: &Budgets, user: UserId, outcome: Result<(), TooSoon>) -> Result<(), TooSoon> {
        budgets.within(Act::EditMessage, user, GROUP, async { outcome }).await
    }

    #[tokio::test(start_paused = true)]
    async fn each_user_and_each_group_has_a_budget_for_each_act() {
        let budgets = budgets(1.0);
        assert_eq!(edits(&budgets, user(1), Ok(())).await, Ok(()));
        assert_eq!(edits(&budgets, user(1), Ok(())).await, Ok(()));
        let second = TooSoon { retry_after: Duration::from_secs(1) };
        assert_eq!(edits(&budgets, user(1), Ok(())).await, Err(second), "of the user");
        assert_eq!(edits(&budgets, user(2), Ok(())).await, Ok(()));
        assert_eq!(edits(&budgets, user(2), Ok(())).await, Err(second), "of the group");
        assert_eq!(budgets.charge(Act::DeleteMessage, user(1)), Ok(()), "another act");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(edits(&budgets, user(2), Ok(())).await, Ok(()), "what the group refused was not charged");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_uses_up_the_users_budget_and_not_the_groups() {
        let (budgets, refused) = (budgets(1.0), TooSoon { retry_after: Duration::ZERO });
        for stranger in 10..30 {
            assert_eq!(edits(&budgets, user(stranger), Err(refused)).await, Err(refused));
            assert_eq!(edits(&budgets, user(stranger), Err(refused)).await, Err(refused));
            assert_ne!(edits(&budgets, user(stranger), Err(refused)).await, Err(refused));
        }
        assert_eq!(edits(&budgets, user(1), Ok(())).await, Ok(()));
    }

    /// Before the fix, requests that were reset before their answer kept the group's charge, although nothing was done.
    #[tokio::test(start_paused = true)]
    async fn what_is_broken_off_uses_up_the_users_budget_and_not_the_groups() {
        use futures::FutureExt as _;
        let budgets = budgets(1.0);
        for stranger in 10..30 {
            let never = std::future::pending::<Result<(), TooSoon>>();
            assert!(budgets.within(Act::EditMessage, user(stranger), GROUP, never).now_or_never().is_none());
        }
        assert_eq!(edits(&budgets, user(1), Ok(())).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn the_factor_makes_budgets_larger_and_smaller_and_never_nothing() {
        for (factor, expected) in [(1.0, 20), (2.0, 40), (0.05, 1), (1e-9, 1)] {
            let budgets = budgets(factor);
            let charged = (0..100).filter(|_| budgets.charge(Act::Export, user(1)).is_ok()).count();
            assert_eq!(charged, expected, "{factor}");
        }
        let budgets = budgets(1e6);
        assert!((0..10_000).all(|_| budgets.charge(Act::Export, user(1)).is_ok()));
    }

    #[test]
    fn addresses_are_paced_by_their_network() {
        let (paced, now) = (PerAddress::new(2), std::time::Instant::now());
        let from = |text: &str| text.parse::<IpAddr>().unwrap();
        let neighbours = (1..10).filter(|n| paced.take(from(&format!("2001:db8::{n}")), now).is_ok());
        assert_eq!(neighbours.count(), 4);
        assert_eq!(paced.take(from("2001:db8::1"), now), Err(Duration::from_millis(500)));
        assert_eq!(paced.take(from("2001:db8::1"), now + Duration::from_millis(500)), Ok(()));
        assert_eq!(paced.take(from("2001:db8:0:1::1"), now), Ok(()));
    }
}
