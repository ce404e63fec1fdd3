//! Lists: their size, and what their items must be.

use std::collections::HashMap;

use crate::chart::schema::draft::Draft;
use crate::chart::schema::failure::count;
use crate::chart::schema::instance::Instance;
use crate::chart::schema::rule::{Additional, Id, Items, Rule};

use super::{Visit, count_of};

impl<'a> Visit<'_, 'a> {
    pub(super) fn array(&mut self) {
        let rule = self.rule;
        let items = self.instance.items().unwrap_or_default();
        self.sizes(
            items.len(),
            ("minItems", rule.min_items),
            ("maxItems", rule.max_items),
        );
        if rule.unique_items {
            let mut seen = HashMap::new();
            for (second, item) in items.iter().enumerate() {
                if let Some(first) = seen.insert(item.key(), second) {
                    self.fail(|| {
                        format!(
                            "items at {} and {} are equal",
                            count_of(first),
                            count_of(second)
                        )
                    });
                    break;
                }
            }
        }
        let first = if rule.since(Draft::Year2020) {
            rule.prefix_items.as_slice()
        } else {
            rule.items_each()
        };
        for (i, (item, schema)) in items.iter().zip(first).enumerate() {
            let outcome = self.inner(*schema, *item, &i.to_string());
            self.note(outcome);
        }
        let mut done = first.len().min(items.len());
        let rest = if rule.since(Draft::Year2020) {
            rule.items_2020
        } else {
            rule.items_all()
        };
        if let Some(schema) = rest {
            self.items_from(done, &items, schema);
            done = items.len();
        }
        match rule.additional_items {
            Some(Additional::Allowed(false)) if done < items.len() => {
                let extra = count_of(items.len() - done);
                self.fail(|| format!("last {extra} additionalItem(s) not allowed"));
            }
            Some(Additional::Schema(schema)) => self.items_from(done, &items, schema),
            _ => {}
        }
        if let Some(schema) = rule.contains {
            self.contains(&items, schema);
        }
    }

    pub(super) fn items_from(&mut self, start: usize, items: &[Instance<'a>], schema: Id) {
        for (i, item) in items.iter().enumerate().skip(start) {
            let outcome = self.inner(schema, *item, &i.to_string());
            self.note(outcome);
        }
    }

    pub(super) fn contains(&mut self, items: &[Instance<'a>], schema: Id) {
        let rule = self.rule;
        let (mut failures, mut matched) = (Vec::new(), Vec::new());
        for (i, item) in items.iter().enumerate() {
            match self.inner(schema, *item, &i.to_string()) {
                Err(failure) => failures.push(*failure),
                Ok(()) => {
                    matched.push(i);
                    if rule.since(Draft::Year2020) {
                        self.unevaluated.items.remove(&i);
                    }
                }
            }
        }
        let found = i64::try_from(matched.len()).unwrap_or(i64::MAX);
        let places = || {
            matched
                .iter()
                .map(usize::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        };
        match rule.min_contains {
            Some(want) if found < want => self.fail_with(failures, || {
                let seen = if found == 0 {
                    "none matched".to_owned()
                } else {
                    format!("matched {} items at {}", count(found), places())
                };
                format!(
                    "min {} items required to match contains schema, but {seen}",
                    count(want)
                )
            }),
            None if found == 0 => {
                self.fail_with(failures, || "no items match contains schema".to_owned())
            }
            _ => {}
        }
        if let Some(want) = rule.max_contains.filter(|want| found > *want) {
            self.fail(|| {
                let (want, found) = (count(want), count(found));
                format!("max {want} items required to match contains schema, but matched {found} items at {}", places())
            });
        }
    }
}

impl Rule {
    pub(super) fn items_each(&self) -> &[Id] {
        match &self.items {
            Some(Items::Each(schemas)) => schemas,
            _ => &[],
        }
    }

    pub(super) fn items_all(&self) -> Option<Id> {
        match self.items {
            Some(Items::All(schema)) => Some(schema),
            _ => None,
        }
    }
}
