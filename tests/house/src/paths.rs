//! Documents name paths that exist.
//!
//! The rule. In inline code (backticks, outside fenced blocks) a token is a path when it has a slash, begins with a name, and holds
//! only letters, digits and `. _ - * { } , < >`: other slashes belong into other words, or outside backticks. Its first part
//! may not look like a host name (a dot inside). A token without a slash is a path when it ends in `.rs`; then a file of that
//! name exists somewhere. `{a,b}` stands for both, `*` for any part of a name, `<capability>` for any name. What builds and runs
//! leave behind does not count.

use std::collections::BTreeSet;

use crate::files::SourceFile;

/// The documents at the root that are checked. Each must exist.
pub const DOCUMENTS: &[&str] = &["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"];

/// The words with which the heading of a recipe at the top of a `lib.rs` begins.
pub const RECIPE: &str = "Adding a";

const LEFT_BEHIND: &[&str] = &["target", "andon-data"];

/// Complaints about documents that are missing, and about paths in documents and recipes that do not exist.
pub fn dangling(files: &[SourceFile]) -> Vec<String> {
    let existing = existing(files);
    let mut complaints = Vec::new();
    for document in DOCUMENTS {
        match files.iter().find(|file| file.path == *document) {
            None => complaints.push(format!("{document} is missing")),
            Some(file) => complaints.extend(unknown(document, &file.text, "", &existing)),
        }
    }
    for file in files.iter().filter(|file| file.path.ends_with("src/lib.rs")) {
        let folder = file.path.trim_end_matches("lib.rs");
        complaints.extend(unknown(&file.path, &recipes(&file.text), folder, &existing));
    }
    complaints
}

/// All files and all folders that hold one.
fn existing(files: &[SourceFile]) -> BTreeSet<&str> {
    let with_folders =
        |file: &'_ SourceFile| -> Vec<usize> { file.path.match_indices('/').map(|(at, _)| at).collect() };
    files
        .iter()
        .flat_map(|file| with_folders(file).into_iter().map(|at| &file.path[..at]).chain([file.path.as_str()]))
        .collect()
}

/// Complaints about one text whose paths start at the root or in `folder`.
fn unknown(document: &str, text: &str, folder: &str, existing: &BTreeSet<&str>) -> Vec<String> {
    let mut complaints = Vec::new();
    for (line, token) in inline_code(text) {
        for path in if is_path(token) { alternatives(token) } else { Vec::new() } {
            let stands = |start: &str| existing.iter().any(|known| is_named(&format!("{start}{path}"), known));
            if !stands("") && !stands(folder) {
                complaints.push(format!("{document}:{line} names `{path}`, which does not exist"));
            }
        }
    }
    complaints
}

/// The words in backticks with the numbers of their lines, fenced blocks left out. Code that goes over a line's end is not seen.
fn inline_code(markdown: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (number, line) in (1..).zip(markdown.lines()) {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let code = line.split('`').skip(1).step_by(2);
            found.extend(code.flat_map(str::split_whitespace).map(|token| (number, token)));
        }
    }
    found
}

fn is_path(token: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-*{},<>/".contains(c);
    if !token.chars().all(allowed) {
        return false;
    }
    match token.split_once('/') {
        None => token.ends_with(".rs") && token.len() > ".rs".len(),
        Some((first, _)) => {
            let is_host = first.trim_start_matches('.').contains('.');
            first.contains(char::is_alphanumeric) && !is_host && !LEFT_BEHIND.contains(&first)
        }
    }
}

/// The paths that a token with `{a,b}` stands for, without a slash at the end.
fn alternatives(token: &str) -> Vec<String> {
    let split = token.split_once('{').and_then(|(before, rest)| {
        let (choices, after) = rest.split_once('}')?;
        Some((before, choices, after))
    });
    match split {
        None => vec![token.trim_end_matches('/').to_owned()],
        Some((before, choices, after)) => {
            choices.split(',').flat_map(|choice| alternatives(&format!("{before}{}{after}", choice.trim()))).collect()
        }
    }
}

/// Whether a pattern names an existing path, part by part. A pattern of one part may name a file in any folder.
fn is_named(pattern: &str, known: &str) -> bool {
    let (patterns, parts): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), known.split('/').collect());
    match (patterns.as_slice(), parts.as_slice()) {
        ([pattern], [.., name]) => matches(pattern, name),
        (patterns, parts) => {
            patterns.len() == parts.len() && patterns.iter().zip(parts).all(|(pattern, part)| matches(pattern, part))
        }
    }
}

