//! Strings: upper and lower case, and the names that programmers make of words.

use crate::template::{Function, Text};

use super::runes::{
    self, is_digit, is_letter, is_lower, is_number, is_punctuation, is_space, is_title, is_upper,
    to_lower, to_title, to_upper,
};

pub(super) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        (
            "upper",
            Function::new(|text: Text| match text.is_ascii() {
                true => Text::from(text.to_ascii_uppercase()),
                false => Text::from(runes::map(&text, to_upper)),
            }),
        ),
        (
            "lower",
            Function::new(|text: Text| match text.is_ascii() {
                true => Text::from(text.to_ascii_lowercase()),
                false => Text::from(runes::map(&text, to_lower)),
            }),
        ),
        ("title", Function::new(|text: Text| title(&text))),
        ("untitle", Function::new(|text: Text| untitle(&text))),
        ("swapcase", Function::new(|text: Text| swap(&text))),
        ("nospace", Function::new(without_space)),
        ("initials", Function::new(|text: Text| initials(&text))),
        (
            "snakecase",
            Function::new(|text: Text| separated(&text, '_')),
        ),
        (
            "kebabcase",
            Function::new(|text: Text| separated(&text, '-')),
        ),
        ("camelcase", Function::new(|text: Text| camel(&text))),
    ]
}

// strings: strings.go Title
fn title(text: &[u8]) -> String {
    let mut before = ' ';
    runes::map(text, |rune| {
        let starts = match before {
            '_' => false,
            letter if is_letter(letter) || is_digit(letter) => false,
            mark if mark.is_ascii() => true,
            other => is_space(other),
        };
        before = rune;
        if starts { to_title(rune) } else { rune }
    })
}

// goutils: wordutils.go Uncapitalize
fn untitle(text: &[u8]) -> String {
    let mut starts = true;
    runes::map(text, |rune| match is_space(rune) {
        true => {
            starts = true;
            rune
        }
        false if std::mem::take(&mut starts) => to_lower(rune),
        false => rune,
    })
}

// goutils: wordutils.go SwapCase
fn swap(text: &[u8]) -> String {
    let mut behind_space = true;
    runes::map(text, |rune| {
        if is_upper(rune) || is_title(rune) {
            behind_space = false;
            to_lower(rune)
        } else if is_lower(rune) {
            match std::mem::take(&mut behind_space) {
                true => to_title(rune),
                false => to_upper(rune),
            }
        } else {
            behind_space = is_space(rune);
            rune
        }
    })
}

/// Go's library takes each byte for a rune here: once there is a space, what is not ASCII breaks.
// goutils: stringutils.go DeleteWhiteSpace
fn without_space(text: Text) -> Text {
    if !text.iter().any(|&byte| is_space(char::from(byte))) {
        return text;
    }
    let kept: String = text
        .iter()
        .map(|&byte| char::from(byte))
        .filter(|&rune| !is_space(rune))
        .collect();
    kept.into()
}

/// Bytes taken for runes again.
// goutils: wordutils.go Initials
fn initials(text: &[u8]) -> String {
    let mut behind_space = true;
    text.iter()
        .map(|&byte| char::from(byte))
        .filter(|&rune| match is_space(rune) {
            true => {
                behind_space = true;
                false
            }
            false => std::mem::take(&mut behind_space),
        })
        .collect()
}

fn is_connector(rune: char) -> bool {
    rune == '-' || rune == '_' || is_space(rune)
}

// xstrings: convert.go toCamelCase with a big first letter
fn camel(text: &[u8]) -> String {
    let mut out = String::new();
    let mut rest = runes::runes(text).map(|(rune, _)| rune);
    let mut current = None;
    // Leading connectors stay.
    let mut first_upper = false;
    for rune in rest.by_ref() {
        if !is_connector(rune) {
            first_upper = is_upper(rune);
            current = Some(to_upper(rune));
            break;
        }
        out.push(rune);
    }
    let mut rest = rest.peekable();
    let Some(mut current) = current else {
        // xstrings writes the last connector of a string of nothing else a second time.
        out.extend(runes::runes(text).last().map(|(rune, _)| rune));
        return out;
    };
    if rest.peek().is_none() {
        out.push(current);
        return out;
    }
    for rune in rest {
        let before = std::mem::replace(&mut current, rune);
        if is_connector(current) && is_connector(before) {
            out.push(before);
            continue;
        }
        if is_connector(before) {
            first_upper = is_upper(current);
            current = to_upper(current);
        } else {
            if first_upper {
                if is_upper(current) {
                    current = to_lower(current);
                } else {
                    first_upper = false;
                }
            }
            out.push(before);
        }
    }
    out.push(current);
    out
}

/// A letter that is not Chinese, Japanese or Korean.
// xstrings: count.go isAlphabet
fn is_alphabet(rune: char) -> bool {
    is_letter(rune)
        && !matches!(rune, '\u{3400}'..='\u{4d85}' | '\u{4e00}'..='\u{9fcc}' | '\u{20000}'..='\u{2b81d}')
}

/// What a stretch of runes is to [`separated`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Invalid,
    Number,
    UpperCase,
    Alphabet,
    Connector,
    Punctuation,
    Other,
}

