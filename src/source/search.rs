//! Finds one entry in an index.yaml while it comes, without holding the rest of it.
//!
//! A small index is read whole, in whatever form of YAML it is written. A large one is read line by
//! line (YAML as programs write it) or byte by byte (JSON), and refused where it is written
//! otherwise: as values, it would take many times its size.

use super::excerpt::Cutter;
use super::index::{self, Entry, Failure};
use super::index_json::JsonCutter;

/// Bytes up to which an index is read whole.
const WHOLE: usize = 1 << 20;
/// Bytes of the one entry, all its versions together.
const ENTRY: usize = 4 << 20;
/// Bytes of a line.
const LINE: usize = 1 << 20;

/// A search under way.
pub struct Search {
    name: String,
    version: String,
    form: Form,
    /// Bytes up to which the index is read whole.
    whole: usize,
    /// Bytes so far.
    read: u64,
}

enum Form {
    Whole(Vec<u8>),
    Lines { cutter: Cutter, line: Vec<u8> },
    Json(JsonCutter),
}

impl Search {
    /// A search for a chart's version.
    pub fn new(name: &str, version: &str) -> Self {
        Self::holding(WHOLE, name, version)
    }

    /// A search that reads an index whole up to so many bytes.
    pub fn holding(whole: usize, name: &str, version: &str) -> Self {
        Self {
            whole,
            name: name.to_owned(),
            version: version.to_owned(),
            form: Form::Whole(Vec::new()),
            read: 0,
        }
    }

    /// The next bytes of the index.
    ///
    /// # Errors
    /// [`Failure::Malformed`] where the index cannot be read further.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.read += bytes.len() as u64;
        match &mut self.form {
            Form::Whole(whole) => {
                whole.extend_from_slice(bytes);
                if whole.len() > self.whole {
                    let whole = std::mem::take(whole);
                    self.form = Form::of(&whole, &self.name);
                    return self.feed(&whole);
                }
                Ok(())
            }
            Form::Lines { .. } | Form::Json(_) => self.feed(bytes),
        }
    }

    fn feed(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let (read, held) = match &mut self.form {
            Form::Whole(whole) => (Some(()), whole.len()),
            Form::Lines { cutter, line } => {
                let read = lines(cutter, line, bytes);
                if line.len() > LINE {
                    return Err(malformed(format!(
                        "it has a line of more than {LINE} bytes"
                    )));
                }
                (read, cutter.held())
            }
            Form::Json(cutter) => (cutter.push(bytes), cutter.held()),
        };
        if held > ENTRY {
            return Err(malformed(format!(
                "its entry {} is larger than {ENTRY} bytes",
                self.name
            )));
        }
        read.ok_or_else(|| self.odd())
    }

    /// What was found, once all has come.
    ///
    /// # Errors
    /// [`Failure`] where there is no entry that can be used.
    pub fn end(mut self) -> Result<Entry, Failure> {
        let odd = self.odd();
        let is_json = matches!(self.form, Form::Json(_));
        let cut = match &mut self.form {
            Form::Whole(whole) => Some(std::mem::take(whole)),
            Form::Lines { cutter, line } => {
                let last = std::mem::take(line);
                // A carriage return alone is another kind of line break.
                let cutter = std::mem::replace(cutter, Cutter::new(""));
                (!last.ends_with(b"\r"))
                    .then_some(cutter)
                    .and_then(|mut cutter| cutter.checked_line(&last).map(|()| cutter))
                    .and_then(Cutter::end)
            }
            Form::Json(cutter) => std::mem::replace(cutter, JsonCutter::new("")).end(),
        };
        let Some(cut) = cut else { return Err(odd) };
        let found = index::find(&cut, &self.name, &self.version);
        // Where something that was passed over is no JSON, the whole is YAML.
        if is_json && found != index::find_in_yaml(&cut, &self.name, &self.version) {
            return Err(odd);
        }
        found
    }

    fn odd(&self) -> Failure {
        let form = match &self.form {
            Form::Json(_) => "no JSON with charts under `entries`",
            Form::Whole(_) | Form::Lines { .. } => "not written as `helm repo index` writes it",
        };
        malformed(format!(
            "it is larger than {} bytes, and {form} (within its first {} bytes)",
            self.whole, self.read
        ))
    }
}

impl Form {
    fn of(begin: &[u8], name: &str) -> Self {
        // helm: pkg/repo/v1/index.go jsonOrYamlUnmarshal
        match begin.trim_ascii_start().first() {
            Some(b'{') => Self::Json(JsonCutter::new(name)),
            _ => Self::Lines {
                cutter: Cutter::new(name),
                line: Vec::new(),
            },
        }
    }
}

/// Hands whole lines to the cutter, and leaves the begun one in `line`.
fn lines(cutter: &mut Cutter, line: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(b'\n', rest) {
        let (end, after) = (rest.get(..at)?, rest.get(at + 1..)?);
        if line.is_empty() {
            cutter.checked_line(end)?;
        } else {
            line.extend_from_slice(end);
            cutter.checked_line(line)?;
            line.clear();
        }
        rest = after;
    }
    line.extend_from_slice(rest);
    Some(())
}

