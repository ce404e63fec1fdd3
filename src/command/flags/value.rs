//! Values of flags, read as Go's `strconv`, `time` and `encoding/csv` read them.

use super::Place;

impl<T> Place<T> {
    /// Puts a value into its place; lists grow if the flag was given before.
    pub(super) fn set(&self, options: &mut T, value: &str, again: bool) -> Result<(), String> {
        match self {
            Self::Bool(place) => *place(options) = go_bool(value)?,
            Self::Text(place) => *place(options) = value.to_owned(),
            Self::Texts(place) => extend(place(options), vec![value.to_owned()], again),
            Self::List(place) => extend(place(options), comma_separated(value)?, again),
            Self::Pairs(place) => extend(place(options), pairs(value)?, again),
            Self::Integer(place) => *place(options) = integer(value)?,
            Self::Number(place) => *place(options) = number(value)?,
            Self::Other { set, .. } => set(options, value)?,
        }
        Ok(())
    }
}

fn extend<V>(place: &mut Vec<V>, values: Vec<V>, again: bool) {
    if !again {
        place.clear();
    }
    place.extend(values);
}

/// Go's `%q`.
pub(crate) fn go_quoted(text: &str) -> String {
    String::from_utf8_lossy(&pintle::template::quote::quote(text.as_bytes())).into_owned()
}

/// Go's `%q` of a byte that it takes for a character.
pub(super) fn go_quoted_letter(letter: u8) -> String {
    match char::from(letter) {
        '\'' => r"'\''".to_owned(),
        '"' => "'\"'".to_owned(),
        letter => {
            let quoted = go_quoted(letter.encode_utf8(&mut [0; 4]));
            format!("'{}'", quoted.trim_matches('"'))
        }
    }
}

// go: strconv ParseBool
pub(crate) fn go_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(failed("ParseBool", text, "invalid syntax")),
    }
}

// go: strconv NumError
fn failed(function: &str, text: &str, reason: &str) -> String {
    format!("strconv.{function}: parsing {}: {reason}", go_quoted(text))
}

// go: strconv ParseInt(text, 0, 64)
pub(crate) fn integer(text: &str) -> Result<i64, String> {
    integer_of(
        text,
        Integer {
            base: None,
            bits: 64,
        },
    )
}

/// The form of an integer: its base, or none if a prefix tells it, and its size.
#[derive(Clone, Copy)]
pub(crate) struct Integer {
    pub(crate) base: Option<u32>,
    pub(crate) bits: u32,
}

// go: strconv ParseInt
pub(crate) fn integer_of(text: &str, form: Integer) -> Result<i64, String> {
    let syntax = || failed("ParseInt", text, "invalid syntax");
    let (negative, unsigned) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let unsigned = std::str::from_utf8(unsigned).map_err(|_| syntax())?;
    let magnitude = magnitude(unsigned, form.base).ok_or_else(syntax)?;
    let limit = 1_u128 << (form.bits - 1);
    let range = || failed("ParseInt", text, "value out of range");
    let magnitude = magnitude.filter(|number| *number < limit || negative && *number == limit);
    let magnitude = i128::try_from(magnitude.ok_or_else(range)?).map_err(|_| range())?;
    i64::try_from(if negative { -magnitude } else { magnitude }).map_err(|_| range())
}

/// Digits without a sign; `Some(None)` if they are too many.
// go: strconv ParseUint
fn magnitude(text: &str, base: Option<u32>) -> Option<Option<u128>> {
    let (base, digits, separated) = match (base, text.as_bytes()) {
        (Some(base), _) => (base, text, false),
        (None, [b'0', b'b' | b'B', _, ..]) => (2, &text[2..], true),
        (None, [b'0', b'o' | b'O', _, ..]) => (8, &text[2..], true),
        (None, [b'0', b'x' | b'X', _, ..]) => (16, &text[2..], true),
        (None, [b'0', _, ..]) => (8, &text[1..], true),
        (None, _) => (10, text, true),
    };
    if digits.is_empty() {
        return None;
    }
    let mut number: u128 = 0;
    for digit in digits.chars() {
        if digit == '_' && separated {
            continue;
        }
        number = number * u128::from(base) + u128::from(digit.to_digit(base)?);
        if number > u128::from(u64::MAX) {
            return Some(None);
        }
    }
    let fits = !separated || underscores_separate(text);
    fits.then_some(Some(number))
}

