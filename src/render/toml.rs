//! `toToml` and `fromToml`: TOML as BurntSushi/toml v1.6.0 writes and reads it.
//!
//! In: a value, or a text and the [`Zones`] that its dates are in. Out: a text, or a table; what is
//! wrong is told in BurntSushi/toml's words. Never: a clock or a zone beside what comes in.

mod lex;
mod read;

use crate::sprig::dates::{Duration, Time, Zone};
use crate::sprig::{self};
use crate::template::{CallError, List, Map, Text, Value, print};

/// The TOML of a value: for tables a document, for anything else just the value.
///
/// # Errors
/// In the words of BurntSushi/toml, where TOML has no such thing.
pub(super) fn encode(value: &Value) -> Result<Text, CallError> {
    let mut encoder = Encoder { out: Vec::new() };
    encoder.encode(&[], value)?;
    Ok(Text::from(encoder.out))
}

struct Encoder {
    out: Vec<u8>,
}

/// What a value is to TOML, as far as its layout goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Go's nil of any type: it is left out.
    Nil,
    Table,
    ArrayOfTables,
    Other,
}

fn refused<T>(message: &str) -> Result<T, CallError> {
    Err(CallError::new(message))
}

fn kind(value: &Value) -> Result<Kind, CallError> {
    Ok(match value {
        Value::Nil => Kind::Nil,
        Value::Map(map) if map.is_nil() => Kind::Nil,
        Value::List(list) if list.is_nil() => Kind::Nil,
        Value::Map(_) => Kind::Table,
        Value::Object(object) if object.fields().is_some() => Kind::Table,
        Value::List(list) if is_array_of_tables(list)? => Kind::ArrayOfTables,
        _ => Kind::Other,
    })
}

fn is_array_of_tables(list: &List) -> Result<bool, CallError> {
    let mut tables = !list.is_empty();
    for item in list.items().iter() {
        match kind(item)? {
            Kind::Nil => return refused("toml: cannot encode array with nil element"),
            Kind::Table => {}
            _ => tables = false,
        }
    }
    Ok(tables)
}

/// A Go slice or map behind an object, or its text. Times, spans and structs stay what they are.
fn plain(value: &Value) -> Result<Value, CallError> {
    match value {
        Value::Object(object)
            if Time::of(value).is_none()
                && Duration::of(value).is_none()
                && object.fields().is_none() =>
        {
            object.to_data()
        }
        other => Ok(other.clone()),
    }
}

impl Encoder {
    /// BurntSushi/toml: Encoder.encode
    fn encode(&mut self, key: &[Text], value: &Value) -> Result<(), CallError> {
        let value = plain(value)?;
        match (&value, kind(&value)?) {
            (_, Kind::Table) => self.table(key, &value),
            (Value::List(list), Kind::ArrayOfTables) => self.array_of_tables(key, list),
            (Value::Map(_), _) => Ok(()),
            _ => self.key_value(key, &value, false),
        }
    }

    fn table(&mut self, key: &[Text], table: &Value) -> Result<(), CallError> {
        if key.len() == 1 {
            self.newline();
        }
        if !key.is_empty() {
            self.indent(key);
            self.push("[");
            self.dotted(key);
            self.push("]");
            self.newline();
        }
        self.entries(key, table)
    }

    fn array_of_tables(&mut self, key: &[Text], list: &List) -> Result<(), CallError> {
        if key.is_empty() {
            return refused("toml: top-level values must be Go maps or structs");
        }
        for item in list.to_vec() {
            let table = plain(&item)?;
            self.newline();
            self.indent(key);
            self.push("[[");
            self.dotted(key);
            self.push("]]");
            self.newline();
            self.entries(key, &table)?;
        }
        Ok(())
    }

    /// Plain values first, then tables, each in order of a map's keys or a struct's fields.
    fn entries(&mut self, key: &[Text], table: &Value) -> Result<(), CallError> {
        let (direct, tables) = parted(table)?;
        for entry in direct.iter().chain(&tables) {
            if kind(&entry.value)? == Kind::Nil {
                continue;
            }
            let mut path = key.to_vec();
            path.push(entry.name.clone());
            self.encode(&path, &entry.value)?;
        }
        Ok(())
    }

