//! URLs, read and put together as Go's net/url does it.

use crate::chart::quote::quote;

use super::address::{bad_escape, percent_decode, percent_encode};
use super::ip;

/// A URL's parts, each as it was written.
#[derive(Clone, Debug, Default)]
pub(super) struct Url {
    pub(super) scheme: String,
    /// What follows the scheme where it begins with no slash.
    pub(super) opaque: String,
    pub(super) authority: Option<String>,
    pub(super) path: String,
    query: Option<String>,
}

impl Url {
    /// Reads a URL without fragment.
    ///
    /// # Errors
    /// Go's sentence.
    // go: net/url Parse
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = |reason: &str| format!("parse {}: {reason}", quote(text));
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return Err(wrong("net/url: invalid control character in URL"));
        }
        let (scheme, rest) = split_scheme(text).map_err(wrong)?;
        let (rest, query) = rest
            .split_once('?')
            .map_or((rest, None), |(rest, query)| (rest, Some(query.to_owned())));
        let mut url = Self {
            scheme: scheme.to_ascii_lowercase(),
            query,
            ..Self::default()
        };
        if !rest.starts_with('/') {
            if !scheme.is_empty() {
                rest.clone_into(&mut url.opaque);
                return Ok(url);
            }
            if rest
                .split('/')
                .next()
                .is_some_and(|segment| segment.contains(':'))
            {
                return Err(wrong("first path segment in URL cannot contain colon"));
            }
        }
        let path = match rest
            .strip_prefix("//")
            .filter(|_| !scheme.is_empty() || !rest.starts_with("///"))
        {
            Some(after) => {
                let end = after.find('/').unwrap_or(after.len());
                check_authority(&url.scheme, &after[..end]).map_err(|reason| wrong(&reason))?;
                url.authority = Some(after[..end].to_owned());
                &after[end..]
            }
            None => rest,
        };
        if percent_decode(path).is_none() {
            return Err(wrong(&format!(
                "invalid URL escape {}",
                quote(bad_escape(path))
            )));
        }
        path.clone_into(&mut url.path);
        Ok(url)
    }

    pub(super) fn is_absolute(&self) -> bool {
        !self.scheme.is_empty()
    }

    /// The host without port, user and brackets.
    // go: net/url URL.Hostname
    pub(super) fn host_name(&self) -> &str {
        let authority = self.authority.as_deref().unwrap_or("");
        let host = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        if let Some(inner) = host.strip_prefix('[') {
            return inner.split_once(']').map_or(inner, |(inner, _)| inner);
        }
        match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        }
    }

    /// What a reference means in a document that is here.
    // go: net/url ResolveReference
    pub(super) fn resolve(&self, reference: &Self) -> Self {
        let mut url = reference.clone();
        if reference.scheme.is_empty() {
            url.scheme.clone_from(&self.scheme);
        }
        if !reference.scheme.is_empty() || reference.authority.is_some() {
            url.path = clean_path(&reference.path, "");
            return url;
        }
        if !reference.opaque.is_empty() {
            url.authority = None;
            url.path.clear();
            return url;
        }
        if reference.path.is_empty() && reference.query.is_none() {
            url.query.clone_from(&self.query);
        }
        if reference.path.is_empty() && !self.opaque.is_empty() {
            url.opaque.clone_from(&self.opaque);
            return url;
        }
        // a reference below a name that is no path stays at that name
        url.opaque.clone_from(&self.opaque);
        url.authority.clone_from(&self.authority);
        url.path = clean_path(&self.path, &reference.path);
        url
    }
}

impl std::fmt::Display for Url {
    // go: net/url URL.String
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.scheme.is_empty() {
            write!(f, "{}:", self.scheme)?;
        }
        if self.opaque.is_empty() {
            if let Some(authority) = &self.authority {
                write!(f, "//{authority}")?;
            }
            let plain =
                |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@!'()*%[]".contains(&byte);
            f.write_str(&percent_encode(&self.path, plain))?;
        } else {
            f.write_str(&self.opaque)?;
        }
        match &self.query {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
    }
}

// go: net/url getScheme
fn split_scheme(text: &str) -> Result<(&str, &str), &'static str> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err("missing protocol scheme"),
            b':' => return Ok((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Ok(("", text))
}

// go: net/url parseAuthority and parseHost
fn check_authority(scheme: &str, authority: &str) -> Result<(), String> {
    let (user, host) = authority
        .rsplit_once('@')
        .map_or((None, authority), |(user, host)| (Some(user), host));
    check_host(scheme, host)?;
    let legal = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
    match user {
        Some(user) if !user.chars().all(legal) => Err("net/url: invalid userinfo".to_owned()),
        Some(user) => check_escapes(user, |_| true),
        None => Ok(()),
    }
}

fn check_host(scheme: &str, host: &str) -> Result<(), String> {
    if let Some(inner) = host.strip_prefix('[').filter(|inner| !inner.contains('[')) {
        let (address, port) = inner.rsplit_once(']').ok_or("missing ']' in host")?;
        check_port(port)?;
        check_escapes(address, legal_in_host)?;
        let address = percent_decode(address).unwrap_or_default();
        ip::check(&address).map_err(|error| format!("invalid host: {error}"))?;
        return if address.contains(':') {
            Ok(())
        } else {
            Err("invalid IP-literal".to_owned())
        };
    }
    if host.contains('[') {
        return Err("invalid IP-literal".to_owned());
    }
    // go: others than these may list several hosts
    let strict = matches!(scheme, "http" | "https");
    if let Some(colon) = if strict {
        host.find(':')
    } else {
        host.rfind(':')
    } {
        check_port(&host[colon..])?;
    }
    check_escapes(host, legal_in_host)
}

fn check_port(port: &str) -> Result<(), String> {
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    if port.is_empty() || port.strip_prefix(':').is_some_and(digits) {
        return Ok(());
    }
    Err(format!("invalid port {} after host", quote(port)))
}

fn legal_in_host(c: char) -> bool {
    !c.is_ascii() || c.is_ascii_alphanumeric() || "-_.~!$&'()*+,;=:[]<>\"".contains(c)
}

// go: net/url unescape
fn check_escapes(text: &str, legal: fn(char) -> bool) -> Result<(), String> {
    for (at, c) in text.char_indices() {
        if c == '%' {
            let rest = &text[at..];
            let bad = bad_escape(rest);
            if !bad.is_empty() && rest.starts_with(bad) {
                return Err(format!("invalid URL escape {}", quote(bad)));
            }
            // a host may escape only what is not ASCII
            if !legal(' ') && !rest.starts_with("%25") && rest.as_bytes()[1] < b'8' {
                return Err(format!("invalid URL escape {}", quote(&rest[..3])));
            }
        } else if !legal(c) {
            return Err(format!(
                "invalid character {} in host name",
                quote(&c.to_string())
            ));
        }
    }
    Ok(())
}

/// A path seen from another, without dots.
// go: net/url resolvePath
fn clean_path(base: &str, reference: &str) -> String {
    let full = match reference {
        "" => base.to_owned(),
        absolute if absolute.starts_with('/') => absolute.to_owned(),
        relative => format!(
            "{}{relative}",
            &base[..base.rfind('/').map_or(0, |slash| slash + 1)]
        ),
    };
    if full.is_empty() {
        return full;
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut last = "";
    for element in full.trim_start_matches('/').split('/') {
        last = element;
        match element {
            "." => {}
            ".." => {
                kept.pop();
            }
            element => kept.push(element),
        }
    }
    if matches!(last, "." | "..") {
        kept.push("");
    }
    format!("/{}", kept.join("/").trim_start_matches('/'))
}
