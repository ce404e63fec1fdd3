//! Archives into charts: no file of them lies outside, they hold no more than they may, and they
//! are read twice the same. The first byte says whether the rest describes an archive, is one, or
//! is what one holds.
#![no_main]

use libfuzzer_sys::arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use pintle::chart::Chart;
use pintle_fuzz::packing::{Entry, compressed, pack};

fuzz_target!(|input: &[u8]| {
    let Some((way, rest)) = input.split_first() else {
        return;
    };
    match way % 8 {
        0 => load(rest),
        1 => load(&compressed(rest)),
        _ => {
            let entries = Vec::<Entry<'_>>::arbitrary_take_rest(Unstructured::new(rest));
            if let Ok(entries) = entries {
                load(&pack(&entries));
            }
        }
    }
});

fn load(archive: &[u8]) {
    let loaded = Chart::load(archive);
    if let Ok(chart) = &loaded {
        pintle_fuzz::check_files(chart);
    }
    let named = Chart::load_file("a-1.0.0.tgz", archive);
    assert_eq!(loaded.is_ok(), named.is_ok(), "by its name");
}
