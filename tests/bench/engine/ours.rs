//! This library, in this process.
//!
//! In: charts. Out: what each took. Never: a render that is not whole; dependencies, values,
//! schemas, templates and the sorted manifest are all in it.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use pintle::chart::{Chart, values};
use pintle::render::{
    self, Capabilities, Environment, Inputs, KubeVersion, NoCluster, Options, ReleaseFacts,
};
use pintle::source::directory;
use serde_json::{Map, Value};

use crate::Times;
use crate::corpus::Task;

/// The best times of each, on a thread as the controller's workers are: with the stack that a render
/// may take.
pub(crate) fn all(tasks: &[Task], rounds: usize, at_least: Duration) -> Result<Vec<Times>> {
    thread::scope(|scope| {
        let builder = thread::Builder::new().stack_size(2 * render::stack());
        let worker = builder.spawn_scoped(scope, || {
            tasks
                .iter()
                .map(|task| best(task, rounds, at_least))
                .collect()
        })?;
        let panicked = |_| anyhow!("the thread that renders panicked");
        worker.join().map_err(panicked)
    })
}

/// The best of so many rounds, and of those that fit into a time.
fn best(task: &Task, rounds: usize, at_least: Duration) -> Times {
    let mut best = (Duration::MAX, Duration::MAX);
    let began = Instant::now();
    let mut done = 0;
    while done < rounds || began.elapsed() < at_least {
        done += 1;
        match once(task) {
            Ok((load, render)) => best = (best.0.min(load), best.1.min(render)),
            Err(error) => {
                return Times {
                    error: Some(format!("{error:#}")),
                    ..Times::default()
                };
            }
        }
    }
    let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    Times {
        load: nanoseconds(best.0),
        render: nanoseconds(best.1),
        ..Times::default()
    }
}

fn once(task: &Task) -> Result<(Duration, Duration)> {
    let inputs = inputs(task)?;
    let began = Instant::now();
    let files = directory::read(&task.chart, &mut Vec::new())?;
    let chart = Chart::from_files(files)?;
    let load = began.elapsed();
    let began = Instant::now();
    let rendered = render::render(chart, inputs, &NoCluster).map_err(|failure| failure.error)?;
    let render = began.elapsed();
    drop(rendered);
    Ok((load, render))
}

fn inputs(task: &Task) -> Result<Inputs> {
    let values = match &task.values {
        Some(file) => {
            let text = std::fs::read(file).with_context(|| format!("read {}", file.display()))?;
            values::load(&text)?
        }
        None => Map::<String, Value>::new(),
    };
    let capabilities = Capabilities {
        kube_version: KubeVersion::parse("1.36.3")?,
        ..Capabilities::default()
    };
    Ok(Inputs {
        release: ReleaseFacts {
            name: "rel".to_owned(),
            namespace: "ns1".to_owned(),
            revision: 1,
            is_install: true,
            is_upgrade: false,
        },
        values,
        capabilities,
        options: Options {
            skip_schema_validation: task.skip_schema,
            ..Options::default()
        },
        // A search for primes takes as long as chance wants, so ours must have another chance in each
        // round, as Helm's has.
        environment: Environment {
            random: Box::new(|buffer| rand::Rng::fill_bytes(&mut rand::rng(), buffer)),
            ..Environment::default()
        },
    })
}
