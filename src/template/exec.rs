//! Execution of a parsed template, by walking its tree. Go: text/template/exec.go.

mod argument;
mod call;
mod field;
mod pipeline;
mod walk;

use std::rc::Rc;

use super::error::{Error, ErrorKind};
use super::function::CallError;
use super::node::{At, Tree};
use super::set::{Template, Templates};
use super::text::Text;
use super::value::Value;

/// What a map's missing key means: Go's `missingkey` option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingKey {
    /// Nothing at all: `.x` prints `<no value>`, and so does `.x.y`.
    #[default]
    Default,
    /// The zero value of the map's items: for `interface {}` a nil, of which `.x.y` is an error.
    Zero,
    /// An error.
    Error,
}

/// The bounds of one execution, nested executions included. There is no clock in here: who bounds
/// the steps bounds the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many nodes can be executed.
    pub steps: u64,
    /// How many bytes can be written, and made by functions, in all. A single call of a function can
    /// exceed it, if the function does not watch what it makes.
    pub output: usize,
    /// How deep templates, control structures and parentheses can be executed within each other.
    pub depth: usize,
}

impl Limits {
    /// The stack that one level of depth takes at worst, in bytes; a build with debug assertions
    /// takes more.
    const LEVEL: usize = if cfg!(debug_assertions) {
        16 << 10
    } else {
        4 << 10
    };

    /// The parser lets this many levels stand within one template, and a template that starts just
    /// below the bound can still go as deep.
    const WITHIN_TEMPLATE: usize = 3_000;

    /// How many bytes of stack parsing and executing can need at worst, without what functions
    /// take for themselves.
    pub fn stack(&self) -> usize {
        (self.depth + Self::WITHIN_TEMPLATE) * Self::LEVEL
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 100_000_000,
            output: 512 << 20,
            depth: 50_000,
        }
    }
}

/// What one execution and all that are nested in it have in common.
pub(super) struct Run {
    limits: Limits,
    steps: u64,
    /// How many bytes have been written.
    written: usize,
    depth: usize,
    out: Vec<u8>,
    /// Buffers that are not in use.
    spare_buffers: Vec<Vec<u8>>,
    /// Argument lists that are not in use.
    spare_arguments: Vec<Vec<Value>>,
    /// Variable frames that are not in use.
    spare_slots: Vec<Vec<Option<Reflected>>>,
}

impl Run {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            steps: 0,
            written: 0,
            depth: 0,
            out: Vec::new(),
            spare_buffers: Vec::new(),
            spare_arguments: Vec::new(),
            spare_slots: Vec::new(),
        }
    }
}

/// One execution: the template set that it runs in, and the budget it has left. A function gets it
/// to execute further templates, on the same budget.
pub struct Machine<'s> {
    templates: &'s Templates,
    run: &'s mut Run,
}

/// A value as Go's reflection holds it: by itself, or in an `interface {}`, as the items of a map
/// or slice of such are. Errors name the type of the interface then, and the nil in one is not
/// the same as no value at all, which is a [`Value::Nil`] by itself.
#[derive(Clone)]
struct Reflected {
    value: Value,
    boxed: bool,
}

impl Reflected {
    fn bare(value: Value) -> Self {
        Self {
            value,
            boxed: false,
        }
    }

    /// What a function, a field or a method yields: if it is nil, it is one in an interface.
    fn result(value: Value) -> Self {
        Self {
            boxed: value.is_nil(),
            value,
        }
    }

    /// The static type, as errors show it.
    fn type_name(&self) -> String {
        match self.boxed {
            true => "interface {}".to_owned(),
            false => self.value.type_name(),
        }
    }
}

/// One invocation of a template.
struct Frame<'t> {
    tree: &'t Tree,
    /// The node that is being executed, for error messages: set exactly where Go sets it.
    at: At<'t>,
    slots: Vec<Option<Reflected>>,
}

impl Frame<'_> {
    #[cold]
    fn error(&self, message: impl Into<String>) -> Error {
        self.error_of(ErrorKind::Execution, message.into(), None)
    }

    #[cold]
    fn limit(&self, message: impl Into<String>) -> Error {
        self.error_of(ErrorKind::Limit, message.into(), None)
    }

    fn error_of(&self, kind: ErrorKind, message: String, cause: Option<CallError>) -> Error {
        let location = self.tree.location(self.at.position());
        Error::execution(
            kind,
            &self.tree.name,
            location,
            self.at.text(&self.tree.body.source),
            message,
            cause,
        )
    }
}

