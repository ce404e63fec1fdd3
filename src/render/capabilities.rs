//! `.Capabilities`: what a template may know of the cluster.

use std::any::Any;
use std::cell::{LazyCell, OnceCell};
use std::rc::Rc;
use std::sync::Arc;

use crate::template::{CallError, Function, List, Map, Object, Text, Type, Value, print};

/// What the cluster can do, as the caller knows it. helm: pkg/chart/common/capabilities.go
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// The cluster's version.
    pub kube_version: KubeVersion,
    /// `v1`, `apps/v1`, `apps/v1/Deployment`, ...
    pub api_versions: Vec<String>,
    /// The Helm that charts are told they run on.
    pub helm_version: HelmVersion,
}

impl Default for Capabilities {
    /// What `helm template` assumes of a cluster that it does not ask.
    fn default() -> Self {
        Self {
            kube_version: KubeVersion {
                version: "v1.37.0".to_owned(),
                normalized: Some("v1.37.0".to_owned()),
                major: "1".to_owned(),
                minor: "37".to_owned(),
            },
            api_versions: include_str!("api_versions.txt")
                .lines()
                .map(str::to_owned)
                .collect(),
            helm_version: HelmVersion::default(),
        }
    }
}

/// The version of a Kubernetes cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeVersion {
    version: String,
    normalized: Option<String>,
    major: String,
    minor: String,
}

/// A text that is no version, in Helm's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid kube version '{version}': {reason}")]
pub struct InvalidKubeVersion {
    version: String,
    reason: String,
}

impl KubeVersion {
    /// The version that a cluster's `/version` tells: `gitVersion`, `major`, `minor`.
    pub fn of_cluster(
        version: impl Into<String>,
        major: impl Into<String>,
        minor: impl Into<String>,
    ) -> Self {
        Self {
            version: version.into(),
            normalized: None,
            major: major.into(),
            minor: minor.into(),
        }
    }

    /// The version that a person names, such as `1.31` or `v1.33.4-gke.1245000`.
    ///
    /// # Errors
    /// [`InvalidKubeVersion`] unless it begins with two or more numbers.
    pub fn parse(version: &str) -> Result<Self, InvalidKubeVersion> {
        let numbers = parse_generic(version).map_err(|reason| InvalidKubeVersion {
            version: version.to_owned(),
            reason,
        })?;
        let joined: Vec<String> = numbers.iter().map(u64::to_string).collect();
        Ok(Self {
            version: match version.starts_with('v') {
                true => version.to_owned(),
                false => format!("v{version}"),
            },
            normalized: Some(format!("v{}", joined.join("."))),
            major: joined[0].clone(),
            minor: joined[1].clone(),
        })
    }

    /// The whole version, such as `v1.33.4-gke.1245000`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The version that a chart's `kubeVersion` is held against: of a version that a person named
    /// only the numbers.
    pub fn for_constraints(&self) -> &str {
        self.normalized.as_deref().unwrap_or(&self.version)
    }
}

/// The numbers at the beginning: at least two. k8s: apimachinery util/version ParseGeneric
fn parse_generic(version: &str) -> Result<Vec<u64>, String> {
    let quoted = quote(version);
    let trimmed = version.trim_start_matches(['\t', '\n', '\x0c', '\r', ' ']);
    let trimmed = trimmed.strip_prefix('v').unwrap_or(trimmed);
    let mut components: Vec<&str> = Vec::new();
    let mut rest = trimmed;
    loop {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits == 0 {
            break;
        }
        components.push(&rest[..digits]);
        match rest[digits..].strip_prefix('.') {
            Some(after) => rest = after,
            None => break,
        }
    }
    if components.is_empty() || version.trim_end_matches('\n').contains('\n') {
        return Err(format!("could not parse {quoted} as version"));
    }
    if components.len() < 2 {
        return Err(format!("illegal version string {quoted}"));
    }
    if components[0].starts_with('0') && components[0] != "0" {
        return Err(format!(
            "illegal zero-prefixed version component {} in {quoted}",
            quote(components[0])
        ));
    }
    let number = |component: &str| {
        component.parse().map_err(|_| {
            let component = quote(component);
            format!(
                "illegal non-numeric version component {component} in {quoted}: \
                 strconv.ParseUint: parsing {component}: value out of range"
            )
        })
    };
    components.into_iter().map(number).collect()
}

