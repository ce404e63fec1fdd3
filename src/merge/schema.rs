//! The patch tags of every built-in kind: which lists merge and by which key, which objects retain keys,
//! which are replaced. `schema.json` is written by `tests/oracle/strategicmerge` from the Go structs of the
//! pinned k8s.io modules and read once, here.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::Fault;

static TABLE: LazyLock<Schema> = LazyLock::new(|| {
    let file: File = serde_json::from_str(include_str!("schema.json"))
        .expect("the generated table is part of the program and every test reads it");
    Schema::from(file)
});

/// The table of kinds and their structs.
#[derive(Debug)]
pub(super) struct Schema {
    kinds: HashMap<String, usize>,
    structs: Vec<Struct>,
    object_meta: Option<usize>,
}

/// A Go struct: its fields by JSON name.
#[derive(Debug)]
struct Struct {
    name: String,
    opaque: bool,
    fields: HashMap<String, Field>,
}

/// How a field is patched.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) shape: Shape,
    pub(super) rule: Rule,
    pub(super) retain_keys: bool,
    /// The field that tells the elements of a merging list apart; empty where there is none.
    pub(super) merge_key: String,
}

/// The patch strategy of a field, `retainKeys` aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Objects merge, lists are replaced.
    Default,
    Merge,
    Replace,
}

/// The Go type of a field, as far as patches and comparisons see it. The numbers are structs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Bool,
    Number,
    Text,
    Struct(usize),
    Pointer(usize),
    /// A pointer to a scalar: null is its only zero value.
    PointerToScalar,
    List(Option<usize>),
    ListOfLists,
    Map(Option<usize>),
    Any,
}

/// Where a walk through an object stands: in a struct, or in something without declared fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Struct(usize),
    Leaf,
}

impl Schema {
    pub(super) fn table() -> &'static Self {
        &TABLE
    }

    /// The struct of a kind, or nothing for a custom resource.
    pub(super) fn kind(&self, api_version: &str, kind: &str) -> Option<Node> {
        let number = self.kinds.get(&format!("{api_version}/{kind}"))?;
        Some(Node::Struct(*number))
    }

    /// The struct of `metadata`, which custom resources have too.
    pub(super) fn object_meta(&self) -> Option<usize> {
        self.object_meta
    }

    pub(super) fn name(&self, number: usize) -> &str {
        self.structs.get(number).map_or("", |s| &s.name)
    }

    /// Whether a struct's JSON is not what its fields say, as with RawExtension or Quantity.
    pub(super) fn is_opaque(&self, number: usize) -> bool {
        self.structs.get(number).is_none_or(|s| s.opaque)
    }

    /// A field of a struct, found as encoding/json finds it: by name, else by name in another case.
    pub(super) fn field(&self, number: usize, key: &str) -> Option<&Field> {
        let fields = &self.structs.get(number)?.fields;
        fields.get(key).or_else(|| {
            let mut folded = fields
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case(key));
            folded.next().map(|(_, field)| field)
        })
    }

    // apimachinery: strategicpatch/meta.go PatchMetaFromStruct.LookupPatchMetadataForStruct
    pub(super) fn object(&self, node: Node, key: &str) -> Result<(Node, &Field), Fault> {
        let field = self.lookup(node, key)?;
        let inner = match field.shape {
            Shape::Struct(number) | Shape::Pointer(number) => Node::Struct(number),
            _ => Node::Leaf,
        };
        Ok((inner, field))
    }

    // apimachinery: strategicpatch/meta.go PatchMetaFromStruct.LookupPatchMetadataForSlice, which lets a
    // pointer to anything pass for a list
    pub(super) fn list(&self, node: Node, key: &str) -> Result<(Node, &Field), Fault> {
        let field = self.lookup(node, key)?;
        let element = match field.shape {
            Shape::List(Some(number)) | Shape::Pointer(number) => Node::Struct(number),
            Shape::List(None) | Shape::PointerToScalar => Node::Leaf,
            Shape::ListOfLists => return Err(Fault::ListOfLists),
            _ => {
                return Err(Fault::NotAList {
                    field: key.to_owned(),
                });
            }
        };
        Ok((element, field))
    }

    fn lookup(&self, node: Node, key: &str) -> Result<&Field, Fault> {
        let Node::Struct(number) = node else {
            return Err(Fault::NoFields {
                field: key.to_owned(),
            });
        };
        self.field(number, key).ok_or_else(|| Fault::UnknownField {
            structure: self.name(number).to_owned(),
            field: key.to_owned(),
        })
    }
}

