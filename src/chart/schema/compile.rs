//! Schemas into [`Rules`], one by one, each with what it refers to.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use crate::chart::json::Json;

use super::address::{self, Place};
use super::decimal::Decimal;
use super::document::{Error, Keywords, Library, look_up};
use super::draft::{Draft, Drafts};
use super::format::Format;
use super::pattern::Pattern;
use super::rule::{Additional, Dependency, DynamicRef, Enum, Id, Items, Rule, Rules, Type, Types};

/// The schemas of the drafts themselves.
pub(super) struct Metaschemas {
    pub(super) rules: Rules,
    /// The schema of each draft that was wanted, in the order of [`Draft::ALL`].
    pub(super) roots: [Id; Draft::ALL.len()],
}

/// The schemas of these drafts, made once.
pub(super) fn metaschemas(drafts: Drafts) -> &'static Metaschemas {
    static METASCHEMAS: [OnceLock<Metaschemas>; Drafts::SETS] =
        [const { OnceLock::new() }; Drafts::SETS];
    METASCHEMAS[drafts.number()].get_or_init(|| {
        let mut compiler = Compiler::new(None);
        let roots = Draft::ALL.map(|draft| {
            let wanted = drafts.contains(draft);
            let root = wanted.then(|| compiler.compile(draft.url()).unwrap_or_default());
            root.unwrap_or_default()
        });
        Metaschemas {
            rules: compiler.rules(),
            roots,
        }
    })
}

/// Makes rules of schemas.
pub(super) struct Compiler {
    library: Library,
    rules: Vec<Rule>,
    places: Vec<Place>,
    numbers: HashMap<Place, Id>,
    /// Whether `format` is checked whatever the draft, as in the drafts' own schemas.
    assert_formats: bool,
}

impl Compiler {
    /// A compiler that knows one document, or none but the drafts' own.
    pub(super) fn new(given: Option<(&str, Json)>) -> Self {
        Self {
            assert_formats: given.is_none(),
            library: Library::new(given),
            rules: Vec::new(),
            places: Vec::new(),
            numbers: HashMap::new(),
        }
    }

    pub(super) fn unresolved_names(&self) -> &[String] {
        &self.library.unresolved
    }

    pub(super) fn rules(self) -> Rules {
        Rules { all: self.rules }
    }

    /// Compiles the schema that is a whole document, and all it refers to.
    // santhosh-tekuri/jsonschema: compiler.go doCompile
    pub(super) fn compile(&mut self, url: &str) -> Result<Id, Error> {
        let place = self.library.resolve(url, "")?;
        let mut next = self.rules.len();
        let root = self.number(place);
        while next < self.rules.len() {
            let place = self.places[next].clone();
            self.library.require_schema(&place)?;
            let document = self.library.require(&place.url)?.document.clone();
            let schema = look_up(&document, &place)?;
            self.rules[next] = self.rule(&place, schema)?;
            next += 1;
        }
        Ok(root)
    }

    /// The number of the schema at a place, which is compiled sooner or later.
    fn number(&mut self, place: Place) -> Id {
        if let Some(id) = self.numbers.get(&place) {
            return *id;
        }
        let id = self.rules.len();
        self.rules.push(Rule::default());
        self.places.push(place.clone());
        self.numbers.insert(place, id);
        id
    }

    fn rule(&mut self, place: &Place, schema: &Json) -> Result<Rule, Error> {
        let root = self.library.require(&place.url)?;
        let Some(resource) = root.resource(&place.pointer).map(Rc::clone) else {
            return Err(Error::NotFound(place.to_string()));
        };
        let mut rule = Rule {
            location: place.clone(),
            draft: Some(resource.draft),
            ..Rule::default()
        };
        rule.resource = self.number(Place {
            url: Arc::clone(&place.url),
            pointer: resource.pointer.as_str().into(),
        });
        if resource.draft >= Draft::Year2020 && *resource.pointer == *place.pointer {
            for (anchor, pointer) in resource
                .anchors
                .iter()
                .filter(|(name, _)| resource.dynamic_anchors.contains(name))
            {
                let id = self.number(Place {
                    url: Arc::clone(&place.url),
                    pointer: pointer.as_str().into(),
                });
                rule.dynamic_anchors.insert(anchor.clone(), id);
            }
        }
        match schema {
            Json::Bool(allowed) => rule.boolean = Some(*allowed),
            Json::Object(keywords) if keywords.is_empty() => rule.boolean = Some(true),
            Json::Object(keywords) => {
                Object {
                    compiler: self,
                    keywords: Keywords::of(keywords),
                    place,
                    base: &resource.id,
                    draft: resource.draft,
                }
                .compile(&mut rule)?;
            }
            _ => {}
        }
        rule.all_properties_evaluated = rule.additional_properties.is_some();
        if rule.since(Draft::Year2020) {
            rule.all_items_evaluated = rule.items_2020.is_some();
            rule.items_evaluated = rule.prefix_items.len();
        } else {
            rule.all_items_evaluated =
                rule.additional_items.is_some() || matches!(rule.items, Some(Items::All(_)));
            rule.items_evaluated = match &rule.items {
                Some(Items::Each(items)) => items.len(),
                _ => 0,
            };
        }
        Ok(rule)
    }
}

