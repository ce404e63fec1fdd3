//! The two shapes that versions and constraints are written in, found from the left and as long as
//! possible. Both are what Go's regular expressions of the same place accept.

/// A version as it is written, in its parts.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written<'t> {
    /// Everything, the `v` included.
    pub(super) whole: &'t str,
    pub(super) major: &'t str,
    pub(super) minor: Option<&'t str>,
    pub(super) patch: Option<&'t str>,
    /// Without its hyphen.
    pub(super) prerelease: Option<&'t str>,
    /// Without its plus.
    pub(super) metadata: Option<&'t str>,
}

/// What may stand for a number: digits in a version, in a constraint `x`, `X` and `*` as well
/// (and the bar, which Go's character class lets in by mistake).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Segment {
    Digits,
    DigitsOrWildcard,
}

impl Segment {
    fn admits(self, byte: u8) -> bool {
        byte.is_ascii_digit()
            || self == Self::DigitsOrWildcard && matches!(byte, b'x' | b'X' | b'*' | b'|')
    }
}

/// The version at the start of `text`, as long as possible, and what follows it.
// semver: version.go looseSemVerRegex, constraints.go cvRegex
pub(super) fn version(text: &str, segment: Segment) -> Option<(Written<'_>, &str)> {
    let unprefixed = text.strip_prefix('v').unwrap_or(text);
    let (major, rest) = leading(unprefixed, |byte| segment.admits(byte))?;
    let (minor, rest) = after(rest, '.', |rest| leading(rest, |byte| segment.admits(byte)));
    let (patch, rest) = match minor {
        Some(_) => after(rest, '.', |rest| leading(rest, |byte| segment.admits(byte))),
        None => (None, rest),
    };
    let (prerelease, rest) = after(rest, '-', identifiers);
    let (metadata, rest) = after(rest, '+', identifiers);
    let written = Written {
        whole: &text[..text.len() - rest.len()],
        major,
        minor,
        patch,
        prerelease,
        metadata,
    };
    Some((written, rest))
}

/// What `part` finds behind a mark; nothing, and the text untouched, if it finds nothing.
fn after<'t>(
    text: &'t str,
    mark: char,
    part: impl Fn(&'t str) -> Option<(&'t str, &'t str)>,
) -> (Option<&'t str>, &'t str) {
    match text.strip_prefix(mark).and_then(part) {
        Some((found, rest)) => (Some(found), rest),
        None => (None, text),
    }
}

/// The longest non-empty prefix of admitted bytes, all of them ASCII, and the rest.
fn leading(text: &str, admits: impl Fn(u8) -> bool) -> Option<(&str, &str)> {
    let end = text.bytes().take_while(|&byte| admits(byte)).count();
    (end > 0).then(|| text.split_at(end))
}

/// Identifiers of a pre-release or metadata, separated by dots.
fn identifiers(text: &str) -> Option<(&str, &str)> {
    let admits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let (_, mut rest) = leading(text, admits)?;
    while let Some((_, behind)) = rest
        .strip_prefix('.')
        .and_then(|next| leading(next, admits))
    {
        rest = behind;
    }
    Some((&text[..text.len() - rest.len()], rest))
}

/// The text behind white space, as Go's `\s` sees it.
pub(super) fn skip_space(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

/// Whether Go's `\s` matches it.
pub(super) fn is_space(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\x0c' | '\r' | ' ')
}
