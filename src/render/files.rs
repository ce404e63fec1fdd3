//! `.Files`: the files of a chart that are neither templates nor values.

use std::any::Any;
use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::data;
use super::glob::Glob;
use crate::chart::File;
use crate::template::{CallError, Function, Map, Object, Text, Type, Value, print};

/// helm: pkg/engine/files.go
pub(super) struct Files(Rc<Shared>);

struct Shared {
    all: Arc<Vec<File>>,
    /// The numbers of those that are seen, in the order of their names; all, once it is asked for.
    seen: OnceCell<Vec<usize>>,
    /// Made when a template first wants the map as such.
    entries: OnceCell<Map>,
}

/// Go's type of it as a map.
const ENTRIES: Type = Type::Map(&Type::BYTES);

impl Files {
    /// The value that templates see.
    pub(super) fn value(files: &Arc<Vec<File>>) -> Value {
        Shared::value(Arc::clone(files), OnceCell::new())
    }
}

impl Shared {
    fn value(all: Arc<Vec<File>>, seen: OnceCell<Vec<usize>>) -> Value {
        Value::Object(Rc::new(Files(Rc::new(Self {
            all,
            seen,
            entries: OnceCell::new(),
        }))))
    }

    fn seen(&self) -> &[usize] {
        self.seen.get_or_init(|| {
            let name = |number: &usize| self.all[*number].name.as_str();
            let mut seen: Vec<usize> = (0..self.all.len()).rev().collect();
            // of several with one name the last is the one
            seen.sort_by_key(name);
            seen.dedup_by_key(|number| name(number));
            seen
        })
    }

    /// The files that are seen, by name.
    fn iter(&self) -> impl Iterator<Item = (usize, &File)> {
        let numbers = self.seen().iter();
        numbers.map(|number| (*number, &self.all[*number]))
    }

    fn get(&self, name: &Text) -> &[u8] {
        let place = name.as_str().and_then(|name| {
            let compare = |number: &usize| self.all[*number].name.as_str().cmp(name);
            self.seen().binary_search_by(compare).ok()
        });
        place.map_or(&[], |place| &self.all[self.seen()[place]].data)
    }

    fn entries(&self) -> &Map {
        self.entries.get_or_init(|| {
            let entry = |(_, file): (_, &File)| {
                (
                    Text::from(file.name.as_str()),
                    Value::Bytes(Rc::from(&file.data[..])),
                )
            };
            Map::with_entries(ENTRIES, self.iter().map(entry).collect())
        })
    }

    fn glob(&self, pattern: &Text) -> Result<Value, CallError> {
        let glob = Glob::compile(pattern.as_bytes());
        let mut matching = Vec::new();
        for (number, file) in self.iter() {
            let matches = glob.matches(file.name.as_bytes());
            if matches.map_err(|stopped| CallError::new(stopped.to_string()))? {
                matching.push(number);
            }
        }
        Ok(Self::value(Arc::clone(&self.all), OnceCell::from(matching)))
    }

    fn lines(&self, name: &Text) -> Value {
        let file = self.get(name);
        if file.is_empty() {
            return Value::strings::<Text>([]);
        }
        let text = file.strip_suffix(b"\n").unwrap_or(file);
        Value::strings(text.split(|byte| *byte == b'\n').map(Text::from_bytes))
    }

    /// The YAML of a map from file names without folders to what `show` makes of the files; of two
    /// files of one name, the later path wins. (In Helm it is either, by chance.)
    fn yaml(&self, show: impl Fn(&[u8]) -> Text) -> Text {
        let map = Map::new(Type::STRING_MAP);
        for (_, file) in self.iter() {
            map.insert(base(&file.name), Value::String(show(&file.data)));
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
                Value::string(Text::from_bytes(files.get(name)))
            }),
            b"GetBytes" => with_name(files, |files, name| Value::Bytes(files.get(name).into())),
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
        !self.0.seen().is_empty()
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
