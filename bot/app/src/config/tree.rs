//! TOML with a place for every key and value, merged over all files.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::problem::{Mismatch, Position, Problems};
use super::source::{Lines, Source};
use super::syntax;

/// A table: keys with their places, in alphabetic order.
pub(super) type Table = BTreeMap<String, Entry>;

/// A key and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: Position,
    pub(super) node: Node,
}

/// A value and where it begins.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) position: Position,
    pub(super) value: Value,
}

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Moment(toml::value::Datetime),
    List(Vec<Node>),
    Table(Table),
}

impl Value {
    /// What kind of value it is, for messages.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "a number",
            Self::Float(_) => "a fraction",
            Self::Boolean(_) => "true or false",
            Self::Moment(_) => "a date or time",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl Node {
    /// The value without its places.
    pub(super) fn to_toml(&self) -> toml::Value {
        match &self.value {
            Value::Text(text) => toml::Value::String(text.clone()),
            Value::Integer(number) => toml::Value::Integer(*number),
            Value::Float(number) => toml::Value::Float(*number),
            Value::Boolean(flag) => toml::Value::Boolean(*flag),
            Value::Moment(moment) => toml::Value::Datetime(*moment),
            Value::List(nodes) => toml::Value::Array(nodes.iter().map(Self::to_toml).collect()),
            Value::Table(table) => toml::Value::Table(to_toml(table)),
        }
    }

    /// One text for one value, whatever order and spelling the file has: what digests are made of.
    pub(super) fn canonical(&self) -> String {
        match &self.value {
            Value::Text(text) => format!("{text:?}"),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => format!("{number:?}"),
            Value::Boolean(flag) => flag.to_string(),
            Value::Moment(moment) => moment.to_string(),
            Value::List(nodes) => format!("[{}]", nodes.iter().map(Self::canonical).collect::<Vec<_>>().join(",")),
            Value::Table(table) => canonical(table),
        }
    }
}

/// See [`Node::canonical`].
pub(super) fn canonical(table: &Table) -> String {
    let pairs: Vec<_> = table.iter().map(|(key, entry)| format!("{key:?}={}", entry.node.canonical())).collect();
    format!("{{{}}}", pairs.join(","))
}

/// See [`Node::to_toml`].
pub(super) fn to_toml(table: &Table) -> toml::Table {
    table.iter().map(|(key, entry)| (key.clone(), entry.node.to_toml())).collect()
}

/// Reads all of `sources` into one table; nothing where one of them is not TOML. Sections merge by key; a key of a section stands in one
/// place only, so that nobody's file changes what another file says. Lists of tables (`[[rooms]]`) are put behind each other.
pub(super) fn merged(sources: &[Source], problems: &mut Problems) -> Option<Table> {
    let mut all = Some(Table::new());
    for source in sources {
        let lines = Lines::new(&source.name, &source.text);
        let table = syntax::parsed(source, &lines, problems);
        all = all.zip(table).map(|(mut all, table)| {
            for (section, entry) in table_of(table.get_ref(), &lines, problems) {
                merge_section(&mut all, section, entry, problems);
            }
            all
        });
    }
    all
}

fn merge_section(all: &mut Table, section: String, entry: Entry, problems: &mut Problems) {
    let Some(known) = all.get_mut(&section) else {
        all.insert(section, entry);
        return;
    };
    match (&mut known.node.value, entry.node.value) {
        (Value::Table(known), Value::Table(more)) => {
            for (key, entry) in more {
                match known.get(&key) {
                    Some(first) => problems.add(&entry.key, twice(&format!("{section}.{key}"), &first.key)),
                    None => drop(known.insert(key, entry)),
                }
            }
        }
        (Value::List(known), Value::List(more)) => known.extend(more),
        _ => problems.add(&entry.key, twice(&section, &known.key)),
    }
}

/// The key is set here, and was set already at `first`.
pub(super) fn twice(key: &str, first: &Position) -> Mismatch {
    Mismatch::new(format!("`{key}` is set twice")).hint(format!("the other one is at {first}"))
}

fn table_of(table: &DeTable<'_>, lines: &Lines<'_>, problems: &mut Problems) -> Table {
    table
        .iter()
        .map(|(key, value)| {
            let node = node_of(value, lines, problems);
            (key.get_ref().to_string(), Entry { key: lines.position(key.span().start), node })
        })
        .collect()
}

fn value_of(value: &DeValue<'_>, position: &Position, lines: &Lines<'_>, problems: &mut Problems) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Datetime(moment) => Value::Moment(*moment),
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => {
                problems.refuse(position, "the number is too large");
                Value::Integer(0)
            }
        },
        DeValue::Table(table) => Value::Table(table_of(table, lines, problems)),
        DeValue::Array(nodes) => Value::List(nodes.iter().map(|node| node_of(node, lines, problems)).collect()),
    }
}

fn node_of(node: &toml::Spanned<DeValue<'_>>, lines: &Lines<'_>, problems: &mut Problems) -> Node {
    let position = lines.position(node.span().start);
    let value = value_of(node.get_ref(), &position, lines, problems);
    Node { position, value }
}
