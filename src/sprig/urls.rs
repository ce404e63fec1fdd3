//! URLs taken apart and put together, as Go's net/url does.

use std::net::IpAddr;

use crate::template::{CallError, Function, Map, Text, Value, quote};

use super::addresses;

pub(super) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        ("urlParse", Function::new(parse_to_map)),
        ("urlJoin", Function::new(join)),
    ]
}

/// Whether a text is a URL; the error is Go's.
///
/// # Errors
/// `parse "TEXT": ...`, as `net/url` says it.
pub fn check(text: &str) -> Result<(), String> {
    Url::parse(text.as_bytes()).map(|_| ())
}

/// A URL in its parts, unescaped.
#[derive(Debug, Default, Clone)]
struct Url {
    scheme: Vec<u8>,
    opaque: Vec<u8>,
    user: Option<User>,
    host: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    fragment: Vec<u8>,
}

#[derive(Debug, Clone)]
struct User {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

/// What a part of a URL may contain without an escape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    Host,
    Zone,
    User,
    Fragment,
}

fn parse_to_map(text: Text) -> Result<Map, CallError> {
    let url = Url::parse(&text)
        .map_err(|error| CallError::new(format!("unable to parse url: {error}")))?;
    let map = Map::default();
    let user = url.user.as_ref().map(User::escaped).unwrap_or_default();
    let hostname = hostname(&url.host).to_vec();
    let parts = [
        ("scheme", url.scheme),
        ("host", url.host),
        ("hostname", hostname),
        ("path", url.path),
        ("query", url.query),
        ("opaque", url.opaque),
        ("fragment", url.fragment),
        ("userinfo", user),
    ];
    for (name, part) in parts {
        map.insert(name, Text::from(part));
    }
    Ok(map)
}

// sprig: url.go urlJoin
fn join(parts: Map) -> Result<Text, CallError> {
    let part = |name: &str| match parts.get(name.as_bytes()) {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(text.to_vec()),
        Some(Value::Nil) => super::lists::not_nil(&Value::Nil).map(|()| Vec::new()),
        Some(other) => Err(CallError::new(format!(
            "unable to parse {name} key, must be of type string, but {} found",
            other.kind()
        ))),
    };
    let mut url = Url {
        scheme: part("scheme")?,
        host: part("host")?,
        path: part("path")?,
        query: part("query")?,
        opaque: part("opaque")?,
        fragment: part("fragment")?,
        user: None,
    };
    let user = part("userinfo")?;
    if !user.is_empty() {
        let wrapped = [b"proto://", user.as_slice(), b"@host"].concat();
        let parsed = Url::parse(&wrapped).map_err(|error| {
            CallError::new(format!("unable to parse userinfo in dict: {error}"))
        })?;
        url.user = parsed.user;
    }
    Ok(url.written().into())
}

impl Url {
    /// Takes a URL apart; the error names the URL, as Go's does.
    // net/url: url.go Parse
    fn parse(text: &[u8]) -> Result<Self, String> {
        let failed = |text: &[u8], error: String| format!("parse {}: {error}", quoted(text));
        let (before, fragment) = cut(text, b'#');
        let mut url =
            Self::parse_without_fragment(before).map_err(|error| failed(before, error))?;
        url.fragment = unescape(fragment.unwrap_or_default(), Part::Fragment)
            .map_err(|error| failed(text, error))?;
        Ok(url)
    }

