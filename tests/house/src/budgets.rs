//! Budgets, so that the tails never grow: how long a file of production code may be, and what no source file may hold.

use crate::files::SourceFile;

/// The most lines of production code in one file.
pub const FILE_CEILING: usize = 400;

/// The pipeline is read to auditors: it stays under this many lines.
pub const PIPELINE_CEILING: usize = 150;

const PIPELINE: &str = "bot/engine/src/pipeline.rs";

/// What no source file may hold, and what to do instead. Written in two halves, so that this file does not hold them either.
const UNWANTED: &[(&str, &str)] = &[
    (concat!("tod", "o!("), "finish it, or leave it out"),
    (concat!("unimple", "mented!("), "finish it, or leave it out"),
    (concat!("#[ign", "ore"), "a test runs, or it goes"),
    (concat!("#[all", "ow("), "say #[expect(lint, reason = \"…\")]"),
    (concat!("#![all", "ow("), "say #![expect(lint, reason = \"…\")]"),
];

/// The number of lines before a file's own module of tests.
pub fn production_lines(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let tests_begin =
        |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{');
    lines.windows(2).position(tests_begin).unwrap_or(lines.len())
}

/// Whether a path is production code: Rust under a `src` folder of the bot, its commands or its adapters, and not a file of tests.
fn is_production(file: &SourceFile) -> bool {
    let of_the_bot = ["bot/", "commands/", "adapters/"].iter().any(|folder| file.path.starts_with(folder));
    let of_tests = file.name() == "tests.rs" || file.name().ends_with("_tests.rs") || file.path.contains("/tests/");
    file.path.ends_with(".rs") && of_the_bot && file.path.contains("src/") && !of_tests
}

/// Complaints about files over their budget. A missing pipeline is one too.
pub fn too_long(files: &[SourceFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| is_production(file)) {
        let lines = production_lines(&file.text);
        if lines > FILE_CEILING {
            complaints.push(format!("{} has {lines} lines before its tests; at most {FILE_CEILING}", file.path));
        }
    }
    match files.iter().find(|file| file.path == PIPELINE).map(|file| production_lines(&file.text)) {
        None => complaints.push(format!("{PIPELINE} is missing")),
        Some(lines) if lines >= PIPELINE_CEILING => {
            complaints
                .push(format!("{PIPELINE} has {lines} lines before its tests; it stays under {PIPELINE_CEILING}"));
        }
        Some(_) => {}
    }
    complaints
}

/// Complaints about unfinished code, tests that do not run and lints switched off without a reason, in any Rust file.
pub fn unwanted(files: &[SourceFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".rs")) {
        for (number, line) in (1..).zip(file.text.lines()) {
            let found = UNWANTED.iter().filter(|(text, _)| line.contains(text));
            complaints.extend(found.map(|(text, instead)| format!("{}:{number} holds {text}: {instead}", file.path)));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::{FILE_CEILING, PIPELINE, PIPELINE_CEILING, UNWANTED, production_lines, too_long, unwanted};
    use crate::files::SourceFile;

    fn lines(count: usize) -> String {
        "x\n".repeat(count)
    }

    #[test]
    fn tests_in_the_file_do_not_count() {
        assert_eq!(production_lines("a\n\n#[cfg(test)]\nmod tests {\n}\n"), 2);
        assert_eq!(production_lines("a\n#[cfg(test)]\nmod tests;\nb\n"), 4);
        assert_eq!(production_lines("#[cfg(test)]\nfn helper() {}\nb\n"), 3);
        assert_eq!(production_lines(""), 0);
    }

    #[test]
    fn long_files_are_found() {
        let pipeline = |count| SourceFile::new(PIPELINE, &lines(count));
        let file = |path, count| vec![pipeline(PIPELINE_CEILING - 1), SourceFile::new(path, &lines(count))];
        assert!(too_long(&file("bot/core/src/x.rs", FILE_CEILING)).is_empty());
        for path in ["bot/core/src/x.rs", "commands/src/deploy/mod.rs", "adapters/slack/src/edge/in.rs"] {
            assert_eq!(too_long(&file(path, FILE_CEILING + 1)).len(), 1, "{path}");
        }
        for path in ["commands/src/deploy/tests.rs", "bot/store/tests/suite.rs", "tests/src/room.rs", "docs/record.md"]
        {
            assert!(too_long(&file(path, FILE_CEILING + 1)).is_empty(), "{path}");
        }
        assert_eq!(too_long(&[pipeline(PIPELINE_CEILING)]).len(), 1);
        assert_eq!(too_long(&[]), ["bot/engine/src/pipeline.rs is missing"]);
    }

    #[test]
    fn unwanted_text_is_found_with_its_line() {
        for (text, _) in UNWANTED {
            let file = SourceFile::new("tests/it/x.rs", &format!("fn f() {{\n    {text}\n"));
            assert_eq!(
                unwanted(&[file]).iter().filter(|complaint| complaint.starts_with("tests/it/x.rs:2")).count(),
                1
            );
        }
        assert!(unwanted(&[SourceFile::new("x.rs", "#[expect(dead_code, reason = \"r\")]")]).is_empty());
        assert!(unwanted(&[SourceFile::new("x.md", UNWANTED[0].0)]).is_empty());
    }
}
