//! The formats of strings that a schema may name.
//!
//! Every sentence is that of Helm's schema library, or of the Go library beneath it.

use crate::chart::moment;
use crate::chart::quote::{quote, quote_char};

use super::address;
use super::ip;
use super::pattern::Pattern;
use super::url::Url;

/// A format that is checked; others say nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    name: &'static str,
    check: fn(&str) -> Result<(), String>,
}

// santhosh-tekuri/jsonschema: format.go formats
const FORMATS: &[Format] = &[
    Format {
        name: "regex",
        check: |text| Pattern::new(text).map(|_| ()),
    },
    Format {
        name: "json-pointer",
        check: json_pointer,
    },
    Format {
        name: "relative-json-pointer",
        check: relative_json_pointer,
    },
    Format {
        name: "uuid",
        check: uuid,
    },
    Format {
        name: "duration",
        check: duration,
    },
    Format {
        name: "period",
        check: period,
    },
    Format {
        name: "ipv4",
        check: ipv4,
    },
    Format {
        name: "ipv6",
        check: ipv6,
    },
    Format {
        name: "hostname",
        check: hostname,
    },
    Format {
        name: "email",
        check: email,
    },
    Format {
        name: "date",
        check: moment::date,
    },
    Format {
        name: "time",
        check: time,
    },
    Format {
        name: "date-time",
        check: date_time,
    },
    Format {
        name: "uri",
        check: uri,
    },
    Format {
        name: "iri",
        check: uri,
    },
    Format {
        name: "uri-reference",
        check: uri_reference,
    },
    Format {
        name: "iri-reference",
        check: uri_reference,
    },
    Format {
        name: "uri-template",
        check: uri_template,
    },
    Format {
        name: "semver",
        check: semver,
    },
];

impl Format {
    pub(super) fn named(name: &str) -> Option<Self> {
        FORMATS.iter().find(|format| format.name == name).copied()
    }

    pub(super) fn name(self) -> &'static str {
        self.name
    }

    /// Whether a text is of this format; the error says why not.
    pub(super) fn check(self, text: &str) -> Result<(), String> {
        (self.check)(text)
    }
}

fn refuse<T>(reason: impl Into<String>) -> Result<T, String> {
    Err(reason.into())
}

fn json_pointer(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    if !text.starts_with('/') {
        return refuse("not starting with /");
    }
    for token in text.split('/').skip(1) {
        let mut chars = token.chars();
        while let Some(c) = chars.next() {
            if c == '~' && !matches!(chars.next(), Some('0' | '1')) {
                return refuse("~ must be followed by 0 or 1");
            }
        }
    }
    Ok(())
}

fn relative_json_pointer(text: &str) -> Result<(), String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return refuse("must start with non-negative integer");
    }
    if digits > 1 && text.starts_with('0') {
        return refuse("starts with zero");
    }
    let rest = &text[digits..];
    if rest == "#" {
        Ok(())
    } else {
        json_pointer(rest)
    }
}

fn uuid(text: &str) -> Result<(), String> {
    const LENGTHS: [usize; 5] = [8, 4, 4, 4, 12];
    let groups: Vec<&str> = text.split('-').collect();
    if groups.len() != LENGTHS.len() {
        return refuse(format!("must have {} elements", LENGTHS.len()));
    }
    for (i, (group, length)) in groups.iter().zip(LENGTHS).enumerate() {
        if group.len() != length {
            return refuse(format!(
                "element {} must be {length} characters long",
                i + 1
            ));
        }
        if let Some(c) = group.chars().find(|c| !c.is_ascii_hexdigit()) {
            return refuse(format!("non-hex character {}", quote_char(c)));
        }
    }
    Ok(())
}

fn duration(text: &str) -> Result<(), String> {
    let Some(rest) = text.strip_prefix('P') else {
        return refuse("must start with P");
    };
    if rest.is_empty() {
        return refuse("nothing after P");
    }
    if let Some(weeks) = rest.strip_suffix('W') {
        return match weeks {
            "" => refuse("no number in week"),
            weeks if weeks.bytes().all(|byte| byte.is_ascii_digit()) => Ok(()),
            _ => refuse("invalid week"),
        };
    }
    const UNITS: [&str; 2] = ["YMD", "HMS"];
    for (i, part) in rest.split('T').enumerate() {
        if i > 0 && part.is_empty() {
            return refuse("no time elements");
        }
        let Some(units) = UNITS.get(i) else {
            return refuse("more than one T");
        };
        duration_part(part, units)?;
    }
    Ok(())
}

fn duration_part(part: &str, all: &str) -> Result<(), String> {
    let (mut rest, mut units) = (part.as_bytes(), all);
    while !rest.is_empty() {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return refuse("missing number");
        }
        rest = &rest[digits..];
        let Some((unit, after)) = rest.split_first() else {
            return refuse("missing unit");
        };
        let unit = char::from(*unit);
        match units.find(unit) {
            Some(at) => units = &units[at + 1..],
            None if all.contains(unit) => {
                return refuse(format!("unit {} out of order", quote_char(unit)));
            }
            None => return refuse(format!("invalid unit {}", quote_char(unit))),
        }
        rest = after;
    }
    Ok(())
}

