//! Matchers on names, byte for byte as gobwas/glob goes about it. gobwas/glob: match

use std::cell::Cell;

use bstr::ByteSlice;

use crate::template::rune;

/// Steps that matching one name may take: a hundred times what a person's pattern needs.
const MAX_STEPS: usize = 1 << 24;

/// Why a pattern gave no answer.
#[derive(Debug, thiserror::Error)]
pub(in crate::render) enum Stopped {
    /// Go's reflection would show the template this.
    #[error("runtime error: slice bounds out of range [:{end}] with length {length}")]
    Panic {
        /// Where the slice should end.
        end: usize,
        /// How long the text is.
        length: usize,
    },
    /// Helm goes on for as long as it takes.
    #[error("a pattern took more than {MAX_STEPS} steps on one name")]
    TooCostly,
}

/// How many steps were taken.
#[derive(Default)]
pub(super) struct Walk(Cell<usize>);

impl Walk {
    fn step(&self, text: &[u8]) -> Result<(), Stopped> {
        let steps = self.0.get() + 1 + text.len();
        self.0.set(steps);
        match steps > MAX_STEPS {
            true => Err(Stopped::TooCostly),
            false => Ok(()),
        }
    }
}

/// Where a match begins, and the lengths that it may have there, in order.
type Found = Option<(usize, Vec<usize>)>;

#[derive(Clone, Debug)]
pub(super) enum Matcher {
    Text {
        text: Vec<u8>,
        characters: usize,
    },
    Any,
    Super,
    Single,
    List {
        characters: Vec<char>,
        not: bool,
    },
    Range {
        low: char,
        high: char,
        not: bool,
    },
    Nothing,
    AnyOf(Vec<Matcher>),
    EveryOf(Vec<Matcher>),
    Row {
        length: usize,
        matchers: Vec<Matcher>,
    },
    Min(usize),
    Max(usize),
    Contains {
        needle: Vec<u8>,
        not: bool,
    },
    Prefix(Vec<u8>),
    Suffix(Vec<u8>),
    PrefixSuffix {
        prefix: Vec<u8>,
        suffix: Vec<u8>,
    },
    PrefixAny(Vec<u8>),
    SuffixAny(Vec<u8>),
    Tree(Box<Tree>),
}

/// A matcher, and those for what is before and behind.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    pub(super) value: Matcher,
    pub(super) left: Option<Matcher>,
    pub(super) right: Option<Matcher>,
    /// Those of the sides when the tree was made; no side is nothing long.
    left_length: Option<usize>,
    right_length: Option<usize>,
    length: Option<usize>,
}

impl Tree {
    pub(super) fn new(value: Matcher, left: Option<Matcher>, right: Option<Matcher>) -> Self {
        let side = |side: &Option<Matcher>| side.as_ref().map_or(Some(0), Matcher::length);
        let (left_length, right_length) = (side(&left), side(&right));
        let lengths = [left_length, value.length(), right_length];
        Self {
            length: lengths.into_iter().sum(),
            value,
            left,
            right,
            left_length,
            right_length,
        }
    }

    /// gobwas/glob: match/btree.go. Lengths are characters, and are taken for bytes.
    fn matches(&self, name: &[u8], walk: &Walk) -> Result<bool, Stopped> {
        if self.length.is_some_and(|length| length > name.len()) {
            return Ok(false);
        }
        let side = |matcher: &Option<Matcher>, text: &[u8]| match matcher {
            Some(matcher) => matcher.matches(text, walk),
            None => Ok(text.is_empty()),
        };
        let mut offset = self.left_length.unwrap_or_default();
        let Some(limit) = name
            .len()
            .checked_sub(self.right_length.unwrap_or_default())
        else {
            return Ok(false);
        };
        while offset < limit {
            walk.step(name)?;
            let Some((index, lengths)) = self.value.index(&name[offset..limit], walk)? else {
                return Ok(false);
            };
            let start = offset + index;
            if side(&self.left, &name[..start])? {
                for length in lengths.into_iter().rev() {
                    let behind = name.get(start + length..).unwrap_or_default();
                    if side(&self.right, behind)? {
                        return Ok(true);
                    }
                }
            }
            offset = start + rune::decode(&name[start..]).1;
        }
        Ok(false)
    }
}

/// The characters and where they begin, as Go ranges over a string.
fn characters(text: &[u8]) -> impl Iterator<Item = (usize, char)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let (character, width) = rune::decode(rest);
        let start = at;
        at += width;
        Some((start, character))
    })
}

/// The places where a text can be cut, its end included.
fn cuts(text: &[u8], from: usize) -> Vec<usize> {
    let starts = characters(text).map(|(at, _)| from + at);
    starts.chain([from + text.len()]).collect()
}

