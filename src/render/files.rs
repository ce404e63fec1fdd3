//! `.Files`: the files of a chart that are neither templates nor values.

use std::any::Any;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::data;
use super::glob::Glob;
use crate::chart::File;
use crate::template::{CallError, Function, Map, Object, Text, Type, Value, print};

/// helm: pkg/engine/files.go
pub(super) struct Files(Rc<Shared>);

struct Shared {
    files: BTreeMap<String, Rc<[u8]>>,
    /// Made when a template first wants the map as such.
    entries: OnceCell<Map>,
}

/// Go's type of it as a map.
const ENTRIES: Type = Type::Map(&Type::BYTES);

impl Files {
    /// The value that templates see.
    pub(super) fn value(files: &[File]) -> Value {
        let files = files
            .iter()
            .map(|file| (file.name.clone(), Rc::from(&file.data[..])));
        Shared::value(files.collect())
    }
}

impl Shared {
    fn value(files: BTreeMap<String, Rc<[u8]>>) -> Value {
        Value::Object(Rc::new(Files(Rc::new(Self {
            files,
            entries: OnceCell::new(),
        }))))
    }

    fn get(&self, name: &Text) -> Rc<[u8]> {
        let file = name.as_str().and_then(|name| self.files.get(name));
        file.map_or_else(|| Rc::from(&[][..]), Rc::clone)
    }

    fn entries(&self) -> &Map {
        self.entries.get_or_init(|| {
            let entry = |(name, file): (&String, &Rc<[u8]>)| {
                (Text::from(name.as_str()), Value::Bytes(Rc::clone(file)))
            };
            Map::with_entries(ENTRIES, self.files.iter().map(entry).collect())
        })
    }

    fn glob(&self, pattern: &Text) -> Result<Value, CallError> {
        let glob = Glob::compile(pattern.as_bytes());
        let mut matching = BTreeMap::new();
        for (name, file) in &self.files {
            let matches = glob.matches(name.as_bytes());
            if matches.map_err(|stopped| CallError::new(stopped.to_string()))? {
                matching.insert(name.clone(), Rc::clone(file));
            }
        }
        Ok(Self::value(matching))
    }

    fn lines(&self, name: &Text) -> Value {
        let file = self.get(name);
        if file.is_empty() {
            return Value::strings::<Text>([]);
        }
        let text = file.strip_suffix(b"\n").unwrap_or(&file);
        Value::strings(text.split(|byte| *byte == b'\n').map(Text::from_bytes))
    }

    /// The YAML of a map from file names without folders to what `show` makes of the files; of two
    /// files of one name, the later path wins. (In Helm it is either, by chance.)
    fn yaml(&self, show: impl Fn(&[u8]) -> Text) -> Text {
        let map = Map::new(Type::STRING_MAP);
        for (path, file) in &self.files {
            map.insert(base(path), Value::String(show(file)));
        }
        data::to_yaml(&Value::Map(map)).unwrap_or_default()
    }
}

/// Go: path.Base, for paths that are not empty and do not end in a slash.
fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A method on a shared value, with one text for an argument.
fn with_name(files: Rc<Shared>, body: impl Fn(&Shared, &Text) -> Value + 'static) -> Function {
    Function::new(move |name: Text| body(&files, &name))
}

impl Object for Files {
    fn type_name(&self) -> &'static str {
        "engine.files"
    }

    fn kind(&self) -> &'static str {
        "map"
    }

    fn field(&self, name: &[u8]) -> Option<Value> {
        self.0.entries().get(name)
    }

    fn method(&self, name: &[u8]) -> Option<Function> {
        let files = Rc::clone(&self.0);
        Some(match name {
            b"Get" => with_name(files, |files, name| {
                Value::string(Text::from_bytes(&files.get(name)))
            }),
            b"GetBytes" => with_name(files, |files, name| Value::Bytes(files.get(name))),
            b"Glob" => Function::new(move |pattern: Text| files.glob(&pattern)),
            b"Lines" => with_name(files, Shared::lines),
            b"AsConfig" => Function::new(move || files.yaml(Text::from_bytes)),
            b"AsSecrets" => Function::new(move || files.yaml(|file| STANDARD.encode(file).into())),
            _ => return None,
        })
    }

    fn entries(&self) -> Option<Value> {
        Some(Value::Map(self.0.entries().clone()))
    }

    fn zero_entry(&self) -> Value {
        Value::Bytes(Rc::from(&[][..]))
    }

    fn is_true(&self) -> bool {
        !self.0.files.is_empty()
    }

    fn print(&self) -> Text {
        print::show(&Value::Map(self.0.entries().clone()))
    }

    fn to_data(&self) -> Result<Value, CallError> {
        Ok(Value::Map(self.0.entries().clone()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
