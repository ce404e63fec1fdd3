//! The data of the cases: JSON with hints of Go types, and the objects that tests/oracle/template
//! has as Go structs.

use std::any::Any;
use std::rc::Rc;

use pintle::template::{
    CallError, FloatKind, Function, IntKind, List, Map, Object, Rest, Text, Type, UintKind, Value,
};
use serde_json::Value as Json;

/// The value that the oracle's function of the same name makes.
pub(crate) fn value(json: &Json) -> Value {
    match json {
        Json::Array(items) => Value::list(items.iter().map(value).collect()),
        Json::Object(entries) => match entries.iter().next() {
            Some((key, hinted)) if entries.len() == 1 && key.starts_with('$') => typed(key, hinted),
            _ => Value::Map(map(Type::ANY_MAP, json)),
        },
        _ => Value::from_json(json),
    }
}

fn map(map_type: Type, json: &Json) -> Map {
    let map = Map::new(map_type);
    for (key, item) in json.as_object().unwrap() {
        map.insert(key.as_str(), value(item));
    }
    map
}

fn bytes_of_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text
        .chars()
        .map(|digit| digit.to_digit(16).unwrap())
        .collect();
    digits
        .chunks(2)
        .map(|pair| (pair[0] * 16 + pair[1]) as u8)
        .collect()
}

fn typed(hint: &str, json: &Json) -> Value {
    let integer = || json.as_i64().unwrap();
    let text = || json.as_str().unwrap();
    let float = || match json {
        Json::String(text) => text.parse::<f64>().unwrap(),
        number => number.as_f64().unwrap(),
    };
    match hint {
        "$int" => Value::int(integer()),
        "$int8" => Value::Int(IntKind::Int8, integer()),
        "$int16" => Value::Int(IntKind::Int16, integer()),
        "$int32" => Value::Int(IntKind::Int32, integer()),
        "$uint" => Value::Uint(UintKind::Uint, integer() as u64),
        "$uint8" => Value::Uint(UintKind::Uint8, integer() as u64),
        "$uint64" => Value::Uint(UintKind::Uint64, json.as_u64().unwrap()),
        "$float64" => Value::float64(float()),
        "$float32" => Value::Float(FloatKind::Float32, f64::from(float() as f32)),
        "$hex" => Value::string(bytes_of_hex(text())),
        "$bytes" => Value::Bytes(text().as_bytes().into()),
        "$strings" => Value::strings(
            json.as_array()
                .unwrap()
                .iter()
                .map(|item| item.as_str().unwrap()),
        ),
        "$stringmap" => Value::Map(map(Type::STRING_MAP, json)),
        "$nilmap" => Value::Map(Map::nil(Type::ANY_MAP)),
        "$nillist" => Value::List(List::nil(Type::ANY_SLICE)),
        "$values" => Value::Map(map(VALUES, json)),
        "$point" => Value::Object(Rc::new(Point {
            kind: "struct",
            x: 3,
            name: "p",
            any: Value::Nil,
        })),
        "$pointer" => Value::Object(Rc::new(Point {
            kind: "ptr",
            x: 4,
            name: "q",
            any: Value::string("any"),
        })),
        "$files" => Value::Object(Rc::new(Files(map(Type::Map(&Type::BYTES), json)))),
        _ => panic!("no such hint: {hint}"),
    }
}

/// The named map type of the oracle.
pub(crate) const VALUES: Type = Type::Named("main.Values");

struct Point {
    kind: &'static str,
    x: i64,
    name: &'static str,
    any: Value,
}

impl Object for Point {
    fn type_name(&self) -> &'static str {
        match self.kind {
            "ptr" => "*main.Point",
            _ => "main.Point",
        }
    }

    fn kind(&self) -> &'static str {
        self.kind
    }

    fn field(&self, name: &[u8]) -> Option<Value> {
        match name {
            b"X" => Some(Value::int(self.x)),
            b"Name" => Some(Value::string(self.name)),
            b"Any" => Some(self.any.clone()),
            _ => None,
        }
    }

    fn method(&self, name: &[u8]) -> Option<Function> {
        let (x, point_name) = (self.x as isize, self.name);
        match name {
            b"Plus" => Some(Function::new(move |n: isize| x + n)),
            b"Join" => Some(Function::new(
                move |separator: Text, Rest(parts): Rest<Text>| {
                    let parts: Vec<&[u8]> = parts.iter().map(Text::as_bytes).collect();
                    let joined = parts.join(separator.as_bytes());
                    Text::from([point_name.as_bytes(), separator.as_bytes(), &joined].concat())
                },
            )),
            b"Fail" => Some(Function::new(|| {
                Err::<Text, _>(CallError::new("point fails"))
            })),
            _ => None,
        }
    }

    fn print(&self) -> Text {
        Text::default()
    }

    fn fields(&self) -> Option<Vec<(&'static str, Value)>> {
        let (x, name) = (Value::int(self.x), Value::string(self.name));
        Some(vec![("X", x), ("Name", name), ("Any", self.any.clone())])
    }

    fn to_data(&self) -> Result<Value, CallError> {
        Ok(Value::string(self.name))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct Files(Map);

impl Object for Files {
    fn type_name(&self) -> &'static str {
        "main.Files"
    }

    fn kind(&self) -> &'static str {
        "map"
    }

    fn field(&self, name: &[u8]) -> Option<Value> {
        Some(bytes(self.0.get(name)?))
    }

    fn method(&self, name: &[u8]) -> Option<Function> {
        let map = self.0.clone();
        (name == b"Get").then(|| {
            Function::new(move |name: Text| map.get(name.as_bytes()).unwrap_or(Value::string("")))
        })
    }

    fn entries(&self) -> Option<Value> {
        let entries = self.0.entries();
        let entries = entries
            .iter()
            .map(|(key, item)| (key.clone(), bytes(item.clone())));
        Some(Value::Map(Map::with_entries(
            Type::Map(&Type::BYTES),
            entries.collect(),
        )))
    }

    fn zero_entry(&self) -> Value {
        Value::Bytes(Rc::from(&[][..]))
    }

    fn is_true(&self) -> bool {
        !self.0.is_empty()
    }

    fn print(&self) -> Text {
        pintle::template::print::show(&self.entries().unwrap())
    }

    fn to_data(&self) -> Result<Value, CallError> {
        Ok(self.entries().unwrap())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn bytes(value: Value) -> Value {
    match value {
        Value::String(text) => Value::Bytes(text.as_bytes().into()),
        other => other,
    }
}
