//! A TOML document becomes a table, with BurntSushi/toml's leniencies and complaints.
//!
//! In: the text, and the zones that its dates are in. Out: the table; or why there is none, in
//! BurntSushi/toml's words. Never: a look at single characters, but for those within literals.

use std::collections::{HashMap, HashSet};

use super::lex::{After, Lexer, Literal, Refusal, Top, quoted};
use super::{Zones, append_key};
use crate::sprig::dates;
use crate::template::{CallError, List, Map, Text, Type, Value, rune};

/// What `[[name]]` makes: `[]map[string]interface {}`
pub(super) const TABLES: Type = Type::Slice(&Type::ANY_MAP);

/// How deep arrays and inline tables may nest: as deep as YAML's and JSON's.
const MAX_DEPTH: usize = 1_000;

/// Reads a document.
///
/// # Errors
/// The outer error is Go's panic, which ends the template; the inner one is what Helm puts under
/// `Error`.
pub(super) fn read(text: &[u8], zones: &Zones) -> Result<Result<Map, String>, CallError> {
    // BurntSushi/toml: parse.go parse
    let text = [&b"\xff\xfe"[..], b"\xfe\xff", b"\xef\xbb\xbf"]
        .iter()
        .find_map(|mark| text.strip_prefix(*mark))
        .unwrap_or(text);
    if text.iter().take(6).any(|byte| *byte == 0) {
        return Ok(Err("toml: line 1: files cannot contain NULL bytes; probably using UTF-16; TOML files must be UTF-8".to_owned()));
    }
    let mut reader = Reader {
        lexer: Lexer::new(text),
        zones,
        document: Map::default(),
        context: Key::default(),
        current: Text::default(),
        line: 0,
        depth: 0,
        implicit: HashSet::new(),
        arrays: HashMap::new(),
    };
    match reader.document() {
        Ok(()) => Ok(Ok(reader.document)),
        Err(Failure::Refused(refusal)) => Ok(Err(reader.told(&refusal))),
        Err(Failure::Bug(words)) => Err(CallError::new(format!("BUG: {words}\n\n"))),
    }
}

/// A name in parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Key(Vec<Text>);

