//! The audit trail, held by somebody who trusts nobody.

use std::process::Command;
use std::time::Duration;

use andon_commands::COMMANDS;
use andon_core::EffectKind;
use andon_engine::Grammar;
use andon_tests::{Chat, Database, Playground, Scene, until};

use crate::commands::line;
use crate::{PROGRAM, everywhere};

everywhere! {
    verifies_only_with_the_pinned_key,
    what_cannot_be_signed_sets_nothing_going,
    a_row_that_tells_otherwise_than_its_record_starts_nothing,
    what_is_said_about_a_service_is_found_by_it,
    without_the_trail_nothing_changes_and_what_helps_still_answers,
}

fn verifies_only_with_the_pinned_key(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    playground.say(&["deploy hello v1 --env staging", "whoami"]);
    let (report, code) = playground.verify();
    assert_eq!(code, Some(0), "{report}");
    assert!(report.contains("holds, and the signer is the pinned one"), "{report}");
    let unpinned = playground.run(&["audit", "verify"]);
    assert_eq!(unpinned.status.code(), Some(3), "{}", String::from_utf8_lossy(&unpinned.stdout));
    let other = Playground::new(PROGRAM, Database::Sqlite);
    other.say(&["whoami"]);
    let foreign = playground.data().join("foreign.key");
    std::fs::write(&foreign, other.run(&["audit", "key"]).stdout).unwrap();
    let refused = playground.run(&["audit", "verify", "--key", &foreign.display().to_string()]);
    assert_eq!(refused.status.code(), Some(1), "{}", String::from_utf8_lossy(&refused.stdout));
}

/// Makes the database refuse every further record, as a full disk would; and the way back.
const fn full(scene: Scene) -> (&'static str, &'static str) {
    match scene.database {
        Database::Sqlite => (
            "create trigger full_disk before insert on records begin select raise(abort, 'the disk is full'); end",
            "drop trigger full_disk",
        ),
        Database::Postgres => (
            "create function full_disk() returns trigger language plpgsql as
                $$ begin raise exception 'the disk is full'; end $$;
             create trigger full_disk before insert on records for each row execute function full_disk()",
            "drop trigger full_disk on records; drop function full_disk",
        ),
    }
}

fn without_the_trail_nothing_changes_and_what_helps_still_answers(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    room.say("ana", "deploy hello v1 --env staging").expect_done("ana", "deploy hello nothing → v1 in staging");
    let (break_it, mend_it) = full(scene);
    playground.raw().meddle(break_it);
    let grammar = Grammar::new(COMMANDS);
    let mut answered = Vec::new();
    for (place, spec) in grammar.specs().iter().enumerate() {
        // Six in one room: more than Slack takes at once, and what cannot be kept is in no outbox that waits.
        room.go_to(&format!("slack:T0PLAY/room{}", place / 6)).say("ana", &line(spec));
        if spec.answers_unrecorded {
            room.expect("Not recorded: the audit trail cannot be written.");
            answered.push(spec.path.join(" "));
        } else {
            room.expect("Refused: ").expect_not("Not recorded");
        }
        assert!(!spec.answers_unrecorded || spec.effect == EffectKind::Read, "{:?} changes something", spec.path);
    }
    assert_eq!(answered, ["status", "history", "versions", "whoami", "can", "why", "help"]);
    let refused = "Refused: the audit trail cannot be written, and nothing happens unrecorded";
    room.go_to("lobby");
    room.say("ana", "deploy hello v2 --env staging").expect(refused);
    room.say("cy", "freeze staging --reason 'checkout fails'").expect(refused);
    assert_eq!(playground.orders("hello/staging"), 1);
    playground.raw().meddle(mend_it);
    room.say("cy", "status").expect("  target ").expect_not("frozen").expect_not("locked").expect_not("Not recorded");
    room.say("ana", "deploy hello v2 --env staging").expect_done("ana", "deploy hello v1 → v2 in staging");
    room.close();
}

