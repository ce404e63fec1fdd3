//! One run of the template engine: all templates of a chart, on a thread with a stack that bears
//! their recursion.
//!
//! Such threads wait a while for the next chart, because what they have by then is worth keeping:
//! the table of functions, and the trees of the texts that they parsed.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::{Map, Value as Json};

use super::capabilities::{self, Capabilities};
use super::functions::{self, ROOT, without_no_value};
use super::inputs::{Environment, Options, ReleaseFacts};
use super::lookup::{Lookup, LookupError};
use super::scope::{self, Shared, Template};
use super::session::{Question, Session};
use super::{Error, trace};
use crate::chart::{Chart, Warning};
use crate::template::{Limits, MissingKey, Templates};

/// What the templates printed, by path, and what they said on standard error.
pub(super) type Printed = BTreeMap<String, Vec<u8>>;

/// What the templates of a chart are executed on.
pub(super) struct Facts {
    pub(super) chart: Chart,
    pub(super) values: Map<String, Json>,
    pub(super) release: ReleaseFacts,
    pub(super) capabilities: Capabilities,
    pub(super) options: Options,
}

/// What a run leaves.
pub(super) struct Outcome {
    /// The facts, given back.
    pub(super) facts: Facts,
    /// What was printed, or [`Error::Template`] in Helm's words.
    pub(super) printed: Result<Printed, Error>,
    /// What was said on standard error, however it ended.
    pub(super) said: Vec<Warning>,
}

/// What functions may take of the stack beside what the engine needs for itself.
const FUNCTIONS_STACK: usize = 64 << 20;

/// How long a thread waits for the next chart before it gives its memory back.
const PATIENCE: Duration = Duration::from_secs(5);

/// A chart to be rendered, and where to tell of it.
struct Job {
    facts: Facts,
    environment: Environment,
    asks: bool,
    teller: Sender<Word>,
}

/// What a worker says to the one who waits for it.
enum Word {
    Question(Question),
    Done(Box<Outcome>),
    Panic(String),
}

/// A thread that waits.
struct Idle {
    number: u64,
    jobs: Sender<Job>,
}

/// The one that waits since the shortest time is the last: it is the likeliest to be warm.
static IDLE: Mutex<Vec<Idle>> = Mutex::new(Vec::new());
static STARTED: AtomicU64 = AtomicU64::new(0);

fn idle() -> std::sync::MutexGuard<'static, Vec<Idle>> {
    IDLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Executes all templates of a chart and its dependencies but partials.
///
/// The engine's values are not to be shared between threads, so it has one of its own and asks
/// the caller's for what `lookup` wants.
///
/// # Errors
/// [`Error::Panic`] and [`Error::Thread`] where the engine itself fails.
pub(super) fn run(
    facts: Facts,
    environment: Environment,
    lookup: &dyn Lookup,
) -> Result<Outcome, Error> {
    let (teller, listener) = channel();
    let job = Job {
        facts,
        environment,
        asks: lookup.finds_anything(),
        teller,
    };
    begin(job)?;
    loop {
        match listener.recv() {
            Ok(Word::Done(outcome)) => return Ok(*outcome),
            Ok(Word::Panic(words)) => return Err(Error::Panic(words)),
            Ok(Word::Question(Question { wanted, answer })) => {
                let [api_version, kind, namespace, name] = &wanted;
                // An engine that no longer waits is done, one way or another.
                let _ = answer.send(lookup.get(api_version, kind, namespace, name));
            }
            Err(_) => return Err(Error::Panic("without a word".to_owned())),
        }
    }
}

/// Gives a job to a thread that waits, or else to a new one.
fn begin(mut job: Job) -> Result<(), Error> {
    while let Some(worker) = { idle().pop() } {
        match worker.jobs.send(job) {
            Ok(()) => return Ok(()),
            Err(unsent) => job = unsent.0,
        }
    }
    let stack = Limits::default().stack() + FUNCTIONS_STACK;
    let builder = thread::Builder::new()
        .name("render".to_owned())
        .stack_size(stack);
    let worker = builder.spawn(move || work(job));
    worker.map(drop).map_err(Error::Thread)
}

/// The life of a worker: it ends with a panic, or when nothing comes for a while.
fn work(mut job: Job) {
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    let (sender, jobs) = channel();
    let mut engine = Engine::default();
    loop {
        let teller = job.teller.clone();
        let outcome = catch_unwind(AssertUnwindSafe(|| engine.render(job)));
        let word = match outcome {
            Ok(outcome) => Word::Done(Box::new(outcome)),
            Err(panic) => {
                let _ = teller.send(Word::Panic(panic_words(&*panic)));
                return;
            }
        };
        // Ready before the other goes on, who may have another chart at once.
        let jobs_again = sender.clone();
        idle().push(Idle {
            number,
            jobs: jobs_again,
        });
        let _ = teller.send(word);
        match next(number, &jobs) {
            Some(next) => job = next,
            None => return,
        }
    }
}

fn next(number: u64, jobs: &Receiver<Job>) -> Option<Job> {
    match jobs.recv_timeout(PATIENCE) {
        Ok(job) => Some(job),
        Err(RecvTimeoutError::Timeout) => {
            let mut idle = idle();
            let place = idle.iter().position(|idle| idle.number == number);
            match place {
                Some(place) => {
                    idle.remove(place);
                    None
                }
                // Somebody has just taken it from the list, and is about to send.
                None => {
                    drop(idle);
                    jobs.recv().ok()
                }
            }
        }
        Err(RecvTimeoutError::Disconnected) => None,
    }
}

fn panic_words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let string = panic.downcast_ref::<String>().map(String::as_str);
    text.or(string).unwrap_or("of an unknown kind").to_owned()
}

/// What a worker keeps from one chart to the next.
#[derive(Default)]
struct Engine {
    session: Rc<Session>,
    /// An empty set with all functions, and the zone that these show dates in.
    templates: Option<(TimeZone, Templates)>,
}

impl Engine {
    fn render(&mut self, job: Job) -> Outcome {
        let Job {
            facts,
            environment,
            asks,
            teller,
        } = job;
        let templates = self.templates(&environment.time_zone);
        let ask = move |question| {
            let gone = |_| LookupError("the cluster cannot be asked any more".to_owned());
            teller.send(Word::Question(question)).map_err(gone)
        };
        let asker = asks.then(|| Box::new(ask) as _);
        self.session.begin(environment, asker, facts.options.lint);
        let printed = print(&facts, templates);
        Outcome {
            facts,
            printed,
            said: self.session.end(),
        }
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
fn print(facts: &Facts, templates: Templates) -> Result<Printed, Error> {
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
    let files = in_order(scope::templates(chart, values, &shared));
    let missing_key = if options.strict {
        MissingKey::Error
    } else {
        MissingKey::Zero
    };
    let mut templates = templates.missing_key(missing_key);
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
