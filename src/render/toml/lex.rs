//! The pieces of a TOML text, one at a time, with the complaints of BurntSushi/toml.
//!
//! In: the text, and from the reader what it expects next. Out: keys, literals and marks, each
//! with the line on which it ends; or a [`Refusal`] with the line that BurntSushi/toml names, which
//! is often not the one that a person would. Never: a look at what keys and values mean.

use unicode_general_category::{GeneralCategory, get_general_category};

use crate::template::quote::quote;
use crate::template::rune;

/// The text is no TOML.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) line: usize,
    pub(super) message: String,
}

/// A value as it is written; of arrays and inline tables only how they begin.
#[derive(Debug)]
pub(super) enum Literal {
    /// What stands between the quotes; whether escapes are to be read in it.
    String {
        text: Vec<u8>,
        escaped: bool,
        multiline: bool,
    },
    Bool(bool),
    Integer(String),
    Float(String),
    Datetime(String),
    Array,
    InlineTable,
}

/// What stands at the beginning of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Top {
    End,
    Table,
    ArrayOfTables,
    Key,
}

/// What follows a part of a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum After {
    Part,
    End,
}

/// BurntSushi/toml: lex.go lexer
pub(super) struct Lexer<'t> {
    text: &'t [u8],
    at: usize,
    pub(super) line: usize,
}

