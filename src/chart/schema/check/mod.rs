//! Values held against rules, keyword by keyword, in the order of Helm's schema library.

mod array;
mod combination;
mod object;
mod scalar;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use crate::chart::schema::address;
use crate::chart::schema::compile::Metaschemas;
use crate::chart::schema::document::Root;
use crate::chart::schema::draft::Draft;
use crate::chart::schema::failure::{Failure, Kind, count, quote};
use crate::chart::schema::instance::Instance;
use crate::chart::schema::rule::{Id, Rule, Rules, Type};

/// Rules that may be within one another while one value is looked at.
const MAX_DEPTH: usize = 250;

/// Times that a value may be held against a rule: schemas that branch within branches multiply.
const MAX_STEPS: u64 = 3_000_000;

/// Why values are not valid.
pub(super) enum Stop {
    /// The schema refuses them.
    Refused(Box<Failure>),
    /// It takes too long to find out.
    Bound(String),
}

/// The drafts of a schema that is itself checked, where parts of it follow other ones.
pub(super) struct Drafts<'a> {
    pub(super) root: &'a Root,
    pub(super) meta: &'a Metaschemas,
}

/// Holds a value against a rule.
// santhosh-tekuri/jsonschema: validator.go validate
pub(super) fn validate(
    rules: &Rules,
    rule: Id,
    instance: Instance<'_>,
    drafts: Option<&Drafts<'_>>,
) -> Result<(), Stop> {
    let checker = Checker {
        rules,
        drafts,
        steps: Cell::new(0),
        bound: RefCell::new(None),
    };
    let meta = drafts.map(|_| rule);
    let outcome = checker.whole(rule, instance, meta, 0);
    if let Some(bound) = checker.bound.take() {
        return Err(Stop::Bound(bound));
    }
    outcome.map_err(Stop::Refused)
}

type Outcome<T> = Result<T, Box<Failure>>;

struct Checker<'r> {
    rules: &'r Rules,
    drafts: Option<&'r Drafts<'r>>,
    steps: Cell<u64>,
    bound: RefCell<Option<String>>,
}

/// The way to a value.
#[derive(Clone, Copy)]
struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    token: &'p str,
}

const TOP: Path<'static> = Path {
    parent: None,
    token: "",
};

impl<'p> Path<'p> {
    fn child(&'p self, token: &'p str) -> Path<'p> {
        Path {
            parent: Some(self),
            token,
        }
    }

    fn tokens(&self) -> Vec<String> {
        let mut tokens = Vec::new();
        let mut at = self;
        while let Some(parent) = at.parent {
            tokens.push(at.token.to_owned());
            at = parent;
        }
        tokens.reverse();
        tokens
    }
}

/// The rules that led to a rule.
struct Frame<'f> {
    rule: Id,
    /// The keyword, where a reference led here.
    keyword: &'static str,
    /// Frames with the same number look at the same value.
    value: usize,
    depth: usize,
    parent: Option<&'f Frame<'f>>,
}

/// What of a value no rule has looked at yet.
#[derive(Default)]
struct Unevaluated<'a> {
    properties: BTreeSet<&'a str>,
    items: BTreeSet<usize>,
}

impl<'a> Unevaluated<'a> {
    fn of(instance: Instance<'a>, rule: &Rule, caller_asks: bool) -> Self {
        let mut all = Self::default();
        if !rule.all_properties_evaluated && (caller_asks || rule.unevaluated_properties.is_some())
        {
            all.properties = instance.properties().map(|(name, _)| name).collect();
        }
        if !rule.all_items_evaluated && (caller_asks || rule.unevaluated_items.is_some()) {
            let items = instance.items().map_or(0, |items| items.len());
            all.items = (rule.items_evaluated..items).collect();
        }
        all
    }

    fn merge(&mut self, other: &Self) {
        self.properties
            .retain(|name| other.properties.contains(name));
        self.items.retain(|item| other.items.contains(item));
    }

