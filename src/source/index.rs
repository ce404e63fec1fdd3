//! index.yaml of a Helm repository: which URLs and digest a chart's exact version has.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use url::Url;

use super::digest::Digest;
use super::error::Missing;
use super::excerpt::excerpt;

/// One version of one chart. At least one URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where the archive is, in the order of the index; relative to it or not.
    pub urls: Vec<String>,
    /// What the index says the archive's digest is.
    pub digest: Option<Digest>,
}

/// Why an index has no usable entry.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// It does not have what was asked for.
    Missing(Missing),
    /// It is no index, or the entry is none; in words that name the entry.
    Malformed(String),
}

/// What is kept of an index: nothing about any other chart.
#[derive(Default)]
struct Selected {
    api_version: Value,
    versions: Option<Value>,
}

/// Finds the entry of a chart's version; a version that differs by a leading `v` alone is the same,
/// and one that is equal to the letter goes before it.
///
/// # Errors
/// [`Failure`] where there is none that can be used.
pub fn find(index: &[u8], name: &str, version: &str) -> Result<Entry, Failure> {
    pick(select(index, name)?, name, version)
}

/// The same, though the index may be JSON: as YAML, which most of JSON is, too.
pub(super) fn find_in_yaml(index: &[u8], name: &str, version: &str) -> Result<Entry, Failure> {
    pick(select_from_yaml(index, name)?, name, version)
}

fn pick(selected: Selected, name: &str, version: &str) -> Result<Entry, Failure> {
    // helm: pkg/repo/v1/index.go loadIndex: ErrNoAPIVersion.
    if selected.api_version.as_str().is_none_or(str::is_empty) {
        return Err(Failure::Malformed("it has no apiVersion".to_owned()));
    }
    let versions = match selected.versions {
        None | Some(Value::Null) => return Err(Failure::Missing(Missing::Chart)),
        Some(Value::Array(versions)) => versions,
        Some(_) => {
            return Err(Failure::Malformed(format!(
                "its entry {name} is not a list"
            )));
        }
    };
    let other = version
        .strip_prefix('v')
        .map_or_else(|| format!("v{version}"), str::to_owned);
    let of = |wanted: &str| versions.iter().find(|entry| is_version(entry, wanted));
    let entry = of(version)
        .or_else(|| of(&other))
        .ok_or(Failure::Missing(Missing::Version))?;
    read(entry).map_err(|reason| Failure::Malformed(format!("its entry {name} {version} {reason}")))
}

/// helm: pkg/repo/v1/index.go jsonOrYamlUnmarshal. Other entries are not held: JSON is read past
/// them, and from YAML the one entry is cut out where its form allows it.
fn select(index: &[u8], name: &str) -> Result<Selected, Failure> {
    if index.trim_ascii_start().starts_with(b"{") {
        let mut json = serde_json::Deserializer::from_slice(index);
        if let Ok(selected) = (Root { name }).deserialize(&mut json)
            && json.end().is_ok()
        {
            return Ok(selected);
        }
    }
    select_from_yaml(index, name)
}

fn select_from_yaml(index: &[u8], name: &str) -> Result<Selected, Failure> {
    let malformed = |error: crate::yaml::Error| Failure::Malformed(error.to_string());
    let excerpt = excerpt(index, name);
    let index = excerpt.as_deref().unwrap_or(index);
    let Value::Object(mut root) = crate::yaml::from_slice(index).map_err(malformed)? else {
        return Err(Failure::Malformed("it is not a mapping".to_owned()));
    };
    let versions = match root.remove("entries") {
        None | Some(Value::Null) => None,
        Some(Value::Object(mut entries)) => entries.remove(name),
        Some(_) => {
            return Err(Failure::Malformed(
                "its entries are not a mapping".to_owned(),
            ));
        }
    };
    Ok(Selected {
        api_version: root.remove("apiVersion").unwrap_or_default(),
        versions,
    })
}

