//! Drift: what a live object lacks of what was applied to it, field by field.
//!
//! Fields that only the live object has are nobody's drift. Values are compared as the server reads them: a
//! zero value equals a missing one, `1000m` equals `1`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::schema::{Field, Rule, Schema, Shape};
use super::{Error, Kind, apply, json, quantity, raw_patch};

/// The differences between what was applied and what is live; at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// By path.
    pub differences: Vec<Difference>,
}

impl Drift {
    /// Whether a difference is there that the server cannot have made itself. Where this is false, a dry run
    /// of the patch tells drift from a default: its result then equals the live object.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.differences.iter().any(|difference| difference.certain)
    }
}

/// One field that is not as it was applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// A JSON pointer. Indices of lists that merge by a key count in the wanted list.
    pub path: String,
    /// The value that was applied; nothing where the field was to be absent.
    pub wanted: Option<Value>,
    /// The live value; nothing where it is missing.
    pub found: Option<Value>,
    /// False where the server itself may be the cause: it fills in defaults inside lists that do not merge,
    /// and it drops fields that a schema does not have.
    pub certain: bool,
}

/// The text that stands for every value of a Secret.
const HIDDEN: &str = "(hidden)";

/// What of `applied` the live object no longer has, or nothing. The data of Secrets is hidden: the paths
/// say which keys differ.
///
/// # Errors
/// As [`super::three_way`].
pub fn drift(kind: Kind<'_>, applied: &Value, live: &Value) -> Result<Option<Drift>, Error> {
    let secret = kind.is_secret();
    let mut applied = applied.clone();
    strip_null_fields(&mut applied);
    if secret {
        fold_string_data(&mut applied);
    }
    let patch = raw_patch(kind, &applied, &applied, live)?;
    let repaired = apply(kind, live, &patch)?;
    let mut search = Search {
        schema: Schema::table(),
        builtin: kind.strategic().is_some(),
        found: Vec::new(),
    };
    search.compare(kind.root(), &Path::root(), Some(&repaired), Some(live));
    let mut differences = search.found;
    if secret {
        differences.iter_mut().for_each(hide);
    }
    differences.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((!differences.is_empty()).then_some(Drift { differences }))
}

impl Kind<'_> {
    pub(super) fn is_secret(self) -> bool {
        self.api_version == "v1" && self.kind == "Secret"
    }

    fn root(self) -> Shape {
        use super::schema::Node;
        match self.strategic() {
            Some(Node::Struct(number)) => Shape::Pointer(number),
            _ => Shape::Any,
        }
    }
}

/// A null in a manifest is a field that was not given: the server drops it when it creates the object.
fn strip_null_fields(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(strip_null_fields);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_null_fields),
        _ => {}
    }
}

/// `stringData` is written and never read back: the server moves it to `data`.
pub(super) fn fold_string_data(secret: &mut Value) {
    let Some(fields) = secret.as_object_mut() else {
        return;
    };
    let Some(Value::Object(texts)) = fields.remove("stringData") else {
        return;
    };
    let data = fields
        .entry("data")
        .or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(data) = data {
        for (key, text) in texts {
            if let Value::String(text) = text {
                data.insert(key, Value::String(STANDARD.encode(text)));
            }
        }
    }
}

fn hide(difference: &mut Difference) {
    let data = ["/data", "/stringData"];
    if data
        .iter()
        .any(|root| difference.path == *root || difference.path.starts_with(&format!("{root}/")))
    {
        for value in [&mut difference.wanted, &mut difference.found] {
            *value = value.take().map(|_| Value::String(HIDDEN.to_owned()));
        }
    }
}

/// A JSON pointer under construction.
struct Path(String);

impl Path {
    fn root() -> Self {
        Self(String::new())
    }

    fn key(&self, key: &str) -> Self {
        Self(format!(
            "{}/{}",
            self.0,
            key.replace('~', "~0").replace('/', "~1")
        ))
    }

