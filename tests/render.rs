//! What `pintle template` cannot show of rendering: lookups, the options, and charts that mean
//! harm.

#![allow(clippy::unwrap_used)]

use std::cell::RefCell;

use pintle::chart::{Chart, File, Level};
use pintle::render::{
    self, Error, Failure, Inputs, Lookup, LookupError, NoCluster, Options, Rendered,
};
use pintle::template::Limits;
use serde_json::{Value, json};

fn chart(templates: &[(&str, &str)]) -> Chart {
    let file = |name: String, data: &str| File {
        name,
        data: data.as_bytes().into(),
        modified: None,
    };
    let mut files = vec![file(
        "Chart.yaml".to_owned(),
        "apiVersion: v2\nname: c\nversion: 1.0.0\n",
    )];
    files.extend(
        templates
            .iter()
            .map(|(name, text)| file(format!("templates/{name}"), text)),
    );
    Chart::from_files(files).unwrap()
}

fn render(templates: &[(&str, &str)]) -> Result<Rendered, Box<Failure>> {
    render::render(chart(templates), Inputs::default(), &NoCluster)
}

/// A cluster with one ConfigMap, which remembers what it was asked and refuses Secrets.
#[derive(Default)]
struct Cluster {
    asked: RefCell<Vec<String>>,
}

