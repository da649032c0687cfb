//! The cost of many travellers that return at once.

use std::time::Duration;

use super::schedule::Step;
use super::{Nature, World, runtime};
use crate::support::checker::{CONVERGENCE, assert_sound};

/// How many travellers return at once.
const TRAVELLERS: usize = 200;

#[test]
fn a_returning_traveller_costs_one_question() {
    runtime().block_on(async {
        let nature = Nature { travellers: TRAVELLERS, ..Nature::default() };
        let mut world = World::begin(nature, 7);
        for step in [Step::Pass(30_000), Step::Kill, Step::Insert(50), Step::Pass(1_000)] {
            world.take(&step).await;
        }
        world.faults().asked.clear();
        world.take(&Step::Start).await;
        world.wait(Duration::from_mins(1), super::World::has_everybody_settled).await;
        let asked = world.faults().asked.clone();
        let resumes = ["replay", "group_state", "role", "tail"].iter().filter_map(|question| asked.get(question));
        let questions: usize = resumes.sum();
        assert!(questions * 10 <= TRAVELLERS * 12, "{TRAVELLERS} resumes asked {asked:?}");
        assert!(asked["replay"] >= TRAVELLERS, "not everybody resumed: {asked:?}");
        let history = world.end().await;
        assert!(history.clients.iter().all(|client| client.settled.is_some_and(|after| after < CONVERGENCE)));
        assert_sound(&history);
    });
}
