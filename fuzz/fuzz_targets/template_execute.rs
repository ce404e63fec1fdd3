//! A template, a file of named templates and values, as texts: the whole of a render, with Sprig's
//! and Helm's functions. It ends within its bounds, and twice the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pintle::chart::values;

fuzz_target!(|input: &[u8]| {
    let [template, helpers, given, manifest] = pintle_fuzz::parts(input);
    let Ok(given) = values::load(given) else {
        return;
    };
    let chart = pintle_fuzz::chart(&[
        ("NOTES.txt", template),
        ("_helpers.tpl", helpers),
        ("a.yaml", manifest),
    ]);
    pintle_fuzz::render(chart, given);
});
