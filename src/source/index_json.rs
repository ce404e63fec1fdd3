//! Cuts one chart's entry out of an index in JSON, byte by byte, so that the rest is never held.
//!
//! It knows JSON's shape alone: brackets that match, strings that end, keys and values in turn. What
//! it cuts out is then read as JSON. At anything else it gives up.

/// Brackets inside one another, as many as serde_json follows.
const DEPTH: usize = 120;
/// Bytes of a key that may be the one that is wanted.
const KEY: usize = 1 << 16;

pub(super) struct JsonCutter {
    name: String,
    level: Level,
    phase: Phase,
    /// The brackets that must close, within the value that is being passed over.
    open: Vec<u8>,
    /// Inside a string; `Some(true)` after a backslash.
    string: Option<bool>,
    key: Vec<u8>,
    keeping: bool,
    seen: [bool; 3],
    kept: Vec<u8>,
    api_version: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Start,
    Root,
    Entries,
    End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A key, or the end of an object that is still empty.
    First,
    Key,
    Colon,
    Value,
    /// Within a number or a word.
    Word,
    Next,
}

const API_VERSION: usize = 0;
const ENTRIES: usize = 1;
const NAME: usize = 2;

impl JsonCutter {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            level: Level::Start,
            phase: Phase::First,
            open: Vec::new(),
            string: None,
            key: Vec::new(),
            keeping: false,
            seen: [false; 3],
            kept: Vec::new(),
            api_version: Vec::new(),
        }
    }

    /// How many bytes are held.
    pub(super) fn held(&self) -> usize {
        self.kept.len() + self.api_version.len()
    }

    /// None gives up.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Option<()> {
        bytes.iter().try_for_each(|byte| self.byte(*byte))
    }

    /// An index with nothing but `apiVersion` and the entry; None if it has no end.
    pub(super) fn end(self) -> Option<Vec<u8>> {
        if self.level != Level::End {
            return None;
        }
        let mut index = b"{\"apiVersion\":".to_vec();
        let member = |value: &[u8]| match value.is_empty() {
            true => b"null".to_vec(),
            false => value.to_vec(),
        };
        index.extend(member(&self.api_version));
        index.extend_from_slice(b",\"entries\":{");
        index.extend(serde_json::to_vec(&self.name).ok()?);
        index.push(b':');
        index.extend(member(&self.kept));
        index.extend_from_slice(b"}}");
        Some(index)
    }

    fn byte(&mut self, byte: u8) -> Option<()> {
        if self.string.is_some() {
            return self.in_string(byte);
        }
        if !self.open.is_empty() {
            return self.in_value(byte);
        }
        if self.phase == Phase::Word {
            if byte.is_ascii_alphanumeric() || b"+-.".contains(&byte) {
                self.keep(byte);
                return Some(());
            }
            self.phase = Phase::Next;
        }
        if byte.is_ascii_whitespace() {
            return Some(());
        }
        match (self.level, self.phase, byte) {
            (Level::Start, _, b'{') => (self.level, self.phase) = (Level::Root, Phase::First),
            (Level::Root | Level::Entries, Phase::First | Phase::Key, b'"') => {
                self.key.clear();
                self.key.push(b'"');
                self.string = Some(false);
            }
            (Level::Root | Level::Entries, Phase::Colon, b':') => self.phase = Phase::Value,
            (Level::Root | Level::Entries, Phase::Value, byte) => return self.value(byte),
            (Level::Root | Level::Entries, Phase::Next, b',') => self.phase = Phase::Key,
            (Level::Root, Phase::First | Phase::Next, b'}') => self.level = Level::End,
            (Level::Entries, Phase::First | Phase::Next, b'}') => {
                (self.level, self.phase) = (Level::Root, Phase::Next);
            }
            _ => return None,
        }
        Some(())
    }

    fn in_string(&mut self, byte: u8) -> Option<()> {
        // What has these is no JSON.
        (byte >= b' ').then_some(())?;
        let is_key = self.phase != Phase::Value;
        if is_key {
            if self.key.len() > KEY {
                return None;
            }
            self.key.push(byte);
        } else {
            self.keep(byte);
        }
        self.string = match (self.string, byte) {
            (Some(true), _) => Some(false),
            (_, b'\\') => Some(true),
            (_, b'"') => None,
            (open, _) => open,
        };
        match (self.string, is_key) {
            (None, true) => self.key_ends(),
            (None, false) if self.open.is_empty() => self.phase = Phase::Next,
            _ => {}
        }
        Some(())
    }

    fn key_ends(&mut self) {
        self.phase = Phase::Colon;
    }

    fn in_value(&mut self, byte: u8) -> Option<()> {
        self.keep(byte);
        match byte {
            b'"' => self.string = Some(false),
            b'{' | b'[' => self.opens(byte)?,
            b'}' | b']' => {
                (self.open.pop() == Some(byte)).then_some(())?;
                if self.open.is_empty() {
                    self.phase = Phase::Next;
                }
            }
            _ => {
                let of_json = byte.is_ascii_alphanumeric()
                    || byte.is_ascii_whitespace()
                    || b"+-.,:".contains(&byte);
                of_json.then_some(())?;
            }
        }
        Some(())
    }

    fn opens(&mut self, byte: u8) -> Option<()> {
        self.open.push(if byte == b'{' { b'}' } else { b']' });
        (self.open.len() <= DEPTH).then_some(())
    }

    /// The first byte of a value.
    fn value(&mut self, byte: u8) -> Option<()> {
        let key: String = serde_json::from_slice(&self.key).ok()?;
        self.keeping = false;
        match (self.level, key.as_str()) {
            // It would be a merge if what follows were no JSON.
            (_, "<<") => return None,
            (Level::Root, "entries") => {
                self.once(ENTRIES)?;
                if byte == b'{' {
                    (self.level, self.phase) = (Level::Entries, Phase::First);
                    return Some(());
                }
                // `null`: there are none.
                (byte == b'n').then_some(())?;
            }
            (Level::Root, "apiVersion") => {
                self.once(API_VERSION)?;
                self.keeping = true;
            }
            (Level::Entries, name) if name == self.name => {
                self.once(NAME)?;
                self.keeping = true;
            }
            _ => {}
        }
        self.keep(byte);
        match byte {
            b'"' => self.string = Some(false),
            b'{' | b'[' => self.opens(byte)?,
            byte if byte.is_ascii_alphanumeric() || byte == b'-' => self.phase = Phase::Word,
            _ => return None,
        }
        Some(())
    }

    fn once(&mut self, key: usize) -> Option<()> {
        let seen = self.seen.get_mut(key)?;
        (!std::mem::replace(seen, true)).then_some(())
    }

    fn keep(&mut self, byte: u8) {
        match (self.keeping, self.level) {
            (false, _) => {}
            (true, Level::Entries) => self.kept.push(byte),
            (true, _) => self.api_version.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn cut(index: &str, name: &str, step: usize) -> Option<Value> {
        let mut cutter = JsonCutter::new(name);
        for chunk in index.as_bytes().chunks(step) {
            cutter.push(chunk)?;
        }
        Some(serde_json::from_slice(&cutter.end()?).unwrap_or(Value::Null))
    }

    #[test]
    fn gives_up_at_what_is_no_json_index() {
        for index in [
            "",
            "[]",
            "{",
            "{\"entries\": {\"shop\": [}}",
            "{\"entries\": {\"shop\": [1}}",
            "{\"entries\": {\"shop\": \"open}}",
            "{\"entries\": [], \"apiVersion\": \"v1\"}",
            "{\"entries\": {}, \"entries\": {}}",
            "{\"entries\": {\"shop\": 1, \"sh\\u006fp\": 2}}",
            "{apiVersion: v1}",
            "{\"a\" 1}",
            "{\"a\": 1,}",
            "{\"a\": 1} x",
            "{\"a\": {b: c & d}}",
            "{\"a\": \"\n\"}",
            "{\"<<\": {}}",
        ] {
            assert_eq!(cut(index, "shop", 3), None, "{index}");
        }
        let deep = format!("{{\"a\": {}", "[".repeat(100_000));
        assert_eq!(cut(&deep, "shop", 4096), None);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-z\"\\\\{}\\[\\], \u{e9}\n]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-z\"\\\\]{0,4}", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_cut_out_is_what_the_whole_has(
            entries in prop::collection::btree_map("(shop|cart|[a-z\"\\\\]{0,3})", value(), 0..4),
            version in value(),
            other in value(),
            step in 1usize..9,
            pretty in any::<bool>(),
        ) {
            let entries = Value::Object(entries.into_iter().collect());
            let index = json!({"apiVersion": version, "entries": entries, "other": other});
            let text = if pretty { format!("{index:#} \n") } else { index.to_string() };
            for name in ["shop", "cart", "absent"] {
                let cut = cut(&text, name, step).unwrap();
                prop_assert_eq!(&cut["apiVersion"], &index["apiVersion"]);
                prop_assert_eq!(&cut["entries"][name], &index["entries"][name]);
            }
        }
    }
}
