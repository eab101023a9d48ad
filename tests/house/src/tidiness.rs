//! Small rules about what stands where: migrations in pairs, a purpose at the top of each crate, no paths of somebody's machine.

use std::collections::BTreeSet;

use crate::files::SourceFile;

const SQLITE: &str = "migrations/sqlite/";
const POSTGRES: &str = "migrations/postgres/";

/// Paths that exist only where this was written. In two halves, so that this file does not hold them.
const SOMEBODYS: &[&str] = &[concat!("/wo", "rk/"), concat!("../sha", "red")];

/// Complaints about migrations that only one of the two databases has, and about having none.
pub fn unpaired_migrations(files: &[SourceFile]) -> Vec<String> {
    let names = |folder| -> BTreeSet<&str> {
        let inside = files.iter().filter_map(|file| file.path.strip_prefix(folder));
        inside.filter(|name| name.ends_with(".sql")).collect()
    };
    let (sqlite, postgres) = (names(SQLITE), names(POSTGRES));
    if sqlite.is_empty() && postgres.is_empty() {
        return vec![format!("there is no migration in {SQLITE} and {POSTGRES}")];
    }
    let alone = |folder: &'static str, other: &'static str, names: Vec<&&str>| -> Vec<String> {
        names.into_iter().map(|name| format!("{folder}{name} has no partner in {other}")).collect()
    };
    let mut complaints = alone(SQLITE, POSTGRES, sqlite.difference(&postgres).collect());
    complaints.extend(alone(POSTGRES, SQLITE, postgres.difference(&sqlite).collect()));
    complaints
}

/// Complaints about files that name a path of the machine on which they were written.
pub fn foreign_paths(files: &[SourceFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        for (number, line) in (1..).zip(file.text.lines()) {
            let found = SOMEBODYS.iter().filter(|path| names_path(line, path));
            complaints.extend(found.map(|path| format!("{}:{number} names {path}", file.path)));
        }
    }
    complaints
}

/// Whether the path begins in the line, rather than going on from a longer one such as `home/work/`.
fn names_path(line: &str, path: &str) -> bool {
    let begins = |at: usize| !line[..at].ends_with(|before: char| before.is_alphanumeric() || ".-_}".contains(before));
    line.match_indices(path).any(|(at, _)| begins(at))
}

/// Complaints about crates whose `lib.rs` does not open with what it is for.
pub fn without_purpose(files: &[SourceFile]) -> Vec<String> {
    let roots = files.iter().filter(|file| file.path.ends_with("src/lib.rs"));
    let silent = roots.filter(|file| !file.text.starts_with("//! "));
    silent.map(|file| format!("{} does not open with //! and what it is for", file.path)).collect()
}

#[cfg(test)]
mod tests {
    use super::{SOMEBODYS, foreign_paths, unpaired_migrations, without_purpose};
    use crate::files::SourceFile;

    #[test]
    fn migrations_come_in_pairs() {
        let files =
            |paths: &[&str]| -> Vec<SourceFile> { paths.iter().map(|path| SourceFile::new(path, "")).collect() };
        let paired = files(&["migrations/README.md", "migrations/sqlite/1_a.sql", "migrations/postgres/1_a.sql"]);
        assert!(unpaired_migrations(&paired).is_empty());
        assert_eq!(
            unpaired_migrations(&files(&["migrations/sqlite/1_a.sql", "migrations/postgres/1_b.sql"])),
            [
                "migrations/sqlite/1_a.sql has no partner in migrations/postgres/",
                "migrations/postgres/1_b.sql has no partner in migrations/sqlite/"
            ]
        );
        assert_eq!(unpaired_migrations(&[]).len(), 1);
    }

    #[test]
    fn paths_of_somebodys_machine_are_found() {
        for path in SOMEBODYS {
            let named = |text: String| foreign_paths(&[SourceFile::new("README.md", &text)]);
            assert_eq!(named(format!("ok\nsee `{path}main`")), [format!("README.md:2 names {path}")]);
            assert_eq!(named(format!("{path}main")).len(), 1);
            assert!(named(format!("https://example.org/home{path}x")).is_empty());
        }
    }

    #[test]
    fn crates_say_what_they_are_for() {
        let open = |text| without_purpose(&[SourceFile::new("bot/core/src/lib.rs", text)]);
        assert!(open("//! The words.\n").is_empty());
        assert_eq!(open("mod x;\n//! The words.\n").len(), 1);
        assert_eq!(open("//!\n").len(), 1);
        assert!(without_purpose(&[SourceFile::new("bot/core/src/plan.rs", "")]).is_empty());
    }
}
