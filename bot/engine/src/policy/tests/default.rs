//! The default policies: who may do what.

use std::sync::LazyLock;

use super::*;

static DEFAULTS: LazyLock<Policies> = LazyLock::new(|| default_and(""));

/// Asks for everybody, and compares those who may.
fn check(action: &str, resource: &Resource, expected: &[&str]) {
    let everybody = PEOPLE.into_iter().chain(["machine:ci", "machine:robot"]);
    let may: Vec<_> = everybody
        .filter(|who| {
            let answer = ask_with(&DEFAULTS, who, action, std::slice::from_ref(resource), |question| Question {
                has_reason: true,
                ..question
            });
            permitted(&answer)
        })
        .collect();
    assert_eq!(may, expected, "{action} on {resource:?}");
}

#[test]
fn every_linked_person_reads_everything() {
    let resources = [
        Resource::House,
        Resource::Trail,
        Resource::Room(room()),
        Resource::Service(name("api")),
        Resource::Environment(name("prod")),
        target("api/prod"),
        operation("dee", &["api/prod"]),
    ];
    for action in READS {
        for resource in &resources {
            check(action, resource, &PEOPLE);
        }
    }
}

#[test]
fn who_may_change_what() {
    let api = operation("dee", &["api/prod"]);
    let hello = operation("ana", &["hello/prod"]);
    let table: Vec<(&str, Resource, &[&str])> = vec![
        ("deploy", target("hello/staging"), &["ana", "ben"]),
        ("deploy", target("hello/prod"), &["ana", "ben"]),
        ("rollback", target("shop/prod"), &["ana", "ben"]),
        ("deploy", target("api/prod"), &["dee", "machine:ci"]),
        ("rollback", target("api/prod"), &["dee", "machine:ci"]),
        ("deploy", target("batch/prod"), &["machine:ci"]),
        ("deploy", target("ghost/prod"), &[]),
        ("deploy", Resource::Service(name("hello")), &[]),
        ("deploy", Resource::House, &[]),
        ("lock", target("hello/prod"), &["ana", "ben"]),
        ("lock", target("api/prod"), &["dee", "fay"]),
        ("approve", hello.clone(), &["ana", "ben"]),
        ("approve", target("hello/prod"), &["ana", "ben"]),
        ("approve", api.clone(), &["eve"]),
        ("approve", target("api/prod"), &["eve"]),
        ("approve", target("batch/prod"), &["fay"]),
        ("approve", Resource::House, &[]),
        ("deny", api.clone(), &["dee", "eve", "fay"]),
        ("cancel", api.clone(), &["dee", "eve", "fay"]),
        ("cancel", operation("cy", &["hello/prod"]), &["ana", "ben", "cy"]),
        ("settle", api.clone(), &["fay"]),
        ("settle", hello, &["ana", "ben"]),
        // There is no glass to break yet, so nobody is given the right in advance.
        ("break_glass", target("api/prod"), &[]),
        ("break_glass", api, &[]),
    ];
    for (action, resource, expected) in table {
        check(action, &resource, expected);
    }
}

#[test]
fn anybody_pulls_the_cord_and_its_owner_or_the_owners_under_it_let_go() {
    let (api, prod) = (Resource::Service(name("api")), Resource::Environment(name("prod")));
    for resource in [target("api/prod"), api.clone(), prod.clone(), Resource::House] {
        check("freeze", &resource, &PEOPLE);
    }
    check("thaw", &target("api/prod"), &["fay"]);
    check("thaw", &api, &["fay"]);
    check("thaw", &lease("cy", target("api/prod")), &["cy", "fay"]);
    check("thaw", &lease("cy", api), &["cy", "fay"]);
    check("thaw", &lease("cy", prod.clone()), &["ana", "ben", "cy", "fay"]);
    check("thaw", &prod, &["ana", "ben", "fay"]);
    check("thaw", &lease("eve", Resource::House), &["ana", "ben", "eve", "fay"]);
    check("unlock", &target("api/prod"), &["fay"]);
    check("unlock", &lease("dee", target("api/prod")), &["dee", "fay"]);
    check("unlock", &lease("ana", target("hello/prod")), &["ana", "ben"]);
}

#[test]
fn an_operation_on_several_targets_needs_the_right_to_each() {
    check("approve", &operation("ana", &["hello/prod", "shop/prod"]), &["ana", "ben"]);
    check("approve", &operation("ana", &["hello/prod", "api/prod"]), &[]);
    check("cancel", &operation("cy", &["hello/prod", "api/prod"]), &["cy"]);
    let both = [target("hello/prod"), target("api/prod")];
    assert!(!permitted(&ask(&DEFAULTS, "ana", "deploy", &both)));
    assert!(permitted(&ask(&DEFAULTS, "ana", "deploy", &both[..1])));
}

