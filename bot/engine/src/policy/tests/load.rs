//! What is found wrong when policies are loaded.

use super::*;

fn problems(text: &str) -> Vec<String> {
    let Err(problems) = Policies::load(&[file(text)], &commands()) else { panic!("{text} was taken") };
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn the_default_policies_are_sound() {
    assert!(Policies::load(&[(DEFAULT.0.to_owned(), DEFAULT.1.to_owned())], &commands()).is_ok());
}

#[test]
fn a_policy_has_a_name_and_says_what_it_needs() {
    assert_eq!(
        problems("// permit (principal, action, resource);\npermit (principal, action, resource);"),
        [
            r#"team.cedar:2:1: the policy does not say what it asks of people; put @needs("…") before it"#,
            r#"team.cedar:2:1: the policy has no name; put @id("…") before it"#,
        ]
    );
    assert_eq!(
        problems("@id(\"a b\") @needs(\"\")\npermit (principal, action, resource);"),
        [
            "team.cedar:1:1: @needs is one line of 1 to 200 characters",
            r#"team.cedar:1:1: an @id has 1 to 64 letters, digits, '-', '_' and '.'; "a b" is none"#,
        ]
    );
}

#[test]
fn names_are_taken_once() {
    let text = "@id(\"a\") @needs(\"x\") permit (principal, action, resource);\n  @id(\"a\") @needs(\"y\") permit (principal, action, resource);";
    assert_eq!(problems(text), [r#"team.cedar:2:3: the @id "a" is taken by team.cedar:1:1"#]);
    let more = file(r#"@id("people-read") @needs("x") permit (principal, action, resource);"#);
    let problems = Policies::load(&[more, (DEFAULT.0.to_owned(), DEFAULT.1.to_owned())], &commands()).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].to_string().starts_with(r#"team.cedar:1:1: the @id "people-read" is taken by default.cedar:"#),
        "{problems:?}"
    );
}

#[test]
fn misspelt_annotations_are_found() {
    assert_eq!(
        problems(r#"@id("a") @needs("x") @aprovals("2") permit (principal, action, resource);"#),
        ["team.cedar:1:1: @aprovals means nothing here; did you mean @approvals?"]
    );
    assert_eq!(
        problems(r#"@id("a") @needs("x") @approvals("-1") permit (principal, action, resource);"#),
        [r#"team.cedar:1:1: @approvals is a number from 0 to 20; "-1" is none"#]
    );
    assert_eq!(
        problems(r#"@id("a") @needs("x") @approvals("1") forbid (principal, action, resource);"#),
        ["team.cedar:1:1: @approvals stands before permits only; a forbid refuses whoever agrees"]
    );
}

#[test]
fn unknown_words_are_found_with_the_nearest() {
    assert_eq!(
        problems("@id(\"a\") @needs(\"x\")\npermit (principal, action == Action::\"deplo\", resource);"),
        [r#"team.cedar:2:30: for policy `a`, unrecognized action `Action::"deplo"`; did you mean `Action::"deploy"`?"#]
    );
    assert_eq!(
        problems(
            "@id(\"a\") @needs(\"x\")\npermit (principal, action == Action::\"deploy\", resource is Target)\nwhen { resource.envronment.production };"
        ),
        [
            "team.cedar:3:8: for policy `a`, attribute `envronment` on entity type `Target` not found; did you mean `environment`?"
        ]
    );
}

#[test]
fn what_cedar_cannot_read_is_placed() {
    assert_eq!(
        problems("@id(\"a\") @needs(\"x\")\npermit (principal, action, resource)\nwhen { principal in };"),
        ["team.cedar:3:21: unexpected token `}`"]
    );
}

#[test]
fn a_policy_that_can_never_apply_is_a_mistake() {
    let found = problems(
        "@id(\"a\") @needs(\"x\")\npermit (principal is Machine, action, resource) when { principal == Person::\"ana\" };",
    );
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("for policy `a`"), "{found:?}");
}

#[test]
fn templates_are_refused() {
    assert_eq!(
        problems(r#"@id("a") @needs("x") permit (principal == ?principal, action, resource);"#),
        ["team.cedar:1:1: policies with ?principal or ?resource are templates, and nothing fills them in"]
    );
}

#[test]
fn sizes_and_counts_are_bounded() {
    assert_eq!(
        problems(&" ".repeat(256 * 1024 + 1)),
        ["team.cedar:1:1: a file of policies has at most 262144 bytes; this has 262145"]
    );
    let many: Vec<_> = (0..201).map(|number| (format!("{number}.cedar"), String::new())).collect();
    let found = Policies::load(&many, &commands()).unwrap_err();
    assert_eq!(found[0].to_string(), "200.cedar:1:1: there are at most 200 files of policies");
    let found = Policies::load(&[file(""), file("")], &commands()).unwrap_err();
    assert_eq!(found[0].to_string(), "team.cedar:1:1: two files have this name");
}

#[test]
fn all_problems_of_all_files_are_told() {
    let files = [
        ("b.cedar".to_owned(), "permit".to_owned()),
        ("a.cedar".to_owned(), "permit (principal, action, resource);".to_owned()),
    ];
    let found = Policies::load(&files, &commands()).unwrap_err();
    let places: Vec<_> = found.iter().map(|problem| problem.file.as_str()).collect();
    assert_eq!(places, ["a.cedar", "a.cedar", "b.cedar"]);
}

#[test]
fn the_version_is_of_the_texts_and_not_of_their_order() {
    let (a, b) = (("a.cedar".to_owned(), String::new()), ("b.cedar".to_owned(), "// b".to_owned()));
    let version =
        |files: &[(String, String)], commands: &[CommandSpec]| Policies::load(files, commands).unwrap().version();
    let mut turned = commands();
    turned.reverse();
    let first = version(&[a.clone(), b.clone()], &commands());
    assert_eq!(first, version(&[b.clone(), a.clone()], &turned));
    assert_ne!(first, version(&[a.clone(), ("b.cedar".to_owned(), "// c".to_owned())], &commands()));
    assert_ne!(first, version(&[a.clone(), b.clone()], &commands()[1..]), "the schema counts");
    let policies = Policies::load(&[a, b], &commands()).unwrap();
    let texts: Value = serde_json::from_str(policies.texts()).unwrap();
    assert_eq!(texts["files"]["b.cedar"], "// b");
    assert_eq!(texts["schema"], Policies::schema(&commands()));
    assert_eq!(policies.version(), Digest::of(policies.texts()));
}
