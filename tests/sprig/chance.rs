//! What has chance in it (certificates, ciphers, hashes of passwords) against what Go made of the
//! same chance: the random bytes and the time that Go drew are given to the functions here.

use pintle::sprig;
use pintle::template::Limits;
use serde::Deserialize;

use super::cases::{environment_of, templates};

#[derive(Deserialize)]
struct Case {
    template: String,
    #[serde(default)]
    data: serde_json::Value,
    #[serde(default)]
    random: String,
    #[serde(default)]
    now: String,
    output: String,
    #[serde(default)]
    signature: bool,
}

fn bytes(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// What of a certificate is signed, in hexadecimal digits.
fn signed_part(certificate: &str) -> String {
    let letters: String = certificate
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let der = decoded(&letters);
    let (start, _) = content(&der, 0);
    let (inner, length) = content(&der, start);
    der[start..inner + length]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Where the content of the element at a place starts, and its length.
fn content(der: &[u8], at: usize) -> (usize, usize) {
    match der[at + 1] {
        length if length < 0x80 => (at + 2, usize::from(length)),
        0x81 => (at + 3, usize::from(der[at + 2])),
        _ => (
            at + 4,
            usize::from(der[at + 2]) << 8 | usize::from(der[at + 3]),
        ),
    }
}

fn decoded(letters: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::new();
    let (mut number, mut bits) = (0_u32, 0);
    for letter in letters.bytes().filter(|&letter| letter != b'=') {
        number = number << 6 | ALPHABET.iter().position(|&own| own == letter).unwrap() as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((number >> bits) as u8);
            number &= (1 << bits) - 1;
        }
    }
    out
}

#[test]
fn the_same_chance_makes_the_same_output() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("chance.json")).unwrap();
    for case in &cases {
        let now = if case.now.is_empty() {
            "2026-01-01T00:00:00Z"
        } else {
            &case.now
        };
        let mut templates = templates(&environment_of(now, bytes(&case.random)));
        templates.parse("case", &case.template).unwrap();
        let data = sprig::json::decode(case.data.to_string().as_bytes()).unwrap();
        let limits = Limits {
            depth: 200,
            ..Limits::default()
        };
        let output = templates
            .execute("case", &data, limits)
            .unwrap()
            .to_string();
        match case.signature {
            true => assert_eq!(
                signed_part(&output),
                signed_part(&case.output),
                "{}",
                case.template
            ),
            false => assert_eq!(output, case.output, "{}", case.template),
        }
    }
}
