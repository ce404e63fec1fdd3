//! Three-way merge, as Helm's client-side apply computes it.
//!
//! In: what was applied last, what is wanted now, and the live object. Out: the patch to send, or nothing
//! where it would change nothing; what the server will make of it; and the drift of a live object from what
//! was applied. Built-in kinds get strategic merge patches with each list's own key, all others JSON merge
//! patches.
//!
//! It must never drop a field that only the live object has, and never show a value of a Secret: errors name
//! fields and lists, drift hides the data of Secrets.

mod drift;
mod go_order;
mod json;
mod leave;
mod owners;
mod quantity;
mod schema;
mod strategic;
mod writer;

use serde_json::{Map, Value};

pub use drift::{Difference, Drift, drift};
pub use leave::leave;
pub use owners::{HELM, applier, taken_over};
use schema::{Node, Schema};
pub use writer::{Writer, writer};

/// The apiVersion and kind of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind<'o> {
    /// `apps/v1`, or `v1` for the core group.
    pub api_version: &'o str,
    /// `Deployment`.
    pub kind: &'o str,
}

impl<'o> Kind<'o> {
    /// The kind an object says it is; empty words where it does not say.
    #[must_use]
    pub fn of(object: &'o Value) -> Self {
        let word = |key| object.get(key).and_then(Value::as_str).unwrap_or_default();
        Self {
            api_version: word("apiVersion"),
            kind: word("kind"),
        }
    }

    /// How objects of this kind are patched.
    #[must_use]
    pub fn strategy(self) -> Strategy {
        match self.strategic() {
            Some(_) => Strategy::Strategic,
            None => Strategy::JsonMerge,
        }
    }

    // helm: pkg/kube/client.go createPatch; CustomResourceDefinitions of v1beta1 are the one built-in kind
    // that it patches as unstructured
    fn strategic(self) -> Option<Node> {
        if self.api_version == "apiextensions.k8s.io/v1beta1" {
            return None;
        }
        Schema::table().kind(self.api_version, self.kind)
    }
}

/// The kind of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Lists merge by their keys.
    Strategic,
    /// RFC 7386: lists are replaced.
    JsonMerge,
}

impl Strategy {
    /// The content type under which the API server takes such a patch.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Strategic => "application/strategic-merge-patch+json",
            Self::JsonMerge => "application/merge-patch+json",
        }
    }
}

/// A patch for one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// What kind of patch the body is.
    pub strategy: Strategy,
    /// The patch itself, an object.
    pub body: Value,
}

/// A patch that could not be computed or applied.
#[derive(Debug, thiserror::Error)]
#[error("{action} {object}")]
pub struct Error {
    action: &'static str,
    object: String,
    #[source]
    fault: Fault,
}