fn quote(text: &str) -> String {
    String::from_utf8_lossy(&crate::template::quote::quote(text.as_bytes())).into_owned()
}

/// The Helm that a chart finds in `.Capabilities.HelmVersion`. helm: internal/version BuildInfo
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelmVersion {
    /// `v4.3.1`
    pub version: String,
    /// The commit that Helm was built from.
    pub git_commit: String,
    /// `clean`, `dirty`, or nothing.
    pub git_tree_state: String,
    /// The Go that built it.
    pub go_version: String,
    /// The Kubernetes client within it.
    pub kube_client_version: String,
}

impl Default for HelmVersion {
    /// The Helm whose output this room reproduces.
    fn default() -> Self {
        Self {
            version: "v4.3.1".to_owned(),
            git_commit: String::new(),
            git_tree_state: String::new(),
            go_version: "go1.26.8".to_owned(),
            kube_client_version: "v1.37".to_owned(),
        }
    }
}

/// A Go struct, or a pointer to one. Most charts ask for none of it, so that its parts are made
/// when they do.
struct Struct {
    type_name: &'static str,
    kind: &'static str,
    parts: LazyCell<Parts, Box<dyn FnOnce() -> Parts>>,
}

#[derive(Default)]
struct Parts {
    /// In Go's order; those with a small letter are not exported, and only printed.
    fields: Vec<(&'static str, Value)>,
    methods: Vec<(&'static str, Function)>,
    /// What `String` gives, if it is a method of the pointer.
    pointer_text: Option<Text>,
    json: Vec<(&'static str, Value)>,
    /// Makes the same without the methods of its pointer, if it has such.
    without_address: Option<Maker>,
    /// Makes a copy without what is not exported, if there is such.
    deep_copy: Option<Maker>,
}

type Maker = Box<dyn Fn() -> Value>;

impl Struct {
    fn value(
        type_name: &'static str,
        kind: &'static str,
        parts: impl FnOnce() -> Parts + 'static,
    ) -> Value {
        Value::Object(Rc::new(Self {
            type_name,
            kind,
            parts: LazyCell::new(Box::new(parts)),
        }))
    }
}

impl Object for Struct {
    fn type_name(&self) -> &'static str {
        self.type_name
    }

    fn kind(&self) -> &'static str {
        self.kind
    }

    fn field(&self, name: &[u8]) -> Option<Value> {
        if !name.first().is_some_and(u8::is_ascii_uppercase) {
            return None;
        }
        let field = self
            .parts
            .fields
            .iter()
            .find(|(known, _)| known.as_bytes() == name);
        field.map(|(_, value)| value.clone())
    }

    fn method(&self, name: &[u8]) -> Option<Function> {
        let method = self
            .parts
            .methods
            .iter()
            .find(|(known, _)| known.as_bytes() == name);
        method.map(|(_, function)| function.clone())
    }

    fn print(&self) -> Text {
        self.parts.pointer_text.clone().unwrap_or_default()
    }

    fn fields(&self) -> Option<Vec<(&'static str, Value)>> {
        Some(self.parts.fields.clone())
    }

    fn pointer_text(&self) -> Option<Text> {
        self.parts.pointer_text.clone()
    }

    fn json_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        Some(self.parts.json.clone())
    }

    fn without_address(&self) -> Option<Value> {
        self.parts.without_address.as_ref().map(|make| make())
    }

    fn deep_copy(&self) -> Option<Value> {
        self.parts.deep_copy.as_ref().map(|make| make())
    }