// xstrings: convert.go camelCaseToLowerCase
fn separated(text: &[u8], connector: char) -> Text {
    let mut out = Vec::new();
    let (mut kind, mut word, mut rest) = next_word(text);
    while !rest.is_empty() {
        if kind != Word::Connector {
            append_lower(&mut out, kind, word, connector);
        }
        let (before, last) = (kind, word);
        (kind, word, rest) = next_word(rest);
        match before {
            Word::Number => {
                while matches!(kind, Word::Alphabet | Word::Number) {
                    append_lower(&mut out, kind, word, connector);
                    (kind, word, rest) = next_word(rest);
                }
                if !matches!(kind, Word::Invalid | Word::Punctuation | Word::Connector) {
                    push(&mut out, connector);
                }
            }
            Word::Connector => append_lower(&mut out, before, last, connector),
            Word::Punctuation => {}
            _ if kind != Word::Number => {
                if !matches!(kind, Word::Connector | Word::Punctuation) {
                    push(&mut out, connector);
                }
            }
            _ if rest.is_empty() => {}
            _ => {
                let number = word;
                (kind, word, rest) = next_word(rest);
                // A number is part of the word before it ...
                if kind != Word::Alphabet {
                    append_lower(&mut out, Word::Number, number, connector);
                    if !matches!(kind, Word::Connector | Word::Punctuation) {
                        push(&mut out, connector);
                    }
                    continue;
                }
                // ... unless lower case letters follow.
                push(&mut out, connector);
                append_lower(&mut out, Word::Number, number, connector);
                while matches!(kind, Word::Alphabet | Word::Number) {
                    append_lower(&mut out, kind, word, connector);
                    (kind, word, rest) = next_word(rest);
                }
                if !matches!(kind, Word::Invalid | Word::Connector | Word::Punctuation) {
                    push(&mut out, connector);
                }
            }
        }
    }
    append_lower(&mut out, kind, word, connector);
    out.into()
}

fn push(out: &mut Vec<u8>, rune: char) {
    crate::template::rune::push(out, rune);
}

fn append_lower(out: &mut Vec<u8>, kind: Word, word: &[u8], connector: char) {
    if !matches!(kind, Word::UpperCase | Word::Connector) {
        out.extend_from_slice(word);
        return;
    }
    for (rune, _) in runes::runes(word) {
        match rune {
            mark if is_connector(mark) => push(out, connector),
            letter if is_upper(letter) => push(out, to_lower(letter)),
            other => push(out, other),
        }
    }
}

/// The rune behind any broken bytes, with the width of all; `before` if there is none.
// xstrings: convert.go nextValidRune
fn next_valid(bytes: &[u8], before: char) -> (char, usize) {
    let mut width = 0;
    for (rune, own) in runes::runes(bytes) {
        width += own.len();
        if rune != char::REPLACEMENT_CHARACTER {
            return (rune, width);
        }
    }
    (before, width)
}

/// How many bytes of runes of a kind there are.
fn stretch(bytes: &[u8], first: char, belongs: impl Fn(char) -> bool) -> usize {
    let mut at = 0;
    let mut rune = first;
    while at < bytes.len() {
        let (next, width) = next_valid(&bytes[at..], rune);
        rune = next;
        if !belongs(rune) {
            break;
        }
        at += width;
    }
    at
}

// xstrings: convert.go nextWord
fn next_word(text: &[u8]) -> (Word, &[u8], &[u8]) {
    let (first, width) = next_valid(text, char::REPLACEMENT_CHARACTER);
    if first == char::REPLACEMENT_CHARACTER {
        return (Word::Invalid, text, &[]);
    }
    let rest = &text[width..];
    let lower = |rune| is_alphabet(rune) && !is_upper(rune);
    let (kind, length) = match first {
        rune if is_connector(rune) => (Word::Connector, stretch(rest, first, is_connector)),
        rune if is_punctuation(rune) => (Word::Punctuation, stretch(rest, first, is_punctuation)),
        rune if is_upper(rune) => (Word::UpperCase, upper_case_word(rest, first)),
        rune if is_alphabet(rune) => (Word::Alphabet, stretch(rest, first, lower)),
        rune if is_number(rune) => (Word::Number, stretch(rest, first, is_number)),
        _ => {
            let belongs = |rune| {
                !(is_connector(rune)
                    || is_alphabet(rune)
                    || is_number(rune)
                    || is_punctuation(rune))
            };
            (Word::Other, stretch(rest, first, belongs))
        }
    };
    let (word, rest) = text.split_at(width + length);
    (kind, word, rest)
}

/// How much of the text behind an upper case letter belongs to its word: `HTTP` of `HTTPStatus`,
/// `Status` of `StatusCode`.
fn upper_case_word(rest: &[u8], first: char) -> usize {
    if rest.is_empty() {
        return 0;
    }
    let (second, width) = next_valid(rest, first);
    if is_upper(second) {
        let (mut at, mut last_width, mut rune) = (width, width, second);
        while at < rest.len() {
            let (next, width) = next_valid(&rest[at..], rune);
            rune = next;
            if !is_upper(rune) {
                break;
            }
            at += width;
            last_width = width;
        }
        let begins_next = at < rest.len() && is_alphabet(rune);
        return if begins_next { at - last_width } else { at };
    }
    if is_alphabet(second) {
        let lower = |rune| is_alphabet(rune) && !is_upper(rune);
        return width + stretch(&rest[width..], second, lower);
    }
    0
}
