//! URLs as Go's net/url keeps and prints them: what was written stays as it was written.

use std::fmt;

/// A URL in its parts, escaped as they came.
// go: net/url URL
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// In lower case; may be empty.
    pub(super) scheme: String,
    /// User and host, where two slashes announce them.
    authority: Option<String>,
    /// The path, or what follows the scheme's colon if no slash does.
    path: String,
    query: Option<String>,
    fragment: Option<String>,
}

impl Url {
    /// The error is Go's.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        pintle::sprig::urls::check(text)?;
        let (rest, fragment) = cut(text, '#');
        let (scheme, rest) = match rest.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_lowercase(), rest),
            _ => (String::new(), rest),
        };
        let (rest, query) = cut(rest, '?');
        let (authority, path) = match rest.strip_prefix("//") {
            Some(behind) if !scheme.is_empty() || !rest.starts_with("///") => {
                let end = behind.find('/').unwrap_or(behind.len());
                (Some(behind[..end].to_owned()), &behind[end..])
            }
            _ => (None, rest),
        };
        Ok(Self {
            scheme,
            authority,
            path: path.to_owned(),
            query: query.map(str::to_owned),
            fragment: fragment.map(str::to_owned),
        })
    }

    /// Host and port.
    pub(super) fn host(&self) -> &str {
        let authority = self.authority.as_deref().unwrap_or_default();
        authority.rsplit('@').next().unwrap_or_default()
    }

    /// The path without escapes.
    pub(super) fn path(&self) -> String {
        if self.is_opaque() {
            return String::new();
        }
        let bytes = self.path.as_bytes();
        let (mut plain, mut at) = (Vec::with_capacity(bytes.len()), 0);
        while let Some(&byte) = bytes.get(at) {
            let pair = self.path.get(at + 1..at + 3);
            match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
                Some(escaped) if byte == b'%' => {
                    plain.push(escaped);
                    at += 3;
                }
                _ => {
                    plain.push(byte);
                    at += 1;
                }
            }
        }
        String::from_utf8_lossy(&plain).into_owned()
    }

    fn is_opaque(&self) -> bool {
        !self.scheme.is_empty() && self.authority.is_none() && !self.path.starts_with('/')
    }

    /// The same place with another path.
    pub(super) fn with_path(&self, path: String) -> Self {
        Self {
            path,
            ..self.clone()
        }
    }

    /// Scheme, host and port (with its default) are equal.
    // helm: pkg/action/install.go urlEqual
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        let place = |url: &Self| {
            let host = url.host().to_owned();
            let (name, port) = match host.rsplit_once(':') {
                Some((name, port)) if !port.contains(']') => (name.to_owned(), port.to_owned()),
                _ => (host, String::new()),
            };
            let port = match (url.scheme.as_str(), port.as_str()) {
                ("http", "") => "80".to_owned(),
                ("https", "") => "443".to_owned(),
                (_, port) => port.to_owned(),
            };
            (url.scheme.clone(), name, port)
        };
        place(self) == place(other)
    }

    /// Whether both name the same file, whatever dots and slashes are in their paths.
    // helm: internal/urlutil/urlutil.go Equal
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let cleaned = |url: &Self| url.with_path(clean_path(&url.path)).to_string();
        cleaned(self) == cleaned(other)
    }
}

/// The URL of an entry in a repository's index: relative to the repository, whose query goes along.
// helm: pkg/repo/v1/chartrepo.go ResolveReferenceURL
pub(super) fn resolve(base: &str, reference: &str) -> Result<String, String> {
    let failed = |url: &str, error: String| format!("failed to parse {url} as URL: {error}");
    let parsed = Url::parse(reference).map_err(|error| failed(reference, error))?;
    if !parsed.scheme.is_empty() {
        return Ok(reference.to_owned());
    }
    let base = Url::parse(base).map_err(|error| failed(base, error))?;
    let folder = base.path.strip_suffix('/').unwrap_or(&base.path);
    let path = if parsed.authority.is_some() || parsed.path.starts_with('/') {
        parsed.path.clone()
    } else {
        format!("{folder}/{}", parsed.path)
    };
    let resolved = Url {
        scheme: base.scheme.clone(),
        authority: parsed.authority.or(base.authority),
        path: remove_dots(&path),
        query: base.query.filter(|query| !query.is_empty()),
        fragment: parsed.fragment,
    };
    Ok(resolved.to_string())
}

// go: net/url resolvePath
fn remove_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    for (index, segment) in segments.iter().enumerate() {
        let last = index + 1 == segments.len();
        match *segment {
            "." if last => kept.push(""),
            "." => {}
            ".." => {
                kept.pop();
                if last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

// go: path/filepath Clean
fn clean_path(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

fn cut(text: &str, mark: char) -> (&str, Option<&str>) {
    match text.split_once(mark) {
        Some((before, behind)) => (before, Some(behind)),
        None => (text, None),
    }
}

// go: net/url URL.String
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.scheme.is_empty() {
            write!(f, "{}:", self.scheme)?;
        }
        let authority = self.authority.as_deref().unwrap_or_default();
        let slashes = !authority.is_empty() || self.authority.is_some() && !self.path.is_empty();
        if slashes {
            write!(f, "//{authority}")?;
        }
        if !authority.is_empty() && !self.path.is_empty() && !self.path.starts_with('/') {
            f.write_str("/")?;
        }
        write_escaped(f, &self.path)?;
        if let Some(query) = &self.query {
            write!(f, "?{query}")?;
        }
        match self.fragment.as_deref() {
            None | Some("") => Ok(()),
            Some(fragment) => write!(f, "#{fragment}"),
        }
    }
}

/// What cannot stand in a path as it is, is escaped; what is escaped already stays.
// go: net/url EscapedPath
fn write_escaped(f: &mut fmt::Formatter<'_>, path: &str) -> fmt::Result {
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@!'()*[]%".contains(&byte) {
            write!(f, "{}", char::from(byte))?;
        } else {
            write!(f, "%{byte:02X}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn urls_come_back_as_they_were() {
        for text in [
            "http://h:80/a%20b/c.tgz?x=1#y",
            "https://user:pass@H/",
            "oci://h/a:1",
            "repo/chart",
            "/a/b",
            "http:opaque",
        ] {
            assert_eq!(Url::parse(text).unwrap().to_string(), text);
        }
        for (text, shown) in [
            ("http://", "http:"),
            ("a b/c", "a%20b/c"),
            ("oci://", "oci:"),
        ] {
            assert_eq!(Url::parse(text).unwrap().to_string(), shown);
        }
        assert_eq!(Url::parse("http://u@h:1/a%20b").unwrap().host(), "h:1");
        assert_eq!(Url::parse("http://u@h:1/a%20b").unwrap().path(), "/a b");
    }
}