impl Key {
    fn with(&self, part: &Text) -> Self {
        let mut parts = self.0.clone();
        parts.push(part.clone());
        Self(parts)
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = Vec::new();
        for (at, part) in self.0.iter().enumerate() {
            if at > 0 {
                out.push(b'.');
            }
            append_key(&mut out, part);
        }
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

enum Failure {
    Refused(Refusal),
    /// What BurntSushi/toml takes for an error of its own.
    Bug(String),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

type Read<T> = Result<T, Failure>;

/// BurntSushi/toml: parse.go parser
struct Reader<'t> {
    lexer: Lexer<'t>,
    zones: &'t Zones,
    document: Map,
    /// The table that is being filled, and the key within it; where an error finds them is part of
    /// its text.
    context: Key,
    current: Text,
    /// Where the first part of the last key or table name ended.
    line: usize,
    depth: usize,
    /// Tables that no one named yet, and that may be named once.
    implicit: HashSet<Key>,
    /// For each key whether it holds an array.
    arrays: HashMap<Key, bool>,
}

impl Reader<'_> {
    fn told(&self, refusal: &Refusal) -> String {
        let Refusal { line, message } = refusal;
        let last = match (self.context.0.is_empty(), self.current.is_empty()) {
            (_, true) => self.context.to_string(),
            (true, false) => self.current.to_str_lossy().into_owned(),
            (false, false) => format!("{}.{}", self.context, self.current.to_str_lossy()),
        };
        if last.is_empty() {
            return format!("toml: line {line}: {message}");
        }
        let last = quoted(last.as_bytes());
        format!("toml: line {line} (last key {last}): {message}")
    }

    /// BurntSushi/toml: parser.panicf
    fn refused<T>(&self, message: String) -> Read<T> {
        Err(Failure::Refused(Refusal {
            line: self.line,
            message,
        }))
    }

    /// BurntSushi/toml: parser.panicItemf, of what was read last
    fn refused_here<T>(&self, message: String) -> Read<T> {
        Err(Failure::Refused(Refusal {
            line: self.lexer.line,
            message,
        }))
    }

    fn document(&mut self) -> Read<()> {
        loop {
            match self.lexer.top()? {
                Top::End => return Ok(()),
                Top::Table => self.table(false)?,
                Top::ArrayOfTables => self.table(true)?,
                Top::Key => {
                    self.lexer.key_start()?;
                    let context = self.context.clone();
                    self.entry(None)?;
                    self.context = context;
                    self.current = Text::default();
                }
            }
            self.lexer.line_end()?;
        }
    }

    fn table(&mut self, array: bool) -> Read<()> {
        let mut name = Key::default();
        loop {
            self.lexer.table_name_start()?;
            let part = self.lexer.name()?;
            if name.0.is_empty() {
                self.line = self.lexer.line;
            }
            name.0.push(self.string(part)?);
            if self.lexer.after_table_name(array)? == After::End {
                break;
            }
        }
        self.add_context(&name, array)?;
        self.arrays.insert(self.context.clone(), false);
        Ok(())
    }

    /// A key and its value. Within an inline table the value goes into that table, too: it is what
    /// an array will hold.
    fn entry(&mut self, inline: Option<&Map>) -> Read<()> {
        let mut parts = Vec::new();
        loop {
            let part = self.lexer.name()?;
            if parts.is_empty() {
                self.line = self.lexer.line;
            }
            parts.push(self.string(part)?);
            if self.lexer.after_key()? == After::End {
                break;
            }
            self.lexer.key_part_start()?;
        }
        self.current = parts.pop().unwrap_or_default();
        for part in &parts {
            let implied = self.context.with(part);
            self.implicit.insert(implied.clone());
            self.add_context(&implied, false)?;
        }
        let (value, is_array) = self.value(false)?;
        self.set(&self.current.clone(), value.clone())?;
        self.set_kind(is_array);
        let Some(inline) = inline else {
            return Ok(());
        };
        let mut table = inline.clone();
        for part in &parts {
            if !table.contains_key(part.as_bytes()) {
                table.insert(part.clone(), Map::default());
            }
            match table.get(part.as_bytes()) {
                Some(Value::Map(next)) => table = next,
                _ => {
                    let context = quoted(self.context.to_string().as_bytes());
                    return self.refused(format!("{context} is not a table"));
                }
            }
        }
        table.insert(self.current.clone(), value);
        Ok(())
    }

    /// A value, and whether it is an array.
    fn value(&mut self, in_array: bool) -> Read<(Value, bool)> {
        let literal = self.lexer.value()?;
        if matches!(literal, Literal::Array | Literal::InlineTable) {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return self.refused_here(format!("nested deeper than {MAX_DEPTH} levels"));
            }
        }
        let value = match literal {
            Literal::Array => {
                let array = self.array()?;
                self.depth -= 1;
                return Ok((array, true));
            }
            Literal::InlineTable => {
                let table = self.inline_table(in_array)?;
                self.depth -= 1;
                table
            }
            Literal::Bool(truth) => Value::Bool(truth),
            Literal::Integer(digits) => Value::int64(self.integer(&digits)?),
            Literal::Float(digits) => Value::float64(self.float(&digits)?),
            Literal::Datetime(text) => self.datetime(&text)?,
            string @ Literal::String { .. } => Value::String(self.string(string)?),
        };
        Ok((value, false))
    }

    /// BurntSushi/toml: parser.valueArray
    fn array(&mut self) -> Read<Value> {
        self.set_kind(true);
        let mut items = Vec::new();
        while self.lexer.array_value()? {
            items.push(self.value(true)?.0);
            if !self.lexer.after_array_value()? {
                break;
            }
        }
        Ok(Value::list(items))
    }

