//! What is drawn from the injected source of randomness.

use std::rc::Rc;

use crate::template::{CallError, Function, Text};

use super::Environment;
use super::bounds;
use super::encoding::base64_encode;
use super::runes;

pub(super) fn functions(environment: &Rc<Environment>) -> Vec<(&'static str, Function)> {
    let characters = |admits: fn(u8) -> bool| {
        let environment = Rc::clone(environment);
        Function::new(move |count: isize| characters(&environment, count, admits))
    };
    let with = || Rc::clone(environment);
    let (integers, bytes, uuids, shuffles) = (with(), with(), with(), with());
    vec![
        (
            "randAlphaNum",
            characters(|byte| byte.is_ascii_alphanumeric()),
        ),
        ("randAlpha", characters(|byte| byte.is_ascii_alphabetic())),
        ("randNumeric", characters(|byte| byte.is_ascii_digit())),
        ("randAscii", characters(|_| true)),
        (
            "randInt",
            Function::new(move |low: isize, high: isize| {
                let span = usize::try_from(high.wrapping_sub(low)).unwrap_or(0);
                below(&integers, span).map(|drawn| low.wrapping_add(drawn as isize))
            }),
        ),
        (
            "randBytes",
            Function::new(move |count: isize| {
                let count = usize::try_from(count)
                    .map_err(|_| CallError::new("runtime error: makeslice: len out of range"))?;
                bounds::text(count)?;
                let mut drawn = vec![0; count];
                bytes.fill(&mut drawn);
                Ok(base64_encode(&drawn))
            }),
        ),
        (
            "uuidv4",
            Function::new(move || {
                let mut drawn = [0; 16];
                uuids.fill(&mut drawn);
                uuid::Builder::from_random_bytes(drawn)
                    .into_uuid()
                    .to_string()
            }),
        ),
        (
            "shuffle",
            Function::new(move |text: Text| shuffle(&shuffles, &text)),
        ),
    ]
}

/// Printable ASCII characters that are admitted; none for a negative count, as in Go.
fn characters(
    environment: &Environment,
    count: isize,
    admits: fn(u8) -> bool,
) -> Result<String, CallError> {
    let count = usize::try_from(count).unwrap_or(0);
    bounds::text(count)?;
    let admitted: Vec<char> = (b' '..=b'~')
        .filter(|&byte| admits(byte))
        .map(char::from)
        .collect();
    (0..count)
        .map(|_| Ok(admitted[below(environment, admitted.len())?]))
        .collect()
}

fn shuffle(environment: &Environment, text: &[u8]) -> Result<String, CallError> {
    let mut shuffled: Vec<char> = runes::runes(text).map(|(rune, _)| rune).collect();
    for last in (1..shuffled.len()).rev() {
        shuffled.swap(last, below(environment, last + 1)?);
    }
    Ok(shuffled.into_iter().collect())
}

/// A number below `bound`, all equally likely.
pub(super) fn below(environment: &Environment, bound: usize) -> Result<usize, CallError> {
    if bound == 0 {
        return Err(CallError::new("invalid argument to Intn"));
    }
    let bound = bound as u64;
    // What is left above the last full multiple of the bound would favour small numbers.
    let fair = u64::MAX - u64::MAX % bound;
    loop {
        let mut drawn = [0; 8];
        environment.fill(&mut drawn);
        let drawn = u64::from_le_bytes(drawn);
        if drawn < fair {
            return Ok((drawn % bound) as usize);
        }
    }
}
