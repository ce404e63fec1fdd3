//! Base64 and base32, with Go's idea of where broken input is broken.

use crate::template::{Function, Text};

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub(super) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        ("b64enc", Function::new(|text: Text| base64_encode(&text))),
        (
            "b64dec",
            Function::new(|text: Text| match base64_decode(&text) {
                Ok(decoded) => Text::from(decoded),
                Err(error) => error.to_string().into(),
            }),
        ),
        ("b32enc", Function::new(|text: Text| base32_encode(&text))),
        (
            "b32dec",
            Function::new(|text: Text| match base32_decode(&text) {
                Ok(decoded) => Text::from(decoded),
                Err(error) => error.to_string().into(),
            }),
        ),
    ]
}

/// Where the input stops being what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("illegal base{base} data at input byte {at}")]
pub(super) struct CorruptInput {
    base: u8,
    at: usize,
}

/// Standard base64 with padding.
pub(super) fn base64_encode(bytes: &[u8]) -> String {
    encode(bytes, BASE64, 6, 3, 4)
}

fn base32_encode(bytes: &[u8]) -> String {
    encode(bytes, BASE32, 5, 5, 8)
}

/// Groups of `bytes_each` bytes in letters of `bits` bits, padded to `letters_each`.
fn encode(
    bytes: &[u8],
    alphabet: &[u8],
    bits: usize,
    bytes_each: usize,
    letters_each: usize,
) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(bytes_each) * letters_each);
    for group in bytes.chunks(bytes_each) {
        let number = (0..bytes_each).fold(0_u64, |number, index| {
            number << 8 | u64::from(group.get(index).copied().unwrap_or(0))
        });
        let letters = (group.len() * 8).div_ceil(bits);
        for index in 0..letters_each {
            let shift = bits * (letters_each - 1 - index);
            let letter = (number >> shift) as usize & (alphabet.len() - 1);
            out.push(if index < letters {
                char::from(alphabet[letter])
            } else {
                '='
            });
        }
    }
    out
}

/// Standard base64 with padding, line breaks ignored.
// encoding/base64: base64.go decodeQuantum
pub(super) fn base64_decode(text: &[u8]) -> Result<Vec<u8>, CorruptInput> {
    let corrupt = |at| CorruptInput { base: 64, at };
    let is_break = |byte: u8| byte == b'\n' || byte == b'\r';
    let skip_breaks = |mut at: usize| {
        while text.get(at).copied().is_some_and(is_break) {
            at += 1;
        }
        at
    };
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut at = 0;
    while at < text.len() {
        let mut group = [0; 4];
        let mut letters = 0;
        while letters < 4 {
            let Some(&byte) = text.get(at) else {
                if letters == 0 {
                    return Ok(out);
                }
                return Err(corrupt(at - letters));
            };
            at += 1;
            if is_break(byte) {
                continue;
            }
            if let Some(value) = base64_value(byte) {
                group[letters] = value;
                letters += 1;
                continue;
            }
            if byte != b'=' || letters < 2 {
                return Err(corrupt(at - 1));
            }
            if letters == 2 {
                at = skip_breaks(at);
                match text.get(at) {
                    None => return Err(corrupt(text.len())),
                    Some(b'=') => at += 1,
                    Some(_) => return Err(corrupt(at - 1)),
                }
            }
            at = skip_breaks(at);
            if at < text.len() {
                return Err(corrupt(at));
            }
            break;
        }
        let number = group
            .iter()
            .fold(0_u32, |number, &value| number << 6 | u32::from(value));
        out.extend_from_slice(&number.to_be_bytes()[1..letters]);
    }
    Ok(out)
}

fn base64_value(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

// encoding/base32: base32.go decode
fn base32_decode(text: &[u8]) -> Result<Vec<u8>, CorruptInput> {
    let text: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\n' | b'\r'))
        .collect();
    let corrupt = |at| CorruptInput { base: 32, at };
    let mut out = Vec::with_capacity(text.len() / 8 * 5);
    let mut at = 0;
    let mut ended = false;
    while at < text.len() && !ended {
        let mut group = [0; 8];
        let mut letters = 0;
        while letters < 8 {
            let Some(&byte) = text.get(at) else {
                return Err(corrupt(text.len() - letters));
            };
            at += 1;
            let left = text.len() - at;
            if byte == b'=' && letters >= 2 && left < 8 {
                padding_ends(&text[at..], letters).map_err(|wrong| match wrong {
                    Padding::Short => corrupt(text.len()),
                    Padding::At(index) => corrupt((at + index).saturating_sub(1)),
                })?;
                ended = true;
                break;
            }
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'2'..=b'7' => byte - b'2' + 26,
                _ => return Err(corrupt(at - 1)),
            };
            group[letters] = value;
            letters += 1;
        }
        let number = group
            .iter()
            .fold(0_u64, |number, &value| number << 5 | u64::from(value));
        out.extend_from_slice(&number.to_be_bytes()[3..3 + letters * 5 / 8]);
    }
    Ok(out)
}

/// What is wrong with the padding.
enum Padding {
    Short,
    At(usize),
}

/// Whether what follows the first padding character completes the group.
fn padding_ends(rest: &[u8], letters: usize) -> Result<(), Padding> {
    let wanted = 7 - letters;
    if rest.len() < wanted {
        return Err(Padding::Short);
    }
    match rest.iter().take(wanted).position(|&byte| byte != b'=') {
        Some(index) => Err(Padding::At(index)),
        None if matches!(letters, 1 | 3 | 6) => Err(Padding::At(0)),
        None => Ok(()),
    }
}
