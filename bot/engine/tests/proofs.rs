//! Proofs cannot be made by whoever needs one: each of these files must fail to compile, and for the reason that stands beside it. One
//! file for each reason, since an error in finding names ends the build before privacy is looked at.

#[test]
fn proofs_cannot_be_made_from_outside() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/proofs/*.rs");
}