    /// BurntSushi/toml: parser.valueInlineTable
    fn inline_table(&mut self, in_array: bool) -> Read<Value> {
        let table = Map::default();
        let outer = (self.context.clone(), self.current.clone());
        let own = self.context.with(&self.current);
        self.context = own.clone();
        self.current = Text::default();
        self.implicit.insert(own.clone());
        self.add_context(&own, in_array)?;
        // What an array's table is added under is not where its entries are looked for.
        let entries = own;
        while self.lexer.inline_key()? {
            self.lexer.key_start()?;
            self.entry(Some(&table))?;
            self.context = entries.clone();
            if !self.lexer.after_inline_value()? {
                break;
            }
        }
        (self.context, self.current) = outer;
        Ok(table.into())
    }

    /// BurntSushi/toml: parser.valueInteger
    fn integer(&self, digits: &str) -> Read<i64> {
        if !underscores_fit(digits) {
            let digits = quoted(digits.as_bytes());
            return self.refused_here(format!(
                "Invalid integer {digits}: underscores must be surrounded by digits"
            ));
        }
        if has_leading_zero(digits) {
            let digits = quoted(digits.as_bytes());
            return self.refused_here(format!(
                "Invalid integer {digits}: cannot have leading zeroes"
            ));
        }
        let plain = digits.replace('_', "");
        let (rest, base) = match plain.get(..2) {
            Some("0b") => (&plain[2..], 2),
            Some("0o") => (&plain[2..], 8),
            Some("0x") => (&plain[2..], 16),
            _ => (plain.as_str(), 10),
        };
        match i64::from_str_radix(rest, base) {
            Ok(number) => Ok(number),
            Err(_) => self.refused_here(format!("{digits} is out of range for int64")),
        }
    }

    /// BurntSushi/toml: parser.valueFloat
    fn float(&self, digits: &str) -> Read<f64> {
        let shown = || quoted(digits.as_bytes());
        let mut parts = digits
            .split(['.', 'e', 'E'])
            .filter(|part| !part.is_empty());
        if !parts.clone().all(underscores_fit) {
            let shown = shown();
            return self.refused_here(format!(
                "Invalid float {shown}: underscores must be surrounded by digits"
            ));
        }
        if parts.next().is_some_and(has_leading_zero) {
            let shown = shown();
            return self.refused_here(format!("Invalid float {shown}: cannot have leading zeroes"));
        }
        let mut after = digits.split('.').skip(1);
        if !after.all(|after| after.starts_with(|next: char| next.is_ascii_digit())) {
            let shown = shown();
            return self.refused_here(format!(
                "Invalid float {shown}: '.' must be followed by one or more digits"
            ));
        }
        match digits {
            "inf" | "+inf" => return Ok(f64::INFINITY),
            "-inf" => return Ok(f64::NEG_INFINITY),
            "nan" | "+nan" => return Ok(f64::NAN.copysign(1.0)),
            "-nan" => return Ok(f64::NAN.copysign(-1.0)),
            _ => {}
        }
        let plain = digits.replace('_', "");
        let is_number = plain
            .chars()
            .all(|next| !next.is_ascii_alphabetic() || matches!(next, 'e' | 'E'));
        match plain.parse::<f64>() {
            Ok(number) if is_number && number.is_finite() => Ok(number),
            Ok(_) if is_number => {
                self.refused_here(format!("{digits} is out of range for float64"))
            }
            _ => {
                let shown = shown();
                self.refused_here(format!("Invalid float value: {shown}"))
            }
        }
    }