#[test]
fn what_is_permitted_somewhere_is_found_for_all_actions_at_once() {
    let room = room();
    let anywhere = |who: &str, resources: &[Resource]| -> Vec<String> {
        let (person, actions) =
            (name(who), commands().iter().map(|command| command.path.join(" ")).collect::<Vec<_>>());
        let question = Question { has_reason: true, ..question(Principal::Person(&person), "", resources, &room) };
        let found = DEFAULTS.permitted_anywhere(&catalog(), &question, &actions);
        found.into_iter().filter(|action| !READS.contains(&action.as_str())).collect()
    };
    let places = [Resource::House, target("hello/prod"), target("api/prod")];
    assert_eq!(anywhere("cy", &places), ["freeze"]);
    assert_eq!(anywhere("ana", &places), ["approve", "deploy", "freeze", "lock", "rollback", "thaw", "unlock"]);
    let others = [operation("dee", &["api/prod"]), lease("dee", target("api/prod"))];
    assert_eq!(anywhere("cy", &others), ["freeze"]);
    assert_eq!(anywhere("eve", &others), ["approve", "cancel", "deny", "freeze"]);
    assert_eq!(anywhere("fay", &others), ["cancel", "deny", "freeze", "settle", "thaw", "unlock"]);
    assert_eq!(anywhere("zoe", &places), [""; 0], "whom the configuration does not know");
}

#[test]
fn approvals_are_the_most_that_anything_asks_for() {
    assert_eq!(approvals(&ask(&DEFAULTS, "ana", "deploy", &[target("hello/staging")])), 0);
    assert_eq!(approvals(&ask(&DEFAULTS, "ana", "deploy", &[target("hello/prod")])), 1);
    assert_eq!(approvals(&ask(&DEFAULTS, "ana", "deploy", &[target("hello/staging"), target("hello/prod")])), 1);
    assert_eq!(approvals(&ask(&DEFAULTS, "ana", "status", &[target("hello/prod")])), 0, "a read waits for nobody");
    assert_eq!(
        approvals(&ask(&DEFAULTS, "ana", "lock", &[target("hello/prod")])),
        0,
        "an act waits for nobody by itself"
    );
    let strict = default_and(
        r#"@id("two") @needs("two") @approvals("2")
           permit (principal, action == Action::"deploy", resource is Target) when { resource.environment.production };"#,
    );
    let prod = ask(&strict, "ana", "deploy", &[target("hello/prod")]);
    assert_eq!(all(&prod), (true, ["deployers-operate".to_owned(), "two".to_owned()].as_slice()));
    assert_eq!(approvals(&prod), 2);
    assert_eq!(approvals(&ask(&strict, "ana", "deploy", &[target("hello/staging")])), 0, "two does not apply");
}

#[test]
fn a_refusal_by_default_names_what_is_needed() {
    let deploy = ask(&DEFAULTS, "cy", "deploy", &[target("hello/prod")]);
    assert_eq!(all(&deploy), (false, [].as_slice()));
    assert_eq!(needs(&deploy), ["a member of a team that deploys the service"]);
    let robot = ask(&DEFAULTS, "machine:robot", "deploy", &[target("api/prod")]);
    assert_eq!(needs(&robot), ["a machine that the service lists among its deployers"]);
    let thaw = ask(&DEFAULTS, "dee", "thaw", &[lease("cy", target("api/prod"))]);
    assert_eq!(
        needs(&thaw),
        ["whoever holds the lock or freeze", "a member of a team that owns a service under the lock or freeze"]
    );
    let room = ask(&DEFAULTS, "cy", "deploy", &[Resource::Room(room())]);
    assert!(needs(&room).is_empty(), "no permit is about deploying a room");
}

#[test]
fn a_refusal_names_no_permit_for_another_thing() {
    let policies = only(
        r#"@id("shop") @needs("shop people") permit (principal == Person::"ana", action, resource in Service::"shop");
           @id("hello") @needs("hello people") permit (principal == Person::"ana", action, resource in Service::"hello");
           @id("prod") @needs("prod people") permit (principal == Person::"ana", action, resource == Target::"api/prod");"#,
    );
    assert_eq!(needs(&ask(&policies, "cy", "deploy", &[target("hello/prod")])), ["hello people"]);
    assert_eq!(needs(&ask(&policies, "cy", "deploy", &[target("api/prod")])), ["prod people"]);
    assert!(needs(&ask(&policies, "cy", "deploy", &[target("api/staging")])).is_empty());
}

#[test]
fn a_forbid_decides_and_says_so() {
    let policies = default_and(
        r#"@id("no-reason-no-change") @needs("a reason") forbid (principal, action in Action::"operate", resource)
           when { !context.has_reason };"#,
    );
    let answer = ask(&policies, "ana", "deploy", &[target("hello/prod")]);
    assert_eq!(all(&answer), (false, ["no-reason-no-change".to_owned()].as_slice()));
    assert_eq!(needs(&answer), ["a reason"]);
    let with_reason = ask_with(&policies, "ana", "deploy", &[target("hello/prod")], |question| Question {
        has_reason: true,
        ..question
    });
    assert!(permitted(&with_reason));
}
