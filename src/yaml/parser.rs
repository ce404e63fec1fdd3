//! Tokens to events: which collection begins and ends where.
//!
//! A port of the grammar of go-yaml v2's parser (parserc.go), state by state.

use std::borrow::Cow;

use super::error::Fault;
use super::scanner::Scanner;
use super::token::{Kind, Token};

/// What the composer builds nodes from.
#[derive(Debug)]
pub(super) struct Event<'a> {
    pub(super) kind: EventKind<'a>,
    /// The 0-based line on which the event begins.
    pub(super) line: usize,
}

#[derive(Debug)]
pub(super) enum EventKind<'a> {
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias(&'a str),
    Scalar {
        anchor: Option<&'a str>,
        tag: Option<String>,
        text: Cow<'a, str>,
        implicit: bool,
    },
    SequenceStart {
        anchor: Option<&'a str>,
    },
    SequenceEnd,
    MappingStart {
        anchor: Option<&'a str>,
    },
    MappingEnd,
}

#[derive(Clone, Copy)]
enum State {
    StreamStart,
    ImplicitDocumentStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceFirstEntry,
    BlockSequenceEntry,
    IndentlessSequenceEntry,
    BlockMappingFirstKey,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirstEntry,
    FlowSequenceEntry,
    FlowSequenceEntryMappingKey,
    FlowSequenceEntryMappingValue,
    FlowSequenceEntryMappingEnd,
    FlowMappingFirstKey,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
    End,
}

/// Which nodes may stand at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Block,
    BlockOrIndentless,
    Flow,
}

/// A node's anchor and tag.
#[derive(Default)]
struct Properties<'a> {
    anchor: Option<&'a str>,
    tag: Option<(&'a str, String, usize)>,
}

/// Turns tokens into events, one at a time.
pub(super) struct Parser<'a> {
    scanner: Scanner<'a>,
    state: State,
    states: Vec<State>,
    tag_directives: Vec<(&'a str, String)>,
}

type Step<'a> = Result<Event<'a>, Fault>;

/// go-yaml: parserc.go default_tag_directives.
const DEFAULT_TAGS: [(&str, &str); 2] = [("!", "!"), ("!!", "tag:yaml.org,2002:")];

impl<'a> Parser<'a> {
    pub(super) fn new(scanner: Scanner<'a>) -> Self {
        Self {
            scanner,
            state: State::StreamStart,
            states: Vec::with_capacity(16),
            tag_directives: Vec::new(),
        }
    }

    /// The next event. Must not be called again after the end of the stream.
    pub(super) fn next(&mut self) -> Step<'a> {
        match self.state {
            State::StreamStart => {
                self.scanner.peek()?;
                self.scanner.take();
                self.state = State::ImplicitDocumentStart;
                self.next()
            }
            State::ImplicitDocumentStart => self.document_start(true),
            State::DocumentStart => self.document_start(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(Place::Block),
            State::BlockSequenceFirstEntry => self.block_sequence_entry(true),
            State::BlockSequenceEntry => self.block_sequence_entry(false),
            State::IndentlessSequenceEntry => self.indentless_sequence_entry(),
            State::BlockMappingFirstKey => self.block_mapping_key(true),
            State::BlockMappingKey => self.block_mapping_key(false),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirstEntry => self.flow_sequence_entry(true),
            State::FlowSequenceEntry => self.flow_sequence_entry(false),
            State::FlowSequenceEntryMappingKey => self.flow_pair_key(),
            State::FlowSequenceEntryMappingValue => self.flow_pair_value(),
            State::FlowSequenceEntryMappingEnd => self.flow_pair_end(),
            State::FlowMappingFirstKey => self.flow_mapping_key(true),
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(false),
            State::FlowMappingEmptyValue => self.flow_mapping_value(true),
            State::End => Ok(Event {
                kind: EventKind::StreamEnd,
                line: 0,
            }),
        }
    }

