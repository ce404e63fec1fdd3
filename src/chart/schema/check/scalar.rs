//! Strings and numbers: their bounds.

use crate::chart::schema::decimal::Decimal;
use crate::chart::schema::failure::{float, quote};

use super::Visit;

impl<'a> Visit<'_, 'a> {
    pub(super) fn string(&mut self) {
        let rule = self.rule;
        let Some(text) = self.instance.text() else {
            return;
        };
        if rule.min_length.is_some() || rule.max_length.is_some() {
            self.sizes(
                text.chars().count(),
                ("minLength", rule.min_length),
                ("maxLength", rule.max_length),
            );
        }
        if let Some(pattern) = &rule.pattern
            && !pattern.matches(text)
        {
            self.fail(|| {
                format!(
                    "{} does not match pattern {}",
                    quote(text),
                    quote(pattern.text())
                )
            });
        }
    }

    pub(super) fn number(&mut self) {
        use std::cmp::Ordering::{Greater, Less};
        let rule = self.rule;
        let bounds = [
            ("minimum", &rule.minimum, [Less, Less]),
            ("maximum", &rule.maximum, [Greater, Greater]),
            (
                "exclusiveMinimum",
                &rule.exclusive_minimum,
                [Less, std::cmp::Ordering::Equal],
            ),
            (
                "exclusiveMaximum",
                &rule.exclusive_maximum,
                [Greater, std::cmp::Ordering::Equal],
            ),
        ];
        if bounds.iter().all(|(_, bound, _)| bound.is_none()) && rule.multiple_of.is_none() {
            return;
        }
        let Some(number) = self.instance.number() else {
            return;
        };
        let sentence = |name: &str, want: &Decimal| {
            format!(
                "{name}: got {}, want {}",
                float(number.to_float()),
                float(want.to_float())
            )
        };
        for (name, bound, refused) in bounds {
            if let Some(want) = bound
                .as_ref()
                .filter(|want| refused.contains(&number.compare(want)))
            {
                self.fail(|| sentence(name, want));
            }
        }
        if let Some(want) = rule
            .multiple_of
            .as_ref()
            .filter(|want| !number.is_multiple_of(want))
        {
            self.fail(|| sentence("multipleOf", want));
        }
    }
}
