//! Strings: breaking long ones into lines, and shortening them with an ellipsis. All of it counts
//! bytes, as Go's library does.

use crate::template::{CallError, Function, Text};

use super::bounds;

pub(super) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        (
            "wrap",
            Function::new(|width: isize, text: Text| wrap(&text, width, b"", false)),
        ),
        (
            "wrapWith",
            Function::new(|width: isize, line_break: Text, text: Text| {
                wrap(&text, width, &line_break, true)
            }),
        ),
        (
            "abbrev",
            Function::new(|width: isize, text: Text| match width {
                ..4 => text,
                _ => abbreviate(&text, 0, width),
            }),
        ),
        (
            "abbrevboth",
            Function::new(|left: isize, right: isize, text: Text| {
                match right < 4 || left > 0 && right < 7 {
                    true => text,
                    false => abbreviate(&text, left, right),
                }
            }),
        ),
    ]
}

// goutils: wordutils.go WrapCustom
fn wrap(
    text: &[u8],
    width: isize,
    line_break: &[u8],
    break_words: bool,
) -> Result<Text, CallError> {
    let line_break = if line_break.is_empty() {
        b"\n"
    } else {
        line_break
    };
    let width = usize::try_from(width).unwrap_or(1).max(1);
    let lines = if break_words {
        text.len() / width + 1
    } else {
        0
    };
    bounds::text(
        text.len()
            .saturating_add(lines.saturating_mul(line_break.len())),
    )?;
    let mut wrapped = Vec::with_capacity(text.len());
    let mut rest = text;
    while rest.len() > width {
        if let [b' ', behind @ ..] = rest {
            rest = behind;
            continue;
        }
        let space = rest[..=width].iter().rposition(|&byte| byte == b' ');
        let (line, behind) = match space {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None if break_words => rest.split_at(width),
            None => match rest[width..].iter().position(|&byte| byte == b' ') {
                Some(at) => (&rest[..width + at], &rest[width + at + 1..]),
                None => break,
            },
        };
        wrapped.extend_from_slice(line);
        wrapped.extend_from_slice(line_break);
        rest = behind;
    }
    wrapped.extend_from_slice(rest);
    Ok(wrapped.into())
}

/// At most `width` bytes of the text (at least 4, or 7 where it is cut at both ends).
// goutils: stringutils.go AbbreviateFull
fn abbreviate(text: &[u8], offset: isize, width: isize) -> Text {
    const ELLIPSIS: &[u8] = b"...";
    let length = text.len() as isize;
    if length <= width {
        return Text::from_bytes(text);
    }
    let kept = width - 3;
    let mut offset = offset.min(length);
    if length.wrapping_sub(offset) < kept {
        offset = length - kept;
    }
    if offset <= 4 {
        return [&text[..kept as usize], ELLIPSIS].concat().into();
    }
    if offset + kept < length {
        let middle = abbreviate(&text[offset as usize..], 0, kept);
        return [ELLIPSIS, middle.as_bytes()].concat().into();
    }
    [ELLIPSIS, &text[(length - kept) as usize..]]
        .concat()
        .into()
}
