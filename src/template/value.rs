//! What a template sees: Go's values, as far as Helm's charts can get hold of them.
//!
//! Maps and lists are shared, mutable handles, as in Go: `set $d "k" "v"` is seen by everyone who
//! holds `$d`. Numbers keep Go's types, because `printf`, `kindOf`, `eq` and `toYaml` show them.

use std::cell::{Ref, RefCell, RefMut};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use super::function::CallError;
use super::text::Text;

/// A Go value.
#[derive(Clone, Default)]
pub enum Value {
    /// The untyped nil: a JSON null, a missing map key, a function's nil result.
    #[default]
    Nil,
    /// A Go bool.
    Bool(bool),
    /// A Go integer with a sign, of the kind that Go gives it.
    Int(IntKind, i64),
    /// A Go integer without a sign.
    Uint(UintKind, u64),
    /// A Go float.
    Float(FloatKind, f64),
    /// A Go string.
    String(Text),
    /// A `[]byte`.
    Bytes(Rc<[u8]>),
    /// A slice.
    List(List),
    /// A map with string keys (templates cannot make another).
    Map(Map),
    /// A Go value with fields or methods of its own: `.Files`, a `time.Time`, a certificate.
    Object(Rc<dyn Object>),
}

/// Go's integers with a sign. `rune` is `Int32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum IntKind {
    Int,
    Int8,
    Int16,
    Int32,
    Int64,
}

/// Go's integers without a sign. `byte` is `Uint8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum UintKind {
    Uint,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Uintptr,
}

/// Go's floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum FloatKind {
    Float32,
    Float64,
}

impl IntKind {
    /// The name that Go gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
        }
    }
}

impl UintKind {
    /// The name that Go gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uint => "uint",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Uintptr => "uintptr",
        }
    }
}

impl FloatKind {
    /// The name that Go gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Float64 => "float64",
        }
    }
}