/// A schema that is an object, while its keywords are read.
struct Object<'k, 'c> {
    compiler: &'c mut Compiler,
    keywords: Keywords<'k>,
    place: &'c Place,
    base: &'c str,
    draft: Draft,
}

// santhosh-tekuri/jsonschema: objcompiler.go
impl<'k> Object<'k, '_> {
    fn compile(&mut self, rule: &mut Rule) -> Result<(), Error> {
        rule.reference = self.reference("$ref")?;
        if self.draft < Draft::Year2019 && rule.reference.is_some() {
            // what stands beside a $ref does not count
            return Ok(());
        }
        self.applicators(rule)?;
        self.validations(rule)?;
        if self.compiler.assert_formats || self.draft < Draft::Year2019 {
            rule.format = self.text("format").and_then(Format::named);
        }
        if self.draft >= Draft::Six {
            rule.contains = self.schema("contains");
            rule.property_names = self.schema("propertyNames");
            rule.constant = self.keywords.get("const").cloned();
        }
        if self.draft >= Draft::Seven {
            self.conditions(rule);
        }
        if self.draft >= Draft::Year2019 {
            self.year_2019(rule)?;
        }
        if self.draft >= Draft::Year2020 {
            self.year_2020(rule)?;
        }
        Ok(())
    }

    fn applicators(&mut self, rule: &mut Rule) -> Result<(), Error> {
        rule.all_of = self.schemas("allOf");
        rule.any_of = self.schemas("anyOf");
        rule.one_of = self.schemas("oneOf");
        rule.not = self.schema("not");
        if self.draft < Draft::Year2020 {
            if matches!(self.keywords.get("items"), Some(Json::Array(_))) {
                rule.items = Some(Items::Each(self.schemas("items")));
                rule.additional_items = self.additional("additionalItems");
            } else {
                rule.items = self.schema("items").map(Items::All);
            }
        }
        rule.properties = self.schema_map("properties").into();
        for (pattern, id) in self.schema_map("patternProperties") {
            let compiled = Pattern::new(&pattern)
                .map_err(|reason| self.bad_regex("patternProperties", &pattern, reason))?;
            rule.pattern_properties.push((compiled, id));
        }
        rule.additional_properties = self.additional("additionalProperties");
        if let Some(Json::Object(dependencies)) = self.keywords.get("dependencies") {
            for (name, value) in dependencies {
                let dependency = match value {
                    Json::Array(names) => Dependency::Properties(texts(names)),
                    _ => Dependency::Schema(self.number(&["dependencies", name])),
                };
                rule.dependencies.insert(name.clone(), dependency);
            }
        }
        Ok(())
    }

    fn validations(&mut self, rule: &mut Rule) -> Result<(), Error> {
        if let Some(types) = self.keywords.get("type") {
            let names = match types {
                Json::Array(names) => texts(names),
                Json::String(name) => vec![name.clone()],
                _ => Vec::new(),
            };
            names
                .iter()
                .filter_map(|name| Type::named(name))
                .for_each(|kind| rule.types.add(kind));
        }
        if let Some(Json::Array(values)) = self.keywords.get("enum") {
            let mut types = Types::default();
            values.iter().for_each(|value| types.add(type_of(value)));
            rule.values = Some(Enum {
                values: values.clone(),
                types,
            });
        }
        rule.multiple_of = self.number_value("multipleOf");
        (rule.maximum, rule.exclusive_maximum) = self.bound("maximum", "exclusiveMaximum");
        (rule.minimum, rule.exclusive_minimum) = self.bound("minimum", "exclusiveMinimum");
        rule.min_length = self.integer("minLength");
        rule.max_length = self.integer("maxLength");
        if let Some(pattern) = self.text("pattern") {
            let compiled = Pattern::new(pattern)
                .map_err(|reason| self.bad_regex("pattern", pattern, reason))?;
            rule.pattern = Some(compiled);
        }
        rule.min_items = self.integer("minItems");
        rule.max_items = self.integer("maxItems");
        rule.unique_items = self.flag("uniqueItems");
        rule.max_properties = self.integer("maxProperties");
        rule.min_properties = self.integer("minProperties");
        if let Some(Json::Array(names)) = self.keywords.get("required") {
            rule.required = texts(names);
        }
        Ok(())
    }

    fn conditions(&mut self, rule: &mut Rule) {
        rule.condition = self.schema("if");
        if rule.condition.is_some() {
            let always = match self.keywords.get("if") {
                Some(Json::Bool(flag)) => Some(*flag),
                _ => None,
            };
            if always != Some(false) {
                rule.then = self.schema("then");
            }
            if always != Some(true) {
                rule.otherwise = self.schema("else");
            }
        }
    }

    fn year_2019(&mut self, rule: &mut Rule) -> Result<(), Error> {
        rule.recursive_ref = self.reference("$recursiveRef")?;
        rule.recursive_anchor = self.flag("$recursiveAnchor");
        if rule.contains.is_some() {
            rule.min_contains = self.integer("minContains");
            rule.max_contains = self.integer("maxContains");
        }
        if let Some(Json::Object(required)) = self.keywords.get("dependentRequired") {
            for (name, value) in required {
                if let Json::Array(names) = value {
                    rule.dependent_required.insert(name.clone(), texts(names));
                }
            }
        }
        rule.dependent_schemas = self.schema_map("dependentSchemas");
        rule.unevaluated_items = self.schema("unevaluatedItems");
        rule.unevaluated_properties = self.schema("unevaluatedProperties");
        Ok(())
    }

    fn year_2020(&mut self, rule: &mut Rule) -> Result<(), Error> {
        if let Some(target) = self.reference("$dynamicRef")? {
            let (_, fragment) = address::split_fragment(self.text("$dynamicRef").unwrap_or(""))
                .map_err(Error::Url)?;
            let anchor = (!fragment.is_empty() && !fragment.starts_with('/')).then_some(fragment);
            rule.dynamic_ref = Some(DynamicRef { target, anchor });
        }
        self.text("$dynamicAnchor")
            .unwrap_or("")
            .clone_into(&mut rule.dynamic_anchor);
        rule.prefix_items = self.schemas("prefixItems");
        rule.items_2020 = self.schema("items");
        Ok(())
    }

    fn number(&mut self, tokens: &[&str]) -> Id {
        self.compiler.number(self.place.child(tokens))
    }

    fn reference(&mut self, keyword: &str) -> Result<Option<Id>, Error> {
        let Some(reference) = self.text(keyword) else {
            return Ok(None);
        };
        let (url, fragment) = address::join(self.base, reference).map_err(Error::Url)?;
        let here = match self.compiler.library.root(&self.place.url) {
            Some(root) => root.resolve(&url, &fragment)?,
            None => None,
        };
        let place = match here {
            Some(place) => place,
            None => self.compiler.library.resolve(&url, &fragment)?,
        };
        Ok(Some(self.compiler.number(place)))
    }

    fn schema(&mut self, keyword: &str) -> Option<Id> {
        self.keywords
            .get(keyword)
            .is_some()
            .then(|| self.number(&[keyword]))
    }

    fn schemas(&mut self, keyword: &str) -> Vec<Id> {
        match self.keywords.get(keyword) {
            Some(Json::Array(items)) => (0..items.len())
                .map(|i| self.number(&[keyword, &i.to_string()]))
                .collect(),
            _ => Vec::new(),
        }
    }

    fn schema_map(&mut self, keyword: &str) -> BTreeMap<String, Id> {
        match self.keywords.get(keyword) {
            Some(Json::Object(entries)) => entries
                .keys()
                .map(|name| (name.clone(), self.number(&[keyword, name])))
                .collect(),
            _ => BTreeMap::new(),
        }
    }

    fn additional(&mut self, keyword: &str) -> Option<Additional> {
        match self.keywords.get(keyword)? {
            Json::Bool(allowed) => Some(Additional::Allowed(*allowed)),
            _ => self.schema(keyword).map(Additional::Schema),
        }
    }

    fn text(&self, keyword: &str) -> Option<&'k str> {
        self.keywords.text(keyword)
    }

    fn flag(&self, keyword: &str) -> bool {
        self.keywords.get(keyword) == Some(&Json::Bool(true))
    }

    fn number_value(&self, keyword: &str) -> Option<Box<Decimal>> {
        match self.keywords.get(keyword)? {
            Json::Number(digits) => Decimal::parse(digits).map(Box::new),
            _ => None,
        }
    }

    fn integer(&self, keyword: &str) -> Option<i64> {
        self.number_value(keyword)?.to_integer()
    }

    /// A bound and its exclusive form, which in the fourth draft is a flag beside it.
    fn bound(
        &self,
        keyword: &str,
        exclusive: &str,
    ) -> (Option<Box<Decimal>>, Option<Box<Decimal>>) {
        let bound = self.number_value(keyword);
        if self.flag(exclusive) {
            (None, bound)
        } else {
            (bound, self.number_value(exclusive))
        }
    }

    fn bad_regex(&self, keyword: &str, pattern: &str, reason: String) -> Error {
        Error::Regex {
            pattern: pattern.to_owned(),
            place: self.place.child(&[keyword]).to_string(),
            reason,
        }
    }
}

fn texts(values: &[Json]) -> Vec<String> {
    let texts = values.iter().filter_map(|value| match value {
        Json::String(text) => Some(text.clone()),
        _ => None,
    });
    texts.collect()
}

fn type_of(value: &Json) -> Type {
    match value {
        Json::Null => Type::Null,
        Json::Bool(_) => Type::Boolean,
        Json::Number(_) => Type::Number,
        Json::String(_) => Type::String,
        Json::Array(_) => Type::Array,
        Json::Object(_) => Type::Object,
    }
}
