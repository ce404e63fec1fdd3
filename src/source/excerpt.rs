//! Cuts one chart's entry out of an index.yaml line by line, so that the rest (often tens of
//! megabytes, and as YAML values ten times that) is never built.
//!
//! This is no YAML reader. It knows the forms in which programs write indexes: block mappings and
//! lists with plain, quoted and block scalars. At anything else (anchors, tags, merge keys, flow
//! collections with content, other line breaks, several documents) it gives up, and the caller
//! reads the whole. What it cuts out is then read as YAML.
//!
//! Why lines suffice: in block style, what belongs to a key at column c stands right of c (or is a
//! list at c), whatever it says. The exception are quoted scalars, whose lines may begin anywhere:
//! they are followed to their closing quote.

/// An index with nothing but `apiVersion` and the entry of `name`; None if the whole must be read.
pub(super) fn excerpt(index: &[u8], name: &str) -> Option<Vec<u8>> {
    if index.ends_with(b"\r") {
        return None;
    }
    let mut cutter = Cutter::new(name);
    for line in index.split(|byte| *byte == b'\n') {
        cutter.checked_line(line)?;
    }
    cutter.end()
}

/// Whether a key with this text can be nothing but this text: `yes` would be a boolean.
fn is_ordinary(name: &str) -> bool {
    const OTHERS: [&str; 11] = [
        "true", "false", "yes", "no", "on", "off", "y", "n", "null", "inf", "nan",
    ];
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && !OTHERS.iter().any(|other| name.eq_ignore_ascii_case(other))
}

/// YAML 1.1 also breaks lines at CR, NEL, LS and PS; a byte order mark would hide in a key.
fn has_other_line_breaks(line: &[u8]) -> bool {
    let mut rest = line;
    while let Some(at) = rest
        .iter()
        .position(|byte| matches!(byte, b'\r' | 0xc2 | 0xe2 | 0xef))
    {
        rest = &rest[at..];
        let breaks = matches!(
            rest,
            [b'\r', ..] | [0xc2, 0x85, ..] | [0xe2, 0x80, 0xa8 | 0xa9, ..] | [0xef, 0xbb, 0xbf, ..]
        );
        if breaks {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

/// How the next lines belong to what was read last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// They speak for themselves.
    Nothing,
    /// All that stand right of this column are part of a scalar.
    RightOf(usize),
    /// All up to this quote are.
    Quoted(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Start,
    Other,
    /// The column of the charts' names, once one was seen.
    Entries(Option<usize>),
}

/// Takes an index line by line.
pub(super) struct Cutter {
    name: String,
    kept: Vec<u8>,
    keeping: bool,
    section: Section,
    rest: Rest,
    seen: [bool; 3],
}

/// The keys that must not come twice.
const API_VERSION: usize = 0;
const ENTRIES: usize = 1;
const NAME: usize = 2;

impl Cutter {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kept: Vec::new(),
            keeping: false,
            section: Section::Start,
            rest: Rest::Nothing,
            seen: [false; 3],
        }
    }

    /// How many bytes are held.
    pub(super) fn held(&self) -> usize {
        self.kept.len()
    }

    /// What was cut out, once every line was seen.
    pub(super) fn end(self) -> Option<Vec<u8>> {
        // A scalar that is never closed is for the YAML reader to complain of.
        (!matches!(self.rest, Rest::Quoted(_))).then_some(self.kept)
    }

    /// A line without its line feed. None gives up.
    pub(super) fn checked_line(&mut self, line: &[u8]) -> Option<()> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !is_ordinary(&self.name) || has_other_line_breaks(line) {
            return None;
        }
        self.line(line)
    }

    /// None gives up.
    fn line(&mut self, line: &[u8]) -> Option<()> {
        let indent = line.iter().take_while(|byte| **byte == b' ').count();
        let text = line.get(indent..).unwrap_or_default();
        match self.rest {
            Rest::Quoted(quote) => {
                if let Some(end) = closing(line, quote) {
                    is_end(line.get(end..)?).then_some(())?;
                    self.rest = Rest::Nothing;
                }
                self.keep(line);
                return Some(());
            }
            Rest::RightOf(column) if indent > column && !text.is_empty() => {
                self.keep(line);
                return Some(());
            }
            Rest::RightOf(_) | Rest::Nothing => {}
        }
        if text.is_empty() || text.starts_with(b"#") {
            self.keep(line);
            return Some(());
        }
        if indent == 0 && (text.starts_with(b"---") || text.starts_with(b"...")) {
            let first = self.section == Section::Start && text == b"---";
            return first.then_some(());
        }
        let node = Node::read(text, indent)?;
        self.place(indent, &node)?;
        self.rest = node.rest;
        self.keep(line);
        Some(())
    }

    /// Which part of the index this node begins.
    fn place(&mut self, indent: usize, node: &Node<'_>) -> Option<()> {
        match self.section {
            _ if indent == 0 && !node.in_list => self.root_key(node),
            Section::Start => None,
            Section::Other => Some(()),
            Section::Entries(Some(column)) if indent > column => Some(()),
            Section::Entries(Some(column)) if indent == column && node.in_list => Some(()),
            Section::Entries(Some(column)) if indent < column => None,
            Section::Entries(_) if node.in_list => None,
            Section::Entries(_) => {
                self.section = Section::Entries(Some(indent));
                self.keeping = node.key? == self.name.as_bytes();
                if self.keeping {
                    self.once(NAME)
                } else {
                    Some(())
                }
            }
        }
    }

    fn root_key(&mut self, node: &Node<'_>) -> Option<()> {
        (self.section, self.keeping) = (Section::Other, false);
        match node.key? {
            b"entries" => {
                self.once(ENTRIES)?;
                self.section = Section::Entries(None);
                self.kept.extend_from_slice(b"entries:\n");
                (!node.has_value).then_some(())
            }
            b"apiVersion" => {
                self.keeping = true;
                self.once(API_VERSION)
            }
            _ => Some(()),
        }
    }

    fn once(&mut self, key: usize) -> Option<()> {
        let seen = self.seen.get_mut(key)?;
        (!std::mem::replace(seen, true)).then_some(())
    }

    fn keep(&mut self, line: &[u8]) {
        if self.keeping {
            self.kept.extend_from_slice(line);
            self.kept.push(b'\n');
        }
    }
}

