//! Documents that hold schemas: which of their parts are schemas, under which names and drafts.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use crate::chart::json::Json;
use crate::chart::quote::quote;

use super::address::{self, Malformed, Place};
use super::draft::{Below, Draft, Drafts};
use super::rule::NameBits;
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

/// A document: the one that was given, or a draft's own.
#[derive(Clone)]
pub(super) enum Document {
    Given(Rc<Json>),
    Known(&'static Json),
}

impl Deref for Document {
    type Target = Json;

    fn deref(&self) -> &Json {
        match self {
            Self::Given(document) => document,
            Self::Known(document) => document,
        }
    }
}

/// The keywords of a schema that is an object.
#[derive(Clone, Copy)]
pub(super) struct Keywords<'a> {
    entries: &'a BTreeMap<String, Json>,
    bits: NameBits,
}

impl<'a> Keywords<'a> {
    pub(super) fn of(entries: &'a BTreeMap<String, Json>) -> Self {
        let bits = NameBits::of(entries.keys());
        Self { entries, bits }
    }

    pub(super) fn get(self, name: &str) -> Option<&'a Json> {
        if !self.bits.may_have(name) {
            return None;
        }
        self.entries.get(name)
    }

    /// One that is a string.
    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        match self.get(name)? {
            Json::String(text) => Some(text),
            _ => None,
        }
    }
}

/// A document, and what is known of the schemas in it.
pub(super) struct Root {
    url: Arc<str>,
    pub(super) document: Document,
    resources: BTreeMap<String, Rc<Resource>>,
    /// Where the resource of a name is.
    names: HashMap<String, String>,
    seen: HashSet<String>,
}

