//! What an examination of a database finds.

use std::fmt;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it is.
    pub state: State,
    /// What was found, as a sentence.
    pub what: String,
    /// What to do about it.
    pub advice: Option<String>,
}

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Good,
    /// It works, but the operator should know.
    Note,
    /// Something must be done.
    Wrong,
}

impl Finding {
    /// As it should be.
    pub fn good(what: impl Into<String>) -> Self {
        Self { state: State::Good, what: what.into(), advice: None }
    }

    /// Works, with something to know.
    pub fn note(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { state: State::Note, what: what.into(), advice: Some(advice.into()) }
    }

    /// Something must be done.
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
