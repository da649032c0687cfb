//! The model check of the hand-over from replay to live (G5, G9).
//!
//! The check runs the real code: [`super::begin`] with its loop, and the real group, registry, mailbox and frames. The
//! model replaces only their surroundings: a log, commits, and the reading of gaps, under a scheduler that may switch
//! threads at every lock. Small cases are checked in every possible order, larger ones in thousands of random orders.
//! At the end the wire contract judges the frames in the mailbox. To test the judge itself, some beginnings do one step
//! wrong on purpose, and the check must find each of them.

mod surroundings;
mod wrong;

use shuttle::scheduler::{DfsScheduler, PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, Runner};

#[path = "../../../tests/it/support/stream.rs"]
mod stream;

use surroundings::{Commit, Scenario};
use wrong::Fault;

/// Random orders for a case that is too large to try all of them.
const DRAWN: usize = 200;
/// A fixed seed gives the same orders in every run, so that a passing test keeps passing.
const SEED: u64 = 42;
/// How many forced thread switches an adversarial order has.
const CHANGES: usize = 4;
/// A small case must have fewer orders than this; otherwise the check would not end.
const ALL: usize = 20_000;

fn check(scenario: &Scenario, scheduler: impl Scheduler + 'static) -> usize {
    let mut config = Config::new();
    config.stack_size = 256 * 1024;
    config.failure_persistence = FailurePersistence::Print;
    let scenario = scenario.clone();
    Runner::new(scheduler, config).run(move || surroundings::run(&scenario))
}

/// Checks every possible order.
#[track_caller]
fn in_all_orders(scenario: &Scenario) {
    let orders = check(scenario, DfsScheduler::new(Some(ALL), false));
    assert!((10..ALL).contains(&orders), "{orders} orders");
}

/// Checks random orders, and orders with few but badly placed thread switches.
fn in_many_orders(scenario: &Scenario) {
    check(scenario, RandomScheduler::new_from_seed(SEED, DRAWN));
    check(scenario, PctScheduler::new_from_seed(SEED, CHANGES, DRAWN));
}

/// A group at seq 1 with another follower, a client that has seen its event, and one further commit.
fn smallest() -> Scenario {
    Scenario { stored: 1, ..resume() }
}

/// A group at seq 2 with another follower, a client that has seen the first event, and one further commit.
fn resume() -> Scenario {
    Scenario { stored: 2, followed: true, cursors: vec![Some(1)], commits: vec![Commit::Told], fault: Fault::None }
}

#[test]
fn one_commit_meets_a_resume_in_all_orders() {
    in_all_orders(&smallest());
}

#[test]
fn one_commit_meets_a_stream_without_a_cursor_in_all_orders() {
    in_all_orders(&Scenario { cursors: vec![None], ..smallest() });
}

#[test]
fn a_lost_hint_meets_a_resume_in_all_orders() {
    in_all_orders(&Scenario { commits: vec![Commit::Lost], ..smallest() });
}

#[test]
fn the_first_follower_of_a_group_meets_a_commit() {
    // The load of the group's head, combined with a commit, has too many orders to check all of them.
    in_many_orders(&Scenario { followed: false, ..smallest() });
}

#[test]
fn traffic_with_lost_hints_meets_a_resume() {
    let commits = vec![Commit::Told, Commit::Lost, Commit::Told, Commit::Moved, Commit::Told];
    for followed in [true, false] {
        in_many_orders(&Scenario { followed, stored: 5, commits: commits.clone(), ..resume() });
    }
}

#[test]
fn a_second_subscribe_takes_the_place_of_a_stream_that_is_still_beginning() {
    let commits = vec![Commit::Told, Commit::Lost, Commit::Told];
    for cursors in [vec![Some(1), Some(0)], vec![Some(0), None, Some(3)], vec![None, Some(2)]] {
        in_many_orders(&Scenario { stored: 4, cursors, commits: commits.clone(), ..resume() });
    }
}

#[test]
fn a_removal_meets_a_stream_that_is_beginning() {
    let commits = vec![Commit::Told, Commit::Removal, Commit::Told];
    for (followed, cursors) in [(true, vec![Some(1)]), (false, vec![Some(1)]), (true, vec![None, Some(1)])] {
        in_many_orders(&Scenario { followed, cursors, commits: commits.clone(), ..resume() });
    }
}

mod the_check_finds {
    use super::*;

    /// Runs until the check finds an order in which the faulty beginning is caught.
    #[track_caller]
    fn finds(scenario: &Scenario) {
        let scenario = scenario.clone();
        // On a separate thread, so that its panic does not fail the test. The scheduler prints the order that it found.
        let checking = std::thread::spawn(move || in_many_orders(&scenario));
        assert!(checking.join().is_err(), "no order was found in which it breaks");
    }

    fn traffic() -> Vec<Commit> {
        vec![Commit::Told, Commit::Told, Commit::Told]
    }

    #[test]
    fn a_stream_that_goes_live_without_looking_at_what_was_delivered_meanwhile() {
        finds(&Scenario { commits: traffic(), fault: Fault::LiveUnseen, ..resume() });
    }

    #[test]
    fn a_stream_that_looks_under_one_lock_and_goes_live_under_the_next() {
        finds(&Scenario { commits: traffic(), fault: Fault::TwoLocks, ..resume() });
    }

    #[test]
    fn membership_that_was_asked_for_before_the_follower_was_registered() {
        let (cursors, commits) = (vec![None], vec![Commit::Removal, Commit::Told]);
        finds(&Scenario { cursors, commits, fault: Fault::AskedBeforeRegistered, ..resume() });
    }

    #[test]
    fn membership_that_was_asked_for_before_the_hub_knew_how_far_the_group_is() {
        let (cursors, commits) = (vec![None], vec![Commit::Removal, Commit::Told]);
        finds(&Scenario { followed: false, cursors, commits, fault: Fault::AskedBeforeLoaded, ..resume() });
    }
}

/// This is not a fault: a first page from before the registration does no harm. The stream goes live only if it has
/// received everything that was delivered, and otherwise reads on.
#[test]
fn a_first_page_from_before_the_registration_is_harmless() {
    let fault = Fault::AskedBeforeRegistered;
    for commits in [vec![Commit::Told, Commit::Told], vec![Commit::Removal, Commit::Told]] {
        in_many_orders(&Scenario { commits: commits.clone(), fault, ..resume() });
        in_many_orders(&Scenario { followed: false, commits, fault, ..resume() });
    }
}