    fn inline_table(&mut self, table: &Value) -> Result<(), CallError> {
        let (direct, tables) = parted(table)?;
        let count = direct.len() + tables.len();
        self.push("{");
        self.inline_entries(&direct, count, !tables.is_empty())?;
        self.inline_entries(&tables, count, false)?;
        self.push("}");
        Ok(())
    }

    /// Of a struct, BurntSushi/toml counts the exported fields, but takes for the last of them what
    /// stands at that place among all.
    fn inline_entries(
        &mut self,
        entries: &[Entry],
        count: usize,
        more: bool,
    ) -> Result<(), CallError> {
        for (at, entry) in entries.iter().enumerate() {
            if kind(&entry.value)? == Kind::Nil {
                continue;
            }
            self.key_value(std::slice::from_ref(&entry.name), &entry.value, true)?;
            let is_last = match entry.place {
                Some(place) => place + 1 == count,
                None => !more && at + 1 == entries.len(),
            };
            if !is_last {
                self.push(", ");
            }
        }
        Ok(())
    }

    fn key_value(&mut self, key: &[Text], value: &Value, inline: bool) -> Result<(), CallError> {
        let Some(name) = key.last() else {
            return self.element(value);
        };
        self.indent(key);
        self.key(name);
        self.push(" = ");
        self.element(value)?;
        if !inline {
            self.newline();
        }
        Ok(())
    }

    fn element(&mut self, value: &Value) -> Result<(), CallError> {
        match plain(value)? {
            Value::Nil => {
                return refused("reflect: call of reflect.Value.Type on zero Value");
            }
            Value::Bool(truth) => self.push(if truth { "true" } else { "false" }),
            Value::Int(_, number) => self.push(&number.to_string()),
            Value::Uint(_, number) => self.push(&number.to_string()),
            Value::Float(kind, number) => self.float(number, kind),
            Value::String(text) => self.quoted(&text),
            Value::Bytes(bytes) => {
                let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
                self.push(&format!("[{}]", numbers.join(", ")));
            }
            Value::List(list) => self.array(&list)?,
            table @ Value::Map(_) => self.inline_table(&table)?,
            Value::Object(_) if let Some(time) = Time::of(value) => self.time(time),
            Value::Object(_) if let Some(span) = Duration::of(value) => {
                self.quoted(&Text::from(span.to_string()));
            }
            Value::Object(object) if object.fields().is_some() => self.inline_table(value)?,
            Value::Object(object) => {
                return refused(&format!("toml: unexpected type: {}", object.type_name()));
            }
        }
        Ok(())
    }

    fn time(&mut self, time: &Time) {
        let shown = match time.zone() {
            LOCAL_DATETIME => time.utc().format(b"2006-01-02T15:04:05.999999999"),
            LOCAL_DATE => time.utc().format(b"2006-01-02"),
            LOCAL_TIME => time.utc().format(b"15:04:05.999999999"),
            _ => time.format(b"2006-01-02T15:04:05.999999999Z07:00"),
        };
        self.out.extend_from_slice(&shown);
    }

    fn array(&mut self, list: &List) -> Result<(), CallError> {
        self.push("[");
        for (at, item) in list.to_vec().iter().enumerate() {
            if at > 0 {
                self.push(", ");
            }
            self.element(item)?;
        }
        self.push("]");
        Ok(())
    }

    fn float(&mut self, number: f64, kind: crate::template::FloatKind) {
        let sign = if number.is_sign_negative() { "-" } else { "" };
        if number.is_nan() {
            return self.push(&format!("{sign}nan"));
        }
        if number.is_infinite() {
            return self.push(&format!("{sign}inf"));
        }
        let text = print::format_float(number, b'g', None, kind);
        let point = if text.contains(['e', '.']) { "" } else { ".0" };
        self.push(&text);
        self.push(point);
    }

    fn dotted(&mut self, key: &[Text]) {
        for (at, name) in key.iter().enumerate() {
            if at > 0 {
                self.push(".");
            }
            self.key(name);
        }
    }

