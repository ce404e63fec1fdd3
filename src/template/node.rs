//! The tree of a parsed template, and how it prints: errors show nodes as Go's `String()` does.
//! Go: text/template/parse/node.go.

use std::rc::Rc;

use bytes::Bytes;

use super::error::Location;
use super::functions::Callee;
use super::number::Number;
use super::quote::quote;
use super::value::Value;

/// A byte position in the text of a template; a larger text is not parsed.
pub(super) type Position = u32;

/// The name of a field, variable or function; a text has each but once.
pub(super) type Name = Rc<[u8]>;

/// A template: what `{{define}}` names, or a whole text.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) name: Rc<str>,
    /// The name under which the text was parsed that this template stands in.
    pub(super) file: Rc<str>,
    pub(super) body: Rc<Body>,
}

/// What a template is whatever its text is called.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) source: Bytes,
    pub(super) root: List,
    /// How many variables can be in scope at once, `$` included.
    pub(super) slots: usize,
    /// Whether `{{define}}` or `{{block}}` names it.
    pub(super) defined: bool,
}

impl Tree {
    /// Whether there is nothing but space and definitions. Go: parse.IsEmptyTree.
    pub(super) fn is_empty(&self) -> bool {
        self.body.root.nodes.iter().all(|node| match node {
            Node::Text(text) => bstr::ByteSlice::trim(text.of(&self.body.source)).is_empty(),
            _ => false,
        })
    }

    /// Where a position is. Go: Tree.ErrorContext.
    pub(super) fn location(&self, position: Position) -> Location {
        let before = &self.body.source[..self.body.source.len().min(position as usize)];
        let line_start = before
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        Location {
            file: self.file.to_string(),
            line: 1 + before.iter().filter(|&&byte| byte == b'\n').count(),
            column: before.len() - line_start,
        }
    }
}

/// Nodes in a row.
#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) nodes: Box<[Node]>,
}

/// Text, or an action.
#[derive(Debug)]
pub(super) enum Node {
    Text(Text),
    Action(Pipe),
    Break(Position),
    Continue(Position),
    If(Box<Branch>),
    With(Box<Branch>),
    Range(Box<Branch>),
    Template(Box<Invocation>),
}

/// A run of plain text: where it stands in the source.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) position: Position,
    pub(super) length: u32,
}

impl Text {
    pub(super) fn of<'s>(&self, source: &'s [u8]) -> &'s [u8] {
        &source[self.position as usize..][..self.length as usize]
    }
}

/// `if`, `with` or `range`.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) pipe: Pipe,
    pub(super) list: List,
    pub(super) else_list: Option<List>,
}

/// `{{template "name" pipe}}`
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) position: Position,
    pub(super) name: Rc<str>,
    pub(super) pipe: Option<Pipe>,
}

/// Commands in a row, each of which gets the value of the one before, and the variables that get
/// the last one's value.
#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) position: Position,
    /// Few have any.
    pub(super) variables: Option<Box<Variables>>,
    pub(super) commands: Box<[Command]>,
}

/// The variables at the head of a pipeline.
#[derive(Debug)]
pub(super) enum Variables {
    /// `$x := ...`
    Declared(Vec<(Name, usize)>),
    /// `$x = ...`
    Assigned(Vec<(Name, Place)>),
}

impl Variables {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Declared(variables) => variables.len(),
            Self::Assigned(variables) => variables.len(),
        }
    }
}

/// Where a variable's value is, counted from the frame of the template.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Slot(usize),
    /// `{{and .x ($y := 1)}}{{$y}}`: the first of these that has been set, if any has. Go looks
    /// variables up by name while executing, so that a name that parses can still be undefined.
    Candidates(Box<[usize]>),
}

/// An operand with arguments.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) position: Position,
    /// The first is what is called or shown, the others are its arguments.
    pub(super) terms: Box<[Term]>,
    /// Hardly any has some.
    pub(super) uncertain: Option<Box<Uncertain>>,
}

/// Slots that the arguments of `and` or `or` may or may not set.
#[derive(Debug)]
pub(super) struct Uncertain {
    pub(super) slots: Box<[usize]>,
}

/// An operand. What looks the same wherever it stands, a text has but once.
#[derive(Debug)]
pub(super) enum Term {
    Dot(Position),
    Nil(Position),
    Bool(Position, bool),
    Number(Position, Rc<Number>),
    String(Position, Rc<StringTerm>),
    /// `.x.y`
    Field(Position, Box<[Name]>),
    Variable(Box<Variable>),
    Identifier(Position, Rc<Identifier>),
    Chain(Box<Chain>),
    Pipe(Box<Pipe>),
}

/// A string constant.
#[derive(Debug)]
pub(super) struct StringTerm {
    /// As written, with its quotes.
    pub(super) quoted: Bytes,
    pub(super) value: Value,
}

/// `$x.y`
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) position: Position,
    /// With its dollar sign.
    pub(super) name: Name,
    pub(super) place: Place,
    pub(super) fields: Box<[Name]>,
}

/// A function's name.
#[derive(Debug)]
pub(super) struct Identifier {
    pub(super) name: Name,
    pub(super) callee: Callee,
}

/// `(pipe).x.y`
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) position: Position,
    pub(super) term: Term,
    pub(super) fields: Box<[Name]>,
}