    fn parse_without_fragment(text: &[u8]) -> Result<Self, String> {
        if text.iter().any(u8::is_ascii_control) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        if text == b"*" {
            return Ok(Self {
                path: b"*".to_vec(),
                ..Self::default()
            });
        }
        let (scheme, rest) = split_scheme(text)?;
        let mut url = Self {
            scheme: scheme.to_ascii_lowercase(),
            ..Self::default()
        };
        let (mut rest, query) = cut(rest, b'?');
        url.query = query.unwrap_or_default().to_vec();
        if !rest.starts_with(b"/") {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_vec();
                return Ok(url);
            }
            if cut(rest, b'/').0.contains(&b':') {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        let relative_slashes = url.scheme.is_empty() && rest.starts_with(b"///");
        if let Some(behind) = rest.strip_prefix(b"//").filter(|_| !relative_slashes) {
            let end = behind
                .iter()
                .position(|&byte| byte == b'/')
                .unwrap_or(behind.len());
            let (authority, path) = behind.split_at(end);
            (url.user, url.host) = parse_authority(&url.scheme, authority)?;
            rest = path;
        }
        url.path = unescape(rest, Part::Path)?;
        Ok(url)
    }

    // net/url: url.go URL.String
    fn written(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.scheme.is_empty() {
            out.extend_from_slice(&self.scheme);
            out.push(b':');
        }
        if self.opaque.is_empty() {
            self.write_hierarchy(&mut out);
        } else {
            out.extend_from_slice(&self.opaque);
        }
        if !self.query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            out.extend(escape(&self.fragment, Part::Fragment));
        }
        out
    }

    fn write_hierarchy(&self, out: &mut Vec<u8>) {
        if !self.host.is_empty()
            || self.user.is_some()
            || !self.scheme.is_empty() && !self.path.is_empty()
        {
            out.extend_from_slice(b"//");
        }
        if let Some(user) = &self.user {
            out.extend(user.escaped());
            out.push(b'@');
        }
        out.extend(escape(&self.host, Part::Host));
        let path = match self.path.as_slice() {
            b"*" => b"*".to_vec(),
            path => escape(path, Part::Path),
        };
        if !path.is_empty() && !path.starts_with(b"/") && !self.host.is_empty() {
            out.push(b'/');
        }
        // A colon in the first segment would be taken for that behind a scheme.
        if out.is_empty() && cut(&path, b'/').0.contains(&b':') {
            out.extend_from_slice(b"./");
        }
        out.extend(path);
    }
}

impl User {
    fn escaped(&self) -> Vec<u8> {
        let mut out = escape(&self.name, Part::User);
        if let Some(password) = &self.password {
            out.push(b':');
            out.extend(escape(password, Part::User));
        }
        out
    }
}

fn quoted(text: &[u8]) -> String {
    String::from_utf8_lossy(&quote::quote(text)).into_owned()
}

/// What is before and what is behind a mark.
fn cut(text: &[u8], mark: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&byte| byte == mark) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

fn split_scheme(text: &[u8]) -> Result<(&[u8], &[u8]), String> {
    for (index, byte) in text.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if index > 0 => {}
            b':' if index == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((&text[..index], &text[index + 1..])),
            _ => break,
        }
    }
    Ok((b"", text))
}

fn parse_authority(scheme: &[u8], authority: &[u8]) -> Result<(Option<User>, Vec<u8>), String> {
    let Some(at) = authority.iter().rposition(|&byte| byte == b'@') else {
        return Ok((None, parse_host(scheme, authority)?));
    };
    let (user, host) = (&authority[..at], parse_host(scheme, &authority[at + 1..])?);
    let valid = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
    if !user.iter().all(valid) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    let (name, password) = cut(user, b':');
    let name = unescape(name, Part::User)?;
    let password = password
        .map(|password| unescape(password, Part::User))
        .transpose()?;
    Ok((Some(User { name, password }), host))
}

// net/url: url.go parseHost
fn parse_host(scheme: &[u8], host: &[u8]) -> Result<Vec<u8>, String> {
    let invalid_port = |port: &[u8]| format!("invalid port {} after host", quoted(port));
    match host.iter().rposition(|&byte| byte == b'[') {
        Some(0) => return parse_bracketed(host),
        Some(_) => return Err("invalid IP-literal".to_owned()),
        None => {}
    }
    let first = host.iter().position(|&byte| byte == b':');
    let last = host.iter().rposition(|&byte| byte == b':');
    // Lists of hosts are let through but for the web's own schemes.
    let colon = if matches!(scheme, b"http" | b"https") {
        first
    } else {
        last
    };
    if let Some(colon) = colon.filter(|&colon| !is_port(&host[colon..])) {
        return Err(invalid_port(&host[colon..]));
    }
    unescape(host, Part::Host)
}

