use std::collections::BTreeMap;
use std::path::Path;

use andon_core::{Digest, Identity, Target};
use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::super::{load_text, playground};
use super::{WHOLE, loaded};

fn target(text: &str) -> Target {
    text.parse().unwrap()
}

#[test]
fn everything_arrives() {
    let loaded = loaded(WHOLE).unwrap();
    assert_eq!(loaded.warnings, []);
    let catalog = &loaded.catalog;
    assert_eq!(catalog.ops_room.as_ref().unwrap().to_string(), "console:ops");
    assert_eq!(catalog.defaults.approval_expires, SignedDuration::from_mins(45));
    assert_eq!(catalog.defaults.lock_expires, SignedDuration::from_mins(90));
    assert_eq!(catalog.defaults.freeze_expires, SignedDuration::from_hours(48));

    let ana = &catalog.people[&"ana".parse().unwrap()];
    assert_eq!(ana.time_zone, TimeZone::get("Europe/Berlin").unwrap());
    assert_eq!(ana.teams, ["payments".parse().unwrap()]);
    let account: Identity = "chat:T1/U1".parse().unwrap();
    assert_eq!(catalog.speaker(&account).unwrap().person, ana.id);
    assert_eq!(catalog.people[&"cy".parse().unwrap()].time_zone, TimeZone::UTC);
    assert_eq!(catalog.machines["ci"].identities, ["hook:ci".parse().unwrap()]);
    assert_eq!(loaded.machine_tokens["ci"].value, "ANDON_CI_TOKEN");

    let prod = catalog.environment(&"live".parse().unwrap()).unwrap();
    assert!(prod.production, "production unless declared otherwise");
    assert_eq!(prod.after, Some("staging".parse().unwrap()));
    assert!(!catalog.environments[&"staging".parse().unwrap()].production);

    let api = &catalog.services[&"api".parse().unwrap()];
    assert_eq!(api.deployers, ["payments".parse().unwrap()]);
    assert_eq!(api.deployer_machines, ["ci"]);
    assert_eq!(api.approvers, ["sre".parse().unwrap()]);
    assert_eq!(api.depends_on, ["db".parse().unwrap()]);
    let db = &catalog.services[&"db".parse().unwrap()];
    assert_eq!((&db.deployers, &db.approvers), (&db.owners, &db.owners), "the owners where nothing is said");
    assert_eq!(catalog.rooms[0].services.len(), 2);

    assert_eq!(catalog.aliases[".deploy"], "deploy");
    let alias = &loaded.aliases[".deploy"];
    assert_eq!((alias.value.as_str(), alias.position.to_string().as_str()), ("deploy", "andon.toml:65:13"));
}

#[test]
fn the_bot_and_the_targets_are_told_what_is_theirs() {
    let loaded = loaded(WHOLE).unwrap();
    assert_eq!(loaded.bot.name, "andon");
    assert_eq!(loaded.bot.origin.as_deref(), Some("andon.example.org/prod"));
    assert!(loaded.bot.public_key.unwrap().ends_with("TW"));
    assert_eq!(loaded.bot.listen, Some(([127, 0, 0, 1], 8080).into()));
    assert_eq!(loaded.bot.redaction, ["CUST-\\d+", "token=[a-z]{6,}"]);

    let settings = loaded.catalog.target(&target("api/prod")).unwrap();
    assert_eq!((settings.deployer.as_str(), settings.approvals), ("local", 1));
    let config = &loaded.targets[&target("api/prod")];
    assert_eq!(
        config.settings,
        toml::toml! { artifacts = "artifacts/api"
        health = "/healthz" }
    );
    assert_eq!(loaded.targets.len(), 2);
}

#[test]
fn the_digest_of_a_target_follows_its_section_only() {
    let digest = |text: &str, name: &str| loaded(text).unwrap().catalog.target(&target(name)).unwrap().digest;
    let respelled = WHOLE.replace("health = \"/healthz\"\napprovals = 1", "approvals = 0x1 # one\nhealth = '/healthz'");
    assert_ne!(respelled, WHOLE);
    assert_eq!(digest(&respelled, "api/prod"), digest(WHOLE, "api/prod"));
    for changed in [WHOLE.replace("/healthz", "/ready"), WHOLE.replace("approvals = 1", "approvals = 0")] {
        assert_ne!(digest(&changed, "api/prod"), digest(WHOLE, "api/prod"));
        assert_eq!(digest(&changed, "api/staging"), digest(WHOLE, "api/staging"));
    }
}

#[test]
fn the_version_is_the_digest_of_the_text_without_secrets() {
    let comment = format!("# was: password={}\n{WHOLE}", "hunter22");
    let loaded = loaded(&comment).unwrap();
    assert_eq!(loaded.catalog.version, Digest::of(&loaded.catalog.text));
    assert!(!loaded.catalog.text.contains("hunter22"));
    assert!(loaded.catalog.text.contains("[services.db]"));
    let warning = "andon.toml:1:1: this comment looks as if it held a secret; the record keeps it redacted";
    assert_eq!(super::rendered(&loaded.warnings), warning);
}

#[test]
fn nothing_at_all_is_a_configuration() {
    let loaded = loaded("").unwrap();
    assert_eq!(loaded.bot.name, "andon");
    assert!(loaded.catalog.services.is_empty() && loaded.bot.listen.is_none());
}

#[test]
fn the_playground_is_right_wherever_it_stands() {
    for folder in ["/data/artifacts", "/home/o'neill \"x\"/\\artifacts"] {
        let text = playground::text(Path::new(folder), &["console:", "chat:"], &BTreeMap::new());
        let loaded = load_text("playground", &text, &crate::wiring::deployers())
            .map_err(|problems| super::rendered(&problems))
            .unwrap();
        assert_eq!(loaded.warnings, []);
        assert_eq!(loaded.catalog.services.len(), playground::SERVICES.len());
        assert_eq!(loaded.catalog.people.len(), playground::PEOPLE.len());
        let speaker = loaded.catalog.speaker(&"chat:ben".parse().unwrap()).unwrap();
        assert_eq!(speaker.person.as_str(), "ben");
        let shop = &loaded.targets[&target("shop/prod")].settings["artifacts"];
        assert_eq!(shop.as_str(), Some(format!("{folder}/shop").as_str()));
        assert_eq!(loaded.catalog.target(&target("hello/prod")).unwrap().approvals, 1);
        assert_eq!(loaded.catalog.target(&target("hello/staging")).unwrap().approvals, 0);
        assert!(!loaded.catalog.environments[&"staging".parse().unwrap()].production);
        assert_eq!(loaded.catalog.people[&"cy".parse().unwrap()].teams, []);
    }
}
