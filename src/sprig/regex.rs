//! Regular expressions in Go's syntax and with Go's results.
//!
//! `syntax` reads an expression as Go's regexp/syntax does, `tree` makes of it what regex-automata
//! runs, `program` finds, replaces and splits by Go's rules.

mod atoms;
mod class;
mod program;
mod syntax;
mod tree;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::template::{CallError, Function, List, Text, Type, Value, quote, rune};

use program::Program;

pub(super) fn functions() -> Vec<(&'static str, Function)> {
    let programs = Rc::new(Programs::default());
    let mut functions = vec![
        (
            "regexQuoteMeta",
            Function::new(|text: Text| quote_meta(&text)),
        ),
        ("regexMatch", {
            let programs = Rc::clone(&programs);
            Function::new(move |expression: Text, text: Text| {
                programs
                    .compiled(&expression)
                    .is_ok_and(|program| program.is_match(&text))
            })
        }),
        ("mustRegexMatch", {
            let programs = Rc::clone(&programs);
            Function::new(move |expression: Text, text: Text| {
                Ok(programs
                    .get(&expression, Failure::Returned)?
                    .is_match(&text))
            })
        }),
    ];
    for (failure, names) in [
        (
            Failure::Panicked,
            [
                "regexFind",
                "regexFindAll",
                "regexReplaceAll",
                "regexReplaceAllLiteral",
                "regexSplit",
            ],
        ),
        (
            Failure::Returned,
            [
                "mustRegexFind",
                "mustRegexFindAll",
                "mustRegexReplaceAll",
                "mustRegexReplaceAllLiteral",
                "mustRegexSplit",
            ],
        ),
    ] {
        functions.extend(names.into_iter().zip(finders(&programs, failure)));
    }
    functions
}

fn finders(programs: &Rc<Programs>, failure: Failure) -> [Function; 5] {
    let with = || Rc::clone(programs);
    let (find, find_all, replace, replace_literal, split) =
        (with(), with(), with(), with(), with());
    [
        Function::new(move |expression: Text, text: Text| {
            Ok(Text::from_bytes(
                find.get(&expression, failure)?.find(&text),
            ))
        }),
        Function::new(move |expression: Text, text: Text, n: isize| {
            Ok(texts(
                find_all.get(&expression, failure)?.find_all(&text, n),
            ))
        }),
        Function::new(move |expression: Text, text: Text, template: Text| {
            replace
                .get(&expression, failure)?
                .replace_all(&text, &template, true)
        }),
        Function::new(move |expression: Text, text: Text, replacement: Text| {
            replace_literal
                .get(&expression, failure)?
                .replace_all(&text, &replacement, false)
        }),
        Function::new(move |expression: Text, text: Text, n: isize| {
            Ok(texts(split.get(&expression, failure)?.split(&text, n)))
        }),
    ]
}

/// A `[]string`, which is Go's nil one where nothing was found.
fn texts(found: Option<Vec<&[u8]>>) -> Value {
    match found {
        Some(found) => Value::strings(found.into_iter().map(Text::from_bytes)),
        None => List::nil(Type::STRING_SLICE).into(),
    }
}

/// How a function fails whose expression is wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// By the error of `regexp.Compile`.
    Returned,
    /// By the panic of `regexp.MustCompile`, which has more words.
    Panicked,
}

/// Expressions that were compiled: charts use the same ones over and over.
#[derive(Default)]
struct Programs(RefCell<HashMap<Text, Rc<Program>>>);

impl Programs {
    /// As many expressions as are kept; then all are forgotten.
    const MOST: usize = 256;

    fn compiled(&self, expression: &Text) -> Result<Rc<Program>, String> {
        if let Some(program) = self.0.borrow().get(expression) {
            return Ok(Rc::clone(program));
        }
        let program = Rc::new(Program::compile(expression)?);
        let mut kept = self.0.borrow_mut();
        if kept.len() >= Self::MOST {
            kept.clear();
        }
        kept.insert(expression.clone(), Rc::clone(&program));
        Ok(program)
    }

    fn get(&self, expression: &Text, failure: Failure) -> Result<Rc<Program>, CallError> {
        self.compiled(expression).map_err(|error| match failure {
            Failure::Returned => CallError::new(error),
            Failure::Panicked => {
                CallError::new(format!("regexp: Compile({}): {error}", shown(expression)))
            }
        })
    }
}

/// An expression in backquotes if it can stand there, and in double quotes if not.
// regexp: regexp.go quote
fn shown(expression: &Text) -> String {
    let plain = |character: char| {
        character == '\t' || !matches!(character, '\0'..='\x1f' | '`' | '\x7f' | '\u{feff}')
    };
    match expression.as_str() {
        Some(text) if text.chars().all(plain) => format!("`{text}`"),
        _ => String::from_utf8_lossy(&quote::quote(expression)).into_owned(),
    }
}

fn quote_meta(text: &[u8]) -> Text {
    let mut quoted = Vec::with_capacity(text.len());
    for &byte in text {
        if b"\\.+*?()|[]{}^$".contains(&byte) {
            quoted.push(b'\\');
        }
        quoted.push(byte);
    }
    quoted.into()
}

/// The width of the rune that a text starts with; 0 at its end.
fn width(text: &[u8]) -> usize {
    rune::decode(text).1
}