    /// BurntSushi/toml: parser.valueDatetime
    fn datetime(&self, text: &str) -> Read<Value> {
        let text = text.replace('z', "Z").replace(['t', ' '], "T");
        let Zones {
            local,
            datetime,
            date,
            time,
        } = self.zones;
        let layouts = [
            ("2006-01-02T15:04:05.999999999Z07:00", local),
            ("2006-01-02T15:04:05.999999999", datetime),
            ("2006-01-02", date),
            ("15:04:05.999999999", time),
            ("2006-01-02T15:04Z07:00", local),
            ("2006-01-02T15:04", datetime),
            ("15:04", time),
        ];
        let read = layouts.into_iter().find_map(|(layout, zone)| {
            let time = dates::parse(layout.as_bytes(), text.as_bytes(), zone).ok()?;
            Some((layout, time))
        });
        // Go reads an hour of one digit.
        let aligned = |layout: &str| {
            let marks = layout.bytes().zip(text.bytes());
            marks
                .take_while(|(mark, _)| !matches!(mark, b'.' | b'Z'))
                .all(|(mark, found)| mark.is_ascii_digit() || mark == found)
        };
        match read {
            Some((layout, time)) if aligned(layout) => Ok(time.into()),
            _ => {
                let shown = quoted(text.as_bytes());
                self.refused_here(format!("invalid datetime: {shown}"))
            }
        }
    }

    /// The text of a string literal. BurntSushi/toml: parser.value
    fn string(&self, literal: Literal) -> Read<Text> {
        let Literal::String {
            text,
            escaped,
            multiline,
        } = literal
        else {
            return Err(Failure::Bug("Unexpected key type".to_owned()));
        };
        let mut text = text.as_slice();
        if multiline {
            let first_end = [&b"\n"[..], b"\r\n"];
            let rest = first_end.iter().find_map(|end| text.strip_prefix(*end));
            text = rest.unwrap_or(text);
        }
        match (escaped, multiline) {
            (true, true) => self.unescaped(&without_escaped_line_ends(text)),
            (true, false) => self.unescaped(text),
            (false, _) => Ok(Text::from_bytes(text)),
        }
    }

    /// BurntSushi/toml: parser.replaceEscapes
    fn unescaped(&self, text: &[u8]) -> Read<Text> {
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
            out.extend_from_slice(&rest[..at]);
            let letter = rest.get(at + 1).copied().unwrap_or_default();
            rest = rest.get(at + 2..).unwrap_or_default();
            let digits = match letter {
                b'b' => Err(0x08),
                b't' => Err(b'\t'),
                b'n' => Err(b'\n'),
                b'f' => Err(0x0c),
                b'r' => Err(b'\r'),
                b'e' => Err(0x1b),
                b'"' | b'\\' => Err(letter),
                b'x' => Ok(2),
                b'u' => Ok(4),
                b'U' => Ok(8),
                b' ' | b'\t' => {
                    let letter = char::from(letter);
                    return self.refused_here(format!("invalid escape: '\\{letter}'"));
                }
                other => {
                    let other = crate::template::quote::rune(char::from(other));
                    return Err(Failure::Bug(format!(
                        "Expected valid escape code after \\, but got {other}."
                    )));
                }
            };
            match digits {
                Err(byte) => out.push(byte),
                Ok(count) => {
                    let digits = String::from_utf8_lossy(&rest[..count.min(rest.len())]);
                    let code = u32::from_str_radix(&digits, 16).ok();
                    let Some(found) = code.and_then(char::from_u32) else {
                        return self.refused_here(format!(
                            "Escaped character '\\u{digits}' is not valid UTF-8."
                        ));
                    };
                    rune::push(&mut out, found);
                    rest = &rest[digits.len()..];
                }
            }
        }
        out.extend_from_slice(rest);
        Ok(Text::from(out))
    }

    /// Goes to the table of this name, which must not be there yet, through tables that may be.
    /// BurntSushi/toml: parser.addContext
    fn add_context(&mut self, name: &Key, array: bool) -> Read<()> {
        let Some((last, parents)) = name.0.split_last() else {
            return Ok(());
        };
        let mut table = self.document.clone();
        let mut context = Key::default();
        for part in parents {
            context.0.push(part.clone());
            if !table.contains_key(part.as_bytes()) {
                self.implicit.insert(context.clone());
                table.insert(part.clone(), Map::default());
            }
            match table.get(part.as_bytes()).and_then(innermost) {
                Some(next) => table = next,
                None => {
                    return self.refused(format!("Key '{context}' was already created as a hash."));
                }
            }
        }
        self.context = context;
        if array {
            let tables = match table.get(last.as_bytes()) {
                None => {
                    let tables = List::new(TABLES, Vec::new());
                    table.insert(last.clone(), tables.clone());
                    tables
                }
                Some(Value::List(tables)) if tables.type_of() == TABLES => tables,
                Some(_) => {
                    return self.refused(format!(
                        "Key '{name}' was already created and cannot be used as an array."
                    ));
                }
            };
            tables.items_mut().push(Map::default().into());
        } else {
            self.set(last, Map::default().into())?;
        }
        self.context.0.push(last.clone());
        Ok(())
    }

    /// BurntSushi/toml: parser.setValue
    fn set(&mut self, key: &Text, value: Value) -> Read<()> {
        let mut table = self.document.clone();
        let mut context = Key::default();
        for part in &self.context.0 {
            context.0.push(part.clone());
            let Some(found) = table.get(part.as_bytes()) else {
                return Err(Failure::Bug(format!(
                    "Context for key '{context}' has not been established."
                )));
            };
            match innermost(found) {
                Some(next) => table = next,
                None => return self.refused(format!("Key '{context}' has already been defined.")),
            }
        }
        context.0.push(key.clone());
        if table.contains_key(key.as_bytes()) {
            if !self.implicit.remove(&context) {
                return self.refused(format!("Key '{context}' has already been defined."));
            }
            // What stands there was made while the value was read, and holds all that it holds.
            if !self.arrays.get(&context).is_some_and(|array| *array) {
                return Ok(());
            }
        }
        table.insert(key.clone(), value);
        Ok(())
    }

    /// Remembers what the current key holds. BurntSushi/toml: parser.setType
    fn set_kind(&mut self, array: bool) {
        let named = !self.current.is_empty() || self.context.0.is_empty();
        let key = match named {
            true => self.context.with(&self.current),
            false => self.context.clone(),
        };
        self.arrays.insert(key, array);
    }
}

