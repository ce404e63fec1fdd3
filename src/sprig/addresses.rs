//! IP addresses as Go's net/netip reads them, for host names in brackets and for certificates.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::template::quote;

/// The address and its zone, which is empty for most; or why it is none, in Go's words.
// net/netip: netip.go ParseAddr
pub(super) fn parse(text: &[u8]) -> Result<(IpAddr, &[u8]), String> {
    let complain = |complaint: &str| Err(message(text, complaint, b""));
    match text.iter().find(|byte| matches!(byte, b'.' | b':' | b'%')) {
        Some(b'.') => {
            let address = parse_v4(text).map_err(|(complaint, at)| message(text, complaint, at))?;
            Ok((IpAddr::V4(address), b""))
        }
        Some(b':') => {
            let mut halves = text.splitn(2, |&byte| byte == b'%');
            let digits = halves.next().unwrap_or_default();
            let zone = halves.next();
            if zone == Some(b"") {
                return complain("zone must be a non-empty string");
            }
            let address =
                parse_v6(digits).map_err(|(complaint, at)| message(text, complaint, at))?;
            Ok((IpAddr::V6(address), zone.unwrap_or_default()))
        }
        Some(_) => complain("missing IPv6 address"),
        None => complain("unable to parse IP"),
    }
}

/// A complaint, and what of the text it is about.
type Complaint<'t> = (&'static str, &'t [u8]);

fn message(text: &[u8], complaint: &str, at: &[u8]) -> String {
    let quoted = |text: &[u8]| String::from_utf8_lossy(&quote::quote(text)).into_owned();
    match at {
        b"" => format!("ParseAddr({}): {complaint}", quoted(text)),
        at => format!(
            "ParseAddr({}): {complaint} (at {})",
            quoted(text),
            quoted(at)
        ),
    }
}

fn parse_v4(text: &[u8]) -> Result<Ipv4Addr, Complaint<'_>> {
    let mut octets = [0_u8; 4];
    let (mut value, mut digits, mut field) = (0_u32, 0, 0);
    for (index, &byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                if digits == 1 && value == 0 {
                    return Err(("IPv4 field has octet with leading zero", b""));
                }
                value = value * 10 + u32::from(byte - b'0');
                digits += 1;
                if value > 255 {
                    return Err(("IPv4 field has value >255", b""));
                }
            }
            b'.' if index == 0 || index == text.len() - 1 || text[index - 1] == b'.' => {
                return Err(("IPv4 field must have at least one digit", &text[index..]));
            }
            b'.' if field == 3 => return Err(("IPv4 address too long", b"")),
            b'.' => {
                octets[field] = value as u8;
                (value, digits, field) = (0, 0, field + 1);
            }
            _ => return Err(("unexpected character", &text[index..])),
        }
    }
    if field < 3 {
        return Err(("IPv4 address too short", b""));
    }
    octets[3] = value as u8;
    Ok(octets.into())
}

fn parse_v6(text: &[u8]) -> Result<Ipv6Addr, Complaint<'_>> {
    let mut octets: Vec<u8> = Vec::with_capacity(16);
    let mut gap = None;
    let mut rest = text;
    if let Some(behind) = rest.strip_prefix(b"::") {
        gap = Some(0);
        rest = behind;
        if rest.is_empty() {
            return Ok(Ipv6Addr::UNSPECIFIED);
        }
    }
    while octets.len() < 16 {
        let (value, length) = group(rest)?;
        if rest.get(length) == Some(&b'.') {
            octets.extend_from_slice(&embedded(rest, octets.len(), gap.is_some())?);
            rest = b"";
            break;
        }
        octets.extend_from_slice(&value.to_be_bytes());
        rest = &rest[length..];
        match rest {
            [] => break,
            [b':'] => return Err(("colon must be followed by more characters", rest)),
            [b':', behind @ ..] => rest = behind,
            _ => return Err(("unexpected character, want colon", rest)),
        }
        if let [b':', behind @ ..] = rest {
            if gap.is_some() {
                return Err(("multiple :: in address", rest));
            }
            gap = Some(octets.len());
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
    }
    if !rest.is_empty() {
        return Err(("trailing garbage after address", rest));
    }
    let missing = 16 - octets.len();
    match gap {
        None if missing > 0 => return Err(("address string too short", b"")),
        Some(_) if missing == 0 => {
            return Err(("the :: must expand to at least one field of zeros", b""));
        }
        Some(gap) => drop(octets.splice(gap..gap, std::iter::repeat_n(0, missing))),
        None => {}
    }
    let mut address = [0; 16];
    address.copy_from_slice(&octets);
    Ok(address.into())
}

/// The address of version 4 in the end of one of version 6.
fn embedded(text: &[u8], octets: usize, has_gap: bool) -> Result<[u8; 4], Complaint<'_>> {
    const MISPLACED: &str = "embedded IPv4 address must replace the final 2 fields of the address";
    const TOO_MANY: &str = "too many hex fields to fit an embedded IPv4 at the end of the address";
    if octets != 12 && !has_gap {
        return Err((MISPLACED, text));
    }
    if octets > 12 {
        return Err((TOO_MANY, text));
    }
    Ok(parse_v4(text)?.octets())
}

/// The hexadecimal number that a text starts with, and its length.
fn group(text: &[u8]) -> Result<(u16, usize), Complaint<'_>> {
    let length = text
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    match length {
        0 => Err((
            "each colon-separated field must have at least one digit",
            text,
        )),
        1..=4 => {
            let value = text[..length]
                .iter()
                .filter_map(|&digit| char::from(digit).to_digit(16))
                .fold(0_u32, |value, digit| value << 4 | digit);
            Ok((value as u16, length))
        }
        _ => Err(("each group must have 4 or less digits", text)),
    }
}
