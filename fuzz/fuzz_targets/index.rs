//! A repository's index: whoever reads the whole of it finds what the excerpt of it has.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pintle::source::index::{self, Entry};
use pintle::source::search::Search;
use pintle::source::{Digest, Missing};
use pintle::yaml;
use serde_json::Value;

const NAMES: [&str; 3] = ["shop", "cart", "a-b.c"];
const VERSIONS: [&str; 3] = ["1.0.0", "v2.0.0", "0.1"];

fuzz_target!(|text: &[u8]| {
    let whole = yaml::from_slice(text);
    for name in NAMES {
        for version in VERSIONS {
            let found = index::find(text, name, version);
            if let Ok(entry) = &found {
                assert!(!entry.urls.is_empty());
            }
            let streamed = streamed(text, name, version);
            let Ok(whole) = &whole else { continue };
            match wanted(whole, name, version) {
                Some(Ok(entry)) => assert_eq!(found.as_ref(), Ok(&entry), "{name} {version}"),
                Some(Err(missing)) => {
                    assert_eq!(
                        found,
                        Err(index::Failure::Missing(missing)),
                        "{name} {version}"
                    );
                }
                None => {}
            }
            // What is read as it comes may be refused, but says nothing else.
            if !matches!(streamed, Err(index::Failure::Malformed(_))) {
                assert_eq!(found, streamed, "{name} {version}");
            }
        }
    }
});

fn streamed(text: &[u8], name: &str, version: &str) -> Result<Entry, index::Failure> {
    let mut search = Search::holding(0, name, version);
    for chunk in text.chunks(5) {
        search.push(chunk)?;
    }
    search.end()
}

/// What is found by reading all; nothing where the index, or the entry, is not as it should be.
fn wanted(whole: &Value, name: &str, version: &str) -> Option<Result<Entry, Missing>> {
    whole["apiVersion"]
        .as_str()
        .filter(|text| !text.is_empty())?;
    let versions = match &whole["entries"] {
        Value::Object(entries) => match entries.get(name) {
            None | Some(Value::Null) => return Some(Err(Missing::Chart)),
            Some(versions) => versions.as_array()?,
        },
        Value::Null => return Some(Err(Missing::Chart)),
        _ => return None,
    };
    let text = |entry: &Value| match &entry["version"] {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let of = |wanted: &str| {
        versions
            .iter()
            .find(|entry| text(entry).as_deref() == Some(wanted))
    };
    let other = match version.strip_prefix('v') {
        Some(rest) => rest.to_owned(),
        None => format!("v{version}"),
    };
    let Some(entry) = of(version).or_else(|| of(&other)) else {
        return Some(Err(Missing::Version));
    };
    let urls: Option<Vec<String>> = entry["urls"]
        .as_array()?
        .iter()
        .map(|url| url.as_str().map(str::to_owned))
        .collect();
    let digest = match &entry["digest"] {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => {
            let digits = text.strip_prefix("sha256:").unwrap_or(text);
            Some(
                format!("sha256:{}", digits.to_ascii_lowercase())
                    .parse::<Digest>()
                    .ok()?,
            )
        }
        _ => return None,
    };
    let urls = urls.filter(|urls| !urls.is_empty())?;
    Some(Ok(Entry { urls, digest }))
}
