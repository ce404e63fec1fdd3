//! Pipelines: declarations, commands, operands.

use std::rc::Rc;

use super::{Error, Item, ItemKind, Parser, Position, Scoped};
use crate::template::builtins::Builtin;
use crate::template::functions::Callee;
use crate::template::node::{
    Chain, Command, Identifier, Name, Pipe, StringTerm, Term, Uncertain, Variable, Variables,
};
use crate::template::number::Number;
use crate::template::quote::{quoted, unquote};
use crate::template::value::Value;

/// The variables at the head of a pipeline, before it is known where they are.
#[derive(Default)]
struct Heads<'t> {
    names: Vec<&'t [u8]>,
    assign: bool,
}

impl<'t> Parser<'t> {
    pub(super) fn pipeline(&mut self, context: &'static str, end: ItemKind) -> Result<Pipe, Error> {
        let position = self.peek_non_space().position;
        let heads = self.declarations(context)?;
        let first = self.commands.len();
        loop {
            let item = self.next_non_space();
            match item.kind {
                kind if kind == end => break,
                ItemKind::Bool
                | ItemKind::CharConstant
                | ItemKind::Complex
                | ItemKind::Dot
                | ItemKind::Field
                | ItemKind::Identifier
                | ItemKind::Number
                | ItemKind::Nil
                | ItemKind::RawString
                | ItemKind::String
                | ItemKind::Variable
                | ItemKind::LeftParen => {
                    self.backup();
                    let command = self.command()?;
                    self.commands.push(command);
                }
                _ => return self.unexpected(item, context),
            }
        }
        let commands: Box<[Command]> = self.commands.drain(first..).collect();
        self.check_pipeline(&commands, context)?;
        Ok(Pipe {
            position,
            variables: self.variables(heads),
            commands,
        })
    }

