//! Random schedules: whatever happens, the checker finds nothing.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestError, TestRunner};

use super::schedule::schedule;
use super::{Nature, live};
use crate::support::checker::judge;

/// Schedules in every run of the tests. `cargo xtask sim --cases N` sets another number.
const CASES: u32 = 300;

/// How many schedules are asked for.
fn cases() -> u32 {
    std::env::var("CARAVANA_SIM_CASES").map_or(CASES, |cases| cases.parse().unwrap())
}

#[test]
fn whatever_happens_nothing_is_lost_doubled_or_out_of_order() {
    let config = Config { cases: cases(), failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&(any::<u64>(), schedule()), |(seed, schedule)| {
        let violations = judge(&live(Nature::default(), seed, &schedule));
        let shown: Vec<String> = violations.iter().take(5).map(ToString::to_string).collect();
        prop_assert!(violations.is_empty(), "{}", shown.join("\n"));
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, (seed, schedule))) => {
            panic!("a history breaks the rules.\n{reason}\nseed {seed:#x}, shrunken schedule: {schedule:?}");
        }
        Err(TestError::Abort(reason)) => panic!("the schedules ended early: {reason}"),
    }
}

#[test]
fn the_same_seed_and_schedule_give_the_same_history() {
    let mut runner = TestRunner::deterministic();
    for seed in 0..5 {
        let schedule = schedule().new_tree(&mut runner).unwrap().current();
        let [one, two] = [(); 2].map(|()| format!("{:?}", live(Nature::default(), seed, &schedule)));
        assert_eq!(one, two, "{schedule:?}");
    }
}
