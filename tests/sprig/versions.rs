//! Versions and constraints against Masterminds/semver v3.5.0.

use pintle::semver::{Constraint, Version};
use serde::Deserialize;

#[derive(Deserialize)]
struct Cases {
    versions: Vec<VersionCase>,
    constraints: Vec<ConstraintCase>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct VersionCase {
    text: String,
    parsed: String,
    error: String,
    strict: String,
    strict_error: String,
    order: String,
    next: String,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct ConstraintCase {
    text: String,
    parsed: String,
    error: String,
    verdicts: String,
    reasons: Vec<Vec<String>>,
}

fn cases() -> Cases {
    serde_json::from_str(include_str!("semver.versions.json")).unwrap()
}

fn readable(cases: &Cases) -> Vec<Version> {
    cases
        .versions
        .iter()
        .filter_map(|case| Version::parse(&case.text).ok())
        .collect()
}

/// What it displays as, or the error, either of them empty where there is none.
fn shown<T: ToString, E: ToString>(result: Result<T, E>) -> (String, String) {
    match result {
        Ok(value) => (value.to_string(), String::new()),
        Err(error) => (String::new(), error.to_string()),
    }
}

#[test]
fn versions_are_read_and_ordered_as_in_go() {
    let cases = cases();
    let others = readable(&cases);
    for case in &cases.versions {
        let expected = (case.parsed.clone(), case.error.clone());
        assert_eq!(
            shown(Version::parse(&case.text)),
            expected,
            "{:?}",
            case.text
        );
        let expected = (case.strict.clone(), case.strict_error.clone());
        assert_eq!(
            shown(Version::parse_strict(&case.text)),
            expected,
            "strict {:?}",
            case.text
        );
        let Ok(version) = Version::parse(&case.text) else {
            continue;
        };
        let order: String = others
            .iter()
            .map(|other| ['<', '=', '>'][(version.cmp(other) as i8 + 1) as usize])
            .collect();
        assert_eq!(order, case.order, "order of {:?}", case.text);
        if !case.next.is_empty() {
            let next = [
                version.next_patch(),
                version.next_minor(),
                version.next_major(),
            ];
            let next = next.map(|version| version.unwrap().original().to_owned());
            assert_eq!(next.join(" "), case.next, "after {:?}", case.text);
        }
    }
}

#[test]
fn constraints_are_read_and_checked_as_in_go() {
    let cases = cases();
    let versions = readable(&cases);
    for case in &cases.constraints {
        let expected = (case.parsed.clone(), case.error.clone());
        assert_eq!(
            shown(Constraint::parse(&case.text)),
            expected,
            "{:?}",
            case.text
        );
        let Ok(constraint) = Constraint::parse(&case.text) else {
            continue;
        };
        for (version, expected) in versions.iter().zip(case.verdicts.chars()) {
            assert_eq!(
                constraint.check(version),
                expected == 'y',
                "{:?} for {version}",
                case.text
            );
        }
        for (version, expected) in versions.iter().step_by(5).zip(&case.reasons) {
            let reasons = constraint.validate(version).err().unwrap_or_default();
            assert_eq!(&reasons, expected, "why not {:?} for {version}", case.text);
        }
    }
}
