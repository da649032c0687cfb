//! Tests that the simulated world finds each kind of broken promise.
//!
//! They use the same schedules and the same checker, and a server that breaks one promise on purpose. Each test fails
//! if the checker finds nothing. Without these tests, a clean result of the other tests would prove nothing.

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::schedule::{Step, schedule};
use super::{Flaw, Nature, live};
use crate::support::checker::{Rule, judge};

/// After this many schedules a flaw counts as not found.
const TRIES: u64 = 200;

/// Tries random schedules until one of these rules is broken. Returns the number of tried schedules.
#[track_caller]
fn find(flaw: Flaw, rules: &[Rule], prepare: impl Fn(Vec<Step>) -> Vec<Step>) -> u64 {
    // The generator is deterministic, so that the result does not depend on chance.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for seed in 0..TRIES {
        let schedule = prepare(schedule().new_tree(&mut runner).unwrap().current());
        let nature = Nature { flaw: Some(flaw), ..Nature::default() };
        if judge(&live(nature, seed, &schedule)).iter().any(|violation| rules.contains(&violation.rule)) {
            return seed + 1;
        }
    }
    panic!("{TRIES} schedules did not show that {flaw:?}");
}

#[test]
fn an_acknowledgement_before_the_commit_is_found() {
    // The flaw shows only if the process dies between acknowledgement and commit.
    let with_kills = |schedule: Vec<Step>| {
        schedule
            .into_iter()
            .flat_map(|step| [step, Step::Slow(400), Step::Pass(200), Step::Kill, Step::Start])
            .collect()
    };
    find(Flaw::AnswersFirst, &[Rule::AcknowledgedIsStored, Rule::OneIdPerSeq], with_kills);
}

#[test]
fn lost_hints_without_a_sweep_are_found() {
    let without_hints = |schedule: Vec<Step>| {
        let mut schedule: Vec<Step> = schedule.into_iter().filter(|step| !matches!(step, Step::LoseHints(_))).collect();
        schedule.insert(0, Step::LoseHints(true));
        schedule.extend([Step::Pass(60_000), Step::Insert(1)]);
        schedule
    };
    find(Flaw::NeverSweeps, &[Rule::Convergence], without_hints);
}

#[test]
fn two_swapped_seqs_are_found() {
    find(Flaw::SwapsSeqs, &[Rule::OneIdPerSeq], |schedule| schedule);
}

#[test]
fn an_id_that_is_stored_twice_is_found() {
    find(Flaw::ForgetsIds, &[Rule::StoredOnce], |schedule| schedule);
}

#[test]
fn a_hole_at_the_seam_is_found() {
    find(Flaw::LosesAtTheSeam, &[Rule::ViewIsTheLog], |schedule| schedule);
}