    fn peek(&mut self) -> Result<&Token<'a>, Fault> {
        self.scanner.peek()
    }

    /// Takes the token that was peeked at and looks at the one behind it.
    fn next_token(&mut self) -> Result<&Token<'a>, Fault> {
        self.scanner.take();
        self.scanner.peek()
    }

    fn pop_state(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    /// Goes into a node, and on to `after` when it is done.
    fn enter(&mut self, after: State, place: Place) -> Step<'a> {
        self.states.push(after);
        self.node(place)
    }

    fn empty_scalar(&mut self, next: State, line: usize) -> Step<'a> {
        self.state = next;
        Ok(Event {
            kind: empty(None, None, true),
            line,
        })
    }

    fn end_collection(&mut self, kind: EventKind<'a>, line: usize) -> Step<'a> {
        self.scanner.take();
        self.pop_state();
        Ok(Event { kind, line })
    }

    // -- documents

    fn document_start(&mut self, implicit: bool) -> Step<'a> {
        if !implicit {
            while matches!(self.peek()?.kind, Kind::DocumentEnd) {
                self.scanner.take();
            }
        }
        let token = self.peek()?;
        let line = token.line;
        match token.kind {
            Kind::StreamEnd => {
                self.state = State::End;
                Ok(Event {
                    kind: EventKind::StreamEnd,
                    line,
                })
            }
            Kind::VersionDirective { .. } | Kind::TagDirective { .. } | Kind::DocumentStart => {
                self.explicit_document(line)
            }
            _ if !implicit => self.explicit_document(line),
            _ => {
                self.process_directives()?;
                self.states.push(State::DocumentEnd);
                self.state = State::BlockNode;
                Ok(Event {
                    kind: EventKind::DocumentStart,
                    line,
                })
            }
        }
    }

    fn explicit_document(&mut self, line: usize) -> Step<'a> {
        self.process_directives()?;
        let token = self.peek()?;
        if !matches!(token.kind, Kind::DocumentStart) {
            return error(token.line, "did not find expected <document start>");
        }
        self.scanner.take();
        self.states.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        Ok(Event {
            kind: EventKind::DocumentStart,
            line,
        })
    }

    fn document_content(&mut self) -> Step<'a> {
        let token = self.peek()?;
        let line = token.line;
        match token.kind {
            Kind::VersionDirective { .. }
            | Kind::TagDirective { .. }
            | Kind::DocumentStart
            | Kind::DocumentEnd
            | Kind::StreamEnd => {
                self.pop_state();
                self.empty_scalar(self.state, line)
            }
            _ => self.node(Place::Block),
        }
    }

    fn document_end(&mut self) -> Step<'a> {
        let token = self.peek()?;
        let line = token.line;
        if matches!(token.kind, Kind::DocumentEnd) {
            self.scanner.take();
        }
        self.tag_directives.clear();
        self.state = State::DocumentStart;
        Ok(Event {
            kind: EventKind::DocumentEnd,
            line,
        })
    }

    fn process_directives(&mut self) -> Result<(), Fault> {
        let mut version_seen = false;
        loop {
            let token = self.peek()?;
            let line = token.line;
            match token.kind {
                Kind::VersionDirective { .. } if version_seen => {
                    return error(line, "found duplicate %YAML directive");
                }
                Kind::VersionDirective { major: 1, minor: 1 } => version_seen = true,
                Kind::VersionDirective { .. } => {
                    return error(line, "found incompatible YAML document");
                }
                Kind::TagDirective { .. } => {}
                _ => break,
            }
            if let Some(Token {
                kind: Kind::TagDirective { handle, prefix },
                ..
            }) = self.scanner.take()
            {
                if self
                    .tag_directives
                    .iter()
                    .any(|(known, _)| *known == handle)
                {
                    return error(line, "found duplicate %TAG directive");
                }
                self.tag_directives.push((handle, prefix));
            }
        }
        for (handle, prefix) in DEFAULT_TAGS {
            if self
                .tag_directives
                .iter()
                .all(|(known, _)| *known != handle)
            {
                self.tag_directives.push((handle, prefix.to_owned()));
            }
        }
        Ok(())
    }

    // -- nodes

    fn node(&mut self, place: Place) -> Step<'a> {
        let token = self.peek()?;
        let line = token.line;
        match token.kind {
            Kind::Alias(name) => {
                self.pop_state();
                self.scanner.take();
                return Ok(Event {
                    kind: EventKind::Alias(name),
                    line,
                });
            }
            // Without properties, nearly all nodes are scalars.
            Kind::Scalar { .. } => return self.scalar(None, None, line),
            _ => {}
        }
        let Properties { anchor, tag } = self.properties()?;
        let tag = tag.map(|tag| self.expand_tag(tag)).transpose()?;
        let token = self.peek()?;
        let here = token.line;
        let block = place != Place::Flow;
        let (state, kind) = match token.kind {
            Kind::BlockEntry if place == Place::BlockOrIndentless => (
                State::IndentlessSequenceEntry,
                EventKind::SequenceStart { anchor },
            ),
            Kind::Scalar { .. } => return self.scalar(anchor, tag, line),
            Kind::FlowSequenceStart => (
                State::FlowSequenceFirstEntry,
                EventKind::SequenceStart { anchor },
            ),
            Kind::FlowMappingStart => (
                State::FlowMappingFirstKey,
                EventKind::MappingStart { anchor },
            ),
            Kind::BlockSequenceStart if block => (
                State::BlockSequenceFirstEntry,
                EventKind::SequenceStart { anchor },
            ),
            Kind::BlockMappingStart if block => (
                State::BlockMappingFirstKey,
                EventKind::MappingStart { anchor },
            ),
            _ if anchor.is_some() || tag.is_some() => {
                self.pop_state();
                let implicit = tag.is_none();
                return Ok(Event {
                    kind: empty(anchor, tag, implicit),
                    line,
                });
            }
            _ => return error(here, "did not find expected node content"),
        };
        self.state = state;
        Ok(Event { kind, line })
    }

    fn scalar(&mut self, anchor: Option<&'a str>, tag: Option<String>, line: usize) -> Step<'a> {
        self.pop_state();
        let Some(Token {
            kind: Kind::Scalar { text, plain },
            ..
        }) = self.scanner.take()
        else {
            return error(line, "did not find expected node content");
        };
        let implicit = match tag.as_deref() {
            None => plain,
            Some(tag) => tag == "!",
        };
        Ok(Event {
            kind: EventKind::Scalar {
                anchor,
                tag,
                text,
                implicit,
            },
            line,
        })
    }

    /// `TAG ANCHOR? | ANCHOR TAG?`, or nothing.
    fn properties(&mut self) -> Result<Properties<'a>, Fault> {
        let mut properties = Properties::default();
        loop {
            let token = self.peek()?;
            let line = token.line;
            match &token.kind {
                Kind::Anchor(name) if properties.anchor.is_none() => {
                    properties.anchor = Some(name);
                    self.scanner.take();
                }
                Kind::Tag { .. } if properties.tag.is_none() => {
                    if let Some(Token {
                        kind: Kind::Tag { handle, suffix },
                        ..
                    }) = self.scanner.take()
                    {
                        properties.tag = Some((handle, suffix, line));
                    }
                }
                _ => return Ok(properties),
            }
        }
    }

    fn expand_tag(&self, (handle, suffix, line): (&str, String, usize)) -> Result<String, Fault> {
        if handle.is_empty() {
            return Ok(suffix);
        }
        match self
            .tag_directives
            .iter()
            .find(|(known, _)| *known == handle)
        {
            Some((_, prefix)) => Ok(format!("{prefix}{suffix}")),
            None => error(line, "found undefined tag handle"),
        }
    }

    // -- block collections

    fn block_sequence_entry(&mut self, first: bool) -> Step<'a> {
        if first {
            self.scanner.take();
        }
        let token = self.peek()?;
        let line = token.line;
        match token.kind {
            Kind::BlockEntry => match self.next_token()?.kind {
                Kind::BlockEntry | Kind::BlockEnd => {
                    self.empty_scalar(State::BlockSequenceEntry, line)
                }
                _ => self.enter(State::BlockSequenceEntry, Place::Block),
            },
            Kind::BlockEnd => self.end_collection(EventKind::SequenceEnd, line),
            _ => error(line, "did not find expected '-' indicator"),
        }
    }

    fn indentless_sequence_entry(&mut self) -> Step<'a> {
        let token = self.peek()?;
        let line = token.line;
        if !matches!(token.kind, Kind::BlockEntry) {
            self.pop_state();
            return Ok(Event {
                kind: EventKind::SequenceEnd,
                line,
            });
        }
        match self.next_token()?.kind {
            Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd => {
                self.empty_scalar(State::IndentlessSequenceEntry, line)
            }
            _ => self.enter(State::IndentlessSequenceEntry, Place::Block),
        }
    }

    fn block_mapping_key(&mut self, first: bool) -> Step<'a> {
        if first {
            self.scanner.take();
        }
        let token = self.peek()?;
        let line = token.line;
        match token.kind {
            Kind::Key => match self.next_token()?.kind {
                Kind::Key | Kind::Value | Kind::BlockEnd => {
                    self.empty_scalar(State::BlockMappingValue, line)
                }
                _ => self.enter(State::BlockMappingValue, Place::BlockOrIndentless),
            },
            Kind::BlockEnd => self.end_collection(EventKind::MappingEnd, line),
            _ => error(line, "did not find expected key"),
        }
    }

    fn block_mapping_value(&mut self) -> Step<'a> {
        let token = self.peek()?;
        let line = token.line;
        if !matches!(token.kind, Kind::Value) {
            return self.empty_scalar(State::BlockMappingKey, line);
        }
        match self.next_token()?.kind {
            Kind::Key | Kind::Value | Kind::BlockEnd => {
                self.empty_scalar(State::BlockMappingKey, line)
            }
            _ => self.enter(State::BlockMappingKey, Place::BlockOrIndentless),
        }
    }

    // -- flow collections

    fn flow_sequence_entry(&mut self, first: bool) -> Step<'a> {
        if first {
            self.scanner.take();
        }
        let token = self.peek()?;
        let line = token.line;
        match token.kind {
            Kind::FlowSequenceEnd => return self.end_collection(EventKind::SequenceEnd, line),
            _ if first => {}
            Kind::FlowEntry => {
                self.next_token()?;
            }
            _ => return error(line, "did not find expected ',' or ']'"),
        }
        let token = self.peek()?;
        let line = token.line;
        match token.kind {
            Kind::FlowSequenceEnd => self.end_collection(EventKind::SequenceEnd, line),
            // `[a: b]` holds a mapping of one pair.
            Kind::Key => {
                self.scanner.take();
                self.state = State::FlowSequenceEntryMappingKey;
                Ok(Event {
                    kind: EventKind::MappingStart { anchor: None },
                    line,
                })
            }
            _ => self.enter(State::FlowSequenceEntry, Place::Flow),
        }
    }

    fn flow_pair_key(&mut self) -> Step<'a> {
        let token = self.peek()?;
        let line = token.line;
        match token.kind {
            Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd => {
                // go-yaml: parserc.go takes the token here, `,` and `]` too.
                self.scanner.take();
                self.empty_scalar(State::FlowSequenceEntryMappingValue, line)
            }
            _ => self.enter(State::FlowSequenceEntryMappingValue, Place::Flow),
        }
    }

    fn flow_pair_value(&mut self) -> Step<'a> {
        let token = self.peek()?;
        let line = token.line;
        if matches!(token.kind, Kind::Value)
            && !matches!(
                self.next_token()?.kind,
                Kind::FlowEntry | Kind::FlowSequenceEnd
            )
        {
            return self.enter(State::FlowSequenceEntryMappingEnd, Place::Flow);
        }
        self.empty_scalar(State::FlowSequenceEntryMappingEnd, line)
    }

    fn flow_pair_end(&mut self) -> Step<'a> {
        let line = self.peek()?.line;
        self.state = State::FlowSequenceEntry;
        Ok(Event {
            kind: EventKind::MappingEnd,
            line,
        })
    }

    fn flow_mapping_key(&mut self, first: bool) -> Step<'a> {
        if first {
            self.scanner.take();
        }
        let token = self.peek()?;
        let line = token.line;
        match token.kind {
            Kind::FlowMappingEnd => return self.end_collection(EventKind::MappingEnd, line),
            _ if first => {}
            Kind::FlowEntry => {
                self.next_token()?;
            }
            _ => return error(line, "did not find expected ',' or '}'"),
        }
        let token = self.peek()?;
        let line = token.line;
        match token.kind {
            Kind::FlowMappingEnd => self.end_collection(EventKind::MappingEnd, line),
            Kind::Key => {
                let token = self.next_token()?;
                let line = token.line;
                match token.kind {
                    Kind::Value | Kind::FlowEntry | Kind::FlowMappingEnd => {
                        self.empty_scalar(State::FlowMappingValue, line)
                    }
                    _ => self.enter(State::FlowMappingValue, Place::Flow),
                }
            }
            _ => self.enter(State::FlowMappingEmptyValue, Place::Flow),
        }
    }

    fn flow_mapping_value(&mut self, empty: bool) -> Step<'a> {
        let token = self.peek()?;
        let mut line = token.line;
        if !empty && matches!(token.kind, Kind::Value) {
            let token = self.next_token()?;
            line = token.line;
            if !matches!(token.kind, Kind::FlowEntry | Kind::FlowMappingEnd) {
                return self.enter(State::FlowMappingKey, Place::Flow);
            }
        }
        self.empty_scalar(State::FlowMappingKey, line)
    }
}

fn empty<'a>(anchor: Option<&'a str>, tag: Option<String>, implicit: bool) -> EventKind<'a> {
    EventKind::Scalar {
        anchor,
        tag,
        text: Cow::Borrowed(""),
        implicit,
    }
}

// Where the problem is on the first line, go-yaml would name the line of its context, but a context
// never begins later than the problem.
fn error<T>(line: usize, problem: &str) -> Result<T, Fault> {
    Err(Fault::at(line, 0, problem))
}
