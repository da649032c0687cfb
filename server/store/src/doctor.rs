//! The findings of `caravana doctor` about a database.

use std::fmt;

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its state.
    pub state: State,
    /// What was found, as a sentence.
    pub what: String,
    /// What to do about it.
    pub advice: Option<String>,
}

/// The state of a checked thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It is as it should be.
    Good,
    /// It works, but the operator should know.
    Note,
    /// The operator must act.
    Wrong,
}

impl Finding {
    /// A finding in the state [`State::Good`].
    pub fn good(what: impl Into<String>) -> Self {
        Self { state: State::Good, what: what.into(), advice: None }
    }

    /// A finding in the state [`State::Note`].
    pub fn note(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { state: State::Note, what: what.into(), advice: Some(advice.into()) }
    }

    /// A finding in the state [`State::Wrong`].
    pub fn wrong(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { state: State::Wrong, what: what.into(), advice: Some(advice.into()) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.state {
            State::Good => "ok   ",
            State::Note => "note ",
            State::Wrong => "WRONG",
        };
        write!(f, "{word}  {}", self.what)?;
        match &self.advice {
            Some(advice) => write!(f, "\n       -> {advice}"),
            None => Ok(()),
        }
    }
}
