//! What a schema refuses, as the tree that Helm prints.

use std::fmt;

use crate::chart::{print, quote as go};

use super::address;

/// A rule that was broken, where, and what led to it.
#[derive(Clone, Debug, Default)]
pub(super) struct Failure {
    pub(super) kind: Kind,
    /// The names and indices that lead to the value.
    pub(super) at: Vec<String>,
    pub(super) causes: Vec<Failure>,
}

/// What was broken.
#[derive(Clone, Debug, Default)]
pub(super) enum Kind {
    /// Nothing is known; nobody will ask.
    #[default]
    Unknown,
    /// A whole schema, at this place.
    Schema(String),
    /// Several rules at once.
    Group,
    /// A schema that was referred to.
    Reference,
    /// One rule, with the sentence that says so.
    Rule(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

impl Failure {
    // santhosh-tekuri/jsonschema: output.go display
    fn write(&self, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        let hidden = self.causes.len() == 1 && matches!(self.kind, Kind::Reference);
        let mut inner = indent;
        if !hidden {
            if indent > 0 {
                f.write_str("\n")?;
                (1..indent).try_for_each(|_| f.write_str("  "))?;
                f.write_str("- ")?;
            }
            inner += 1;
            match &self.kind {
                Kind::Schema(place) => {
                    write!(f, "jsonschema validation failed with {}", quote(place))?
                }
                Kind::Rule(sentence) => write!(f, "at {}: {sentence}", self.place())?,
                _ => write!(f, "at {}: validation failed", self.place())?,
            }
        }
        self.causes
            .iter()
            .try_for_each(|cause| cause.write(f, inner))
    }

    fn place(&self) -> String {
        let tokens: Vec<&str> = self.at.iter().map(String::as_str).collect();
        quote(&address::append("", &tokens))
    }
}

/// Go's quoting with single quotes around it.
// santhosh-tekuri/jsonschema: kind/kind.go quote
pub(super) fn quote(text: &str) -> String {
    let quoted = go::quote(text).replace("\\\"", "\"").replace('\'', "\\'");
    format!("'{}'", &quoted[1..quoted.len() - 1])
}

/// Several texts in quotes, joined.
pub(super) fn quote_all<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(quote).collect::<Vec<_>>().join(", ")
}

/// A count as English writes it: `1,234`.
// golang.org/x/text/message: %d
pub(super) fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", group(&digits))
}

/// A float as English writes it: `1,234.5`, and `1.5×10⁰⁷` where Go would write an exponent.
// golang.org/x/text/message: %v
pub(super) fn float(number: f64) -> String {
    let plain = print::float(number);
    let (sign, plain) = plain
        .strip_prefix('-')
        .map_or(("", plain.as_str()), |rest| ("-", rest));
    if let Some((mantissa, exponent)) = plain.split_once('e') {
        let raised: String = exponent
            .trim_start_matches('+')
            .chars()
            .map(superscript)
            .collect();
        return format!("{sign}{mantissa}×10{raised}");
    }
    match plain.split_once('.') {
        Some((whole, fraction)) => format!("{sign}{}.{fraction}", group(whole)),
        None => format!("{sign}{}", group(plain)),
    }
}

fn group(digits: &str) -> String {
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn superscript(c: char) -> char {
    match c {
        '-' => '⁻',
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => digit
            .to_digit(10)
            .and_then(|digit| char::from_u32(0x2070 + digit))
            .unwrap_or(digit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_english() {
        assert_eq!(float(65536.0), "65,536");
        assert_eq!(float(1e6), "1×10⁰⁶");
        assert_eq!(float(1.5e-7), "1.5×10⁻⁰⁷");
        assert_eq!(float(-1234.5678), "-1,234.5678");
        assert_eq!(count(1_234_567), "1,234,567");
    }
}
