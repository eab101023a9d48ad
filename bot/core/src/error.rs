//! Errors for two audiences: a [`Refusal`] is for the room, a [`Fault`] is for the log.

use std::error::Error;
use std::fmt;

use crate::Line;

/// Why something is not done, for the person who asked: one fact, and one next step.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// What is the case, as one sentence without its full stop.
    pub fact: Line,
    /// What the person can do next, as one sentence without its full stop.
    pub next_step: Line,
}

impl Refusal {
    /// A refusal of `fact`, with the way out.
    pub fn new(fact: impl Into<Line>, next_step: impl Into<Line>) -> Self {
        Self { fact: fact.into(), next_step: next_step.into() }
    }
}

/// Something of ours or of the outside failed. The chain goes to the log, once, at the boundary; the room reads only that it failed.
pub struct Fault {
    error: Box<dyn Error + Send + Sync>,
    told: Option<Box<Refusal>>,
}

impl Fault {
    /// Wraps an error that the room must not read.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { error: error.into(), told: None }
    }

    /// Wraps trouble that may pass by itself, such as a backend that cannot be reached. It decides nothing: what was going on can be tried
    /// again, and the room reads what `told` says of it.
    pub fn passing(error: impl Into<Box<dyn Error + Send + Sync>>, told: Refusal) -> Self {
        Self { error: error.into(), told: Some(Box::new(told)) }
    }

    /// What the room may read, where this is trouble that may pass by itself.
    pub fn told(&self) -> Option<&Refusal> {
        self.told.as_deref()
    }

    /// The whole chain, outermost first, on one line.
    pub fn chain(&self) -> String {
        let mut text = self.error.to_string();
        let mut source = self.error.source();
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&error.to_string());
            source = error.source();
        }
        text
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fault({})", self.chain())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

/// How an attempt to do something ended short: refused (the room is told why) or failed (the log is told why).
#[derive(Debug)]
pub enum Failure {
    /// Not done, with a reason for the person who asked.
    Refused(Box<Refusal>),
    /// Not done, because something broke.
    Faulted(Fault),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Faulted(fault)
    }
}
