//! Where charts are rendered: on a stack that bears the recursion of templates.
//!
//! In: a chart with its inputs, and a cluster to ask. Out: what became of it. Where there is a
//! cluster to ask, that is a thread which waits a while for the next chart; else it is the caller's
//! own, as waking another one takes longer than a small chart. Either keeps what is worth keeping:
//! the table of functions, and the trees of the texts that it parsed. Never: anything of one release
//! in the render of another.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::engine::Engine;
use super::inputs::{Inputs, Rendered};
use super::lookup::{Lookup, LookupError};
use super::session::Question;
use super::{Error, Failure};
use crate::chart::Chart;
use crate::template::Limits;

/// What functions may take of the stack beside what the engine needs for itself.
const FUNCTIONS_STACK: usize = 64 << 20;

/// How long a thread waits for the next chart before it gives its memory back.
const PATIENCE: Duration = Duration::from_secs(5);

/// A chart to be rendered, and where to tell of it.
struct Job {
    chart: Chart,
    inputs: Inputs,
    teller: Sender<Word>,
}

/// How a render ended.
type Outcome = Result<Rendered, Box<Failure>>;

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

thread_local! {
    /// The engine of a thread that renders itself.
    static ENGINE: Cell<Option<Engine>> = const { Cell::new(None) };
}

/// How many bytes of stack a render may take. A thread that has as much left renders on its own
/// stack; for another one it is mapped for the time of the render.
pub fn stack() -> usize {
    Limits::default().stack() + FUNCTIONS_STACK
}

/// Renders a chart.
///
/// # Errors
/// [`Error::Panic`] and [`Error::Thread`] where the engine itself fails.
pub(super) fn run(chart: Chart, inputs: Inputs, lookup: &dyn Lookup) -> Result<Outcome, Error> {
    match lookup.finds_anything() {
        true => run_elsewhere(chart, inputs, lookup),
        false => run_here(chart, inputs),
    }
}

fn run_here(chart: Chart, inputs: Inputs) -> Result<Outcome, Error> {
    // An engine that panics is not put back.
    let mut engine = ENGINE.take().unwrap_or_default();
    let render = || {
        let outcome = super::render_here(chart, inputs, None, &mut engine);
        (outcome, engine)
    };
    let ended = catch_unwind(AssertUnwindSafe(|| {
        stacker::maybe_grow(stack(), stack(), render)
    }));
    let (outcome, engine) = ended.map_err(|panic| Error::Panic(panic_words(&*panic)))?;
    ENGINE.set(Some(engine));
    Ok(outcome)
}

/// The engine's values are not to be shared between threads, so the other thread has an engine of
/// its own and asks the caller for what `lookup` wants.
fn run_elsewhere(chart: Chart, inputs: Inputs, lookup: &dyn Lookup) -> Result<Outcome, Error> {
    let (teller, listener) = channel();
    let job = Job {
        chart,
        inputs,
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
    let builder = thread::Builder::new()
        .name("render".to_owned())
        .stack_size(stack());
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
        let outcome = catch_unwind(AssertUnwindSafe(|| job.render(&mut engine)));
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

impl Job {
    fn render(self, engine: &mut Engine) -> Outcome {
        let Self {
            chart,
            inputs,
            teller,
        } = self;
        let ask = move |question| {
            let gone = |_| LookupError("the cluster cannot be asked any more".to_owned());
            teller.send(Word::Question(question)).map_err(gone)
        };
        super::render_here(chart, inputs, Some(Box::new(ask)), engine)
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
