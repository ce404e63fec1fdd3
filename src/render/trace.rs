//! Helm's way of telling a template error: not Go's one long line, but a step of the call chain
//! at a time.

use crate::template;
use crate::template::error::ErrorKind;

/// What `fail` and `required` put around their messages, so that only these are shown.
/// helm: pkg/engine/engine.go warnWrap
const START: &str = "HELM_ERR_START";
const END: &str = "HELM_ERR_END";

/// The message of `fail` and `required`, marked.
pub(super) fn mark(message: &str) -> String {
    format!("{START}{message}{END}")
}

/// A template that does not parse. helm: pkg/engine/engine.go cleanupParseError
pub(super) fn parse_error(path: &str, error: &template::Error) -> String {
    let text = error.to_string();
    let mut parts = text.split(": ");
    match (parts.next(), parts.next()) {
        (Some(_), Some(location)) => {
            let message = parts.last().unwrap_or(location);
            format!("parse error at ({location}): {message}")
        }
        _ => format!("parse error in ({path}): {text}"),
    }
}

/// A template that fails. helm: pkg/engine/engine.go reformatExecErrorMsg
pub(super) fn execution_error(path: &str, error: &template::Error) -> String {
    let text = error.to_string();
    if error.kind() == ErrorKind::NoTemplate {
        return text;
    }
    let mut parts = text.splitn(3, ": ");
    let (_, Some(location), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return format!("execution error in ({path}): {text}");
    };
    if let Some(message) = marked(rest) {
        return format!("execution error at ({location}): {message}");
    }
    match steps(error, &text) {
        Some(steps) => steps.trim().to_owned(),
        None => text,
    }
}

/// The message between the first start mark and the last end mark.
fn marked(text: &str) -> Option<&str> {
    let (_, after) = text.split_once(START)?;
    let (message, _) = after.rsplit_once(END)?;
    Some(message)
}

/// The steps from the outermost template to the error, or nothing if one of them is no template's:
/// then Helm shows Go's line.
fn steps(error: &template::Error, text: &str) -> Option<String> {
    let mut steps: Vec<Step> = Vec::new();
    let mut add = |text: &str| {
        let step = Step::read(text)?;
        if steps.last() != Some(&step) {
            steps.push(step);
        }
        Some(())
    };
    add(text)?;
    let mut cause = error.cause();
    while let Some(call) = cause {
        add(&call.message)?;
        let Some(template) = &call.template else {
            break;
        };
        add(&template.to_string())?;
        cause = template.cause();
    }
    Some(steps.iter().map(Step::show).collect())
}

/// helm: pkg/engine/engine.go TraceableError
#[derive(PartialEq, Eq)]
struct Step {
    location: String,
    executed: String,
    message: String,
}

impl Step {
    /// helm: pkg/engine/engine.go parseTemplateExecErrorString
    fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("template: ")?;
        if rest.starts_with("no template ") {
            return Some(Self {
                location: String::new(),
                executed: String::new(),
                message: text.to_owned(),
            });
        }
        Self::executing(rest).or_else(|| {
            let (location, message) = rest.rsplit_once(": ")?;
            Some(Self {
                location: location.to_owned(),
                executed: String::new(),
                message: before_next(message).to_owned(),
            })
        })
    }

    fn executing(rest: &str) -> Option<Self> {
        let (location, after) = rest.split_once(": executing ")?;
        let (name, after) = after.strip_prefix('"')?.split_once('"')?;
        let (context, message) = after.strip_prefix(" at <")?.split_once(">: ")?;
        Some(Self {
            location: location.to_owned(),
            executed: format!("executing \"{name}\" at <{context}>:"),
            message: before_next(message).to_owned(),
        })
    }

    fn show(&self) -> String {
        let mut shown = String::new();
        if !self.location.is_empty() {
            shown.push_str(&self.location);
            shown.push_str("\n  ");
        }
        if !self.executed.is_empty() {
            shown.push_str(&self.executed);
            shown.push_str("\n    ");
        }
        if !self.message.is_empty() {
            shown.push_str(&self.message);
            shown.push('\n');
        }
        shown
    }
}

/// A message without the error that it wraps, which is a step of its own.
fn before_next(message: &str) -> &str {
    message
        .split_once(" template:")
        .map_or(message, |(message, _)| message)
}
