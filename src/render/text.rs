//! A single template outside of any chart: the release's name of `--name-template`.

use std::rc::Rc;
use std::thread;

use super::Error;
use super::inputs::Environment;
use super::session::{self, Session};
use crate::sprig;
use crate::template::{Functions, Limits, Templates, Value};

/// The text that a template prints, with Sprig's functions and without any value.
/// helm: pkg/action/install.go TemplateName
///
/// # Errors
/// [`Error::Template`] in Go's words.
pub fn text(template: &str, environment: Environment) -> Result<String, Error> {
    thread::scope(|scope| {
        let stack = Limits::default().stack();
        let builder = thread::Builder::new().stack_size(stack);
        let engine = builder.spawn_scoped(scope, move || print(template, environment));
        let engine = engine.map_err(Error::Thread)?;
        engine
            .join()
            .unwrap_or_else(|_| Err(Error::Panic("in a single template".to_owned())))
    })
}

fn print(template: &str, environment: Environment) -> Result<String, Error> {
    const NAME: &str = "name-template";
    let mut functions = Functions::builtin();
    let session = Rc::new(Session::default());
    let time_zone = environment.time_zone.clone();
    session.begin(environment, None, false);
    let environment = Rc::new(session::environment(&session, time_zone));
    for (type_name, name, method) in sprig::methods(&environment) {
        functions.insert_method(type_name, name, method);
    }
    for (name, function) in sprig::functions(&environment) {
        functions.insert(name, function);
    }
    let refused = |error: crate::template::Error| Error::Template(error.to_string());
    let mut templates = Templates::new(Rc::new(functions)).root(NAME);
    templates
        .parse(NAME, template.as_bytes())
        .map_err(refused)?;
    let text = templates
        .execute(NAME, &Value::Nil, Limits::default())
        .map_err(refused)?;
    Ok(text.to_str_lossy().into_owned())
}