#[derive(Deserialize)]
struct File {
    kinds: HashMap<String, usize>,
    structs: Vec<FileStruct>,
}

#[derive(Deserialize)]
struct FileStruct {
    name: String,
    #[serde(default)]
    opaque: bool,
    fields: HashMap<String, String>,
}

impl From<File> for Schema {
    fn from(file: File) -> Self {
        let structs: Vec<Struct> = file
            .structs
            .into_iter()
            .map(|s| Struct {
                name: s.name,
                opaque: s.opaque,
                fields: s
                    .fields
                    .into_iter()
                    .map(|(name, text)| (name, Field::from_text(&text)))
                    .collect(),
            })
            .collect();
        let object_meta = structs.iter().position(|s| s.name == "ObjectMeta");
        Self {
            kinds: file.kinds,
            structs,
            object_meta,
        }
    }
}

impl Field {
    /// Reads `l12 merge,retainKeys name`: a shape, then the strategies and the merge key if there are any.
    fn from_text(text: &str) -> Self {
        let mut words = text.split(' ');
        let shape = Shape::from_text(words.next().unwrap_or_default());
        let strategies: Vec<&str> = words.next().unwrap_or_default().split(',').collect();
        let rule = if strategies.contains(&"merge") {
            Rule::Merge
        } else if strategies.contains(&"replace") {
            Rule::Replace
        } else {
            Rule::Default
        };
        Self {
            shape,
            rule,
            retain_keys: strategies.contains(&"retainKeys"),
            merge_key: words.next().unwrap_or_default().to_owned(),
        }
    }
}

impl Shape {
    fn from_text(text: &str) -> Self {
        let number = text.get(1..).and_then(|digits| digits.parse().ok());
        match (text.get(..1), number) {
            (Some("b"), _) => Self::Bool,
            (Some("i" | "f"), _) => Self::Number,
            (Some("t"), _) => Self::Text,
            // a list of bytes is text in JSON, yet a list where a patch asks for its type
            (Some("B"), _) => Self::List(None),
            (Some("s"), Some(number)) => Self::Struct(number),
            (Some("p"), Some(number)) => Self::Pointer(number),
            (Some("*"), _) => Self::PointerToScalar,
            (Some("l"), number) => Self::List(number),
            (Some("L"), _) => Self::ListOfLists,
            (Some("m"), number) => Self::Map(number),
            _ => Self::Any,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn containers_merge_by_name_and_their_ports_by_number() {
        let schema = Schema::table();
        let mut node = schema.kind("apps/v1", "Deployment").unwrap();
        for key in ["spec", "template", "spec"] {
            node = schema.object(node, key).unwrap().0;
        }
        let (container, containers) = schema.list(node, "containers").unwrap();
        assert_eq!(
            (containers.rule, containers.merge_key.as_str()),
            (Rule::Merge, "name")
        );
        let (_, ports) = schema.list(container, "ports").unwrap();
        assert_eq!(ports.merge_key, "containerPort");
        let (_, volumes) = schema.list(node, "volumes").unwrap();
        assert!(volumes.retain_keys);
    }

    #[test]
    fn custom_resources_have_no_tags() {
        assert!(Schema::table().kind("example.com/v1", "Thing").is_none());
        assert!(Schema::table().object_meta().is_some());
    }

    #[test]
    fn every_number_in_the_table_is_a_struct() {
        let schema = Schema::table();
        assert!(schema.structs.iter().flat_map(|s| s.fields.values()).all(
            |field| match field.shape {
                Shape::Struct(n)
                | Shape::Pointer(n)
                | Shape::List(Some(n))
                | Shape::Map(Some(n)) => n < schema.structs.len(),
                _ => true,
            }
        ));
        assert!(schema.kinds.values().all(|n| *n < schema.structs.len()));
    }
}
