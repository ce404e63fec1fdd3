//! The files of a chart as texts (`Chart.yaml`, `values.yaml`, `.helmignore`, a dependency's
//! `Chart.yaml` and values, the lock), with a user's values: read, put together with its dependencies, and
//! recorded. It ends, and what is recorded reads back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pintle::chart::ignore::Rules;
use pintle::chart::{Chart, dependency, values};
use pintle_fuzz::{check_files, file, parts};

fuzz_target!(|input: &[u8]| {
    let [chart, own, ignore, below, belows, lock, given] = parts(input);
    let files = vec![
        file("Chart.yaml", chart),
        file("values.yaml", own),
        file(".helmignore", ignore),
        file("charts/b/Chart.yaml", below),
        file("charts/b/values.yaml", belows),
        file("Chart.lock", lock),
        file("crds/c.yaml", given),
    ];
    if let Ok(rules) = Rules::parse(ignore) {
        for file in &files {
            let _ = rules.ignores(&file.name, false);
        }
        let _ = rules.ignores(&String::from_utf8_lossy(given), true);
    }
    let Ok(mut chart) = Chart::from_files(files) else {
        return;
    };
    check_files(&chart);
    let given = values::load(given).unwrap_or_default();
    let mut warnings = Vec::new();
    let _ = chart.check_installable(&mut warnings);
    let _ = chart.check_compatible("v1.36.0", "v1.36.0");
    if dependency::process(&mut chart, &given, &mut warnings).is_ok() {
        let _ = values::coalesce(&chart, &given, &mut warnings);
    }
    check_files(&chart);
    let recorded = serde_json::to_value(&chart).expect("a chart can be recorded");
    let read: Chart = serde_json::from_value(recorded.clone()).expect("a record can be read");
    let again = serde_json::to_value(&read).expect("a chart can be recorded");
    assert_eq!(recorded, again, "a record");
});
