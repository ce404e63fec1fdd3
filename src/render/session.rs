//! What the functions of templates know of the render that is going on.
//!
//! A worker's functions outlive a render, so they hold this, and each render puts its own facts
//! into it. Never: anything of the render before.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::mpsc::{Sender, channel};

use foldhash::fast::FixedState;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value as Json;

use super::draws::Draws;
use super::inputs::{Environment, RandomBytes, ResolveHost};
use super::lookup::LookupError;
use crate::chart::Warning;
use crate::sprig;
use crate::template::Text;

/// What the cluster says to a question.
pub(super) type Answer = Result<Option<Json>, LookupError>;

/// A question to the thread where the cluster is: API version, kind, namespace, name.
pub(super) struct Question {
    pub(super) wanted: [String; 4],
    pub(super) answer: Sender<Answer>,
}

/// Where questions go.
pub(super) type Asker = Box<dyn Fn(Question) -> Result<(), LookupError>>;

/// One render, as its functions see it.
#[derive(Default)]
pub(super) struct Session {
    now: Cell<Timestamp>,
    random: RefCell<Option<Box<RandomBytes>>>,
    draws: RefCell<Option<Draws>>,
    resolve_host: RefCell<Option<Box<ResolveHost>>>,
    asker: RefCell<Option<Asker>>,
    lint: Cell<bool>,
    log: RefCell<Vec<Warning>>,
    /// How often each template is being included.
    included: RefCell<HashMap<Text, usize, FixedState>>,
    tpl_depth: Cell<usize>,
}

impl Session {
    /// Begins a render.
    pub(super) fn begin(&self, environment: Environment, asker: Option<Asker>, lint: bool) {
        let Environment {
            now,
            time_zone: _,
            random,
            seed,
            resolve_host,
        } = environment;
        self.now.set(now);
        self.random.replace(Some(random));
        self.draws.replace(seed.map(|seed| Draws::new(seed, now)));
        self.resolve_host.replace(resolve_host);
        self.asker.replace(asker);
        self.lint.set(lint);
        self.log.take();
        self.included.borrow_mut().clear();
        self.tpl_depth.set(0);
    }

    /// Ends it, and gives what it said on standard error.
    pub(super) fn end(&self) -> Vec<Warning> {
        self.random.take();
        self.draws.take();
        self.resolve_host.take();
        self.asker.take();
        self.log.take()
    }

    /// A template file is executed next.
    pub(super) fn enter_file(&self, path: &str) {
        if let Some(draws) = self.draws.borrow_mut().as_mut() {
            draws.enter(path);
        }
    }

    fn fill(&self, buffer: &mut [u8]) {
        if let Some(draws) = self.draws.borrow_mut().as_mut()
            && draws.fill(buffer)
        {
            return;
        }
        if let Some(random) = self.random.borrow_mut().as_mut() {
            random(buffer);
        }
    }

    pub(super) fn say(&self, warning: Warning) {
        self.log.borrow_mut().push(warning);
    }

    /// Whether `fail` and `required` only warn, and nothing is looked up.
    pub(super) fn lints(&self) -> bool {
        self.lint.get()
    }

    /// Whether templates may resolve names of hosts.
    pub(super) fn resolves_hosts(&self) -> bool {
        self.resolve_host.borrow().is_some()
    }

    /// What `lookup` finds.
    pub(super) fn look_up(&self, wanted: [String; 4]) -> Answer {
        let asker = self.asker.borrow();
        let Some(ask) = asker.as_ref().filter(|_| !self.lints()) else {
            return Ok(None);
        };
        let (answer, answered) = channel();
        ask(Question { wanted, answer })?;
        answered
            .recv()
            .map_err(|_| LookupError("the cluster cannot be asked any more".to_owned()))?
    }

    /// One more inclusion of this template; how many there were before.
    pub(super) fn enter(&self, name: &Text) -> usize {
        let mut included = self.included.borrow_mut();
        match included.get_mut(name) {
            Some(depth) => {
                *depth += 1;
                *depth - 1
            }
            None => {
                included.insert(name.clone(), 1);
                0
            }
        }
    }

    pub(super) fn leave(&self, name: &Text) {
        if let Some(depth) = self.included.borrow_mut().get_mut(name) {
            *depth = depth.saturating_sub(1);
        }
    }

    /// How deep `tpl` stands in itself.
    pub(super) fn tpl_depth(&self) -> &Cell<usize> {
        &self.tpl_depth
    }
}

/// What Sprig's functions know of the world: whatever the session knows at that moment.
pub(super) fn environment(session: &Rc<Session>, time_zone: TimeZone) -> sprig::Environment {
    let [clock, chance, calls, terms, network] =
        [session, session, session, session, session].map(Rc::clone);
    sprig::Environment {
        now: Box::new(move || clock.now.get()),
        time_zone,
        random: RefCell::new(Box::new(move |buffer: &mut [u8]| {
            chance.fill(buffer);
        })),
        keyed: Some(sprig::Keyed {
            call: Box::new(move |function, arguments| {
                if let Some(draws) = calls.draws.borrow_mut().as_mut() {
                    draws.call(function, arguments);
                }
            }),
            begin: Box::new(move |validity| match terms.draws.borrow_mut().as_mut() {
                Some(draws) => draws.begin(validity),
                None => terms.now.get(),
            }),
        }),
        resolve_host: Some(Box::new(move |name: &str| {
            let resolve = network.resolve_host.borrow();
            resolve
                .as_ref()
                .map(|resolve| resolve(name))
                .unwrap_or_default()
        })),
    }
}
