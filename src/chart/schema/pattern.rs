//! Patterns in the syntax of Go's regexp: read for its complaints, and written anew for
//! regex-automata, whose classes and escapes mean other things.

use std::fmt::Write as _;

use regex_automata::meta::Regex;
use regex_automata::util::syntax;

/// A pattern that is ready to match.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    text: String,
    regex: Regex,
}

/// The largest automaton, in bytes.
const MAX_SIZE: usize = 32 << 20;

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Go's sentence.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let rewritten = Rewriter {
            text,
            at: 0,
            out: String::new(),
            groups: 0,
        }
        .run()
        .map_err(|error| format!("error parsing regexp: {error}"))?;
        let config = Regex::config()
            .nfa_size_limit(Some(MAX_SIZE))
            .utf8_empty(false);
        let syntax = syntax::Config::new().utf8(false);
        let regex = Regex::builder()
            .configure(config)
            .syntax(syntax)
            .build(&rewritten);
        let too_large = |_| format!("error parsing regexp: expression too large: `{text}`");
        Ok(Self {
            text: text.to_owned(),
            regex: regex.map_err(too_large)?,
        })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

struct Rewriter<'a> {
    text: &'a str,
    at: usize,
    out: String,
    groups: usize,
}

/// What stands before a place in a pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing that can be repeated.
    Nothing,
    /// Something that can.
    Atom,
    /// A repetition, which begins there.
    Repeat(usize),
}

// go: regexp/syntax parse.go
impl<'a> Rewriter<'a> {
    fn run(mut self) -> Result<String, String> {
        let mut before = Before::Nothing;
        while let Some(c) = self.peek() {
            let start = self.at;
            before = match c {
                '(' => {
                    self.open()?;
                    Before::Nothing
                }
                ')' => {
                    if self.groups == 0 {
                        return Err(format!("unexpected ): `{}`", self.text));
                    }
                    self.groups -= 1;
                    self.keep(1);
                    Before::Atom
                }
                '|' => {
                    self.keep(1);
                    Before::Nothing
                }
                '^' | '$' | '.' => {
                    self.keep(1);
                    Before::Atom
                }
                '[' => {
                    self.class()?;
                    Before::Atom
                }
                '*' | '+' | '?' => {
                    self.at += 1;
                    self.repeat(start, before)?
                }
                '{' => match self.counts() {
                    Some(counts) => {
                        let (least, most) = counts;
                        if least > 1000 || most.is_some_and(|most| most > 1000 || most < least) {
                            return Err(format!(
                                "invalid repeat count: `{}`",
                                &self.text[start..self.at]
                            ));
                        }
                        self.repeat(start, before)?
                    }
                    None => {
                        self.at += 1;
                        self.literal('{');
                        Before::Atom
                    }
                },
                '\\' => self.escape()?,
                c => {
                    self.at += c.len_utf8();
                    self.literal(c);
                    Before::Atom
                }
            };
        }
        if self.groups > 0 {
            return Err(format!("missing closing ): `{}`", self.text));
        }
        Ok(self.out)
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn keep(&mut self, length: usize) {
        self.out.push_str(&self.text[self.at..self.at + length]);
        self.at += length;
    }

    fn literal(&mut self, c: char) {
        if c.is_ascii_punctuation() {
            self.out.push('\\');
        }
        self.out.push(c);
    }

    /// A repetition that was read from `start` on.
    fn repeat(&mut self, start: usize, before: Before) -> Result<Before, String> {
        let lazy = self.rest().starts_with('?');
        self.at += usize::from(lazy);
        let operator = &self.text[start..self.at];
        match before {
            Before::Nothing => Err(format!(
                "missing argument to repetition operator: `{operator}`"
            )),
            Before::Repeat(first) => Err(format!(
                "invalid nested repetition operator: `{}`",
                &self.text[first..self.at]
            )),
            Before::Atom => {
                self.out.push_str(operator);
                Ok(Before::Repeat(start))
            }
        }
    }

    /// `{2}`, `{2,}` or `{2,3}`, if it is one.
    fn counts(&mut self) -> Option<(u32, Option<u32>)> {
        let rest = self.rest();
        let (inner, _) = rest[1..].split_once('}')?;
        let (least, most) = inner
            .split_once(',')
            .map_or((inner, Some(inner)), |(least, most)| {
                (least, (!most.is_empty()).then_some(most))
            });
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let leading = digits.len() > 1 && digits.starts_with('0');
            (plain && !leading).then(|| digits.parse().unwrap_or(u32::MAX))
        };
        let least = number(least)?;
        let most = match most {
            Some(most) => Some(number(most)?),
            None => None,
        };
        self.at += inner.len() + 2;
        Some((least, most))
    }

