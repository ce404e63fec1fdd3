//! Go's syntax of regular expressions, read as Go's own parser reads it: from left to right, with a
//! stack, so that the same expressions are refused, with the same words about the same part.

use regex_syntax::hir::{ClassUnicode, Look};

use super::atoms::{braces, check_utf8, class_range, escape, next, simple_count};
use super::class;
use super::tree::{Count, Node, Tree};

/// What is wrong with an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorCode {
    CharRange,
    Escape,
    NamedCapture,
    PerlOperator,
    RepeatOperator,
    RepeatSize,
    Utf8,
    MissingBracket,
    MissingParenthesis,
    MissingRepeatArgument,
    TrailingBackslash,
    UnexpectedParenthesis,
    NestingDepth,
    Large,
}

impl ErrorCode {
    fn words(self) -> &'static str {
        match self {
            Self::CharRange => "invalid character class range",
            Self::Escape => "invalid escape sequence",
            Self::NamedCapture => "invalid named capture",
            Self::PerlOperator => "invalid or unsupported Perl syntax",
            Self::RepeatOperator => "invalid nested repetition operator",
            Self::RepeatSize => "invalid repeat count",
            Self::Utf8 => "invalid UTF-8",
            Self::MissingBracket => "missing closing ]",
            Self::MissingParenthesis => "missing closing )",
            Self::MissingRepeatArgument => "missing argument to repetition operator",
            Self::TrailingBackslash => "trailing backslash at end of expression",
            Self::UnexpectedParenthesis => "unexpected )",
            Self::NestingDepth => "expression nests too deeply",
            Self::Large => "expression too large",
        }
    }
}

/// An error and the part of the expression that it is about.
#[derive(Debug)]
pub(super) struct SyntaxError<'e>(pub(super) ErrorCode, pub(super) &'e [u8]);

/// An expression that was read.
pub(super) struct Expression {
    pub(super) tree: Tree,
    /// The names of the groups, the whole match first, each empty where there is none.
    pub(super) names: Vec<Vec<u8>>,
}

/// Reads an expression; the error is Go's whole message.
pub(super) fn parse(expression: &[u8]) -> Result<Expression, String> {
    let mut parser = Parser {
        whole: expression,
        stack: Vec::new(),
        flags: Flags::default(),
        names: vec![Vec::new()],
    };
    match parser.expression() {
        Ok(tree) => Ok(Expression {
            tree,
            names: parser.names,
        }),
        Err(SyntaxError(code, part)) => Err(message(code, part)),
    }
}

/// Go's message about a part of an expression.
pub(super) fn message(code: ErrorCode, part: &[u8]) -> String {
    format!(
        "error parsing regexp: {}: `{}`",
        code.words(),
        String::from_utf8_lossy(part)
    )
}

/// What `(?i)` and its kin switch.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Flags {
    fold_case: bool,
    multi_line: bool,
    dot_newline: bool,
    lazy: bool,
}

/// What waits on the stack.
enum Item {
    Tree(Tree),
    /// An open group: the flags before it, and its number if it captures.
    Open(Flags, Option<u32>),
    Bar,
}

struct Parser<'e> {
    whole: &'e [u8],
    stack: Vec<Item>,
    flags: Flags,
    names: Vec<Vec<u8>>,
}

pub(super) type Parsed<'e, T> = Result<T, SyntaxError<'e>>;