/// What begins on a line.
struct Node<'a> {
    /// Whether `- ` stands before it.
    in_list: bool,
    key: Option<&'a [u8]>,
    has_value: bool,
    rest: Rest,
}

impl<'a> Node<'a> {
    /// Reads the text of a line that begins at this column.
    fn read(mut text: &'a [u8], mut column: usize) -> Option<Self> {
        let mut list = None;
        while let Some(item) = text.strip_prefix(b"-") {
            let spaces = item.iter().take_while(|byte| **byte == b' ').count();
            if item.len() == spaces {
                return Some(Self {
                    in_list: true,
                    key: None,
                    has_value: false,
                    rest: Rest::Nothing,
                });
            }
            if spaces == 0 {
                break;
            }
            list = Some(column);
            column += 1 + spaces;
            text = item.get(spaces..)?;
        }
        let in_list = list.is_some();
        if let Some((key, value)) = key(text)? {
            let rest = scalar(value, column)?;
            return Some(Self {
                in_list,
                key: Some(key),
                has_value: !is_end(value),
                rest,
            });
        }
        // A value on a line of its own belongs to a column that is not known here.
        Some(Self {
            in_list,
            key: None,
            has_value: true,
            rest: scalar(text, list?)?,
        })
    }
}

/// The key that a text begins with, and its value; `Some(None)` if it begins with none.
fn key(text: &[u8]) -> Option<Option<(&[u8], &[u8])>> {
    let (key, after) = match text.first()? {
        quote @ (b'"' | b'\'') => {
            let Some(end) = closing(text.get(1..)?, *quote) else {
                return Some(None);
            };
            let (key, after) = (text.get(1..end)?, text.get(end + 1..)?);
            match trim_spaces(after).strip_prefix(b":") {
                // Escapes are not resolved here.
                Some(_) if key.iter().any(|byte| matches!(byte, b'\\' | b'\'')) => return None,
                Some(value) => (key, value),
                None => return Some(None),
            }
        }
        _ => {
            let colon = (0..text.len()).find(|at| {
                text.get(*at) == Some(&b':') && text.get(at + 1).is_none_or(|next| *next == b' ')
            });
            let Some(colon) = colon else {
                return Some(None);
            };
            let (key, value) = (text.get(..colon)?, text.get(colon + 1..)?);
            if has_comment(key) {
                return Some(None);
            }
            begins_plain(key).then_some(())?;
            (key, value)
        }
    };
    let key = key.trim_ascii_end();
    let value_is_apart = value_begins(after);
    (key != b"<<" && value_is_apart).then_some(Some((key, trim_spaces(after))))
}

