//! Strings: cutting, joining, quoting and looking into them.

use crate::template::print::{show, sprint};
use crate::template::{CallError, Function, Map, Rest, Text, Type, Value, quote};

use super::bounds;
use super::cast::{self, IntegerError};
use super::lists::Items;
use super::runes;

pub(super) fn functions() -> Vec<(&'static str, Function)> {
    let mut functions = vec![
        ("hello", Function::new(|| "Hello!")),
        ("quote", Function::new(double_quoted)),
        ("squote", Function::new(single_quoted)),
        ("cat", Function::new(concatenated)),
        ("indent", Function::new(indent)),
        ("nindent", Function::new(indent_on_new_line)),
        ("plural", Function::new(plural)),
        ("toString", Function::new(|value: Value| to_string(&value))),
        (
            "toStrings",
            Function::new(|value: Value| to_strings(&value)),
        ),
        ("atoi", Function::new(|text: Text| atoi(&text))),
        (
            "repeat",
            Function::new(|count: isize, text: Text| repeat(&text, count)),
        ),
        ("join", Function::new(join)),
    ];
    functions.extend(parts());
    functions
}

/// What cuts strings, and looks for parts of them.
fn parts() -> Vec<(&'static str, Function)> {
    let contains = |part: Text, text: Text| bstr::ByteSlice::contains_str(&**text, &**part);
    let replace = |old: Text, new: Text, text: Text| replace(&text, &old, &new);
    let trim = |text: Text| Text::from_bytes(runes::trim(&text, runes::is_space));
    let trim_suffix = |suffix: Text, text: Text| without(&text, text.strip_suffix(&**suffix));
    let trim_prefix = |prefix: Text, text: Text| without(&text, text.strip_prefix(&**prefix));
    let split_numbered = |separator: Text, text: Text| numbered(&split(&text, &separator, -1));
    let split_some = |separator: Text, n: isize, text: Text| numbered(&split(&text, &separator, n));
    let split_list = |separator: Text, text: Text| {
        Value::strings(
            split(&text, &separator, -1)
                .into_iter()
                .map(Text::from_bytes),
        )
    };
    vec![
        ("trunc", Function::new(truncate)),
        ("substr", Function::new(substring)),
        ("trim", Function::new(trim)),
        ("trimall", Function::new(trim_all)),
        ("trimAll", Function::new(trim_all)),
        ("trimSuffix", Function::new(trim_suffix)),
        ("trimPrefix", Function::new(trim_prefix)),
        ("contains", Function::new(contains)),
        (
            "hasPrefix",
            Function::new(|prefix: Text, text: Text| text.starts_with(&prefix)),
        ),
        (
            "hasSuffix",
            Function::new(|suffix: Text, text: Text| text.ends_with(&suffix)),
        ),
        ("replace", Function::new(replace)),
        ("split", Function::new(split_numbered)),
        ("splitn", Function::new(split_some)),
        ("splitList", Function::new(split_list)),
    ]
}

/// What Sprig makes of any value that is used as a string.
// sprig: strings.go strval
pub(super) fn to_string(value: &Value) -> Text {
    match value {
        Value::String(text) => text.clone(),
        Value::Bytes(bytes) => Text::from_bytes(bytes),
        other => show(other),
    }
}

/// The items as strings, without those that are nil; anything else is a list of itself.
// sprig: strings.go strslice
pub(super) fn to_strings(value: &Value) -> Value {
    match value {
        Value::List(list) if list.type_of() == Type::STRING_SLICE => value.clone(),
        Value::Nil => Value::strings::<Text>([]),
        _ => match Items::of(value) {
            Some(items) => {
                Value::strings(items.iter().filter(|item| !item.is_nil()).map(to_string))
            }
            None => Value::strings([to_string(value)]),
        },
    }
}

fn join(separator: Text, value: Value) -> Text {
    let mut joined = Vec::new();
    let texts = to_strings(&value);
    for (index, item) in Items::of(&texts)
        .iter()
        .flat_map(|items| items.iter())
        .enumerate()
    {
        if index > 0 {
            joined.extend_from_slice(&separator);
        }
        joined.extend_from_slice(&to_string(item));
    }
    joined.into()
}

// sprig: strings.go trunc
fn truncate(count: isize, text: Text) -> Text {
    let length = text.len();
    match usize::try_from(count) {
        Ok(count) if count < length => Text::from_bytes(&text[..count]),
        Err(_) if count.unsigned_abs() < length => {
            Text::from_bytes(&text[length - count.unsigned_abs()..])
        }
        _ => text,
    }
}

// sprig: strings.go substring
fn substring(start: isize, end: isize, text: Text) -> Result<Text, CallError> {
    let length = text.len() as isize;
    if start < 0 {
        return match usize::try_from(end) {
            Ok(to) if end <= length => Ok(Text::from_bytes(&text[..to])),
            Ok(_) => Err(out_of_range(format!("[:{end}] with length {length}"))),
            Err(_) => Err(out_of_range(format!("[:{end}]"))),
        };
    }
    let to = if end < 0 || end > length { length } else { end };
    if start > to {
        return Err(out_of_range(format!("[{start}:{to}]")));
    }
    Ok(Text::from_bytes(&text[start as usize..to as usize]))
}

fn out_of_range(bounds: String) -> CallError {
    CallError::new(format!("runtime error: slice bounds out of range {bounds}"))
}

