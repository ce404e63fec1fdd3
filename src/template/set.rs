//! A set of templates that can invoke each other. Go: text/template/template.go.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::error::Error;
use super::exec::{Limits, Machine, MissingKey, Run};
use super::functions::Functions;
use super::node::Tree;
use super::parse::parse;
use super::text::Text;
use super::value::Value;

/// How many bytes of texts a set remembers the trees of, for [`Templates::parse_again`].
const REMEMBERED: usize = 8 << 20;

/// Templates by name, and the functions that they call. A clone shares all that is there, and what
/// is parsed into either afterwards is not seen by the other: it costs next to nothing.
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
    trees: HashMap<Rc<str>, Rc<Tree>>,
    below: Option<Rc<Layer>>,
}

/// The trees of texts that were parsed before, and the name each was parsed under.
#[derive(Debug, Default)]
struct Memory {
    parsed: HashMap<Box<[u8]>, (Box<str>, Trees)>,
    bytes: usize,
}

/// What one text defines.
type Trees = Rc<[Rc<Tree>]>;

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
    /// # Errors
    /// Go's parse error; the set is then as it was.
    pub fn parse(&mut self, name: &str, text: impl AsRef<[u8]>) -> Result<(), Error> {
        let trees = parse(name, text.as_ref(), &self.functions)?;
        for tree in trees {
            self.add(&Rc::new(tree));
        }
        Ok(())
    }

    /// [`Self::parse`] for a text that is likely to come again (`tpl`): its trees are remembered,
    /// by this set and all its clones.
    ///
    /// The template it gives back is the text's own, which is not in the set if it is empty and
    /// there was one of that name; Go's `t.New(name).Parse(text)` gives the same.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_again(&mut self, name: &str, text: &[u8]) -> Result<Template, Error> {
        let known = self.memory.borrow().recall(name, text);
        let trees = match known {
            Some(trees) => trees,
            None => {
                let trees = parse(name, text, &self.functions)?;
                let trees: Trees = trees.into_iter().map(Rc::new).collect();
                self.memory.borrow_mut().keep(name, text, &trees);
                trees
            }
        };
        for tree in trees.iter() {
            self.add(tree);
        }
        match trees.iter().find(|tree| &*tree.name == name) {
            Some(tree) => Ok(Template(Rc::clone(tree))),
            None => Err(Error::no_template(name, &self.root)),
        }
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
                    trees: HashMap::from([(name, tree)]),
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

impl Memory {
    fn recall(&self, name: &str, text: &[u8]) -> Option<Trees> {
        let (known_name, trees) = self.parsed.get(text)?;
        (**known_name == *name).then(|| Rc::clone(trees))
    }

    fn keep(&mut self, name: &str, text: &[u8], trees: &Trees) {
        self.bytes += text.len();
        if self.bytes > REMEMBERED {
            self.parsed.clear();
            self.bytes = text.len();
        }
        self.parsed
            .insert(text.into(), (name.into(), Rc::clone(trees)));
    }
}