impl Lookup for Cluster {
    fn get(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Value>, LookupError> {
        self.asked
            .borrow_mut()
            .push(format!("{api_version} {kind} {namespace}/{name}"));
        let object =
            json!({"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"n": 3, "f": 1.5}});
        match (kind, name) {
            ("Secret", _) => Err(LookupError("secrets is forbidden".to_owned())),
            ("ConfigMap", "") => Ok(Some(json!({"kind": "List", "items": [object]}))),
            ("ConfigMap", "a") => Ok(Some(object)),
            _ => Ok(None),
        }
    }
}

#[test]
fn lookup_asks_the_cluster() {
    let text = r#"
one: {{ (lookup "v1" "ConfigMap" "ns" "a").data.n | typeOf }} {{ (lookup "v1" "ConfigMap" "ns" "a").data.f }}
list: {{ range (lookup "v1" "ConfigMap" "" "").items }}{{ .metadata.name }}{{ end }}
none: {{ if not (lookup "apps/v1" "Deployment" "ns" "x") }}nothing{{ end }}
"#;
    let cluster = Cluster::default();
    let rendered = render::render(chart(&[("a.yaml", text)]), Inputs::default(), &cluster).unwrap();
    assert!(
        rendered
            .manifest
            .contains("one: int64 1.5\nlist: a\nnone: nothing\n"),
        "{}",
        rendered.manifest
    );
    let asked = [
        "v1 ConfigMap ns/a",
        "v1 ConfigMap ns/a",
        "v1 ConfigMap /",
        "apps/v1 Deployment ns/x",
    ];
    assert_eq!(*cluster.asked.borrow(), asked);
}

#[test]
fn a_lookup_that_fails_fails_the_render() {
    let chart = chart(&[("a.yaml", r#"{{ lookup "v1" "Secret" "ns" "x" }}"#)]);
    let failure = render::render(chart, Inputs::default(), &Cluster::default()).unwrap_err();
    assert_eq!(
        failure.to_string(),
        "template: c/templates/a.yaml:1:3: executing \"c/templates/a.yaml\" at \
         <lookup \"v1\" \"Secret\" \"ns\" \"x\">: error calling lookup: secrets is forbidden"
    );
}

fn with_options(options: Options, text: &str) -> Result<Rendered, Box<Failure>> {
    let inputs = Inputs {
        options,
        ..Inputs::default()
    };
    render::render(chart(&[("a.yaml", text)]), inputs, &NoCluster)
}

#[test]
fn lint_lets_required_and_fail_pass() {
    let lint = Options {
        lint: true,
        ..Options::default()
    };
    let rendered = with_options(
        lint,
        "a: [{{ required \"r\" .Values.x }}{{ fail \"f\" }}]\n",
    )
    .unwrap();
    assert!(rendered.manifest.ends_with("a: []\n\n"));
    let warnings = rendered.warnings.iter();
    let said: Vec<String> = warnings
        .filter(|line| line.level != Level::Debug)
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        said,
        [
            "level=WARN msg=\"missing required value\" message=r",
            "level=INFO msg=\"funcMap fail\" message=f"
        ]
    );
}

#[test]
fn strict_refuses_what_is_missing() {
    let strict = Options {
        strict: true,
        ..Options::default()
    };
    let failure = with_options(strict, "a: {{ .Values.x }}\n").unwrap_err();
    assert!(
        failure
            .to_string()
            .contains("map has no entry for key \"x\""),
        "{failure}"
    );
}

#[test]
fn the_environment_is_the_only_source_of_time_and_chance() {
    let text = "a: {{ now | date \"2006-01-02\" }} {{ randAlphaNum 8 }}\n";
    let first = render(&[("a.yaml", text)]).unwrap().manifest;
    assert!(first.contains("a: 1970-01-01 "));
    assert_eq!(first, render(&[("a.yaml", text)]).unwrap().manifest);
}

#[test]
fn a_failure_says_how_far_it_came() {
    let broken = render(&[("a.yaml", "a: b\n"), ("b.yaml", "a: b: c\n")]).unwrap_err();
    assert!(matches!(broken.error, Error::Manifest(_)));
    assert_eq!(
        broken.partial.as_deref(),
        Some(
            "---\n# Source: c/templates/a.yaml\na: b\n\n---\n# Source: c/templates/b.yaml\na: b: c\n\n"
        )
    );
    let failed = render(&[("a.yaml", "{{ fail \"x\" }}")]).unwrap_err();
    assert_eq!(failed.partial.as_deref(), Some(""));
}

#[test]
fn the_parts_of_a_manifest_are_found_in_it() {
    let rendered = render(&[
        ("b.yaml", "kind: Service\n"),
        ("a.yaml", "kind: Pod\n---\nkind: Secret\n"),
    ])
    .unwrap();
    let parts: Vec<(&str, &str)> = rendered.manifests().collect();
    assert_eq!(
        parts,
        [
            ("c/templates/a.yaml", "kind: Secret\n"),
            ("c/templates/b.yaml", "kind: Service\n"),
            ("c/templates/a.yaml", "kind: Pod\n"),
        ]
    );
}

#[test]
fn templates_without_end_are_errors() {
    let endless = [
        "{{ define \"a\" }}{{ template \"a\" . }}{{ end }}{{ template \"a\" . }}",
        "{{ define \"a\" }}{{ include \"a\" . }}{{ end }}{{ include \"a\" . }}",
        "{{ define \"a\" }}{{ include \"b\" . }}{{ end }}{{ define \"b\" }}{{ tpl \"{{ include \\\"a\\\" . }}\" . }}{{ end }}{{ include \"a\" . }}",
        "{{ $_ := set .Values \"t\" \"{{ tpl .Values.t . }}\" }}{{ tpl .Values.t . }}",
        "{{ $x := \"xxxxxxxxxxxxxxxx\" }}{{ range until 60 }}{{ $x = cat $x $x }}{{ end }}{{ $x }}",
        "{{ $_ := set .Values \"self\" .Values }}{{ toYaml .Values }}{{ .Values }}",
    ];
    for text in endless {
        let result = render(&[("a.yaml", text)]);
        let panicked = matches!(&result, Err(failure) if matches!(failure.error, Error::Panic(_)));
        assert!(!panicked, "{text}");
    }
}

#[test]
fn limits_bound_the_execution_of_each_template() {
    let within = |limits: Limits, text: &str| {
        let options = Options {
            limits,
            ..Options::default()
        };
        with_options(options, text).map_err(|failure| match failure.error {
            Error::Template(message) => message,
            error => panic!("{error}"),
        })
    };
    let few = Limits {
        steps: 500,
        ..Limits::default()
    };
    let message = within(few, "{{ range until 500 }}{{ end }}").unwrap_err();
    assert!(message.ends_with("takes more than 500 steps"), "{message}");
    assert!(within(few, "{{ range until 50 }}{{ end }}").is_ok());
    // No deeper than there is stack for.
    let deep = Limits {
        depth: usize::MAX,
        ..Limits::default()
    };
    let endless = "{{ define \"a\" }}{{ template \"a\" . }}{{ end }}{{ template \"a\" . }}";
    assert!(within(deep, endless).is_err());
}

#[test]
fn text_that_is_not_utf8_is_refused_where_yaml_refuses_it() {
    let failure = render(&[("a.yaml", "a: {{ b64dec \"/w==\" }}\n")]).unwrap_err();
    assert!(matches!(failure.error, Error::Manifest(_)), "{failure}");
    assert!(
        render(&[("NOTES.txt", "{{ b64dec \"/w==\" }}")])
            .unwrap()
            .notes
            .contains('\u{fffd}')
    );
}
