//! Go's fmt: what `print`, `printf`, `println` and `{{ value }}` show.
//!
//! A value can be nested without end (`set $d "self" $d`), and Go dies of it; here what is printed
//! is bounded in depth and size, and whoever can answer with an error learns that it was cut.

mod float;
mod format;
mod printf;

use super::function::CallError;
use super::text::Text;
use super::value::{FloatKind, List, Map, Object, Type, Value};
use format::{Flags, Formatter};

pub use float::format_float;

/// How deep lists and maps can be nested in each other before printing gives up.
const DEEPEST: usize = 1_000;

/// How many bytes can be printed where no budget was given.
const LONGEST: usize = 256 << 20;

/// Go's `fmt.Sprint`: a space between operands where neither is a string.
pub fn sprint(values: &[Value]) -> Text {
    let mut printer = Printer::new(LONGEST);
    printer.print(values);
    printer.formatter.out.into()
}

/// Go's `fmt.Sprintln`: a space between all operands and a line break at the end.
pub fn sprintln(values: &[Value]) -> Text {
    let mut printer = Printer::new(LONGEST);
    printer.println(values);
    printer.formatter.out.into()
}

/// Go's `fmt.Sprintf`, mistakes and all: `%!d(string=hi)`, `%!v(MISSING)`, `%!(EXTRA int=1)`.
pub fn sprintf(format: &[u8], args: &[Value]) -> Text {
    let mut printer = Printer::new(LONGEST);
    printer.printf(format, args);
    printer.formatter.out.into()
}

/// A value as `%v` shows it.
pub fn show(value: &Value) -> Text {
    match value {
        Value::String(text) => text.clone(),
        _ => sprint(std::slice::from_ref(value)),
    }
}

/// One printing: where it goes, and how much it may be.
pub(super) struct Printer {
    formatter: Formatter,
    /// How long the output can get.
    limit: usize,
    depth: usize,
    /// The depth of the operand that is being shown.
    base: usize,
    /// Inside a bad verb: methods such as `String` are not asked.
    erroring: bool,
    cut: bool,
}

impl Printer {
    /// A printer that stops at this many bytes (or a little later).
    pub(super) fn new(limit: usize) -> Self {
        Self::onto(Vec::new(), limit)
    }

    /// A printer that appends to a buffer, which may become this long.
    pub(super) fn onto(out: Vec<u8>, limit: usize) -> Self {
        Self {
            formatter: Formatter {
                out,
                flags: Flags::default(),
            },
            limit,
            depth: 0,
            base: 0,
            erroring: false,
            cut: false,
        }
    }

    /// What was printed, or an error if it is not all.
    pub(super) fn finish(self) -> Result<Vec<u8>, CallError> {
        if self.cut || self.formatter.out.len() > self.limit {
            return Err(CallError::new(
                "the value is nested too deeply or too large to be printed",
            ));
        }
        Ok(self.formatter.out)
    }

    pub(super) fn print(&mut self, values: &[Value]) {
        let mut after_string = true;
        for (index, value) in values.iter().enumerate() {
            if self.full() {
                break;
            }
            let string = matches!(value, Value::String(_));
            if index > 0 && !string && !after_string {
                self.put(b" ");
            }
            self.argument(value, 'v');
            after_string = string;
        }
    }

    /// [`Self::print`], each value shown as an action shows it; a nil is the string `<no value>`.
    pub(super) fn print_as_actions(&mut self, values: &[Value]) {
        let mut after_string = true;
        for value in values {
            let string = matches!(value, Value::String(_) | Value::Nil);
            if !string && !after_string {
                self.put(b" ");
            }
            self.action(value);
            after_string = string;
        }
    }

    /// A value as an action prints it: of a pointer, what it points to. Go: exec.go
    /// printableValue.
    pub(super) fn action(&mut self, value: &Value) {
        match value {
            Value::Nil => self.put(b"<no value>"),
            Value::Object(object) => match (object.pointer_text(), object.fields()) {
                (Some(text), _) => self.put(text.as_bytes()),
                (None, Some(fields)) => self.fields(&fields, object.type_name(), 'v'),
                (None, None) => self.argument(value, 'v'),
            },
            _ => self.argument(value, 'v'),
        }
    }