    fn to_data(&self) -> Result<Value, CallError> {
        let entries = self
            .parts
            .json
            .iter()
            .map(|(name, value)| (Text::from(*name), value.clone()));
        Ok(Value::Map(Map::with_entries(
            Type::ANY_MAP,
            entries.collect(),
        )))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The value that templates see.
pub(super) fn value(capabilities: &Arc<Capabilities>) -> Value {
    let all = Arc::clone(capabilities);
    Struct::value("*common.Capabilities", "ptr", move || {
        let versions = VersionSet {
            list: OnceCell::new(),
            all: Arc::clone(&all),
        };
        let fields = vec![
            ("KubeVersion", kube_version(Arc::clone(&all), true)),
            ("APIVersions", Value::Object(Rc::new(versions))),
            ("HelmVersion", helm_version(Arc::clone(&all))),
        ];
        let copied = Arc::clone(&all);
        let copy = Function::new(move || value(&copied));
        Parts {
            json: fields.clone(),
            fields,
            methods: vec![("Copy", copy)],
            deep_copy: Some(Box::new(move || value(&as_copied(&all)))),
            ..Parts::default()
        }
    })
}

/// What a copy of them is that goes by reflection: without what is not exported.
fn as_copied(all: &Capabilities) -> Arc<Capabilities> {
    let mut copied = all.clone();
    copied.kube_version.normalized = None;
    Arc::new(copied)
}

/// With an address it has the methods of its pointer.
fn kube_version(all: Arc<Capabilities>, has_address: bool) -> Value {
    Struct::value("common.KubeVersion", "struct", move || {
        let version = &all.kube_version;
        let normalized = version.normalized.as_deref().unwrap_or_default();
        let exported = [
            ("Version", &version.version),
            ("Major", &version.major),
            ("Minor", &version.minor),
        ];
        let json = exported
            .map(|(name, text)| (name, Value::string(text.as_str())))
            .to_vec();
        let mut fields = json.clone();
        fields.insert(1, ("normalizedVersion", Value::string(normalized)));
        let constant = |text: &str| {
            let text = Text::from(text);
            Function::new(move || text.clone())
        };
        let methods = vec![
            ("String", constant(version.for_constraints())),
            ("GitVersion", constant(&version.version)),
        ];
        let pointer_text = version.for_constraints().into();
        let same = Arc::clone(&all);
        Parts {
            fields,
            methods: if has_address { methods } else { vec![] },
            pointer_text: has_address.then_some(pointer_text),
            json,
            without_address: has_address
                .then_some(Box::new(move || kube_version(Arc::clone(&same), false))),
            deep_copy: Some(Box::new(move || kube_version(as_copied(&all), false))),
        }
    })
}

fn helm_version(all: Arc<Capabilities>) -> Value {
    Struct::value("version.BuildInfo", "struct", move || {
        let version = &all.helm_version;
        let fields = [
            ("Version", "version", &version.version),
            ("GitCommit", "git_commit", &version.git_commit),
            ("GitTreeState", "git_tree_state", &version.git_tree_state),
            ("GoVersion", "go_version", &version.go_version),
            (
                "KubeClientVersion",
                "kube_client_version",
                &version.kube_client_version,
            ),
        ];
        let text = |text: &str| Value::string(text);
        // Go's omitempty, on all but the last.
        let shown = |json: &str, value: &str| json == "kube_client_version" || !value.is_empty();
        let json = fields.iter().filter(|(_, json, value)| shown(json, value));
        Parts {
            json: json.map(|(_, json, value)| (*json, text(value))).collect(),
            fields: fields
                .iter()
                .map(|(name, _, value)| (*name, text(value)))
                .collect(),
            ..Parts::default()
        }
    })
}

/// `.Capabilities.APIVersions`: a slice of texts with the method `Has`.
struct VersionSet {
    all: Arc<Capabilities>,
    list: OnceCell<List>,
}

impl VersionSet {
    /// The slice as such, made when a template first wants it.
    fn list(&self) -> List {
        let list = self.list.get_or_init(|| {
            let versions = self.all.api_versions.iter();
            let items = versions.map(|version| Value::string(version.as_str()));
            List::new(Type::STRING_SLICE, items.collect())
        });
        list.clone()
    }
}

impl Object for VersionSet {
    fn type_name(&self) -> &'static str {
        "common.VersionSet"
    }

    fn kind(&self) -> &'static str {
        "slice"
    }

    fn field(&self, _name: &[u8]) -> Option<Value> {
        None
    }

    fn method(&self, name: &[u8]) -> Option<Function> {
        let all = Arc::clone(&self.all);
        (name == b"Has").then(|| {
            Function::new(move |wanted: Text| {
                all.api_versions
                    .iter()
                    .any(|version| version.as_bytes() == wanted.as_bytes())
            })
        })
    }

    fn entries(&self) -> Option<Value> {
        Some(Value::List(self.list()))
    }

    fn is_true(&self) -> bool {
        !self.all.api_versions.is_empty()
    }

    fn print(&self) -> Text {
        print::show(&Value::List(self.list()))
    }

    fn to_data(&self) -> Result<Value, CallError> {
        Ok(Value::List(self.list()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
