//! A section of the configuration: its keys are taken one by one, and what is left over at the end is unknown.

use super::problem::{Mismatch, Placed, Position, Problems};
use super::tree::{Entry, Node, Table, Value, canonical};

/// The most items of a list.
const LONGEST_LIST: usize = 1000;

/// How a value is read.
pub(super) type Read<'a, T> = &'a dyn Fn(&Node) -> Result<T, Mismatch>;

/// A table that is being read.
pub(super) struct Section {
    /// Its path, such as `services.api`; empty for the whole configuration.
    pub(super) path: String,
    /// Where its key stands.
    pub(super) position: Position,
    left: Table,
    known: Vec<&'static str>,
}

impl Section {
    /// The whole configuration.
    pub(super) fn root(table: Table, position: Position) -> Self {
        Self { path: String::new(), position, left: table, known: Vec::new() }
    }

    /// The table called `path`; a problem where it is something else.
    pub(super) fn of(path: &str, position: Position, node: Node, problems: &mut Problems) -> Option<Self> {
        match node.value {
            Value::Table(left) => Some(Self { path: path.to_owned(), position, left, known: Vec::new() }),
            other => {
                problems.add(&node.position, expected(&format!("a table [{path}]"), other.kind()));
                None
            }
        }
    }

    /// Reads each item of the list `key`; a problem where it is there and empty.
    pub(super) fn filled_list<T: PartialEq>(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
        read: Read<'_, T>,
    ) -> Option<Vec<Placed<T>>> {
        if let Some(Node { position, value: Value::List(items) }) = self.left.get(key).map(|entry| &entry.node)
            && items.is_empty()
        {
            problems.add(position, format!("`{key}` names nobody and nothing"));
        }
        self.list(key, problems, read)
    }

    /// Reads each item of the list `key`; a problem where the key is missing.
    pub(super) fn required_list<T: PartialEq>(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
        read: Read<'_, T>,
    ) -> Vec<Placed<T>> {
        self.must_hold(key, problems);
        self.list(key, problems, read).unwrap_or_default()
    }

    /// A problem where `key` is missing.
    pub(super) fn must_hold(&self, key: &str, problems: &mut Problems) {
        if !self.left.contains_key(key) {
            problems.add(&self.position, format!("[{}] needs `{key}`", self.path));
        }
    }

    /// Takes the value of `key`, if it is there.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Entry> {
        self.known.push(key);
        self.left.remove(key)
    }

    /// Reads the value of `key`, if it is there and right.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
        read: Read<'_, T>,
    ) -> Option<Placed<T>> {
        let Entry { node, .. } = self.take(key)?;
        placed(&node, problems, read)
    }

    /// Reads the value of `key`; a problem where it is missing.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
        read: Read<'_, T>,
    ) -> Option<Placed<T>> {
        self.must_hold(key, problems);
        self.optional(key, problems, read)
    }

    /// Reads each item of the list `key`; nothing where the key is missing. Items that are wrong or said twice are left out.
    pub(super) fn list<T: PartialEq>(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
        read: Read<'_, T>,
    ) -> Option<Vec<Placed<T>>> {
        let Entry { node, .. } = self.take(key)?;
        let items = match node.value {
            Value::List(items) if items.len() <= LONGEST_LIST => items,
            Value::List(_) => {
                problems.add(&node.position, format!("a list has at most {LONGEST_LIST} items"));
                return None;
            }
            other => {
                problems.add(&node.position, expected(&format!("a list such as {key} = [\"…\"]"), other.kind()));
                return None;
            }
        };
        let mut list: Vec<Placed<T>> = Vec::new();
        for item in &items {
            let Some(item) = placed(item, problems, read) else { continue };
            match list.iter().any(|known| known.value == item.value) {
                true => problems.add(&item.position, "this is in the list already"),
                false => list.push(item),
            }
        }
        Some(list)
    }

    /// Takes the table `key` of tables, such as `[people.*]`, as sections.
    pub(super) fn sections(&mut self, key: &'static str, problems: &mut Problems) -> Vec<(String, Section)> {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        let Some(table) = self.take(key).and_then(|entry| Section::of(&path, entry.key, entry.node, problems)) else {
            return Vec::new();
        };
        let named = table.left.into_iter().map(|(name, entry)| {
            let section = Section::of(&format!("{path}.{name}"), entry.key, entry.node, problems)?;
            Some((name, section))
        });
        named.flatten().collect()
    }

    /// Takes the list `key` of tables, such as `[[rooms]]`, as sections.
    pub(super) fn tables(&mut self, key: &'static str, problems: &mut Problems) -> Vec<Section> {
        match self.take(key).map(|entry| entry.node) {
            None => Vec::new(),
            Some(Node { value: Value::List(items), .. }) if items.len() <= LONGEST_LIST => {
                let section = |item: Node| Section::of(key, item.position.clone(), item, problems);
                items.into_iter().filter_map(section).collect()
            }
            Some(node) => {
                let what = format!("at most {LONGEST_LIST} tables [[{key}]]");
                problems.add(&node.position, expected(&what, node.value.kind()));
                Vec::new()
            }
        }
    }

    /// One text for all that the section says, however it is spelled, as long as nothing was taken: what digests are made of.
    pub(super) fn canonical(&self) -> String {
        canonical(&self.left)
    }

    /// What was not taken yet.
    pub(super) const fn left(&self) -> &Table {
        &self.left
    }

    /// Takes everything that is left.
    pub(super) fn rest(&mut self) -> Table {
        std::mem::take(&mut self.left)
    }

    /// Says of everything that is left that it is unknown.
    pub(super) fn finish(self, problems: &mut Problems) {
        for (key, entry) in &self.left {
            let message = match self.path.as_str() {
                "" => format!("unknown section [{}]", key.escape_debug()),
                path => format!("unknown key `{}` in [{path}]", key.escape_debug()),
            };
            problems.add(&entry.key, Mismatch::unknown(message, key, self.known.iter().copied()));
        }
    }
}

fn placed<T>(node: &Node, problems: &mut Problems, read: Read<'_, T>) -> Option<Placed<T>> {
    match read(node) {
        Ok(value) => Some(Placed { value, position: node.position.clone() }),
        Err(mismatch) => {
            problems.add(&node.position, mismatch);
            None
        }
    }
}

/// What was expected, and what stands there.
pub(super) fn expected(what: &str, found: &str) -> Mismatch {
    Mismatch::new(format!("expected {what}, found {found}"))
}
