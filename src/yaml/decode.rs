//! Nodes to values: types, aliases, merges, and the bounds on what aliases may expand to.
//!
//! The walk keeps its own stack, so that no document's depth is a danger to ours.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::compose::{Document, NodeKind};
use super::error::Fault;
use super::resolve::{self, Scalar, Tag};

/// What the walk builds: JSON values, or Go's own for the sake of its error texts.
pub(super) trait Build {
    type Value;
    type Map: Default;

    fn scalar(&mut self, scalar: Scalar, text: &str) -> Self::Value;
    fn sequence(&mut self, items: Vec<Self::Value>) -> Self::Value;
    fn mapping(&mut self, map: Self::Map) -> Self::Value;
    /// Refuses a key that is a collection.
    fn check_key(&mut self, key: &Self::Value) -> Result<(), Fault>;
    /// Adds a pair; `line` is the 0-based line of its value.
    fn insert(&mut self, map: &mut Self::Map, key: Self::Value, value: Self::Value, line: usize);
}

/// How deep collections may nest in values that are read or written.
///
/// go-yaml's own bounds are 10,000, and the scanner keeps them; but a JSON value so deep cannot even be
/// dropped on a thread's stack of two megabytes, let alone be walked.
pub(super) const MAX_DEPTH: usize = 1000;

/// How many bytes of text aliases may repeat.
///
/// go-yaml counts nodes only: 50,000 aliases of a text of a megabyte are within its bound.
const MAX_ALIASED_TEXT: usize = 64 << 20;

/// Go's padding rules, spare bits allowed.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

enum Frame<B: Build> {
    Sequence {
        next: usize,
        end: usize,
        items: Vec<B::Value>,
    },
    Mapping {
        next: usize,
        end: usize,
        /// The child that was entered last.
        child: usize,
        key: Option<B::Value>,
        /// Whether the pairs belong to the mapping itself, not to one that merges it.
        own: bool,
    },
    /// The mappings of `<<: [...]` that are still to come, the next one last.
    Merges(Vec<usize>),
    Alias,
}

enum Step<B: Build> {
    Enter(usize),
    Leave(B::Value),
    Resume,
}

struct Walk<'d, 'a, B: Build> {
    document: &'d Document<'a>,
    builder: &'d mut B,
    frames: Vec<Frame<B>>,
    /// The mappings that are being filled; merges fill the innermost.
    maps: Vec<B::Map>,
    /// Alias nodes being followed.
    following: Vec<usize>,
    decoded: usize,
    aliased: usize,
    aliased_text: usize,
    /// How many collections are being filled, one in the other.
    depth: usize,
}

/// Decodes a document.
pub(super) fn decode<B: Build>(
    document: &Document<'_>,
    builder: &mut B,
) -> Result<B::Value, Fault> {
    let mut walk = Walk {
        document,
        builder,
        frames: Vec::new(),
        maps: Vec::new(),
        following: Vec::new(),
        // The document itself counts.
        decoded: 1,
        aliased: 0,
        aliased_text: 0,
        depth: 0,
    };
    walk.run()
}

impl<B: Build> Walk<'_, '_, B> {
    fn run(&mut self) -> Result<B::Value, Fault> {
        let mut step = Step::Enter(0);
        loop {
            step = match step {
                Step::Enter(node) => self.enter(node)?,
                Step::Leave(value) if self.frames.is_empty() => return Ok(value),
                Step::Leave(value) => self.leave(value)?,
                Step::Resume => self.resume()?,
            };
        }
    }

    /// go-yaml: decode.go unmarshal.
    fn enter(&mut self, index: usize) -> Result<Step<B>, Fault> {
        self.count()?;
        let node = &self.document.nodes[index];
        Ok(match &node.kind {
            NodeKind::Scalar {
                text,
                tag,
                implicit,
            } => Step::Leave(self.scalar(text, *tag, *implicit)?),
            NodeKind::Sequence => {
                self.nest()?;
                self.frames.push(Frame::Sequence {
                    next: index + 1,
                    end: node.end,
                    items: Vec::new(),
                });
                Step::Resume
            }
            NodeKind::Mapping => {
                self.nest()?;
                self.maps.push(B::Map::default());
                self.frames.push(Frame::Mapping {
                    next: index + 1,
                    end: node.end,
                    child: index,
                    key: None,
                    own: true,
                });
                Step::Resume
            }
            NodeKind::Alias { target, .. } => {
                self.follow(index)?;
                Step::Enter(*target)
            }
        })
    }