/// Whether each underscore stands between digits, or behind the prefix of a base.
// go: strconv underscoreOK
fn underscores_separate(text: &str) -> bool {
    let bytes = text.as_bytes();
    let prefixed = matches!(bytes, [b'0', b'b' | b'B' | b'o' | b'O' | b'x' | b'X', ..]);
    let digits = if prefixed { &bytes[2..] } else { bytes };
    let mut before_is_digit = prefixed;
    for byte in digits {
        if *byte == b'_' && !before_is_digit {
            return false;
        }
        before_is_digit = *byte != b'_';
    }
    before_is_digit
}

// go: strconv ParseFloat(text, 32)
fn number(text: &str) -> Result<f32, String> {
    let plain = text.strip_prefix(['+', '-']).unwrap_or(text);
    let shaped = plain.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        || ["inf", "infinity"]
            .iter()
            .any(|name| plain.eq_ignore_ascii_case(name))
        || text.eq_ignore_ascii_case("nan");
    match text.parse::<f32>() {
        Ok(number)
            if shaped
                && number.is_infinite()
                && plain.starts_with(|c: char| c.is_ascii_digit() || c == '.') =>
        {
            Err(failed("ParseFloat", text, "value out of range"))
        }
        Ok(number) if shaped => Ok(number),
        _ => Err(failed("ParseFloat", text, "invalid syntax")),
    }
}

// pflag: string_to_string.go Set
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let unformed = |pair: &str| format!("{pair} must be formatted as key=value");
    let pairs = match text.matches('=').count() {
        0 => return Err(unformed(text)),
        1 => vec![text.trim_matches('"').to_owned()],
        _ => record(text)?.ok_or("EOF")?,
    };
    pairs
        .iter()
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
            None => Err(unformed(pair)),
        })
        .collect()
}

// pflag: string_slice.go readAsCSV
fn comma_separated(text: &str) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    Ok(record(text)?.ok_or("EOF")?)
}

/// The first line of comma-separated values that is not empty; a line ends outside quotes.
// go: encoding/csv Reader.readRecord
fn record(text: &str) -> Result<Option<Vec<String>>, String> {
    let mut lines = Lines {
        rest: text,
        number: 0,
    };
    let mut line = loop {
        match lines.next() {
            None => return Ok(None),
            Some(line) if line == "\n" => {}
            Some(line) => break line,
        }
    };
    let start = lines.number;
    let refused = |at: usize, column: usize, reason: &str| {
        let place = format!("parse error on line {at}, column {column}: {reason}");
        Err(if at == start {
            place
        } else {
            format!("record on line {start}; {place}")
        })
    };
    const BARE: &str = "bare \" in non-quoted-field";
    const QUOTE: &str = "extraneous or missing \" in quoted-field";
    let (mut fields, mut column) = (Vec::new(), 1);
    loop {
        let Some(quoted) = line.strip_prefix('"') else {
            let (field, after) = match line.split_once(',') {
                Some((field, after)) => (field, Some(after)),
                None => (line.strip_suffix('\n').unwrap_or(&line), None),
            };
            if let Some(bare) = field.find('"') {
                return refused(lines.number, column + bare, BARE);
            }
            fields.push(field.to_owned());
            let Some(after) = after else {
                return Ok(Some(fields));
            };
            column += field.len() + 1;
            line = after.to_owned();
            continue;
        };
        column += 1;
        let (mut field, mut rest, mut position) = (String::new(), quoted.to_owned(), lines.number);
        line = loop {
            if let Some((before, after)) = rest.split_once('"') {
                field.push_str(before);
                column += before.len() + 1;
                match after.as_bytes() {
                    [b'"', ..] => {
                        field.push('"');
                        column += 1;
                        rest = after[1..].to_owned();
                    }
                    [b',', ..] => {
                        column += 1;
                        fields.push(field);
                        break after[1..].to_owned();
                    }
                    b"" | b"\n" => {
                        fields.push(field);
                        return Ok(Some(fields));
                    }
                    _ => return refused(lines.number, column - 1, QUOTE),
                }
            } else if !rest.is_empty() {
                field.push_str(&rest);
                column += rest.len();
                rest = lines.next().unwrap_or_default();
                if !rest.is_empty() {
                    position += 1;
                    column = 1;
                }
            } else {
                return refused(position, column, QUOTE);
            }
        };
    }
}

/// Lines with their ends, which are newlines alone.
// go: encoding/csv Reader.readLine
struct Lines<'a> {
    rest: &'a str,
    number: usize,
}

impl Lines<'_> {
    fn next(&mut self) -> Option<String> {
        self.number += 1;
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.find('\n').map_or(self.rest.len(), |end| end + 1);
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(match line.strip_suffix("\r\n") {
            Some(text) => format!("{text}\n"),
            None if rest.is_empty() => line.strip_suffix('\r').unwrap_or(line).to_owned(),
            None => line.to_owned(),
        })
    }
}