fn value_begins(after: &[u8]) -> bool {
    after.first().is_none_or(|first| *first == b' ')
}

/// What follows a scalar that belongs to this column; None if it is none that is known here.
fn scalar(value: &[u8], column: usize) -> Option<Rest> {
    match value.first() {
        None | Some(b'#') => Some(Rest::Nothing),
        Some(quote @ (b'"' | b'\'')) => match closing(value.get(1..)?, *quote) {
            Some(end) => is_end(value.get(end + 1..)?).then_some(Rest::Nothing),
            None => Some(Rest::Quoted(*quote)),
        },
        Some(b'|' | b'>') => {
            let header = value.get(1..)?;
            let signs = header
                .iter()
                .take_while(|byte| matches!(byte, b'+' | b'-' | b'1'..=b'9'))
                .count();
            is_end(header.get(signs..)?).then_some(Rest::RightOf(column))
        }
        Some(b'{' | b'[') => {
            let empty = value
                .strip_prefix(b"{}")
                .or_else(|| value.strip_prefix(b"[]"))?;
            is_end(empty).then_some(Rest::Nothing)
        }
        Some(_) => {
            let is_key = value.ends_with(b":") || value.windows(2).any(|pair| pair == b": ");
            (begins_plain(value) && !is_key).then_some(Rest::RightOf(column))
        }
    }
}

/// Whether a plain scalar can begin so, and holds no tab, which this file does not judge.
fn begins_plain(text: &[u8]) -> bool {
    let first = text.first().copied().unwrap_or(b' ');
    let indicator = b"&*!%@`?:,]}[{|>\"'#".contains(&first);
    !indicator && text != b"-" && !text.starts_with(b"- ") && !text.contains(&b'\t')
}

fn has_comment(text: &[u8]) -> bool {
    text.starts_with(b"#") || text.windows(2).any(|pair| pair == b" #")
}

/// Nothing but spaces, or a comment after at least one.
fn is_end(text: &[u8]) -> bool {
    let trimmed = trim_spaces(text);
    trimmed.is_empty() || (trimmed.starts_with(b"#") && trimmed.len() < text.len())
}

fn trim_spaces(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|byte| **byte == b' ').count();
    text.get(spaces..).unwrap_or_default()
}

