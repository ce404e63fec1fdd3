//! Versions, and whether they satisfy a constraint.

use std::any::Any;
use std::rc::Rc;

use crate::semver::{Constraint, Error, Version};
use crate::template::{CallError, Function, Object, Text, Type, UintKind, Value, quote};

pub(super) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        (
            "semver",
            Function::new(|text: Text| match Version::parse(&text.to_str_lossy()) {
                Ok(version) => Ok(GoVersion::pointer(version)),
                Err(error) => Err(failed(error)),
            }),
        ),
        (
            "semverCompare",
            Function::new(|constraint: Text, version: Text| {
                let Some(text) = constraint.as_str() else {
                    // What is no UTF-8 is no constraint, and shown as it is.
                    let quoted = quote::quote(&constraint);
                    let error = Error::ImproperConstraint(String::from_utf8_lossy(&quoted).into());
                    return Err(failed(error));
                };
                let constraint = Constraint::parse(text).map_err(failed)?;
                let version = Version::parse(&version.to_str_lossy()).map_err(failed)?;
                Ok(constraint.check(&version))
            }),
        ),
    ]
}

fn failed(error: Error) -> CallError {
    CallError::new(error.to_string())
}

/// The type of the pointers that the library's functions take.
const POINTER: &str = "*semver.Version";

/// A version as templates see it: a pointer, or what the library's `Inc` functions give back.
struct GoVersion {
    version: Version,
    is_pointer: bool,
}

impl GoVersion {
    fn pointer(version: Version) -> Value {
        Value::Object(std::rc::Rc::new(Self {
            version,
            is_pointer: true,
        }))
    }

    fn plain(version: Version) -> Value {
        Value::Object(std::rc::Rc::new(Self {
            version,
            is_pointer: false,
        }))
    }

    /// A method without parameters.
    fn getter(&self, get: impl Fn(&Version) -> Result<Value, CallError> + 'static) -> Function {
        let version = self.version.clone();
        Function::with_machine(Vec::new(), None, move |_, _| get(&version))
    }

    /// A method that compares with another version.
    fn comparison(&self, compare: impl Fn(std::cmp::Ordering) -> Value + 'static) -> Function {
        let version = self.version.clone();
        Function::with_machine(
            vec![Type::Named(POINTER)],
            None,
            move |_, values| match version_of(&values[0]) {
                Some(other) => Ok(compare(version.cmp(&other.version))),
                None => super::lists::not_nil(&Value::Nil).map(|()| Value::Nil),
            },
        )
    }

    /// A method that gives back the next version of some kind.
    fn next(&self, name: &'static str, next: fn(&Version) -> Option<Version>) -> Function {
        self.getter(move |version| match next(version) {
            Some(next) => Ok(Self::plain(next)),
            None => Err(CallError::new(format!(
                "{name} version increment would overflow uint64"
            ))),
        })
    }

    /// A method that gives back the version with a part replaced.
    fn with(&self, replace: fn(&Version, &str) -> Result<Version, Error>) -> Function {
        let version = self.version.clone();
        Function::new(move |part: Text| {
            replace(&version, &part.to_str_lossy())
                .map(Self::plain)
                .map_err(failed)
        })
    }
}

fn version_of(value: &Value) -> Option<&GoVersion> {
    match value {
        Value::Object(object) => object.as_any().downcast_ref(),
        _ => None,
    }
}

impl Object for GoVersion {
    fn type_name(&self) -> &'static str {
        if self.is_pointer {
            POINTER
        } else {
            "semver.Version"
        }
    }

    fn kind(&self) -> &'static str {
        if self.is_pointer { "ptr" } else { "struct" }
    }

    fn field(&self, _name: &[u8]) -> Option<Value> {
        None
    }

    fn method(&self, name: &[u8]) -> Option<Function> {
        let number = |get: fn(&Version) -> u64| {
            self.getter(move |version| Ok(Value::Uint(UintKind::Uint64, get(version))))
        };
        let text = |get: fn(&Version) -> String| {
            self.getter(move |version| Ok(Value::string(get(version))))
        };
        Some(match name {
            b"Major" => number(|version| version.major),
            b"Minor" => number(|version| version.minor),
            b"Patch" => number(|version| version.patch),
            b"Prerelease" => text(|version| version.prerelease.clone()),
            b"Metadata" => text(|version| version.metadata.clone()),
            b"String" => text(Version::to_string),
            b"IncMajor" => self.next("major", Version::next_major),
            b"IncMinor" => self.next("minor", Version::next_minor),
            b"IncPatch" => self.next("patch", Version::next_patch),
            b"SetPrerelease" => self.with(Version::with_prerelease),
            b"SetMetadata" => self.with(Version::with_metadata),
            b"MarshalText" => {
                self.getter(|version| Ok(Value::Bytes(version.to_string().into_bytes().into())))
            }
            b"MarshalJSON" => self
                .getter(|version| Ok(Value::Bytes(format!("\"{version}\"").into_bytes().into()))),
            b"Value" => text(Version::to_string),
            // The others are those of the pointer.
            _ if !self.is_pointer => return None,
            b"Original" => text(|version| version.original().to_owned()),
            b"Compare" => self.comparison(|order| Value::int(order as i64)),
            b"Equal" => {
                let version = self.version.clone();
                Function::with_machine(vec![Type::Named(POINTER)], None, move |_, values| {
                    let other = version_of(&values[0]);
                    let is_equal = other.is_some_and(|other| version.cmp(&other.version).is_eq());
                    Ok(Value::Bool(is_equal))
                })
            }
            b"LessThan" => self.comparison(|order| Value::Bool(order.is_lt())),
            b"LessThanEqual" => self.comparison(|order| Value::Bool(order.is_le())),
            b"GreaterThan" => self.comparison(|order| Value::Bool(order.is_gt())),
            b"GreaterThanEqual" => self.comparison(|order| Value::Bool(order.is_ge())),
            _ => return None,
        })
    }

    fn print(&self) -> Text {
        self.version.to_string().into()
    }

    fn raw_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        let number = |number| Value::Uint(UintKind::Uint64, number);
        let version = &self.version;
        Some(vec![
            ("major", number(version.major)),
            ("minor", number(version.minor)),
            ("patch", number(version.patch)),
            ("pre", Value::string(version.prerelease.as_str())),
            ("metadata", Value::string(version.metadata.as_str())),
            ("original", Value::string(version.original())),
        ])
    }

    fn to_data(&self) -> Result<Value, CallError> {
        Ok(Value::string(self.version.to_string()))
    }

    /// Nothing of it is exported.
    fn deep_copy(&self) -> Option<Value> {
        Some(Value::Object(Rc::new(Self {
            version: Version::default(),
            is_pointer: self.is_pointer,
        })))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