fn malformed(reason: String) -> Failure {
    Failure::Malformed(reason)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;
    use crate::source::Missing;

    fn search(index: &[u8], version: &str, step: usize) -> Result<Entry, Failure> {
        let mut search = Search::new("shop", version);
        for chunk in index.chunks(step) {
            search.push(chunk)?;
        }
        search.end()
    }

    /// A large index around the entry of `shop`.
    fn large(shop: &str) -> String {
        let mut index = "apiVersion: v1\nentries:\n".to_owned();
        for number in 0..20_000 {
            write!(
                index,
                "  chart-{number}:\n  - description: 'a chart that\n      shop: is not'\n    urls:\n    - {number}.tgz\n    version: 1.0.0\n"
            )
            .unwrap();
            if number == 10_000 {
                index += shop;
            }
        }
        index
    }

    #[test]
    fn a_large_index_is_read_as_it_comes() {
        let entry = "  shop:\n  - urls: []\n    version: 0.1.0\n  - urls:\n    - shop.tgz\n    version: 1.0.0\n";
        let index = large(entry);
        assert!(index.len() > 2 * WHOLE);
        for (index, step) in [
            (index.clone(), 4096),
            (index.clone(), 7),
            (index.replace('\n', "\r\n"), 1000),
            (index.trim_end().to_owned(), usize::MAX),
        ] {
            let found = search(index.as_bytes(), "1.0.0", step).unwrap();
            assert_eq!(found.urls, ["shop.tgz"]);
            assert_eq!(
                search(index.as_bytes(), "2.0.0", step),
                Err(Failure::Missing(Missing::Version))
            );
        }
        assert_eq!(
            search(large("").as_bytes(), "1.0.0", 512),
            Err(Failure::Missing(Missing::Chart))
        );
        let json = serde_json::to_vec(&crate::yaml::from_slice(index.as_bytes()).unwrap()).unwrap();
        let found = search(&json, "1.0.0", 1013).unwrap();
        assert_eq!(found.urls, ["shop.tgz"]);
    }

    #[test]
    fn what_would_take_much_memory_is_refused() {
        let aliases = "  bomb: &a [x]\n  more: [*a, *a]\n";
        let long = format!("  shop:\n  - version: {}\n", "1".repeat(2 * LINE));
        let many = format!("  shop:\n{}", "  - version: 1.0.0\n".repeat(ENTRY / 19 + 1));
        let nested = format!("{{\"entries\": {}", "[".repeat(2 * WHOLE));
        for (index, words) in [
            (large(aliases), "not written as"),
            (large(&long), "a line of more than"),
            (large(&many), "is larger than 4194304 bytes"),
            (nested, "no JSON"),
            (large("\u{85}"), "not written as"),
        ] {
            let Err(Failure::Malformed(reason)) = search(index.as_bytes(), "1.0.0", 4096) else {
                panic!("taken: {words}");
            };
            assert!(reason.contains(words), "{reason}");
        }
    }

    const SEED: &str = r#"apiVersion: v1
entries:
  cart:
  - description: 'it''s
      shop:
      a cart'
    urls: [cart.tgz]
    version: 1.0.0
  shop:
  - annotations: {a: b}
    description: |
      shop:
      - "x
    urls:
    - shop.tgz
    version: 1.0.0
  - {version: v2.0.0, urls: [two.tgz]}
generated: "2024-01-01T00:00:00Z"
"#;

    /// A change of a text: at this place, take so many bytes away and put these in.
    fn change() -> impl Strategy<Value = (usize, usize, &'static str)> {
        let bits = vec![
            "",
            " ",
            "\n",
            "\r",
            "\t",
            "'",
            "\"",
            "- ",
            "-",
            ": ",
            ":",
            "#",
            " #",
            "|",
            ">",
            "{",
            "}",
            "[",
            "]",
            "&a ",
            "*a",
            "!!str ",
            "? ",
            "<<: ",
            "---\n",
            "...",
            "shop",
            "\n  shop:",
            "\\",
            "  ",
            "\n\n",
            ",",
            "\u{85}",
            "\u{feff}",
            "null",
            "entries:",
        ];
        (0usize..2_000, 0usize..4, prop::sample::select(bits))
    }

    fn changed(text: &str, changes: &[(usize, usize, &str)]) -> String {
        let mut letters: Vec<char> = text.chars().collect();
        for (at, gone, put) in changes {
            let at = at % letters.len().max(1);
            let end = (at + gone).min(letters.len());
            letters.splice(at..end, put.chars());
        }
        letters.into_iter().collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        /// What is read as it comes may be refused, but says nothing else than the whole.
        #[test]
        fn a_stream_says_what_the_whole_says(
            changes in prop::collection::vec(change(), 0..4),
            json in any::<bool>(),
            step in 1usize..9,
        ) {
            let seed = match json {
                true => crate::yaml::from_slice(SEED.as_bytes()).unwrap().to_string(),
                false => SEED.to_owned(),
            };
            let index = changed(&seed, &changes);
            if crate::yaml::from_slice(index.as_bytes()).is_err() {
                return Ok(());
            }
            for (name, version) in [("shop", "1.0.0"), ("shop", "2.0.0"), ("cart", "1.0.0"), ("x", "1")] {
                let mut search = Search::holding(0, name, version);
                let read = index.as_bytes().chunks(step).try_for_each(|chunk| search.push(chunk));
                let streamed = read.and_then(|()| search.end());
                if matches!(streamed, Err(Failure::Malformed(_))) {
                    continue;
                }
                prop_assert_eq!(&streamed, &index::find(index.as_bytes(), name, version), "{}", index);
            }
        }
    }
}
