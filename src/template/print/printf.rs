//! Go's format strings: flags, widths, precisions, `*`, argument indexes, and what Go prints for
//! each mistake. Go: fmt doPrintf.

use super::{Flags, Printer};
use crate::template::rune;
use crate::template::value::Value;

/// A width or precision beyond this is no number. Go: fmt tooLarge.
const LARGEST: i64 = 1_000_000;

/// Where in a format string and in its arguments a printing stands.
struct Cursor<'f> {
    format: &'f [u8],
    args: &'f [Value],
    at: usize,
    argument: usize,
    /// The item before was an index such as `[3]`.
    after_index: bool,
    reordered: bool,
    good_index: bool,
}

impl Printer {
    pub(in crate::template) fn printf(&mut self, format: &[u8], args: &[Value]) {
        let mut cursor = Cursor {
            format,
            args,
            at: 0,
            argument: 0,
            after_index: false,
            reordered: false,
            good_index: true,
        };
        while cursor.at < format.len() && !self.full() {
            let rest = &format[cursor.at..];
            let Some(percent) = rest.iter().position(|&byte| byte == b'%') else {
                self.put(rest);
                break;
            };
            self.put(&rest[..percent]);
            cursor.at += percent + 1;
            if !self.directive(&mut cursor) {
                break;
            }
        }
        if !cursor.reordered && cursor.argument < args.len() {
            self.extra(&args[cursor.argument..]);
        }
    }

    /// One directive after its `%`; false where the format ended within it.
    fn directive(&mut self, cursor: &mut Cursor<'_>) -> bool {
        cursor.good_index = true;
        cursor.after_index = false;
        self.formatter.flags = cursor.flags();
        if let Some(&byte @ b'a'..=b'z') = cursor.format.get(cursor.at)
            && cursor.argument < cursor.args.len()
        {
            cursor.at += 1;
            self.verb(cursor, char::from(byte));
            return true;
        }
        cursor.index();
        self.width(cursor);
        self.precision(cursor);
        if !cursor.after_index {
            cursor.index();
        }
        let (verb, width) = rune::decode(cursor.format.get(cursor.at..).unwrap_or_default());
        if width == 0 {
            self.put(b"%!(NOVERB)");
            return false;
        }
        cursor.at += width;
        if verb == '%' {
            self.put(b"%");
        } else if !cursor.good_index {
            self.put(format!("%!{verb}(BADINDEX)").as_bytes());
        } else if cursor.argument >= cursor.args.len() {
            self.put(format!("%!{verb}(MISSING)").as_bytes());
        } else {
            self.verb(cursor, verb);
        }
        true
    }

    fn verb(&mut self, cursor: &mut Cursor<'_>, verb: char) {
        if matches!(verb, 'v' | 'w') {
            let flags = &mut self.formatter.flags;
            flags.sharp_v = std::mem::take(&mut flags.sharp);
            flags.plus_v = std::mem::take(&mut flags.plus);
        }
        self.argument(&cursor.args[cursor.argument], verb);
        cursor.argument += 1;
    }

    fn width(&mut self, cursor: &mut Cursor<'_>) {
        let flags = &mut self.formatter.flags;
        if !cursor.star() {
            flags.width = cursor.number();
            if cursor.after_index && flags.width.is_some() {
                cursor.good_index = false;
            }
            return;
        }
        let width = cursor.take_integer();
        flags.width = width.map(|width| width.unsigned_abs() as usize);
        if width.is_some_and(|width| width < 0) {
            flags.minus = true;
            flags.zero = false;
        }
        if width.is_none() {
            self.put(b"%!(BADWIDTH)");
        }
        cursor.after_index = false;
    }

    fn precision(&mut self, cursor: &mut Cursor<'_>) {
        // Go asks for a byte after the point: a format that ends in one has no verb.
        if cursor.at + 1 >= cursor.format.len() || cursor.format[cursor.at] != b'.' {
            return;
        }
        cursor.at += 1;
        if cursor.after_index {
            cursor.good_index = false;
        }
        cursor.index();
        if !cursor.star() {
            self.formatter.flags.precision = Some(cursor.number().unwrap_or(0));
            return;
        }
        let precision = cursor
            .take_integer()
            .and_then(|precision| usize::try_from(precision).ok());
        self.formatter.flags.precision = precision;
        if precision.is_none() {
            self.put(b"%!(BADPREC)");
        }
        cursor.after_index = false;
    }

    fn extra(&mut self, args: &[Value]) {
        self.formatter.flags = Flags::default();
        self.put(b"%!(EXTRA ");
        for (index, value) in args.iter().enumerate() {
            if index > 0 {
                self.put(b", ");
            }
            self.put(value.type_name().as_bytes());
            if !matches!(value, Value::Nil) {
                self.put(b"=");
                self.argument(value, 'v');
            }
        }
        self.put(b")");
    }
}

impl Cursor<'_> {
    fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        while let Some(byte) = self.format.get(self.at) {
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => break,
            }
            self.at += 1;
        }
        flags
    }

    fn star(&mut self) -> bool {
        let star = self.format.get(self.at) == Some(&b'*');
        self.at += usize::from(star);
        star
    }

    /// A number in the format. Go: fmt parsenum, which runs to the end of the format when the
    /// number is too large.
    fn number(&mut self) -> Option<usize> {
        let (number, at) = number(self.format, self.at, self.format.len());
        self.at = at;
        number
    }

    /// The argument of a `*`, if it is an integer of sensible size. Go: fmt intFromArg.
    fn take_integer(&mut self) -> Option<i64> {
        let value = self.args.get(self.argument)?;
        self.argument += 1;
        let number = match value {
            Value::Int(_, number) => *number,
            Value::Uint(_, number) => i64::try_from(*number).ok()?,
            // Go: fmt/print.go intFromArg goes by the kind: a time.Duration is a number, too.
            Value::Object(object) if object.kind().starts_with("int") => match object.to_data() {
                Ok(Value::Int(_, number)) => number,
                _ => return None,
            },
            _ => return None,
        };
        (-LARGEST..=LARGEST).contains(&number).then_some(number)
    }

    /// An argument index such as `[3]`, if one stands here. Go: fmt argNumber.
    fn index(&mut self) {
        self.after_index = false;
        if self.format.get(self.at) != Some(&b'[') {
            return;
        }
        self.reordered = true;
        let rest = &self.format[self.at..];
        let close = rest
            .iter()
            .position(|&byte| byte == b']')
            .filter(|_| rest.len() >= 3);
        let Some(close) = close else {
            self.good_index = false;
            self.at += 1;
            return;
        };
        self.at += close + 1;
        let index = match number(rest, 1, close) {
            (Some(index), at) if at == close => index,
            _ => {
                self.good_index = false;
                return;
            }
        };
        self.after_index = true;
        match index.checked_sub(1) {
            Some(argument) if argument < self.args.len() => self.argument = argument,
            _ => self.good_index = false,
        }
    }
}

fn number(format: &[u8], start: usize, end: usize) -> (Option<usize>, usize) {
    let mut number = None;
    let mut at = start;
    while at < end && format[at].is_ascii_digit() {
        let so_far = number.unwrap_or(0);
        if so_far > LARGEST as usize {
            return (None, end);
        }
        number = Some(so_far * 10 + usize::from(format[at] - b'0'));
        at += 1;
    }
    (number, at)
}