fn parse_bracketed(host: &[u8]) -> Result<Vec<u8>, String> {
    let Some(end) = host.iter().rposition(|&byte| byte == b']') else {
        return Err("missing ']' in host".to_owned());
    };
    let (address, port) = (&host[1..end], &host[end + 1..]);
    if !is_port(port) {
        return Err(format!("invalid port {} after host", quoted(port)));
    }
    let address = match bstr::ByteSlice::find(address, b"%25") {
        Some(zone) => [
            unescape(&address[..zone], Part::Host)?,
            unescape(&address[zone..], Part::Zone)?,
        ]
        .concat(),
        None => unescape(address, Part::Host)?,
    };
    match addresses::parse(&address) {
        Ok((IpAddr::V6(_), _)) => Ok([b"[", address.as_slice(), b"]", port].concat()),
        Ok((IpAddr::V4(_), _)) => Err("invalid IP-literal".to_owned()),
        Err(error) => Err(format!("invalid host: {error}")),
    }
}

/// Nothing, or a colon and digits.
fn is_port(text: &[u8]) -> bool {
    text.is_empty()
        || text
            .strip_prefix(b":")
            .is_some_and(|port| port.iter().all(u8::is_ascii_digit))
}

fn hostname(host: &[u8]) -> &[u8] {
    let host = match host.iter().rposition(|&byte| byte == b':') {
        Some(colon) if is_port(&host[colon..]) => &host[..colon],
        _ => host,
    };
    host.strip_prefix(b"[")
        .and_then(|inner| inner.strip_suffix(b"]"))
        .unwrap_or(host)
}

// net/url: url.go unescape
fn unescape(text: &[u8], part: Part) -> Result<Vec<u8>, String> {
    let invalid = |escape: &[u8]| Err(format!("invalid URL escape {}", quoted(escape)));
    let in_host = matches!(part, Part::Host | Part::Zone);
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if byte != b'%' {
            if in_host && byte.is_ascii() && must_escape(byte, part) {
                return Err(format!(
                    "invalid character {} in host name",
                    quoted(&[byte])
                ));
            }
            out.push(byte);
            at += 1;
            continue;
        }
        let digit = |offset: usize| {
            text.get(at + offset)
                .and_then(|&byte| char::from(byte).to_digit(16))
        };
        let (Some(high), Some(low)) = (digit(1), digit(2)) else {
            return invalid(&text[at..text.len().min(at + 3)]);
        };
        let (escape, value) = (&text[at..at + 3], (high << 4 | low) as u8);
        let allowed = match part {
            Part::Host => high >= 8 || escape == b"%25",
            Part::Zone => escape == b"%25" || value == b' ' || !must_escape(value, Part::Host),
            Part::Path | Part::User | Part::Fragment => true,
        };
        if !allowed {
            return invalid(escape);
        }
        out.push(value);
        at += 3;
    }
    Ok(out)
}

fn escape(text: &[u8], part: Part) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        match must_escape(byte, part) {
            true => out.extend_from_slice(&[
                b'%',
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ]),
            false => out.push(byte),
        }
    }
    out
}

// net/url: gen_encoding_table.go shouldEscape
fn must_escape(byte: u8, part: Part) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return false;
    }
    match part {
        Part::Host | Part::Zone => !b"!$&'()*+,;=:[]<>\"".contains(&byte),
        Part::Path => !b"$&+,/:;=@".contains(&byte),
        Part::User => !b"$&+,;=".contains(&byte),
        Part::Fragment => !b"$&+,/:;=?@!()*".contains(&byte),
    }
}