    fn open(&mut self) -> Result<(), String> {
        let rest = self.rest();
        if !rest.starts_with("(?") {
            self.groups += 1;
            self.at += 1;
            self.out.push_str("(?:");
            return Ok(());
        }
        for prefix in ["(?P<", "(?<"] {
            let Some(after) = rest.strip_prefix(prefix) else {
                continue;
            };
            let Some(end) = after.find('>') else {
                return Err(format!("invalid named capture: `{rest}`"));
            };
            let name = &after[..end];
            let word = |c: char| c == '_' || c.is_ascii_alphanumeric();
            if name.is_empty() || !name.chars().all(word) {
                return Err(format!(
                    "invalid named capture: `{}`",
                    &rest[..prefix.len() + end + 1]
                ));
            }
            self.groups += 1;
            self.at += prefix.len() + end + 1;
            self.out.push_str("(?:");
            return Ok(());
        }
        self.flags(rest)
    }

    fn flags(&mut self, rest: &str) -> Result<(), String> {
        let (mut negated, mut some) = (false, false);
        for (i, c) in rest.char_indices().skip(2) {
            match c {
                'i' | 'm' | 's' | 'U' => some = true,
                '-' if !negated => (negated, some) = (true, false),
                ':' | ')' if !negated || some => {
                    self.groups += usize::from(c == ':');
                    self.at += i + 1;
                    if i > 2 || c == ':' {
                        self.out.push_str(&rest[..=i]);
                    }
                    return Ok(());
                }
                c => {
                    let bad = &rest[..i + c.len_utf8()];
                    return Err(format!("invalid or unsupported Perl syntax: `{bad}`"));
                }
            }
        }
        Err(format!("invalid or unsupported Perl syntax: `{rest}`"))
    }

    /// What a backslash begins, outside of classes.
    fn escape(&mut self) -> Result<Before, String> {
        let rest = self.rest();
        let mut after = rest[1..].chars();
        match after.next() {
            Some('A') => self.out.push_str("\\A"),
            Some('z') => self.out.push_str("\\z"),
            Some('b') => self.out.push_str("(?-u:\\b)"),
            Some('B') => self.out.push_str("(?-u:\\B)"),
            Some('Q') => {
                let quoted = &rest[2..];
                let end = quoted.find("\\E");
                quoted[..end.unwrap_or(quoted.len())]
                    .chars()
                    .for_each(|c| self.literal(c));
                self.at += end.map_or(rest.len(), |end| 2 + end + 2);
                return Ok(Before::Atom);
            }
            _ => {
                self.class_escape()?;
                return Ok(Before::Atom);
            }
        }
        self.at += 2;
        Ok(Before::Atom)
    }

    /// What a backslash begins that also means something within a class.
    fn class_escape(&mut self) -> Result<(), String> {
        let rest = self.rest();
        let class = match rest.as_bytes().get(1) {
            Some(b'd') => "[0-9]",
            Some(b'D') => "[^0-9]",
            Some(b's') => "[\\t\\n\\x0c\\r\\x20]",
            Some(b'S') => "[^\\t\\n\\x0c\\r\\x20]",
            Some(b'w') => "[0-9A-Za-z_]",
            Some(b'W') => "[^0-9A-Za-z_]",
            Some(b'p' | b'P') => return self.unicode_class(),
            _ => {
                let c = self.escaped_char()?;
                return self.hex(c);
            }
        };
        self.out.push_str(class);
        self.at += 2;
        Ok(())
    }

    fn hex(&mut self, c: char) -> Result<(), String> {
        write!(self.out, "\\x{{{:x}}}", u32::from(c)).map_err(|error| error.to_string())
    }

    fn unicode_class(&mut self) -> Result<(), String> {
        let rest = self.rest();
        let name = &rest[2..];
        let end = match name.chars().next() {
            Some('{') => name.find('}').map(|end| end + 1),
            Some(c) => Some(c.len_utf8()),
            None => None,
        };
        let Some(end) = end else {
            return Err(format!("invalid character class range: `{rest}`"));
        };
        let whole = &rest[..2 + end];
        if regex_syntax::parse(whole).is_err() {
            return Err(format!("invalid character class range: `{whole}`"));
        }
        self.keep(whole.len());
        Ok(())
    }

    /// The one character that an escape stands for.
    // go: regexp/syntax parse.go parseEscape
    fn escaped_char(&mut self) -> Result<char, String> {
        let rest = self.rest();
        let mut chars = rest[1..].char_indices();
        let Some((_, c)) = chars.next() else {
            return Err("trailing backslash at end of expression: ``".to_owned());
        };
        let (value, length) = match c {
            '1'..='7' if !rest[2..].starts_with(|next: char| ('0'..='7').contains(&next)) => {
                (None, 2)
            }
            '0'..='7' => {
                let digits = rest[1..]
                    .bytes()
                    .take(3)
                    .take_while(|byte| (b'0'..=b'7').contains(byte))
                    .count();
                (u32::from_str_radix(&rest[1..=digits], 8).ok(), 1 + digits)
            }
            'x' => hexadecimal(rest),
            'a' => (Some(7), 2),
            'f' => (Some(12), 2),
            'n' => (Some(10), 2),
            'r' => (Some(13), 2),
            't' => (Some(9), 2),
            'v' => (Some(11), 2),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => (Some(u32::from(c)), 2),
            c => (None, 1 + c.len_utf8()),
        };
        let bad = || {
            format!(
                "invalid escape sequence: `{}`",
                &rest[..length.min(rest.len())]
            )
        };
        let value = value.and_then(char::from_u32).ok_or_else(bad)?;
        self.at += length;
        Ok(value)
    }