fn what_is_said_about_a_service_is_found_by_it(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let reason = "--reason 'to be found'";
    playground.say(&[
        "deploy hello v1 --env prod",
        &format!("freeze prod {reason}"),
        &format!("lock hello --env prod {reason}"),
        &format!("lock shop --env staging {reason}"),
        "/as ben",
        &format!("deny op-1 {reason}"),
    ]);
    let search = |more: &[&str]| {
        let output = playground.run(&[&["audit", "search", "--service", "hello"], more].concat());
        (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
    };
    let (found, code) = search(&["--since", "1h"]);
    assert_eq!(code, Some(0));
    for (kind, command) in [("planned", "deploy"), ("objected", "deny"), ("applied", "freeze"), ("applied", "lock")] {
        let tells = |line: &&str| {
            line.contains(&format!("\"kind\":\"{kind}\"")) && line.contains(&format!("\"command\":[\"{command}\"]"))
        };
        assert_eq!(found.lines().filter(tells).count(), 1, "{kind} {command}:\n{found}");
    }
    assert!(found.lines().all(|line| line.contains("\"service\":\"hello\"")), "{found}");
    assert_eq!(search(&[]), (found, Some(0)));
    assert_eq!(search(&["--until", "1h"]), (String::new(), Some(0)));
    assert_eq!(search(&["--since", "yesterday"]).1, Some(1));
}

#[test]
fn a_second_process_on_the_same_file_is_refused_with_the_pid() {
    let playground = Playground::new(PROGRAM, Database::Sqlite);
    playground.say(&["whoami"]);
    let mut first = Command::new(PROGRAM)
        .args(["playground", "--data"])
        .arg(playground.data())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let lock = playground.data().join("andon.lock");
    let pid = first.id().to_string();
    until("it has the file", || std::fs::read_to_string(&lock).unwrap_or_default().trim() == pid);
    let second = playground.try_to_say(&["whoami"]);
    assert!(!second.well);
    assert!(second.errors.contains(&format!("process {pid} has this database already")), "{}", second.errors);
    drop(first.stdin.take());
    first.wait().unwrap();
}

#[test]
fn a_tampered_or_restored_database_is_found() {
    let playground = Playground::new(PROGRAM, Database::Sqlite);
    playground.say(&["whoami"]);
    let database = playground.data().join("andon.db");
    let old = std::fs::read(&database).unwrap();
    playground.say(&["whoami", "status"]);
    assert_eq!(playground.verify().1, Some(0));
    // An older copy of the database, as a restored backup would be.
    std::fs::write(&database, old).unwrap();
    for beside in ["andon.db-wal", "andon.db-shm"] {
        let _ = std::fs::remove_file(playground.data().join(beside));
    }
    assert_eq!(playground.verify().1, Some(1));
    let refused = playground.try_to_say(&["whoami"]);
    assert!(refused.errors.contains("was an old backup restored?"), "{}", refused.errors);
}

#[test]
fn garbage_in_place_of_the_database_is_told() {
    let playground = Playground::new(PROGRAM, Database::Sqlite);
    std::fs::write(playground.data().join("andon.db"), [b'x'; 8192]).unwrap();
    let refused = playground.try_to_say(&["whoami"]);
    assert!(!refused.well && refused.errors.contains("the database is damaged"), "{}", refused.errors);
}

fn what_cannot_be_signed_sets_nothing_going(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    room.say("ana", "status hello").expect("hello/staging");
    // Where the next checkpoint would be written stands a folder.
    let in_the_way = playground.data().join("anchor").join("checkpoint.new");
    // Just now the file of a checkpoint may stand there for a moment.
    until("the place is taken", || std::fs::create_dir(&in_the_way).is_ok());
    let is_refused = |room: &mut andon_tests::Session<'_>| {
        room.say("ana", "lock hello --env prod --reason test --dry-run");
        let refused = room.seen().contains("Refused: The audit trail cannot be signed");
        room.read_all();
        refused
    };
    // Some seconds without a signature are nothing; more are.
    until("changes are refused", || is_refused(room.fast_forward(Duration::from_secs(3))));
    room.say("ana", "deploy hello v1 --env staging").expect("Refused: The audit trail cannot be signed");
    room.say("cy", "status hello").expect("hello/staging").expect_not("op-1");
    std::fs::remove_dir(&in_the_way).expect("it can be freed");
    until("changes are taken", || !is_refused(&mut room));
    room.say("ana", "deploy hello v1 --env staging").expect_done("ana", "deploy hello nothing → v1 in staging");
    room.close();
}

/// The fenced blocks of a language in a document, in their order, without the indentation of the list that they stand in.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let (start, mut blocks, mut inside) = (format!("```{language}"), Vec::new(), None::<(usize, String)>);
    for line in document.lines() {
        match &mut inside {
            Some(_) if line.trim() == "```" => blocks.extend(inside.take().map(|(_, block)| block)),
            Some((indented, block)) => *block += &format!("{}\n", line.get(*indented..).unwrap_or_default()),
            None if line.trim() == start => inside = Some((line.len() - line.trim_start().len(), String::new())),
            None => {}
        }
    }
    blocks
}

