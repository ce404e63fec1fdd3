//! The controller's own log, told to people.
//!
//! In: tracing events of the library. Out: lines by [`Voice`]. Never: a second source of truth;
//! an event that this file has no words for is left out, unless it is a warning.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::voice::Voice;

/// From now on the controller's events are told.
pub(crate) fn begin(voice: &Arc<Voice>) -> Result<()> {
    let ours = Targets::new().with_target("pintle", Level::DEBUG);
    let narration = Narration(Arc::clone(voice)).with_filter(ours);
    tracing_subscriber::registry()
        .with(narration)
        .try_init()
        .context("listen to the controller")
}

struct Narration(Arc<Voice>);

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Narration {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let Some((verb, text)) = words(*event.metadata().level(), &fields) else {
            return;
        };
        // Every turn runs in a span that bears the HelmRelease's name.
        let release = context.event_span(event).and_then(|span| {
            let extensions = span.extensions();
            Some(extensions.get::<Fields>()?.get("name").to_owned())
        });
        self.0.event(&release.unwrap_or_default(), verb, &text);
    }
}

/// What is told of an event, if anything: a word and the rest of the sentence.
fn words(level: Level, fields: &Fields) -> Option<(&'static str, String)> {
    let field = |name| fields.get(name);
    let told = match field("message") {
        "decided" => ("decided", field("action").to_owned()),
        "fetched" => ("fetched", fetched(fields)),
        "rendered" => ("rendered", rendered(fields)),
        "planned" => ("planned", planned(fields)),
        "created" => ("created", field("object").to_owned()),
        "changed" => ("changed", field("object").to_owned()),
        "deleted" => ("deleted", field("object").to_owned()),
        "hook ran" => ("hook ran", hook(fields)),
        "step" => return step(field("step")),
        "let go" => ("let go", "the release is uninstalled".to_owned()),
        message if level <= Level::WARN => trouble(level, message, fields),
        _ => return None,
    };
    Some(told)
}

fn fetched(fields: &Fields) -> String {
    let field = |name| fields.get(name);
    let digest = field("digest").get(..19).unwrap_or_default();
    format!(
        "chart {} {}, {} bytes, {digest}...",
        field("chart"),
        field("version"),
        field("bytes")
    )
}

fn rendered(fields: &Fields) -> String {
    let took: f64 = fields.get("took_ms").parse().unwrap_or_default();
    format!("{} bytes of manifests in {took:.1} ms", fields.get("bytes"))
}

fn planned(fields: &Fields) -> String {
    let field = |name| fields.get(name);
    let steps = match field("steps") {
        "1" => "1 step".to_owned(),
        many => format!("{many} steps"),
    };
    format!(
        "{} in {steps}, revision {}",
        field("action"),
        field("revision")
    )
}

fn hook(fields: &Fields) -> String {
    let field = |name| fields.get(name);
    let end = if field("succeeded") == "true" {
        "succeeded"
    } else {
        "failed"
    };
    format!(
        "{} {} {}: {end}",
        field("phase"),
        field("kind"),
        field("hook")
    )
}

/// Most steps are told when they are done; those that take their time, when they begin.
fn step(step: &str) -> Option<(&'static str, String)> {
    let begun = [
        ("wait ", "waiting"),
        ("run ", "running"),
        ("ensure ", "ensuring"),
    ];
    begun
        .iter()
        .find_map(|(begin, verb)| Some((*verb, step.strip_prefix(begin)?.to_owned())))
}

fn trouble(level: Level, message: &str, fields: &Fields) -> (&'static str, String) {
    let details = [fields.get("error"), fields.get("reason")];
    let detail = details.into_iter().find(|detail| !detail.is_empty());
    let text = detail.map_or(message.to_owned(), |detail| format!("{message}: {detail}"));
    (
        if level == Level::ERROR {
            "error"
        } else {
            "warning"
        },
        text,
    )
}

/// The fields of an event or a span, as text.
#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Fields {
    /// Empty where there is no such field.
    fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}