    pub(super) fn println(&mut self, values: &[Value]) {
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.put(b" ");
            }
            self.argument(value, 'v');
        }
        self.put(b"\n");
    }

    fn put(&mut self, text: &[u8]) {
        self.formatter.out.extend_from_slice(text);
    }

    fn put_type(&mut self, go_type: Type) {
        self.put(go_type.to_string().as_bytes());
    }

    /// An operand, under the flags that are set. Go: fmt printArg.
    pub(super) fn argument(&mut self, value: &Value, verb: char) {
        match (value, verb) {
            (Value::Nil, 'T' | 'v') => self.formatter.pad(b"<nil>"),
            (Value::Nil, _) => self.bad_verb(value, verb),
            (_, 'T') => self.formatter.string(value.type_name().as_bytes()),
            (_, 'p') => self.pointer(value, verb),
            // Only errors can be wrapped, and only by Errorf; Go says so before it looks inside.
            (Value::List(_) | Value::Map(_) | Value::Object(_), 'w') => self.bad_verb(value, verb),
            (Value::Bytes(bytes), 'v') if self.formatter.flags.sharp_v => {
                self.go_bytes(bytes, "[]byte")
            }
            _ => self.value(value, verb),
        }
    }

    /// A value, at any depth. Go: fmt printValue.
    fn value(&mut self, value: &Value, verb: char) {
        match value {
            // Only what lies in a list or map: an operand is Go's nil already.
            Value::Nil if self.formatter.flags.sharp_v => self.put(b"interface {}(nil)"),
            Value::Nil => self.put(b"<nil>"),
            Value::Bool(truth) => match verb {
                't' | 'v' => self.formatter.boolean(*truth),
                _ => self.bad_verb(value, verb),
            },
            Value::Int(_, number) => {
                if !self.integer(number.unsigned_abs(), Some(*number), verb) {
                    self.bad_verb(value, verb);
                }
            }
            Value::Uint(_, number) => {
                if !self.integer(*number, None, verb) {
                    self.bad_verb(value, verb);
                }
            }
            Value::Float(kind, number) => self.float(value, *number, *kind, verb),
            Value::String(text) => self.string(value, text.as_bytes(), verb),
            Value::Bytes(bytes) => self.bytes(bytes, verb),
            Value::List(list) => self.list(list, list.type_of(), verb),
            Value::Map(map) => self.map(map, map.type_of(), verb),
            Value::Object(object) => self.object(value, object.as_ref(), verb),
        }
    }

    /// Go: fmt badVerb.
    fn bad_verb(&mut self, value: &Value, verb: char) {
        self.erroring = true;
        self.put(format!("%!{verb}(").as_bytes());
        // What is shown is an operand again.
        let base = std::mem::replace(&mut self.base, self.depth);
        match value {
            Value::Nil => self.put(b"<nil>"),
            _ => {
                self.put(value.type_name().as_bytes());
                self.put(b"=");
                self.value(value, 'v');
            }
        }
        self.put(b")");
        self.base = base;
        self.erroring = false;
    }

    fn hexadecimal_number(&mut self, number: u64, mark: bool) {
        let sharp = std::mem::replace(&mut self.formatter.flags.sharp, mark);
        self.formatter.integer(number, false, 16, 'v');
        self.formatter.flags.sharp = sharp;
    }

    /// Writes an integer; false if the verb is none for integers. `%c`, `%q` and `%U` see a
    /// negative one as Go's conversion to uint64 does.
    fn integer(&mut self, size: u64, signed: Option<i64>, verb: char) -> bool {
        let negative = signed.is_some_and(|number| number < 0);
        let bits = signed.map_or(size, |number| number as u64);
        match verb {
            'v' if self.formatter.flags.sharp_v && signed.is_none() => {
                self.hexadecimal_number(size, true);
            }
            'v' | 'd' => self.formatter.integer(size, negative, 10, verb),
            'b' => self.formatter.integer(size, negative, 2, verb),
            'o' | 'O' => self.formatter.integer(size, negative, 8, verb),
            'x' | 'X' => self.formatter.integer(size, negative, 16, verb),
            'c' => self.formatter.character(bits),
            'q' => self.formatter.quoted_character(bits),
            'U' => self.formatter.unicode(bits),
            _ => return false,
        }
        true
    }

    fn float(&mut self, value: &Value, number: f64, kind: FloatKind, verb: char) {
        let (form, default) = match verb {
            'v' => (b'g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb as u8, None),
            'f' | 'e' | 'E' => (verb as u8, Some(6)),
            'F' => (b'f', Some(6)),
            _ => return self.bad_verb(value, verb),
        };
        self.formatter.float(number, kind, form, default);
    }

    fn string(&mut self, value: &Value, text: &[u8], verb: char) {
        match verb {
            'v' if self.formatter.flags.sharp_v => self.formatter.quoted(text),
            'v' | 's' => self.formatter.string(text),
            'x' | 'X' => self.formatter.hexadecimal(text, verb == 'X'),
            'q' => self.formatter.quoted(text),
            _ => self.bad_verb(value, verb),
        }
    }

    fn bytes(&mut self, bytes: &[u8], verb: char) {
        match verb {
            's' => self.formatter.string(bytes),
            'x' | 'X' => self.formatter.hexadecimal(bytes, verb == 'X'),
            'q' => self.formatter.quoted(bytes),
            'v' if self.formatter.flags.sharp_v => self.go_bytes(bytes, "[]uint8"),
            _ => {
                self.put(b"[");
                for (index, &byte) in bytes.iter().enumerate() {
                    if index > 0 {
                        self.put(b" ");
                    }
                    self.value(&Value::byte(byte), verb);
                }
                self.put(b"]");
            }
        }
    }

    fn go_bytes(&mut self, bytes: &[u8], type_name: &str) {
        self.put(type_name.as_bytes());
        self.put(b"{");
        for (index, &byte) in bytes.iter().enumerate() {
            if index > 0 {
                self.put(b", ");
            }
            self.hexadecimal_number(u64::from(byte), true);
        }
        self.put(b"}");
    }

    /// Enters a list or map; false if that is too deep or the output is long enough.
    fn enter(&mut self) -> bool {
        if self.depth >= DEEPEST {
            self.cut = true;
            return false;
        }
        self.depth += 1;
        true
    }

    fn full(&mut self) -> bool {
        self.cut |= self.formatter.out.len() > self.limit;
        self.cut
    }

    fn list(&mut self, list: &List, go_type: Type, verb: char) {
        if !self.enter() {
            return;
        }
        let go_syntax = self.formatter.flags.sharp_v;
        if go_syntax {
            self.put_type(go_type);
        }
        if go_syntax && list.is_nil() {
            self.put(b"(nil)");
        } else {
            self.put(if go_syntax { b"{" } else { b"[" });
            for (index, item) in list.items().iter().enumerate() {
                if self.full() {
                    break;
                }
                if index > 0 {
                    self.put(if go_syntax { b", " } else { b" " });
                }
                self.value(item, verb);
            }
            self.put(if go_syntax { b"}" } else { b"]" });
        }
        self.depth -= 1;
    }

    fn map(&mut self, map: &Map, go_type: Type, verb: char) {
        if !self.enter() {
            return;
        }
        let go_syntax = self.formatter.flags.sharp_v;
        if go_syntax {
            self.put_type(go_type);
        } else {
            self.put(b"map");
        }
        if go_syntax && map.is_nil() {
            self.put(b"(nil)");
        } else {
            self.put(if go_syntax { b"{" } else { b"[" });
            for (index, (key, item)) in map.entries().iter().enumerate() {
                if self.full() {
                    break;
                }
                if index > 0 {
                    self.put(if go_syntax { b", " } else { b" " });
                }
                self.value(&Value::String(key.clone()), verb);
                self.put(b":");
                self.value(item, verb);
            }
            self.put(if go_syntax { b"}" } else { b"]" });
        }
        self.depth -= 1;
    }

    /// An object whose kind is a map or slice prints as one; any other through what it says of
    /// itself, as a `Stringer` does, except under the verbs of the number it may be.
    fn object(&mut self, value: &Value, object: &dyn Object, verb: char) {
        let go_type = Type::Named(object.type_name());
        match object.entries() {
            Some(Value::List(list)) => return self.list(&list, go_type, verb),
            Some(Value::Map(map)) => return self.map(&map, go_type, verb),
            _ => {}
        }
        if let Some(fields) = object.fields() {
            return self.structure(value, object, &fields, verb);
        }
        // In Go syntax, and in what is shown of a bad verb, no one asks for a String.
        let text = match (self.erroring, self.formatter.flags.sharp_v) {
            (true, _) => None,
            (false, true) => object.go_syntax(),
            (false, false) => Some(object.print()),
        };
        match (verb, text) {
            ('v' | 's', Some(text)) => self.formatter.string(text.as_bytes()),
            ('x' | 'X', Some(text)) => {
                self.formatter.hexadecimal(text.as_bytes(), verb == 'X');
            }
            ('q', Some(text)) => self.formatter.quoted(text.as_bytes()),
            _ if let Some(fields) = object.raw_fields() => {
                self.structure(value, object, &fields, verb);
            }
            _ => match object.to_data() {
                Ok(Value::Int(_, number))
                    if self.integer(number.unsigned_abs(), Some(number), verb) => {}
                _ if self.erroring => {}
                _ => self.bad_verb(value, verb),
            },
        }
    }

    /// A struct, or a pointer to one: that shows what it points to if it is no part of something.
    fn structure(
        &mut self,
        value: &Value,
        object: &dyn Object,
        fields: &[(&'static str, Value)],
        verb: char,
    ) {
        if object.kind() != "ptr" {
            return self.fields(fields, object.type_name(), verb);
        }
        if self.depth == self.base {
            self.put(b"&");
            return self.fields(fields, object.type_name().trim_start_matches('*'), verb);
        }
        match verb {
            'v' if self.formatter.flags.sharp_v => {
                self.put(format!("({})(", object.type_name()).as_bytes());
                self.hexadecimal_number(ADDRESS, true);
                self.put(b")");
            }
            'v' => {
                let mark = !self.formatter.flags.sharp;
                self.hexadecimal_number(ADDRESS, mark);
            }
            _ => {
                if !self.integer(ADDRESS, None, verb) {
                    self.bad_verb(value, verb);
                }
            }
        }
    }

    fn fields(&mut self, fields: &[(&'static str, Value)], type_name: &str, verb: char) {
        if !self.enter() {
            return;
        }
        let flags = self.formatter.flags;
        if flags.sharp_v {
            self.put(type_name.as_bytes());
        }
        self.put(b"{");
        for (index, (name, item)) in fields.iter().enumerate() {
            if index > 0 {
                self.put(if flags.sharp_v { b", " } else { b" " });
            }
            if flags.plus_v || flags.sharp_v {
                self.put(name.as_bytes());
                self.put(b":");
            }
            self.value(item, verb);
        }
        self.put(b"}");
        self.depth -= 1;
    }

    /// Go's addresses differ from run to run; ours is always the same.
    fn pointer(&mut self, value: &Value, verb: char) {
        let address = match value {
            Value::Bytes(_) => ADDRESS,
            Value::List(list) if !list.is_nil() => ADDRESS,
            Value::Map(map) if !map.is_nil() => ADDRESS,
            Value::List(_) | Value::Map(_) => 0,
            _ => return self.bad_verb(value, verb),
        };
        let mark = !self.formatter.flags.sharp;
        self.hexadecimal_number(address, mark);
    }
}

/// Where everything is that templates can ask the address of.
pub const ADDRESS: u64 = 0xc000_0000_0000;
