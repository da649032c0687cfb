//! The mechanisms that are switched off, one at a time, and the tests that must notice, by where the mechanism lives.

mod bounds;
mod door;
mod hub;
mod members;
mod postgres;
mod security;
mod session;
mod store;

use std::fmt;

/// A mechanism that is switched off.
pub(super) struct Mutant {
    /// The guarantee, and a word for the mechanism.
    pub(super) name: &'static str,
    /// What the product no longer does.
    pub(super) what: &'static str,
    /// How it is switched off.
    pub(super) changes: &'static [Change],
    /// The tests that must fail now, each by itself.
    pub(super) tests: &'static [Run],
}

/// A place that is changed.
pub(super) struct Change {
    /// In which file.
    pub(super) file: &'static str,
    /// What stands there, once.
    pub(super) find: &'static str,
    /// What stands there instead.
    pub(super) replace: &'static str,
}

const fn at(file: &'static str, find: &'static str, replace: &'static str) -> Change {
    Change { file, find, replace }
}

/// A test as cargo finds it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Run {
    /// Cargo's own options.
    pub(super) cargo: &'static str,
    /// The name of the test.
    pub(super) test: &'static str,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.test)
    }
}

/// A test of the whole server, or of the simulated world.
const fn it(test: &'static str) -> Run {
    Run { cargo: "--locked --package=caravana-server --test=it", test }
}

/// A test inside the server.
const fn inside(test: &'static str) -> Run {
    Run { cargo: "--locked --package=caravana-server --lib", test }
}

/// A test of the session.
const fn session(test: &'static str) -> Run {
    Run { cargo: "--locked --package=caravana-client --tests", test }
}

/// Whatever happens, in the simulated world.
const WORLD: Run = it("whatever_happens_nothing_is_lost_doubled_or_out_of_order");
/// Whatever happens to one session.
const MODEL: Run = session("whatever_happens_the_screen_is_the_log_in_the_end");

/// All of them.
pub(super) fn all() -> impl Iterator<Item = &'static Mutant> {
    [
        store::MUTANTS,
        hub::MUTANTS,
        door::MUTANTS,
        members::MUTANTS,
        postgres::MUTANTS,
        security::MUTANTS,
        session::MUTANTS,
        bounds::MUTANTS,
    ]
    .into_iter()
    .flatten()
}
