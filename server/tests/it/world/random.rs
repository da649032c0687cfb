//! Random schedules: the checker must find no violation.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use super::schedule::schedule;
use super::{Nature, live};
use crate::support::checker::judge;

/// How many schedules each test run executes. They are always the same, so that the result depends on the change under
/// test and not on chance. `cargo xtask sim --cases N` runs N different random schedules each time. A schedule that
/// fails there becomes a test below.
const CASES: u32 = 300;

fn runner() -> TestRunner {
    let config = |cases| Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    match std::env::var("CARAVANA_SIM_CASES") {
        Ok(cases) => TestRunner::new(config(cases.parse().unwrap())),
        Err(_) => TestRunner::new_with_rng(config(CASES), TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    }
}

#[test]
fn whatever_happens_nothing_is_lost_doubled_or_out_of_order() {
    let outcome = runner().run(&(any::<u64>(), schedule()), |(seed, schedule)| {
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

/// Schedules that once broke the rules. In all of them a user is removed and added again while a request is under way.
/// The answer says that the user is no member, but it arrives when the user is a member again and has opened the group.
#[test]
fn who_is_let_in_while_an_old_question_is_under_way_gets_everything() {
    use super::schedule::Step::{Admit, Look, LoseHints, Pass, Remove, Slow};
    let schedules: [(u64, &[_]); 2] = [
        (0x176e_4229_ea70_7f0d, &[Slow(348), Pass(3_779), Remove(1), Look(1), Pass(300), Admit(1)]),
        (0x96fc_e739_7d4a_73e7, &[LoseHints(true), Pass(310), Remove(0), Admit(0)]),
    ];
    for (seed, schedule) in schedules {
        let violations = judge(&live(Nature::default(), seed, schedule));
        assert!(violations.is_empty(), "{schedule:?}: {violations:?}");
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
