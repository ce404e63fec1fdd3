//! Rust text without what the compiler does not read.
//!
//! In: a file's text. Out: its words and signs with their lines; comments, texts and characters
//! are gone. Never: a judgement.

/// A word or a sign of the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    /// Counted from 1.
    pub(super) line: usize,
}

/// The code's words (with `r#` left out) and signs; `::` is one sign.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut line = 1;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = skipped(rest).unwrap_or_else(|| {
            let length = token_length(rest, first);
            let token = rest[..length].trim_start_matches("r#");
            if !first.is_whitespace() {
                found.push(Token { text: token, line });
            }
            length
        });
        line += rest[..length].matches('\n').count();
        at += length;
    }
    found
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn token_length(rest: &str, first: char) -> usize {
    if rest.starts_with("::") {
        return 2;
    }
    let raw = if rest.starts_with("r#") { 2 } else { 0 };
    if is_word(first) {
        return raw
            + rest[raw..]
                .find(|c| !is_word(c))
                .unwrap_or(rest.len() - raw);
    }
    first.len_utf8()
}

/// The length of the comment, text, character or lifetime that stands here, if one does.
fn skipped(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    let body = rest.trim_start_matches(['b', 'c']);
    let prefix = rest.len() - body.len();
    if prefix > 1 {
        return None;
    }
    let raw = body
        .strip_prefix('r')
        .map(|body| body.trim_start_matches('#'));
    if let Some(quoted) = raw.filter(|quoted| quoted.starts_with('"')) {
        let hashes = body.len() - 1 - quoted.len();
        let end = format!("\"{}", "#".repeat(hashes));
        let length = quoted[1..]
            .find(&end)
            .map_or(quoted.len(), |length| 1 + length + end.len());
        return Some(prefix + 1 + hashes + length);
    }
    match body.chars().next()? {
        '"' => Some(prefix + quoted(body, '"')),
        '\'' => Some(prefix + character_or_lifetime(body)),
        _ => None,
    }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The length of what stands between two equal signs, both included.
fn quoted(rest: &str, sign: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == sign => return at + sign.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// `'x'` and `'\n'` are characters, `'x` is a lifetime.
fn character_or_lifetime(rest: &str) -> usize {
    let mut characters = rest.chars().skip(1);
    let (first, second) = (characters.next(), characters.next());
    if first == Some('\\') || second == Some('\'') {
        return quoted(rest, '\'');
    }
    1 + rest[1..].find(|c| !is_word(c)).unwrap_or(rest.len() - 1)
}
