use std::fmt::Write as _;

use proptest::prelude::*;

use super::super::{Deployers, load_text};
use super::{WHOLE, loaded, rendered};

const ANY: Deployers<'static> = Deployers { names: &["local"], check: &|_, _| Err("`artifacts` is odd".to_owned()) };

/// Loads, and looks at what every caller may look at.
fn survives(text: &str) {
    match load_text("andon.toml", text, &ANY) {
        Ok(loaded) => assert!(loaded.catalog.services.values().all(|service| !service.owners.is_empty())),
        Err(problems) => {
            assert!(!problems.is_empty());
            let lines = text.split('\n').count();
            for problem in &problems {
                assert!(problem.line <= lines, "{problem} points behind the text");
                assert!(!problem.to_string().chars().any(|c| c.is_control() && c != '\n'), "{problem:?}");
            }
        }
    }
}

/// A piece of something like a configuration.
fn piece() -> impl Strategy<Value = String> {
    let words = WHOLE.split_inclusive([' ', '\n', '.', '"', '[', ']', '=']).map(str::to_owned).collect::<Vec<_>>();
    prop_oneof![4 => prop::sample::select(words), 1 => any::<String>(), 1 => "[\\[\\]{}=.,\"'#\n a-c0-9-]{0,8}"]
}

proptest! {
    #[test]
    fn arbitrary_text_is_answered(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn arbitrary_pieces_are_answered(pieces in prop::collection::vec(piece(), 0..60)) {
        survives(&pieces.concat());
    }

    #[test]
    fn a_damaged_configuration_is_answered(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..12, piece()), 1..6),
    ) {
        // Configured patterns take long to compile, and have tests of their own.
        let mut text: Vec<char> = WHOLE.replace("patterns = [", "patterns = [] # ").chars().collect();
        for (at, length, piece) in cuts {
            let at = at.index(text.len() + 1);
            let end = (at + length).min(text.len());
            text.splice(at..end, piece.chars());
        }
        survives(&text.into_iter().collect::<String>());
    }
}

#[test]
fn depth_is_limited() {
    let parts = |count: usize| vec!["a"; count].join(".");
    let message = "andon.toml:1:32: a key has at most 16 parts";
    for text in [format!("{} = 1", parts(500_000)), format!("{}=1", parts(17)), "\"=\".".repeat(9) + &parts(8) + "=1"] {
        let problems = loaded(&text).unwrap_err();
        assert!(problems.ends_with("a key has at most 16 parts"), "{problems}");
    }
    assert_eq!(loaded(&format!("{}=1", parts(17))).unwrap_err(), message);
    assert!(loaded(&format!("{}=1", parts(16))).unwrap_err().contains("unknown section"));
    for deep in [format!("a={}", "[".repeat(500_000)), format!("a={}", "{a=".repeat(300_000))] {
        assert!(loaded(&deep).unwrap_err().contains("recurse"));
    }
    let line = format!("{}={{\n", parts(16));
    survives(&line.repeat(80));
    survives(&format!("{}1{}", line.repeat(79), "}".repeat(79)));
}

#[test]
fn rubbish_is_answered_briefly() {
    let doubles = load_text("andon.toml", &"a=1\n".repeat(200_000), &ANY).unwrap_err();
    assert_eq!(doubles.len(), 101, "100 and how many more there are");
    assert_eq!(doubles[0].to_string(), "andon.toml:2:1: `a` is set twice\n  hint: the other one is at andon.toml:1:1");
    let mut services = String::new();
    for index in 0..=5_000 {
        write!(services, "[services.s{index}]\nowners=['a']\n").unwrap();
    }
    let text = format!("[teams.a]\nmembers=[]\n{services}");
    assert_eq!(loaded(&text).unwrap_err(), "andon.toml: there are 5001 services; at most 5000");
    let text = text.replace("[services.s5000]\nowners=['a']\n", "");
    assert_eq!(loaded(&text).unwrap().catalog.services.len(), 5_000);
    let list = format!("[teams.a]\nmembers=[{}]", "'b',".repeat(1_001));
    assert_eq!(loaded(&list).unwrap_err(), "andon.toml:2:9: a list has at most 1000 items");
}

#[test]
fn values_never_reach_a_terminal_raw() {
    let problems = loaded("[bot]\nops_room = \"\\u001b[2J\\u202e\"\n[defaults]\nlock_expires=\"\\u001b\"").unwrap_err();
    assert!(!problems.contains('\u{1b}') && !problems.contains('\u{202e}'), "{problems}");
}

#[test]
fn secrets_are_refused_and_not_repeated() {
    let token = format!("xoxb-{}", "1234567890-abcdefghij");
    for text in [
        format!("[bot]\nname = \"{token}\""),
        format!("[defaults]\nlock_expires = \"{token}\""),
        format!("[teams.a]\nmembers = [\n\"{token}\"]"),
        format!("[services.api.environments.prod]\n\"x\" = {{ y = [\"{token}\"] }}"),
        format!("[teams.\"{token}\"]\nmembers = []"),
        format!("{token} = 1"),
        format!("[[rooms]]\nservices = [\"{token}\"]"),
    ] {
        let problems = loaded(&text).unwrap_err();
        assert!(problems.contains("this looks like a secret"), "{problems}");
        assert!(!problems.contains("1234567890"), "{problems}");
    }
    let own = "[redaction]\npatterns = [\"CUST-[0-9]+\"]\n[bot]\nname = \"of CUST-4711\"";
    let expected = "andon.toml:4:8: this looks like a secret\n  hint: secrets come from environment variables or files: \
                    name the secret, do not paste it";
    assert_eq!(loaded(own).unwrap_err(), expected);
    let by_key = format!("[machines.ci]\ntoken = \"{}\"", "swordfish");
    assert_eq!(loaded(&by_key).unwrap_err(), expected.replace("4:8", "2:9"));
    assert!(rendered(&load_text("x", "[bot]\npassword = 'swordfish'", &ANY).unwrap_err()).contains("x:2:12"));
}