    fn nest(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::bare(format!("exceeded max depth of {MAX_DEPTH}")));
        }
        Ok(())
    }

    fn follow(&mut self, alias: usize) -> Result<(), Fault> {
        if self.following.contains(&alias) {
            let NodeKind::Alias { name, .. } = self.document.nodes[alias].kind else {
                return Ok(());
            };
            return Err(Fault::bare(format!(
                "anchor '{name}' value contains itself"
            )));
        }
        self.following.push(alias);
        self.frames.push(Frame::Alias);
        Ok(())
    }

    /// go-yaml: decode.go unmarshal and allowedAliasRatio.
    fn count(&mut self) -> Result<(), Fault> {
        const LOW: usize = 400_000;
        const HIGH: usize = 4_000_000;
        self.decoded += 1;
        if self.following.is_empty() {
            return Ok(());
        }
        self.aliased += 1;
        if self.aliased > 100 && self.decoded > 1000 {
            let allowed = match self.decoded {
                ..=LOW => 0.99,
                HIGH.. => 0.10,
                decoded => 0.99 - 0.89 * ((decoded - LOW) as f64 / (HIGH - LOW) as f64),
            };
            if self.aliased as f64 / self.decoded as f64 > allowed {
                return Err(excessive_aliasing());
            }
        }
        Ok(())
    }

    fn leave(&mut self, value: B::Value) -> Result<Step<B>, Fault> {
        match self.frames.last_mut() {
            Some(Frame::Sequence { items, .. }) => items.push(value),
            Some(Frame::Mapping {
                key: key @ None, ..
            }) => {
                self.builder.check_key(&value)?;
                *key = Some(value);
            }
            Some(Frame::Mapping { key, child, .. }) => {
                let line = self.document.nodes[*child].line;
                if let (Some(key), Some(map)) = (key.take(), self.maps.last_mut()) {
                    self.builder.insert(map, key, value, line);
                }
            }
            Some(Frame::Alias) => {
                self.frames.pop();
                self.following.pop();
                return Ok(Step::Leave(value));
            }
            Some(Frame::Merges(_)) | None => {}
        }
        Ok(Step::Resume)
    }

    fn resume(&mut self) -> Result<Step<B>, Fault> {
        let nodes = &self.document.nodes;
        match self.frames.last_mut() {
            Some(Frame::Sequence { next, end, .. }) if *next < *end => {
                let child = *next;
                *next = nodes[child].end;
                Ok(Step::Enter(child))
            }
            Some(Frame::Mapping {
                next,
                end,
                child,
                key,
                ..
            }) if *next < *end => {
                *child = *next;
                *next = nodes[*child].end;
                let key_or_value = *child;
                if key.is_none() && is_merge(&nodes[key_or_value].kind) {
                    let merged = *next;
                    *next = nodes[merged].end;
                    return self.merge(merged);
                }
                Ok(Step::Enter(key_or_value))
            }
            Some(Frame::Merges(left)) => match left.pop() {
                Some(mapping) => self.merge_mapping(mapping),
                None => Ok(self.finish()),
            },
            _ => Ok(self.finish()),
        }
    }

    /// Leaves the innermost frame.
    fn finish(&mut self) -> Step<B> {
        match self.frames.pop() {
            Some(Frame::Sequence { items, .. }) => {
                self.depth -= 1;
                Step::Leave(self.builder.sequence(items))
            }
            Some(Frame::Mapping { own: true, .. }) => {
                self.depth -= 1;
                let map = self.maps.pop().unwrap_or_default();
                Step::Leave(self.builder.mapping(map))
            }
            // An alias that is merged leaves no value.
            Some(Frame::Alias) => {
                self.following.pop();
                Step::Resume
            }
            Some(Frame::Mapping { .. } | Frame::Merges(_)) | None => Step::Resume,
        }
    }

    /// go-yaml: decode.go merge.
    fn merge(&mut self, index: usize) -> Result<Step<B>, Fault> {
        match &self.document.nodes[index].kind {
            NodeKind::Mapping | NodeKind::Alias { .. } => self.merge_mapping(index),
            NodeKind::Sequence => {
                // The last is merged first: what comes later overrides.
                let mut left = Vec::new();
                let mut child = index + 1;
                while child < self.document.nodes[index].end {
                    left.push(child);
                    child = self.document.nodes[child].end;
                }
                self.frames.push(Frame::Merges(left));
                Ok(Step::Resume)
            }
            NodeKind::Scalar { .. } => Err(no_map()),
        }
    }

    fn merge_mapping(&mut self, index: usize) -> Result<Step<B>, Fault> {
        let nodes = &self.document.nodes;
        let mut mapping = index;
        if let NodeKind::Alias { target, .. } = nodes[index].kind {
            if !matches!(nodes[target].kind, NodeKind::Mapping) {
                return Err(no_map());
            }
            self.count()?;
            self.follow(index)?;
            mapping = target;
        }
        let node = &nodes[mapping];
        if !matches!(node.kind, NodeKind::Mapping) {
            return Err(no_map());
        }
        self.count()?;
        self.frames.push(Frame::Mapping {
            next: mapping + 1,
            end: node.end,
            child: mapping,
            key: None,
            own: false,
        });
        Ok(Step::Resume)
    }

    fn scalar(&mut self, text: &str, tag: Tag, implicit: bool) -> Result<B::Value, Fault> {
        if !self.following.is_empty() {
            self.aliased_text += text.len();
            if self.aliased_text > MAX_ALIASED_TEXT {
                return Err(excessive_aliasing());
            }
        }
        let scalar = match tag {
            Tag::Absent if !implicit => Scalar::Str,
            Tag::Binary => return self.binary(text),
            tag => resolve::resolve(tag, text)?,
        };
        Ok(self.builder.scalar(scalar, text))
    }

    fn binary(&mut self, text: &str) -> Result<B::Value, Fault> {
        // Go: encoding/base64 ignores line breaks.
        let digits: Vec<u8> = text
            .bytes()
            .filter(|b| !matches!(b, b'\r' | b'\n'))
            .collect();
        match BASE64.decode(digits) {
            Ok(bytes) => Ok(self.builder.scalar(Scalar::Str, &from_go_bytes(&bytes))),
            Err(_) => Err(Fault::bare("!!binary value contains invalid base64 data")),
        }
    }
}

/// go-yaml: decode.go isMerge.
fn is_merge(kind: &NodeKind<'_>) -> bool {
    match kind {
        NodeKind::Scalar {
            text,
            tag,
            implicit,
        } => text == "<<" && (*implicit || *tag == Tag::Merge),
        _ => false,
    }
}

fn excessive_aliasing() -> Fault {
    Fault::bare("document contains excessive aliasing")
}

fn no_map() -> Fault {
    Fault::bare("map merge requires map or sequence of maps as the value")
}

/// Go: encoding/json writes U+FFFD for each byte that is no UTF-8.
pub(super) fn from_go_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| '\u{fffd}'));
    }
    out
}
