//! Values to JSON: sorted keys, Go's floats, and its escapes.

use crate::sprig::bounds;
use crate::sprig::encoding::base64_encode;
use crate::sprig::runes::runes;
use crate::template::print::format_float;
use crate::template::{CallError, FloatKind, List, Map, Object, Value};

/// From this depth on, Go looks out for maps and slices that contain themselves.
const SHALLOW: usize = 1_000;

/// How the text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// On one line, with `<`, `>` and `&` escaped, as `json.Marshal` writes.
    Html,
    /// The same on many lines, indented by two spaces, as `json.MarshalIndent` writes.
    Pretty,
    /// On one line, with nothing escaped that need not be.
    Raw,
}

/// The value as JSON.
///
/// # Errors
/// In Go's words, if there is a NaN or an infinity, or a map that contains itself.
pub fn encode(value: &Value, form: Form) -> Result<Vec<u8>, CallError> {
    let mut encoder = Encoder {
        out: Vec::new(),
        form,
        open: 0,
        maps: Vec::new(),
        lists: Vec::new(),
    };
    encoder.value(value)?;
    Ok(encoder.out)
}

struct Encoder {
    out: Vec<u8>,
    form: Form,
    /// How many maps and lists are being written.
    open: usize,
    /// Those among them beyond the shallow ones.
    maps: Vec<Map>,
    lists: Vec<List>,
}

impl Encoder {
    fn value(&mut self, value: &Value) -> Result<(), CallError> {
        match value {
            Value::Nil => self.out.extend_from_slice(b"null"),
            Value::Bool(truth) => self.word(if *truth { "true" } else { "false" }),
            Value::Int(_, number) => self.word(&number.to_string()),
            Value::Uint(_, number) => self.word(&number.to_string()),
            Value::Float(kind, number) => self.word(&float(*number, *kind)?),
            Value::String(text) => self.string(text),
            Value::Bytes(bytes) => self.word(&format!("\"{}\"", base64_encode(bytes))),
            Value::List(list) => self.list(list)?,
            Value::Map(map) => self.map(map)?,
            Value::Object(object) => self.object(&**object)?,
        }
        Ok(())
    }

    fn word(&mut self, word: &str) {
        self.out.extend_from_slice(word.as_bytes());
    }

    fn list(&mut self, list: &List) -> Result<(), CallError> {
        if list.is_nil() {
            self.word("null");
            return Ok(());
        }
        let deep = self.enter(
            self.lists.iter().any(|open| open.same(list)),
            &list.type_of(),
        )?;
        if deep {
            self.lists.push(list.clone());
        }
        self.out.push(b'[');
        let items = list.items();
        for (index, item) in items.iter().enumerate() {
            self.separate(index);
            self.value(item)?;
        }
        self.close(b']', items.len());
        if deep {
            self.lists.pop();
        }
        Ok(())
    }

    fn map(&mut self, map: &Map) -> Result<(), CallError> {
        if map.is_nil() {
            self.word("null");
            return Ok(());
        }
        let deep = self.enter(self.maps.iter().any(|open| open.same(map)), &map.type_of())?;
        if deep {
            self.maps.push(map.clone());
        }
        self.out.push(b'{');
        let entries = map.entries();
        for (index, (key, value)) in entries.iter().enumerate() {
            self.separate(index);
            self.string(key);
            self.word(if self.form == Form::Pretty { ": " } else { ":" });
            self.value(value)?;
        }
        self.close(b'}', entries.len());
        if deep {
            self.maps.pop();
        }
        Ok(())
    }

    /// A struct in the order of its fields, anything else as its data.
    fn object(&mut self, object: &dyn Object) -> Result<(), CallError> {
        let Some(fields) = object.json_fields() else {
            return self.value(&object.to_data()?);
        };
        self.open += 1;
        self.out.push(b'{');
        for (index, (name, value)) in fields.iter().enumerate() {
            self.separate(index);
            self.string(name.as_bytes());
            self.word(if self.form == Form::Pretty { ": " } else { ":" });
            self.value(value)?;
        }
        self.close(b'}', fields.len());
        Ok(())
    }

    /// Goes one deeper; whether the cycle watch has begun.
    fn enter(&mut self, met: bool, kind: &crate::template::Type) -> Result<bool, CallError> {
        if met {
            return Err(CallError::new(format!(
                "json: unsupported value: encountered a cycle via {kind}"
            )));
        }
        self.open += 1;
        // Cycles are found just beyond the shallow part, whatever is deeper is no cycle.
        bounds::depth(self.open.saturating_sub(SHALLOW))?;
        Ok(self.open > SHALLOW)
    }

    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.out.push(b',');
        }
        self.break_line();
    }

    fn close(&mut self, bracket: u8, count: usize) {
        self.open -= 1;
        if count > 0 {
            self.break_line();
        }
        self.out.push(bracket);
    }

    fn break_line(&mut self) {
        if self.form == Form::Pretty {
            self.out.push(b'\n');
            self.out.extend(std::iter::repeat_n(b' ', 2 * self.open));
        }
    }

    // encoding/json: encode.go appendString
    fn string(&mut self, text: &[u8]) {
        self.out.push(b'"');
        for (rune, own) in runes(text) {
            match rune {
                '"' | '\\' => self.out.extend_from_slice(&[b'\\', rune as u8]),
                '\x08' => self.word("\\b"),
                '\x0c' => self.word("\\f"),
                '\n' => self.word("\\n"),
                '\r' => self.word("\\r"),
                '\t' => self.word("\\t"),
                '<' | '>' | '&' if self.form == Form::Raw => self.out.push(rune as u8),
                '\0'..='\x1f' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    self.word(&format!("\\u{:04x}", rune as u32));
                }
                // A broken byte, not the rune itself.
                char::REPLACEMENT_CHARACTER if own.len() == 1 => self.word("\\ufffd"),
                _ => self.out.extend_from_slice(own),
            }
        }
        self.out.push(b'"');
    }
}

/// A number as JSON has it: plain, or with an exponent of as few digits as possible.
// encoding/json: encode.go floatEncoder.encode
pub(super) fn float(number: f64, kind: FloatKind) -> Result<String, CallError> {
    if !number.is_finite() {
        let shown = format_float(number, b'g', None, kind);
        return Err(CallError::new(format!("json: unsupported value: {shown}")));
    }
    let size = number.abs();
    let plain = match kind {
        FloatKind::Float64 => size == 0.0 || (1e-6..1e21).contains(&size),
        FloatKind::Float32 => size == 0.0 || (1e-6_f32..1e21_f32).contains(&(size as f32)),
    };
    let shown = format_float(number, if plain { b'f' } else { b'e' }, None, kind);
    // e-09 becomes e-9.
    Ok(match shown.split_once("e-0") {
        Some((mantissa, digit)) if digit.len() == 1 => format!("{mantissa}e-{digit}"),
        _ => shown,
    })
}
