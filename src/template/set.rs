//! A set of templates that can invoke each other. Go: text/template/template.go.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use foldhash::fast::FixedState;

use super::error::Error;
use super::exec::{Limits, Machine, MissingKey, Run};
use super::functions::Functions;
use super::node::Tree;
use super::parse::parse;
use super::text::Text;
use super::value::Value;

/// How many bytes of texts a generation of [`Memory`] holds the trees of.
const GENERATION: usize = 4 << 20;

/// Templates by name, and the functions that they call. A clone shares all that is there, and what
/// is parsed into either afterwards is not seen by the other: it costs next to nothing.
///
/// A set and its clones remember the texts that they have parsed, within bounds: a text that
/// comes again (in `tpl`, in a library that many charts bring along, in the next render of a
/// chart) is not parsed again.
#[derive(Debug, Clone)]
pub struct Templates {
    root: Rc<str>,
    functions: Rc<Functions>,
    missing_key: MissingKey,
    layer: Rc<Layer>,
    memory: Rc<RefCell<Memory>>,
}

/// The templates that were parsed since the set was cloned, over those from before.
#[derive(Debug, Default)]
struct Layer {
    trees: HashMap<Rc<str>, Rc<Tree>, FixedState>,
    below: Option<Rc<Layer>>,
}

/// The trees of texts that were parsed before. What is not asked for while a generation fills up
/// is forgotten with the next.
#[derive(Debug, Default)]
struct Memory {
    young: Generation,
    old: Generation,
}

#[derive(Debug, Default)]
struct Generation {
    // The hash is no defence against texts made to collide: they cost time in their own render's
    // bounded work, nothing more.
    parsed: HashMap<Bytes, Trees, FixedState>,
    bytes: usize,
}

/// What one text defines, and the name that it was parsed under.
#[derive(Debug, Clone)]
struct Trees {
    file: Rc<str>,
    trees: Rc<[Rc<Tree>]>,
}

/// One parsed template, apart from the set it belongs to.
#[derive(Debug, Clone)]
pub struct Template(Rc<Tree>);

impl Templates {
    /// An empty set that calls these functions.
    pub fn new(functions: Rc<Functions>) -> Self {
        Self {
            root: Rc::from(""),
            functions,
            missing_key: MissingKey::Default,
            layer: Rc::default(),
            memory: Rc::default(),
        }
    }

    /// What a map's missing key means. [`MissingKey::Default`] where this is not said.
    #[must_use]
    pub fn missing_key(self, missing_key: MissingKey) -> Self {
        Self {
            missing_key,
            ..self
        }
    }

    /// The name that Go's `template.New` got, which `no template "x" associated with template
    /// "root"` shows. Empty where this is not said.
    #[must_use]
    pub fn root(self, name: &str) -> Self {
        Self {
            root: Rc::from(name),
            ..self
        }
    }

    /// Parses a text and adds it under this name, and what it defines under theirs: Go's
    /// `t.New(name).Parse(text)`. What is there already is replaced, but never by what is empty
    /// but for space and comments.
    ///
    /// The template it gives back is the text's own, which is not in the set if it is empty and
    /// there was one of that name; Go gives the same.
    ///
    /// # Errors
    /// Go's parse error; the set is then as it was.
    pub fn parse(&mut self, name: &str, text: impl AsRef<[u8]>) -> Result<Template, Error> {
        let text = text.as_ref();
        self.parse_text(name, text, || Bytes::copy_from_slice(text))
    }

    /// Parses as [`Templates::parse`] does, and shares the text instead of copying it.
    ///
    /// # Errors
    /// As [`Templates::parse`].
    pub fn parse_shared(&mut self, name: &str, text: &Arc<[u8]>) -> Result<Template, Error> {
        self.parse_text(name, text, || Bytes::from_owner(Arc::clone(text)))
    }

    fn parse_text(
        &mut self,
        name: &str,
        text: &[u8],
        keep: impl FnOnce() -> Bytes,
    ) -> Result<Template, Error> {
        let trees = self.trees(name, text, keep)?;
        for tree in trees.iter() {
            self.add(tree);
        }
        match trees.iter().find(|tree| &*tree.name == name) {
            Some(tree) => Ok(Template(Rc::clone(tree))),
            None => Err(Error::no_template(name, &self.root)),
        }
    }

