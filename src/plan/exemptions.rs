//! Which drift the spec says to leave alone.

use crate::api::DriftIgnore;
use crate::manifest::ObjectKey;
use crate::merge::Drift;

/// The spec's ignore rules.
pub struct DriftExemptions<'r> {
    rules: &'r [DriftIgnore],
}

impl<'r> DriftExemptions<'r> {
    /// These rules.
    pub fn new(rules: &'r [DriftIgnore]) -> Self {
        Self { rules }
    }

    /// Whether the rules cover all that differs about an object; `None` is an object that is gone.
    pub fn cover(&self, object: &ObjectKey, drift: Option<&Drift>) -> bool {
        let mut rules = self.rules.iter().filter(|rule| concerns(rule, object));
        let Some(drift) = drift else {
            return rules.any(|rule| rule.paths.is_empty());
        };
        let rules: Vec<&DriftIgnore> = rules.collect();
        drift.differences.iter().all(|difference| {
            rules.iter().any(|rule| {
                rule.paths.is_empty()
                    || rule
                        .paths
                        .iter()
                        .any(|path| is_within(&difference.path, path))
            })
        })
    }
}

fn concerns(rule: &DriftIgnore, object: &ObjectKey) -> bool {
    rule.kind.as_ref().is_none_or(|kind| *kind == object.kind)
        && rule.name.as_ref().is_none_or(|name| *name == object.name)
}

/// Whether a JSON pointer leads to, or below, another.
fn is_within(pointer: &str, ancestor: &str) -> bool {
    pointer
        .strip_prefix(ancestor)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
