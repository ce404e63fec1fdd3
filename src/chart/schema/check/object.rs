//! Objects: their size, and what their properties must be.

use crate::chart::schema::draft::Draft;
use crate::chart::schema::failure::{Kind, count, quote, quote_all};
use crate::chart::schema::instance::Instance;
use crate::chart::schema::rule::{Additional, Dependency};

use super::Visit;

impl Visit<'_, '_> {
    pub(super) fn missing(&self, names: &'_ [String]) -> Vec<String> {
        names
            .iter()
            .filter(|name| self.instance.get(name).is_none())
            .cloned()
            .collect()
    }

    pub(super) fn object(&mut self) {
        let (rule, instance) = (self.rule, self.instance);
        self.sizes(
            instance.properties().len(),
            ("minProperties", rule.min_properties),
            ("maxProperties", rule.max_properties),
        );
        let missing = self.missing(&rule.required);
        if !missing.is_empty() {
            self.fail(|| {
                let word = if missing.len() == 1 {
                    "property"
                } else {
                    "properties"
                };
                format!(
                    "missing {word} {}",
                    quote_all(missing.iter().map(String::as_str))
                )
            });
        }
        if self.quiet && !self.failures.is_empty() {
            return;
        }
        for (name, dependency) in &rule.dependencies {
            if instance.get(name).is_none() {
                continue;
            }
            match dependency {
                Dependency::Properties(wanted) => self.dependent(name, wanted),
                Dependency::Schema(schema) => {
                    let outcome = self.itself(*schema, "", false);
                    self.note(outcome);
                }
            }
        }
        self.properties();
        if rule.draft == Some(Draft::Four) {
            return;
        }
        self.property_names();
        if rule.draft == Some(Draft::Six) {
            return;
        }
        for (name, schema) in &rule.dependent_schemas {
            if instance.get(name).is_some() {
                let outcome = self.itself(*schema, "", false);
                self.note(outcome);
            }
        }
        for (name, wanted) in &rule.dependent_required {
            if instance.get(name).is_some() {
                self.dependent(name, wanted);
            }
        }
    }

    pub(super) fn dependent(&mut self, name: &str, wanted: &[String]) {
        let missing = self.missing(wanted);
        if !missing.is_empty() {
            self.fail(|| {
                let missing = quote_all(missing.iter().map(String::as_str));
                format!("properties {missing} required, if {} exists", quote(name))
            });
        }
    }

    pub(super) fn properties(&mut self) {
        let rule = self.rule;
        let alone = rule.pattern_properties.is_empty() && rule.additional_properties.is_none();
        if alone && rule.properties.is_empty() {
            return;
        }
        let mut refused = Vec::new();
        for (name, value) in self.instance.properties() {
            if self.quiet && !self.failures.is_empty() {
                return;
            }
            let mut evaluated = false;
            if let Some(schema) = rule.properties.get(name) {
                evaluated = true;
                let outcome = self.inner(schema, value, name);
                self.note(outcome);
            }
            for (_, schema) in rule
                .pattern_properties
                .iter()
                .filter(|(pattern, _)| pattern.matches(name))
            {
                evaluated = true;
                let outcome = self.inner(*schema, value, name);
                self.note(outcome);
            }
            if !evaluated {
                match rule.additional_properties {
                    None => continue,
                    Some(Additional::Allowed(true)) => {}
                    Some(Additional::Allowed(false)) => refused.push(name),
                    Some(Additional::Schema(schema)) => {
                        let outcome = self.inner(schema, value, name);
                        self.note(outcome);
                    }
                }
            }
            self.unevaluated.properties.remove(name);
        }
        if !refused.is_empty() {
            self.fail(|| format!("additional properties {} not allowed", quote_all(refused)));
        }
    }

    pub(super) fn property_names(&mut self) {
        let Some(schema) = self.rule.property_names else {
            return;
        };
        let (schema, meta) = match self.checker.other_meta(schema, self.meta, self.path) {
            Some(other) => (other, Some(other)),
            None => (schema, self.meta),
        };
        for (name, _) in self.instance.properties() {
            let outcome =
                self.checker
                    .whole(schema, Instance::Name(name), meta, self.frame.depth + 1);
            if let Err(mut failure) = outcome {
                failure.at = self.path.tokens();
                failure.kind = Kind::Rule(format!("invalid propertyName {}", quote(name)));
                self.failures.push(*failure);
            }
        }
    }

    pub(super) fn sizes(
        &mut self,
        size: usize,
        least: (&str, Option<i64>),
        most: (&str, Option<i64>),
    ) {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        if let (name, Some(want)) = least
            && size < want
        {
            self.fail(|| format!("{name}: got {}, want {}", count(size), count(want)));
        }
        if let (name, Some(want)) = most
            && size > want
        {
            self.fail(|| format!("{name}: got {}, want {}", count(size), count(want)));
        }
    }
}