/// sigs.k8s.io/yaml: a number becomes the text of the string field that it is read into.
fn is_version(entry: &Value, wanted: &str) -> bool {
    match &entry["version"] {
        Value::String(version) => version == wanted,
        Value::Number(version) => version.to_string() == wanted,
        _ => false,
    }
}

fn read(entry: &Value) -> Result<Entry, &'static str> {
    let urls = match &entry["urls"] {
        Value::Array(urls) => urls
            .iter()
            .map(|url| url.as_str().map(str::to_owned))
            .collect(),
        Value::Null => Some(Vec::new()),
        _ => None,
    };
    let urls: Vec<String> = urls.ok_or("has urls that are not a list of texts")?;
    if urls.is_empty() {
        return Err("has no urls");
    }
    let digest = match &entry["digest"] {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        // helm: pkg/downloader/chart_downloader.go stripDigestAlgorithm: with and without prefix.
        Value::String(text) => {
            let hex = text
                .strip_prefix("sha256:")
                .unwrap_or(text)
                .to_ascii_lowercase();
            Some(Digest::from_hex(&hex).ok_or("has a digest that is not sha256")?)
        }
        _ => return Err("has a digest that is not a text"),
    };
    Ok(Entry { urls, digest })
}

/// helm: pkg/repo/v1/chartrepo.go ResolveReferenceURL: relative to the repository, whose query (a
/// signature, say) goes along. None if it is no URL.
pub(super) fn resolve(repository: &Url, reference: &str) -> Option<Url> {
    match Url::parse(reference) {
        Ok(url) => Some(url),
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            let mut url = folder(repository).join(reference).ok()?;
            if repository.query().is_some() {
                url.set_query(repository.query());
            }
            Some(url)
        }
        Err(_) => None,
    }
}

/// The repository's URL with a slash at its end, so that names resolve below it.
fn folder(repository: &Url) -> Url {
    let mut url = repository.clone();
    url.set_path(&format!("{}/", repository.path().trim_end_matches('/')));
    url
}

/// The root of a JSON index, of which one entry is wanted.
struct Root<'a> {
    name: &'a str,
}

/// Its `entries`.
struct Entries<'a> {
    name: &'a str,
}