/// The places behind each character. What is no character is as long as U+FFFD.
fn ends(text: &[u8], from: usize) -> impl Iterator<Item = usize> + '_ {
    characters(text).map(move |(at, character)| from + at + character.len_utf8())
}

fn up_to_separator(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == b'/').next().unwrap_or_default()
}

impl Matcher {
    pub(super) fn text(text: &[u8]) -> Self {
        Self::Text {
            text: text.to_vec(),
            characters: rune::count(text),
        }
    }

    /// How many characters it matches, if always as many.
    pub(super) fn length(&self) -> Option<usize> {
        match self {
            Self::Text { characters, .. } => Some(*characters),
            Self::Single | Self::List { .. } | Self::Range { .. } => Some(1),
            Self::Nothing => Some(0),
            Self::Row { length, .. } => Some(*length),
            Self::Tree(tree) => tree.length,
            Self::AnyOf(matchers) => {
                // As long as no length is known, the next one is taken.
                let mut known: Option<usize> = None;
                for matcher in matchers {
                    let length = matcher.length();
                    match known {
                        None => known = length,
                        Some(_) if known == length => {}
                        Some(_) => return None,
                    }
                }
                known
            }
            _ => None,
        }
    }

    /// Whether one character matches; of no text at all, something that is none is asked.
    fn fits(&self, character: char) -> bool {
        match self {
            Self::Single => character != '/',
            Self::List { characters, not } => characters.contains(&character) != *not,
            Self::Range { low, high, not } => (*low..=*high).contains(&character) != *not,
            _ => false,
        }
    }

