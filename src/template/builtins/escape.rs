//! `html`, `js` and `urlquery`.

use crate::template::rune;
use crate::template::text::Text;
use crate::template::unicode::is_print;

/// Go's `template.HTMLEscapeString`.
pub(super) fn html(text: Text) -> Text {
    let special = |byte: &u8| matches!(byte, b'"' | b'\'' | b'&' | b'<' | b'>' | 0);
    if !text.as_bytes().iter().any(special) {
        return text;
    }
    let mut out = Vec::with_capacity(text.as_bytes().len() + 16);
    for &byte in text.as_bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            0 => rune::push(&mut out, char::REPLACEMENT_CHARACTER),
            _ => out.push(byte),
        }
    }
    out.into()
}

/// Go's `template.JSEscapeString`.
pub(super) fn js(text: Text) -> Text {
    let mut out = Vec::with_capacity(text.as_bytes().len() + 16);
    let mut rest = text.as_bytes();
    while let Some(&byte) = rest.first() {
        let (rune, width) = rune::decode(rest);
        match rune {
            '\\' | '\'' | '"' => out.extend_from_slice(&[b'\\', byte]),
            '<' | '>' | '&' | '=' | '\0'..' ' => {
                out.extend_from_slice(format!("\\u{byte:04X}").as_bytes())
            }
            _ if rune.is_ascii() || is_print(rune) => out.extend_from_slice(&rest[..width]),
            _ => out.extend_from_slice(format!("\\u{:04X}", rune as u32).as_bytes()),
        }
        rest = &rest[width..];
    }
    out.into()
}

/// Go's `url.QueryEscape`.
pub(super) fn url_query(text: Text) -> Text {
    let mut out = Vec::with_capacity(text.as_bytes().len() + 16);
    for &byte in text.as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte),
            b' ' => out.push(b'+'),
            _ => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    out.into()
}