type Lexed<T> = Result<T, Refusal>;

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
        }
    }

    /// The next character, which stays; nothing at the end.
    fn peek(&self) -> Lexed<Option<char>> {
        let rest = &self.text[self.at..];
        let Some(&first) = rest.first() else {
            return Ok(None);
        };
        let (next, width) = rune::decode(rest);
        if next == char::REPLACEMENT_CHARACTER && width == 1 {
            return Err(self.at_line(format!("invalid UTF-8 byte: 0x{first:02x}")));
        }
        let control = matches!(next, '\0'..='\x1f' | '\x7f') && !matches!(next, '\t' | '\r' | '\n');
        if control || next == '\r' && rest.get(1) != Some(&b'\n') {
            return Err(self.at_line(format!(
                "TOML files cannot contain control characters: '0x{first:02x}'"
            )));
        }
        Ok(Some(next))
    }

    fn next(&mut self) -> Lexed<Option<char>> {
        let next = self.peek()?;
        if let Some(next) = next {
            self.at += next.len_utf8();
            self.line += usize::from(next == '\n');
        }
        Ok(next)
    }

    fn next_if(&mut self, fits: impl Fn(char) -> bool) -> Lexed<Option<char>> {
        match self.peek()? {
            Some(next) if fits(next) => self.next(),
            _ => Ok(None),
        }
    }

    fn accept(&mut self, wanted: char) -> Lexed<bool> {
        Ok(self.next_if(|next| next == wanted)?.is_some())
    }

    fn back(&mut self, ascii: usize) {
        self.at -= ascii;
    }

    fn blanks(&mut self) -> Lexed<()> {
        while self.next_if(is_blank)?.is_some() {}
        Ok(())
    }

    /// Blanks, line ends and comments.
    fn space(&mut self) -> Lexed<()> {
        loop {
            while self
                .next_if(|next| is_blank(next) || is_line_end(next))?
                .is_some()
            {}
            if !self.accept('#')? {
                return Ok(());
            }
            self.comment()?;
        }
    }

    fn comment(&mut self) -> Lexed<()> {
        while self.next_if(|next| !is_line_end(next))?.is_some() {}
        Ok(())
    }

    fn since(&self, start: usize) -> String {
        String::from_utf8_lossy(&self.text[start..self.at]).into_owned()
    }

    /// BurntSushi/toml: lexer.errorf, as long as the end was not read
    fn at_line(&self, message: String) -> Refusal {
        Refusal {
            line: self.line,
            message,
        }
    }

    /// After `read` was read: at the end it is told on the last line that is not empty.
    fn refused<T>(&self, read: Option<char>, message: String) -> Lexed<T> {
        let on_new_line = read.is_none() && self.text.last() == Some(&b'\n');
        Err(Refusal {
            line: self.line - usize::from(on_new_line),
            message,
        })
    }

    /// BurntSushi/toml: lexer.errorPrevLine
    fn refused_before<T>(&self, message: String) -> Lexed<T> {
        Err(Refusal {
            line: self.line - 1,
            message,
        })
    }

    /// BurntSushi/toml: lexTop
    pub(super) fn top(&mut self) -> Lexed<Top> {
        self.space()?;
        match self.peek()? {
            None => Ok(Top::End),
            Some('[') => {
                self.next()?;
                Ok(match self.accept('[')? {
                    true => Top::ArrayOfTables,
                    false => Top::Table,
                })
            }
            Some(_) => Ok(Top::Key),
        }
    }

    /// The end of a line that held something. BurntSushi/toml: lexTopEnd
    pub(super) fn line_end(&mut self) -> Lexed<()> {
        self.blanks()?;
        match self.next()? {
            Some('#') => self.comment(),
            None | Some('\n' | '\r') => Ok(()),
            other => {
                let got = shown(other);
                self.refused(other, format!("expected a top-level item to end with a newline, comment, or EOF, but got {got} instead"))
            }
        }
    }

    /// Whether a table's name may begin here. BurntSushi/toml: lexTableNameStart
    pub(super) fn table_name_start(&mut self) -> Lexed<()> {
        self.blanks()?;
        Err(self.at_line(match self.peek()? {
            Some(']') | None => {
                "unexpected end of table name (table names cannot be empty)".to_owned()
            }
            Some('.') => "unexpected table separator (table names cannot be empty)".to_owned(),
            Some(_) => return Ok(()),
        }))
    }

    /// BurntSushi/toml: lexTableNameEnd, lexArrayTableEnd
    pub(super) fn after_table_name(&mut self, array: bool) -> Lexed<After> {
        self.blanks()?;
        match self.next()? {
            Some('.') => return Ok(After::Part),
            Some(']') => {}
            other => {
                let got = shown(other);
                return self.refused(
                    other,
                    format!("expected '.' or ']' to end table name, but got {got} instead"),
                );
            }
        }
        if array {
            let next = self.next()?;
            if next != Some(']') {
                let got = shown(next);
                return self.refused(
                    next,
                    format!(
                        "expected end of table array name delimiter ']', but got {got} instead"
                    ),
                );
            }
        }
        Ok(After::End)
    }

    /// Whether a key may begin here. BurntSushi/toml: lexKeyStart
    pub(super) fn key_start(&mut self) -> Lexed<()> {
        self.blanks()?;
        Err(self.at_line(match self.peek()? {
            Some('=') | None => "unexpected '=': key name appears blank".to_owned(),
            Some('.') => "unexpected '.': keys cannot start with a '.'".to_owned(),
            Some(_) => return Ok(()),
        }))
    }

    /// Whether a key may go on here. BurntSushi/toml: lexKeyNameStart
    pub(super) fn key_part_start(&mut self) -> Lexed<()> {
        self.blanks()?;
        Err(self.at_line(match self.peek()? {
            Some('=') | None => "unexpected '='".to_owned(),
            Some('.') => "unexpected '.'".to_owned(),
            Some(_) => return Ok(()),
        }))
    }

    /// BurntSushi/toml: lexKeyEnd
    pub(super) fn after_key(&mut self) -> Lexed<After> {
        self.blanks()?;
        match self.next()? {
            Some('.') => Ok(After::Part),
            Some('=') => Ok(After::End),
            None => self.refused(
                None,
                "unexpected EOF; expected key separator '='".to_owned(),
            ),
            other => {
                let message = format!("expected '.' or '=', but got {} instead", shown(other));
                match other {
                    Some('\n') => self.refused_before(message),
                    _ => self.refused(other, message),
                }
            }
        }
    }

    /// One part of a key or table name; a bare one may be empty.
    /// BurntSushi/toml: lexBareName, lexQuotedName
    pub(super) fn name(&mut self) -> Lexed<Literal> {
        if self.accept('"')? {
            return self.string();
        }
        if self.accept('\'')? {
            return self.raw_string();
        }
        let start = self.at;
        let bare = |next: char| next.is_ascii_alphanumeric() || matches!(next, '_' | '-');
        while self.next_if(bare)?.is_some() {}
        Ok(Literal::String {
            text: self.text[start..self.at].to_vec(),
            escaped: false,
            multiline: false,
        })
    }

    /// BurntSushi/toml: lexValue
    pub(super) fn value(&mut self) -> Lexed<Literal> {
        self.blanks()?;
        let start = self.at;
        let next = self.next()?;
        match next {
            Some('0'..='9') => {
                self.back(1);
                return self.number_or_date();
            }
            Some('[') => return Ok(Literal::Array),
            Some('{') => return Ok(Literal::InlineTable),
            Some('"') => {
                if !self.accept('"')? {
                    return self.string();
                }
                if self.accept('"')? {
                    return self.multiline('"');
                }
                self.back(1);
                return self.string();
            }
            Some('\'') => {
                if !self.accept('\'')? {
                    return self.raw_string();
                }
                if self.accept('\'')? {
                    return self.multiline('\'');
                }
                self.back(1);
                return self.raw_string();
            }
            Some('.') => {
                return self.refused(next, "floats must start with a digit, not '.'".to_owned());
            }
            Some('+' | '-') => return self.signed(start),
            Some('i' | 'n') => {
                // What was taken is not given back, so that "nah" is refused as "ah".
                let infinite = self.accept('n')? && self.accept('f')?;
                if infinite || self.accept('a')? && self.accept('n')? {
                    return Ok(Literal::Float(self.since(start)));
                }
                self.back(1);
                return self.bool();
            }
            Some(letter) if is_letter(letter) => {
                self.back(letter.len_utf8());
                return self.bool();
            }
            _ => {}
        }
        match next {
            None => self.refused(next, "unexpected EOF; expected value".to_owned()),
            Some('\n') => {
                self.refused_before(format!("expected value but found {} instead", shown(next)))
            }
            _ => self.refused(
                next,
                format!("expected value but found {} instead", shown(next)),
            ),
        }
    }

    /// BurntSushi/toml: lexBool
    fn bool(&mut self) -> Lexed<Literal> {
        let start = self.at;
        while self.next_if(is_letter)?.is_some() {}
        match self.since(start).as_str() {
            "true" => Ok(Literal::Bool(true)),
            "false" => Ok(Literal::Bool(false)),
            other => {
                let found = quoted(other.as_bytes());
                Err(self.at_line(format!("expected value but found {found} instead")))
            }
        }
    }

    /// Whether an array goes on with a value. BurntSushi/toml: lexArrayValue
    pub(super) fn array_value(&mut self) -> Lexed<bool> {
        self.space()?;
        match self.peek()? {
            Some(',') => {
                self.next()?;
                self.refused(Some(','), "unexpected comma".to_owned())
            }
            Some(']') => {
                self.next()?;
                Ok(false)
            }
            _ => Ok(true),
        }
    }

    /// Whether a comma follows. BurntSushi/toml: lexArrayValueEnd
    pub(super) fn after_array_value(&mut self) -> Lexed<bool> {
        self.space()?;
        match self.next()? {
            Some(',') => Ok(true),
            Some(']') => Ok(false),
            other => {
                let got = found(other);
                self.refused(
                    other,
                    format!("expected a comma (',') or array terminator (']'), but got {got}"),
                )
            }
        }
    }

    /// Whether an inline table goes on with a key. BurntSushi/toml: lexInlineTableValue
    pub(super) fn inline_key(&mut self) -> Lexed<bool> {
        self.space()?;
        match self.peek()? {
            Some(',') => {
                self.next()?;
                self.refused(Some(','), "unexpected comma".to_owned())
            }
            Some('}') => {
                self.next()?;
                Ok(false)
            }
            _ => Ok(true),
        }
    }

    /// Whether a comma follows, and no end after it. BurntSushi/toml: lexInlineTableValueEnd
    pub(super) fn after_inline_value(&mut self) -> Lexed<bool> {
        loop {
            self.space()?;
            match self.next()? {
                Some(',') => {
                    self.blanks()?;
                    if self.peek()? != Some('}') {
                        return Ok(true);
                    }
                }
                Some('}') => return Ok(false),
                other => {
                    let got = found(other);
                    return self.refused(other, format!("expected a comma or an inline table terminator '}}', but got {got} instead"));
                }
            }
        }
    }

    /// BurntSushi/toml: lexString
    fn string(&mut self) -> Lexed<Literal> {
        let start = self.at;
        let mut escaped = false;
        loop {
            match self.next()? {
                None => return self.refused(None, "unexpected EOF; expected '\"'".to_owned()),
                Some('\n' | '\r') => {
                    return self.refused_before("strings cannot contain newlines".to_owned());
                }
                Some('\\') => {
                    escaped = true;
                    self.escape(start)?;
                }
                Some('"') => {
                    return Ok(Literal::String {
                        text: self.text[start..self.at - 1].to_vec(),
                        escaped,
                        multiline: false,
                    });
                }
                Some(_) => {}
            }
        }
    }

    /// BurntSushi/toml: lexRawString
    fn raw_string(&mut self) -> Lexed<Literal> {
        let start = self.at;
        loop {
            match self.next()? {
                None => return self.refused(None, "unexpected EOF; expected \"'\"".to_owned()),
                Some('\n' | '\r') => {
                    return self.refused_before("strings cannot contain newlines".to_owned());
                }
                Some('\'') => {
                    return Ok(Literal::String {
                        text: self.text[start..self.at - 1].to_vec(),
                        escaped: false,
                        multiline: false,
                    });
                }
                Some(_) => {}
            }
        }
    }

    /// A string in three quotes, which may end in up to two more.
    /// BurntSushi/toml: lexMultilineString, lexMultilineRawString
    fn multiline(&mut self, mark: char) -> Lexed<Literal> {
        let (escapes, start) = (mark == '"', self.at);
        loop {
            match self.next()? {
                None if escapes => {
                    return self.refused(None, "unexpected EOF; expected '\"\"\"'".to_owned());
                }
                None => return self.refused(None, "unexpected EOF; expected \"'''\"".to_owned()),
                Some('\\') if escapes => {
                    if self.next_if(is_line_end)?.is_none() {
                        self.escape(start)?;
                    }
                }
                Some(found) if found == mark => {
                    if !self.accept(mark)? || !self.accept(mark)? {
                        continue;
                    }
                    if self.peek()? != Some(mark) {
                        return Ok(Literal::String {
                            text: self.text[start..self.at - 3].to_vec(),
                            escaped: escapes,
                            multiline: true,
                        });
                    }
                    let so_far = &self.text[start..self.at];
                    if escapes
                        && so_far.ends_with(b"\"\"\"\"\"")
                        && !so_far.ends_with(b"\\\"\"\"\"\"")
                    {
                        return self.refused(Some(mark), "unexpected '\"\"\"\"\"\"'".to_owned());
                    }
                    if !escapes && so_far.ends_with(b"'''''") {
                        return self.refused(Some(mark), "unexpected \"''''''\"".to_owned());
                    }
                    self.back(2);
                }
                Some(_) => {}
            }
        }
    }

    /// What follows a backslash, of a string that began at `start`.
    /// BurntSushi/toml: lexStringEscape
    fn escape(&mut self, start: usize) -> Lexed<()> {
        let next = self.next()?;
        let (digits, count, letter) = match next {
            Some('e' | 'b' | 't' | 'n' | 'f' | 'r' | '"' | ' ' | '\t' | '\\') => return Ok(()),
            Some('x') => (2, "two", 'x'),
            Some('u') => (4, "four", 'u'),
            Some('U') => (8, "eight", 'U'),
            None => return self.refused_before("invalid escape in string '\\\0'".to_owned()),
            Some(other) => {
                return Err(self.at_line(format!("invalid escape in string '\\{other}'")));
            }
        };
        for _ in 0..digits {
            let digit = self.next()?;
            if !digit.is_some_and(|digit| digit.is_ascii_hexdigit()) {
                let so_far = quoted(&self.text[start..self.at]);
                return self.refused(digit, format!("expected {count} hexadecimal digits after '\\{letter}', but got {so_far} instead"));
            }
        }
        Ok(())
    }

    /// BurntSushi/toml: lexNumberOrDateStart, lexBaseNumberOrDate
    fn number_or_date(&mut self) -> Lexed<Literal> {
        let start = self.at;
        if self.accept('0')? {
            match self.peek()? {
                Some('b') => return self.in_base(start, "a binary", is_binary),
                Some('o') => return self.in_base(start, "an octal", is_octal),
                Some('x') => return self.in_base(start, "a hexadecimal", is_hex),
                _ => {}
            }
        }
        while self.next_if(is_digit)?.is_some() {}
        match self.peek()? {
            // A single zero is no year and no hour.
            Some('-' | ':') if self.at > start + 1 || self.text[start] != b'0' => {
                let in_date = |next: char| {
                    is_digit(next)
                        || matches!(next, '-' | ':' | 'T' | 't' | ' ' | '.' | 'Z' | 'z' | '+')
                };
                while self.next_if(in_date)?.is_some() {}
                Ok(Literal::Datetime(self.since(start).trim().to_owned()))
            }
            _ => self.decimal(start),
        }
    }

    fn in_base(&mut self, start: usize, name: &str, digit: fn(char) -> bool) -> Lexed<Literal> {
        self.next()?;
        let next = self.peek()?;
        if !next.is_some_and(digit) {
            let (so_far, next) = (self.since(start), next.unwrap_or('\0'));
            return Err(self.at_line(format!("not {name} number: '{so_far}{next}'")));
        }
        while self.next_if(|next| digit(next) || next == '_')?.is_some() {}
        Ok(Literal::Integer(self.since(start)))
    }

    /// BurntSushi/toml: lexDecimalNumber, lexFloat
    fn decimal(&mut self, start: usize) -> Lexed<Literal> {
        while self
            .next_if(|next| is_digit(next) || next == '_')?
            .is_some()
        {}
        if self
            .next_if(|next| matches!(next, '.' | 'e' | 'E'))?
            .is_none()
        {
            return Ok(Literal::Integer(self.since(start)));
        }
        let in_float =
            |next: char| is_digit(next) || matches!(next, '_' | '.' | '-' | '+' | 'e' | 'E');
        while self.next_if(in_float)?.is_some() {}
        Ok(Literal::Float(self.since(start)))
    }

    /// After a sign. BurntSushi/toml: lexDecimalNumberStart
    fn signed(&mut self, start: usize) -> Lexed<Literal> {
        let next = self.next()?;
        let name = match next {
            Some('i') => "nf",
            Some('n') => "an",
            Some('.') => {
                return self.refused(next, "floats must start with a digit, not '.'".to_owned());
            }
            Some('0') => {
                if let Some(base @ ('b' | 'o' | 'x')) = self.peek()? {
                    let so_far = self.since(start);
                    return Err(self.at_line(format!(
                        "cannot use sign with non-decimal numbers: '{so_far}{base}'"
                    )));
                }
                return self.decimal(start);
            }
            Some('1'..='9') => return self.decimal(start),
            _ => return self.refused(next, format!("expected a digit but got {}", shown(next))),
        };
        for letter in name.chars() {
            if !self.accept(letter)? {
                let so_far = self.since(start);
                return Err(self.at_line(format!("invalid float: '{so_far}'")));
            }
        }
        Ok(Literal::Float(self.since(start)))
    }
}