/// Whether one part of a path fits a pattern, in which `*` and `<…>` stand for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let wild = pattern.find(['*', '<']);
    let Some(at) = wild else {
        return pattern == name;
    };
    let after = match pattern[at..].find('>') {
        Some(end) if pattern[at..].starts_with('<') => &pattern[at + end + 1..],
        _ => &pattern[at + 1..],
    };
    name.strip_prefix(&pattern[..at])
        .is_some_and(|rest| rest.char_indices().map(|(i, _)| i).chain([rest.len()]).any(|i| matches(after, &rest[i..])))
}

/// The recipes at the top of a `lib.rs`, as Markdown; other lines are left empty, so that numbers of lines stay.
fn recipes(source: &str) -> String {
    let mut inside = false;
    let mut text = String::new();
    for line in source.lines().map_while(|line| line.strip_prefix("//!")) {
        let line = line.trim_start();
        if line.starts_with('#') {
            inside = line.trim_start_matches('#').trim_start().starts_with(RECIPE);
        }
        if inside {
            text.push_str(line);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{DOCUMENTS, alternatives, dangling, is_path, matches};
    use crate::files::SourceFile;

    fn repository(readme: &str, lib: &str) -> Vec<SourceFile> {
        let text = |path: &str| match path {
            "README.md" => readme.to_owned(),
            "commands/src/lib.rs" => lib.to_owned(),
            _ => String::new(),
        };
        let paths = ["commands/src/lib.rs", "commands/src/lock/held.rs", "policies/default.cedar", ".ci/run"];
        DOCUMENTS.iter().chain(&paths).map(|path| SourceFile::new(path, &text(path))).collect()
    }

    fn complaints(readme: &str) -> Vec<String> {
        dangling(&repository(readme, ""))
    }

    #[test]
    fn paths_that_exist_pass() {
        for readme in [
            "`commands/src/lock/held.rs`, `commands/`, `commands/src`, and `.ci/run`",
            "`commands/src/{lib.rs,lock/held.rs}` and `policies/*.cedar`",
            "`commands/src/<capability>/held.rs` and `held.rs`",
            "run `cargo run -- playground` in `commands/src`",
        ] {
            assert_eq!(complaints(readme), [""; 0], "{readme}");
        }
    }

    #[test]
    fn paths_that_do_not_exist_are_named() {
        for (readme, path) in [
            ("`comands/src`", "comands/src"),
            ("`commands/{src,lib}`", "commands/lib"),
            ("`policies/*.toml`", "policies/*.toml"),
            ("`src/lib.rs`", "src/lib.rs"),
            ("`helt.rs`", "helt.rs"),
            ("`commands/src/<capability>/lost.rs`", "commands/src/<capability>/lost.rs"),
            ("see `cat docs/record.md`", "docs/record.md"),
        ] {
            assert_eq!(complaints(readme), [format!("README.md:1 names `{path}`, which does not exist")]);
        }
    }

    #[test]
    fn other_things_are_not_paths() {
        for token in [
            "/healthz",
            "sqlite:andon.db",
            "slack:T0001/C0OPS",
            "andon.example.org/prod",
            "https://example.org/x",
            "target/debug/andon",
            "andon_core::Clock",
            "Cargo.toml",
            ".rs",
            "./",
            "<!here>",
        ] {
            assert!(!is_path(token), "{token}");
        }
        assert_eq!(complaints("```\n`lost/file.rs`\n```\nplain lost/file.rs"), [""; 0]);
    }

    #[test]
    fn missing_documents_are_named() {
        assert_eq!(dangling(&[]), ["ARCHITECTURE.md is missing", "CONTRIBUTING.md is missing", "README.md is missing"]);
    }

    #[test]
    fn recipes_are_checked_from_the_root_or_their_folder() {
        let with = |lib: &str| dangling(&repository("", lib));
        let recipe =
            "//! Commands, `not/checked`.\n//!\n//! # Adding a command\n//! 1. `lock/held.rs` in `commands/src`\n";
        assert_eq!(with(recipe), [""; 0]);
        let broken = recipe.replace("held", "lost");
        assert_eq!(with(&broken), ["commands/src/lib.rs:4 names `lock/lost.rs`, which does not exist"]);
        assert_eq!(with(&format!("{broken}//! # Other\n//! `a/b`\nfn f() {{}}\n//! `c/d`")).len(), 1);
    }

    #[test]
    fn braces_and_stars_stand_for_names() {
        assert_eq!(alternatives("a/{b,c}/{d,e}/"), ["a/b/d", "a/b/e", "a/c/d", "a/c/e"]);
        assert_eq!(alternatives("a/{b"), ["a/{b"]);
        assert!(matches("*_test*.rs", "my_tests.rs"));
        assert!(matches("v<n>.sql", "v12.sql"));
        assert!(!matches("*.rs", "x.rs.bak"));
        assert!(!matches("a*", "b"));
    }
}
