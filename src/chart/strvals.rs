//! `--set` and its family: `a.b[0].c=value,d={x,y}` into values.
//!
//! Every function changes the values it is given; where it fails, they are half changed and good
//! for nothing, as in Helm. Whole numbers become 64-bit integers here, unlike those of YAML.

use std::cell::Cell;

use serde_json::{Map, Value};

use super::json::Json;
use super::quote::{is_space, quote, quote_char};

/// The largest index of a list.
// helm: pkg/strvals/parser.go MaxIndex
const MAX_INDEX: usize = 65_536;

/// The most dots in a name.
// helm: pkg/strvals/parser.go MaxNestedNameLevel
const MAX_LEVEL: usize = 30;

/// Names and indices within one another, of whatever kind; Helm has no bound for indices.
const MAX_DEPTH: usize = 256;

/// Why a line cannot be read, in Helm's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

impl Error {
    /// An error of whoever reads the files of `--set-file`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// `--set`: booleans, null and whole numbers are what they look like, all else is a string.
///
/// # Errors
/// Where the line cannot be read.
pub fn parse_into(line: &str, values: &mut Map<String, Value>) -> Result<(), Error> {
    Parser::new(line, Style::Typed, &|text| Ok(typed(&text))).parse(values)
}

/// `--set-string`: every value is a string.
///
/// # Errors
/// Where the line cannot be read.
pub fn parse_string_into(line: &str, values: &mut Map<String, Value>) -> Result<(), Error> {
    Parser::new(line, Style::Typed, &|text| Ok(Value::String(text))).parse(values)
}

/// `--set-file`: every value is the path of a file, whose text `read` brings.
///
/// # Errors
/// Where the line or a file cannot be read.
pub fn parse_file_into(
    line: &str,
    values: &mut Map<String, Value>,
    read: &dyn Fn(&str) -> Result<String, Error>,
) -> Result<(), Error> {
    Parser::new(line, Style::Typed, &|path| read(&path).map(Value::String)).parse(values)
}

/// `--set-json`: every value is JSON; a line that is an object is merged as it is.
///
/// # Errors
/// Where the line cannot be read; the text is that of the whole option.
// helm: pkg/cli/values/options.go MergeValues
pub fn parse_json_into(line: &str, values: &mut Map<String, Value>) -> Result<(), Error> {
    let trimmed = line.trim_matches(is_space);
    if trimmed.starts_with('{') {
        let table = Json::read_whole(trimmed.as_bytes())
            .ok()
            .and_then(Json::into_value);
        let Some(Value::Object(table)) = table else {
            return Err(Error(format!(
                "failed parsing --set-json data JSON: {line}"
            )));
        };
        *values = super::values::merge(std::mem::take(values), table);
        return Ok(());
    }
    Parser::new(line, Style::Json, &|text| Ok(Value::String(text)))
        .parse(values)
        .map_err(|_| Error(format!("failed parsing --set-json data {line}")))
}

/// `--set-literal`: the value is everything that follows the name, as it stands.
///
/// # Errors
/// Where the line cannot be read.
pub fn parse_literal_into(line: &str, values: &mut Map<String, Value>) -> Result<(), Error> {
    Parser::new(line, Style::Literal, &|text| Ok(Value::String(text))).parse(values)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Values end at commas and are read by the parser's reader; a backslash escapes.
    Typed,
    /// Values are JSON.
    Json,
    /// Values go to the end of the line, and nothing escapes.
    Literal,
}

/// Why reading stopped.
enum Stop {
    /// The line is over, which is how every line ends.
    End,
    Failed(Error),
}

type Read<T> = Result<T, Stop>;

fn failed<T>(text: impl Into<String>) -> Read<T> {
    Err(Stop::Failed(Error(text.into())))
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

struct Parser<'a> {
    line: &'a str,
    at: Cell<usize>,
    depth: Cell<usize>,
    style: Style,
    read: &'a dyn Fn(String) -> Result<Value, Error>,
}

// helm: pkg/strvals/parser.go and literal_parser.go
impl<'a> Parser<'a> {
    fn new(line: &'a str, style: Style, read: &'a dyn Fn(String) -> Result<Value, Error>) -> Self {
        Self {
            line,
            at: Cell::new(0),
            depth: Cell::new(0),
            style,
            read,
        }
    }

    fn parse(&self, values: &mut Map<String, Value>) -> Result<(), Error> {
        loop {
            match self.key(values, 0) {
                Ok(()) => {}
                Err(Stop::End) => return Ok(()),
                Err(Stop::Failed(error)) => return Err(error),
            }
        }
    }

    fn rest(&self) -> &'a str {
        &self.line[self.at.get()..]
    }

    fn next(&self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.at.set(self.at.get() + c.len_utf8());
        Some(c)
    }

