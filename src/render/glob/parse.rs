//! A pattern becomes a tree. gobwas/glob: syntax/lexer, syntax/ast

use crate::template::rune;

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// What is left of an alternative that has nothing of its own.
    Nothing,
    /// Pieces in a row.
    Pattern(Vec<Node>),
    Text(String),
    /// `*`
    Any,
    /// `**`
    Super,
    /// `?`
    Single,
    /// `[abc]`, `[!abc]`
    List {
        characters: Vec<char>,
        not: bool,
    },
    /// `[a-z]`, `[!a-z]`
    Range {
        low: char,
        high: char,
        not: bool,
    },
    /// `{a,b}`: each alternative is a pattern.
    AnyOf(Vec<Node>),
}

/// How deep braces may nest: far deeper than anyone writes, and shallow enough for the stack.
const MAX_DEPTH: usize = 64;

/// The tree of a pattern; nothing if it is refused.
pub(super) fn parse(pattern: &[u8]) -> Option<Node> {
    let mut parser = Parser {
        pattern,
        at: 0,
        broken: false,
    };
    let nodes = parser.pattern(0)?;
    (!parser.broken).then_some(Node::Pattern(nodes))
}

struct Parser<'p> {
    pattern: &'p [u8],
    at: usize,
    /// Met what is no character, for which U+FFFD is taken, too.
    broken: bool,
}

impl Parser<'_> {
    /// The next character, which stays. A NUL is taken for the end of what it stands in.
    fn peek(&mut self) -> Option<char> {
        let rest = &self.pattern[self.at..];
        if rest.is_empty() {
            return None;
        }
        match rune::decode(rest).0 {
            char::REPLACEMENT_CHARACTER => {
                self.broken = true;
                None
            }
            '\0' => None,
            next => Some(next),
        }
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        match next {
            Some(next) => self.at += next.len_utf8(),
            None if self.pattern.get(self.at) == Some(&0) => self.at += 1,
            None => {}
        }
        next
    }

    fn next_if(&mut self, wanted: char) -> bool {
        let met = self.peek() == Some(wanted);
        self.at += usize::from(met);
        met
    }

    /// A pattern up to its end, or within braces up to `,` or `}`, which stay.
    fn pattern(&mut self, depth: usize) -> Option<Vec<Node>> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut nodes = Vec::new();
        while let Some(next) = self.peek() {
            match next {
                ',' | '}' if depth > 0 => break,
                '{' => nodes.push(self.any_of(depth)?),
                '[' => nodes.push(self.range()?),
                '?' => {
                    self.next();
                    nodes.push(Node::Single);
                }
                '*' => {
                    self.next();
                    nodes.push(match self.next_if('*') {
                        true => Node::Super,
                        false => Node::Any,
                    });
                }
                _ => {
                    let text = self.text(if depth > 0 { "?*[{}," } else { "?*[{" });
                    if !text.is_empty() {
                        nodes.push(Node::Text(text.into_iter().collect()));
                    }
                }
            }
        }
        (!self.broken).then_some(nodes)
    }

    fn any_of(&mut self, depth: usize) -> Option<Node> {
        self.next();
        let mut patterns = Vec::new();
        loop {
            patterns.push(Node::Pattern(self.pattern(depth + 1)?));
            // Braces that the pattern's end leaves open are taken as closed.
            if self.next() != Some(',') {
                return Some(Node::AnyOf(patterns));
            }
        }
    }

    /// One list or one range, never both: `[a-z0-9]` is refused.
    fn range(&mut self) -> Option<Node> {
        self.next();
        let mut low = self.next()?;
        let not = low == '!';
        if not {
            low = self.next()?;
        }
        if self.next_if('-') {
            let high = self.next()?;
            let closed = self.next() == Some(']');
            return (closed && low <= high).then_some(Node::Range { low, high, not });
        }
        self.at -= low.len_utf8();
        let characters = self.text("]");
        let closed = self.next() == Some(']');
        (closed && !characters.is_empty()).then_some(Node::List { characters, not })
    }

    /// Text up to one of these characters, a backslash taking the meaning of what follows it.
    fn text(&mut self, until: &str) -> Vec<char> {
        let mut text = Vec::new();
        let mut escaped = false;
        while let Some(next) = self.peek() {
            if !escaped && until.contains(next) {
                return text;
            }
            self.at += next.len_utf8();
            if !escaped && next == '\\' {
                escaped = true;
                continue;
            }
            escaped = false;
            text.push(next);
        }
        // A NUL ends the text and is gone.
        self.next();
        text
    }
}
