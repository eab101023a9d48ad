//! The arguments of one call. What a method does not take out is refused: stricter than Slack, which ignores it, so that a misspelt
//! argument cannot go unnoticed.

use serde_json::{Map, Value};

use crate::form;
use crate::refusal::Refusal;
use crate::world::stamp::Stamp;

/// The arguments that nobody has taken out yet.
pub(crate) struct Args {
    left: Map<String, Value>,
    /// Whether they came as JSON, where a number is a number; in a form everything is text.
    json: bool,
}

impl Args {
    /// Reads a body and a query. A JSON body where the method does not read one counts for nothing, as in Slack.
    pub(crate) fn read(kind: &str, body: &[u8], query: Option<&str>, takes_json: bool) -> Result<Self, Refusal> {
        let mut left = Map::new();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let json = kind == "application/json";
        if json && takes_json && !body.is_empty() {
            match serde_json::from_slice(body) {
                Ok(Value::Object(fields)) => left = fields,
                Ok(_) => return Err(Refusal::new("json_not_object")),
                Err(_) => return Err(Refusal::new("invalid_json")),
            }
        } else if kind == "application/x-www-form-urlencoded" {
            add(&mut left, body)?;
        } else if !json && !body.is_empty() {
            return Err(Refusal::new(if kind.is_empty() { "missing_post_type" } else { "invalid_post_type" }));
        }
        if let Some(query) = query {
            add(&mut left, query.as_bytes())?;
        }
        left.retain(|_, value| !value.is_null());
        Ok(Self { left, json: json && takes_json })
    }

    /// Everything, for the log.
    pub(crate) fn all(&self) -> Value {
        Value::Object(self.left.clone())
    }

    /// A token in a form; one in JSON is not looked at, as in Slack.
    pub(crate) fn take_token(&mut self) -> Option<String> {
        if self.json {
            return None;
        }
        self.left.remove("token").and_then(|token| token.as_str().map(str::to_owned))
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<String, Refusal> {
        self.optional_text(name)?.ok_or_else(|| missing(name))
    }

    pub(crate) fn optional_text(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        match self.left.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(name, "a string")),
        }
    }

    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.left.remove(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(Value::String(text)) if !self.json => match text.as_str() {
                "true" | "1" => Ok(Some(true)),
                "false" | "0" => Ok(Some(false)),
                _ => Err(wrong(name, "a boolean")),
            },
            Some(_) => Err(wrong(name, "a boolean")),
        }
    }

    pub(crate) fn number(&mut self, name: &str) -> Result<Option<u64>, Refusal> {
        match self.left.remove(name) {
            None => Ok(None),
            Some(Value::Number(number)) => number.as_u64().map(Some).ok_or_else(|| wrong(name, "a whole number")),
            Some(Value::String(text)) if !self.json => {
                text.parse().map(Some).map_err(|_| wrong(name, "a whole number"))
            }
            Some(_) => Err(wrong(name, "a whole number")),
        }
    }

    pub(crate) fn optional_stamp(&mut self, name: &str, error: &str) -> Result<Option<Stamp>, Refusal> {
        let Some(text) = self.optional_text(name)? else { return Ok(None) };
        Stamp::parse(&text).map(Some).ok_or_else(|| Refusal::new(error))
    }

    pub(crate) fn stamp(&mut self, name: &str, error: &str) -> Result<Stamp, Refusal> {
        self.optional_stamp(name, error)?.ok_or_else(|| missing(name))
    }

    /// JSON, also as text: that is how it comes in a form, and Slack takes it so in JSON too.
    pub(crate) fn nested(&mut self, name: &str, error: &str) -> Result<Option<Value>, Refusal> {
        match self.left.remove(name) {
            Some(Value::String(text)) => match serde_json::from_str(&text) {
                Ok(value) => Ok(Some(value)),
                Err(_) => Err(Refusal::explained(error, vec![format!("[ERROR] {name} is not JSON")])),
            },
            other => Ok(other),
        }
    }

    /// A list in JSON, or text with commas.
    pub(crate) fn list(&mut self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        let split =
            |text: &str| text.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect();
        match self.left.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(split(&text))),
            Some(Value::Array(items)) if self.json => {
                let texts: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
                texts.map(Some).ok_or_else(|| wrong(name, "a list of strings"))
            }
            Some(_) => Err(wrong(name, "a list of strings")),
        }
    }

    /// Takes out what makes no difference here; only its name has to be right.
    pub(crate) fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.left.remove(*name);
        }
    }

    /// Refuses what is left over.
    pub(crate) fn finish(&self) -> Result<(), Refusal> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(name) => Err(Refusal::argument(format!("unknown argument: {name}"))),
        }
    }
}

fn add(to: &mut Map<String, Value>, form: &[u8]) -> Result<(), Refusal> {
    let pairs = form::decode(form).ok_or_else(|| Refusal::new("invalid_form_data"))?;
    to.extend(pairs.into_iter().map(|(name, value)| (name, Value::String(value))));
    Ok(())
}

pub(crate) fn missing(name: &str) -> Refusal {
    Refusal::argument(format!("missing required field: {name}"))
}

fn wrong(name: &str, wanted: &str) -> Refusal {
    Refusal::argument(format!("must be {wanted} [json-pointer:/{name}]"))
}
