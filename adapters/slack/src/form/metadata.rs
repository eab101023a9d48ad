//! What a view remembers while it is open. It goes through somebody's Slack client and back, so it is a reminder and no proof: whatever
//! stands in it is said by whoever submits the view, with that person's own rights.

use serde::{Deserialize, Serialize};

use super::limits::METADATA;
use super::{Place, Values};
use crate::render::text::length;

/// The `private_metadata` of a view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Metadata {
    /// The words of the command that a form is for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) command: Vec<String>,
    /// Where its line will be said.
    pub(crate) place: Place,
    /// The line that submitting says; empty where the view stands for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) line: String,
    /// What was chosen so far, for what depends on it.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub(crate) chosen: Values,
}

impl Metadata {
    /// What a form remembers.
    pub(crate) fn of_form(command: &[String], place: &Place, chosen: &Values) -> Self {
        Self { command: command.to_vec(), place: place.clone(), line: String::new(), chosen: chosen.clone() }
    }

    /// What a view remembers whose submit button says `line`.
    pub(crate) fn of_line(line: &str, place: &Place) -> Self {
        Self { command: Vec::new(), place: place.clone(), line: line.to_owned(), chosen: Values::new() }
    }

    /// As text, at most [`METADATA`] long. What was chosen is forgotten where it does not fit: then completion knows less. Nothing where
    /// the rest does not fit either.
    pub(crate) fn write(&self) -> Option<String> {
        let written = |metadata: &Self| serde_json::to_string(metadata).ok().filter(|text| length(text) <= METADATA);
        written(self).or_else(|| written(&Self { chosen: Values::new(), ..self.clone() }))
    }

    /// Reads it back; nothing for a view that is none of these.
    pub(crate) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{Metadata, Values};

    #[test]
    fn it_is_read_as_it_was_written() {
        let place = "slack:T1/C1#17.5".parse().expect("a room");
        let chosen: Values = [("service".to_owned(), "hello".to_owned())].into();
        let form = Metadata::of_form(&["deploy".to_owned()], &place, &chosen);
        let written = form.write().expect("it fits");
        assert_eq!(written, r#"{"command":["deploy"],"place":"slack:T1/C1#17.5","chosen":{"service":"hello"}}"#);
        assert_eq!(Metadata::read(&written), Some(form));
        assert_eq!(Metadata::read("{}"), None);
    }

    #[test]
    fn what_does_not_fit_is_forgotten() {
        let place = "slack:T1/C1".parse().expect("a room");
        let chosen: Values = [("service".to_owned(), "x".repeat(3_000))].into();
        let written = Metadata::of_form(&["deploy".to_owned()], &place, &chosen).write().expect("it fits");
        assert_eq!(written, r#"{"command":["deploy"],"place":"slack:T1/C1"}"#);
        assert_eq!(Metadata::of_line(&"x".repeat(3_000), &place).write(), None);
    }
}
