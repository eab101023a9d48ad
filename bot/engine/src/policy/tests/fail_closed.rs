//! Whatever cannot be decided is refused.

use std::sync::LazyLock;

use andon_core::{Change, Line, PersonId, Plan, Step};
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Permits everything to everybody.
static OPEN: LazyLock<Policies> =
    LazyLock::new(|| only(r#"@id("open") @needs("nothing") permit (principal, action, resource);"#));

static DEFAULTS: LazyLock<Policies> = LazyLock::new(|| default_and(""));

fn with_arguments(policies: &Policies, action: &str, arguments: &Value) -> Answer {
    let (ana, room, resources) = (name::<PersonId>("ana"), room(), [target("hello/prod")]);
    policies.ask(&catalog(), &Question { arguments, ..question(Principal::Person(&ana), action, &resources, &room) })
}

#[test]
fn whoever_and_whatever_is_unknown_is_refused() {
    let refused = |who: &str, action: &str, resources: &[Resource]| match ask(&OPEN, who, action, resources) {
        Answer::Refused(denial) => denial.needs.join("; "),
        Answer::Permitted(_) => panic!("{who} may {action} {resources:?}"),
    };
    assert!(permitted(&ask(&OPEN, "cy", "deploy", &[target("hello/prod")])), "the policy itself refuses nobody");
    assert_eq!(refused("zoe", "help", &[Resource::House]), "a person that the configuration knows, and zoe is none");
    assert_eq!(
        refused("machine:x", "help", &[Resource::House]),
        "a machine that the configuration knows, and x is none"
    );
    assert_eq!(refused("ana", "deploy", &[]), "something to decide about");
    assert_eq!(refused("ana", "explode", &[Resource::House]), "a command that the policies' schema knows");
    assert_eq!(refused("ana", "read", &[Resource::House]), "a command that the policies' schema knows");
    assert_eq!(refused("ana", "cancel", &[operation("ana", &[])]), "an operation with at least one target");
    let unknown = [
        target("hello/moon"),
        target("moon/prod"),
        Resource::Service(name("moon")),
        Resource::Environment(name("moon")),
        operation("ana", &["hello/prod", "moon/prod"]),
        lease("ana", target("moon/prod")),
        lease("ana", Resource::Trail),
    ];
    for resource in unknown {
        refused("ana", "status", std::slice::from_ref(&resource));
        refused("ana", "status", &[Resource::House, resource]);
    }
}

#[test]
fn a_policy_that_cannot_be_evaluated_refuses_even_what_another_permits() {
    for broken in [
        r#"@id("broken") @needs("x") forbid (principal, action, resource is Target) when { resource.approvals * 9223372036854775807 > 0 && resource.approvals + 9223372036854775807 > 0 };"#,
        r#"@id("broken") @needs("x") forbid (principal, action, resource is Target) when { Service::"moon".owners.isEmpty() };"#,
        r#"@id("broken") @needs("x") permit (principal, action, resource is Target) when { Service::"moon".owners.isEmpty() };"#,
    ] {
        let policies = default_and(broken);
        let answer = ask(&policies, "ana", "deploy", &[target("hello/prod")]);
        assert_eq!(needs(&answer), ["a repair of the policy broken, which cannot be evaluated"], "{broken}");
        assert!(permitted(&ask(&policies, "ana", "help", &[Resource::House])), "it is not about this");
        assert!(!permitted(&ask(&policies, "ana", "status", &[Resource::House, target("hello/prod")])));
    }
}

#[test]
fn policies_look_into_what_they_name() {
    let policies = only(
        r#"@id("keepers-everywhere") @needs("an owner of api") permit (principal, action, resource)
           when { principal in Service::"api".owners && Environment::"prod".production && Target::"api/prod".approvals == 1 };"#,
    );
    assert!(permitted(&ask(&policies, "fay", "deploy", &[target("hello/prod")])));
    assert!(!permitted(&ask(&policies, "ana", "deploy", &[target("hello/prod")])));
}

#[test]
fn arguments_are_seen_as_declared_or_refused() {
    let policies = only(
        r#"@id("args") @needs("x") permit (principal, action == Action::"deploy", resource) when {
             context.arguments has at_most && context.arguments.at_most == 3 &&
             context.arguments has again && context.arguments.again &&
             context.arguments has strategy && context.arguments.strategy == "canary" &&
             context.arguments has service && context.arguments.service == "hello world"
           };"#,
    );
    let good =
        json!({ "at_most": 3, "again": true, "strategy": "canary", "service": ["hello", "world"], "undeclared": {} });
    assert!(permitted(&with_arguments(&policies, "deploy", &good)));
    let changed = |key: &str, value: Value| {
        let mut arguments = good.clone();
        arguments[key] = value;
        with_arguments(&policies, "deploy", &arguments)
    };
    assert_eq!(needs(&changed("at_most", json!(4))), ["x"]);
    assert_eq!(needs(&changed("at_most", Value::Null)), ["x"], "not given");
    for (key, value) in
        [("at_most", json!("3")), ("at_most", json!(1.5)), ("again", json!("yes")), ("strategy", json!({}))]
    {
        assert_eq!(needs(&changed(key, value)), [format!("{key} of deploy as the policies' schema declares it")]);
    }
    let entity = json!({ "strategy": { "__entity": { "type": "Person", "id": "ana" } } });
    assert!(!permitted(&with_arguments(&OPEN, "deploy", &entity)), "text is never taken for an entity");
}

#[test]
fn the_context_tells_room_platform_glass_and_plan() {
    let step = Step {
        target: "hello/prod".to_owned(),
        from: Some("v1".to_owned()),
        to: Some("v2".to_owned()),
        artifacts: Vec::new(),
        generation: None,
        configuration: None,
    };
    let change = Change {
        command: vec!["deploy".to_owned()],
        arguments: json!({}),
        steps: vec![step],
        undo: Some("rollback".to_owned()),
    };
    let plan = Plan { summary: Line::new(), change, findings: Vec::new() };
    let policies = only(
        r#"@id("all") @needs("x") permit (principal, action, resource) when {
             context.platform == "slack" && context.room == "slack:T1/C1" && context.break_glass && context has plan &&
             context.plan.steps == 1 && context.plan.reversible && context.plan.from == ["v1"] && context.plan.to.contains("v2")
           };"#,
    );
    let (ana, room, resources) = (name::<PersonId>("ana"), room(), [target("hello/prod")]);
    let asked = question(Principal::Person(&ana), "deploy", &resources, &room);
    let full = Question { break_glass: true, plan: Some(&plan), ..asked };
    assert!(permitted(&policies.ask(&catalog(), &full)));
    assert!(!permitted(&policies.ask(&catalog(), &Question { plan: None, ..full })));
    assert!(!permitted(&policies.ask(&catalog(), &Question { break_glass: false, ..full })));
    assert!(!permitted(&policies.ask(&catalog(), &Question { platform: "discord", ..full })));
}

