//! Where a schema is: a URL, and a JSON pointer or an anchor behind its `#`.

use std::borrow::Cow;
use std::sync::Arc;

use crate::chart::quote::quote;

use super::url::Url;

/// A place that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) url: String,
    pub(super) reason: String,
}

/// A document and a JSON pointer into it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) url: Arc<str>,
    pub(super) pointer: Arc<str>,
}

impl Place {
    pub(super) fn child(&self, tokens: &[&str]) -> Self {
        Self {
            url: Arc::clone(&self.url),
            pointer: append(&self.pointer, tokens).into(),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}#{}", self.url, encode(&self.pointer))
    }
}

/// A pointer with further tokens.
pub(super) fn append(pointer: &str, tokens: &[&str]) -> String {
    let added: usize = tokens.iter().map(|token| 1 + token.len()).sum();
    let mut longer = String::with_capacity(pointer.len() + added);
    longer.push_str(pointer);
    for token in tokens {
        longer.push('/');
        longer.push_str(&escape(token));
    }
    longer
}

pub(super) fn escape(token: &str) -> Cow<'_, str> {
    if token.bytes().any(|byte| matches!(byte, b'~' | b'/')) {
        token.replace('~', "~0").replace('/', "~1").into()
    } else {
        token.into()
    }
}

/// A token of a pointer as it was before; nothing where it is broken.
pub(super) fn unescape(token: &str) -> Option<Cow<'_, str>> {
    if !token.as_bytes().contains(&b'~') {
        return Some(token.into());
    }
    let mut out = String::with_capacity(token.len());
    let mut rest = token;
    while let Some(tilde) = rest.find('~') {
        out.push_str(&rest[..tilde]);
        out.push(match rest.as_bytes().get(tilde + 1)? {
            b'0' => '~',
            b'1' => '/',
            _ => return None,
        });
        rest = &rest[tilde + 2..];
    }
    out.push_str(rest);
    Some(out.into())
}

/// What stands before and after the first `#`.
pub(super) fn split(text: &str) -> (&str, &str) {
    text.split_once('#').unwrap_or((text, ""))
}

/// The same, with the fragment's escapes undone.
pub(super) fn split_fragment(text: &str) -> Result<(&str, String), Malformed> {
    let (url, fragment) = split(text);
    let fragment = percent_decode(fragment).ok_or_else(|| {
        malformed(
            text,
            format!("invalid URL escape {}", quote(bad_escape(fragment))),
        )
    })?;
    Ok((url, fragment))
}

fn malformed(url: &str, reason: String) -> Malformed {
    Malformed {
        url: url.to_owned(),
        reason,
    }
}

// go: net/url PathUnescape
pub(super) fn percent_decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            let digits = text
                .get(at + 1..at + 3)
                .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
            out.push(u8::from_str_radix(digits, 16).ok()?);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

/// The first escape of a text that is none, as Go cuts it out.
pub(super) fn bad_escape(text: &str) -> &str {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            let fine = bytes.len() > at + 2
                && bytes[at + 1].is_ascii_hexdigit()
                && bytes[at + 2].is_ascii_hexdigit();
            if !fine {
                let mut end = (at + 3).min(text.len());
                while !text.is_char_boundary(end) {
                    end += 1;
                }
                return &text[at..end];
            }
            at += 2;
        }
        at += 1;
    }
    ""
}

/// A pointer as it stands in a URL.
// go: net/url PathEscape of each token
pub(super) fn encode(pointer: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~$&+=:@/".contains(&byte);
    percent_encode(pointer, plain)
}

pub(super) fn percent_encode(text: &str, plain: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Resolves a reference in a document, as far as the `#`.
// go: net/url ResolveReference
pub(super) fn join(base: &str, reference: &str) -> Result<(String, String), Malformed> {
    let parsed_base = Url::parse(base).map_err(|reason| malformed(base, reason))?;
    let (reference, fragment) = split_fragment(reference)?;
    let url = Url::parse(reference).map_err(|reason| malformed(reference, reason))?;
    Ok((parsed_base.resolve(&url).to_string(), fragment))
}