impl<'de> DeserializeSeed<'de> for Root<'_> {
    type Value = Selected;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Selected, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Root<'_> {
    type Value = Selected;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an index")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Selected, A::Error> {
        let mut selected = Selected::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "apiVersion" => selected.api_version = map.next_value()?,
                "entries" => {
                    selected.versions = map.next_value_seed(Entries { name: self.name })?
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(selected)
    }
}

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Value>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping of entries")
    }

    fn visit_unit<E>(self) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Value>, A::Error> {
        let mut versions = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == self.name {
                versions = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(versions)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn yaml(entries: &str) -> String {
        format!("apiVersion: v1\nentries:\n{entries}generated: now\n")
    }

    fn urls(index: &str, version: &str) -> Result<Vec<String>, Failure> {
        find(index.as_bytes(), "shop", version).map(|entry| entry.urls)
    }

    #[test]
    fn the_exact_version_goes_before_the_one_with_a_v() {
        let index = yaml(
            "  cart:\n  - {version: 1.0.0, urls: [cart]}\n  shop:\n  - null\n  - {version: v1.0.0, urls: [a]}\n  - {version: 1.0.0, urls: [b, c]}\n  - {version: v2.0.0, urls: [d]}\n  - {version: 1.10, urls: [e]}\n",
        );
        assert_eq!(urls(&index, "1.0.0").unwrap(), ["b", "c"]);
        assert_eq!(urls(&index, "v1.0.0").unwrap(), ["a"]);
        assert_eq!(urls(&index, "2.0.0").unwrap(), ["d"]);
        assert_eq!(urls(&index, "1.1").unwrap(), ["e"]);
        assert_eq!(urls(&index, "1.0"), Err(Failure::Missing(Missing::Version)));
        let absent = find(index.as_bytes(), "till", "1.0.0");
        assert_eq!(absent, Err(Failure::Missing(Missing::Chart)));
    }

    #[test]
    fn json_reads_like_yaml() {
        let json = r#" {"generated": "now", "apiVersion": "v1", "entries": {"cart": [{"deep": [[]]}],
            "shop": [{"version": "1.0.0", "urls": ["a"], "digest": null}]}} "#;
        assert_eq!(urls(json, "1.0.0").unwrap(), ["a"]);
        assert_eq!(
            urls(r#"{"apiVersion": "v1", "entries": null}"#, "1"),
            Err(Failure::Missing(Missing::Chart))
        );
        // A flow mapping is YAML, not JSON.
        assert_eq!(
            urls(
                "{apiVersion: v1, entries: {shop: [{version: 1.0.0, urls: [a]}]}}",
                "1.0.0"
            )
            .unwrap(),
            ["a"]
        );
    }

    #[test]
    fn digests_come_with_and_without_prefix() {
        for text in [HEX.to_owned(), format!("sha256:{HEX}"), HEX.to_uppercase()] {
            let index = yaml(&format!(
                "  shop:\n  - {{version: 1.0.0, urls: [a], digest: '{text}'}}\n"
            ));
            let entry = find(index.as_bytes(), "shop", "1.0.0").unwrap();
            assert_eq!(entry.digest, Some(Digest::of(b"")), "{text}");
        }
    }

    #[test]
    fn refuses_what_cannot_be_used() {
        let entry = |entry: &str| yaml(&format!("  shop:\n  - {entry}\n"));
        for index in [
            String::new(),
            "null".to_owned(),
            "[]".to_owned(),
            "\"text\"".to_owned(),
            "{".to_owned(),
            "entries: {shop: [{version: 1.0.0, urls: [a]}]}".to_owned(),
            "{\"entries\": {\"shop\": [{\"version\": \"1.0.0\", \"urls\": [\"a\"]}]}}".to_owned(),
            "apiVersion: v1\nentries: []\n".to_owned(),
            "{\"apiVersion\": \"v1\", \"entries\": []}".to_owned(),
            yaml("  shop: {version: 1.0.0}\n"),
            entry("{version: 1.0.0}"),
            entry("{version: 1.0.0, urls: []}"),
            entry("{version: 1.0.0, urls: [1]}"),
            entry("{version: 1.0.0, urls: a}"),
            entry("{version: 1.0.0, urls: [a], digest: abc}"),
            entry("{version: 1.0.0, urls: [a], digest: 5}"),
        ] {
            assert!(
                matches!(urls(&index, "1.0.0"), Err(Failure::Malformed(_))),
                "{index:?}"
            );
        }
    }

    #[test]
    fn urls_resolve_below_the_repository() {
        let base = |text: &str| Url::parse(text).unwrap();
        for (repository, reference, expected) in [
            (
                "https://c.example.com/x",
                "shop.tgz",
                "https://c.example.com/x/shop.tgz",
            ),
            (
                "https://c.example.com/x/",
                "a/shop.tgz",
                "https://c.example.com/x/a/shop.tgz",
            ),
            (
                "https://c.example.com",
                "shop.tgz",
                "https://c.example.com/shop.tgz",
            ),
            (
                "https://c.example.com/x",
                "/shop.tgz",
                "https://c.example.com/shop.tgz",
            ),
            (
                "https://c.example.com/x",
                "https://d.example.com/y.tgz",
                "https://d.example.com/y.tgz",
            ),
            (
                "https://c.example.com/x?sig=1",
                "shop.tgz",
                "https://c.example.com/x/shop.tgz?sig=1",
            ),
            (
                "https://c.example.com/x",
                "shop.tgz?sig=2",
                "https://c.example.com/x/shop.tgz?sig=2",
            ),
        ] {
            assert_eq!(
                resolve(&base(repository), reference).unwrap().as_str(),
                expected
            );
        }
        assert_eq!(resolve(&base("https://c.example.com"), "https://["), None);
    }
}
