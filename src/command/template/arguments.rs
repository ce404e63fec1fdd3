//! The flags of `helm template`, and where their values go.

use super::klog;
use super::settings::Settings;
use super::values::ValueSources;
use crate::command::flags::{Flag, Flags, Place, go_quoted};

/// A flag of this command.
pub(super) type OptionFlag = Flag<Options>;

/// Everything that flags say.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// What holds for every command of Helm's.
    pub(super) settings: Settings,
    pub(super) values: ValueSources,
    pub(super) origin: Origin,
    pub(super) kube_version: String,
    pub(super) api_versions: Vec<String>,
    pub(super) include_crds: bool,
    pub(super) skip_schema_validation: bool,
    pub(super) show_only: Vec<String>,
    pub(super) output_dir: String,
    pub(super) release_name: bool,
    pub(super) is_upgrade: bool,
    pub(super) no_hooks: bool,
    pub(super) skip_tests: bool,
    pub(super) generate_name: bool,
    pub(super) name_template: String,
    pub(super) enable_dns: bool,
    pub(super) labels: Vec<(String, String)>,
    pub(super) dependency_update: bool,
    pub(super) dry_run: String,
    pub(super) validate: bool,
    pub(super) skip_crds: bool,
    pub(super) take_ownership: bool,
    /// What is read and held to its form, and changes nothing in a rendering.
    unused: Unused,
}

impl Options {
    /// What holds where no flag says anything else.
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            dry_run: "client".to_owned(),
            origin: Origin {
                keyring: Settings::keyring(),
                ..Origin::default()
            },
            ..Self::default()
        }
    }
}

/// Where a chart is looked for, and with whose rights.
// helm: pkg/action/install.go ChartPathOptions
#[derive(Debug, Default)]
pub(super) struct Origin {
    pub(super) version: String,
    pub(super) devel: bool,
    pub(super) verify: bool,
    pub(super) keyring: String,
    pub(super) repo: String,
    pub(super) username: String,
    pub(super) password: String,
    pub(super) pass_credentials: bool,
    pub(super) cert_file: String,
    pub(super) key_file: String,
    pub(super) ca_file: String,
    pub(super) insecure_skip_tls_verify: bool,
    pub(super) plain_http: bool,
}

#[derive(Debug, Default)]
struct Unused {
    flag: bool,
    text: String,
}

/// Flags of which Helm takes one at a time.
pub(super) const EXCLUSIVE: &[&[&str]] = &[
    &["force-replace", "force-conflicts"],
    &["force", "force-conflicts"],
    &["validate", "dry-run"],
];

const NO_EFFECT: &str = "this flag has no effect for 'helm template' and will be removed in Helm 5";

/// All flags.
// helm: pkg/cmd/template.go, pkg/cmd/install.go addInstallFlags, pkg/cmd/flags.go
pub(crate) fn flags() -> Flags<Options> {
    let mut table = Settings::flags();
    table.extend(klog::flags());
    table.extend(chart_flags());
    table.extend(value_flags());
    table.extend(render_flags());
    table.extend(release_flags());
    Flags::new(table, "help for template")
}