impl Root {
    /// The resource that a place belongs to.
    pub(super) fn resource(&self, pointer: &str) -> Option<&Rc<Resource>> {
        // in most documents nothing but the whole has a name
        let mut pointer = if self.resources.len() == 1 {
            ""
        } else {
            pointer
        };
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

    /// The drafts that its schemas follow.
    fn drafts(&self) -> Drafts {
        self.resources
            .values()
            .fold(Drafts::default(), |all, one| all.with(one.draft))
    }

    /// The place that a fragment means in one of the document's resources.
    fn place_in(&self, fragment: &str, resource: Option<&Rc<Resource>>) -> Result<Place, Error> {
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
                url: self.url.to_string(),
            })?
        };
        Ok(Place {
            url: Arc::clone(&self.url),
            pointer: pointer.into(),
        })
    }

    /// The place that a reference means, where it is in this document.
    pub(super) fn resolve(&self, url: &str, fragment: &str) -> Result<Option<Place>, Error> {
        let resource = if url == &*self.url {
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
        self.resources.insert(pointer.to_owned(), Rc::new(resource));
    }

    fn add_anchor(&mut self, resource: &str, anchor: &str, pointer: &str) -> Result<(), Error> {
        let Some(resource) = self.resources.get_mut(resource).map(Rc::make_mut) else {
            return Ok(());
        };
        match resource.anchors.get(anchor) {
            Some(first) if first != pointer => Err(Error::DuplicateAnchor {
                anchor: anchor.to_owned(),
                url: self.url.to_string(),
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
        schema: Keywords<'_>,
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
                    url: Arc::clone(&self.url),
                    pointer: pointer.into(),
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
            if let Some(resource) = self.resources.get_mut(resource).map(Rc::make_mut) {
                resource.dynamic_anchors.push(anchor.to_owned());
            }
        }
        Ok(())
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
                Json::Object(entries) => entries.get(&*token),
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
    given: HashMap<String, Document>,
    roots: HashMap<Arc<str>, Root>,
    /// Names without a document, which Helm takes for schemas that allow everything.
    pub(super) unresolved: Vec<String>,
    /// Whether documents are held against the schema of their draft; the drafts' own are not.
    checked: bool,
}

impl Library {
    pub(super) fn new(given: Option<(&str, Json)>) -> Self {
        let checked = given.is_some();
        let given =
            given.map(|(url, document)| (url.to_owned(), Document::Given(Rc::new(document))));
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
                url: url.into(),
                document: document.clone(),
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
            self.roots.insert(Arc::clone(&root.url), root);
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
    fn load(&mut self, url: &str) -> Result<Document, Error> {
        if let Some(document) = self.given.get(url) {
            return Ok(document.clone());
        }
        if let Some(document) = metaschema(url) {
            return Ok(Document::Known(document));
        }
        let failed = |reason: String| Error::Load {
            url: url.to_owned(),
            reason,
        };
        let parsed = Url::parse(url).map_err(failed)?;
        match parsed.scheme.as_str() {
            "urn" => {
                self.unresolved.push(url.to_owned());
                Ok(Document::Known(&Json::Bool(true)))
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
        let Json::Object(schema) = schema else {
            if pointer.is_empty() {
                root.add_resource("", base, fallback);
            }
            return Ok(());
        };
        let schema = Keywords::of(schema);
        let place = || Place {
            url: Arc::clone(&root.url),
            pointer: pointer.into(),
        };
        let mut names_draft = schema.text("$schema").is_some();
        let mut draft = fallback;
        if names_draft {
            draft = self.draft(&place(), schema, fallback, &mut Vec::new())?;
        }
        let mut id = id_of(schema, draft);
        if id.is_none() && !pointer.is_empty() {
            draft = fallback;
            names_draft = false;
            id = id_of(schema, draft);
        }
        let joined = match id {
            Some(id) => {
                let joined = address::join(base, id);
                Some(joined.map_err(|_| Error::Id(place().to_string()))?.0)
            }
            None => None,
        };
        let base = joined.as_deref().unwrap_or(base);
        if id.is_some() || pointer.is_empty() {
            match root.names.get(base) {
                Some(first) if first != pointer => {
                    return Err(Error::DuplicateId {
                        id: base.to_owned(),
                        url: root.url.to_string(),
                        first: pointer.to_owned(),
                        second: first.clone(),
                    });
                }
                Some(_) => {}
                None => {
                    root.add_resource(pointer, base, if names_draft { draft } else { fallback })
                }
            }
        }
        let owner = root.names.get(base).cloned().unwrap_or_default();
        let owner_draft = root.draft_at(&owner).unwrap_or(fallback);
        root.collect_anchors(schema, pointer, &owner)?;
        for (pointer, inner) in schemas_in(schema, pointer, draft) {
            self.collect(root, inner, base, &pointer, owner_draft)?;
        }
        Ok(())
    }

    /// The draft that a schema follows.
    // santhosh-tekuri/jsonschema: loader.go getDraft
    fn draft(
        &mut self,
        place: &Place,
        schema: Keywords<'_>,
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
        if place.pointer.is_empty() && url == &*place.url {
            return Err(Error::Draft(url.to_owned()));
        }
        if way.iter().any(|before| before == url) {
            return Err(Error::MetaCycle(url.to_owned()));
        }
        way.push(url.to_owned());
        let document = self.load(url)?;
        let Json::Object(schema) = &*document else {
            return Ok(fallback);
        };
        let place = Place {
            url: url.into(),
            pointer: "".into(),
        };
        self.draft(&place, Keywords::of(schema), fallback, way)
    }

    /// Makes sure that a place, which may be none where schemas are looked for, is known as one.
    // santhosh-tekuri/jsonschema: roots.go ensureSubschema
    pub(super) fn require_schema(&mut self, place: &Place) -> Result<(), Error> {
        let root = self.require(&place.url)?;
        if root.seen.contains(&*place.pointer) {
            return Ok(());
        }
        let Some(mut root) = self.roots.remove(&place.url) else {
            return Ok(());
        };
        let document = root.document.clone();
        let schema = look_up(&document, place)?;
        let (id, draft) = match root.resource(&place.pointer) {
            Some(resource) => (resource.id.clone(), resource.draft),
            None => (place.url.to_string(), Draft::LATEST),
        };
        self.collect(&mut root, schema, &id, &place.pointer, draft)?;
        if self.checked {
            validate(&root, schema, &place.pointer)?;
        }
        self.roots.insert(Arc::clone(&place.url), root);
        Ok(())
    }
}

// santhosh-tekuri/jsonschema: draft.go getID
fn id_of(schema: Keywords<'_>, draft: Draft) -> Option<&str> {
    if draft < Draft::Year2019 && schema.get("$ref").is_some() {
        return None;
    }
    let (id, _) = address::split(schema.text(draft.id_keyword())?);
    Some(id).filter(|id| !id.is_empty())
}

/// The schemas that a schema holds, by their pointers.
fn schemas_in<'a>(schema: Keywords<'a>, pointer: &str, draft: Draft) -> Vec<(String, &'a Json)> {
    let mut found = Vec::new();
    for (keyword, below) in draft.keywords() {
        match (below, schema.get(keyword)) {
            (_, None) => {}
            (Below::Itself, Some(value)) => {
                found.push((address::append(pointer, &[keyword]), value));
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
    found.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    found
}

/// Holds a schema against the schema of its draft.
fn validate(root: &Root, schema: &Json, pointer: &str) -> Result<(), Error> {
    let draft = root
        .resource(pointer)
        .map_or(Draft::LATEST, |resource| resource.draft);
    let drafts = root.drafts().with(draft);
    let meta = compile::metaschemas(drafts);
    let mixed = drafts != Drafts::default().with(draft);
    let others = mixed.then_some(check::Drafts { root, meta });
    let outcome = check::validate(
        &meta.rules,
        meta.roots[draft as usize],
        Instance::Json(schema),
        others.as_ref(),
    );
    outcome.map_err(|stop| Error::Invalid {
        url: Place {
            url: Arc::clone(&root.url),
            pointer: pointer.into(),
        }
        .to_string(),
        text: match stop {
            check::Stop::Refused(failure) => failure.to_string(),
            check::Stop::Bound(text) => text,
        },
    })
}
