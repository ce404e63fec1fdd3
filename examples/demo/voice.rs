//! How the demo speaks: chapters, lines with the time since the chapter began, and the output of
//! tools.
//!
//! In: words. Out: standard output, a whole line at a time, coloured on a terminal only. Never: a
//! decision about what is told.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The one writer of standard output.
pub(crate) struct Voice {
    coloured: bool,
    state: Mutex<State>,
}

struct State {
    chapter: u32,
    began: Instant,
    /// Lines that come while a tool's output is awaited, so that they stand after it.
    held: Option<Vec<String>>,
}

/// How a word is set off on a terminal, in the numbers of the ANSI standard.
#[derive(Clone, Copy)]
enum Style {
    Plain,
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Cyan,
}

impl Voice {
    pub(crate) fn new() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            coloured: wanted && std::io::stdout().is_terminal(),
            state: Mutex::new(State {
                chapter: 0,
                began: Instant::now(),
                held: None,
            }),
        }
    }

    /// Begins a chapter, and its clock.
    pub(crate) fn chapter(&self, title: &str) {
        let mut state = self.state();
        state.chapter += 1;
        let heading = format!("{}. {title}", state.chapter);
        let heading = self.styled(&heading, Style::Bold);
        print(&format!("\n{heading}\n"));
        state.began = Instant::now();
    }

    /// A plain line.
    pub(crate) fn say(&self, line: &str) {
        self.put(&mut self.state(), line.to_owned());
    }

    /// Something that happened, now.
    pub(crate) fn step(&self, verb: &str, text: &str) {
        self.event("", verb, text);
    }

    /// Something that happened to a release, now.
    pub(crate) fn event(&self, release: &str, verb: &str, text: &str) {
        let mut state = self.state();
        let time = format!(
            "{:>9}",
            format!("+{:.2} s", state.began.elapsed().as_secs_f64())
        );
        let time = self.styled(&time, Style::Dim);
        let verb = self.styled(&format!("{verb:<9}"), style_of(verb));
        self.put(&mut state, format!("{time}  {release:<13}  {verb}  {text}"));
    }

    /// Shows a command as it would be typed, and holds back what happens until its output is told.
    pub(crate) fn command(&self, command: &str) -> Held<'_> {
        let mut state = self.state();
        self.put(
            &mut state,
            self.styled(&format!("  $ {command}"), Style::Cyan),
        );
        state.held.get_or_insert_default();
        Held(self)
    }

    /// A measured time for the summary.
    pub(crate) fn figure(&self, what: &str, took: Duration) {
        let took = format!("{:>9}", seconds(took));
        self.say(&format!("{}  {what}", self.styled(&took, Style::Bold)));
    }

    fn put(&self, state: &mut State, line: String) {
        match &mut state.held {
            Some(held) => held.push(line),
            None => print(&line),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn styled(&self, text: &str, style: Style) -> String {
        let number = match style {
            Style::Plain => return text.to_owned(),
            _ if !self.coloured => return text.to_owned(),
            Style::Bold => 1,
            Style::Dim => 2,
            Style::Red => 31,
            Style::Green => 32,
            Style::Yellow => 33,
            Style::Cyan => 36,
        };
        format!("\u{1b}[{number}m{text}\u{1b}[0m")
    }
}

/// While it lives, what happens is held back.
pub(crate) struct Held<'v>(&'v Voice);

impl Held<'_> {
    /// Tells the tool's output, and then what happened meanwhile.
    pub(crate) fn output(self, text: &str) {
        for line in text.trim_end().lines() {
            print(format!("    {line}").trim_end());
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        for line in self.0.state().held.take().unwrap_or_default() {
            print(&line);
        }
    }
}

/// A duration as people compare it.
pub(crate) fn seconds(took: Duration) -> String {
    if took < Duration::from_secs(1) {
        format!("{:.0} ms", took.as_secs_f64() * 1000.0)
    } else {
        format!("{:.2} s", took.as_secs_f64())
    }
}

fn style_of(verb: &str) -> Style {
    match verb {
        "created" | "ready" | "repaired" => Style::Green,
        "changed" | "warning" | "by hand" => Style::Yellow,
        "deleted" | "error" => Style::Red,
        _ => Style::Plain,
    }
}

/// A reader that has gone (`| head`) is no reason to panic.
fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
