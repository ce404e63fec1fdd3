//! What a scalar stands for: null, boolean, number, timestamp or string, by YAML 1.1's rules.
//!
//! go-yaml: resolve.go of v2, and of v3 where the writer needs it.

use std::borrow::Cow;

use super::error::Fault;
use super::number::{self, Integer};
use super::timestamp;

/// A scalar's tag, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    /// None given.
    Absent,
    Str,
    Bool,
    Int,
    Float,
    Null,
    Timestamp,
    Binary,
    Merge,
    /// Any other: the scalar is a string.
    Other,
}

impl Tag {
    pub(super) fn of(tag: Option<&str>) -> Self {
        let Some(tag) = tag else { return Self::Absent };
        match tag.strip_prefix("tag:yaml.org,2002:") {
            Some("str") => Self::Str,
            Some("bool") => Self::Bool,
            Some("int") => Self::Int,
            Some("float") => Self::Float,
            Some("null") => Self::Null,
            Some("timestamp") => Self::Timestamp,
            Some("binary") => Self::Binary,
            Some("merge") => Self::Merge,
            _ => Self::Other,
        }
    }

    fn short(self) -> &'static str {
        match self {
            Self::Str => "!!str",
            Self::Bool => "!!bool",
            Self::Int => "!!int",
            Self::Float => "!!float",
            Self::Null => "!!null",
            Self::Timestamp => "!!timestamp",
            Self::Binary => "!!binary",
            Self::Merge => "!!merge",
            Self::Absent | Self::Other => "",
        }
    }
}

/// A scalar with its type, strings left as they stand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Timestamp,
    Str,
}

impl Scalar {
    fn tag(self) -> Tag {
        match self {
            Self::Null => Tag::Null,
            Self::Bool(_) => Tag::Bool,
            Self::Int(_) | Self::Uint(_) => Tag::Int,
            Self::Float(_) => Tag::Float,
            Self::Timestamp => Tag::Timestamp,
            Self::Str => Tag::Str,
        }
    }
}

/// What a scalar is under a tag.
///
/// # Errors
/// Where the tag asks for a type that the text is not.
pub(super) fn resolve(tag: Tag, text: &str) -> Result<Scalar, Fault> {
    if matches!(tag, Tag::Str | Tag::Binary | Tag::Merge | Tag::Other) {
        return Ok(Scalar::Str);
    }
    let found = guess(text, tag == Tag::Timestamp);
    match (tag, found) {
        (Tag::Absent, found) => Ok(found),
        (Tag::Float, Scalar::Int(value)) => Ok(Scalar::Float(value as f64)),
        (tag, found) if tag == found.tag() => Ok(found),
        (tag, found) => Err(Fault::bare(format!(
            "cannot decode {} `{text}` as a {}",
            found.tag().short(),
            tag.short()
        ))),
    }
}

/// What a plain scalar without a tag is.
pub(super) fn plain(text: &str) -> Scalar {
    guess(text, false)
}

/// Without a tag a timestamp is as good as a string, so it is only looked for where it matters.
fn guess(text: &str, timestamps: bool) -> Scalar {
    let Some(&first) = text.as_bytes().first() else {
        return Scalar::Null;
    };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => word(text),
        b'.' => match text {
            ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
            ".inf" | ".Inf" | ".INF" => Scalar::Float(f64::INFINITY),
            _ => number::parse_float(text).map_or(Scalar::Str, Scalar::Float),
        },
        b'+' | b'-' | b'0'..=b'9' => match text {
            "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
            "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
            _ if timestamps && timestamp::is_timestamp(text) => Scalar::Timestamp,
            _ => numeric(text),
        },
        _ => Scalar::Str,
    }
}

fn word(text: &str) -> Scalar {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        _ => Scalar::Str,
    }
}

fn numeric(text: &str) -> Scalar {
    // The longest form is binary: 64 digits. Underscores do not count.
    let plain: Cow<'_, str> = if text.contains('_') {
        text.replace('_', "").into()
    } else {
        text.into()
    };
    let integer = |found| match found {
        Integer::Signed(value) => Scalar::Int(value),
        Integer::Unsigned(value) => Scalar::Uint(value),
    };
    if let Some(found) = number::parse_integer(&plain) {
        return integer(found);
    }
    if let Some(found) = number::parse_decimal(&plain) {
        return Scalar::Float(found);
    }
    // What is left are signs behind the prefix, which go-yaml lets pass.
    if let Some(digits) = plain.strip_prefix("0b") {
        return number::parse_signed(digits, 2).map_or(Scalar::Str, Scalar::Int);
    }
    Scalar::Str
}

/// Whether a plain scalar of this text would be read as a string by v2, and by v3 and YAML 1.1 readers.
///
/// go-yaml: encode.go stringv.
pub(super) fn reads_as_string(text: &str, octal_prefix: bool) -> bool {
    if guess(text, true) != Scalar::Str || is_base60(text) {
        return false;
    }
    // go-yaml v3: resolve.go, a sign behind YAML 1.2's octal prefix.
    !(octal_prefix
        && text.contains("0o")
        && text
            .replace('_', "")
            .strip_prefix("0o")
            .is_some_and(|digits| number::parse_signed(digits, 8).is_some()))
}

/// `^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$`: YAML 1.1's sexagesimal numbers, which
/// go-yaml reads as strings but does not leave unquoted.
fn is_base60(text: &str) -> bool {
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '-') {
        return false;
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = digits.split(':');
    let head = parts.next().unwrap_or_default();
    if !head.starts_with(|c: char| c.is_ascii_digit())
        || !head.bytes().all(|b| b.is_ascii_digit() || b == b'_')
    {
        return false;
    }
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return false;
    }
    while let Some(part) = parts.next() {
        let (part, fraction) = match part.split_once('.') {
            Some((part, fraction)) if parts.peek().is_none() => (part, fraction),
            Some(_) => return false,
            None => (part, ""),
        };
        let minutes = match part.as_bytes() {
            [a] => a.is_ascii_digit(),
            [a, b] => matches!(a, b'0'..=b'5') && b.is_ascii_digit(),
            _ => false,
        };
        if !minutes || !fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_') {
            return false;
        }
    }
    true
}