fn period(text: &str) -> Result<(), String> {
    let Some((start, end)) = text.split_once('/') else {
        return refuse("missing slash");
    };
    let named = |name: &str, outcome: Result<(), String>| {
        outcome.map_err(|error| format!("invalid {name}: {error}"))
    };
    if start.starts_with('P') {
        named("start duration", duration(start))?;
        return named("end date-time", date_time(end));
    }
    named("start date-time", date_time(start))?;
    if end.starts_with('P') {
        named("end duration", duration(end))
    } else {
        named("end date-time", date_time(end))
    }
}

fn ipv4(text: &str) -> Result<(), String> {
    let groups: Vec<&str> = text.split('.').collect();
    if groups.len() != 4 {
        return refuse("expected four decimals");
    }
    for group in groups {
        if group.len() > 1 && group.starts_with('0') {
            return refuse("leading zeros");
        }
        if !(0..=255).contains(&integer(group)?) {
            return refuse("decimal must be between 0 and 255");
        }
    }
    Ok(())
}

// go: strconv.Atoi
fn integer(text: &str) -> Result<i64, String> {
    use std::num::IntErrorKind::{NegOverflow, PosOverflow};
    text.parse().map_err(|error: std::num::ParseIntError| {
        let reason = match error.kind() {
            PosOverflow | NegOverflow => "value out of range",
            _ => "invalid syntax",
        };
        format!("strconv.Atoi: parsing {}: {reason}", quote(text))
    })
}

fn ipv6(text: &str) -> Result<(), String> {
    if !text.contains(':') {
        return refuse("missing colon");
    }
    match ip::check(text) {
        Ok(zone) if zone => refuse("zone id is not a part of ipv6 address"),
        Ok(_) => Ok(()),
        Err(error) => Err(error),
    }
}

fn hostname(text: &str) -> Result<(), String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.len() > 253 {
        return refuse("more than 253 characters long");
    }
    for label in text.split('.') {
        if !(1..=63).contains(&label.len()) {
            return refuse("label must be 1 to 63 characters long");
        }
        if label.starts_with('-') {
            return refuse("label starts with hyphen");
        }
        if label.ends_with('-') {
            return refuse("label ends with hyphen");
        }
        if let Some(c) = label
            .chars()
            .find(|c| !c.is_ascii_alphanumeric() && *c != '-')
        {
            return refuse(format!("invalid character {}", quote_char(c)));
        }
    }
    Ok(())
}

fn email(text: &str) -> Result<(), String> {
    if text.len() > 254 {
        return refuse("more than 255 characters long");
    }
    let Some((local, domain)) = text.rsplit_once('@') else {
        return refuse("missing @");
    };
    if local.len() > 64 {
        return refuse("local part more than 64 characters long");
    }
    let quoted = local
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match quoted {
        Some(inner) => {
            if inner.contains(['\\', '"']) {
                return refuse("backslash and quote are not allowed within quoted local part");
            }
        }
        None => plain_local(local)?,
    }
    if let Some(address) = domain
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return match address.strip_prefix("IPv6:") {
            Some(address) => {
                ipv6(address).map_err(|error| format!("invalid ipv6 address: {error}"))
            }
            None => ipv4(address).map_err(|error| format!("invalid ipv4 address: {error}")),
        };
    }
    hostname(domain).map_err(|error| format!("invalid domain: {error}"))
}

fn plain_local(local: &str) -> Result<(), String> {
    if local.starts_with('.') {
        return refuse("starts with dot");
    }
    if local.ends_with('.') {
        return refuse("ends with dot");
    }
    if local.contains("..") {
        return refuse("consecutive dots");
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(c);
    match local.chars().find(|c| !legal(*c)) {
        Some(c) => refuse(format!("invalid character {}", quote_char(c))),
        None => Ok(()),
    }
}

fn time(text: &str) -> Result<(), String> {
    if text.len() < 9 {
        return refuse("less than 9 characters long");
    }
    let bytes = text.as_bytes();
    if bytes[2] != b':' || bytes[5] != b':' {
        return refuse("missing colon in correct place");
    }
    let Some((clock, rest)) = text.split_at_checked(8) else {
        return refuse("invalid hour/min/sec");
    };
    let clock: Vec<i64> = numbers(
        clock,
        3,
        "invalid hour/min/sec",
        "non-positive hour/min/sec",
    )?;
    let [mut hour, mut minute, second] = clock[..] else {
        return refuse("missing hour/min/sec");
    };
    if hour > 23 || minute > 59 || second > 60 {
        return refuse("hour/min/sec out of range");
    }
    let mut rest = rest;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return refuse("no digits in second fraction");
        }
        rest = &fraction[digits..];
    }
    if rest != "z" && rest != "Z" {
        let offset = zone(rest)?;
        let day = 24 * 60;
        let minutes = hour * 60 + minute + offset;
        let minutes = if minutes < 0 { minutes + day } else { minutes };
        (hour, minute) = (minutes / 60, minutes % 60);
    }
    if second >= 60 && (hour != 23 || minute != 59) {
        refuse("invalid leap second")
    } else {
        Ok(())
    }
}