/// A Go type, as `%T`, `typeOf` and error texts show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `interface {}`
    Any,
    /// `bool`
    Bool,
    /// `int`, `int64`, ...
    Int(IntKind),
    /// `uint`, `uint8`, ...
    Uint(UintKind),
    /// `float32`, `float64`
    Float(FloatKind),
    /// `string`
    String,
    /// `[]T`
    Slice(&'static Type),
    /// `map[string]T`
    Map(&'static Type),
    /// A named type by the name Go prints, such as `common.Values` (a map), `time.Time` (an object).
    Named(&'static str),
}

impl Type {
    /// `[]interface {}`
    pub const ANY_SLICE: Self = Self::Slice(&Self::Any);
    /// `[]string`
    pub const STRING_SLICE: Self = Self::Slice(&Self::String);
    /// `[]uint8`
    pub const BYTES: Self = Self::Slice(&Self::Uint(UintKind::Uint8));
    /// `map[string]interface {}`
    pub const ANY_MAP: Self = Self::Map(&Self::Any);
    /// `map[string]string`
    pub const STRING_MAP: Self = Self::Map(&Self::String);
    /// `int`
    pub const INT: Self = Self::Int(IntKind::Int);
    /// `int64`
    pub const INT64: Self = Self::Int(IntKind::Int64);
    /// `float64`
    pub const FLOAT64: Self = Self::Float(FloatKind::Float64);
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("interface {}"),
            Self::Bool => f.write_str("bool"),
            Self::Int(kind) => f.write_str(kind.name()),
            Self::Uint(kind) => f.write_str(kind.name()),
            Self::Float(kind) => f.write_str(kind.name()),
            Self::String => f.write_str("string"),
            Self::Slice(element) => write!(f, "[]{element}"),
            Self::Map(element) => write!(f, "map[string]{element}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

impl Type {
    /// Whether it is `interface {}`.
    pub fn is_any(&self) -> bool {
        matches!(self, Self::Any)
    }

    /// The type of a slice's or map's items; of those that are only named, `interface {}`.
    pub fn element(&self) -> Self {
        match self {
            Self::Slice(element) | Self::Map(element) => **element,
            _ => Self::Any,
        }
    }

    /// The zero value of the type, as Go's `reflect.Zero` makes it.
    pub fn zero(self) -> Value {
        match self {
            Self::Any | Self::Named(_) => Value::Nil,
            Self::Bool => Value::Bool(false),
            Self::Int(kind) => Value::Int(kind, 0),
            Self::Uint(kind) => Value::Uint(kind, 0),
            Self::Float(kind) => Value::Float(kind, 0.0),
            Self::String => Value::String(Text::default()),
            Self::BYTES => Value::Bytes(Rc::from(&[][..])),
            Self::Slice(_) => Value::List(List::nil(self)),
            Self::Map(_) => Value::Map(Map::nil(self)),
        }
    }
}

impl Value {
    /// A Go `int`.
    pub fn int(number: i64) -> Self {
        Self::Int(IntKind::Int, number)
    }

    /// A Go `int64`.
    pub fn int64(number: i64) -> Self {
        Self::Int(IntKind::Int64, number)
    }

    /// A Go `float64`.
    pub fn float64(number: f64) -> Self {
        Self::Float(FloatKind::Float64, number)
    }

    /// A Go `uint8`.
    pub fn byte(byte: u8) -> Self {
        Self::Uint(UintKind::Uint8, u64::from(byte))
    }

    /// A Go string.
    pub fn string(text: impl Into<Text>) -> Self {
        Self::String(text.into())
    }

    /// A `[]interface {}` of these items.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::new(Type::ANY_SLICE, items))
    }

    /// A `[]string` of these texts.
    pub fn strings<T: Into<Text>>(items: impl IntoIterator<Item = T>) -> Self {
        let items = items.into_iter().map(Self::string).collect();
        Self::List(List::new(Type::STRING_SLICE, items))
    }

    /// The Go type of the value; `None` for the untyped nil.
    pub fn type_of(&self) -> Option<Type> {
        Some(match self {
            Self::Nil => return None,
            Self::Bool(_) => Type::Bool,
            Self::Int(kind, _) => Type::Int(*kind),
            Self::Uint(kind, _) => Type::Uint(*kind),
            Self::Float(kind, _) => Type::Float(*kind),
            Self::String(_) => Type::String,
            Self::Bytes(_) => Type::BYTES,
            Self::List(list) => list.type_of(),
            Self::Map(map) => map.type_of(),
            Self::Object(object) => Type::Named(object.type_name()),
        })
    }

    /// Whether this is the untyped nil.
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }

    /// The Go type as `%T` shows it: `<nil>` for the untyped nil.
    pub fn type_name(&self) -> String {
        self.type_of()
            .map_or_else(|| "<nil>".to_owned(), |go_type| go_type.to_string())
    }

    fn is_container(&self) -> bool {
        matches!(self, Self::List(_) | Self::Map(_))
    }

    /// Go's reflect kind: `string`, `map`, `slice`, `int64`, ...; `invalid` for the untyped nil.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "invalid",
            Self::Bool(_) => "bool",
            Self::Int(kind, _) => kind.name(),
            Self::Uint(kind, _) => kind.name(),
            Self::Float(kind, _) => kind.name(),
            Self::String(_) => "string",
            Self::Bytes(_) | Self::List(_) => "slice",
            Self::Map(_) => "map",
            Self::Object(object) => object.kind(),
        }
    }

    /// The value of a JSON tree. A number that JSON writes as an integer is an `int64` (as
    /// `--set` makes them), any other a `float64`; whoever wants JSON's own rule, where all
    /// numbers are `float64`, hands in a tree of floats.
    pub fn from_json(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Nil,
            serde_json::Value::Bool(truth) => Self::Bool(*truth),
            serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(signed), _) => Self::int64(signed),
                (None, Some(unsigned)) => Self::Uint(UintKind::Uint64, unsigned),
                (None, None) => Self::float64(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Self::string(text.as_str()),
            serde_json::Value::Array(items) => {
                Self::list(items.iter().map(Self::from_json).collect())
            }
            serde_json::Value::Object(entries) => Self::Map(Map::from_json(entries)),
        }
    }
}

impl fmt::Debug for Value {
    /// The type, and what `%v` shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.type_name(), super::print::show(self))
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl From<List> for Value {
    fn from(list: List) -> Self {
        Self::List(list)
    }
}

/// A Go slice: a shared handle on its items.
#[derive(Clone)]
pub struct List(Rc<ListData>);

struct ListData {
    slice_type: Type,
    nil: bool,
    items: RefCell<Vec<Value>>,
}

impl Drop for ListData {
    fn drop(&mut self) {
        let items = self.items.get_mut();
        if items.iter().any(Value::is_container) {
            bury(std::mem::take(items));
        }
    }
}

/// Drops values without recursion: a template can nest lists deeper than any stack.
fn bury(mut values: Vec<Value>) {
    while let Some(value) = values.pop() {
        match value {
            Value::List(mut list) => {
                if let Some(data) = Rc::get_mut(&mut list.0) {
                    values.append(data.items.get_mut());
                }
            }
            Value::Map(mut map) => {
                if let Some(data) = Rc::get_mut(&mut map.0) {
                    values.extend(std::mem::take(data.entries.get_mut()).into_values());
                }
            }
            _ => {}
        }
    }
}

impl List {
    /// A slice of the given type ([`Type::ANY_SLICE`] for most).
    pub fn new(slice_type: Type, items: Vec<Value>) -> Self {
        Self(Rc::new(ListData {
            slice_type,
            nil: false,
            items: RefCell::new(items),
        }))
    }

