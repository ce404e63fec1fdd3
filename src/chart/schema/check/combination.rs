//! Rules made of other rules, and what no rule has looked at.

use crate::chart::schema::draft::Draft;

use super::{Visit, count_of};

impl<'a> Visit<'_, 'a> {
    pub(super) fn combinations(&mut self) {
        let rule = self.rule;
        if let Some(schema) = rule.not
            && self.itself(schema, "", true).is_ok()
        {
            self.fail(|| "'not' failed".to_owned());
        }
        self.all_of();
        self.any_of();
        self.one_of();
        if let Some(condition) = rule.condition {
            let branch = if self.itself(condition, "", true).is_ok() {
                rule.then
            } else {
                rule.otherwise
            };
            if let Some(schema) = branch {
                let outcome = self.itself(schema, "", false);
                self.note(outcome);
            }
        }
    }

    pub(super) fn all_of(&mut self) {
        let mut failures = Vec::new();
        for schema in &self.rule.all_of {
            if let Err(failure) = self.itself(*schema, "", false) {
                failures.push(*failure);
                if self.quiet {
                    break;
                }
            }
        }
        if !failures.is_empty() {
            self.fail_with(failures, || "'allOf' failed".to_owned());
        }
    }

    pub(super) fn any_of(&mut self) {
        if self.rule.any_of.is_empty() {
            return;
        }
        let (mut failures, mut matched) = (Vec::new(), false);
        for schema in &self.rule.any_of {
            match self.itself(*schema, "", false) {
                Err(failure) => failures.push(*failure),
                Ok(()) => {
                    matched = true;
                    // the others may still look at what is not evaluated
                    if self.unevaluated.is_empty() {
                        break;
                    }
                }
            }
        }
        if !matched {
            self.fail_with(failures, || "'anyOf' failed".to_owned());
        }
    }

    pub(super) fn one_of(&mut self) {
        if self.rule.one_of.is_empty() {
            return;
        }
        let (mut failures, mut matched) = (Vec::new(), None);
        for (i, schema) in self.rule.one_of.iter().enumerate() {
            match (self.itself(*schema, "", matched.is_some()), matched) {
                (Err(failure), None) => failures.push(*failure),
                (Err(_), Some(_)) => {}
                (Ok(()), None) => matched = Some(i),
                (Ok(()), Some(first)) => {
                    self.fail(|| {
                        format!(
                            "'oneOf' failed, subschemas {}, {} matched",
                            count_of(first),
                            count_of(i)
                        )
                    });
                    break;
                }
            }
        }
        if matched.is_none() {
            self.fail_with(failures, || "'oneOf' failed, none matched".to_owned());
        }
    }

    /// What no other keyword has looked at.
    pub(super) fn leftovers(&mut self) {
        if !self.rule.since(Draft::Year2019) {
            return;
        }
        if let Some(schema) = self
            .rule
            .unevaluated_properties
            .filter(|_| self.instance.is_object())
        {
            for name in std::mem::take(&mut self.unevaluated.properties) {
                if let Some(value) = self.instance.get(name) {
                    let outcome = self.inner(schema, value, name);
                    self.note(outcome);
                }
            }
        }
        if let (Some(schema), Some(items)) = (self.rule.unevaluated_items, self.instance.items()) {
            for i in std::mem::take(&mut self.unevaluated.items) {
                let outcome = self.inner(schema, items[i], &i.to_string());
                self.note(outcome);
            }
        }
    }
}
