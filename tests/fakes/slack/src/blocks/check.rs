//! The means of checking: a node of JSON whose fields are taken out one by one, and what is wrong with it, in Slack's words.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::Surface;

/// What was found so far in one payload.
pub(crate) struct Checker {
    pub(crate) surface: Surface,
    complaints: Vec<String>,
    block_ids: HashSet<String>,
    action_ids: HashSet<String>,
    /// Characters of markdown so far.
    pub(crate) markdown: usize,
    /// Tables so far.
    pub(crate) tables: usize,
    /// Elements that want the focus so far.
    focused: usize,
}

impl Checker {
    pub(crate) fn new(surface: Surface) -> Self {
        Self {
            surface,
            complaints: Vec::new(),
            block_ids: HashSet::new(),
            action_ids: HashSet::new(),
            markdown: 0,
            tables: 0,
            focused: 0,
        }
    }

    pub(crate) fn complain(&mut self, path: &str, what: String) {
        self.complaints.push(format!("[ERROR] {what} [json-pointer:{path}]"));
    }

    pub(crate) fn block_id(&mut self, node: &Node<'_>, id: &str) {
        if !self.block_ids.insert(id.to_owned()) {
            self.complain(&format!("{}/block_id", node.path), format!("`block_id` {id} already exists"));
        }
    }

    pub(crate) fn action_id(&mut self, node: &Node<'_>, id: &str) {
        if !self.action_ids.insert(id.to_owned()) {
            self.complain(&format!("{}/action_id", node.path), format!("`action_id` {id} already exists"));
        }
    }

    pub(crate) fn focus(&mut self, node: &Node<'_>) {
        self.focused += 1;
        if self.focused > 1 {
            self.complain(&node.path, "only one element may have focus_on_load".to_owned());
        }
    }

    pub(crate) fn into_result(self) -> Result<(), Vec<String>> {
        if self.complaints.is_empty() { Ok(()) } else { Err(self.complaints) }
    }
}

/// An object whose known fields are taken one by one; what is left at the end is unknown.
pub(crate) struct Node<'a> {
    fields: &'a Map<String, Value>,
    known: Vec<&'static str>,
    path: String,
}

impl<'a> Node<'a> {
    pub(crate) fn of(checker: &mut Checker, value: &'a Value, path: &str) -> Option<Self> {
        match value {
            Value::Object(fields) => Some(Self { fields, known: Vec::new(), path: path.to_owned() }),
            _ => {
                checker.complain(path, "must be an object".to_owned());
                None
            }
        }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// A string, without taking it out.
    pub(crate) fn peek(&self, name: &str) -> Option<&'a str> {
        self.fields.get(name).and_then(Value::as_str)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    fn get(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.fields.get(name)
    }

    fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }

    fn missing(&self, checker: &mut Checker, name: &str) {
        checker.complain(&self.path, format!("missing required field: {name}"));
    }

    /// The `type`, or nothing said and a complaint.
    pub(crate) fn kind(&mut self, checker: &mut Checker) -> &'a str {
        self.string(checker, "type", 1, 64, true).unwrap_or_default()
    }

    /// A string of that many characters.
    pub(crate) fn string(
        &mut self,
        checker: &mut Checker,
        name: &'static str,
        least: usize,
        most: usize,
        required: bool,
    ) -> Option<&'a str> {
        match self.get(name) {
            None => {
                if required {
                    self.missing(checker, name);
                }
                None
            }
            Some(Value::String(text)) => {
                // Characters are counted only where the bytes do not decide already.
                if text.len() > most && text.chars().count() > most {
                    checker.complain(&self.at(name), format!("must be less than {} characters", most + 1));
                }
                if text.len() < least {
                    checker
                        .complain(&self.at(name), format!("must be more than {} characters", least.saturating_sub(1)));
                }
                Some(text)
            }
            Some(_) => {
                checker.complain(&self.at(name), "must be a string".to_owned());
                None
            }
        }
    }

    /// One of these words.
    pub(crate) fn word(&mut self, checker: &mut Checker, name: &'static str, words: &[&str], required: bool) {
        if let Some(word) = self.string(checker, name, 0, 255, required)
            && !words.contains(&word)
        {
            checker.complain(&self.at(name), format!("must be one of {}", words.join(", ")));
        }
    }

    pub(crate) fn flag(&mut self, checker: &mut Checker, name: &'static str) -> bool {
        match self.get(name) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                checker.complain(&self.at(name), "must be a boolean".to_owned());
                false
            }
        }
    }

    /// A whole number between these.
    pub(crate) fn number(&mut self, checker: &mut Checker, name: &'static str, least: u64, most: u64) -> Option<u64> {
        let number = self.get(name)?;
        match number.as_u64() {
            Some(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                checker.complain(&self.at(name), format!("must be a number from {least} to {most}"));
                None
            }
        }
    }

    pub(crate) fn object(&mut self, checker: &mut Checker, name: &'static str, required: bool) -> Option<Node<'a>> {
        match self.get(name) {
            None => {
                if required {
                    self.missing(checker, name);
                }
                None
            }
            Some(value) => Node::of(checker, value, &self.at(name)),
        }
    }

    pub(crate) fn array(
        &mut self,
        checker: &mut Checker,
        name: &'static str,
        least: usize,
        most: usize,
        required: bool,
    ) -> &'a [Value] {
        match self.get(name) {
            None => {
                if required {
                    self.missing(checker, name);
                }
                &[]
            }
            Some(Value::Array(items)) => {
                if items.len() > most {
                    checker.complain(&self.at(name), format!("no more than {most} items allowed"));
                }
                if items.len() < least {
                    checker.complain(&self.at(name), format!("no fewer than {least} items allowed"));
                }
                items
            }
            Some(_) => {
                checker.complain(&self.at(name), "must be an array".to_owned());
                &[]
            }
        }
    }

    pub(crate) fn objects(
        &mut self,
        checker: &mut Checker,
        name: &'static str,
        least: usize,
        most: usize,
        required: bool,
    ) -> Vec<Node<'a>> {
        let items = self.array(checker, name, least, most, required);
        let path = self.at(name);
        let nodes = items.iter().enumerate();
        nodes.filter_map(|(index, item)| Node::of(checker, item, &format!("{path}/{index}"))).collect()
    }

    /// Complains of every field that nobody asked for.
    pub(crate) fn finish(&self, checker: &mut Checker) {
        for name in self.fields.keys() {
            if !self.known.contains(&name.as_str()) {
                checker.complain(&self.path, format!("unknown field: {name}"));
            }
        }
    }
}
