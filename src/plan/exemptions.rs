//! Which drift is left alone: what the spec's rules say, and what an object says of itself.

use serde_json::Value;

use crate::api::DriftIgnore;
use crate::manifest::ObjectKey;

/// The annotation by which an object, in the chart or in the cluster, asks to be left alone.
pub const DRIFT_ANNOTATION: &str = "helm.pintle.dev/drift";

/// The spec's ignore rules.
#[derive(Clone, Copy, Debug)]
pub struct Exemptions<'r> {
    rules: &'r [DriftIgnore],
    release_namespace: &'r str,
}

/// What of an object is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exempt<'r> {
    /// These fields; mostly none.
    Fields(Vec<&'r str>),
    /// All of it, and whether it is there.
    Whole,
}

impl<'r> Exemptions<'r> {
    /// These rules, for the objects of a release in this namespace.
    pub fn new(rules: &'r [DriftIgnore], release_namespace: &'r str) -> Self {
        Self {
            rules,
            release_namespace,
        }
    }

    /// What of an object is left alone, as the chart has it.
    pub fn of(&self, key: &ObjectKey, applied: &Value) -> Exempt<'r> {
        if asks_to_be_left_alone(applied) {
            return Exempt::Whole;
        }
        let mut fields = Vec::new();
        for rule in self.rules {
            if !self.concerns(rule, key, applied) {
                continue;
            }
            if rule.paths.is_empty() {
                return Exempt::Whole;
            }
            fields.extend(rule.paths.iter().map(String::as_str));
        }
        Exempt::Fields(fields)
    }

    fn concerns(&self, rule: &DriftIgnore, key: &ObjectKey, applied: &Value) -> bool {
        let namespace = key.namespace.as_deref().unwrap_or(self.release_namespace);
        let labels = &applied["metadata"]["labels"];
        rule.kind.as_ref().is_none_or(|kind| *kind == key.kind)
            && rule.name.as_ref().is_none_or(|name| *name == key.name)
            && rule.namespace.as_deref().is_none_or(|n| n == namespace)
            && rule
                .labels
                .iter()
                .all(|(label, value)| labels[label] == **value)
    }
}

/// Whether an object's annotation says so.
pub fn asks_to_be_left_alone(object: &Value) -> bool {
    object["metadata"]["annotations"][DRIFT_ANNOTATION] == "ignore"
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn of(rule: DriftIgnore, applied: &Value) -> bool {
        let key = ObjectKey {
            api_version: "apps/v1".to_owned(),
            kind: "Deployment".to_owned(),
            namespace: None,
            name: "web".to_owned(),
        };
        let rules = [rule];
        Exemptions::new(&rules, "apps").of(&key, applied) == Exempt::Whole
    }

    fn rule() -> DriftIgnore {
        DriftIgnore {
            kind: None,
            name: None,
            namespace: None,
            labels: BTreeMap::new(),
            paths: Vec::new(),
        }
    }

    #[test]
    fn a_rule_concerns_what_it_names() {
        let web = json!({"metadata": {"labels": {"tier": "front"}}});
        let labels = |value: &str| BTreeMap::from([("tier".to_owned(), value.to_owned())]);
        let namespace = |name: &str| Some(name.to_owned());
        assert!(of(rule(), &web));
        for (concerned, rule) in [
            (
                true,
                DriftIgnore {
                    labels: labels("front"),
                    ..rule()
                },
            ),
            (
                false,
                DriftIgnore {
                    labels: labels("back"),
                    ..rule()
                },
            ),
            (
                true,
                DriftIgnore {
                    namespace: namespace("apps"),
                    ..rule()
                },
            ),
            (
                false,
                DriftIgnore {
                    namespace: namespace("other"),
                    ..rule()
                },
            ),
            (
                false,
                DriftIgnore {
                    kind: Some("Service".to_owned()),
                    ..rule()
                },
            ),
        ] {
            assert_eq!(of(rule.clone(), &web), concerned, "{rule:?}");
        }
    }
}
