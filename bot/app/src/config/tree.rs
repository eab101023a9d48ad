//! TOML with a place for every key and value, merged over all files.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue, Error};

use super::problem::{Mismatch, Position, Problems};
use super::source::{Lines, Source};

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

/// Reads all of `sources` into one table. Sections merge by key; a key of a section stands in one place only, so that nobody's file
/// changes what another file says. Lists of tables (`[[rooms]]`) are put behind each other.
pub(super) fn merged(sources: &[Source], problems: &mut Problems) -> Table {
    let mut all = Table::new();
    for source in sources {
        let lines = Lines::new(&source.name, &source.text);
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        for error in errors {
            syntax(&error, source, &lines, problems);
        }
        for (section, entry) in table_of(table.get_ref(), &lines, problems) {
            merge_section(&mut all, section, entry, problems);
        }
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

fn twice(key: &str, first: &Position) -> Mismatch {
    Mismatch::new(format!("`{key}` is set twice")).hint(format!("the other one is at {first}"))
}

fn syntax(error: &Error, source: &Source, lines: &Lines<'_>, problems: &mut Problems) {
    let Some(span) = error.span() else {
        return problems.add(&Position::whole(&source.name), error.message());
    };
    let position = lines.position(span.start);
    let key = source.text.get(span).unwrap_or_default();
    match (error.message(), first_of_two(source, lines, &position, key)) {
        ("duplicate key", Some(first)) => problems.add(&position, twice(key, &first)),
        ("duplicate key", None) => problems.add(&position, format!("`{key}` is set twice")),
        (message, _) => problems.add(&position, message),
    }
}

/// Where the key that is set again at `again` was set first. The parser does not tell; the text before that line does, with a key of
/// our own at its end to mark the table that is being filled there.
fn first_of_two(source: &Source, lines: &Lines<'_>, again: &Position, key: &str) -> Option<Position> {
    const MARK: &str = "the table that is being filled";
    let start = lines.line_start(again.line);
    let line = source.text[start..].lines().next()?;
    let key = DeTable::parse(&format!("{key}=0")).ok()?.get_ref().keys().next()?.get_ref().to_string();
    let path = DeTable::parse(line).ok().filter(|_| line.trim_start().starts_with('['));
    let before = format!("{}\n\"{MARK}\"=0", &source.text[..start]);
    let (tree, _) = DeTable::parse_recoverable(&before);
    let table = match &path {
        Some(header) => descend(tree.get_ref(), header.get_ref(), &key),
        None => holder(tree.get_ref(), MARK),
    };
    let (first, _) = table?.get_key_value(key.as_str())?;
    Some(lines.position(first.span().start))
}

/// The table of `tree` that stands where `key` stands in `header`.
fn descend<'t, 'i>(mut tree: &'t DeTable<'i>, mut header: &DeTable<'_>, key: &str) -> Option<&'t DeTable<'i>> {
    while !header.contains_key(key) {
        let (step, next) = header.iter().next()?;
        header = next.get_ref().as_table()?;
        tree = table_in(tree.get(step.get_ref().as_ref())?.get_ref())?;
    }
    Some(tree)
}

/// The table anywhere in `tree` that holds `key`.
fn holder<'t, 'i>(tree: &'t DeTable<'i>, key: &str) -> Option<&'t DeTable<'i>> {
    if tree.contains_key(key) {
        return Some(tree);
    }
    tree.values().filter_map(|value| table_in(value.get_ref())).find_map(|table| holder(table, key))
}

fn table_in<'t, 'i>(value: &'t DeValue<'i>) -> Option<&'t DeTable<'i>> {
    match value {
        DeValue::Table(table) => Some(table),
        DeValue::Array(array) => array.last()?.get_ref().as_table(),
        _ => None,
    }
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
                problems.add(position, "the number is too large");
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
