//! Documents that hold schemas: which of their parts are schemas, under which names and drafts.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::sync::LazyLock;

use crate::chart::json::Json;
use crate::chart::quote::quote;

use super::address::{self, Malformed, Place};
use super::draft::{Below, Draft};
use super::url::Url;
use super::{check, compile, instance::Instance};

/// Why a schema cannot be used, in the words of Helm's schema library.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    #[error("error in parsing {}: {}", quote(&.0.url), .0.reason)]
    Url(Malformed),
    #[error("error in parsing id at {}", quote(.0))]
    Id(String),
    #[error("error in parsing anchor at {}", quote(.0))]
    Anchor(String),
    #[error(
        "duplicate id {} in {} at {} and {}",
        quote(id),
        quote(url),
        quote(first),
        quote(second)
    )]
    DuplicateId {
        id: String,
        url: String,
        first: String,
        second: String,
    },
    #[error(
        "duplicate anchor {} in {} at {} and {}",
        quote(anchor),
        quote(url),
        quote(first),
        quote(second)
    )]
    DuplicateAnchor {
        anchor: String,
        url: String,
        first: String,
        second: String,
    },
    #[error("anchor in {} not found in schema {}", quote(reference), quote(url))]
    AnchorNotFound { reference: String, url: String },
    #[error("invalid $schema in {}: {reason}", quote(place))]
    MetaUrl { place: String, reason: String },
    #[error("draft {} is not supported", quote(.0))]
    Draft(String),
    #[error("cycle in resolving $schema in {}", quote(.0))]
    MetaCycle(String),
    #[error("failing loading {}: {reason}", quote(url))]
    Load { url: String, reason: String },
    #[error("invalid json-pointer {}", quote(.0))]
    Pointer(String),
    #[error("json-pointer in {} not found", quote(.0))]
    NotFound(String),
    #[error("{} is not valid against metaschema: {text}", quote(url))]
    Invalid { url: String, text: String },
    #[error("invalid regex {} at {}: {reason}", quote(pattern), quote(place))]
    Regex {
        pattern: String,
        place: String,
        reason: String,
    },
}

/// A part of a document that has a name of its own, and the anchors in it.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) pointer: String,
    pub(super) id: String,
    pub(super) draft: Draft,
    pub(super) anchors: BTreeMap<String, String>,
    pub(super) dynamic_anchors: Vec<String>,
}

/// A document, and what is known of the schemas in it.
pub(super) struct Root {
    url: String,
    pub(super) document: Rc<Json>,
    resources: BTreeMap<String, Resource>,
    /// Where the resource of a name is.
    names: HashMap<String, String>,
    seen: HashSet<String>,
}

impl Root {
    /// The resource that a place belongs to.
    pub(super) fn resource(&self, pointer: &str) -> Option<&Resource> {
        let mut pointer = pointer;
        loop {
            if let Some(resource) = self.resources.get(pointer) {
                return Some(resource);
            }
            pointer = &pointer[..pointer.rfind('/')?];
        }
    }

    /// The draft that holds at a place that is a resource of its own.
    pub(super) fn draft_at(&self, pointer: &str) -> Option<Draft> {
        self.resources.get(pointer).map(|resource| resource.draft)
    }

    /// The place that a fragment means in one of the document's resources.
    fn place_in(&self, fragment: &str, resource: Option<&Resource>) -> Result<Place, Error> {
        let base = resource.map_or("", |resource| resource.pointer.as_str());
        let pointer = if fragment.is_empty() || fragment.starts_with('/') {
            format!("{base}{fragment}")
        } else {
            let found = resource.and_then(|resource| resource.anchors.get(fragment));
            found.cloned().ok_or_else(|| Error::AnchorNotFound {
                reference: format!(
                    "{}#{}",
                    resource.map_or("", |r| r.id.as_str()),
                    address::encode(fragment)
                ),
                url: self.url.clone(),
            })?
        };
        Ok(Place {
            url: self.url.clone(),
            pointer,
        })
    }

    /// The place that a reference means, where it is in this document.
    pub(super) fn resolve(&self, url: &str, fragment: &str) -> Result<Option<Place>, Error> {
        let resource = if url == self.url {
            self.resources.get("")
        } else {
            match self.names.get(url) {
                Some(pointer) => self.resources.get(pointer),
                None => return Ok(None),
            }
        };
        self.place_in(fragment, resource).map(Some)
    }