fn chart_flags() -> Vec<OptionFlag> {
    vec![
        OptionFlag::new(
            "version",
            Place::Text(|o| &mut o.origin.version),
            "the chart's version, or a range of versions; the newest stable one if none is named",
        ),
        OptionFlag::new(
            "devel",
            Place::Bool(|o| &mut o.origin.devel),
            "take pre-releases, too, where no version is named (as --version '>0.0.0-0' does)",
        ),
        OptionFlag::new(
            "verify",
            Place::Bool(|o| &mut o.origin.verify),
            "refused: signatures cannot be verified yet",
        ),
        OptionFlag::new(
            "keyring",
            Place::Text(|o| &mut o.origin.keyring),
            "public keys for --verify",
        ),
        OptionFlag::new(
            "repo",
            Place::Text(|o| &mut o.origin.repo),
            "URL of the repository that has the chart",
        ),
        OptionFlag::new(
            "username",
            Place::Text(|o| &mut o.origin.username),
            "user name for the repository",
        ),
        OptionFlag::new(
            "password",
            Place::Text(|o| &mut o.origin.password),
            "password for the repository",
        ),
        OptionFlag::new(
            "pass-credentials",
            Place::Bool(|o| &mut o.origin.pass_credentials),
            "send the login to other hosts, too, if the repository leads there",
        ),
        OptionFlag::new(
            "cert-file",
            Place::Text(|o| &mut o.origin.cert_file),
            "client certificate for HTTPS servers",
        ),
        OptionFlag::new(
            "key-file",
            Place::Text(|o| &mut o.origin.key_file),
            "private key of the client certificate",
        ),
        OptionFlag::new(
            "ca-file",
            Place::Text(|o| &mut o.origin.ca_file),
            "authorities that alone are trusted for HTTPS servers",
        ),
        OptionFlag::new(
            "insecure-skip-tls-verify",
            Place::Bool(|o| &mut o.origin.insecure_skip_tls_verify),
            "take any certificate while the chart is fetched",
        ),
        OptionFlag::new(
            "plain-http",
            Place::Bool(|o| &mut o.origin.plain_http),
            "speak plain HTTP to registries",
        ),
        OptionFlag::new(
            "dependency-update",
            Place::Bool(|o| &mut o.dependency_update),
            "refused where dependencies are missing: they cannot be fetched yet",
        ),
    ]
}

fn value_flags() -> Vec<OptionFlag> {
    vec![
        OptionFlag::new(
            "values",
            Place::List(|o| &mut o.values.files),
            "YAML file of values, its URL, or - for standard input (several, or divided by commas)",
        )
        .short(b'f'),
        OptionFlag::new(
            "set",
            Place::Texts(|o| &mut o.values.set),
            "set values: key1=val1,key2=val2",
        ),
        OptionFlag::new(
            "set-string",
            Place::Texts(|o| &mut o.values.set_string),
            "set values that are texts, whatever they look like",
        ),
        OptionFlag::new(
            "set-file",
            Place::Texts(|o| &mut o.values.set_file),
            "set values to what files hold: key1=path1,key2=path2",
        ),
        OptionFlag::new(
            "set-json",
            Place::Texts(|o| &mut o.values.set_json),
            "set values that are JSON: key1=json1,key2=json2, or one whole JSON object",
        ),
        OptionFlag::new(
            "set-literal",
            Place::Texts(|o| &mut o.values.set_literal),
            "set one value to a text in which nothing is special",
        ),
        OptionFlag::new(
            "skip-schema-validation",
            Place::Bool(|o| &mut o.skip_schema_validation),
            "do not hold values against the charts' schemas",
        ),
    ]
}

fn render_flags() -> Vec<OptionFlag> {
    vec![
        OptionFlag::new(
            "show-only",
            Place::Texts(|o| &mut o.show_only),
            "print only what these templates made; may hold *, ? and [] (several)",
        )
        .short(b's'),
        OptionFlag::new(
            "output-dir",
            Place::Text(|o| &mut o.output_dir),
            "write to files in this folder instead of to standard output",
        ),
        OptionFlag::new(
            "release-name",
            Place::Bool(|o| &mut o.release_name),
            "put the release's name into the paths below --output-dir",
        ),
        OptionFlag::new(
            "include-crds",
            Place::Bool(|o| &mut o.include_crds),
            "print the files of crds/, too",
        ),
        OptionFlag::new(
            "skip-crds",
            Place::Bool(|o| &mut o.skip_crds),
            "do not warn of definitions in crds/ with --dry-run=server",
        ),
        OptionFlag::new(
            "skip-tests",
            Place::Bool(|o| &mut o.skip_tests),
            "leave test hooks out",
        ),
        OptionFlag::new(
            "no-hooks",
            Place::Bool(|o| &mut o.no_hooks),
            "leave hooks out",
        ),
        OptionFlag::new(
            "is-upgrade",
            Place::Bool(|o| &mut o.is_upgrade),
            "set .Release.IsUpgrade instead of .Release.IsInstall",
        ),
        OptionFlag::new(
            "kube-version",
            Place::Text(|o| &mut o.kube_version),
            "version that templates see under .Capabilities.KubeVersion",
        ),
        OptionFlag::new(
            "api-versions",
            Place::List(|o| &mut o.api_versions),
            "more versions under .Capabilities.APIVersions (several, or divided by commas)",
        )
        .short(b'a'),
        OptionFlag::new(
            "enable-dns",
            Place::Bool(|o| &mut o.enable_dns),
            "let templates resolve host names (getHostByName)",
        ),
        OptionFlag::new(
            "generate-name",
            Place::Bool(|o| &mut o.generate_name),
            "no name is given: the release is called release-name",
        )
        .short(b'g'),
        OptionFlag::new(
            "name-template",
            Place::Text(|o| &mut o.name_template),
            "template for the release's name",
        ),
        OptionFlag::new(
            "dry-run",
            Place::Text(|o| &mut o.dry_run),
            "client: nothing is asked of a cluster; server: a cluster tells its capabilities, \
             answers lookups and checks the objects",
        )
        .bare("unset"),
        OptionFlag::new("validate", Place::Bool(|o| &mut o.validate), "")
            .deprecated("use '--dry-run=server' instead"),
        OptionFlag::new(
            "take-ownership",
            Place::Bool(|o| &mut o.take_ownership),
            "do not mind with --dry-run=server that objects exist without Helm's marks",
        ),
    ]
}

