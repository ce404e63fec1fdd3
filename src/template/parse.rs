//! The parser: items into trees. Functions and variables are looked up here, once.
//! Go: text/template/parse/parse.go.

mod pipeline;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use bytes::Bytes;
use foldhash::fast::FixedState;

use super::error::Error;
use super::functions::Functions;
use super::lex::{Item, ItemKind, Lexer};
use super::node::{
    Body, Branch, Command, Identifier, Invocation, List, Name, Node, Place, Position, StringTerm,
    Term, Text, Tree,
};
use super::number::Number;
use super::quote::{quoted, unquote};

/// How deep parentheses and control structures can stand in each other. Go stops at 10,000
/// parentheses and at the end of its stack; ours is smaller.
const DEEPEST: usize = 1_000;

/// All templates that a text defines, the text's own last.
pub(super) fn parse(file: &str, text: Bytes, functions: &Functions) -> Result<Vec<Tree>, Error> {
    let file: Rc<str> = Rc::from(file);
    if Position::try_from(text.len()).is_err() {
        let message = format!("a text of {} bytes is too long", text.len());
        return Err(Error::parse(&file, 1, message));
    }
    let mut parser = Parser {
        source: text.clone(),
        lexer: Lexer::new(
            &text,
            !functions.contains("break"),
            !functions.contains("continue"),
        ),
        functions,
        trees: Vec::new(),
        finished: HashMap::new(),
        open: vec![Open::new(Rc::clone(&file))],
        nesting: 0,
        names: HashSet::default(),
        nodes: Vec::new(),
        commands: Vec::new(),
        terms: Vec::new(),
        numbers: HashMap::default(),
        strings: HashMap::default(),
        identifiers: HashMap::default(),
        file,
    };
    let root = parser.parse_text()?;
    parser.close(root)?;
    Ok(parser.trees)
}

struct Parser<'t> {
    file: Rc<str>,
    source: Bytes,
    lexer: Lexer<'t>,
    functions: &'t Functions,
    /// The finished templates, and where each is by its name.
    trees: Vec<Tree>,
    finished: HashMap<Rc<str>, usize>,
    /// The templates that are being parsed: a `{{block}}` stands within another.
    open: Vec<Open<'t>>,
    nesting: usize,
    // As in `set`: texts made to collide cost time in their own render alone.
    names: HashSet<Name, FixedState>,
    /// The parts of what is being parsed, the innermost last, until it is known how many they are.
    nodes: Vec<Node>,
    commands: Vec<Command>,
    terms: Vec<Term>,
    /// What was read already, by how it is written.
    numbers: HashMap<&'t [u8], Rc<Number>, FixedState>,
    strings: HashMap<&'t [u8], Rc<StringTerm>, FixedState>,
    identifiers: HashMap<&'t [u8], Rc<Identifier>, FixedState>,
}

/// A template that is being parsed. Each has its own look-ahead, as in Go, whose line numbers in
/// errors are those of the last item read by that template.
struct Open<'t> {
    name: Rc<str>,
    token: [Item<'t>; 3],
    peek_count: usize,
    /// The variables that Go's parser believes in.
    names: Vec<&'t [u8]>,
    /// The variables that Go's execution has, each in the slot of its index.
    scope: Vec<Scoped<'t>>,
    slots: usize,
    /// In how many arguments of `and` and `or` we are that may not be evaluated.
    uncertain: usize,
    action_line: usize,
    range_depth: usize,
}

struct Scoped<'t> {
    name: &'t [u8],
    /// Whether it is only set if an argument of `and` or `or` is evaluated.
    uncertain: bool,
}

/// What ended a list of nodes.
enum ListEnd {
    End,
    Else,
}