impl Error {
    fn new(action: &'static str, kind: Kind<'_>, object: &Value, fault: Fault) -> Self {
        let meta = |key| {
            object
                .pointer(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (namespace, name) = (meta("/metadata/namespace"), meta("/metadata/name"));
        let slash = if namespace.is_empty() { "" } else { "/" };
        Self {
            action,
            object: format!("{} {namespace}{slash}{name}", kind.kind),
            fault,
        }
    }

    /// What is wrong with the object.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        &self.fault
    }
}

/// What makes a patch impossible. No value of an object is ever part of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Something else than a JSON object was to be patched.
    #[error("the document is not an object")]
    NotAnObject,
    /// A field changed that the API does not have.
    #[error("the API has no field {field:?} in {structure}")]
    UnknownField {
        /// The Go struct, such as `PodSpec`.
        structure: String,
        /// The field.
        field: String,
    },
    /// A field changed below something that has no fields in the API.
    #[error("field {field:?} is inside a value that has no fields in the API")]
    NoFields {
        /// The field.
        field: String,
    },
    /// A list stands where the API has none.
    #[error("field {field:?} is a list on one side only")]
    NotAList {
        /// The field.
        field: String,
    },
    /// A list that merges has an element without its key.
    #[error("an element of the list {list:?} has no {merge_key:?}")]
    NoMergeKey {
        /// The list's field.
        list: String,
        /// The key its elements are told apart by.
        merge_key: String,
    },
    /// A list that merges holds elements of more than one type, or null.
    #[error("the elements of the list {list:?} are not all of one type")]
    MixedList {
        /// The list's field.
        list: String,
    },
    /// An object or a list stands where elements of a list are told apart by a scalar.
    #[error("an element of the list {list:?} has an object or a list for a key")]
    Incomparable {
        /// The list's field.
        list: String,
    },
    /// Lists of lists do not merge.
    #[error("lists of lists are not supported")]
    ListOfLists,
    /// An order without any elements to order.
    #[error("an order is given for the list {list:?}, which is empty")]
    EmptyLists {
        /// The list's field.
        list: String,
    },
    /// The elements of a patch do not stand in the order that it gives.
    #[error("the elements of the list {list:?} do not follow the order given with them")]
    Order {
        /// The list's field.
        list: String,
    },
    /// A `$patch`, `$retainKeys` or list directive that says nothing meaningful.
    #[error("a patch directive is malformed")]
    Directive,
    /// The patch would change what an object is.
    #[error("{field} cannot change")]
    Identity {
        /// `apiVersion`, `kind` or `metadata.name`.
        field: &'static str,
    },
    /// Two changes contradict each other.
    #[error("the changes conflict with the removals")]
    Conflict,
}

/// The patch that takes `live` to `target`: it sets what differs, removes what `previous` had and `target`
/// has not, and leaves alone what only `live` has. `previous` is the object as it was applied last; without
/// one, Helm takes the live object for it, so everything that `target` does not name is removed.
///
/// Nothing is returned where the server's object would stay as it is: an order that is already so, a null for
/// a field that is not there, a Secret's `stringData` that its `data` holds already.
///
/// # Errors
/// Where apimachinery refuses as well: unknown fields that changed, list elements without their merge key,
/// mixed lists; and for custom resources another name, kind or apiVersion.
// helm: pkg/kube/client.go update, createPatch
pub fn three_way(
    kind: Kind<'_>,
    previous: Option<&Value>,
    target: &Value,
    live: &Value,
) -> Result<Option<Patch>, Error> {
    let patch = raw_patch(kind, previous.unwrap_or(live), target, live)?;
    let mut patched = apply(kind, live, &patch)?;
    if kind.is_secret() {
        drift::fold_string_data(&mut patched);
    }
    Ok((patched != *live).then_some(patch))
}

/// What the server makes of `live` when it gets `patch`, before it fills in defaults.
///
/// # Errors
/// Where the server would refuse the patch for its form.
pub fn apply(kind: Kind<'_>, live: &Value, patch: &Patch) -> Result<Value, Error> {
    let result = match (patch.strategy, kind.strategic()) {
        (Strategy::Strategic, Some(node)) => object(live)
            .and_then(|live| strategic::apply(node, live, object(&patch.body)?))
            .map(Value::Object),
        (Strategy::JsonMerge, _) => Ok(json::apply(live, &patch.body)),
        (Strategy::Strategic, None) => Err(Fault::Directive),
    };
    result.map_err(|fault| Error::new("applying a patch to", kind, live, fault))
}

/// The patch as upstream computes it, also where it changes nothing.
fn raw_patch(
    kind: Kind<'_>,
    previous: &Value,
    target: &Value,
    live: &Value,
) -> Result<Patch, Error> {
    let body = || -> Result<Map<String, Value>, Fault> {
        let (previous, target, live) = (object(previous)?, object(target)?, object(live)?);
        match kind.strategic() {
            Some(node) => strategic::three_way(node, previous, target, live),
            None => json::three_way(previous, target, live),
        }
    };
    let body = body().map_err(|fault| Error::new("computing the patch of", kind, target, fault))?;
    Ok(Patch {
        strategy: kind.strategy(),
        body: Value::Object(body),
    })
}

fn object(value: &Value) -> Result<&Map<String, Value>, Fault> {
    value.as_object().ok_or(Fault::NotAnObject)
}
