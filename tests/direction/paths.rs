//! Which rooms a file speaks to.
//!
//! In: the file's words and signs, and how deep its module lies. Out: the first word behind the
//! crate's root of every path that goes there, be it `crate::room`, `super::super::room` or an
//! entry of `use crate::{...}`. Never: a judgement.

use super::code::Token;

/// A path from the crate's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Use<'a> {
    /// The first word behind the root; `*`, `self` and `as` are words here.
    pub(super) room: &'a str,
    pub(super) line: usize,
}

/// `depth` counts the modules from the root down to the file's own: 2 for `src/plan/decide.rs`.
pub(super) fn uses<'a>(tokens: &[Token<'a>], depth: usize) -> Vec<Use<'a>> {
    let mut walk = Walk {
        tokens,
        found: Vec::new(),
        inline: Vec::new(),
        braces: 0,
        depth,
    };
    let mut at = 0;
    while at < tokens.len() {
        at = walk.step(at);
    }
    walk.found
}

struct Walk<'t, 'a> {
    tokens: &'t [Token<'a>],
    found: Vec<Use<'a>>,
    /// The depth of braces at which each `mod name {` that we are in was opened.
    inline: Vec<usize>,
    braces: usize,
    depth: usize,
}

impl<'a> Walk<'_, 'a> {
    fn text(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |token| token.text)
    }

    /// Looks at one token; answers where to go on.
    fn step(&mut self, at: usize) -> usize {
        match self.text(at) {
            "mod" if self.text(at + 2) == "{" => {
                self.inline.push(self.braces);
                self.braces += 1;
                return at + 3;
            }
            "{" => self.braces += 1,
            "}" => {
                self.braces = self.braces.saturating_sub(1);
                self.inline.retain(|opened| *opened < self.braces);
            }
            "use" => return self.tree(at + 1, None).max(at + 1),
            "crate" | "super" => return self.tree(at, None).max(at + 1),
            _ => {}
        }
        at + 1
    }

    /// Reads a path or a tree of paths. `above` says how far above the present module we stand:
    /// `None` at the beginning of a path, the crate's root as soon as it equals the depth.
    fn tree(&mut self, mut at: usize, mut above: Option<usize>) -> usize {
        let root = self.depth + self.inline.len();
        loop {
            match self.text(at) {
                "crate" if above.is_none() => above = Some(root),
                "super" => above = Some(above.unwrap_or(0) + 1),
                "self" if above.is_none() => above = Some(0),
                "::" => {}
                "{" => return self.group(at + 1, above),
                _ if above.is_some_and(|above| above >= root) => {
                    self.root_word(at);
                    return self.rest_of_tree(at + 1);
                }
                _ => return self.rest_of_tree(at),
            }
            at += 1;
        }
    }

    /// What stands behind the root. `crate` alone, as in `pub(crate)`, is no path.
    fn root_word(&mut self, at: usize) {
        let before = self
            .tokens
            .get(at.wrapping_sub(1))
            .map_or("", |token| token.text);
        let token = self.tokens[at];
        if matches!(before, "::" | "{" | ",") || token.text == "as" {
            self.found.push(Use {
                room: token.text,
                line: token.line,
            });
        }
    }

    /// The entries of a `{...}`, each standing where the group stands.
    fn group(&mut self, mut at: usize, above: Option<usize>) -> usize {
        while at < self.tokens.len() {
            match self.text(at) {
                "}" => return at + 1,
                "," => at += 1,
                _ => at = self.tree(at, above).max(at + 1),
            }
        }
        at
    }

    /// Past the words behind the one that counted, and past their groups.
    fn rest_of_tree(&mut self, mut at: usize) -> usize {
        if self.text(at) == "as" {
            at += 2;
        }
        while self.text(at) == "::" {
            at += 1;
            if self.text(at) == "{" {
                // Below a room, or below another crate: nothing in it can lead to the root.
                return self.closing(at);
            }
            at += 1;
            if self.text(at) == "as" {
                at += 2;
            }
        }
        at
    }

    fn closing(&self, mut at: usize) -> usize {
        let mut open = 0;
        while at < self.tokens.len() {
            match self.text(at) {
                "{" => open += 1,
                "}" => open -= 1,
                _ => {}
            }
            at += 1;
            if open == 0 {
                break;
            }
        }
        at
    }
}