    fn next_if(&self, wanted: char) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at.set(self.at.get() + wanted.len_utf8());
        }
        found
    }

    /// Everything up to one of the characters, and which it was; nothing where the line is over.
    fn until(&self, stop: &[char]) -> (String, Option<char>) {
        let mut text = String::new();
        while let Some(c) = self.next() {
            if stop.contains(&c) {
                return (text, Some(c));
            }
            if c != '\\' || self.style == Style::Literal {
                text.push(c);
            } else if let Some(escaped) = self.next() {
                text.push(escaped);
            }
        }
        (text, None)
    }

    fn key(&self, table: &mut Map<String, Value>, level: usize) -> Read<()> {
        let stop: &[char] = if self.style == Style::Literal {
            &['=', '[', '.']
        } else {
            &['=', '[', ',', '.']
        };
        let (key, last) = self.until(stop);
        match last {
            None if key.is_empty() => Err(Stop::End),
            None => failed(format!("key {} has no value", quote(&key))),
            Some('[') => self.list(table, key, level),
            Some('=') => self.key_value(table, key),
            Some(',') => failed(format!(
                "key {} has no value (cannot end with ,)",
                quote(&key)
            )),
            Some(_) => self.table(table, key, level + 1),
        }
    }

    fn table(&self, table: &mut Map<String, Value>, key: String, level: usize) -> Read<()> {
        if level > MAX_LEVEL {
            return failed(format!(
                "value name nested level is greater than maximum supported nested level of {MAX_LEVEL}"
            ));
        }
        if let Some(present) = table.get_mut(&key) {
            let kind = go_type(present);
            let Value::Object(inner) = present else {
                return failed(not_a("map[string]interface {}", kind));
            };
            let outcome = self.key(inner, level);
            if outcome.is_ok() && inner.is_empty() {
                return failed(format!("key map {} has no value", quote(&key)));
            }
            return outcome;
        }
        let mut inner = Map::new();
        let outcome = self.key(&mut inner, level);
        if outcome.is_ok() && inner.is_empty() {
            return failed(format!("key map {} has no value", quote(&key)));
        }
        if !inner.is_empty() {
            set(table, key, Value::Object(inner));
        }
        outcome
    }

    fn list(&self, table: &mut Map<String, Value>, key: String, level: usize) -> Read<()> {
        let index = self.index()?;
        let mut list = match table.get_mut(&key) {
            None => Vec::new(),
            Some(Value::Array(list)) => std::mem::take(list),
            Some(other) => return failed(not_a("[]interface {}", go_type(other))),
        };
        let outcome = self.item(&mut list, index, level);
        set(table, key, Value::Array(list));
        outcome
    }

    /// The number in brackets, whose first was read.
    fn index(&self) -> Read<i64> {
        let (digits, last) = self.until(&[']']);
        if last.is_none() {
            return Err(Stop::End);
        }
        digits.parse().or_else(|error: std::num::ParseIntError| {
            use std::num::IntErrorKind::{NegOverflow, PosOverflow};
            let reason = match error.kind() {
                PosOverflow | NegOverflow => "value out of range",
                _ => "invalid syntax",
            };
            failed(format!(
                "error parsing index: strconv.Atoi: parsing {}: {reason}",
                quote(&digits)
            ))
        })
    }

    /// What follows the brackets of an index.
    fn item(&self, list: &mut Vec<Value>, index: i64, level: usize) -> Read<()> {
        let Ok(at) = usize::try_from(index) else {
            return failed(format!("negative {index} index not allowed"));
        };
        if self.depth.get() == MAX_DEPTH {
            return failed(format!(
                "value name is nested deeper than {MAX_DEPTH} levels"
            ));
        }
        self.depth.set(self.depth.get() + 1);
        let outcome = self.item_within(list, at, level);
        self.depth.set(self.depth.get() - 1);
        outcome
    }

    fn item_within(&self, list: &mut Vec<Value>, at: usize, level: usize) -> Read<()> {
        let (extra, last) = self.until(&['[', '.', '=']);
        if !extra.is_empty() {
            let runes: Vec<String> = extra.chars().map(quote_char).collect();
            return failed(format!(
                "unexpected data at end of array index: [{}]",
                runes.join(" ")
            ));
        }
        match last {
            None => Err(Stop::End),
            Some('=') => self.item_value(list, at),
            Some('[') => {
                let next = self.index()?;
                let mut inner = match list.get_mut(at) {
                    None | Some(Value::Null) => Vec::new(),
                    Some(Value::Array(inner)) => std::mem::take(inner),
                    Some(other) => return failed(not_a("[]interface {}", go_type(other))),
                };
                let outcome = self.item(&mut inner, next, level);
                if let (Err(_), Some(slot)) =
                    (&outcome, list.get_mut(at).filter(|slot| slot.is_array()))
                {
                    *slot = Value::Array(inner);
                    return outcome;
                }
                outcome?;
                set_index(list, at, Value::Array(inner))
            }
            Some(_) => {
                let mut inner = match list.get_mut(at) {
                    None => Map::new(),
                    Some(slot) => {
                        if !slot.is_object() {
                            *slot = Value::Object(Map::new());
                        }
                        return match slot {
                            Value::Object(inner) => self.key(inner, level),
                            _ => Ok(()),
                        };
                    }
                };
                self.key(&mut inner, level)?;
                set_index(list, at, Value::Object(inner))
            }
        }
    }

    fn key_value(&self, table: &mut Map<String, Value>, key: String) -> Read<()> {
        match self.style {
            Style::Literal => {
                set(table, key, Value::String(self.literal()));
                Ok(())
            }
            Style::Json => {
                if self.empty() {
                    set(table, key, Value::Null);
                    return Ok(());
                }
                let value = self.json()?;
                set(table, key, value);
                self.empty();
                Ok(())
            }
            Style::Typed => {
                let over = self.rest().is_empty();
                let value = self.value()?;
                set(table, key, value);
                if over { Err(Stop::End) } else { Ok(()) }
            }
        }
    }

    fn item_value(&self, list: &mut Vec<Value>, at: usize) -> Read<()> {
        match self.style {
            Style::Literal => set_index(list, at, Value::String(self.literal())),
            Style::Json => {
                if self.empty() {
                    return set_index(list, at, Value::Null);
                }
                let value = self.json()?;
                set_index(list, at, value)?;
                self.empty();
                Ok(())
            }
            Style::Typed => {
                let value = self.value()?;
                set_index(list, at, value)
            }
        }
    }

    fn literal(&self) -> String {
        let rest = self.rest().to_owned();
        self.at.set(self.line.len());
        rest
    }

    fn json(&self) -> Read<Value> {
        let (value, length) = Json::read(self.rest().as_bytes()).map_err(Error)?;
        let value = value
            .into_value()
            .ok_or_else(|| Error("number out of range".to_owned()))?;
        self.at.set(self.at.get() + length);
        Ok(value)
    }

    /// Skips space and one comma; whether nothing else came before the comma or the end.
    fn empty(&self) -> bool {
        loop {
            match self.rest().chars().next() {
                None => return true,
                Some(c) if c == ',' || is_space(c) => {
                    self.at.set(self.at.get() + c.len_utf8());
                    if c == ',' {
                        return true;
                    }
                }
                Some(_) => return false,
            }
        }
    }

    /// A value that ends at a comma, or a list in braces.
    fn value(&self) -> Read<Value> {
        if self.rest().is_empty() {
            return Ok(Value::String(String::new()));
        }
        if !self.next_if('{') {
            let (text, _) = self.until(&[',']);
            return Ok((self.read)(text)?);
        }
        let mut list = Vec::new();
        loop {
            let (text, last) = self.until(&[',', '}']);
            match last {
                None => return failed("list must terminate with '}'"),
                Some(',') => list.push((self.read)(text)?),
                Some(_) => {
                    self.next_if(',');
                    list.push((self.read)(text)?);
                    return Ok(Value::Array(list));
                }
            }
        }
    }
}