    /// Whether the whole text matches.
    pub(super) fn matches(&self, text: &[u8], walk: &Walk) -> Result<bool, Stopped> {
        walk.step(text)?;
        Ok(match self {
            Self::Text { text: own, .. } => own == text,
            Self::Any => !text.contains(&b'/'),
            Self::Super => true,
            Self::Single | Self::List { .. } | Self::Range { .. } => {
                let (character, width) = rune::decode(text);
                text.len() <= width && self.fits(character)
            }
            Self::Nothing => text.is_empty(),
            Self::AnyOf(matchers) => {
                for matcher in matchers {
                    if matcher.matches(text, walk)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::EveryOf(matchers) => {
                for matcher in matchers {
                    if !matcher.matches(text, walk)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Row { length, matchers } => {
                rune::count(text) == *length && row_matches(matchers, text, walk)?
            }
            Self::Min(least) => rune::count(text) >= *least,
            Self::Max(most) => rune::count(text) <= *most,
            Self::Contains { needle, not } => text.contains_str(needle) != *not,
            Self::Prefix(prefix) => text.starts_with(prefix),
            Self::Suffix(suffix) => text.ends_with(suffix),
            Self::PrefixSuffix { prefix, suffix } => {
                text.starts_with(prefix) && text.ends_with(suffix)
            }
            Self::PrefixAny(prefix) => text
                .strip_prefix(prefix.as_slice())
                .is_some_and(|rest| !rest.contains(&b'/')),
            Self::SuffixAny(suffix) => text
                .strip_suffix(suffix.as_slice())
                .is_some_and(|rest| !rest.contains(&b'/')),
            Self::Tree(tree) => tree.matches(text, walk)?,
        })
    }

    /// The first place where something matches.
    fn index(&self, text: &[u8], walk: &Walk) -> Result<Found, Stopped> {
        walk.step(text)?;
        Ok(match self {
            Self::Text { text: own, .. } => text.find(own).map(|at| (at, vec![own.len()])),
            Self::Any => {
                let whole = up_to_separator(text);
                Some((0, cuts(whole, 0)))
            }
            Self::Super => Some((0, cuts(text, 0))),
            Self::Single | Self::List { .. } | Self::Range { .. } => characters(text)
                .find(|(_, character)| self.fits(*character))
                .map(|(at, character)| (at, vec![character.len_utf8()])),
            Self::Nothing => Some((0, vec![0])),
            Self::AnyOf(matchers) => any_index(matchers, text, walk)?,
            Self::EveryOf(matchers) => every_index(matchers, text, walk)?,
            Self::Row { length, matchers } => {
                for (at, _) in characters(text) {
                    let rest = &text[at..];
                    if rest.len() < *length {
                        break;
                    }
                    if row_matches(matchers, rest, walk)? {
                        return Ok(Some((at, vec![*length])));
                    }
                }
                None
            }
            Self::Min(least) => {
                let lengths: Vec<usize> = match text.len() + 1 > *least {
                    true => ends(text, 0).skip(least.saturating_sub(1)).collect(),
                    false => Vec::new(),
                };
                (!lengths.is_empty()).then_some((0, lengths))
            }
            Self::Max(most) => Some((
                0,
                [0].into_iter().chain(ends(text, 0).take(*most)).collect(),
            )),
            Self::Contains { needle, not } => contains_index(needle, *not, text),
            Self::Prefix(prefix) => text.find(prefix).map(|at| {
                let length = prefix.len();
                let rest = &text[at + length..];
                (at, [length].into_iter().chain(ends(rest, length)).collect())
            }),
            Self::PrefixAny(prefix) => text.find(prefix).map(|at| {
                let length = prefix.len();
                let rest = up_to_separator(&text[at + length..]);
                (at, [length].into_iter().chain(ends(rest, length)).collect())
            }),
            Self::Suffix(suffix) => text.find(suffix).map(|at| (0, vec![at + suffix.len()])),
            Self::SuffixAny(suffix) => text.find(suffix).map(|at| {
                let start = text[..at].rfind_byte(b'/').map_or(0, |slash| slash + 1);
                (start, vec![at + suffix.len() - start])
            }),
            Self::PrefixSuffix { prefix, suffix } => prefix_suffix_index(prefix, suffix, text),
            // gobwas/glob has this left to do.
            Self::Tree(_) => None,
        })
    }
}

/// gobwas/glob: match/row.go matchAll, which takes the last character of each part for one byte
fn row_matches(matchers: &[Matcher], text: &[u8], walk: &Walk) -> Result<bool, Stopped> {
    let mut at = 0;
    for matcher in matchers {
        let length = matcher.length().unwrap_or_default();
        let (mut last, mut count) = (0, 0);
        for (start, _) in characters(&text[at..]) {
            last = start;
            count += 1;
            if count == length {
                break;
            }
        }
        if count < length {
            return Ok(false);
        }
        let end = at + last + 1;
        let part = text.get(at..end).ok_or(Stopped::Panic {
            end,
            length: text.len(),
        })?;
        if !matcher.matches(part, walk)? {
            return Ok(false);
        }
        at = end;
    }
    Ok(true)
}

/// gobwas/glob: match/any_of.go
fn any_index(matchers: &[Matcher], text: &[u8], walk: &Walk) -> Result<Found, Stopped> {
    let mut first: Found = None;
    for matcher in matchers {
        let Some((at, lengths)) = matcher.index(text, walk)? else {
            continue;
        };
        match &mut first {
            Some((known, _)) if at > *known => {}
            Some((known, merged)) if at == *known => {
                merged.extend(lengths);
                merged.sort_unstable();
                merged.dedup();
            }
            _ => first = Some((at, lengths)),
        }
    }
    Ok(first)
}

/// gobwas/glob: match/every_of.go
fn every_index(matchers: &[Matcher], text: &[u8], walk: &Walk) -> Result<Found, Stopped> {
    let (mut index, mut offset) = (0, 0);
    let mut current: Vec<usize> = Vec::new();
    let mut rest = text;
    for (nth, matcher) in matchers.iter().enumerate() {
        let Some((at, lengths)) = matcher.index(rest, walk)? else {
            return Ok(None);
        };
        if nth == 0 {
            current = lengths;
        } else {
            // What ends at the same place.
            let behind = at + offset;
            current.retain(|length| {
                (length + index)
                    .checked_sub(behind)
                    .is_some_and(|length| lengths.contains(&length))
            });
            if current.is_empty() {
                return Ok(None);
            }
        }
        index = at + offset;
        rest = text.get(index..).unwrap_or_default();
        offset += at;
    }
    Ok(Some((index, current)))
}

/// gobwas/glob: match/contains.go
fn contains_index(needle: &[u8], not: bool, text: &[u8]) -> Found {
    match (text.find(needle), not) {
        (None, false) => None,
        (Some(at), false) => {
            let behind = at + needle.len();
            Some((0, cuts(&text[behind..], behind)))
        }
        (Some(at), true) => Some((0, cuts(&text[..at], 0))),
        (None, true) => Some((0, cuts(text, 0))),
    }
}

/// gobwas/glob: match/prefix_suffix.go
fn prefix_suffix_index(prefix: &[u8], suffix: &[u8], text: &[u8]) -> Found {
    let at = text.find(prefix)?;
    let mut rest = &text[at..];
    let mut lengths = Vec::new();
    while let Some(found) = rest.rfind(suffix) {
        lengths.push(found + suffix.len());
        rest = &rest[..found];
    }
    lengths.reverse();
    (!lengths.is_empty()).then_some((at, lengths))
}
