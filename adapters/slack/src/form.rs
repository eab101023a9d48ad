//! stub
use andon_core::{CommandSpec, Message, PersonId};
use serde_json::{Value, json};
use slack_morphism::prelude::SlackView;
use std::collections::BTreeMap;
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) channel: String,
    pub(crate) thread: Option<String>,
    pub(crate) workspace: String,
}
pub(crate) type Values = BTreeMap<String, String>;
pub(crate) const REASON: &str = "reason";
pub(crate) const PREVIEW: &str = "preview";
pub(crate) const FORM: &str = "form:";
pub(crate) const ARGUMENT: &str = "argument:";
pub(crate) fn form(_: &CommandSpec, _: &Values, _: &Place) -> SlackView {
    unimplemented!()
}
pub(crate) fn reason_form(_: &str, _: &Place) -> SlackView {
    unimplemented!()
}
pub(crate) fn ask(_: &Place) -> SlackView {
    unimplemented!()
}
pub(crate) fn waiting(_: &str) -> SlackView {
    unimplemented!()
}
pub(crate) fn preview(_: &Message, _: &dyn Fn(&PersonId) -> Option<String>, _: &Place, _: &str) -> SlackView {
    unimplemented!()
}
pub(crate) fn place(_: &str) -> Option<Place> {
    None
}
pub(crate) fn submitted_line(_: &str, _: &str, _: &Value) -> Option<String> {
    None
}
pub(crate) fn line(_: &CommandSpec, _: &Value) -> String {
    String::new()
}
pub(crate) fn values(_: &CommandSpec, _: &Value) -> Values {
    Values::new()
}
pub(crate) fn remembered(_: &CommandSpec, _: &str, _: &Value) -> Values {
    Values::new()
}
pub(crate) fn completion_line(_: &CommandSpec, _: &str, _: &Values, _: &str) -> Option<String> {
    None
}
pub(crate) fn suggestions(_: &[String]) -> Value {
    json!({})
}
pub(crate) fn errors(_: &Message, _: Option<&CommandSpec>, _: &str) -> Value {
    json!({})
}