/// How many bytes there are up to the closing quote and with it.
fn closing(text: &[u8], quote: u8) -> Option<usize> {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let doubled = quote == b'\'' && text.get(at + 1) == Some(&b'\'');
        match byte {
            b'\\' if quote == b'"' => at += 2,
            byte if *byte == quote && doubled => at += 2,
            byte if *byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// As `helm repo index` writes it, with the scalars that hide most: block, folded, quoted.
    const INDEX: &str = r#"apiVersion: v1
entries:
  cart:
  - apiVersion: v2
    annotations:
      changes: |
        - "not closed
          shop:
       
        - more
    description: 'single: it''s a text
      shop:

  shop: that goes on'
    keywords: []
    name: cart
    urls:
    - "https://c.example.com/a
shop:\
      \"b.tgz"
  shop:
  - created: "2024-01-01T00:00:00Z"
    description: a text that is folded
      and goes on
    home: https://shop.example.com # its home
    name: shop
    urls:
    - shop-1.2.3.tgz
    version: 1.2.3
  "till":
  - description: >-
      shop:
    urls: []
generated: "2024-01-01T00:00:00Z"
"#;

    fn whole(index: &str) -> Option<Value> {
        crate::yaml::from_slice(index.as_bytes()).ok()
    }

    fn part(index: &str, name: &str) -> Option<Value> {
        excerpt(index.as_bytes(), name).map(|part| crate::yaml::from_slice(&part).unwrap())
    }

    #[test]
    fn cuts_out_one_entry() {
        let all = whole(INDEX).unwrap();
        for name in ["cart", "shop", "till"] {
            let part = part(INDEX, name).unwrap();
            assert_eq!(part["entries"][name], all["entries"][name]);
            assert!(part["entries"][name].is_array(), "{part}");
            assert_eq!(part["entries"].as_object().unwrap().len(), 1);
            assert_eq!(part["apiVersion"], "v1");
        }
        assert_eq!(part(INDEX, "absent").unwrap()["entries"], Value::Null);
        let windows = INDEX.replace('\n', "\r\n");
        assert_eq!(
            part(&windows, "shop").unwrap()["entries"]["shop"],
            all["entries"]["shop"]
        );
    }

    #[test]
    fn gives_up_where_lines_do_not_tell() {
        let indented = |text: &str| format!("apiVersion: v1\nentries:\n  {text}\n  shop: []\n");
        for index in [
            "{apiVersion: v1, entries: {shop: []}}".to_owned(),
            "\u{feff}apiVersion: v1\nentries:\n  shop: []\n".to_owned(),
            "entries:\n  shop: []\nentries:\n  shop: []\n".to_owned(),
            "entries:\n  shop: []\n---\nentries:\n  shop: []\n".to_owned(),
            "entries: {shop: []}\n".to_owned(),
            "entries:\n- shop\n".to_owned(),
            "x: &a {shop: []}\nentries: *a\n".to_owned(),
            indented("shop: []"),
            indented("<<:\n    shop: []"),
            indented("? shop\n  : [1]"),
            indented("\"sh\\u006fp\": [1]"),
            indented("cart: &a []"),
            indented("cart: !!seq []"),
            indented("cart: [a,\n  shop: b]"),
            indented("cart: {a: b}"),
            indented("cart: a\u{2028}  shop: b"),
            indented("cart: a\r  shop: b"),
            indented("cart:\t[]"),
            indented("cart: \"never closed"),
        ] {
            assert_eq!(excerpt(index.as_bytes(), "shop"), None, "{index}");
        }
        for name in ["Yes", "null", "1.2", "~", ""] {
            assert_eq!(excerpt(INDEX.as_bytes(), name), None, "{name}");
        }
    }

    /// Values as they stand behind a key, with the lines that belong to them.
    fn value() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "text",
            "1.10",
            "true",
            "[]",
            "{}",
            "''",
            "'it''s'",
            "\"a\\\"b\"",
            "text # note",
            "a:b",
            "-1",
            "'shop: x'",
            "\"{\"",
            "text\n            shop: no",
            "text\n            - shop",
            "text\n\n            # shop",
            "|\n            shop:\n\n             - x\n            y",
            ">-\n            'shop",
            "|2-\n            \"x",
            "'open\n  shop:\n  - x'",
            "\"open\nshop:\\\n \\\" x\"",
            "\n            shop:\n            - x",
            "\n          - shop: x\n            y: z",
            "\n          - - a\n            - b",
            "[a, b]",
            "{shop: x}",
            "&a x",
            "!!str x",
            "*a",
            "\"open",
            "'",
            "|x",
            "- x",
            "a: b",
            "? x",
        ])
    }

    fn entry() -> impl Strategy<Value = String> {
        let keys = prop::sample::select(vec![
            "shop", "cart", "\"shop\"", "'till'", "urls", "v:w", "entries",
        ]);
        let fields = prop::collection::vec((keys, value()), 1..5);
        prop::collection::vec(fields, 0..3).prop_map(|versions| {
            let mut text = String::new();
            for fields in versions {
                let mut dash = "  - ";
                for (number, (key, value)) in fields.into_iter().enumerate() {
                    // Keys must differ: the number makes them so.
                    let key = key.trim_end_matches(['"', '\'']);
                    let close = &key[..key.len().min(1)];
                    let close = if ["\"", "'"].contains(&close) {
                        close
                    } else {
                        ""
                    };
                    text += &format!("{dash}{key}{number}{close}: {value}\n");
                    dash = "    ";
                }
            }
            text
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn an_excerpt_says_what_the_whole_says(
            entries in prop::collection::vec((prop::sample::select(vec!["shop", "'cart'", "till", "\"bar\""]), entry()), 1..4),
            tail in prop::sample::select(vec!["", "generated: now\n", "# end\n", "other:\n- shop: x\n", "serverInfo: {}\n"]),
        ) {
            let mut index = "apiVersion: v1\nentries:\n".to_owned();
            for (name, entry) in entries {
                index += &format!("  {name}:\n{entry}");
            }
            index += tail;
            for name in ["shop", "cart", "absent"] {
                let Some(kept) = excerpt(index.as_bytes(), name) else { continue };
                let Some(whole) = whole(&index) else { continue };
                let part: Value = crate::yaml::from_slice(&kept).unwrap();
                prop_assert_eq!(&part["apiVersion"], &whole["apiVersion"], "{}", index);
                prop_assert_eq!(&part["entries"][name], &whole["entries"][name], "{}", index);
            }
        }
    }
}