    fn key(&mut self, name: &Text) {
        append_key(&mut self.out, name);
    }

    fn quoted(&mut self, text: &Text) {
        append_quoted(&mut self.out, text);
    }

    fn indent(&mut self, key: &[Text]) {
        for _ in 1..key.len() {
            self.push("  ");
        }
    }

    fn newline(&mut self) {
        if !self.out.is_empty() {
            self.push("\n");
        }
    }

    fn push(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}

/// An entry of a table.
struct Entry {
    name: Text,
    value: Value,
    /// Where it stands among the fields of a struct, exported or not.
    place: Option<usize>,
}

impl Entry {
    /// All entries of a map, or the exported fields of a struct.
    fn all(table: &Value) -> Result<Vec<Self>, CallError> {
        let entry = |name, value, place| plain(value).map(|value| Self { name, value, place });
        match table {
            Value::Map(map) => {
                let entries = map.entries();
                let entries = entries.iter();
                entries
                    .map(|(key, value)| entry(key.clone(), value, None))
                    .collect()
            }
            Value::Object(object) => {
                let fields = object.fields().unwrap_or_default();
                let fields = fields.iter().enumerate();
                fields
                    .filter(|(_, (name, _))| {
                        name.starts_with(|first: char| first.is_ascii_uppercase())
                    })
                    .map(|(place, (name, value))| entry(Text::from(*name), value, Some(place)))
                    .collect()
            }
            _ => Ok(vec![]),
        }
    }
}

/// The entries of a table: plain ones, and tables and arrays of tables.
/// BurntSushi/toml: Encoder.eMap, Encoder.eStruct
fn parted(table: &Value) -> Result<(Vec<Entry>, Vec<Entry>), CallError> {
    let mut direct = Vec::new();
    let mut tables = Vec::new();
    for entry in Entry::all(table)? {
        match kind(&entry.value)? {
            Kind::Table | Kind::ArrayOfTables => tables.push(entry),
            Kind::Nil | Kind::Other => direct.push(entry),
        }
    }
    Ok((direct, tables))
}

/// The zones of dates that name none, under the names by which BurntSushi/toml knows them again.
/// BurntSushi/toml: internal/tz.go
pub(super) struct Zones {
    local: Zone,
    datetime: Zone,
    date: Zone,
    time: Zone,
}

const LOCAL_DATETIME: &str = "datetime-local";
const LOCAL_DATE: &str = "date-local";
const LOCAL_TIME: &str = "time-local";

impl Zones {
    /// All are the local zone, as it is now.
    pub(super) fn of(environment: &sprig::Environment) -> Self {
        let now = (environment.now)();
        let offset = environment.time_zone.to_offset(now).seconds();
        let fixed = |name| Zone::fixed(name, i64::from(offset));
        Self {
            local: Zone::local(&environment.time_zone),
            datetime: fixed(LOCAL_DATETIME),
            date: fixed(LOCAL_DATE),
            time: fixed(LOCAL_TIME),
        }
    }
}

/// The table of a TOML document; what is wrong with it stands under `Error`.
/// helm: pkg/engine/funcs.go fromTOML
///
/// # Errors
/// What BurntSushi/toml takes for an error of its own ends the template.
pub(super) fn decode(text: &Text, zones: &Zones) -> Result<Map, CallError> {
    Ok(
        read::read(text.as_bytes(), zones)?.unwrap_or_else(|message| {
            let map = Map::default();
            map.insert("Error", message);
            map
        }),
    )
}

/// A part of a key, in quotes where it needs them.
fn append_key(out: &mut Vec<u8>, name: &Text) {
    let bare = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !name.is_empty() && name.as_bytes().iter().all(bare) {
        out.extend_from_slice(name.as_bytes());
    } else {
        append_quoted(out, name);
    }
}

fn append_quoted(out: &mut Vec<u8>, text: &Text) {
    out.push(b'"');
    for &byte in text.as_bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\x08' => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\x0c' => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0..=0x1f | 0x7f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