    fn declarations(&mut self, context: &'static str) -> Result<Heads<'t>, Error> {
        let mut heads = Heads::default();
        loop {
            let variable = self.peek_non_space();
            if variable.kind != ItemKind::Variable {
                return Ok(heads);
            }
            self.next();
            // In "$x foo" it takes "foo" to know that $x is an argument and no declaration.
            let after = self.peek();
            let next = self.peek_non_space();
            let comma = next.kind == ItemKind::Char && next.text == b",";
            match next.kind {
                ItemKind::Assign | ItemKind::Declare => {
                    heads.assign = next.kind == ItemKind::Assign;
                    self.next_non_space();
                    heads.names.push(variable.text);
                    self.tree().names.push(variable.text);
                    return Ok(heads);
                }
                _ if comma => {
                    self.next_non_space();
                    heads.names.push(variable.text);
                    self.tree().names.push(variable.text);
                    if context != "range" || heads.names.len() >= 2 {
                        return self.error(format!("too many declarations in {context}"));
                    }
                    let second = self.peek_non_space().kind;
                    if !matches!(
                        second,
                        ItemKind::Variable | ItemKind::RightDelim | ItemKind::RightParen
                    ) {
                        return self.error("range can only initialize variables");
                    }
                }
                _ => {
                    match after.kind {
                        ItemKind::Space => self.backup3(variable, after),
                        _ => self.backup2(variable),
                    }
                    return Ok(heads);
                }
            }
        }
    }

    /// What the execution does with the variables once the commands have run.
    fn variables(&mut self, heads: Heads<'t>) -> Option<Box<Variables>> {
        if heads.names.is_empty() {
            return None;
        }
        let names = heads.names.iter();
        if heads.assign {
            let assigned = names.map(|name| (self.name(name), self.tree().place(name)));
            return Some(Box::new(Variables::Assigned(assigned.collect())));
        }
        let uncertain = self.tree().uncertain > 0;
        let declared = names.map(|&name| {
            let tree = self.tree();
            tree.scope.push(Scoped { name, uncertain });
            let slot = tree.scope.len() - 1;
            (self.name(name), slot)
        });
        let declared = declared.collect();
        let tree = self.tree();
        tree.slots = tree.slots.max(tree.scope.len());
        Some(Box::new(Variables::Declared(declared)))
    }

    fn check_pipeline(&mut self, commands: &[Command], context: &str) -> Result<(), Error> {
        if commands.is_empty() {
            return self.error(format!("missing value for {context}"));
        }
        for (index, command) in commands.iter().enumerate().skip(1) {
            if let Term::Bool(..)
            | Term::Dot(_)
            | Term::Nil(_)
            | Term::Number(..)
            | Term::String(..) = command.terms[0]
            {
                let stage = index + 1;
                return self.error(format!("non executable command in pipeline stage {stage}"));
            }
        }
        Ok(())
    }

    /// Operands up to a pipeline character, which is consumed, or a delimiter, which is not.
    fn command(&mut self) -> Result<Command, Error> {
        let position = self.peek_non_space().position;
        let first_slot = self.tree().scope.len();
        let first = self.terms.len();
        let mut short_circuits = false;
        loop {
            self.peek_non_space();
            // The first argument of `and` and `or` is always evaluated, the others may not be.
            let uncertain = usize::from(short_circuits && self.terms.len() >= first + 2);
            self.tree().uncertain += uncertain;
            let operand = self.operand()?;
            self.tree().uncertain -= uncertain;
            self.terms.extend(operand);
            if let [Term::Identifier(_, identifier)] = &self.terms[first..] {
                short_circuits = matches!(
                    identifier.callee,
                    Callee::Builtin(Builtin::And | Builtin::Or)
                );
            }
            let item = self.next();
            match item.kind {
                ItemKind::Space => continue,
                ItemKind::RightDelim | ItemKind::RightParen => self.backup(),
                ItemKind::Pipe => {}
                _ => return self.unexpected(item, "operand"),
            }
            break;
        }
        let terms: Box<[Term]> = self.terms.drain(first..).collect();
        if terms.is_empty() {
            return self.error("empty command");
        }
        let scope = &self.tree().scope;
        let uncertain =
            (first_slot..scope.len()).filter(|&slot| short_circuits && scope[slot].uncertain);
        let slots: Box<[usize]> = uncertain.collect();
        Ok(Command {
            position,
            uncertain: (!slots.is_empty()).then(|| Box::new(Uncertain { slots })),
            terms,
        })
    }

    /// A term and the fields after it; none if what comes next is no operand.
    fn operand(&mut self) -> Result<Option<Term>, Error> {
        let Some(term) = self.term()? else {
            return Ok(None);
        };
        let first = self.peek();
        if first.kind != ItemKind::Field {
            return Ok(Some(term));
        }
        let mut fields: Vec<Name> = Vec::new();
        while self.peek().kind == ItemKind::Field {
            let name = self.next().text;
            fields.push(self.name(&name[1..]));
        }
        // The position of a chain is that of its first field after the term.
        let position = first.position;
        Ok(Some(match term {
            Term::Field(_, names) => {
                Term::Field(position, names.into_iter().chain(fields).collect())
            }
            Term::Variable(mut variable) => {
                variable.position = position;
                variable.fields = fields.into();
                Term::Variable(variable)
            }
            Term::Bool(..) | Term::String(..) | Term::Number(..) | Term::Nil(_) | Term::Dot(_) => {
                let text = quoted(term.text().as_bytes());
                return self.error(format!("unexpected . after term {text}"));
            }
            term => Term::Chain(Box::new(Chain {
                position,
                term,
                fields: fields.into(),
            })),
        }))
    }

    fn term(&mut self) -> Result<Option<Term>, Error> {
        let item = self.next_non_space();
        let position = item.position;
        Ok(Some(match item.kind {
            ItemKind::Identifier => self.identifier(item)?,
            ItemKind::Dot => Term::Dot(position),
            ItemKind::Nil => Term::Nil(position),
            ItemKind::Variable => self.use_variable(position, item.text)?,
            ItemKind::Field => Term::Field(position, Box::new([self.name(&item.text[1..])])),
            ItemKind::Bool => Term::Bool(position, item.text == b"true"),
            ItemKind::CharConstant | ItemKind::Complex | ItemKind::Number => {
                Term::Number(position, self.number(item)?)
            }
            ItemKind::LeftParen => {
                self.descend()?;
                let pipe = self.pipeline("parenthesized pipeline", ItemKind::RightParen)?;
                self.ascend();
                Term::Pipe(Box::new(pipe))
            }
            ItemKind::String | ItemKind::RawString => Term::String(position, self.string(item)?),
            _ => {
                self.backup();
                return Ok(None);
            }
        }))
    }

    fn number(&mut self, item: Item<'t>) -> Result<Rc<Number>, Error> {
        if let Some(number) = self.numbers.get(item.text) {
            return Ok(Rc::clone(number));
        }
        let number = match Number::parse(item.text, item.kind) {
            Ok(number) => Rc::new(number),
            Err(message) => return self.error(message),
        };
        self.numbers.insert(item.text, Rc::clone(&number));
        Ok(number)
    }

    fn string(&mut self, item: Item<'t>) -> Result<Rc<StringTerm>, Error> {
        if let Some(string) = self.strings.get(item.text) {
            return Ok(Rc::clone(string));
        }
        let string = match unquote(item.text) {
            Ok(text) => Rc::new(StringTerm {
                quoted: self.source.slice_ref(item.text),
                value: Value::string(text),
            }),
            Err(error) => return self.error(error.to_string()),
        };
        self.strings.insert(item.text, Rc::clone(&string));
        Ok(string)
    }

    fn identifier(&mut self, item: Item<'t>) -> Result<Term, Error> {
        if let Some(identifier) = self.identifiers.get(item.text) {
            return Ok(Term::Identifier(item.position, Rc::clone(identifier)));
        }
        let Some(callee) = self.functions.callee(item.text) else {
            return self.error(format!("function {} not defined", quoted(item.text)));
        };
        let identifier = Rc::new(Identifier {
            callee: callee.clone(),
            name: self.name(item.text),
        });
        self.identifiers.insert(item.text, Rc::clone(&identifier));
        Ok(Term::Identifier(item.position, identifier))
    }

    fn use_variable(&mut self, position: Position, name: &'t [u8]) -> Result<Term, Error> {
        if !self.tree().names.contains(&name) {
            return self.error(format!("undefined variable {}", quoted(name)));
        }
        Ok(Term::Variable(Box::new(Variable {
            position,
            name: self.name(name),
            place: self.tree().place(name),
            fields: Box::default(),
        })))
    }
}