/// A character as Go's `%q` shows it; the end is a NUL to BurntSushi/toml.
fn shown(read: Option<char>) -> String {
    crate::template::quote::rune(read.unwrap_or('\0'))
}

/// BurntSushi/toml: lex.go runeOrEOF
fn found(read: Option<char>) -> String {
    read.map_or_else(|| "end of file".to_owned(), |read| format!("'{read}'"))
}

pub(super) fn quoted(text: &[u8]) -> String {
    String::from_utf8_lossy(&quote(text)).into_owned()
}

fn is_blank(next: char) -> bool {
    matches!(next, '\t' | ' ')
}

fn is_line_end(next: char) -> bool {
    matches!(next, '\n' | '\r')
}

fn is_digit(next: char) -> bool {
    next.is_ascii_digit()
}

fn is_binary(next: char) -> bool {
    matches!(next, '0' | '1')
}

fn is_octal(next: char) -> bool {
    matches!(next, '0'..='7')
}

fn is_hex(next: char) -> bool {
    next.is_ascii_hexdigit()
}

/// Go: unicode.IsLetter
fn is_letter(next: char) -> bool {
    use GeneralCategory::{
        LowercaseLetter, ModifierLetter, OtherLetter, TitlecaseLetter, UppercaseLetter,
    };
    matches!(
        get_general_category(next),
        LowercaseLetter | ModifierLetter | OtherLetter | TitlecaseLetter | UppercaseLetter
    )
}
