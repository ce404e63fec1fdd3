//! A tree becomes a matcher, by the short cuts of gobwas/glob. gobwas/glob: compiler/compiler.go

use super::matcher::{Matcher, Tree};
use super::parse::Node;

/// What separates, for all that does not cross it.
const SEPARATOR: [char; 1] = ['/'];

/// The matcher of a pattern. gobwas/glob: compile
pub(super) fn compile(node: &Node) -> Matcher {
    optimized(match node {
        Node::AnyOf(patterns) => {
            return match without_common(patterns) {
                Some(pattern) => compile(&pattern),
                None => Matcher::AnyOf(compile_all(patterns)),
            };
        }
        Node::Pattern(nodes) if nodes.is_empty() => return Matcher::Nothing,
        Node::Pattern(nodes) => joined(minimized(compile_all(nodes))),
        Node::Any => Matcher::Any,
        Node::Super => Matcher::Super,
        Node::Single => Matcher::Single,
        Node::Nothing => Matcher::Nothing,
        Node::Text(text) => Matcher::text(text.as_bytes()),
        Node::List { characters, not } => Matcher::List {
            characters: characters.clone(),
            not: *not,
        },
        Node::Range { low, high, not } => Matcher::Range {
            low: *low,
            high: *high,
            not: *not,
        },
    })
}

fn compile_all(nodes: &[Node]) -> Vec<Matcher> {
    nodes.iter().map(|node| optimized(compile(node))).collect()
}

/// gobwas/glob: optimizeMatcher
fn optimized(matcher: Matcher) -> Matcher {
    match matcher {
        Matcher::AnyOf(mut matchers) if matchers.len() == 1 => matchers.remove(0),
        Matcher::List {
            characters,
            not: false,
        } if characters.len() == 1 => {
            Matcher::text(characters.iter().collect::<String>().as_bytes())
        }
        Matcher::Tree(mut tree) => {
            tree.left = tree.left.map(optimized);
            tree.right = tree.right.map(optimized);
            shortened(tree)
        }
        other => other,
    }
}

/// What a text with something simple at its sides comes to.
fn shortened(tree: Box<Tree>) -> Matcher {
    let Matcher::Text { text, .. } = &tree.value else {
        return Matcher::Tree(tree);
    };
    let text = || text.clone();
    match (&tree.left, &tree.right) {
        (None, None) => Matcher::text(&text()),
        (Some(Matcher::Super), Some(Matcher::Super)) => Matcher::Contains {
            needle: text(),
            not: false,
        },
        (Some(Matcher::Super), None) => Matcher::Suffix(text()),
        (None, Some(Matcher::Super)) => Matcher::Prefix(text()),
        (None, Some(Matcher::Suffix(suffix))) => Matcher::PrefixSuffix {
            prefix: text(),
            suffix: suffix.clone(),
        },
        (Some(Matcher::Prefix(prefix)), None) => Matcher::PrefixSuffix {
            prefix: prefix.clone(),
            suffix: text(),
        },
        (Some(Matcher::Any), None) => Matcher::SuffixAny(text()),
        (None, Some(Matcher::Any)) => Matcher::PrefixAny(text()),
        _ => Matcher::Tree(tree),
    }
}

/// One matcher for several in a row; there is at least one. gobwas/glob: compileMatchers
fn joined(mut matchers: Vec<Matcher>) -> Matcher {
    if matchers.len() == 1 {
        return matchers.remove(0);
    }
    if let Some(glued) = glued(&matchers) {
        return glued;
    }
    let mut longest: Option<(usize, usize)> = None;
    for (at, matcher) in matchers.iter().enumerate() {
        if let Some(length) = matcher.length()
            && longest.is_none_or(|(_, most)| length >= most)
        {
            longest = Some((at, length));
        }
    }
    let some = |matchers: Vec<Matcher>| (!matchers.is_empty()).then(|| joined(matchers));
    let at = longest.map_or(0, |(at, _)| at);
    let right = some(matchers.split_off(at + 1));
    let value = matchers.remove(at);
    Matcher::Tree(Box::new(Tree::new(value, some(matchers), right)))
}

/// One simple matcher for two or more, where there is one. gobwas/glob: glueMatchers
fn glued(matchers: &[Matcher]) -> Option<Matcher> {
    if matchers.len() < 2 {
        return None;
    }
    every(matchers).or_else(|| row(matchers))
}

/// gobwas/glob: glueMatchersAsRow
fn row(matchers: &[Matcher]) -> Option<Matcher> {
    let lengths = matchers.iter().map(Matcher::length);
    Some(Matcher::Row {
        length: lengths.sum::<Option<usize>>()?,
        matchers: matchers.to_vec(),
    })
}

