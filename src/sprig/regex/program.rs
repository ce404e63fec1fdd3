//! A compiled expression: finding, replacing and splitting, with Go's rules for empty matches.

use std::borrow::Cow;

use regex_automata::meta::{Cache, Config, Regex};
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Anchored, Input};

use crate::sprig::bounds;
use crate::sprig::runes::{self, is_digit, is_letter};
use crate::template::{CallError, Text};

use super::syntax::{self, ErrorCode};
use super::width;

/// The largest automaton, in bytes.
const LARGEST_AUTOMATON: usize = 256 << 20;

/// An expression that is ready to run.
pub(super) struct Program {
    regex: Regex,
    cache: std::cell::RefCell<Cache>,
    names: Vec<Vec<u8>>,
    is_empty: bool,
}

/// Where the whole match and each group start and end, by turns; nothing where a group is not part
/// of the match.
type Slots = Vec<Option<usize>>;

impl Program {
    /// Reads and compiles an expression; the error is Go's.
    pub(super) fn compile(expression: &[u8]) -> Result<Self, String> {
        let parsed = syntax::parse(expression)?;
        let config = Config::new()
            .nfa_size_limit(Some(LARGEST_AUTOMATON))
            .onepass_size_limit(Some(1 << 20));
        let regex = Regex::builder()
            .configure(config)
            .build_from_hir(&parsed.tree.into_hir())
            .map_err(|_| syntax::message(ErrorCode::Large, expression))?;
        let cache = regex.create_cache().into();
        Ok(Self {
            regex,
            cache,
            names: parsed.names,
            is_empty: expression.is_empty(),
        })
    }

    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        !self.search(&Haystack::new(text), 0, 2).is_empty()
    }

    /// The first match, empty if there is none.
    pub(super) fn find<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        match self.search(&Haystack::new(text), 0, 2)[..] {
            [Some(start), Some(end)] => &text[start..end],
            _ => b"",
        }
    }

    /// The first `n` matches, all of them if `n` is negative; nothing if there is none.
    pub(super) fn find_all<'t>(&self, text: &'t [u8], n: isize) -> Option<Vec<&'t [u8]>> {
        let found = self.matches(text, n);
        (!found.is_empty()).then(|| {
            found
                .into_iter()
                .map(|(start, end)| &text[start..end])
                .collect()
        })
    }

    // regexp: regexp.go allMatches
    fn matches(&self, text: &[u8], n: isize) -> Vec<(usize, usize)> {
        let most = usize::try_from(n).unwrap_or(text.len() + 1);
        let haystack = Haystack::new(text);
        let mut found = Vec::new();
        let (mut at, mut last_end) = (0, None);
        while found.len() < most && at <= text.len() {
            let [Some(start), Some(end)] = self.search(&haystack, at, 2)[..] else {
                break;
            };
            // An empty match right behind another one does not count.
            let accepted = end != at || Some(start) != last_end;
            at = match end {
                _ if end != at => end,
                _ if at < text.len() => at + width(&text[at..]),
                _ => text.len() + 1,
            };
            last_end = Some(end);
            if accepted {
                found.push((start, end));
            }
        }
        found
    }

    /// Each match replaced, by what the replacement means with its groups or as it stands.
    // regexp: regexp.go replaceAll
    pub(super) fn replace_all(
        &self,
        text: &[u8],
        replacement: &[u8],
        groups: bool,
    ) -> Result<Text, CallError> {
        let groups = groups && replacement.contains(&b'$');
        let slots = if groups { 2 * self.names.len() } else { 2 };
        let haystack = Haystack::new(text);
        let mut out = Vec::with_capacity(text.len());
        let (mut last_end, mut at) = (0, 0);
        while at <= text.len() {
            let found = self.search(&haystack, at, slots);
            let [Some(start), Some(end), ..] = found[..] else {
                break;
            };
            out.extend_from_slice(&text[last_end..start]);
            if end > last_end || start == 0 {
                match groups {
                    true => self.expand(&mut out, replacement, text, &found),
                    false => out.extend_from_slice(replacement),
                }
                bounds::text(out.len())?;
            }
            last_end = end;
            let step = width(&text[at..]);
            at = if at + step > end {
                at + step
            } else if at + 1 > end {
                at + 1
            } else {
                end
            };
        }
        out.extend_from_slice(&text[last_end..]);
        Ok(out.into())
    }

    // regexp: regexp.go Split
    pub(super) fn split<'t>(&self, text: &'t [u8], n: isize) -> Option<Vec<&'t [u8]>> {
        if n == 0 {
            return None;
        }
        // Only an empty expression splits an empty text into nothing.
        if text.is_empty() && !self.is_empty {
            return Some(vec![b""]);
        }
        let mut parts = Vec::new();
        let (mut from, mut end) = (0, 0);
        for (start, match_end) in self.matches(text, n) {
            if n > 0 && parts.len() + 1 >= n.unsigned_abs() {
                break;
            }
            end = start;
            if match_end != 0 {
                parts.push(&text[from..end]);
            }
            from = match_end;
        }
        if end != text.len() {
            parts.push(&text[from..]);
        }
        Some(parts)
    }

    /// The slots of the first match at or behind a place; none if there is no match.
    fn search(&self, haystack: &Haystack<'_>, at: usize, slots: usize) -> Slots {
        let mut found: Vec<Option<NonMaxUsize>> = vec![None; slots];
        let input = Input::new(&*haystack.bytes)
            .range(haystack.inner(at)..)
            .anchored(Anchored::No);
        let mut cache = self.cache.borrow_mut();
        match self.regex.search_slots_with(&mut cache, &input, &mut found) {
            Some(_) => found
                .into_iter()
                .map(|slot| slot.map(|at| haystack.outer(at.get())))
                .collect(),
            None => Vec::new(),
        }
    }

    // regexp: regexp.go expand
    fn expand(&self, out: &mut Vec<u8>, template: &[u8], text: &[u8], slots: &Slots) {
        let group = |index: usize| match slots.get(2 * index..2 * index + 2) {
            Some([Some(start), Some(end)]) => Some(&text[*start..*end]),
            _ => None,
        };
        let mut rest = template;
        while let Some(dollar) = rest.iter().position(|&byte| byte == b'$') {
            out.extend_from_slice(&rest[..dollar]);
            rest = &rest[dollar + 1..];
            if let Some(behind) = rest.strip_prefix(b"$") {
                out.push(b'$');
                rest = behind;
                continue;
            }
            let Some((name, behind)) = group_name(rest) else {
                out.push(b'$');
                continue;
            };
            rest = behind;
            let found = match group_number(name) {
                Some(index) => group(index),
                None => {
                    let named = self
                        .names
                        .iter()
                        .enumerate()
                        .filter(|(_, own)| own.as_slice() == name);
                    named.into_iter().find_map(|(index, _)| group(index))
                }
            };
            out.extend_from_slice(found.unwrap_or_default());
        }
        out.extend_from_slice(rest);
    }
}

