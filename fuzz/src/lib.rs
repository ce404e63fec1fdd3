//! What the targets share: bounds, stacks, charts made of files, and JSON made of arbitrary bytes.
//!
//! In: bytes from the fuzzer. Out: inputs of the rooms. Never: an expectation; those stand in the
//! targets, as properties.

pub mod commits;
pub mod expressions;
pub mod packing;

use arbitrary::{Result, Unstructured};
use pintle::chart::{self, Chart, File};
use pintle::render::{self, Failure, Inputs, NoCluster, Options, Rendered};
use pintle::template::Limits;
use serde_json::{Map, Value};

/// Small enough that the worst that a template can do within them is over in a second or two.
pub const LIMITS: Limits = Limits {
    steps: 200_000,
    output: 8 << 20,
    depth: 2_000,
};

/// Runs on a thread that has the stack which the engine asks for.
pub fn with_stack<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(LIMITS.stack());
        let thread = builder.spawn_scoped(scope, body).expect("a thread");
        // A panic has aborted the process before it comes to this.
        thread.join().expect("a thread that does not panic")
    })
}

/// The parts of an input that NUL separates: texts cannot hold it, and it mutates well.
pub fn parts<const N: usize>(input: &[u8]) -> [&[u8]; N] {
    let mut parts = input.splitn(N, |byte| *byte == 0);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// A file of a chart.
pub fn file(name: impl Into<String>, data: impl AsRef<[u8]>) -> File {
    File {
        name: name.into(),
        data: data.as_ref().into(),
        modified: None,
    }
}

/// A chart named `c` with these templates.
pub fn chart(templates: &[(&str, &[u8])]) -> Chart {
    let mut files = vec![file(
        "Chart.yaml",
        "apiVersion: v2\nname: c\nversion: 1.0.0\n",
    )];
    let templates = templates.iter();
    files.extend(templates.map(|(name, text)| file(format!("templates/{name}"), text)));
    Chart::from_files(files).expect("a chart whose Chart.yaml is fixed")
}

/// Renders within [`LIMITS`], twice: what is put in decides what comes out, and nothing else does.
pub fn render(chart: Chart, values: Map<String, Value>) {
    let once = |chart: Chart, values| {
        let inputs = Inputs {
            values,
            options: Options {
                limits: LIMITS,
                ..Options::default()
            },
            ..Inputs::default()
        };
        render::render(chart, inputs, &NoCluster)
    };
    let templates = chart.templates.len();
    let first = once(chart.clone(), values.clone());
    bounded(&first, templates);
    assert_eq!(shown(&first), shown(&once(chart, values)), "two renders");
}

fn bounded(result: &std::result::Result<Rendered, Box<Failure>>, templates: usize) {
    match result {
        Err(failure) => assert!(!matches!(failure.error, render::Error::Panic(_))),
        Ok(rendered) => {
            // Bytes that are no UTF-8 become three each, and every part has a line of its own.
            let most = templates * (3 * LIMITS.output + (1 << 10)) + (1 << 20);
            assert!(rendered.notes.len() <= most, "notes beyond the bound");
            assert!(rendered.manifest.len() <= 2 * most, "more than was allowed");
        }
    }
}

fn shown(
    result: &std::result::Result<Rendered, Box<Failure>>,
) -> std::result::Result<(&str, &str, usize), String> {
    match result {
        Ok(rendered) => Ok((&rendered.manifest, &rendered.notes, rendered.hooks.len())),
        Err(failure) => Err(words(&failure.error)),
    }
}

/// An error and its sources.
pub fn words(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", words(source)),
        None => error.to_string(),
    }
}

/// What must be true of every file that a chart was read from.
pub fn check_files(chart: &Chart) {
    let all = || chart.templates.iter().chain(chart.files.iter());
    for file in all() {
        let name = &file.name;
        let escapes = name.is_empty()
            || name.starts_with('/')
            || name.split('/').any(|element| element == "..")
            || matches!(name.as_bytes(), [drive, b':', b'/', ..] if drive.is_ascii_alphabetic());
        assert!(!escapes, "a file outside of its chart: {name:?}");
    }
    let size: u64 = all().map(|file| file.data.len() as u64).sum();
    assert!(size <= chart::MAX_CHART_SIZE, "{size} bytes in one chart");
    chart.dependencies.iter().for_each(check_files);
}

/// Made of bytes: keys and texts are among the given ones, mostly.
pub fn json(u: &mut Unstructured<'_>, keys: &[&str], texts: &[&str], depth: u32) -> Result<Value> {
    let kinds = if depth == 0 { 6 } else { 10 };
    Ok(match u.int_in_range(0..=kinds)? {
        0 => Value::Null,
        1 => u.arbitrary::<bool>()?.into(),
        2 => u.int_in_range(-3..=10)?.into(),
        3 => u.arbitrary::<i64>()?.into(),
        4 => u.arbitrary::<f64>()?.into(),
        5 => (*u.choose(texts)?).into(),
        6 => u.arbitrary::<&str>()?.into(),
        7 | 8 => {
            let mut items = Vec::new();
            for _ in 0..u.int_in_range(0..=3)? {
                items.push(json(u, keys, texts, depth - 1)?);
            }
            items.into()
        }
        _ => object(u, keys, texts, depth)?.into(),
    })
}

/// An object as [`json`] makes it.
pub fn object(
    u: &mut Unstructured<'_>,
    keys: &[&str],
    texts: &[&str],
    depth: u32,
) -> Result<Map<String, Value>> {
    let mut entries = Map::new();
    for _ in 0..u.int_in_range(0..=5)? {
        let key = match u.ratio(1, 16)? {
            true => u.arbitrary::<&str>()?,
            false => u.choose(keys)?,
        };
        entries.insert(
            key.to_owned(),
            json(u, keys, texts, depth.saturating_sub(1))?,
        );
    }
    Ok(entries)
}

/// What go-yaml writes otherwise than it reads: a key that is the text `<<` stands without quotes and
/// is a merge then, a NEL stands as it is and is a line break, and a tab at the beginning of several
/// lines stands where their indentation is looked for.
pub fn is_lost_in_go(value: &Value) -> bool {
    let is_lost =
        |text: &str| text.contains('\u{85}') || (text.starts_with('\t') && text.contains('\n'));
    match value {
        Value::String(text) => is_lost(text),
        Value::Array(items) => items.iter().any(is_lost_in_go),
        Value::Object(entries) => entries
            .iter()
            .any(|(key, value)| key == "<<" || is_lost(key) || is_lost_in_go(value)),
        _ => false,
    }
}
