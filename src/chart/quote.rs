//! Go's `%q`, and the classes of characters that it rests on.

use std::fmt::Write as _;
use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

/// The text in double quotes with Go's escapes.
// go: strconv Quote
pub(in crate::chart) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if is_print(c) => out.push(c),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            c => escape(&mut out, c),
        }
    }
    out.push('"');
    out
}

/// A character in single quotes with Go's escapes, as `%q` prints a rune.
// go: strconv QuoteRune
pub(in crate::chart) fn quote_char(c: char) -> String {
    match c {
        '\'' => "'\\''".to_owned(),
        '"' => "'\"'".to_owned(),
        c => {
            let quoted = quote(c.encode_utf8(&mut [0; 4]));
            format!("'{}'", &quoted[1..quoted.len() - 1])
        }
    }
}

fn escape(out: &mut String, c: char) {
    let code = u32::from(c);
    // writing into a String cannot fail
    let _ = match code {
        0..0x20 | 0x7f => write!(out, "\\x{code:02x}"),
        0x20..0x10000 => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

/// Whether Go's `unicode.IsPrint` holds.
pub(in crate::chart) fn is_print(c: char) -> bool {
    static PRINTABLE: LazyLock<Vec<(char, char)>> = LazyLock::new(printable);
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    let at = PRINTABLE.partition_point(|&(_, end)| end < c);
    PRINTABLE.get(at).is_some_and(|&(start, _)| start <= c)
}

fn printable() -> Vec<(char, char)> {
    let class = regex_syntax::parse(r"[\p{L}\p{M}\p{N}\p{P}\p{S}]").map(|hir| hir.into_kind());
    match class {
        Ok(HirKind::Class(Class::Unicode(class))) => class
            .ranges()
            .iter()
            .map(|r| (r.start(), r.end()))
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether Go's `unicode.IsSpace` holds.
pub(in crate::chart) fn is_space(c: char) -> bool {
    c.is_whitespace()
}