impl<'e> Parser<'e> {
    // regexp/syntax: parse.go parse
    fn expression(&mut self) -> Parsed<'e, Tree> {
        let mut rest = self.whole;
        let mut last_repeat: Option<&'e [u8]> = None;
        while let Some(&byte) = rest.first() {
            let before = rest;
            let mut repeat = None;
            rest = match byte {
                b'(' if rest.get(1) == Some(&b'?') => self.perl_group(rest)?,
                b'(' => {
                    self.open_capture(b"");
                    &rest[1..]
                }
                b'|' => {
                    self.bar()?;
                    &rest[1..]
                }
                b')' => {
                    self.close()?;
                    &rest[1..]
                }
                b'*' | b'+' | b'?' => {
                    repeat = Some(before);
                    self.repeat(simple_count(byte), before, &rest[1..], last_repeat)?
                }
                b'{' => match braces(rest) {
                    None => {
                        self.literal('{')?;
                        &rest[1..]
                    }
                    Some((count, after)) => {
                        let count = count.ok_or_else(|| {
                            SyntaxError(
                                ErrorCode::RepeatSize,
                                &before[..before.len() - after.len()],
                            )
                        })?;
                        repeat = Some(before);
                        self.repeat(count, before, after, last_repeat)?
                    }
                },
                _ => self.single(rest)?,
            };
            last_repeat = repeat;
        }
        self.collapse()?;
        match (self.stack.pop(), self.stack.is_empty()) {
            (Some(Item::Tree(tree)), true) => Ok(tree),
            _ => Err(SyntaxError(ErrorCode::MissingParenthesis, self.whole)),
        }
    }

    /// What matches one character or one place.
    fn single(&mut self, text: &'e [u8]) -> Parsed<'e, &'e [u8]> {
        let flags = self.flags;
        let node = match text[0] {
            b'^' => Node::Look(if flags.multi_line {
                Look::StartLF
            } else {
                Look::Start
            }),
            b'$' => Node::Look(if flags.multi_line {
                Look::EndLF
            } else {
                Look::End
            }),
            b'.' if flags.dot_newline => Node::Class(class::of(&[('\0', char::MAX)])),
            b'.' => Node::Class(class::of(&[('\0', '\t'), ('\x0b', char::MAX)])),
            b'[' => return self.bracketed(text),
            b'\\' => return self.escaped(text),
            _ => {
                let (character, rest) = next(text)?;
                self.literal(character)?;
                return Ok(rest);
            }
        };
        self.push(node)?;
        Ok(&text[1..])
    }

    fn push(&mut self, node: Node) -> Parsed<'e, ()> {
        let tree = Tree::new(node).map_err(|code| SyntaxError(code, self.whole))?;
        self.stack.push(Item::Tree(tree));
        Ok(())
    }

    fn literal(&mut self, character: char) -> Parsed<'e, ()> {
        let class = class::of(&[(character, character)]);
        self.push(Node::Class(class::folded(class, self.flags.fold_case)))
    }

    fn open_capture(&mut self, name: &[u8]) {
        let index = self.names.len() as u32;
        self.names.push(name.to_vec());
        self.stack.push(Item::Open(self.flags, Some(index)));
    }

    /// Makes one tree of those on the stack down to an open group or a bar.
    fn concatenate(&mut self) -> Parsed<'e, Tree> {
        let from = self
            .stack
            .iter()
            .rposition(|item| !matches!(item, Item::Tree(_)))
            .map_or(0, |at| at + 1);
        let mut parts: Vec<Tree> = self
            .stack
            .drain(from..)
            .filter_map(|item| match item {
                Item::Tree(tree) => Some(tree),
                Item::Open(..) | Item::Bar => None,
            })
            .collect();
        let node = match (parts.len(), parts.pop()) {
            (1, Some(only)) => return Ok(only),
            (_, Some(last)) => {
                parts.push(last);
                Node::Concat(parts)
            }
            (_, None) => Node::Empty,
        };
        Tree::new(node).map_err(|code| SyntaxError(code, self.whole))
    }

    fn bar(&mut self) -> Parsed<'e, ()> {
        let branch = self.concatenate()?;
        self.stack.push(Item::Tree(branch));
        self.stack.push(Item::Bar);
        Ok(())
    }

    /// Makes one tree of everything down to an open group.
    fn collapse(&mut self) -> Parsed<'e, ()> {
        let mut branches = vec![self.concatenate()?];
        while matches!(self.stack.last(), Some(Item::Bar)) {
            self.stack.pop();
            if let Some(Item::Tree(branch)) = self.stack.pop() {
                branches.push(branch);
            }
        }
        branches.reverse();
        match (branches.len(), branches.pop()) {
            (1, Some(only)) => self.stack.push(Item::Tree(only)),
            (_, last) => {
                branches.extend(last);
                self.push(Node::Alternate(branches))?;
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Parsed<'e, ()> {
        self.collapse()?;
        match (self.stack.pop(), self.stack.pop()) {
            (Some(Item::Tree(tree)), Some(Item::Open(flags, capture))) => {
                self.flags = flags;
                match capture {
                    None => self.stack.push(Item::Tree(tree)),
                    Some(index) => self.push(Node::Capture(index, Box::new(tree)))?,
                }
                Ok(())
            }
            _ => Err(SyntaxError(ErrorCode::UnexpectedParenthesis, self.whole)),
        }
    }

    // regexp/syntax: parse.go repeat
    fn repeat(
        &mut self,
        count: Count,
        before: &'e [u8],
        mut after: &'e [u8],
        last_repeat: Option<&'e [u8]>,
    ) -> Parsed<'e, &'e [u8]> {
        let mut greedy = !self.flags.lazy;
        if let Some(behind) = after.strip_prefix(b"?") {
            after = behind;
            greedy = !greedy;
        }
        if let Some(last) = last_repeat {
            return Err(SyntaxError(
                ErrorCode::RepeatOperator,
                &last[..last.len() - after.len()],
            ));
        }
        let operator = &before[..before.len() - after.len()];
        let Some(Item::Tree(_)) = self.stack.last() else {
            return Err(SyntaxError(ErrorCode::MissingRepeatArgument, operator));
        };
        let Some(Item::Tree(of)) = self.stack.pop() else {
            return Err(SyntaxError(ErrorCode::MissingRepeatArgument, operator));
        };
        self.push(Node::Repeat {
            count,
            greedy,
            of: Box::new(of),
        })?;
        if count.braces && (count.least >= 2 || count.most.is_some_and(|most| most >= 2)) {
            let valid =
                matches!(self.stack.last(), Some(Item::Tree(tree)) if tree.repeats_at_most(1_000));
            if !valid {
                return Err(SyntaxError(ErrorCode::RepeatSize, operator));
            }
        }
        Ok(after)
    }

    /// `(?P<name>`, `(?<name>`, `(?i:` or `(?i)`.
    // regexp/syntax: parse.go parsePerlFlags
    fn perl_group(&mut self, text: &'e [u8]) -> Parsed<'e, &'e [u8]> {
        let name_at = match text {
            [_, _, b'P', b'<', _, ..] => Some(4),
            [_, _, b'<', _, ..] => Some(3),
            _ => None,
        };
        if let Some(name_at) = name_at {
            let Some(end) = text.iter().position(|&byte| byte == b'>') else {
                check_utf8(text)?;
                return Err(SyntaxError(ErrorCode::NamedCapture, text));
            };
            let name = &text[name_at.min(end)..end];
            check_utf8(name)?;
            let valid = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            if name.is_empty() || !name.iter().all(valid) {
                return Err(SyntaxError(ErrorCode::NamedCapture, &text[..=end]));
            }
            self.open_capture(name);
            return Ok(&text[end + 1..]);
        }
        self.perl_flags(text)
    }

    fn perl_flags(&mut self, text: &'e [u8]) -> Parsed<'e, &'e [u8]> {
        let mut rest = &text[2..];
        let mut flags = self.flags;
        let (mut value, mut saw_flag) = (true, false);
        while !rest.is_empty() {
            let (character, behind) = next(rest)?;
            rest = behind;
            let flag = match character {
                'i' => &mut flags.fold_case,
                'm' => &mut flags.multi_line,
                's' => &mut flags.dot_newline,
                'U' => &mut flags.lazy,
                '-' if value => {
                    (value, saw_flag) = (false, false);
                    continue;
                }
                ':' | ')' if value || saw_flag => {
                    if character == ':' {
                        self.stack.push(Item::Open(self.flags, None));
                    }
                    self.flags = flags;
                    return Ok(rest);
                }
                _ => break,
            };
            *flag = value;
            saw_flag = true;
        }
        Err(SyntaxError(
            ErrorCode::PerlOperator,
            &text[..text.len() - rest.len()],
        ))
    }

    /// What starts with a backslash, outside of brackets.
    fn escaped(&mut self, text: &'e [u8]) -> Parsed<'e, &'e [u8]> {
        let look = match text.get(1) {
            Some(b'A') => Some(Look::Start),
            Some(b'z') => Some(Look::End),
            Some(b'b') => Some(Look::WordAscii),
            Some(b'B') => Some(Look::WordAsciiNegate),
            Some(b'C') => return Err(SyntaxError(ErrorCode::Escape, &text[..2])),
            Some(b'Q') => return self.quoted(&text[2..]),
            _ => None,
        };
        if let Some(look) = look {
            self.push(Node::Look(look))?;
            return Ok(&text[2..]);
        }
        if let Some((class, rest)) = self.class_escape(text)? {
            self.push(Node::Class(class))?;
            return Ok(rest);
        }
        let (character, rest) = escape(text)?;
        // Half a surrogate pair is no character: nothing can match it.
        match character {
            Some(character) => self.literal(character)?,
            None => self.push(Node::Class(class::of(&[])))?,
        }
        Ok(rest)
    }

    /// The literals between `\Q` and `\E`.
    fn quoted(&mut self, text: &'e [u8]) -> Parsed<'e, &'e [u8]> {
        let end = text.windows(2).position(|pair| pair == b"\\E");
        let (mut literals, rest) = match end {
            Some(end) => (&text[..end], &text[end + 2..]),
            None => (text, &text[text.len()..]),
        };
        while !literals.is_empty() {
            let (character, behind) = next(literals)?;
            self.literal(character)?;
            literals = behind;
        }
        Ok(rest)
    }

    /// `\pL`, `\P{Greek}`, `\d` and their kin, if that is what the text starts with.
    fn class_escape(&self, text: &'e [u8]) -> Parsed<'e, Option<(ClassUnicode, &'e [u8])>> {
        let Some(&letter) = text.get(1).filter(|_| text[0] == b'\\') else {
            return Ok(None);
        };
        if letter.eq_ignore_ascii_case(&b'p') {
            return self.unicode_class(text, letter == b'P').map(Some);
        }
        Ok(class::perl(letter).map(|(class, negate)| (self.group(class, negate), &text[2..])))
    }

    fn group(&self, class: ClassUnicode, negate: bool) -> ClassUnicode {
        class::negated(class::folded(class, self.flags.fold_case), negate)
    }

    // regexp/syntax: parse.go parseUnicodeClass
    fn unicode_class(&self, text: &'e [u8], negate: bool) -> Parsed<'e, (ClassUnicode, &'e [u8])> {
        let (first, rest) = match text.get(2..) {
            // Go takes the end of the text for a rune that is broken.
            None | Some([]) => return Err(SyntaxError(ErrorCode::CharRange, text)),
            Some(behind) => next(behind)?,
        };
        let (part, name, rest) = if first == '{' {
            let Some(end) = text.iter().position(|&byte| byte == b'}') else {
                check_utf8(text)?;
                return Err(SyntaxError(ErrorCode::CharRange, text));
            };
            check_utf8(&text[3..end])?;
            (&text[..=end], &text[3..end], &text[end + 1..])
        } else {
            let part = &text[..text.len() - rest.len()];
            (part, &part[2..], rest)
        };
        let (name, negate) = match name.strip_prefix(b"^") {
            Some(name) => (name, !negate),
            None => (name, negate),
        };
        let class = std::str::from_utf8(name).ok().and_then(class::unicode);
        let class = class.ok_or(SyntaxError(ErrorCode::CharRange, part))?;
        Ok((self.group(class, negate), rest))
    }

    /// A class in brackets.
    // regexp/syntax: parse.go parseClass
    fn bracketed(&mut self, whole: &'e [u8]) -> Parsed<'e, &'e [u8]> {
        let mut class = class::of(&[]);
        let mut rest = &whole[1..];
        let negate = rest.first() == Some(&b'^');
        if negate {
            rest = &rest[1..];
        }
        // A closing bracket stands for itself in the first place.
        let mut first = true;
        while first || rest.first() != Some(&b']') {
            first = false;
            if let Some((named, behind)) = self.named_class(rest)? {
                class.union(&named);
                rest = behind;
                continue;
            }
            if let Some((escaped, behind)) = self.class_escape(rest)? {
                class.union(&escaped);
                rest = behind;
                continue;
            }
            let (range, behind) = class_range(rest, whole)?;
            class.union(&class::folded(range, self.flags.fold_case));
            rest = behind;
        }
        self.push(Node::Class(class::negated(class, negate)))?;
        Ok(&rest[1..])
    }

    /// `[:alpha:]` and its kin, if that is what the text starts with.
    fn named_class(&self, text: &'e [u8]) -> Parsed<'e, Option<(ClassUnicode, &'e [u8])>> {
        let Some(inner) = text.strip_prefix(b"[:").filter(|inner| !inner.is_empty()) else {
            return Ok(None);
        };
        let Some(end) = inner.windows(2).position(|pair| pair == b":]") else {
            return Ok(None);
        };
        match class::posix(&inner[..end]) {
            Some((class, negate)) => Ok(Some((self.group(class, negate), &inner[end + 2..]))),
            None => Err(SyntaxError(ErrorCode::CharRange, &text[..end + 4])),
        }
    }
}