impl ListEnd {
    fn text(&self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

/// A node, or what ends a list of them.
enum Parsed {
    Node(Node),
    End(ListEnd),
}

impl Open<'_> {
    fn new(name: Rc<str>) -> Self {
        Self {
            name,
            token: [Item::default(); 3],
            peek_count: 0,
            names: vec![b"$"],
            scope: vec![Scoped {
                name: b"$",
                uncertain: false,
            }],
            slots: 1,
            uncertain: 0,
            action_line: 0,
            range_depth: 0,
        }
    }

    /// Where the variable's value is at this point.
    fn place(&self, name: &[u8]) -> Place {
        let mut candidates = Vec::new();
        for (slot, scoped) in self.scope.iter().enumerate().rev() {
            if scoped.name != name {
                continue;
            }
            if !scoped.uncertain && candidates.is_empty() {
                return Place::Slot(slot);
            }
            candidates.push(slot);
            if !scoped.uncertain {
                break;
            }
        }
        Place::Candidates(candidates.into())
    }
}

impl<'t> Parser<'t> {
    fn tree(&mut self) -> &mut Open<'t> {
        let last = self.open.len() - 1;
        &mut self.open[last]
    }

    fn next(&mut self) -> Item<'t> {
        if self.tree().peek_count > 0 {
            self.tree().peek_count -= 1;
        } else {
            self.tree().token[0] = self.lexer.next_item();
        }
        let tree = self.tree();
        tree.token[tree.peek_count]
    }

    fn backup(&mut self) {
        self.tree().peek_count += 1;
    }

    /// Backs up two items; the last one is in place already.
    fn backup2(&mut self, first: Item<'t>) {
        let tree = self.tree();
        tree.token[1] = first;
        tree.peek_count = 2;
    }

    fn backup3(&mut self, first: Item<'t>, second: Item<'t>) {
        let tree = self.tree();
        tree.token[1] = second;
        tree.token[2] = first;
        tree.peek_count = 3;
    }

    fn peek(&mut self) -> Item<'t> {
        if self.tree().peek_count == 0 {
            self.tree().peek_count = 1;
            self.tree().token[0] = self.lexer.next_item();
        }
        let tree = self.tree();
        tree.token[tree.peek_count - 1]
    }

    fn next_non_space(&mut self) -> Item<'t> {
        loop {
            let item = self.next();
            if item.kind != ItemKind::Space {
                return item;
            }
        }
    }

    fn peek_non_space(&mut self) -> Item<'t> {
        let item = self.next_non_space();
        self.backup();
        item
    }

    fn error<T>(&mut self, message: impl Into<String>) -> Result<T, Error> {
        let line = self.tree().token[0].line;
        Err(Error::parse(&self.file, line, message.into()))
    }

    fn name(&mut self, text: &[u8]) -> Name {
        match self.names.get(text) {
            Some(name) => Rc::clone(name),
            None => {
                let name = Name::from(text);
                self.names.insert(Rc::clone(&name));
                name
            }
        }
    }

    fn expect(&mut self, kind: ItemKind, context: &str) -> Result<Item<'t>, Error> {
        let item = self.next_non_space();
        if item.kind != kind {
            return self.unexpected(item, context);
        }
        Ok(item)
    }

    fn unexpected<T>(&mut self, item: Item<'t>, context: &str) -> Result<T, Error> {
        if item.kind != ItemKind::Error {
            return self.error(format!("unexpected {item} in {context}"));
        }
        let mut message = item.to_string();
        let action_line = self.tree().action_line;
        if action_line != 0 && action_line != item.line {
            let file = Rc::clone(&self.file);
            // Go avoids "action in action".
            message += if message.ends_with(" action") {
                ""
            } else {
                " in action"
            };
            message += &format!(" started at {file}:{action_line}");
        }
        self.error(message)
    }

    fn descend(&mut self) -> Result<(), Error> {
        if self.nesting >= DEEPEST {
            return self.error("max expression depth exceeded");
        }
        self.nesting += 1;
        Ok(())
    }

    fn ascend(&mut self) {
        self.nesting -= 1;
    }

    /// Ends the innermost template. Go: Tree.add.
    fn close(&mut self, root: List) -> Result<(), Error> {
        let name = Rc::clone(&self.tree().name);
        let before = self.finished.get(&name).copied();
        let tree = Tree {
            name,
            file: Rc::clone(&self.file),
            body: Rc::new(Body {
                source: self.source.clone(),
                root,
                slots: self.tree().slots,
                // What a definition of the same name gives way to stands for both.
                defined: self.open.len() > 1 || before.is_some(),
            }),
        };
        match before {
            None => {
                self.finished
                    .insert(Rc::clone(&tree.name), self.trees.len());
                self.trees.push(tree);
            }
            Some(index) if self.trees[index].is_empty() => self.trees[index] = tree,
            Some(_) if tree.is_empty() => {}
            Some(_) => {
                let name = quoted(tree.name.as_bytes());
                return self.error(format!("template: multiple definition of template {name}"));
            }
        }
        if self.open.len() > 1 {
            self.open.pop();
        }
        Ok(())
    }

    /// A whole text. Go: Tree.parse.
    fn parse_text(&mut self) -> Result<List, Error> {
        let first = self.nodes.len();
        while self.peek().kind != ItemKind::Eof {
            if self.peek().kind == ItemKind::LeftDelim {
                let delim = self.next();
                if self.next_non_space().kind == ItemKind::Define {
                    self.parse_definition()?;
                    continue;
                }
                self.backup2(delim);
            }
            match self.text_or_action()? {
                Parsed::Node(node) => self.nodes.push(node),
                Parsed::End(end) => return self.error(format!("unexpected {}", end.text())),
            }
        }
        Ok(self.list(first))
    }

    fn parse_definition(&mut self) -> Result<(), Error> {
        const CONTEXT: &str = "define clause";
        self.open.push(Open::new(Rc::from("definition")));
        let name = self.next_non_space();
        self.tree().name = self.template_name(name, CONTEXT)?;
        self.expect(ItemKind::RightDelim, CONTEXT)?;
        match self.item_list()? {
            (root, ListEnd::End) => self.close(root),
            (_, end) => self.error(format!("unexpected {} in {CONTEXT}", end.text())),
        }
    }

    /// Nodes up to `{{end}}` or `{{else}}`.
    fn item_list(&mut self) -> Result<(List, ListEnd), Error> {
        let first = self.nodes.len();
        while self.peek_non_space().kind != ItemKind::Eof {
            match self.text_or_action()? {
                Parsed::Node(node) => self.nodes.push(node),
                Parsed::End(end) => return Ok((self.list(first), end)),
            }
        }
        self.error("unexpected EOF")
    }

    /// The nodes from this one on, as many as there are.
    fn list(&mut self, first: usize) -> List {
        List {
            nodes: self.nodes.drain(first..).collect(),
        }
    }

    fn text_or_action(&mut self) -> Result<Parsed, Error> {
        let item = self.next_non_space();
        match item.kind {
            ItemKind::Text => Ok(Parsed::Node(Node::Text(Text {
                position: item.position,
                length: item.text.len() as u32,
            }))),
            ItemKind::LeftDelim => {
                self.tree().action_line = item.line;
                let node = self.action();
                self.tree().action_line = 0;
                node
            }
            _ => self.unexpected(item, "input"),
        }
    }

    fn action(&mut self) -> Result<Parsed, Error> {
        let item = self.next_non_space();
        let node = match item.kind {
            ItemKind::Block => self.block_control()?,
            ItemKind::Break => self.loop_control(item.position, "{{break}}", Node::Break)?,
            ItemKind::Continue => {
                self.loop_control(item.position, "{{continue}}", Node::Continue)?
            }
            ItemKind::Else => return self.else_control().map(Parsed::End),
            ItemKind::End => {
                self.expect(ItemKind::RightDelim, "end")?;
                return Ok(Parsed::End(ListEnd::End));
            }
            ItemKind::If => Node::If(self.parse_control("if")?),
            ItemKind::Range => Node::Range(self.parse_control("range")?),
            ItemKind::Template => self.template_control()?,
            ItemKind::With => Node::With(self.parse_control("with")?),
            _ => {
                self.backup();
                Node::Action(self.pipeline("command", ItemKind::RightDelim)?)
            }
        };
        Ok(Parsed::Node(node))
    }

    fn loop_control(
        &mut self,
        position: Position,
        name: &str,
        node: impl FnOnce(Position) -> Node,
    ) -> Result<Node, Error> {
        let item = self.next_non_space();
        if item.kind != ItemKind::RightDelim {
            return self.unexpected(item, name);
        }
        if self.tree().range_depth == 0 {
            return self.error(format!("{name} outside {{{{range}}}}"));
        }
        Ok(node(position))
    }

    /// `if`, `with` or `range`, whose keyword is past.
    fn parse_control(&mut self, context: &'static str) -> Result<Box<Branch>, Error> {
        self.descend()?;
        let (names, outer) = (self.tree().names.len(), self.tree().scope.len());
        let pipe = self.pipeline(context, ItemKind::RightDelim)?;
        let inner = self.tree().scope.len();
        let ranging = usize::from(context == "range");
        self.tree().range_depth += ranging;
        let (list, end) = self.item_list()?;
        self.tree().range_depth -= ranging;
        // Go's parser still knows the list's variables in the else list, its execution does not.
        self.tree().scope.truncate(inner);
        let else_list = match end {
            ListEnd::End => None,
            ListEnd::Else => Some(self.else_list(context)?),
        };
        self.tree().scope.truncate(outer);
        self.tree().names.truncate(names);
        self.ascend();
        Ok(Box::new(Branch {
            pipe,
            list,
            else_list,
        }))
    }

    /// What follows `{{else`. `{{else if}}` is an `if` in the else list, whose `{{end}}` is both's.
    fn else_list(&mut self, context: &'static str) -> Result<List, Error> {
        let node = match (context, self.peek().kind) {
            ("if", ItemKind::If) => {
                self.next();
                Node::If(self.parse_control("if")?)
            }
            ("with", ItemKind::With) => {
                self.next();
                Node::With(self.parse_control("with")?)
            }
            _ => {
                return match self.item_list()? {
                    (list, ListEnd::End) => Ok(list),
                    (_, end) => self.error(format!("expected end; found {}", end.text())),
                };
            }
        };
        Ok(List {
            nodes: Box::new([node]),
        })
    }

    fn else_control(&mut self) -> Result<ListEnd, Error> {
        if !matches!(self.peek_non_space().kind, ItemKind::If | ItemKind::With) {
            self.expect(ItemKind::RightDelim, "else")?;
        }
        Ok(ListEnd::Else)
    }

    /// `{{block "name" pipe}}` defines a template and invokes it.
    fn block_control(&mut self) -> Result<Node, Error> {
        const CONTEXT: &str = "block clause";
        self.descend()?;
        let item = self.next_non_space();
        let name = self.template_name(item, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, ItemKind::RightDelim)?;
        self.open.push(Open::new(Rc::clone(&name)));
        let (root, end) = self.item_list()?;
        if let ListEnd::Else = end {
            self.open.pop();
            return self.error(format!("unexpected {} in {CONTEXT}", end.text()));
        }
        self.close(root)?;
        self.ascend();
        Ok(Node::Template(Box::new(Invocation {
            position: item.position,
            name,
            pipe: Some(pipe),
        })))
    }

    fn template_control(&mut self) -> Result<Node, Error> {
        const CONTEXT: &str = "template clause";
        let item = self.next_non_space();
        let name = self.template_name(item, CONTEXT)?;
        let mut pipe = None;
        if self.next_non_space().kind != ItemKind::RightDelim {
            self.backup();
            pipe = Some(self.pipeline(CONTEXT, ItemKind::RightDelim)?);
        }
        Ok(Node::Template(Box::new(Invocation {
            position: item.position,
            name,
            pipe,
        })))
    }

    fn template_name(&mut self, item: Item<'t>, context: &str) -> Result<Rc<str>, Error> {
        if !matches!(item.kind, ItemKind::String | ItemKind::RawString) {
            return self.unexpected(item, context);
        }
        match unquote(item.text) {
            Ok(name) => Ok(Rc::from(&*String::from_utf8_lossy(&name))),
            Err(error) => self.error(error.to_string()),
        }
    }
}
