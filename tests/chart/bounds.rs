//! Hostile input: everything ends, and nothing panics.

use std::io::Write as _;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use pintle::chart::{Chart, File, dependency, schema, strvals, values};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn file(name: impl Into<String>, data: impl AsRef<[u8]>) -> File {
    File {
        name: name.into(),
        data: data.as_ref().into(),
        modified: None,
    }
}

fn chart_yaml(name: &str, dependencies: &Value) -> String {
    json!({"apiVersion": "v2", "name": name, "version": "1.0.0", "dependencies": dependencies})
        .to_string()
}

fn process(files: Vec<File>) -> Result<Chart, String> {
    let mut chart = Chart::from_files(files).map_err(|error| error.to_string())?;
    dependency::process(&mut chart, &Map::new(), &mut Vec::new())
        .map_err(|error| error.to_string())?;
    Ok(chart)
}

#[test]
fn values_that_are_imported_into_themselves_are_refused() {
    let imports = json!([{"child": "t", "parent": "a"}, {"child": "t", "parent": "a.k"}]);
    let files = vec![
        file(
            "Chart.yaml",
            chart_yaml(
                "a",
                &json!([{"name": "x", "version": "*", "import-values": imports}]),
            ),
        ),
        file("charts/x/Chart.yaml", chart_yaml("x", &Value::Null)),
        file("charts/x/values.yaml", "t: {u: 1}"),
    ];
    assert_eq!(process(files).unwrap_err(), "values are nested too deeply");
}

#[test]
fn values_that_are_imported_far_down_are_refused() {
    let parent = vec!["a"; 100_000].join(".");
    let imports = json!([{"child": "t", "parent": parent}]);
    let files = vec![
        file(
            "Chart.yaml",
            chart_yaml(
                "a",
                &json!([{"name": "x", "version": "*", "import-values": imports}]),
            ),
        ),
        file("charts/x/Chart.yaml", chart_yaml("x", &Value::Null)),
        file("charts/x/values.yaml", "t: {u: 1}"),
    ];
    assert_eq!(process(files).unwrap_err(), "values are nested too deeply");
}

#[test]
fn aliases_within_aliases_are_refused() {
    let mut files = Vec::new();
    let mut folder = String::new();
    for depth in 0..12 {
        let aliases: Vec<Value> =
            (0..10).map(|i| json!({"name": format!("c{}", depth + 1), "version": "*", "alias": format!("a{i}")})).collect();
        files.push(file(
            format!("{folder}Chart.yaml"),
            chart_yaml(&format!("c{depth}"), &json!(aliases)),
        ));
        folder.push_str(&format!("charts/c{}/", depth + 1));
    }
    files.push(file(
        format!("{folder}Chart.yaml"),
        chart_yaml("c12", &Value::Null),
    ));
    assert!(
        process(files)
            .unwrap_err()
            .starts_with("chart comes to more than")
    );
}

#[test]
fn charts_far_within_charts_are_refused() {
    let name = format!("{}Chart.yaml", "charts/a/".repeat(5000));
    let files = vec![
        file("Chart.yaml", chart_yaml("a", &Value::Null)),
        file(name, ""),
    ];
    let mut error: &dyn std::error::Error = &Chart::from_files(files).unwrap_err();
    while let Some(source) = error.source() {
        error = source;
    }
    // the first chart on the way that has no Chart.yaml ends it, or the bound does
    assert_eq!(error.to_string(), "Chart.yaml file is missing");
    let deep = (0..200).map(|depth| {
        file(
            format!("{}Chart.yaml", "charts/a/".repeat(depth)),
            chart_yaml("a", &Value::Null),
        )
    });
    let mut error: &dyn std::error::Error =
        &Chart::from_files(deep.collect::<Vec<_>>()).unwrap_err();
    while let Some(source) = error.source() {
        error = source;
    }
    assert_eq!(error.to_string(), "charts are nested deeper than 64 levels");
}

#[test]
fn an_archive_that_inflates_without_end_is_refused() {
    // a megabyte of zeros in each of many members, which are one stream
    let mut member = GzEncoder::new(Vec::new(), Compression::fast());
    member.write_all(&vec![0; 1 << 20]).unwrap();
    let bomb = member.finish().unwrap().repeat(300);
    let error = Chart::load(&bomb).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(
        source,
        "decompressed chart is larger than the maximum size 104857600"
    );
}

#[test]
fn charts_cross_threads() {
    fn crosses<T: Send + Sync>() {}
    crosses::<Chart>();
}

#[test]
fn deep_values_are_refused() {
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    assert!(values::load(format!("a: {deep}").as_bytes()).is_err());
    let deep = format!("{}1", "a: {".repeat(3000));
    assert!(values::load(deep.as_bytes()).is_err());
}

