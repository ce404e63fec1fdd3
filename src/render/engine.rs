//! One run of the template engine: all templates of a chart.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::capabilities::{self, Capabilities};
use super::functions::{self, ROOT, without_no_value};
use super::inputs::{Environment, Options, ReleaseFacts};
use super::scope::{self, Shared};
use super::session::{Asker, Session};
use super::{Error, trace};
use crate::chart::{Chart, Values, Warning};
use crate::template::{Limits, MissingKey, Templates};

/// What the templates printed, by path.
pub(super) type Printed = BTreeMap<String, Vec<u8>>;

/// What the templates of a chart are executed on.
pub(super) struct Facts<'r> {
    pub(super) chart: &'r Chart,
    pub(super) values: Values<'r>,
    pub(super) release: &'r ReleaseFacts,
    pub(super) capabilities: &'r Arc<Capabilities>,
    pub(super) options: Options,
}

/// What a worker keeps from one chart to the next.
#[derive(Default)]
pub(super) struct Engine {
    session: Rc<Session>,
    /// An empty set with all functions, and the zone that these show dates in.
    templates: Option<(TimeZone, Templates)>,
}

impl Engine {
    /// Executes all templates of a chart and its dependencies but partials; also what they say on
    /// standard error, however it ends.
    pub(super) fn run(
        &mut self,
        facts: &Facts<'_>,
        environment: Environment,
        asker: Option<Asker>,
    ) -> (Result<Printed, Error>, Vec<Warning>) {
        let templates = self.templates(&environment.time_zone);
        self.session.begin(environment, asker, facts.options.lint);
        let printed = print(facts, templates, &self.session);
        (printed, self.session.end())
    }

    fn templates(&mut self, time_zone: &TimeZone) -> Templates {
        match &self.templates {
            Some((zone, templates)) if zone == time_zone => templates.clone(),
            _ => {
                let functions = functions::all(&self.session, time_zone.clone());
                let templates = Templates::new(Rc::new(functions)).root(ROOT);
                self.templates = Some((time_zone.clone(), templates.clone()));
                templates
            }
        }
    }
}

/// helm: pkg/engine/engine.go render
fn print(facts: &Facts<'_>, templates: Templates, session: &Session) -> Result<Printed, Error> {
    let Facts {
        chart,
        values,
        release,
        capabilities,
        options,
    } = facts;
    let shared = Shared {
        release: scope::release(release),
        capabilities: capabilities::value(capabilities),
    };
    let files = scope::templates(chart, *values, &shared);
    let missing_key = if options.strict {
        MissingKey::Error
    } else {
        MissingKey::Zero
    };
    let mut templates = templates.missing_key(missing_key);
    for file in &files {
        templates
            .parse_shared(&file.path, &file.text)
            .map_err(|error| Error::Template(trace::parse_error(&file.path, &error)))?;
    }
    let deepest = Limits::default().depth;
    let limits = Limits {
        depth: options.limits.depth.min(deepest),
        ..options.limits
    };
    let mut printed = Printed::new();
    for file in files.iter().filter(|file| !file.is_partial()) {
        session.enter_file(&file.path);
        let text = templates
            .execute(&file.path, &file.enter(), limits)
            .map_err(|error| Error::Template(trace::execution_error(&file.path, &error)))?;
        printed.insert(
            file.path.clone(),
            without_no_value(text).as_bytes().to_vec(),
        );
    }
    Ok(printed)
}
