//! The tree of an expression, with the sizes that Go bounds it by, and its form for regex-automata.

use regex_syntax::hir::{Capture, Class, ClassUnicode, Hir, Look, Repetition};

use super::syntax::ErrorCode;

/// The most instructions that an expression may compile to.
// regexp/syntax: parse.go maxSize
const LARGEST: u64 = (128 << 20) / (5 * 8);
/// How deep an expression may be nested.
// regexp/syntax: parse.go maxHeight
const HIGHEST: usize = 1_000;

/// A part of an expression.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    pub(super) node: Node,
    /// About how many instructions Go makes of it.
    size: u64,
    height: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Node {
    Empty,
    Class(ClassUnicode),
    Look(Look),
    Concat(Vec<Tree>),
    Alternate(Vec<Tree>),
    Capture(u32, Box<Tree>),
    Repeat {
        count: Count,
        greedy: bool,
        of: Box<Tree>,
    },
}

/// How often something is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) least: u32,
    /// Nothing for as often as may be.
    pub(super) most: Option<u32>,
    /// Whether the count was written in braces: only those multiply.
    pub(super) braces: bool,
}

impl Tree {
    /// The tree of a node; an error if that is too large or too deep.
    pub(super) fn new(node: Node) -> Result<Self, ErrorCode> {
        let (size, height) = match &node {
            Node::Empty | Node::Class(_) | Node::Look(_) => (1, 1),
            Node::Concat(parts) => (parts.iter().map(|part| part.size).sum(), 1 + highest(parts)),
            Node::Alternate(parts) => {
                let sizes: u64 = parts.iter().map(|part| part.size).sum();
                (sizes + parts.len() as u64 - 1, 1 + highest(parts))
            }
            Node::Capture(_, of) => (2 + of.size, 1 + of.height),
            Node::Repeat { count, of, .. } => (repeated_size(*count, of.size), 1 + of.height),
        };
        if size > LARGEST {
            return Err(ErrorCode::Large);
        }
        if height > HIGHEST {
            return Err(ErrorCode::NestingDepth);
        }
        Ok(Self { node, size, height })
    }

    /// Whether no path through the tree repeats more often than this, braces in braces multiplied.
    // regexp/syntax: parse.go repeatIsValid
    pub(super) fn repeats_at_most(&self, limit: u32) -> bool {
        match &self.node {
            Node::Empty | Node::Class(_) | Node::Look(_) => true,
            Node::Concat(parts) | Node::Alternate(parts) => {
                parts.iter().all(|part| part.repeats_at_most(limit))
            }
            Node::Capture(_, of) => of.repeats_at_most(limit),
            Node::Repeat { count, of, .. } if count.braces => {
                match count.most.unwrap_or(count.least) {
                    0 if count.most == Some(0) => true,
                    0 => of.repeats_at_most(limit),
                    times => times <= limit && of.repeats_at_most(limit / times),
                }
            }
            Node::Repeat { of, .. } => of.repeats_at_most(limit),
        }
    }

    /// What regex-automata runs. Its depth is bounded by [`HIGHEST`].
    pub(super) fn into_hir(self) -> Hir {
        match self.node {
            Node::Empty => Hir::empty(),
            Node::Class(class) => Hir::class(Class::Unicode(class)),
            Node::Look(look) => Hir::look(look),
            Node::Concat(parts) => Hir::concat(parts.into_iter().map(Self::into_hir).collect()),
            Node::Alternate(parts) => {
                Hir::alternation(parts.into_iter().map(Self::into_hir).collect())
            }
            Node::Capture(index, of) => Hir::capture(Capture {
                index,
                name: None,
                sub: Box::new(of.into_hir()),
            }),
            Node::Repeat { count, greedy, of } => Hir::repetition(Repetition {
                min: count.least,
                max: count.most,
                greedy,
                sub: Box::new(of.into_hir()),
            }),
        }
    }
}

fn highest(parts: &[Tree]) -> usize {
    parts.iter().map(|part| part.height).max().unwrap_or(0)
}

// regexp/syntax: parse.go calcSize
fn repeated_size(count: Count, of: u64) -> u64 {
    match (count.braces, count.least, count.most) {
        (false, 0, None) => 2 + of,
        (false, ..) => 1 + of,
        (true, 0, None) => 2 + of,
        (true, least, None) => 1 + u64::from(least) * of,
        (true, least, Some(most)) => (u64::from(most) * of + u64::from(most - least)).max(1),
    }
}