#[test]
fn deep_lines_are_refused() {
    for line in [
        format!("a{}=1", "[0]".repeat(10_000)),
        format!("{}a=1", "a[0].".repeat(10_000)),
        format!("a={}", "[".repeat(100_000)),
    ] {
        assert!(strvals::parse_into(&line, &mut Map::new()).is_err() || line.starts_with("a=["));
        assert!(strvals::parse_json_into(&line, &mut Map::new()).is_err());
        let _ = strvals::parse_literal_into(&line, &mut Map::new());
    }
}

fn validate(schema: &str, given: &Value) -> Result<(), String> {
    let files = vec![
        file("Chart.yaml", chart_yaml("a", &Value::Null)),
        file("values.schema.json", schema),
    ];
    let chart = Chart::from_files(files).unwrap();
    schema::validate(&chart, given.as_object().unwrap().into(), &mut Vec::new())
        .map_err(|error| error.to_string())
}

#[test]
fn schemas_that_branch_within_branches_end() {
    let mut definitions = Map::new();
    for i in 0..64 {
        let next = json!({"$ref": format!("#/$defs/d{}", i + 1)});
        definitions.insert(
            format!("d{i}"),
            json!({"anyOf": [{"allOf": [next.clone(), false]}, {"allOf": [next, false]}]}),
        );
    }
    definitions.insert("d64".to_owned(), json!(true));
    let began = Instant::now();
    let text = validate(
        &json!({"$ref": "#/$defs/d0", "$defs": definitions}).to_string(),
        &json!({}),
    )
    .unwrap_err();
    assert!(text.contains("unable to validate schema"), "{text}");
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn schemas_in_long_chains_end() {
    let mut definitions = Map::new();
    for i in 0..20_000 {
        definitions.insert(
            format!("d{i}"),
            json!({"$ref": format!("#/$defs/d{}", i + 1)}),
        );
    }
    definitions.insert("d20000".to_owned(), json!(true));
    let text = validate(
        &json!({"$ref": "#/$defs/d0", "$defs": definitions}).to_string(),
        &json!({}),
    )
    .unwrap_err();
    assert!(text.contains("nested too deeply"), "{text}");
}

#[test]
fn deep_schemas_and_deep_values_end() {
    let deep = format!("{}true{}", "{\"not\":".repeat(900), "}".repeat(900));
    let _ = validate(&deep, &json!({}));
    let list = (0..900).fold(json!(1), |inner, _| json!([inner]));
    let schema = json!({"$defs": {"l": {"items": {"$ref": "#/$defs/l"}}}, "properties": {"a": {"$ref": "#/$defs/l"}}});
    let _ = validate(&schema.to_string(), &json!({"a": list}));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_line_panics(line in "[ab.=,\\[\\]{}\\\\0-9\" ]{0,40}") {
        let mut values = Map::new();
        let _ = strvals::parse_into(&line, &mut values);
        let _ = strvals::parse_json_into(&line, &mut values);
        let _ = strvals::parse_literal_into(&line, &mut values);
    }

    #[test]
    fn no_archive_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..2048), whole in any::<bool>()) {
        if whole {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(&bytes).unwrap();
            bytes = gzip.finish().unwrap();
        }
        let _ = Chart::load(&bytes);
    }

    #[test]
    fn no_flipped_archive_panics(flips in proptest::collection::vec((0_usize..2048, any::<u8>()), 1..8)) {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, data) in [("a/Chart.yaml", chart_yaml("a", &Value::Null)), ("a/templates/t.yaml", "{}".to_owned())] {
            let mut header = tar::Header::new_gnu();
            header.set_size(data.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, name, data.as_bytes()).unwrap();
        }
        let mut bytes = tar.into_inner().unwrap();
        for (at, byte) in flips {
            let length = bytes.len();
            bytes[at % length] = byte;
        }
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&bytes).unwrap();
        let _ = Chart::load(&gzip.finish().unwrap());
    }

    #[test]
    fn no_ignore_rule_panics(rules in "[a*?\\[\\]\\\\!/^-]{0,12}", path in "[a/*\\[-]{0,8}") {
        if let Ok(rules) = pintle::chart::ignore::Rules::parse(rules.as_bytes()) {
            rules.ignores(&path, false);
        }
    }

    #[test]
    fn no_pattern_or_format_panics(text in "\\PC{0,16}", pattern in "[a\\[\\](){}?*+|^$\\\\dwpLx0-9:<>P,-]{0,12}") {
        for format in ["uri", "uri-template", "ipv6", "email", "date-time", "time", "duration", "period", "uuid", "semver", "json-pointer", "hostname", "regex"] {
            let schema = json!({"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"a": {"format": format}}});
            let _ = validate(&schema.to_string(), &json!({"a": text}));
        }
        let schema = json!({"properties": {"a": {"pattern": pattern, "$ref": text}}});
        let _ = validate(&schema.to_string(), &json!({"a": text}));
    }
}
