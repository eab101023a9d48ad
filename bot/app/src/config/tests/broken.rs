use super::{loaded, rendered};

/// Configurations and exactly what is said of them: `=== name`, the text, `---`, the problems.
fn cases(file: &str) -> Vec<(&str, &str)> {
    let case = |case| -> Option<(&str, &str)> {
        let (_name, case) = str::split_once(case, '\n')?;
        let (text, problems) = case.split_once("\n---\n")?;
        Some((text, problems.trim_end()))
    };
    file.split("=== ").skip(1).map(|text| case(text).unwrap_or_else(|| panic!("{text}"))).collect()
}

#[test]
fn every_problem_is_said_with_its_place() {
    let cases = cases(include_str!("broken.txt"));
    assert_eq!(cases.len(), 30);
    for (text, problems) in cases {
        assert_eq!(loaded(text).unwrap_err(), problems, "of\n{text}");
    }
}

#[test]
fn what_is_odd_but_right_is_a_warning() {
    let cases = cases(include_str!("odd.txt"));
    assert_eq!(cases.len(), 1);
    for (text, warnings) in cases {
        assert_eq!(rendered(&loaded(text).unwrap().warnings), warnings, "of\n{text}");
    }
}