    fn trees(
        &self,
        name: &str,
        text: &[u8],
        keep: impl FnOnce() -> Bytes,
    ) -> Result<Rc<[Rc<Tree>]>, Error> {
        let mut memory = self.memory.borrow_mut();
        if let Some(known) = memory.recall(text) {
            if *known.file == *name {
                return Ok(known.trees);
            }
            if let Some(trees) = known.under(name) {
                return Ok(trees);
            }
        }
        let text = keep();
        let trees = parse(name, text.clone(), &self.functions)?;
        let trees = Trees {
            file: Rc::from(name),
            trees: trees.into_iter().map(Rc::new).collect(),
        };
        memory.add(text, trees.clone());
        Ok(trees.trees)
    }

    /// Go: template.go associate.
    fn add(&mut self, tree: &Rc<Tree>) {
        if tree.is_empty() && self.tree(&tree.name).is_some() {
            return;
        }
        let (name, tree) = (Rc::clone(&tree.name), Rc::clone(tree));
        match Rc::get_mut(&mut self.layer) {
            Some(layer) => {
                layer.trees.insert(name, tree);
            }
            None => {
                self.layer = Rc::new(Layer {
                    trees: std::iter::once((name, tree)).collect(),
                    below: Some(Rc::clone(&self.layer)),
                });
            }
        }
    }

    pub(super) fn tree(&self, name: &str) -> Option<&Rc<Tree>> {
        let mut layer = Some(&self.layer);
        while let Some(current) = layer {
            if let Some(tree) = current.trees.get(name) {
                return Some(tree);
            }
            layer = current.below.as_ref();
        }
        None
    }

    /// The template of this name.
    pub fn template(&self, name: &str) -> Option<Template> {
        self.tree(name).map(|tree| Template(Rc::clone(tree)))
    }

    /// Whether there is a template of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.tree(name).is_some()
    }

    /// The names of all templates, in order.
    pub fn names(&self) -> Vec<Rc<str>> {
        let mut names = BTreeSet::new();
        let mut layer = Some(&self.layer);
        while let Some(current) = layer {
            names.extend(current.trees.keys().cloned());
            layer = current.below.as_ref();
        }
        names.into_iter().collect()
    }

    /// The functions that the templates call.
    pub fn functions(&self) -> &Rc<Functions> {
        &self.functions
    }

    /// Executes a template on a value: Go's `t.ExecuteTemplate`.
    ///
    /// Executing takes stack, [`Limits::stack`] bytes at worst, in a thread that the caller
    /// provides.
    ///
    /// # Errors
    /// There is no such template; Go's execution error; or a bound was hit.
    pub fn execute(&self, name: &str, dot: &Value, limits: Limits) -> Result<Text, Error> {
        let mut run = Run::new(limits);
        Machine::new(self, &mut run).include(name, dot)
    }

    pub(super) fn root_name(&self) -> &str {
        &self.root
    }

    pub(super) fn on_missing_key(&self) -> MissingKey {
        self.missing_key
    }
}

impl Template {
    pub(super) fn tree(&self) -> &Rc<Tree> {
        &self.0
    }
}

impl Trees {
    /// The trees as they would be, had the text been parsed under another name: unless it defines
    /// a template of the one name or the other, only names change.
    fn under(&self, name: &str) -> Option<Rc<[Rc<Tree>]>> {
        let defines = |wanted: &str| {
            let mut trees = self.trees.iter();
            trees.any(|tree| &*tree.name == wanted && tree.body.defined)
        };
        if defines(name) || defines(&self.file) {
            return None;
        }
        let file: Rc<str> = Rc::from(name);
        let renamed = |tree: &Rc<Tree>| {
            let name = match tree.body.defined {
                true => &tree.name,
                false => &file,
            };
            Rc::new(Tree {
                name: Rc::clone(name),
                file: Rc::clone(&file),
                body: Rc::clone(&tree.body),
            })
        };
        Some(self.trees.iter().map(renamed).collect())
    }
}

impl Memory {
    fn recall(&mut self, text: &[u8]) -> Option<Trees> {
        if let Some(trees) = self.young.parsed.get(text) {
            return Some(trees.clone());
        }
        let (text, trees) = self.old.parsed.remove_entry(text)?;
        self.add(text, trees.clone());
        Some(trees)
    }

    fn add(&mut self, text: Bytes, trees: Trees) {
        if self.young.bytes > GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.bytes += text.len();
        self.young.parsed.insert(text, trees);
    }
}