    /// Whether this is a field of `metadata`.
    fn is_metadata(&self) -> bool {
        self.0
            .strip_prefix("/metadata/")
            .is_some_and(|field| !field.contains('/'))
    }

    fn index(&self, index: usize) -> Self {
        Self(format!("{}/{index}", self.0))
    }
}

/// The shape of what a map holds; of what is not declared, nothing is known.
fn element_of(shape: Shape) -> Shape {
    match shape {
        // what is empty is there all the same
        Shape::Map(Some(element)) => Shape::Pointer(element),
        // an empty label is there, a null one is not
        Shape::Map(None) => Shape::PointerToScalar,
        _ => Shape::Any,
    }
}

struct Search {
    schema: &'static Schema,
    builtin: bool,
    found: Vec<Difference>,
}

impl Search {
    fn compare(&mut self, shape: Shape, path: &Path, wanted: Option<&Value>, live: Option<&Value>) {
        let shape = match shape {
            Shape::Struct(number) if self.schema.is_opaque(number) => Shape::Pointer(number),
            shape => shape,
        };
        let wanted = wanted.filter(|value| !self.is_zero(shape, value));
        let live = live.filter(|value| !self.is_zero(shape, value));
        let empty = Value::Object(Map::new());
        let (wanted, live) = match (shape, wanted, live) {
            // a struct that is missing is an empty one
            (Shape::Struct(_), Some(wanted @ Value::Object(_)), None) => {
                (Some(wanted), Some(&empty))
            }
            (Shape::Struct(_), None, Some(live @ Value::Object(_))) => (Some(&empty), Some(live)),
            (_, wanted, live) => (wanted, live),
        };
        match (wanted, live) {
            (None, None) => {}
            (Some(Value::Object(wanted)), Some(Value::Object(live))) => {
                self.objects(shape, path, wanted, live)
            }
            (Some(Value::Array(old)), Some(Value::Array(new))) => self.lists(shape, path, old, new),
            (Some(wanted), Some(live)) if self.same_scalar(shape, wanted, live) => {}
            (wanted, live) => {
                // the server prunes what its schema does not have; that of custom resources is not known here
                let pruned = shape == Shape::Any && (self.builtin || live.is_none());
                self.report(path, wanted, live, !pruned);
            }
        }
    }

    fn report(
        &mut self,
        path: &Path,
        wanted: Option<&Value>,
        found: Option<&Value>,
        certain: bool,
    ) {
        self.found.push(Difference {
            path: path.0.clone(),
            wanted: wanted.cloned(),
            found: found.cloned(),
            certain,
        });
    }

    fn objects(
        &mut self,
        shape: Shape,
        path: &Path,
        wanted: &Map<String, Value>,
        live: &Map<String, Value>,
    ) {
        let added = live.keys().filter(|key| !wanted.contains_key(*key));
        for key in wanted.keys().chain(added) {
            let (wanted, live, path) = (wanted.get(key), live.get(key), path.key(key));
            match self.field(shape, &path, key) {
                Some(Field {
                    shape: Shape::List(element),
                    rule: Rule::Merge,
                    merge_key,
                    ..
                }) => {
                    self.merging_list(*element, merge_key, &path, wanted, live);
                }
                Some(field) => {
                    let before = self.found.len();
                    self.compare(field.shape, &path, wanted, live);
                    if field.retain_keys {
                        // A patch clears what is not named beside its keys, and the server fills in
                        // its defaults again.
                        let added = self.found[before..].iter_mut();
                        added
                            .filter(|difference| difference.wanted.is_none())
                            .for_each(|difference| difference.certain = false);
                    }
                }
                None => self.compare(element_of(shape), &path, wanted, live),
            }
        }
    }