/// gobwas/glob: glueMatchersAsEvery
fn every(matchers: &[Matcher]) -> Option<Matcher> {
    let (mut any, mut all, mut least) = (false, false, 0);
    let mut separator: Option<&[char]> = None;
    for matcher in matchers {
        let own: &[char] = match matcher {
            Matcher::Super => {
                all = true;
                &[]
            }
            Matcher::Any => {
                any = true;
                &SEPARATOR
            }
            Matcher::Single => {
                least += 1;
                &SEPARATOR
            }
            Matcher::List {
                characters,
                not: true,
            } => {
                least += 1;
                characters
            }
            _ => return None,
        };
        if *separator.get_or_insert(own) != own {
            return None;
        }
    }
    let separator = separator.unwrap_or_default();
    if all && !any && least == 0 {
        return Some(Matcher::Super);
    }
    if any && !all && least == 0 {
        return Some(Matcher::Any);
    }
    if (any || all) && least > 0 && separator.is_empty() {
        return Some(Matcher::Min(least));
    }
    let mut every = Vec::new();
    if least > 0 {
        every.push(Matcher::Min(least));
        if !any && !all {
            every.push(Matcher::Max(least));
        }
    }
    if !separator.is_empty() {
        every.push(Matcher::Contains {
            needle: separator.iter().collect::<String>().into_bytes(),
            not: true,
        });
    }
    Some(Matcher::EveryOf(every))
}

/// Glues the longest run that can be glued, and again. gobwas/glob: minimizeMatchers
fn minimized(matchers: Vec<Matcher>) -> Vec<Matcher> {
    let mut best: Option<(Matcher, usize, usize)> = None;
    for left in 0..matchers.len() {
        for right in (left + 1..=matchers.len()).rev() {
            let Some(glued) = glued(&matchers[left..right]) else {
                continue;
            };
            let better = best.as_ref().is_none_or(|(known, from, to)| {
                let lengths = known.length().zip(glued.length());
                lengths.is_some_and(|(known, length)| length > known) || to - from < right - left
            });
            if better {
                best = Some((glued, left, right));
            }
        }
    }
    let Some((glued, left, right)) = best else {
        return matchers;
    };
    let mut next = matchers[..left].to_vec();
    next.push(glued);
    next.extend_from_slice(&matchers[right..]);
    match next.len() == matchers.len() {
        true => next,
        false => minimized(next),
    }
}

/// What alternatives begin and end with in common stands before and after them.
/// gobwas/glob: minimizeTreeAnyOf
fn without_common(patterns: &[Node]) -> Option<Node> {
    let children: Vec<&[Node]> = patterns
        .iter()
        .map(|pattern| match pattern {
            Node::Pattern(nodes) => Some(nodes.as_slice()),
            _ => None,
        })
        .collect::<Option<_>>()?;
    let (left, right) = common(&children);
    if left.is_empty() && right.is_empty() {
        return None;
    }
    let mut rests: Vec<Node> = Vec::new();
    for nodes in &children {
        let rest = match &nodes[left.len()..nodes.len() - right.len()] {
            [] => Node::Nothing,
            rest => Node::Pattern(rest.to_vec()),
        };
        if !rests.contains(&rest) {
            rests.push(rest);
        }
    }
    let mut result = Vec::new();
    if !left.is_empty() {
        result.push(Node::Pattern(left));
    }
    match rests.as_slice() {
        [Node::Nothing] => {}
        [_] => result.append(&mut rests),
        _ => result.push(Node::AnyOf(rests)),
    }
    if !right.is_empty() {
        result.push(Node::Pattern(right));
    }
    Some(Node::Pattern(result))
}

/// gobwas/glob: commonChildren
fn common(patterns: &[&[Node]]) -> (Vec<Node>, Vec<Node>) {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let shortest = patterns
        .iter()
        .enumerate()
        .min_by_key(|(_, nodes)| nodes.len());
    let (Some((own, shortest)), true) = (shortest, patterns.len() > 1) else {
        return (left, right);
    };
    let (mut no_left, mut no_right) = (false, false);
    let length = shortest.len();
    for at in 0..length {
        let from_end = length - 1 - at;
        if left.len() + right.len() >= length || no_left && no_right {
            break;
        }
        for (index, nodes) in patterns.iter().enumerate() {
            if no_left && no_right {
                break;
            }
            if index == own {
                continue;
            }
            no_left |= shortest[at] != nodes[at];
            // Not what was taken from the left before.
            no_right |= !no_left && from_end <= at;
            no_right |= shortest[from_end] != nodes[from_end + nodes.len() - length];
        }
        if !no_left {
            left.push(shortest[at].clone());
        }
        if !no_right {
            right.insert(0, shortest[from_end].clone());
        }
    }
    (left, right)
}
