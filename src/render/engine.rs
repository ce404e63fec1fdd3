//! One run of the template engine: all templates of a chart, on a thread with a stack that bears
//! their recursion.

use std::any::Any;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::thread;

use super::capabilities::{self, Capabilities};
use super::functions::{self, Log, ROOT, without_no_value};
use super::inputs::{Environment, Options, ReleaseFacts};
use super::lookup::{self, Asker, Lookup};
use super::scope::{self, Shared, Template};
use super::{Error, trace};
use crate::chart::{Chart, Values, Warning};
use crate::template::{Limits, MissingKey, Templates};

/// What the templates printed, by path, and what they said on standard error.
pub(super) type Printed = BTreeMap<String, Vec<u8>>;

/// What the templates of a chart are executed on.
pub(super) struct Facts<'r> {
    pub(super) chart: &'r Chart,
    pub(super) values: Values<'r>,
    pub(super) release: &'r ReleaseFacts,
    pub(super) capabilities: &'r Capabilities,
    pub(super) options: Options,
}

/// What functions may take of the stack beside what the engine needs for itself.
const FUNCTIONS_STACK: usize = 64 << 20;

/// Executes all templates of a chart and its dependencies but partials; also what they say on
/// standard error, however it ends.
///
/// The engine's values are not to be shared between threads, so it has one of its own and asks
/// the caller's for what `lookup` wants.
///
/// # Errors
/// [`Error::Template`] in Helm's words; [`Error::Panic`] and [`Error::Thread`] where the engine
/// itself fails.
pub(super) fn run(
    facts: &Facts<'_>,
    environment: Environment,
    lookup: &dyn Lookup,
) -> Result<(Result<Printed, Error>, Vec<Warning>), Error> {
    let (asker, answerer) = lookup::line();
    let body = move || {
        let log = Log::default();
        let printed = print(facts, environment, asker, &log);
        (printed, log.take())
    };
    thread::scope(|scope| {
        let stack = Limits::default().stack() + FUNCTIONS_STACK;
        let builder = thread::Builder::new()
            .name("render".to_owned())
            .stack_size(stack);
        let engine = builder.spawn_scoped(scope, body).map_err(Error::Thread)?;
        answerer.serve(lookup);
        engine
            .join()
            .map_err(|panic| Error::Panic(panic_words(&*panic)))
    })
}

fn panic_words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let string = panic.downcast_ref::<String>().map(String::as_str);
    text.or(string).unwrap_or("of an unknown kind").to_owned()
}

/// helm: pkg/engine/engine.go render
fn print(
    facts: &Facts<'_>,
    environment: Environment,
    asker: Asker,
    log: &Log,
) -> Result<Printed, Error> {
    let Facts {
        chart,
        values,
        release,
        capabilities,
        options,
    } = facts;
    let environment = Rc::new(environment.into_sprig());
    let functions = functions::all(&environment, asker, options.lint, log);
    let shared = Shared {
        release: scope::release(release),
        capabilities: capabilities::value(capabilities),
    };
    let files = in_order(scope::templates(chart, *values, &shared));
    let missing_key = if options.strict {
        MissingKey::Error
    } else {
        MissingKey::Zero
    };
    let mut templates = Templates::new(Rc::new(functions))
        .missing_key(missing_key)
        .root(ROOT);
    for file in &files {
        templates
            .parse(&file.path, file.text.as_bytes())
            .map_err(|error| Error::Template(trace::parse_error(&file.path, &error)))?;
    }
    let mut printed = Printed::new();
    for file in files.iter().filter(|file| !file.is_partial()) {
        let text = templates
            .execute(&file.path, &file.enter(), Limits::default())
            .map_err(|error| Error::Template(trace::execution_error(&file.path, &error)))?;
        printed.insert(
            file.path.clone(),
            without_no_value(text).as_bytes().to_vec(),
        );
    }
    Ok(printed)
}

/// Deepest first, so that a parent's definitions win over its dependencies'; then from the last
/// path to the first. helm: pkg/engine/engine.go sortTemplates
fn in_order(mut templates: Vec<Template>) -> Vec<Template> {
    let depth = |template: &Template| template.path.matches('/').count();
    templates.sort_by(|left, right| (depth(right), &right.path).cmp(&(depth(left), &left.path)));
    templates
}
