//! Expressions out of a grammar: calls of every function within each other, with arguments that
//! are mostly of the types that they want. They end within their bounds, and twice the same.
#![no_main]

use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use pintle_fuzz::expressions;

#[derive(Debug)]
struct Text(String);

impl<'a> Arbitrary<'a> for Text {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        expressions::template(u).map(Self)
    }
}

fuzz_target!(|text: Text| {
    let chart = pintle_fuzz::chart(&[("NOTES.txt", text.0.as_bytes())]);
    pintle_fuzz::render(chart, expressions::values());
});