    fn is_empty(&self) -> bool {
        self.properties.is_empty() && self.items.is_empty()
    }
}

/// One value while it is held against one rule.
struct Visit<'v, 'a> {
    checker: &'v Checker<'v>,
    instance: Instance<'a>,
    path: &'v Path<'v>,
    rule: &'v Rule,
    frame: &'v Frame<'v>,
    unevaluated: Unevaluated<'a>,
    failures: Vec<Failure>,
    /// Nobody asks why.
    quiet: bool,
    /// The rule that stands for any schema, where schemas are checked.
    meta: Option<Id>,
}

impl Checker<'_> {
    /// Holds a value that stands by itself against a rule.
    fn whole(
        &self,
        rule: Id,
        instance: Instance<'_>,
        meta: Option<Id>,
        depth: usize,
    ) -> Outcome<()> {
        let frame = Frame {
            rule,
            keyword: "",
            value: 0,
            depth,
            parent: None,
        };
        let visit = Visit {
            checker: self,
            instance,
            path: &TOP,
            rule: &self.rules[rule],
            frame: &frame,
            unevaluated: Unevaluated::of(instance, &self.rules[rule], false),
            failures: Vec::new(),
            quiet: false,
            meta,
        };
        let Err(failure) = visit.run() else {
            return Ok(());
        };
        let causes = if matches!(failure.kind, Kind::Group) {
            failure.causes
        } else {
            vec![*failure]
        };
        let kind = Kind::Schema(self.rules[rule].location.to_string());
        Err(Box::new(Failure {
            kind,
            at: Vec::new(),
            causes,
        }))
    }

    /// The draft's schema that stands for any schema at a place, where it is another one.
    fn other_meta(&self, rule: Id, meta: Option<Id>, path: &Path<'_>) -> Option<Id> {
        let drafts = self.drafts.filter(|_| meta == Some(rule))?;
        let tokens = path.tokens();
        let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
        let draft = drafts.root.draft_at(&address::append("", &tokens))?;
        drafts.meta.roots.get(draft as usize).copied()
    }

    fn stop(&self, reason: &str) {
        self.bound
            .borrow_mut()
            .get_or_insert_with(|| reason.to_owned());
    }

    fn stopped(&self, depth: usize) -> bool {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > MAX_STEPS {
            self.stop("it takes too many steps");
        }
        if depth > MAX_DEPTH {
            self.stop("it is nested too deeply");
        }
        self.bound.borrow().is_some()
    }
}