    /// The nil slice of this type: empty, false, and `null` in JSON.
    pub fn nil(slice_type: Type) -> Self {
        Self(Rc::new(ListData {
            slice_type,
            nil: true,
            items: RefCell::default(),
        }))
    }

    /// Whether this is the nil slice.
    pub fn is_nil(&self) -> bool {
        self.0.nil
    }

    /// The slice's Go type.
    pub fn type_of(&self) -> Type {
        self.0.slice_type
    }

    /// The items, borrowed: do not call into a template while holding this.
    pub fn items(&self) -> Ref<'_, Vec<Value>> {
        self.0.items.borrow()
    }

    /// The items, to be changed in place, for every holder of the slice.
    pub fn items_mut(&self) -> RefMut<'_, Vec<Value>> {
        self.0.items.borrow_mut()
    }

    /// The items, copied out.
    pub fn to_vec(&self) -> Vec<Value> {
        self.0.items.borrow().clone()
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.0.items.borrow().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The item at this index.
    pub fn get(&self, index: usize) -> Option<Value> {
        self.0.items.borrow().get(index).cloned()
    }

    /// Whether both are the same slice, not merely equal ones.
    pub fn same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// A Go map with string keys: a shared handle on its entries, kept in the order in which Go ranges
/// over and prints them.
#[derive(Clone)]
pub struct Map(Rc<MapData>);

struct MapData {
    map_type: Type,
    nil: bool,
    entries: RefCell<BTreeMap<Text, Value>>,
    /// The map whose entries these are, if this is it under another type.
    seen_through: Option<Map>,
}

impl Drop for MapData {
    fn drop(&mut self) {
        let entries = self.entries.get_mut();
        if entries.values().any(Value::is_container) {
            bury(std::mem::take(entries).into_values().collect());
        }
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::new(Type::ANY_MAP)
    }
}

impl Map {
    /// An empty map of the given type ([`Type::ANY_MAP`] for most, `Type::Named("common.Values")`
    /// for Helm's).
    pub fn new(map_type: Type) -> Self {
        Self::with_entries(map_type, BTreeMap::new())
    }

    /// A map of the given type with these entries.
    pub fn with_entries(map_type: Type, entries: BTreeMap<Text, Value>) -> Self {
        Self(Rc::new(MapData {
            map_type,
            nil: false,
            entries: RefCell::new(entries),
            seen_through: None,
        }))
    }

    /// The nil map of this type: empty, false, `null` in JSON, and not to be written to.
    pub fn nil(map_type: Type) -> Self {
        Self(Rc::new(MapData {
            map_type,
            nil: true,
            entries: RefCell::default(),
            seen_through: None,
        }))
    }

    /// A `map[string]interface {}` of these entries; numbers as in [`Value::from_json`].
    pub fn from_json(entries: &serde_json::Map<String, serde_json::Value>) -> Self {
        let entries = entries
            .iter()
            .map(|(k, v)| (Text::from(k.as_str()), Value::from_json(v)))
            .collect();
        Self::with_entries(Type::ANY_MAP, entries)
    }

    /// The same entries (shared values, own set of keys) under another Go type.
    pub fn retyped(&self, map_type: Type) -> Self {
        Self::with_entries(map_type, self.entries().clone())
    }

    /// The same map under another Go type, as Go's conversion of a named map type makes it: what is
    /// set through either is seen by both.
    pub fn seen_as(&self, map_type: Type) -> Self {
        if self.type_of() == map_type {
            return self.clone();
        }
        Self(Rc::new(MapData {
            map_type,
            nil: self.is_nil(),
            entries: RefCell::default(),
            seen_through: Some(self.origin().clone()),
        }))
    }

    /// The map that holds the entries.
    fn origin(&self) -> &Self {
        self.0.seen_through.as_ref().unwrap_or(self)
    }

    fn cell(&self) -> &RefCell<BTreeMap<Text, Value>> {
        &self.origin().0.entries
    }

    /// Whether the type has a name of its own, and so may have methods.
    pub fn is_named(&self) -> bool {
        matches!(self.0.map_type, Type::Named(_))
    }

    /// Whether the items are of type `interface {}`.
    pub fn holds_any(&self) -> bool {
        match &self.0.map_type {
            Type::Map(element) => element.is_any(),
            _ => true,
        }
    }

    /// Whether this is the nil map.
    pub fn is_nil(&self) -> bool {
        self.0.nil
    }

    /// The map's Go type.
    pub fn type_of(&self) -> Type {
        self.0.map_type
    }

    /// The value under a key.
    pub fn get(&self, key: &[u8]) -> Option<Value> {
        self.cell().borrow().get(key).cloned()
    }

    /// Whether there is such a key.
    pub fn contains_key(&self, key: &[u8]) -> bool {
        self.cell().borrow().contains_key(key)
    }

    /// Sets the value under a key, for every holder of the map.
    pub fn insert(&self, key: impl Into<Text>, value: impl Into<Value>) {
        self.cell().borrow_mut().insert(key.into(), value.into());
    }

    /// Takes a key out, for every holder of the map.
    pub fn remove(&self, key: &[u8]) -> Option<Value> {
        self.cell().borrow_mut().remove(key)
    }

    /// The entries in key order, borrowed: do not call into a template while holding this.
    pub fn entries(&self) -> Ref<'_, BTreeMap<Text, Value>> {
        self.cell().borrow()
    }

    /// The entries, to be changed in place, for every holder of the map.
    pub fn entries_mut(&self) -> RefMut<'_, BTreeMap<Text, Value>> {
        self.cell().borrow_mut()
    }

    /// The keys in order, copied out.
    pub fn keys(&self) -> Vec<Text> {
        self.cell().borrow().keys().cloned().collect()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.cell().borrow().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both are the same map, not merely equal ones.
    pub fn same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.origin().0, &other.origin().0)
    }
}

