//! The nodes of a template: what they print, and in which order.

use super::{Frame, Machine, Reflected, TOO_DEEP};
use crate::template::compare::is_true;
use crate::template::error::Error;
use crate::template::node::{At, Branch, Invocation, List, Node, Variables};
use crate::template::print::{Printer, sprint};
use crate::template::quote::quoted;
use crate::template::value::Value;

/// How a node ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    On,
    Break,
    Continue,
}

impl Machine<'_> {
    pub(super) fn walk_list<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        list: &'t List,
    ) -> Result<Flow, Error> {
        for node in &list.nodes {
            let flow = self.walk(frame, dot, node)?;
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn walk<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        node: &'t Node,
    ) -> Result<Flow, Error> {
        frame.at = At::Node(node);
        self.step(frame)?;
        match node {
            Node::Text(text) => self.write(frame, text.of(&frame.tree.body.source))?,
            Node::Action(pipe) => {
                let value = self.eval_pipeline(frame, dot, pipe)?;
                if pipe.variables.is_none() {
                    frame.at = At::Node(node);
                    self.print_value(frame, &value)?;
                }
            }
            Node::Break(_) => return Ok(Flow::Break),
            Node::Continue(_) => return Ok(Flow::Continue),
            Node::If(branch) => return self.walk_if_or_with(frame, dot, branch, false),
            Node::With(branch) => return self.walk_if_or_with(frame, dot, branch, true),
            Node::Range(branch) => return self.walk_range(frame, dot, branch),
            Node::Template(invocation) => self.walk_template(frame, dot, invocation)?,
        }
        Ok(Flow::On)
    }

    pub(super) fn step(&mut self, frame: &Frame<'_>) -> Result<(), Error> {
        self.run.steps += 1;
        if self.run.steps > self.run.limits.steps {
            return Err(frame.limit(self.out_of_steps()));
        }
        Ok(())
    }

    fn walk_if_or_with<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        branch: &'t Branch,
        with: bool,
    ) -> Result<Flow, Error> {
        let value = self.eval_pipeline(frame, dot, &branch.pipe)?;
        self.run.depth += 1;
        let flow = match &branch.else_list {
            _ if is_true(&value) && with => {
                self.walk_list(frame, &Reflected::bare(value), &branch.list)
            }
            _ if is_true(&value) => self.walk_list(frame, dot, &branch.list),
            Some(list) => self.walk_list(frame, dot, list),
            None => Ok(Flow::On),
        };
        self.run.depth -= 1;
        flow
    }

    fn walk_range<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        branch: &'t Branch,
    ) -> Result<Flow, Error> {
        let value = self.eval_pipeline(frame, dot, &branch.pipe)?;
        self.run.depth += 1;
        let flow = self.walk_items(frame, dot, branch, &value);
        self.run.depth -= 1;
        flow
    }

    fn walk_items<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        branch: &'t Branch,
        value: &Value,
    ) -> Result<Flow, Error> {
        let seen = match value {
            Value::Object(object) => object.entries(),
            _ => None,
        };
        let ran = match seen.as_ref().unwrap_or(value) {
            Value::Nil => false,
            Value::Int(kind, count) => {
                self.check_counting(frame, branch, value)?;
                self.walk_numbers(
                    frame,
                    branch,
                    (0..*count).map(|number| Value::Int(*kind, number)),
                )?
            }
            Value::Uint(kind, count) => {
                self.check_counting(frame, branch, value)?;
                self.walk_numbers(
                    frame,
                    branch,
                    (0..*count).map(|number| Value::Uint(*kind, number)),
                )?
            }
            Value::Bytes(bytes) => {
                let items = bytes
                    .iter()
                    .enumerate()
                    .map(|(index, &byte)| (index, Value::byte(byte)));
                self.walk_each(
                    frame,
                    branch,
                    items.map(|(index, item)| (numbered(index), Reflected::bare(item))),
                )?
            }
            Value::List(list) => {
                // Go holds on to the slice's length, and reads each item when its turn comes.
                let boxed = list.type_of().element().is_any();
                let items = (0..list.len()).map_while(|index| {
                    let value = list.get(index)?;
                    Some((numbered(index), Reflected { value, boxed }))
                });
                self.walk_each(frame, branch, items)?
            }
            Value::Map(map) => {
                // Go sorts the entries first; what is set meanwhile is not seen.
                let boxed = map.holds_any();
                let entries: Vec<_> = map
                    .entries()
                    .iter()
                    .map(|(k, v)| (k.clone(), v.clone()))
                    .collect();
                let items = entries.into_iter().map(|(key, value)| {
                    (
                        Reflected::bare(Value::String(key)),
                        Reflected { value, boxed },
                    )
                });
                self.walk_each(frame, branch, items)?
            }
            Value::Object(object)
                if object.counted(0).is_some()
                    && let Ok(Value::Int(_, count)) = object.to_data() =>
            {
                self.check_counting(frame, branch, value)?;
                let numbers = (0..count).map_while(|number| object.counted(number));
                self.walk_numbers(frame, branch, numbers)?
            }
            Value::Bool(_) | Value::Float(..) | Value::String(_) | Value::Object(_) => {
                let shown = sprint(std::slice::from_ref(value)).to_string();
                // What a pointer points to is asked for its items.
                let shown = match value.kind() {
                    "ptr" => shown.strip_prefix('&').unwrap_or(&shown),
                    _ => &shown,
                };
                return Err(frame.error(format!("range can't iterate over {shown}")));
            }
        };
        match &branch.else_list {
            Some(list) if !ran => self.walk_list(frame, dot, list),
            _ => Ok(Flow::On),
        }
    }

    /// A number counts with one variable at most.
    fn check_counting(
        &self,
        frame: &Frame<'_>,
        branch: &Branch,
        value: &Value,
    ) -> Result<(), Error> {
        let variables = branch.pipe.variables.as_deref();
        if variables.is_some_and(|variables| variables.len() > 1) {
            let shown = sprint(std::slice::from_ref(value));
            let message = format!("can't use {shown} to iterate over more than one variable");
            return Err(frame.error(message));
        }
        Ok(())
    }

    fn walk_numbers<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        branch: &'t Branch,
        numbers: impl Iterator<Item = Value>,
    ) -> Result<bool, Error> {
        let items = numbers.map(|number| (Reflected::bare(Value::Nil), Reflected::bare(number)));
        self.walk_each(frame, branch, items)
    }

    /// Executes the list once for each item; false if there was none.
    fn walk_each<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        branch: &'t Branch,
        items: impl Iterator<Item = (Reflected, Reflected)>,
    ) -> Result<bool, Error> {
        let mut ran = false;
        for (index, item) in items {
            ran = true;
            self.step(frame)?;
            set_range_variables(frame, branch.pipe.variables.as_deref(), index, &item)?;
            if self.walk_list(frame, &item, &branch.list)? == Flow::Break {
                break;
            }
        }
        Ok(ran)
    }

    fn walk_template<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        invocation: &'t Invocation,
    ) -> Result<(), Error> {
        let templates = self.templates;
        let Some(tree) = templates.tree(&invocation.name) else {
            let name = quoted(invocation.name.as_bytes());
            return Err(frame.error(format!("template {name} not defined")));
        };
        if self.run.depth >= self.run.limits.depth {
            return Err(frame.limit(TOO_DEEP));
        }
        let dot = match &invocation.pipe {
            Some(pipe) => self.eval_pipeline(frame, dot, pipe)?,
            None => Value::Nil,
        };
        self.invoke(tree, dot)
    }

    fn write(&mut self, frame: &Frame<'_>, text: &[u8]) -> Result<(), Error> {
        self.run.out.extend_from_slice(text);
        self.account(frame, text.len())
    }

    /// Counts bytes that were written, or that a function has made.
    pub(super) fn account(&mut self, frame: &Frame<'_>, bytes: usize) -> Result<(), Error> {
        self.run.written = self.run.written.saturating_add(bytes);
        if self.run.written > self.run.limits.output {
            let limit = self.run.limits.output;
            return Err(frame.limit(format!("the execution produces more than {limit} bytes")));
        }
        Ok(())
    }

    /// How many bytes can still be written.
    pub(super) fn output_left(&self) -> usize {
        self.run.limits.output.saturating_sub(self.run.written)
    }

    fn print_value(&mut self, frame: &Frame<'_>, value: &Value) -> Result<(), Error> {
        match value {
            Value::Nil => return self.write(frame, b"<no value>"),
            Value::String(text) => return self.write(frame, text.as_bytes()),
            _ => {}
        }
        let out = std::mem::take(&mut self.run.out);
        let before = out.len();
        let mut printer = Printer::onto(out, before + self.output_left());
        printer.action(value);
        match printer.finish() {
            Ok(out) => {
                self.run.out = out;
                self.account(frame, self.run.out.len() - before)
            }
            Err(error) => Err(frame.limit(error.message)),
        }
    }
}

fn numbered(index: usize) -> Reflected {
    Reflected::bare(Value::int(index as i64))
}

/// Go: exec.go oneIteration. With one variable it gets the item, with two the index comes first.
fn set_range_variables(
    frame: &mut Frame<'_>,
    variables: Option<&Variables>,
    index: Reflected,
    item: &Reflected,
) -> Result<(), Error> {
    match variables {
        None => Ok(()),
        Some(Variables::Declared(declared)) => {
            if let [(_, first), (_, second), ..] = declared.as_slice() {
                frame.slots[*first] = Some(index);
                frame.slots[*second] = Some(item.clone());
            } else if let [(_, only)] = declared.as_slice() {
                frame.slots[*only] = Some(item.clone());
            }
            Ok(())
        }
        Some(Variables::Assigned(assigned)) => {
            if let [(name, first), (second_name, second), ..] = assigned.as_slice() {
                frame.assign(name, first, index)?;
                frame.assign(second_name, second, item.clone())?;
            } else if let [(name, only)] = assigned.as_slice() {
                frame.assign(name, only, item.clone())?;
            }
            Ok(())
        }
    }
}