/// Go's `strings.Repeat`, which panics on a negative count.
pub(super) fn repeat(text: &[u8], count: isize) -> Result<Text, CallError> {
    let count =
        usize::try_from(count).map_err(|_| CallError::new("strings: negative Repeat count"))?;
    let length = text
        .len()
        .checked_mul(count)
        .filter(|&length| length <= isize::MAX as usize);
    let length = length.ok_or_else(|| CallError::new("strings: Repeat output length overflow"))?;
    bounds::text(length)?;
    Ok(text.repeat(count).into())
}

// strings: strings.go Trim
fn trim_all(set: Text, text: Text) -> Text {
    let set: Vec<char> = runes::runes(&set).map(|(rune, _)| rune).collect();
    Text::from_bytes(runes::trim(&text, |rune| set.contains(&rune)))
}

fn without(text: &Text, rest: Option<&[u8]>) -> Text {
    rest.map_or_else(|| text.clone(), Text::from_bytes)
}

/// Each value that is not nil in double quotes.
fn double_quoted(values: Rest<Value>) -> Text {
    let quoted = |value: &Value| quote::quote(&to_string(value));
    spaced(values.0.iter().filter(|value| !value.is_nil()).map(quoted))
}

/// Each value that is not nil in single quotes, nothing escaped.
fn single_quoted(values: Rest<Value>) -> Text {
    let quoted = |value: &Value| [b"'", show(value).as_bytes(), b"'"].concat();
    spaced(values.0.iter().filter(|value| !value.is_nil()).map(quoted))
}

fn concatenated(values: Rest<Value>) -> Text {
    spaced(
        values
            .0
            .iter()
            .filter(|value| !value.is_nil())
            .map(|value| show(value).to_vec()),
    )
}

fn spaced(words: impl Iterator<Item = Vec<u8>>) -> Text {
    let words: Vec<Vec<u8>> = words.collect();
    words.join(&b' ').into()
}

fn indent(spaces: isize, text: Text) -> Result<Text, CallError> {
    let pad = repeat(b" ", spaces)?;
    let lines = text.iter().filter(|&&byte| byte == b'\n').count() + 1;
    bounds::text(text.len().saturating_add(lines.saturating_mul(pad.len())))?;
    let mut indented = Vec::with_capacity(text.len() + lines * pad.len());
    indented.extend_from_slice(&pad);
    for line in bstr::ByteSlice::lines_with_terminator(&**text) {
        indented.extend_from_slice(line);
        if line.ends_with(b"\n") {
            indented.extend_from_slice(&pad);
        }
    }
    Ok(indented.into())
}

fn indent_on_new_line(spaces: isize, text: Text) -> Result<Text, CallError> {
    let indented = indent(spaces, text)?;
    Ok([b"\n", indented.as_bytes()].concat().into())
}

fn plural(one: Text, many: Text, count: isize) -> Text {
    if count == 1 { one } else { many }
}

/// Go's `strings.ReplaceAll`; an empty `old` stands before each rune and at the end.
fn replace(text: &[u8], old: &[u8], new: &[u8]) -> Result<Text, CallError> {
    let count = match old {
        [] => text.len() + 1,
        _ => bstr::ByteSlice::find_iter(text, old).count(),
    };
    bounds::text(text.len().saturating_add(count.saturating_mul(new.len())))?;
    if !old.is_empty() {
        return Ok(bstr::ByteSlice::replace(text, old, new).into());
    }
    let mut replaced = new.to_vec();
    for (_, own) in runes::runes(text) {
        replaced.extend_from_slice(own);
        replaced.extend_from_slice(new);
    }
    Ok(replaced.into())
}

/// Go's `strconv.Atoi` without its error: a number that does not fit is the nearest that does.
fn atoi(text: &[u8]) -> isize {
    match cast::parse_in_base(text, 10) {
        Ok(number) | Err(IntegerError::Range(number)) => number as isize,
        Err(IntegerError::Syntax) => 0,
    }
}

/// Go's `strings.SplitN`: at most `n` parts, all of them if `n` is negative; an empty separator
/// splits after each rune.
pub(super) fn split<'t>(text: &'t [u8], separator: &[u8], n: isize) -> Vec<&'t [u8]> {
    let most = match n {
        0 => return Vec::new(),
        ..0 => usize::MAX,
        _ => n.unsigned_abs(),
    };
    if separator.is_empty() {
        let mut parts: Vec<&[u8]> = Vec::new();
        let mut at = 0;
        for (_, own) in runes::runes(text) {
            if parts.len() + 1 == most {
                parts.push(&text[at..]);
                return parts;
            }
            parts.push(own);
            at += own.len();
        }
        return parts;
    }
    let mut parts = Vec::new();
    let mut rest = text;
    while parts.len() + 1 < most {
        let Some(at) = bstr::ByteSlice::find(rest, separator) else {
            break;
        };
        parts.push(&rest[..at]);
        rest = &rest[at + separator.len()..];
    }
    parts.push(rest);
    parts
}

/// The parts under `_0`, `_1`, ..., as a `map[string]string`.
fn numbered(parts: &[&[u8]]) -> Map {
    let entries = parts
        .iter()
        .enumerate()
        .map(|(index, part)| {
            (
                Text::from(format!("_{index}")),
                Value::string(Text::from_bytes(part)),
            )
        })
        .collect();
    Map::with_entries(Type::STRING_MAP, entries)
}

/// Go's `fmt.Sprint` of one value.
pub(super) fn printed(value: &Value) -> Text {
    sprint(std::slice::from_ref(value))
}