/// A Go value with fields or methods of its own (`.Files`, `.Capabilities`, `time.Time`).
pub trait Object {
    /// The Go type as `%T` prints it: `engine.files`, `*common.Capabilities`, `time.Time`.
    fn type_name(&self) -> &'static str;

    /// Go's reflect kind: `struct`, `ptr`, `map`, `slice`, `int64`, ... as `kindOf` prints it.
    fn kind(&self) -> &'static str;

    /// The exported field, or the entry if the kind is a map; `None` where there is none.
    fn field(&self, name: &[u8]) -> Option<Value>;

    /// The method of this name; its arguments are checked against its signature as Go does.
    fn method(&self, name: &[u8]) -> Option<super::function::Function>;

    /// The entries, if the value can be ranged over or indexed like a map or slice.
    fn entries(&self) -> Option<Value> {
        None
    }

    /// If the kind is a map: what a key that is not there yields, the zero value of its items.
    fn zero_entry(&self) -> Value {
        Value::Nil
    }

    /// Go's truth: a struct is always true, an empty map or slice and a nil pointer are not.
    fn is_true(&self) -> bool {
        true
    }

    /// What `print` and `%v` show of a value that has a `String` method. It is not asked where
    /// [`Object::fields`] or [`Object::entries`] are, from which fmt makes what it shows.
    fn print(&self) -> Text;

    /// If the kind is a struct without a `String` method, or a pointer to one: its fields in
    /// order, for fmt.
    fn fields(&self) -> Option<Vec<(&'static str, Value)>> {
        None
    }

    /// If it is a struct with a `String` method, or a pointer to one: its fields, for the verbs that
    /// do not ask that method (`%d`).
    fn raw_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        None
    }

    /// What `%#v` shows of a value that has a `GoString` method.
    fn go_syntax(&self) -> Option<Text> {
        None
    }

    /// What an action prints, if the pointer to the value has a `String` method and the value has
    /// not: an action takes the address of a struct's field, which a function's argument lost.
    fn pointer_text(&self) -> Option<Text> {
        None
    }

    /// If the kind is that of a whole number: a value of the same type with this number.
    fn counted(&self, _number: i64) -> Option<Value> {
        None
    }

    /// The value as `toJson` and `toYaml` see it.
    fn to_data(&self) -> Result<Value, CallError>;

    /// If `toJson` writes its fields in another order than that of their names: the fields under
    /// their JSON names.
    fn json_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        None
    }

    /// What a function gets of it, if that is something else: a copy of a struct's field has not
    /// the methods of the pointer to it.
    fn without_address(&self) -> Option<Value> {
        None
    }

    /// What `deepCopy` makes of it, if that is something else: fields that are not exported stay
    /// behind.
    fn deep_copy(&self) -> Option<Value> {
        None
    }

    /// Itself, so that the function that knows the Rust type can take it back
    /// (`date` a time, `genSignedCert` a certificate).
    fn as_any(&self) -> &dyn std::any::Any;
}