    // go: regexp/syntax parse.go parseClass
    fn class(&mut self) -> Result<(), String> {
        let start = self.at;
        self.keep(1);
        if self.rest().starts_with('^') {
            self.keep(1);
        }
        let mut first = true;
        loop {
            let Some(c) = self.peek() else {
                return Err(format!("missing closing ]: `{}`", &self.text[start..]));
            };
            if c == ']' && !first {
                self.keep(1);
                return Ok(());
            }
            first = false;
            // go: regexp/syntax/parse.go parseNamedClass
            if let Some(rest) = self.rest().strip_prefix("[:")
                && let Some(end) = rest.find(":]")
            {
                let name = &self.rest()[..end + 4];
                let class = &rest[..end];
                if !POSIX.contains(&class.strip_prefix('^').unwrap_or(class)) {
                    return Err(format!("invalid character class range: `{name}`"));
                }
                self.keep(name.len());
                continue;
            }
            let perl = matches!(
                self.rest().as_bytes(),
                [
                    b'\\',
                    b'd' | b'D' | b's' | b'S' | b'w' | b'W' | b'p' | b'P',
                    ..
                ]
            );
            if perl {
                self.class_escape()?;
            } else {
                self.range(start)?;
            }
        }
    }

    fn range(&mut self, class: usize) -> Result<(), String> {
        let start = self.at;
        let low = self.class_char(class)?;
        let mut high = low;
        if self.rest().starts_with('-') && !self.rest().starts_with("-]") && self.rest().len() > 1 {
            self.at += 1;
            high = self.class_char(class)?;
            if high < low {
                return Err(format!(
                    "invalid character class range: `{}`",
                    &self.text[start..self.at]
                ));
            }
        }
        self.hex(low)?;
        self.out.push('-');
        self.hex(high)
    }

    fn class_char(&mut self, class: usize) -> Result<char, String> {
        match self.peek() {
            None => Err(format!("missing closing ]: `{}`", &self.text[class..])),
            Some('\\') => self.escaped_char(),
            Some(c) => {
                self.at += c.len_utf8();
                Ok(c)
            }
        }
    }
}

/// The classes of characters that have a name in brackets.
const POSIX: &[&str] = &[
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// `\x7f` or `\x{10ffff}`: the code, and how far it was read.
// go: regexp/syntax parse.go parseEscape
fn hexadecimal(rest: &str) -> (Option<u32>, usize) {
    let mut chars = rest
        .char_indices()
        .skip(2)
        .map(|(at, c)| (at + c.len_utf8(), c))
        .peekable();
    if chars.next_if(|(_, c)| *c == '{').is_some() {
        let mut code = None;
        for (end, c) in chars {
            let Some(digit) = c.to_digit(16) else {
                return (code.filter(|_| c == '}'), end);
            };
            let longer = code.unwrap_or(0) * 16 + digit;
            if longer > u32::from(char::MAX) {
                return (None, end);
            }
            code = Some(longer);
        }
        return (None, rest.len());
    }
    let digits: Vec<_> = chars.take(2).collect();
    let end = digits.last().map_or(2, |(end, _)| *end);
    match digits[..] {
        [(_, high), (_, low)] => (
            high.to_digit(16)
                .zip(low.to_digit(16))
                .map(|(high, low)| high * 16 + low),
            end,
        ),
        _ => (None, end),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn classes_are_gos() {
        let word = Pattern::new(r"^[\w.-]+$").unwrap();
        assert!(word.matches("a_b.c-d"));
        assert!(!word.matches("é"));
        assert!(Pattern::new(r"^\d{1,3}$").unwrap().matches("42"));
        assert!(Pattern::new(r"^[&&~]$").unwrap().matches("&"));
    }

    #[test]
    fn what_go_refuses_is_refused_in_its_words() {
        for (pattern, sentence) in [
            ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
            ("a**", "invalid nested repetition operator: `**`"),
            ("(a", "missing closing ): `(a`"),
            ("[z-a]", "invalid character class range: `z-a`"),
        ] {
            let refusal = format!("error parsing regexp: {sentence}");
            assert_eq!(Pattern::new(pattern).err(), Some(refusal), "{pattern}");
        }
    }
}