/// Runs the commands of a document in a folder.
fn bash(folder: &std::path::Path, commands: &[String]) -> (String, bool) {
    let mut command = Command::new("bash");
    let output = command.args(["-euc", &commands.concat()]).current_dir(folder).output().expect("bash cannot be run");
    let said = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&said).into_owned(), output.status.success())
}

#[test]
fn public_tools_verify_what_the_document_says_that_they_do() {
    let playground = Playground::new(PROGRAM, Database::Sqlite);
    playground.say(&["deploy hello v1 --env staging", "deploy hello v1 --env prod", "/as ben", "approve op-2"]);
    assert_eq!(playground.verify().1, Some(0));
    let document = include_str!("../../docs/verify.md");
    let (_, public) = document.split_once("## Verify with public tools").unwrap();
    let folder = tempfile::tempdir().unwrap();
    for name in ["andon.db", "andon.db-wal", "andon.db-shm", "pinned.key"] {
        let from = playground.data().join(name);
        assert!(!from.exists() || std::fs::copy(&from, folder.path().join(name)).is_ok(), "{name}");
    }
    let (commands, script) = (blocks(public, "sh"), blocks(public, "python"));
    assert_eq!((commands.len(), script.len()), (4, 1), "the document has other steps");
    std::fs::write(folder.path().join("check.py"), &script[0]).unwrap();
    let (said, well) = bash(folder.path(), &commands);
    assert!(well, "{said}");
    for text in ["Signature Verified Successfully", "same origin", " records under ", ", 0 beyond it"] {
        assert!(said.contains(text), "{text:?} was not said:\n{said}");
    }
    // The leaf's hash, as openssl computes it and as it is kept.
    let hashes: Vec<_> = said.lines().rev().take(2).map(|line| line.rsplit("= ").next().unwrap_or(line)).collect();
    assert_eq!(hashes[0], hashes[1], "{said}");
    for tampering in [
        "drop trigger disclosures_kept; update disclosures set value = value || '!'",
        "drop trigger texts_kept; update texts set body = body || ' '",
        "drop trigger trail_leaves_stay; delete from trail_leaves where number = 1",
    ] {
        let changed = bash(folder.path(), &[format!("cp andon.db before.db; sqlite3 andon.db \"{tampering}\"")]);
        assert!(changed.1, "{}", changed.0);
        let (said, well) = bash(folder.path(), &commands[2..3]);
        assert!(!well && said.contains("AssertionError"), "{tampering}: {said}");
        assert!(bash(folder.path(), &["mv before.db andon.db".to_owned()]).1);
    }
}

/// Agrees in the name of Ben to the first operation, and makes him the asker of the second: what whoever owns the database can do.
fn forge(playground: &Playground, scene: Scene) {
    let (ana, ben) = match scene.chat {
        Chat::Terminal => ("console:ana", "console:ben"),
        Chat::SlackSocket | Chat::SlackHttp => ("slack:T0PLAY/U0ANA", "slack:T0PLAY/U0BEN"),
    };
    let digest = match scene.database {
        Database::Sqlite => "json_extract(body, '$.digest')",
        Database::Postgres => "body::json ->> 'digest'",
    };
    playground.raw().meddle(&format!(
        "insert into approvals (operation, person, identity, digest, at) \
            select id, 'ben', '{ben}', {digest}, created from operations where number = 1; \
         update operations set state = 'queued' where number = 1; \
         update operations set body = replace(replace(body, '\"ana\"', '\"ben\"'), '{ana}', '{ben}') where number = 2"
    ));
}

fn a_row_that_tells_otherwise_than_its_record_starts_nothing(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    room.say("ana", "deploy hello v1 --env prod").expect_asked("ben", "deploy hello nothing → v1 in prod");
    room.say("ana", "deploy shop v1 --env prod").expect_asked("ben", "deploy shop nothing → v1 in prod").leave("op-2");
    room.end();
    forge(&playground, scene);
    room.revive().expect("✗ Not started: deploy hello nothing → v1 in prod. 0 of 1 approvals still hold");
    room.expect("└ ✗ @ana Not started");
    room.say("ana", "approve op-2").expect("Refused: What is kept of it is not what was recorded");
    assert_eq!((playground.orders("hello/prod"), playground.orders("shop/prod")), (0, 0));
    room.close();
}