    fn add_resource(&mut self, pointer: &str, id: &str, draft: Draft) {
        self.names.insert(id.to_owned(), pointer.to_owned());
        let resource = Resource {
            pointer: pointer.to_owned(),
            id: id.to_owned(),
            draft,
            anchors: BTreeMap::new(),
            dynamic_anchors: Vec::new(),
        };
        self.resources.insert(pointer.to_owned(), resource);
    }

    fn add_anchor(&mut self, resource: &str, anchor: &str, pointer: &str) -> Result<(), Error> {
        let Some(resource) = self.resources.get_mut(resource) else {
            return Ok(());
        };
        match resource.anchors.get(anchor) {
            Some(first) if first != pointer => Err(Error::DuplicateAnchor {
                anchor: anchor.to_owned(),
                url: self.url.clone(),
                first: first.clone(),
                second: pointer.to_owned(),
            }),
            Some(_) => Ok(()),
            None => {
                resource
                    .anchors
                    .insert(anchor.to_owned(), pointer.to_owned());
                Ok(())
            }
        }
    }

    fn collect_anchors(
        &mut self,
        schema: &Json,
        pointer: &str,
        resource: &str,
    ) -> Result<(), Error> {
        let Some(draft) = self.resources.get(resource).map(|resource| resource.draft) else {
            return Ok(());
        };
        if draft < Draft::Year2019 {
            if schema.get("$ref").is_some() {
                return Ok(());
            }
            if let Some(id) = schema.text(draft.id_keyword()) {
                let place = || Place {
                    url: self.url.clone(),
                    pointer: pointer.to_owned(),
                };
                let (_, fragment) =
                    address::split_fragment(id).map_err(|_| Error::Anchor(place().to_string()))?;
                if !fragment.is_empty() && !fragment.starts_with('/') {
                    self.add_anchor(resource, &fragment, pointer)?;
                }
            }
            return Ok(());
        }
        if let Some(anchor) = schema.text("$anchor") {
            self.add_anchor(resource, anchor, pointer)?;
        }
        if draft >= Draft::Year2020
            && let Some(anchor) = schema.text("$dynamicAnchor")
        {
            self.add_anchor(resource, anchor, pointer)?;
            if let Some(resource) = self.resources.get_mut(resource) {
                resource.dynamic_anchors.push(anchor.to_owned());
            }
        }
        Ok(())
    }
}

impl Json {
    /// A property, where the value is an object that has it.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(entries) => entries.get(name),
            _ => None,
        }
    }

    /// A property that is a string.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

/// What a pointer leads to in a document.
pub(super) fn look_up<'a>(document: &'a Json, place: &Place) -> Result<&'a Json, Error> {
    place
        .pointer
        .split('/')
        .skip(1)
        .try_fold(document, |value, token| {
            let token =
                address::unescape(token).ok_or_else(|| Error::Pointer(place.to_string()))?;
            let found = match value {
                Json::Object(entries) => entries.get(&token),
                Json::Array(items) => token
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| items.get(index)),
                _ => None,
            };
            found.ok_or_else(|| Error::NotFound(place.to_string()))
        })
}

/// The schemas of the drafts themselves, by URL: `tests/oracle/chart metaschemas` writes them.
static METASCHEMAS: LazyLock<BTreeMap<String, Json>> =
    LazyLock::new(
        || match Json::read_whole(include_bytes!("metaschemas.json")) {
            Ok(Json::Object(documents)) => documents,
            _ => BTreeMap::new(),
        },
    );

fn metaschema(url: &str) -> Option<&'static Json> {
    let (_, path) = url
        .split_once("://json-schema.org/")
        .filter(|(scheme, _)| matches!(*scheme, "http" | "https"))?;
    let path = if path == "schema" {
        "draft/2020-12/schema"
    } else {
        path
    };
    METASCHEMAS.get(path)
}

/// Every document that was looked at.
#[derive(Default)]
pub(super) struct Library {
    given: HashMap<String, Rc<Json>>,
    roots: HashMap<String, Root>,
    /// Names without a document, which Helm takes for schemas that allow everything.
    pub(super) unresolved: Vec<String>,
    /// Whether documents are held against the schema of their draft; the drafts' own are not.
    checked: bool,
}