/// What is of use to `helm install` alone.
fn release_flags() -> Vec<OptionFlag> {
    const UNUSED: &str = "no effect: nothing is installed";
    let flag = |name| {
        OptionFlag::new(
            name,
            Place::Bool(|o: &mut Options| &mut o.unused.flag),
            UNUSED,
        )
    };
    vec![
        flag("create-namespace"),
        // Helm leaves fields to servers that judge them, which on a dry run nobody asks.
        flag("disable-openapi-validation"),
        flag("force-replace"),
        flag("force").deprecated("use --force-replace instead"),
        flag("force-conflicts"),
        flag("server-side"),
        flag("replace"),
        flag("wait-for-jobs"),
        flag("rollback-on-failure"),
        flag("atomic").deprecated("use --rollback-on-failure instead"),
        flag("render-subchart-notes").deprecated(NO_EFFECT),
        flag("hide-notes").deprecated(NO_EFFECT),
        OptionFlag::new("description", Place::Text(|o| &mut o.unused.text), UNUSED),
        OptionFlag::new("labels", Place::Pairs(|o| &mut o.labels), UNUSED).short(b'l'),
        OptionFlag::new(
            "timeout",
            Place::Other {
                set: |_, text| super::duration::check(text),
                kind: "duration",
                default: "5m0s",
            },
            UNUSED,
        ),
        OptionFlag::new(
            "wait",
            Place::Other {
                set: |_, text| check_wait(text),
                kind: "WaitStrategy",
                default: "hookOnly",
            },
            UNUSED,
        )
        .bare("watcher"),
        OptionFlag::new(
            "post-renderer",
            Place::Other {
                set: |_, plugin| refuse_post_renderer(plugin),
                kind: "postRendererString",
                default: "",
            },
            "refused: no plugins are run",
        ),
        OptionFlag::new(
            "post-renderer-args",
            Place::Other {
                set: |_, _| Ok(()),
                kind: "postRendererArgsSlice",
                default: "[]",
            },
            "arguments for the post-renderer",
        ),
    ]
}

// helm: pkg/cmd/flags.go waitValue
fn check_wait(text: &str) -> Result<(), String> {
    let instead = match text {
        "watcher" | "legacy" | "hookOnly" => return Ok(()),
        "true" => "watcher",
        "false" => "hookOnly",
        _ => {
            return Err(format!(
                "invalid wait input {}. Valid inputs are watcher, hookOnly, and legacy",
                go_quoted(text)
            ));
        }
    };
    super::log::Log::new(false).say(&[pintle::chart::Warning::warn(format!(
        "--wait={text} is deprecated (boolean value) and can be replaced with --wait={instead}"
    ))]);
    Ok(())
}

/// An empty name asks for nothing.
// helm: pkg/cmd/flags.go postRendererString
fn refuse_post_renderer(plugin: &str) -> Result<(), String> {
    if plugin.is_empty() {
        return Ok(());
    }
    Err("pintle runs no plugins, so it cannot post-render".to_owned())
}
