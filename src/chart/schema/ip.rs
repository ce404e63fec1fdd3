//! IP addresses with a colon in them, read as Go's net/netip reads them, for its complaints.

use crate::chart::quote::quote;

/// Checks an address; answers whether it names a zone.
///
/// # Errors
/// Go's sentence.
// go: net/netip ParseAddr
pub(super) fn check(text: &str) -> Result<bool, String> {
    let wrong = |fault: Fault<'_>| match fault {
        Fault(reason, "") => format!("ParseAddr({}): {reason}", quote(text)),
        Fault(reason, at) => format!("ParseAddr({}): {reason} (at {})", quote(text), quote(at)),
    };
    match text.bytes().find(|byte| b".:%".contains(byte)) {
        Some(b'.') => version_4(text).map(|()| false).map_err(wrong),
        Some(b':') => {
            let (address, zone) = text
                .split_once('%')
                .map_or((text, None), |(address, zone)| (address, Some(zone)));
            if zone == Some("") {
                return Err(wrong(Fault("zone must be a non-empty string", "")));
            }
            version_6(address).map(|()| zone.is_some()).map_err(wrong)
        }
        Some(_) => Err(wrong(Fault("missing IPv6 address", ""))),
        None => Err(wrong(Fault("unable to parse IP", ""))),
    }
}

/// What is wrong, and where, if that is told.
struct Fault<'a>(&'static str, &'a str);

// go: net/netip parseIPv4Fields
fn version_4(text: &str) -> Result<(), Fault<'_>> {
    let (mut value, mut digits, mut dots) = (0_u32, 0, 0);
    let bytes = text.as_bytes();
    for (i, &byte) in bytes.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                if digits == 1 && value == 0 {
                    return Err(Fault("IPv4 field has octet with leading zero", ""));
                }
                value = value * 10 + u32::from(byte - b'0');
                digits += 1;
                if value > 255 {
                    return Err(Fault("IPv4 field has value >255", ""));
                }
            }
            b'.' => {
                if i == 0 || i + 1 == bytes.len() || bytes[i - 1] == b'.' {
                    return Err(Fault("IPv4 field must have at least one digit", &text[i..]));
                }
                if dots == 3 {
                    return Err(Fault("IPv4 address too long", ""));
                }
                dots += 1;
                (value, digits) = (0, 0);
            }
            _ => return Err(Fault("unexpected character", &text[i..])),
        }
    }
    if dots < 3 {
        Err(Fault("IPv4 address too short", ""))
    } else {
        Ok(())
    }
}

// go: net/netip parseIPv6
fn version_6(text: &str) -> Result<(), Fault<'_>> {
    let mut gap = text.starts_with("::");
    let mut rest = if gap { &text[2..] } else { text };
    if gap && rest.is_empty() {
        return Ok(());
    }
    let mut bytes = 0;
    while bytes < 16 {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        if digits > 4 {
            return Err(Fault("each group must have 4 or less digits", rest));
        }
        if digits == 0 {
            return Err(Fault(
                "each colon-separated field must have at least one digit",
                rest,
            ));
        }
        if rest[digits..].starts_with('.') {
            if !gap && bytes != 12 {
                let reason = "embedded IPv4 address must replace the final 2 fields of the address";
                return Err(Fault(reason, rest));
            }
            if bytes + 4 > 16 {
                let reason =
                    "too many hex fields to fit an embedded IPv4 at the end of the address";
                return Err(Fault(reason, rest));
            }
            version_4(rest)?;
            rest = "";
            bytes += 4;
            break;
        }
        bytes += 2;
        rest = &rest[digits..];
        if rest.is_empty() {
            break;
        }
        let Some(after) = rest.strip_prefix(':') else {
            return Err(Fault("unexpected character, want colon", rest));
        };
        if after.is_empty() {
            return Err(Fault("colon must be followed by more characters", rest));
        }
        rest = after;
        if let Some(after) = rest.strip_prefix(':') {
            if gap {
                return Err(Fault("multiple :: in address", rest));
            }
            gap = true;
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
    }
    if !rest.is_empty() {
        return Err(Fault("trailing garbage after address", rest));
    }
    match gap {
        false if bytes < 16 => Err(Fault("address string too short", "")),
        true if bytes == 16 => Err(Fault(
            "the :: must expand to at least one field of zeros",
            "",
        )),
        _ => Ok(()),
    }
}