/// The minutes that a zone is behind.
fn zone(text: &str) -> Result<i64, String> {
    if text.len() != 6 {
        return refuse("offset must be 6 characters long");
    }
    let sign = match text.as_bytes()[0] {
        b'+' => -1,
        b'-' => 1,
        _ => return refuse("offset must begin with plus/minus"),
    };
    if text.as_bytes()[3] != b':' {
        return refuse("missing colon in offset in correct place");
    }
    let parts = numbers(
        &text[1..],
        2,
        "invalid hour/min in offset",
        "non-positive hour/min in offset",
    )?;
    match parts[..] {
        [hour, minute] if hour <= 23 && minute <= 59 => Ok(sign * (hour * 60 + minute)),
        _ => refuse("hour/min in offset out of range"),
    }
}

fn numbers(text: &str, most: usize, invalid: &str, negative: &str) -> Result<Vec<i64>, String> {
    let number = |part: &str| match part.parse::<i64>() {
        Ok(number) if number < 0 => refuse(negative),
        Ok(number) => Ok(number),
        Err(_) => refuse(invalid),
    };
    text.splitn(most, ':').map(number).collect()
}

fn date_time(text: &str) -> Result<(), String> {
    if text.len() < 20 {
        return refuse("less than 20 characters long");
    }
    if !matches!(text.as_bytes()[10], b't' | b'T') {
        return refuse("11th character must be t or T");
    }
    moment::date(&text[..10]).map_err(|error| format!("invalid date element: {error}"))?;
    time(&text[11..]).map_err(|error| format!("invalid time element: {error}"))
}

fn parse_url(text: &str) -> Result<Url, String> {
    let (before, fragment) = address::split(text);
    let url = Url::parse(before).map_err(|error| {
        // go: the whole text is named, the fragment with it
        error.replacen(&quote(before), &quote(text), 1)
    })?;
    if address::percent_decode(fragment).is_none() {
        let bad = quote(address::bad_escape(fragment));
        return refuse(format!("parse {}: invalid URL escape {bad}", quote(text)));
    }
    let host = url.host_name();
    if host.contains(':') {
        let authority = url.authority.as_deref().unwrap_or("");
        if !authority.contains('[') || !authority.contains(']') {
            return refuse("ipv6 address not enclosed in brackets");
        }
        ipv6(host).map_err(|error| format!("invalid ipv6 address: {error}"))?;
    }
    Ok(url)
}

fn uri(text: &str) -> Result<(), String> {
    if parse_url(text)?.is_absolute() {
        Ok(())
    } else {
        refuse("relative url")
    }
}

fn uri_reference(text: &str) -> Result<(), String> {
    if text.contains('\\') {
        refuse("contains \\")
    } else {
        parse_url(text).map(|_| ())
    }
}

fn uri_template(text: &str) -> Result<(), String> {
    let url = parse_url(text)?;
    for token in url.path.split('/') {
        let token = address::percent_decode(token).unwrap_or_default();
        let mut open = false;
        for c in token.chars().filter(|c| matches!(c, '{' | '}')) {
            if (c == '{') == open {
                return refuse("nested curly braces");
            }
            open = !open;
        }
        if open {
            return refuse("no matching closing brace");
        }
    }
    Ok(())
}

fn semver(text: &str) -> Result<(), String> {
    let word = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    let (rest, build) = text
        .split_once('+')
        .map_or((text, None), |(rest, build)| (rest, Some(build)));
    if build == Some("") {
        return refuse("build is empty");
    }
    for part in build.iter().flat_map(|build| build.split('.')) {
        if part.is_empty() {
            return refuse("build identifier is empty");
        }
        if let Some(c) = part.chars().find(|c| !word(c)) {
            return refuse(format!(
                "invalid character {} in build identifier",
                quote_char(c)
            ));
        }
    }
    let (core, prerelease) = rest
        .split_once('-')
        .map_or((rest, None), |(core, pre)| (core, Some(pre)));
    for part in prerelease
        .iter()
        .flat_map(|prerelease| prerelease.split('.'))
    {
        if part.is_empty() {
            return refuse("pre-release identifier is empty");
        }
        if let Some(c) = part.chars().find(|c| !word(c)) {
            return refuse(format!(
                "invalid character {} in pre-release identifier",
                quote_char(c)
            ));
        }
        if part.len() > 1 && part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit())
        {
            return refuse("pre-release numeric identifier starts with zero");
        }
    }
    let numbers: Vec<&str> = core.split('.').collect();
    if numbers.len() != 3 {
        return refuse("versionCore must have 3 numbers separated by dot");
    }
    for (number, name) in numbers.into_iter().zip(["major", "minor", "patch"]) {
        if number.is_empty() {
            return refuse(format!("{name} is empty"));
        }
        if number.len() > 1 && number.starts_with('0') {
            return refuse(format!("{name} starts with zero"));
        }
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return refuse(format!("{name} contains non-digit"));
        }
    }
    Ok(())
}