impl Library {
    pub(super) fn new(given: Option<(&str, Json)>) -> Self {
        let checked = given.is_some();
        let given = given.map(|(url, document)| (url.to_owned(), Rc::new(document)));
        Self {
            given: given.into_iter().collect(),
            checked,
            ..Self::default()
        }
    }

    pub(super) fn root(&self, url: &str) -> Option<&Root> {
        self.roots.get(url)
    }

    /// Makes sure that a document was looked at.
    pub(super) fn require(&mut self, url: &str) -> Result<&Root, Error> {
        if !self.roots.contains_key(url) {
            let document = self.load(url)?;
            let mut root = Root {
                url: url.to_owned(),
                document: Rc::clone(&document),
                resources: BTreeMap::new(),
                names: HashMap::new(),
                seen: HashSet::new(),
            };
            self.collect(&mut root, &document, url, "", Draft::LATEST)?;
            if self.checked
                && !url.starts_with("http://json-schema.org/")
                && !url.starts_with("https://json-schema.org/")
            {
                validate(&root, &document, "")?;
            }
            self.roots.insert(url.to_owned(), root);
        }
        self.roots
            .get(url)
            .ok_or_else(|| Error::NotFound(url.to_owned()))
    }

    /// The place that a reference to another document means.
    pub(super) fn resolve(&mut self, url: &str, fragment: &str) -> Result<Place, Error> {
        let root = self.require(url)?;
        root.place_in(fragment, root.resources.get(""))
    }

    // santhosh-tekuri/jsonschema: loader.go, with helm: pkg/chart/common/util/jsonschema.go
    fn load(&mut self, url: &str) -> Result<Rc<Json>, Error> {
        if let Some(document) = self.given.get(url) {
            return Ok(Rc::clone(document));
        }
        if let Some(document) = metaschema(url) {
            return Ok(Rc::new(document.clone()));
        }
        let failed = |reason: String| Error::Load {
            url: url.to_owned(),
            reason,
        };
        let parsed = Url::parse(url).map_err(failed)?;
        match parsed.scheme.as_str() {
            "urn" => {
                self.unresolved.push(url.to_owned());
                Ok(Rc::new(Json::Bool(true)))
            }
            "file" => {
                let path = address::percent_decode(&parsed.path).unwrap_or_default();
                Err(failed(format!("open {path}: no such file or directory")))
            }
            "http" | "https" => Err(failed("schemas are not loaded from the network".to_owned())),
            _ => Err(failed(format!(
                "no URLLoader registered for {}",
                quote(url)
            ))),
        }
    }

    /// Finds the schemas in a schema.
    // santhosh-tekuri/jsonschema: roots.go collectResources
    fn collect(
        &mut self,
        root: &mut Root,
        schema: &Json,
        base: &str,
        pointer: &str,
        fallback: Draft,
    ) -> Result<(), Error> {
        if !root.seen.insert(pointer.to_owned()) {
            return Ok(());
        }
        if !matches!(schema, Json::Object(_)) {
            if pointer.is_empty() {
                root.add_resource("", base, fallback);
            }
            return Ok(());
        }
        let place = Place {
            url: root.url.clone(),
            pointer: pointer.to_owned(),
        };
        let mut draft = self.draft(&place, schema, fallback, &mut Vec::new())?;
        let mut names_draft = schema.text("$schema").is_some();
        let mut id = id_of(schema, draft);
        if id.is_none() && !pointer.is_empty() {
            draft = fallback;
            names_draft = false;
            id = id_of(schema, draft);
        }
        let mut base = base.to_owned();
        if let Some(id) = id {
            (base, _) = address::join(&base, id).map_err(|_| Error::Id(place.to_string()))?;
        }
        if id.is_some() || pointer.is_empty() {
            match root.names.get(&base) {
                Some(first) if first != pointer => {
                    return Err(Error::DuplicateId {
                        id: base,
                        url: root.url.clone(),
                        first: pointer.to_owned(),
                        second: first.clone(),
                    });
                }
                Some(_) => {}
                None => {
                    root.add_resource(pointer, &base, if names_draft { draft } else { fallback })
                }
            }
        }
        let owner = root.names.get(&base).cloned().unwrap_or_default();
        let owner_draft = root.draft_at(&owner).unwrap_or(fallback);
        root.collect_anchors(schema, pointer, &owner)?;
        for (pointer, inner) in schemas_in(schema, pointer, draft) {
            self.collect(root, inner, &base, &pointer, owner_draft)?;
        }
        Ok(())
    }

