//! JSON to values: every number is a `float64`, and the errors are Go's.

use crate::sprig::bounds;
use crate::sprig::cast::parse_float;
use crate::sprig::runes;
use crate::template::{CallError, Map, Text, Value, quote};

/// The value of a JSON text.
///
/// # Errors
/// In Go's words, if it is none, or a number is too large.
pub fn decode(text: &[u8]) -> Result<Value, CallError> {
    match decode_what_fits(text) {
        (value, None) => Ok(value),
        (_, Some(error)) => Err(error),
    }
}

/// What Go's `json.Unmarshal` leaves behind, and its error: nothing where the text is no JSON,
/// and everything but the numbers that are too large where it is.
pub fn decode_what_fits(text: &[u8]) -> (Value, Option<CallError>) {
    let mut decoder = Decoder {
        text,
        at: 0,
        depth: 0,
        too_large: None,
    };
    match decoder.document() {
        Ok(value) => (value, decoder.too_large),
        Err(error) => (Value::Nil, Some(error)),
    }
}

struct Decoder<'t> {
    text: &'t [u8],
    at: usize,
    depth: usize,
    /// The complaint about the first number that is too large.
    too_large: Option<CallError>,
}

impl Decoder<'_> {
    fn document(&mut self) -> Result<Value, CallError> {
        let value = self.value()?;
        self.skip_space();
        match self.peek() {
            None => Ok(value),
            Some(_) => Err(self.unexpected("after top-level value")),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Go's complaint about the character that comes next.
    fn unexpected(&self, place: &str) -> CallError {
        match self.peek() {
            Some(byte) => Self::invalid(byte, place),
            None => CallError::new("unexpected end of JSON input"),
        }
    }

    /// The same where a space could not follow: Go reads one at the end of the text.
    fn unexpected_within(&self, place: &str) -> CallError {
        Self::invalid(self.peek().unwrap_or(b' '), place)
    }

    fn invalid(byte: u8, place: &str) -> CallError {
        let shown = match byte {
            b'\'' => "\\'".to_owned(),
            b'"' => "\"".to_owned(),
            // Go takes the byte for a rune.
            _ => {
                let quoted = quote::quote(char::from(byte).encode_utf8(&mut [0; 4]).as_bytes());
                runes::map(&quoted[1..quoted.len() - 1], |rune| rune)
            }
        };
        CallError::new(format!("invalid character '{shown}' {place}"))
    }

    fn value(&mut self) -> Result<Value, CallError> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Nil),
            _ => Err(self.unexpected("looking for beginning of value")),
        }
    }

    fn nested(
        &mut self,
        read: impl Fn(&mut Self) -> Result<Value, CallError>,
    ) -> Result<Value, CallError> {
        self.depth += 1;
        if self.depth > bounds::DEEPEST {
            // Go allows ten times as deep, in these words.
            return Err(CallError::new("exceeded max depth"));
        }
        self.at += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, CallError> {
        let map = Map::default();
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(map.into());
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("looking for beginning of object key string"));
            }
            let key = self.string()?;
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("after object key"));
            }
            self.at += 1;
            let value = self.value()?;
            map.insert(key, value);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(map.into());
                }
                _ => return Err(self.unexpected("after object key:value pair")),
            }
        }
    }

    fn array(&mut self) -> Result<Value, CallError> {
        let mut items = Vec::new();
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::list(items));
        }
        loop {
            items.push(self.value()?);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::list(items));
                }
                _ => return Err(self.unexpected("after array element")),
            }
        }
    }

    fn literal(&mut self, word: &str, value: Value) -> Result<Value, CallError> {
        for letter in word.bytes() {
            if self.peek() != Some(letter) {
                let place = format!("in literal {word} (expecting '{}')", char::from(letter));
                return Err(self.unexpected_within(&place));
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, CallError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits("in numeric literal")?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        let digits = &self.text[start..self.at];
        if let Some(number) = parse_float(digits) {
            return Ok(Value::float64(number));
        }
        if self.too_large.is_none() {
            let digits = String::from_utf8_lossy(digits);
            let message =
                format!("json: cannot unmarshal number {digits} into Go value of type float64");
            self.too_large = Some(CallError::new(message));
        }
        Ok(Value::Nil)
    }

    /// One digit or more.
    fn digits(&mut self, place: &str) -> Result<(), CallError> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.unexpected_within(place));
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<Text, CallError> {
        self.at += 1;
        let mut out = Vec::new();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out.into());
                }
                Some(b'\\') => {
                    self.at += 1;
                    let rune = self.escape()?;
                    crate::template::rune::push(&mut out, rune);
                }
                None | Some(..b' ') => return Err(self.unexpected("in string literal")),
                Some(_) => {
                    let (rune, width) = crate::template::rune::decode(&self.text[self.at..]);
                    crate::template::rune::push(&mut out, rune);
                    self.at += width;
                }
            }
        }
    }

    /// The rune of the escape behind a backslash; half a pair of surrogates is U+FFFD.
    fn escape(&mut self) -> Result<char, CallError> {
        let rune = match self.peek() {
            Some(mark @ (b'"' | b'\\' | b'/')) => char::from(mark),
            Some(b'b') => '\x08',
            Some(b'f') => '\x0c',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.unexpected_within("in string escape code")),
        };
        self.at += 1;
        Ok(rune)
    }

    fn unicode_escape(&mut self) -> Result<char, CallError> {
        let first = self.hexadecimal()?;
        let behind = self.at;
        if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with(b"\\u") {
            self.at += 1;
            let second = self.hexadecimal()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10 | (second - 0xdc00));
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            // The second is read again, for itself.
            self.at = behind;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    /// The four digits behind the `u`.
    fn hexadecimal(&mut self) -> Result<u32, CallError> {
        self.at += 1;
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let digit = digit
                .ok_or_else(|| self.unexpected_within("in \\u hexadecimal character escape"))?;
            code = code << 4 | digit;
            self.at += 1;
        }
        Ok(code)
    }
}
