//! Pipelines, their commands and variables.

use super::{Frame, Machine, Reflected};
use crate::template::error::Error;
use crate::template::node::{At, Command, Pipe, Place, Term, Variable, Variables};
use crate::template::number::{Ideal, Number};
use crate::template::value::Value;

impl Frame<'_> {
    /// The slot that a variable has at this moment.
    fn slot(&self, place: &Place) -> Option<usize> {
        match place {
            Place::Slot(slot) => Some(*slot),
            Place::Candidates(slots) => slots
                .iter()
                .copied()
                .find(|&slot| self.slots[slot].is_some()),
        }
    }

    pub(super) fn variable(&self, name: &[u8], place: &Place) -> Result<&Reflected, Error> {
        let slot = self.slot(place).and_then(|slot| self.slots[slot].as_ref());
        slot.ok_or_else(|| self.undefined(name))
    }

    pub(super) fn assign(
        &mut self,
        name: &[u8],
        place: &Place,
        value: Reflected,
    ) -> Result<(), Error> {
        let slot = self.slot(place).ok_or_else(|| self.undefined(name))?;
        self.slots[slot] = Some(value);
        Ok(())
    }

    fn undefined(&self, name: &[u8]) -> Error {
        self.error(format!("undefined variable: {}", bstr::BStr::new(name)))
    }
}

impl Machine<'_> {
    /// The value of a pipeline, taken out of its interface; its variables are set.
    pub(super) fn eval_pipeline<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        pipe: &'t Pipe,
    ) -> Result<Value, Error> {
        frame.at = At::Pipe(pipe);
        self.run.depth += 1;
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.eval_command(frame, dot, command, value)?.value);
        }
        self.run.depth -= 1;
        let value = value.unwrap_or_default();
        match pipe.variables.as_deref() {
            None => {}
            Some(Variables::Declared(declared)) => {
                for (_, slot) in declared {
                    frame.slots[*slot] = Some(Reflected::bare(value.clone()));
                }
            }
            Some(Variables::Assigned(assigned)) => {
                for (name, place) in assigned {
                    frame.assign(name, place, Reflected::bare(value.clone()))?;
                }
            }
        }
        Ok(value)
    }

    fn eval_command<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        command: &'t Command,
        last: Option<Value>,
    ) -> Result<Reflected, Error> {
        self.step(frame)?;
        let [first, args @ ..] = &*command.terms else {
            return Err(frame.error("empty command"));
        };
        match first {
            Term::Field(_, names) => {
                frame.at = At::Term(first);
                return self.eval_fields(frame, dot, dot, first, names, args, last);
            }
            Term::Chain(_) => return self.eval_chain(frame, dot, first, args, last),
            Term::Identifier(_, identifier) => {
                for &slot in command
                    .uncertain
                    .iter()
                    .flat_map(|uncertain| &uncertain.slots)
                {
                    frame.slots[slot] = None;
                }
                frame.at = At::Term(first);
                return self.eval_function(
                    frame,
                    dot,
                    identifier,
                    At::Command(command),
                    args,
                    last,
                );
            }
            Term::Pipe(pipe) => {
                not_a_function(frame, first, args, last.as_ref())?;
                return self.eval_pipeline(frame, dot, pipe).map(Reflected::bare);
            }
            Term::Variable(variable) => {
                return self.eval_variable(frame, dot, variable, first, args, last);
            }
            _ => {}
        }
        frame.at = At::Term(first);
        not_a_function(frame, first, args, last.as_ref())?;
        match first {
            Term::Dot(_) => Ok(dot.clone()),
            Term::Nil(_) => Err(frame.error("nil is not a command")),
            _ => constant(frame, first).map(Reflected::bare),
        }
    }

    pub(super) fn eval_variable<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        variable: &'t Variable,
        term: &'t Term,
        args: &'t [Term],
        last: Option<Value>,
    ) -> Result<Reflected, Error> {
        frame.at = At::Term(term);
        let value = frame.variable(&variable.name, &variable.place)?.clone();
        if variable.fields.is_empty() {
            not_a_function(frame, term, args, last.as_ref())?;
            return Ok(value);
        }
        self.eval_fields(frame, dot, &value, term, &variable.fields, args, last)
    }
}

fn not_a_function(
    frame: &Frame<'_>,
    term: &Term,
    args: &[Term],
    last: Option<&Value>,
) -> Result<(), Error> {
    if args.is_empty() && last.is_none() {
        return Ok(());
    }
    Err(frame.error(format!(
        "can't give argument to non-function {}",
        term.text()
    )))
}

/// A literal where nothing asks for a type.
pub(super) fn constant(frame: &Frame<'_>, term: &Term) -> Result<Value, Error> {
    match term {
        Term::Bool(_, truth) => Ok(Value::Bool(*truth)),
        Term::String(_, string) => Ok(string.value.clone()),
        Term::Number(_, number) => ideal_constant(frame, number),
        _ => Err(frame.error(format!("can't evaluate command {:?}", term.text()))),
    }
}

fn ideal_constant(frame: &Frame<'_>, number: &Number) -> Result<Value, Error> {
    let text = bstr::BStr::new(&*number.text);
    match &number.ideal {
        Ideal::Value(value) => Ok(value.clone()),
        Ideal::Overflow => Err(frame.error(format!("{text} overflows int"))),
        Ideal::Complex => Err(frame.error(format!("complex constant {text} is not supported"))),
    }
}