    /// The draft that a schema follows.
    // santhosh-tekuri/jsonschema: loader.go getDraft
    fn draft(
        &mut self,
        place: &Place,
        schema: &Json,
        fallback: Draft,
        way: &mut Vec<String>,
    ) -> Result<Draft, Error> {
        let Some(named) = schema.text("$schema") else {
            return Ok(fallback);
        };
        if let Some(draft) = Draft::named(named) {
            return Ok(draft);
        }
        let (url, _) = address::split(named);
        Url::parse(url).map_err(|reason| Error::MetaUrl {
            place: place.to_string(),
            reason,
        })?;
        if place.pointer.is_empty() && url == place.url {
            return Err(Error::Draft(url.to_owned()));
        }
        if way.iter().any(|before| before == url) {
            return Err(Error::MetaCycle(url.to_owned()));
        }
        way.push(url.to_owned());
        let document = self.load(url)?;
        let place = Place {
            url: url.to_owned(),
            pointer: String::new(),
        };
        self.draft(&place, &document, fallback, way)
    }

    /// Makes sure that a place, which may be none where schemas are looked for, is known as one.
    // santhosh-tekuri/jsonschema: roots.go ensureSubschema
    pub(super) fn require_schema(&mut self, place: &Place) -> Result<(), Error> {
        self.require(&place.url)?;
        let Some(mut root) = self.roots.remove(&place.url) else {
            return Ok(());
        };
        if !root.seen.contains(&place.pointer) {
            let document = Rc::clone(&root.document);
            let schema = look_up(&document, place)?;
            let base = root
                .resource(&place.pointer)
                .map(|base| (base.id.clone(), base.draft));
            let (id, draft) = base.unwrap_or((place.url.clone(), Draft::LATEST));
            self.collect(&mut root, schema, &id, &place.pointer, draft)?;
            if self.checked {
                validate(&root, schema, &place.pointer)?;
            }
        }
        self.roots.insert(place.url.clone(), root);
        Ok(())
    }
}

// santhosh-tekuri/jsonschema: draft.go getID
fn id_of(schema: &Json, draft: Draft) -> Option<&str> {
    if draft < Draft::Year2019 && schema.get("$ref").is_some() {
        return None;
    }
    let (id, _) = address::split(schema.text(draft.id_keyword())?);
    Some(id).filter(|id| !id.is_empty())
}

/// The schemas that a schema holds, by their pointers.
fn schemas_in<'a>(schema: &'a Json, pointer: &str, draft: Draft) -> BTreeMap<String, &'a Json> {
    let mut found = BTreeMap::new();
    for (keyword, below) in draft.keywords() {
        match (below, schema.get(keyword)) {
            (_, None) => {}
            (Below::Itself, Some(value)) => {
                found.insert(address::append(pointer, &[keyword]), value);
            }
            (Below::Properties, Some(Json::Object(entries))) => {
                found.extend(
                    entries
                        .iter()
                        .map(|(name, value)| (address::append(pointer, &[keyword, name]), value)),
                );
            }
            (Below::Items, Some(Json::Array(items))) => {
                let items = items.iter().enumerate();
                found.extend(items.map(|(i, value)| {
                    (address::append(pointer, &[keyword, &i.to_string()]), value)
                }));
            }
            _ => {}
        }
    }
    found
}

/// Holds a schema against the schema of its draft.
fn validate(root: &Root, schema: &Json, pointer: &str) -> Result<(), Error> {
    let draft = root
        .resource(pointer)
        .map_or(Draft::LATEST, |resource| resource.draft);
    let meta = compile::metaschemas();
    let drafts = check::Drafts { root, meta };
    let outcome = check::validate(
        &meta.rules,
        meta.roots[draft as usize],
        Instance::Json(schema),
        Some(&drafts),
    );
    outcome.map_err(|stop| Error::Invalid {
        url: Place {
            url: root.url.clone(),
            pointer: pointer.to_owned(),
        }
        .to_string(),
        text: match stop {
            check::Stop::Refused(failure) => failure.to_string(),
            check::Stop::Bound(text) => text,
        },
    })
}