impl<'a> Visit<'_, 'a> {
    fn run(mut self) -> Outcome<Unevaluated<'a>> {
        if self.checker.stopped(self.frame.depth) {
            return Err(Box::default());
        }
        match self.rule.boolean {
            Some(true) => return Ok(self.unevaluated),
            Some(false) => return Err(self.failure(|| "false schema".to_owned())),
            None => {}
        }
        self.check_cycle()?;
        self.check_value()?;
        if let Some(reference) = self.rule.reference {
            let outcome = self.reference(reference, "$ref");
            if !self.rule.since(Draft::Year2019) {
                outcome?;
                return Ok(self.unevaluated);
            }
            self.note(outcome);
        }
        match self.instance.kind() {
            Type::Object => self.object(),
            Type::Array => self.array(),
            Type::String => self.string(),
            Type::Number | Type::Integer => self.number(),
            _ => {}
        }
        if self.failures.is_empty() || !self.quiet {
            self.later_references();
            self.combinations();
            self.leftovers();
        }
        match self.failures.len() {
            0 => Ok(self.unevaluated),
            1 => Err(Box::new(self.failures.swap_remove(0))),
            _ => Err(Box::new(Failure {
                kind: Kind::Group,
                at: self.path.tokens(),
                causes: self.failures,
            })),
        }
    }

    fn failure(&self, sentence: impl FnOnce() -> String) -> Box<Failure> {
        if self.quiet {
            return Box::default();
        }
        Box::new(Failure {
            kind: Kind::Rule(sentence()),
            at: self.path.tokens(),
            causes: Vec::new(),
        })
    }

    fn fail(&mut self, sentence: impl FnOnce() -> String) {
        let failure = self.failure(sentence);
        self.failures.push(*failure);
    }

    fn fail_with(&mut self, causes: Vec<Failure>, sentence: impl FnOnce() -> String) {
        let mut failure = self.failure(sentence);
        failure.causes = causes;
        self.failures.push(*failure);
    }

    fn note(&mut self, outcome: Outcome<()>) {
        if let Err(failure) = outcome {
            self.failures.push(*failure);
        }
    }

    fn check_cycle(&self) -> Outcome<()> {
        let mut at = self.frame.parent;
        while let Some(frame) = at.filter(|frame| frame.value == self.frame.value) {
            if frame.rule == self.frame.rule {
                return Err(self.failure(|| {
                    let (first, second) = (
                        self.keyword_location(self.frame),
                        self.keyword_location(frame),
                    );
                    let location = crate::chart::quote::quote(&self.rule.location.to_string());
                    format!(
                        "both {first} and {second} resolve to {location} causing reference cycle"
                    )
                }));
            }
            at = frame.parent;
        }
        Ok(())
    }

    fn keyword_location(&self, frame: &Frame<'_>) -> String {
        let mut location = String::new();
        let mut at = frame;
        while let Some(parent) = at.parent {
            location = if at.keyword.is_empty() {
                let outer = self.checker.rules[parent.rule].location.to_string().len();
                let inner = self.checker.rules[at.rule].location.to_string();
                format!("{}{location}", inner.get(outer..).unwrap_or(""))
            } else {
                format!("/{}{location}", address::escape(at.keyword))
            };
            at = parent;
        }
        location
    }

    /// The keywords that end the matter where they fail.
    fn check_value(&self) -> Outcome<()> {
        let (rule, instance) = (self.rule, self.instance);
        let kind = instance.kind();
        if !rule.types.is_empty() {
            let whole = || instance.number().is_some_and(|number| number.is_integer());
            let integer = rule.types.contains(Type::Integer) && kind == Type::Number && whole();
            if !rule.types.contains(kind) && !integer {
                return Err(
                    self.failure(|| format!("got {}, want {}", kind.name(), rule.types.names()))
                );
            }
        }
        if let Some(constant) = &rule.constant {
            let constant = Instance::Json(constant);
            if !instance.equals(constant) {
                return Err(self.failure(|| match constant.kind() {
                    Type::Object | Type::Array => "'const' failed".to_owned(),
                    _ => format!("value must be {}", constant.display()),
                }));
            }
        }
        if let Some(list) = &rule.values {
            let matched = list.types.contains(kind)
                && list
                    .values
                    .iter()
                    .any(|one| instance.equals(Instance::Json(one)));
            if !matched {
                return Err(self.failure(|| {
                    if list.types.contains(Type::Object) || list.types.contains(Type::Array) {
                        return "'enum' failed".to_owned();
                    }
                    let shown: Vec<String> = list
                        .values
                        .iter()
                        .map(|one| Instance::Json(one).display())
                        .collect();
                    let of = if shown.len() == 1 { "" } else { "one of " };
                    format!("value must be {of}{}", shown.join(", "))
                }));
            }
        }
        if let (Some(format), Some(text)) = (rule.format, instance.text())
            && let Err(reason) = format.check(text)
        {
            return Err(self
                .failure(|| format!("{} is not valid {}: {reason}", quote(text), format.name())));
        }
        Ok(())
    }

    /// Holds the same value against another rule.
    fn itself(&mut self, rule: Id, keyword: &'static str, quiet: bool) -> Outcome<()> {
        let quiet = self.quiet || quiet;
        let (rule, meta) = match self.checker.other_meta(rule, self.meta, self.path) {
            Some(other) => (other, Some(other)),
            None => (rule, self.meta),
        };
        let frame = Frame {
            rule,
            keyword,
            value: self.frame.value,
            depth: self.frame.depth + 1,
            parent: Some(self.frame),
        };
        let visit = Visit {
            checker: self.checker,
            instance: self.instance,
            path: self.path,
            rule: &self.checker.rules[rule],
            frame: &frame,
            unevaluated: Unevaluated::of(
                self.instance,
                &self.checker.rules[rule],
                !self.unevaluated.is_empty(),
            ),
            failures: Vec::new(),
            quiet,
            meta,
        };
        let unevaluated = visit.run()?;
        self.unevaluated.merge(&unevaluated);
        Ok(())
    }

    /// Holds a value within this one against a rule.
    fn inner(&self, rule: Id, instance: Instance<'a>, token: &str) -> Outcome<()> {
        let path = self.path.child(token);
        let (rule, meta) = match self.checker.other_meta(rule, self.meta, &path) {
            Some(other) => (other, Some(other)),
            None => (rule, self.meta),
        };
        let frame = Frame {
            rule,
            keyword: "",
            value: self.frame.value + 1,
            depth: self.frame.depth + 1,
            parent: Some(self.frame),
        };
        let visit = Visit {
            checker: self.checker,
            instance,
            path: &path,
            rule: &self.checker.rules[rule],
            frame: &frame,
            unevaluated: Unevaluated::of(instance, &self.checker.rules[rule], false),
            failures: Vec::new(),
            quiet: self.quiet,
            meta,
        };
        visit.run().map(|_| ())
    }

    fn reference(&mut self, rule: Id, keyword: &'static str) -> Outcome<()> {
        self.itself(rule, keyword, false).map_err(|failure| {
            if self.quiet {
                return Box::default();
            }
            let causes = if matches!(failure.kind, Kind::Group) {
                failure.causes
            } else {
                vec![*failure]
            };
            Box::new(Failure {
                kind: Kind::Reference,
                at: self.path.tokens(),
                causes,
            })
        })
    }

    fn later_references(&mut self) {
        if !self.rule.since(Draft::Year2019) {
            return;
        }
        if let Some(fallback) = self.rule.recursive_ref {
            let mut target = fallback;
            if self.checker.rules[fallback].recursive_anchor {
                let anchored = |frame: &Frame<'_>| {
                    let resource = self.checker.rules[frame.rule].resource;
                    self.checker.rules[resource]
                        .recursive_anchor
                        .then_some(frame.rule)
                };
                target = self.outermost(anchored).unwrap_or(fallback);
            }
            let outcome = self.reference(target, "$recursiveRef");
            self.note(outcome);
        }
        if let Some(dynamic) = &self.rule.dynamic_ref {
            let mut target = dynamic.target;
            if let Some(anchor) = dynamic
                .anchor
                .as_ref()
                .filter(|anchor| **anchor == self.checker.rules[target].dynamic_anchor)
            {
                let anchored = |frame: &Frame<'_>| {
                    let resource = self.checker.rules[frame.rule].resource;
                    self.checker.rules[resource]
                        .dynamic_anchors
                        .get(anchor)
                        .copied()
                };
                target = self.outermost(anchored).unwrap_or(target);
            }
            let outcome = self.reference(target, "$dynamicRef");
            self.note(outcome);
        }
    }

    /// What the outermost frame gives that gives anything.
    fn outermost(&self, found: impl Fn(&Frame<'_>) -> Option<Id>) -> Option<Id> {
        let mut last = None;
        let mut at = Some(self.frame);
        while let Some(frame) = at {
            last = found(frame).or(last);
            at = frame.parent;
        }
        last
    }
}

fn count_of(number: usize) -> String {
    count(i64::try_from(number).unwrap_or(i64::MAX))
}
