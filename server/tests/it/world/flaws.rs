//! Each kind of broken promise, put into the world on purpose: the world must find it.
//!
//! The same schedules, the same checker, one promise that the server does not keep. That none of these tests is content
//! is what makes the silence of the others mean something.

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::schedule::{Step, schedule};
use super::{Flaw, Nature, live};
use crate::support::checker::{Rule, judge};

/// Schedules that are tried before a flaw counts as not found.
const TRIES: u64 = 200;

/// Tries random schedules until one of these rules is broken. Answers how many it took.
#[track_caller]
fn find(flaw: Flaw, rules: &[Rule], prepare: impl Fn(Vec<Step>) -> Vec<Step>) -> u64 {
    // Always the same schedules: whether a flaw is found must not be a matter of luck.
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
    // A process must die between the two; the others lose what they wrote to it anyway.
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