/// The name or number behind a dollar, in braces or as long as possible, and what follows.
// regexp: regexp.go extract
fn group_name(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let unbraced = text.strip_prefix(b"{").unwrap_or(text);
    let length = runes::runes(unbraced)
        .take_while(|(rune, _)| is_letter(*rune) || is_digit(*rune) || *rune == '_')
        .map(|(_, own)| own.len())
        .sum();
    let (name, rest) = unbraced.split_at(length);
    if name.is_empty() {
        return None;
    }
    match text.starts_with(b"{") {
        true => rest.strip_prefix(b"}").map(|rest| (name, rest)),
        false => Some((name, rest)),
    }
}

/// The number that a name is, without leading zeros.
fn group_number(name: &[u8]) -> Option<usize> {
    if name.len() > 1 && name[0] == b'0' || name.len() > 9 {
        return None;
    }
    name.iter().try_fold(0, |number, byte| match byte {
        b'0'..=b'9' => Some(number * 10 + usize::from(byte - b'0')),
        _ => None,
    })
}

/// A text as UTF-8: each broken byte is the one rune that Go takes it for, which is longer.
struct Haystack<'t> {
    bytes: Cow<'t, [u8]>,
    /// For each broken byte, in order, where the rune for it ends.
    longer: Vec<usize>,
}

impl<'t> Haystack<'t> {
    fn new(text: &'t [u8]) -> Self {
        if std::str::from_utf8(text).is_ok() {
            return Self {
                bytes: text.into(),
                longer: Vec::new(),
            };
        }
        let (mut bytes, mut longer) = (Vec::new(), Vec::new());
        for (rune, own) in runes::runes(text) {
            crate::template::rune::push(&mut bytes, rune);
            if own.len() < rune.len_utf8() {
                longer.push(bytes.len());
            }
        }
        Self {
            bytes: bytes.into(),
            longer,
        }
    }

    /// Two bytes were added for each broken one.
    fn outer(&self, at: usize) -> usize {
        at - 2 * self.longer.partition_point(|&end| end <= at)
    }

    fn inner(&self, at: usize) -> usize {
        let mut inner = at;
        for &end in &self.longer {
            if end > inner + 2 {
                break;
            }
            inner += 2;
        }
        inner
    }
}