    fn field(&self, shape: Shape, path: &Path, key: &str) -> Option<&'static Field> {
        let number = match shape {
            Shape::Struct(number) | Shape::Pointer(number) => number,
            // custom resources have the metadata of all objects
            Shape::Any if !self.builtin && path.is_metadata() => self.schema.object_meta()?,
            _ => return None,
        };
        self.schema.field(number, key)
    }

    /// Lists that merge: objects are paired by key, and their order counts; scalars are a set.
    fn merging_list(
        &mut self,
        element: Option<usize>,
        merge_key: &str,
        path: &Path,
        wanted: Option<&Value>,
        live: Option<&Value>,
    ) {
        let shape = Shape::List(element);
        let (Some(Value::Array(new)), Some(Value::Array(old))) = (wanted, live) else {
            return self.compare(shape, path, wanted, live);
        };
        let key = |item: &Value| {
            if merge_key.is_empty() {
                Some(item.clone())
            } else {
                item.get(merge_key).cloned()
            }
        };
        let same_keys =
            new.len() == old.len() && new.iter().zip(old).all(|(a, b)| key(a) == key(b));
        if same_keys {
            let inner = element.map_or(Shape::Any, Shape::Struct);
            for (i, (wanted, live)) in new.iter().zip(old).enumerate() {
                self.compare(inner, &path.index(i), Some(wanted), Some(live));
            }
            return;
        }
        let missing: Vec<usize> = (0..new.len())
            .filter(|i| !old.iter().any(|item| key(item) == key(&new[*i])))
            .collect();
        if missing.is_empty() && !merge_key.is_empty() {
            return self.report(path, wanted, live, true);
        }
        for i in missing {
            self.report(&path.index(i), Some(&new[i]), None, true);
        }
    }

    /// Lists that are replaced as a whole.
    fn lists(&mut self, shape: Shape, path: &Path, wanted: &[Value], live: &[Value]) {
        let inner = match shape {
            Shape::List(Some(element)) => Shape::Struct(element),
            _ => Shape::Any,
        };
        let mut nested = Self {
            schema: self.schema,
            builtin: self.builtin,
            found: Vec::new(),
        };
        if wanted.len() == live.len() {
            for (i, (wanted, live)) in wanted.iter().zip(live).enumerate() {
                nested.compare(inner, &path.index(i), Some(wanted), Some(live));
            }
            // elements that only have more than was applied may have been given defaults
            let defaulted = nested
                .found
                .iter()
                .all(|difference| difference.wanted.is_none());
            for difference in &mut nested.found {
                difference.certain &= !defaulted;
            }
            self.found.append(&mut nested.found);
        } else {
            let array = |items: &[Value]| Value::Array(items.to_vec());
            self.report(path, Some(&array(wanted)), Some(&array(live)), true);
        }
    }

    fn same_scalar(&self, shape: Shape, wanted: &Value, live: &Value) -> bool {
        let quantity = match shape {
            Shape::Struct(number) | Shape::Pointer(number) => {
                self.schema.name(number) == "Quantity"
            }
            _ => false,
        };
        json::same(wanted, live) || quantity && quantity::same(wanted, live)
    }

    /// Whether the server reads a value as it reads a missing field.
    fn is_zero(&self, shape: Shape, value: &Value) -> bool {
        match (shape, value) {
            (_, Value::Null) => true,
            (Shape::Bool, Value::Bool(b)) => !b,
            (Shape::Number, Value::Number(n)) => n.as_f64() == Some(0.0),
            (Shape::Text, Value::String(text)) => text.is_empty(),
            (Shape::List(None), Value::String(bytes)) => bytes.is_empty(),
            (Shape::List(_) | Shape::ListOfLists, Value::Array(items)) => items.is_empty(),
            (Shape::Map(_), Value::Object(fields)) => fields.is_empty(),
            (Shape::Struct(number), Value::Object(fields)) if !self.schema.is_opaque(number) => {
                fields.iter().all(|(key, value)| {
                    self.schema
                        .field(number, key)
                        .is_some_and(|field| self.is_zero(field.shape, value))
                })
            }
            _ => false,
        }
    }
}