impl<'s> Machine<'s> {
    pub(super) fn new(templates: &'s Templates, run: &'s mut Run) -> Self {
        Self { templates, run }
    }

    /// The set that is running.
    pub fn templates(&self) -> &Templates {
        self.templates
    }

    /// Executes a template of the running set: Go's `t.ExecuteTemplate` within a function.
    ///
    /// # Errors
    /// As [`Templates::execute`].
    pub fn include(&mut self, name: &str, dot: &Value) -> Result<Text, Error> {
        let templates = self.templates;
        match templates.tree(name) {
            Some(tree) => self.execute_tree(tree, dot),
            None => Err(Error::no_template(name, templates.root_name())),
        }
    }

    /// Executes a template of another set.
    ///
    /// # Errors
    /// As [`Templates::execute`].
    pub fn execute_in(
        &mut self,
        templates: &Templates,
        name: &str,
        dot: &Value,
    ) -> Result<Text, Error> {
        Machine::new(templates, self.run).include(name, dot)
    }

    /// Executes a template, which need not be in a set itself, within another set.
    ///
    /// # Errors
    /// As [`Templates::execute`].
    pub fn execute_template(
        &mut self,
        templates: &Templates,
        template: &Template,
        dot: &Value,
    ) -> Result<Text, Error> {
        Machine::new(templates, self.run).execute_tree(template.tree(), dot)
    }

    /// Spends steps of the budget: for functions whose work can be out of proportion to the
    /// template that calls them, such as one that repeats a text.
    ///
    /// # Errors
    /// The steps are used up.
    pub fn spend(&mut self, steps: u64) -> Result<(), CallError> {
        self.run.steps = self.run.steps.saturating_add(steps);
        if self.run.steps > self.run.limits.steps {
            return Err(CallError::new(self.out_of_steps()));
        }
        Ok(())
    }

    fn out_of_steps(&self) -> String {
        format!(
            "the execution takes more than {} steps",
            self.run.limits.steps
        )
    }

    /// A function or method failed. Its message is in that of every template around it, so that
    /// errors of deep recursion are large; what they take counts as output.
    #[cold]
    fn call_error(&mut self, frame: &Frame<'_>, name: &[u8], cause: CallError) -> Error {
        if let Err(limit) = self.account(frame, 2 * cause.message.len()) {
            return limit;
        }
        let kind = match &cause.template {
            Some(error) if error.kind() == ErrorKind::Limit => ErrorKind::Limit,
            _ => ErrorKind::Execution,
        };
        let message = format!("error calling {}: {}", bstr::BStr::new(name), cause.message);
        frame.error_of(kind, message, Some(cause))
    }

    fn execute_tree(&mut self, tree: &Rc<Tree>, dot: &Value) -> Result<Text, Error> {
        let inner = self.run.spare_buffers.pop().unwrap_or_default();
        let outer = std::mem::replace(&mut self.run.out, inner);
        let depth = self.run.depth;
        let result = self.invoke(tree, dot.clone());
        // An error leaves from any depth, and the function that gets it may go on.
        self.run.depth = depth;
        let inner = std::mem::replace(&mut self.run.out, outer);
        let text = self.text_of(inner);
        result.map(|()| text)
    }

    /// The text in a buffer, which is kept for another use.
    fn text_of(&mut self, mut buffer: Vec<u8>) -> Text {
        let text = Text::from_bytes(&buffer);
        buffer.clear();
        self.run.spare_buffers.push(buffer);
        text
    }

    /// Executes a template with a variable frame of its own, onto the current output.
    fn invoke(&mut self, tree: &Rc<Tree>, dot: Value) -> Result<(), Error> {
        let mut slots = self.run.spare_slots.pop().unwrap_or_default();
        slots.resize(tree.body.slots, None);
        let dot = Reflected::bare(dot);
        slots[0] = Some(dot.clone());
        let mut frame = Frame {
            tree,
            at: At::List(&tree.body.root),
            slots,
        };
        if self.run.depth >= self.run.limits.depth {
            return Err(frame.limit(TOO_DEEP));
        }
        self.run.depth += 1;
        let result = self.walk_list(&mut frame, &dot, &tree.body.root);
        self.run.depth -= 1;
        frame.slots.clear();
        self.run.spare_slots.push(frame.slots);
        result.map(|_| ())
    }
}

/// Go's own words: its bound is higher than ours, but only what recurses without end meets either.
const TOO_DEEP: &str = "exceeded maximum template depth (100000)";