/// The table that a name leads to: of several, the last.
fn innermost(value: Value) -> Option<Map> {
    match value {
        Value::Map(table) => Some(table),
        Value::List(tables) if tables.type_of() == TABLES => match tables.items().last() {
            Some(Value::Map(table)) => Some(table.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// BurntSushi/toml: numHasLeadingZero
fn has_leading_zero(digits: &str) -> bool {
    match digits.as_bytes() {
        [b'0', next, ..] => !matches!(next, b'b' | b'o' | b'x'),
        [b'-' | b'+', b'0', _, ..] => true,
        _ => false,
    }
}

/// Whether each underscore follows a digit of whatever base, and none is the last.
/// BurntSushi/toml: numUnderscoresOK
fn underscores_fit(digits: &str) -> bool {
    if matches!(digits, "nan" | "+nan" | "-nan" | "inf" | "+inf" | "-inf") {
        return true;
    }
    let mut digit = false;
    for next in digits.chars() {
        if next == '_' && !digit {
            return false;
        }
        digit = next.is_ascii_hexdigit();
    }
    digit
}

/// Takes out each backslash before a line end, and all that is blank behind it.
/// BurntSushi/toml: parser.stripEscapedNewlines
fn without_escaped_line_ends(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let behind = &rest[at + 1..];
        if behind.first() == Some(&b'\\') {
            out.extend_from_slice(&rest[..at + 2]);
            rest = &behind[1..];
            continue;
        }
        let blank = behind
            .iter()
            .position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
            .unwrap_or(behind.len());
        if behind[..blank].contains(&b'\n') {
            out.extend_from_slice(&rest[..at]);
            rest = &behind[blank..];
        } else {
            out.extend_from_slice(&rest[..=at]);
            rest = behind;
        }
    }
    out.extend_from_slice(rest);
    out
}
