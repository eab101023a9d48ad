//! What a service is born with, and what becomes of what it says.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;

use andon_core::ports::Effect;
use serde_json::Value;

use crate::stage::{Stage, program};

async fn inside(stage: &Stage) -> Value {
    let (status, text) = stage.visitor().await.send("/inside", "").await.unwrap();
    assert_eq!(status, 200);
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn a_service_gets_what_is_listed_and_nothing_else() {
    let stage = Stage::new("environment = { COLOUR = \"green\" }").await;
    stage.serve("v1").await;
    let inside = inside(&stage).await;
    let names: BTreeSet<_> = inside["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(names, BTreeSet::from(["COLOUR", "ENVIRONMENT", "PATH", "PORT", "SERVICE", "VERSION"]));
    assert_eq!(inside["inherited"], Value::Array(Vec::new()), "the keeper was given descriptor 7");
    assert_eq!(inside["user"], rustix::process::getuid().as_raw());
}

#[tokio::test]
async fn a_service_runs_as_the_user_that_is_named() {
    let stage = Stage::new("run_as = \"nobody\"").await;
    // In the release, since the folder of the build may be closed to others.
    stage.make("v1", &[]);
    let release = stage.data().join("artifacts/v1");
    std::fs::copy(program(), release.join("stage")).unwrap();
    std::fs::write(release.join("andon.toml"), "argv = [\"./stage\", \"service\"]").unwrap();
    let refused = |end: &Effect| match end {
        Effect::Failed { reason, .. } => reason.clone(),
        other => panic!("{other:?}"),
    };
    if !rustix::process::getuid().is_root() {
        let end = stage.deploy("v1").await;
        assert!(refused(&end).contains("needs a keeper that runs as root"), "{end:?}");
        return;
    }
    std::fs::set_permissions(stage.data(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let end = stage.deploy("v1").await;
    assert!(refused(&end).contains(&format!("nobody may not enter {}", stage.data().display())), "{end:?}");
    std::fs::set_permissions(stage.data(), std::fs::Permissions::from_mode(0o711)).unwrap();
    let end = stage.deploy("v1").await;
    assert!(matches!(end, Effect::Succeeded { .. }), "{end:?}");
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    let nobody = passwd.lines().find(|line| line.starts_with("nobody:")).unwrap().split(':').nth(2).unwrap();
    assert_eq!(inside(&stage).await["user"].to_string(), nobody);
}

#[tokio::test]
async fn secrets_never_reach_the_log_also_after_the_keepers_restart() {
    let mut stage = Stage::new("").await;
    stage.redaction = vec!["CUST-\\d+".to_owned()];
    stage.serve("v1").await;
    // Assembled at run time, so that no scanner takes this file for a leak.
    let secrets = [
        format!("xoxb-{}", "1234567890-abcdefghij"),
        format!("https://hooks.slack.com/services/{}", "T000/B000/XXXX"),
        format!("M{}.{}.{}", "a".repeat(25), "b".repeat(6), "c".repeat(30)),
        format!("https://discord.com/api/webhooks/1/{}", "abcdef"),
        format!("ghp_{}", "a".repeat(36)),
        format!("AKIA{}", "ABCDEFGHIJKLMNOP"),
        format!("aws_secret_access_key={}", "a".repeat(40)),
        format!("eyJhbGciOi.eyJzdWIi.{}", "c2ln"),
        format!("-----BEGIN {0} KEY-----\nMIIEvQ\n-----END {0} KEY-----", "PRIVATE"),
        format!("postgres://app:{}@db/x", "hunter2"),
        format!("Bearer {}", "d".repeat(20)),
        format!("password={}", "hunter22"),
        "CUST-4711".to_owned(),
    ];
    for round in ["first", "second"] {
        let mut visitor = stage.visitor().await;
        for secret in &secrets {
            visitor.send("/say", &format!("see {secret} there\n")).await.unwrap();
        }
        visitor.send("/say", &format!("{round} round\n")).await.unwrap();
        stage.logged(&format!("{round} round")).await;
        stage.kill();
        stage.open().await;
    }
    let log = stage.log();
    assert_eq!(log.matches("[redacted]").count(), 2 * (secrets.len() + 2), "{log}");
    for secret in secrets.iter().flat_map(|secret| secret.lines()) {
        assert!(!log.contains(secret), "{secret}");
    }
}