#[test]
fn an_alias_of_an_environment_is_that_environment() {
    let policies = only(
        r#"@id("prod") @needs("x") permit (principal, action, resource in Environment::"prod") when { resource == Environment::"prod" };"#,
    );
    assert!(permitted(&ask(&policies, "cy", "status", &[Resource::Environment(name("live"))])));
}

fn resource() -> impl Strategy<Value = Resource> {
    let target =
        prop_oneof![Just("hello/prod"), Just("api/prod"), Just("batch/staging"), Just("ghost/prod"), Just("moon/prod")];
    let place = prop_oneof![
        target.clone().prop_map(super::target),
        Just(Resource::Service(name("ghost"))),
        Just(Resource::Environment(name("prod"))),
        Just(Resource::House),
    ];
    prop_oneof![
        place.clone(),
        (target, "[a-z]{1,3}").prop_map(|(target, asker)| operation(&asker, &[target])),
        (place, "[a-z]{1,3}").prop_map(|(over, owner)| lease(&owner, over)),
        Just(Resource::Trail),
        Just(Resource::Room(room())),
    ]
}

fn action() -> impl Strategy<Value = &'static str> {
    let bare = ["break_glass", "explode"];
    prop::sample::select(READS.into_iter().chain(ACTS).chain(OPERATIONS).chain(bare).collect::<Vec<_>>())
}

/// The catalog without its teams: everybody is known, and nobody is on any.
fn teamless() -> Catalog {
    Catalog { teams: BTreeMap::new(), ..catalog() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_stranger_is_never_permitted_anything(stranger in "[a-z][a-z0-9_-]{0,39}", action in action(), resource in resource()) {
        prop_assume!(!PEOPLE.contains(&stranger.as_str()));
        prop_assert!(!permitted(&ask(&OPEN, &stranger, action, std::slice::from_ref(&resource))));
        prop_assert!(!permitted(&ask(&DEFAULTS, &stranger, action, &[resource])));
    }

    #[test]
    fn without_teams_there_are_only_reads_freezes_and_what_is_ones_own(action in action(), resource in resource()) {
        let (ana, room) = (name::<PersonId>("ana"), room());
        let resources = [resource];
        let asked = Question { has_reason: true, ..question(Principal::Person(&ana), action, &resources, &room) };
        let answer = DEFAULTS.ask(&teamless(), &asked);
        let own = match &resources[0] {
            Resource::Operation { asked_by, .. } => *asked_by == ana && ["deny", "cancel"].contains(&action),
            Resource::Lease { owner, .. } => *owner == ana && ["unlock", "thaw"].contains(&action),
            _ => false,
        };
        prop_assert!(!permitted(&answer) || READS.contains(&action) || action == "freeze" || own, "{action} {resources:?}");
    }

    #[test]
    fn another_resource_never_gives_a_right(who in prop::sample::select(PEOPLE.to_vec()), action in action(), a in resource(), b in resource()) {
        let each = permitted(&ask(&DEFAULTS, who, action, std::slice::from_ref(&a)))
            && permitted(&ask(&DEFAULTS, who, action, std::slice::from_ref(&b)));
        prop_assert_eq!(permitted(&ask(&DEFAULTS, who, action, &[a, b])), each);
    }
}
