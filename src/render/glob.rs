//! The patterns of `.Files.Glob`, with the grammar and the refusals of gobwas/glob.
//!
//! Its errors are left to it: it misses names where an alternative is empty or holds a star
//! (`*{,a}`, `{a*,b}c`), takes `ab` for `ab*ab`, and panics at some names that are not ASCII.

use std::iter::Peekable;
use std::str::Chars;

/// A compiled pattern. `/` separates: only `**` crosses it.
#[derive(Debug)]
pub(super) struct Glob(Vec<Node>);

#[derive(Debug)]
enum Node {
    Text(String),
    /// `*`
    Any,
    /// `**`
    Super,
    /// `?`
    Single,
    /// `[abc]`, `[!abc]`
    List {
        characters: String,
        not: bool,
    },
    /// `[a-z]`, `[!a-z]`
    Range {
        low: char,
        high: char,
        not: bool,
    },
    /// `{a,b}`
    AnyOf(Vec<Vec<Node>>),
}

/// How deep braces may nest: far deeper than anyone writes, and shallow enough for the stack.
const MAX_DEPTH: usize = 64;

/// The pattern is refused.
#[derive(Debug)]
pub(super) struct Refused;

impl Glob {
    /// What Helm compiles a pattern to: one that is refused matches everything.
    /// helm: pkg/engine/files.go Glob
    pub(super) fn compile(pattern: &str) -> Self {
        Self::parse(pattern).unwrap_or_else(|Refused| Self(vec![Node::Super]))
    }

    fn parse(pattern: &str) -> Result<Self, Refused> {
        // The lexer takes a NUL for the end, and U+FFFD for a broken character.
        let pattern = pattern.split('\0').next().unwrap_or_default();
        if pattern.contains(char::REPLACEMENT_CHARACTER) {
            return Err(Refused);
        }
        let mut parser = Parser {
            rest: pattern.chars().peekable(),
        };
        let nodes = parser.pattern(0)?;
        Ok(Self(nodes))
    }

    /// Whether the whole name matches.
    pub(super) fn matches(&self, name: &str) -> bool {
        let characters: Vec<char> = name.chars().collect();
        let mut reached = vec![false; characters.len() + 1];
        reached[0] = true;
        advance(&self.0, &characters, reached).last() == Some(&true)
    }
}

struct Parser<'p> {
    rest: Peekable<Chars<'p>>,
}

impl Parser<'_> {
    /// A pattern up to its end, or within braces up to `,` or `}`, which stay.
    fn pattern(&mut self, depth: usize) -> Result<Vec<Node>, Refused> {
        if depth > MAX_DEPTH {
            return Err(Refused);
        }
        let mut nodes = Vec::new();
        while let Some(&next) = self.rest.peek() {
            let node = match next {
                ',' | '}' if depth > 0 => break,
                '{' => self.any_of(depth)?,
                '[' => self.range()?,
                '?' => {
                    self.rest.next();
                    Node::Single
                }
                '*' => {
                    self.rest.next();
                    self.rest
                        .next_if_eq(&'*')
                        .map_or(Node::Any, |_| Node::Super)
                }
                _ => Node::Text(self.text(if depth > 0 { "?*[{}," } else { "?*[{" })),
            };
            nodes.push(node);
        }
        Ok(nodes)
    }

    fn any_of(&mut self, depth: usize) -> Result<Node, Refused> {
        self.rest.next();
        let mut patterns = Vec::new();
        loop {
            patterns.push(self.pattern(depth + 1)?);
            match self.rest.next() {
                Some(',') => {}
                // Braces that the pattern's end leaves open are taken as closed.
                _ => return Ok(Node::AnyOf(patterns)),
            }
        }
    }

    /// One list or one range, never both: `[a-z0-9]` is refused.
    fn range(&mut self) -> Result<Node, Refused> {
        self.rest.next();
        let mut first = self.rest.next().ok_or(Refused)?;
        let not = first == '!';
        if not {
            first = self.rest.next().ok_or(Refused)?;
        }
        if self.rest.next_if_eq(&'-').is_some() {
            let high = self.rest.next().ok_or(Refused)?;
            let closed = self.rest.next() == Some(']');
            return match closed && first <= high {
                true => Ok(Node::Range {
                    low: first,
                    high,
                    not,
                }),
                false => Err(Refused),
            };
        }
        let mut characters = String::new();
        match first {
            ']' => return Err(Refused),
            '\\' => characters.extend(self.rest.next()),
            first => characters.push(first),
        }
        characters.push_str(&self.text("]"));
        match self.rest.next() {
            Some(']') if !characters.is_empty() => Ok(Node::List { characters, not }),
            _ => Err(Refused),
        }
    }

    /// Text up to one of these characters, a backslash taking the meaning of what follows it.
    fn text(&mut self, until: &str) -> String {
        let mut text = String::new();
        while let Some(next) = self.rest.next_if(|next| !until.contains(*next)) {
            if next == '\\' {
                text.extend(self.rest.next());
            } else {
                text.push(next);
            }
        }
        text
    }
}

/// From the places in the name that a pattern's beginning reaches to those its end does: each
/// node once over the name, so that no pattern is slow.
fn advance(nodes: &[Node], name: &[char], mut reached: Vec<bool>) -> Vec<bool> {
    for node in nodes {
        reached = match node {
            Node::Text(text) => text.chars().fold(reached, |reached, wanted| {
                one(name, &reached, |found| found == wanted)
            }),
            Node::Single => one(name, &reached, |found| found != '/'),
            Node::List { characters, not } => {
                one(name, &reached, |found| characters.contains(found) != *not)
            }
            Node::Range { low, high, not } => one(name, &reached, |found| {
                (*low..=*high).contains(&found) != *not
            }),
            Node::Any => many(name, reached, |found| found != '/'),
            Node::Super => many(name, reached, |_| true),
            Node::AnyOf(patterns) => {
                let mut any = vec![false; reached.len()];
                for pattern in patterns {
                    for (any, one) in any.iter_mut().zip(advance(pattern, name, reached.clone())) {
                        *any |= one;
                    }
                }
                any
            }
        };
    }
    reached
}

fn one(name: &[char], reached: &[bool], fits: impl Fn(char) -> bool) -> Vec<bool> {
    let mut next = vec![false; reached.len()];
    for (at, found) in name.iter().enumerate() {
        next[at + 1] = reached[at] && fits(*found);
    }
    next
}

fn many(name: &[char], mut reached: Vec<bool>, fits: impl Fn(char) -> bool) -> Vec<bool> {
    for (at, found) in name.iter().enumerate() {
        reached[at + 1] |= reached[at] && fits(*found);
    }
    reached
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::Glob;

    /// Written by tests/oracle/release: a line of names, then patterns and what they match.
    const ORACLE: &str = include_str!("../../tests/oracle/release/globs.txt");

    #[test]
    fn names_match_as_in_helm() {
        let mut lines = ORACLE.lines();
        let names: Vec<&str> = lines.next().unwrap().split('\t').collect();
        let mut wrong = Vec::new();
        for line in lines {
            let (pattern, wanted) = line.split_once('\t').unwrap();
            let glob = Glob::compile(pattern);
            let found: String = names
                .iter()
                .map(|name| if glob.matches(name) { '1' } else { '0' })
                .collect();
            // Where gobwas/glob panics, anything is better.
            if !found
                .chars()
                .zip(wanted.chars())
                .all(|(found, wanted)| found == wanted || wanted == 'p')
            {
                wrong.push(format!("{pattern}: helm {wanted}, here {found}"));
            }
        }
        assert!(
            wrong.is_empty(),
            "{} differ\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }
}