/// The node that is being executed, for error messages.
#[derive(Debug, Clone, Copy)]
pub(super) enum At<'t> {
    List(&'t List),
    Node(&'t Node),
    Pipe(&'t Pipe),
    Command(&'t Command),
    Term(&'t Term),
}

impl At<'_> {
    pub(super) fn position(self) -> Position {
        match self {
            Self::List(list) => list.nodes.first().map_or(0, Node::position),
            Self::Node(node) => node.position(),
            Self::Pipe(pipe) => pipe.position,
            Self::Command(command) => command.position,
            Self::Term(term) => term.position(),
        }
    }

    /// The node as Go prints it, out of the text that it was parsed from.
    pub(super) fn text(self, source: &[u8]) -> String {
        let mut out = Vec::new();
        match self {
            Self::List(list) => list.write(source, &mut out),
            Self::Node(node) => node.write(source, &mut out),
            Self::Pipe(pipe) => pipe.write(&mut out),
            Self::Command(command) => command.write(&mut out),
            Self::Term(term) => term.write(&mut out),
        }
        String::from_utf8_lossy(&out).into_owned()
    }
}

impl List {
    fn write(&self, source: &[u8], out: &mut Vec<u8>) {
        for node in &self.nodes {
            node.write(source, out);
        }
    }
}

impl Node {
    pub(super) fn position(&self) -> Position {
        match self {
            Self::Text(text) => text.position,
            Self::Action(pipe) => pipe.position,
            Self::Break(position) | Self::Continue(position) => *position,
            Self::If(branch) | Self::With(branch) | Self::Range(branch) => branch.pipe.position,
            Self::Template(invocation) => invocation.position,
        }
    }

    fn write(&self, source: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => out.extend_from_slice(text.of(source)),
            Self::Action(pipe) => {
                out.extend_from_slice(b"{{");
                pipe.write(out);
                out.extend_from_slice(b"}}");
            }
            Self::Break(_) => out.extend_from_slice(b"{{break}}"),
            Self::Continue(_) => out.extend_from_slice(b"{{continue}}"),
            Self::If(branch) => branch.write(b"if", source, out),
            Self::With(branch) => branch.write(b"with", source, out),
            Self::Range(branch) => branch.write(b"range", source, out),
            Self::Template(invocation) => {
                out.extend_from_slice(b"{{template ");
                out.extend_from_slice(&quote(invocation.name.as_bytes()));
                if let Some(pipe) = &invocation.pipe {
                    out.push(b' ');
                    pipe.write(out);
                }
                out.extend_from_slice(b"}}");
            }
        }
    }
}

impl Branch {
    fn write(&self, keyword: &[u8], source: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"{{");
        out.extend_from_slice(keyword);
        out.push(b' ');
        self.pipe.write(out);
        out.extend_from_slice(b"}}");
        self.list.write(source, out);
        if let Some(list) = &self.else_list {
            out.extend_from_slice(b"{{else}}");
            list.write(source, out);
        }
        out.extend_from_slice(b"{{end}}");
    }
}

impl Pipe {
    fn write(&self, out: &mut Vec<u8>) {
        match self.variables.as_deref() {
            None => {}
            Some(Variables::Declared(variables)) => {
                write_names(out, variables.iter().map(|(name, _)| name));
                out.extend_from_slice(b" := ");
            }
            Some(Variables::Assigned(variables)) => {
                write_names(out, variables.iter().map(|(name, _)| name));
                out.extend_from_slice(b" = ");
            }
        }
        for (index, command) in self.commands.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(b" | ");
            }
            command.write(out);
        }
    }
}

fn write_names<'n>(out: &mut Vec<u8>, names: impl Iterator<Item = &'n Name>) {
    for (index, name) in names.enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        out.extend_from_slice(name);
    }
}

impl Command {
    fn write(&self, out: &mut Vec<u8>) {
        for (index, term) in self.terms.iter().enumerate() {
            if index > 0 {
                out.push(b' ');
            }
            term.write_in_parentheses(out);
        }
    }
}

impl Term {
    pub(super) fn position(&self) -> Position {
        match self {
            Self::Dot(position) | Self::Nil(position) => *position,
            Self::Bool(position, _) | Self::Number(position, _) => *position,
            Self::String(position, _) | Self::Field(position, _) => *position,
            Self::Identifier(position, _) => *position,
            Self::Variable(variable) => variable.position,
            Self::Chain(chain) => chain.position,
            Self::Pipe(pipe) => pipe.position,
        }
    }

    /// The term as Go prints it, for messages.
    pub(super) fn text(&self) -> String {
        let mut out = Vec::new();
        self.write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    fn write_in_parentheses(&self, out: &mut Vec<u8>) {
        if let Self::Pipe(pipe) = self {
            out.push(b'(');
            pipe.write(out);
            out.push(b')');
        } else {
            self.write(out);
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Dot(_) => out.push(b'.'),
            Self::Nil(_) => out.extend_from_slice(b"nil"),
            Self::Bool(_, truth) => out.extend_from_slice(truth.to_string().as_bytes()),
            Self::Number(_, number) => out.extend_from_slice(&number.text),
            Self::String(_, string) => out.extend_from_slice(&string.quoted),
            Self::Field(_, names) => write_fields(out, names),
            Self::Variable(variable) => {
                out.extend_from_slice(&variable.name);
                write_fields(out, &variable.fields);
            }
            Self::Identifier(_, identifier) => out.extend_from_slice(&identifier.name),
            Self::Chain(chain) => {
                chain.term.write_in_parentheses(out);
                write_fields(out, &chain.fields);
            }
            Self::Pipe(pipe) => pipe.write(out),
        }
    }
}

fn write_fields(out: &mut Vec<u8>, names: &[Name]) {
    for name in names {
        out.push(b'.');
        out.extend_from_slice(name);
    }
}
