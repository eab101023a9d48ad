use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::super::{LARGEST_FILE, Loaded, load};
use super::{LOCAL, WHOLE, rendered};

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Problems with the folder's own path taken out.
fn loaded(folder: &TempDir, path: &str) -> Result<Loaded, String> {
    let prefix = format!("{}/", folder.path().display());
    load(&folder.path().join(path), &LOCAL).map_err(|problems| rendered(&problems).replace(&prefix, ""))
}

const PEOPLE: &str = "[people.ana]\n[teams.a]\nmembers = [\"ana\"]\n";

#[test]
fn a_folder_is_merged_by_section() {
    let folder = folder(&[
        ("a.toml", "[services.api]\nowners = [\"a\"]\n[[rooms]]\nroom = \"console:a\"\nservices = [\"api\"]\n"),
        ("b.toml", "[services.shop]\nowners = [\"a\"]\n[[rooms]]\nroom = \"console:b\"\nservices = [\"shop\"]\n"),
        ("people.toml", PEOPLE),
        (".hidden.toml", "= nonsense"),
        ("notes.txt", "= nonsense"),
        ("policies/b.cedar", "// b"),
        ("policies/a.cedar", "// a"),
        ("policies/read.me", "no policy"),
    ]);
    let loaded = loaded(&folder, "").unwrap();
    let services: Vec<_> = loaded.catalog.services.keys().map(ToString::to_string).collect();
    let rooms: Vec<_> = loaded.catalog.rooms.iter().map(|route| route.room.to_string()).collect();
    assert_eq!(services, ["api", "shop"]);
    assert_eq!(rooms, ["console:a", "console:b"]);
    assert_eq!(loaded.bot.policies, [("a.cedar".into(), "// a".into()), ("b.cedar".into(), "// b".into())]);
    assert!(loaded.catalog.text.starts_with("# a.toml\n[services.api]"), "{}", loaded.catalog.text);
}

#[test]
fn a_file_has_its_policies_beside_it() {
    let folder = folder(&[("andon.toml", WHOLE), ("policies/own.cedar", "// own")]);
    let loaded = loaded(&folder, "andon.toml").unwrap();
    assert_eq!(loaded.bot.policies, [("own.cedar".into(), "// own".into())]);
    assert_eq!(loaded.catalog.services.len(), 2);
}

#[test]
fn what_is_said_twice_names_both_places() {
    let folder = folder(&[
        ("a.toml", "[bot]\nname = \"one\"\n[services.api]\nowners = [\"a\"]\n"),
        ("b.toml", "[services.api]\napprovers = [\"a\"]\n[bot]\nname = \"two\"\nops_room = \"console:ops\"\n"),
        ("c.toml", "rooms = 1\n"),
        ("d.toml", "[[rooms]]\nroom = \"console:a\"\nservices = [\"api\"]\n"),
        ("people.toml", PEOPLE),
    ]);
    let expected = "b.toml:1:11: `services.api` is set twice\n  hint: the other one is at a.toml:3:11\n\
                    b.toml:4:1: `bot.name` is set twice\n  hint: the other one is at a.toml:2:1\n\
                    c.toml:1:9: expected at most 1000 tables [[rooms]], found a number\n\
                    d.toml:1:3: `rooms` is set twice\n  hint: the other one is at c.toml:1:1";
    assert_eq!(loaded(&folder, "").unwrap_err(), expected);
}

#[test]
fn problems_of_several_files_come_together() {
    let folder = folder(&[
        ("a.toml", "[services.api]\nowners = [\"b\"]\n"),
        ("b.toml", "[teams.a]\nmembers = []\ncolour = 1\n"),
    ]);
    let expected = "a.toml:2:11: there is no team \"b\"\n  hint: did you mean `a`?\n\
                    b.toml:3:1: unknown key `colour` in [teams.a]\n  hint: known here: members";
    assert_eq!(loaded(&folder, "").unwrap_err(), expected);
    fs::write(folder.path().join("b.toml"), "[teams.a\n").unwrap();
    let broken = loaded(&folder, "").unwrap_err();
    assert!(broken.starts_with("b.toml:1:9: ") && !broken.contains("a.toml"), "{broken}");
}

#[test]
fn what_cannot_be_read_is_said() {
    let folder = folder(&[("empty/notes.txt", ""), ("bad.toml", "")]);
    let missing = loaded(&folder, "missing.toml").unwrap_err();
    assert!(missing.starts_with("missing.toml: the file cannot be read: No such file"), "{missing}");
    assert_eq!(loaded(&folder, "empty").unwrap_err(), "empty: the folder holds no *.toml");
    let bad = folder.path().join("bad.toml");
    fs::write(&bad, b"[bot]\nname = \"\xc3\xa9\xff\"\n").unwrap();
    assert_eq!(loaded(&folder, "bad.toml").unwrap_err(), "bad.toml:2:10: the file is not UTF-8 text");
    fs::write(&bad, " ".repeat(usize::try_from(LARGEST_FILE).unwrap() + 1)).unwrap();
    assert_eq!(loaded(&folder, "bad.toml").unwrap_err(), "bad.toml: the file is larger than 1 MiB");
    fs::write(&bad, " ".repeat(usize::try_from(LARGEST_FILE).unwrap())).unwrap();
    assert!(loaded(&folder, "bad.toml").is_ok());
    let device = load(Path::new("/dev/zero"), &LOCAL).unwrap_err();
    assert_eq!(rendered(&device), "/dev/zero: this is not a file");
}

#[test]
fn there_is_an_end_to_files() {
    let folder = tempfile::tempdir().unwrap();
    for index in 0..=200 {
        fs::write(folder.path().join(format!("{index}.toml")), "").unwrap();
    }
    let problems = load(folder.path(), &LOCAL).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].message, "the folder holds 201 *.toml; at most 200 are read");
    fs::remove_file(folder.path().join("0.toml")).unwrap();
    assert!(load(folder.path(), &LOCAL).is_ok());
}