fn set(table: &mut Map<String, Value>, key: String, value: Value) {
    // helm: a value without a name goes nowhere
    if !key.is_empty() {
        table.insert(key, value);
    }
}

fn set_index(list: &mut Vec<Value>, at: usize, value: Value) -> Read<()> {
    if at > MAX_INDEX {
        return failed(format!(
            "index of {at} is greater than maximum supported index of {MAX_INDEX}"
        ));
    }
    if list.len() <= at {
        list.resize(at + 1, Value::Null);
    }
    list[at] = value;
    Ok(())
}

// helm: pkg/strvals/parser.go typedVal
fn typed(text: &str) -> Value {
    if same_folded(text, "true") {
        return Value::Bool(true);
    }
    if same_folded(text, "false") {
        return Value::Bool(false);
    }
    if same_folded(text, "null") {
        return Value::Null;
    }
    if text == "0" {
        return Value::from(0_i64);
    }
    if !text.starts_with('0')
        && let Ok(number) = text.parse::<i64>()
    {
        return Value::from(number);
    }
    Value::String(text.to_owned())
}

// go: strings.EqualFold with a word of lower case
fn same_folded(text: &str, word: &str) -> bool {
    let folded = text.chars().map(|c| {
        if c == 'ſ' {
            's'
        } else {
            c.to_ascii_lowercase()
        }
    });
    folded.eq(word.chars())
}

// helm recovers from the panic of a Go type assertion and prints it
fn not_a(wanted: &str, found: &str) -> String {
    format!("unable to parse key: interface conversion: interface {{}} is {found}, not {wanted}")
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}
