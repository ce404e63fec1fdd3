//! What a person declares.
#![allow(
    clippy::duplicated_attributes,
    unreachable_pub,
    reason = "printer columns look alike to clippy, and kube's derive makes a private copy of the spec"
)]

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::duration::GoDuration;
use super::status::HelmReleaseStatus;

/// A Helm release, kept as declared: exactly this chart with exactly these values.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Deserialize, Serialize)]
#[kube(
    group = "helm.pintle.dev",
    version = "v1",
    kind = "HelmRelease",
    plural = "helmreleases",
    shortname = "hr",
    category = "pintle",
    namespaced,
    status = "HelmReleaseStatus",
    doc = "HelmRelease declares one Helm release: a chart repository, a chart, an exact version and values.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(name = "Chart", type_ = "string", json_path = ".spec.name"),
    printcolumn(name = "Version", type_ = "string", json_path = ".spec.version"),
    printcolumn(
        name = "Revision",
        type_ = "integer",
        json_path = ".status.history[0].version"
    ),
    printcolumn(
        name = "Status",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    )
)]
#[kube(validation = Rule::new("size(self.metadata.name) <= 53 || (has(self.spec.releaseName) && self.spec.releaseName != '')")
    .message("a Helm release name has at most 53 characters: set spec.releaseName to a shorter one"))]
#[x_kube(validation = Rule::new("has(self.releaseName) == has(oldSelf.releaseName) && (!has(self.releaseName) || self.releaseName == oldSelf.releaseName)")
    .message("releaseName cannot be changed: delete this HelmRelease and create another one"))]
#[x_kube(validation = Rule::new("has(self.targetNamespace) == has(oldSelf.targetNamespace) && (!has(self.targetNamespace) || self.targetNamespace == oldSelf.targetNamespace)")
    .message("targetNamespace cannot be changed: delete this HelmRelease and create another one"))]
#[x_kube(validation = Rule::new("!(self.repo.startsWith('http://') || self.repo.startsWith('git+http://')) || (has(self.insecure) && self.insecure)")
    .message("a repository over plain http:// needs `insecure: true`, and a controller that runs with --allow-insecure-sources"))]
#[x_kube(validation = Rule::new("!has(self.verify) || self.verify.provider != 'cosign' || self.repo.startsWith('oci://')")
    .message("cosign signs what is in registries: repo must begin with oci://, or verify.provider be pgp"))]
#[x_kube(validation = Rule::new("!has(self.verify) || !self.repo.startsWith('git+')")
    .message("there is no signature to verify in git, where the commit itself names the bytes: leave verify out, or take the chart from a registry or an https:// repository"))]
#[x_kube(validation = Rule::new("!self.repo.startsWith('git+') || has(self.commit)")
    .message("a chart in git needs `commit`, its exact commit as git rev-parse prints it"))]
#[x_kube(validation = Rule::new("self.repo.startsWith('git+') || !(has(self.commit) || has(self.path))")
    .message("commit and path are for charts in git: repo must begin with git+https://"))]
#[serde(rename_all = "camelCase")]
pub struct HelmReleaseSpec {
    /// The chart repository: oci://host/path, https://host/path or, of git, git+https://host/path.
    #[schemars(length(max = 2048))]
    #[x_kube(validation = Rule::new("self.matches('^(oci|https|http|git[+]https|git[+]http|git[+]ssh)://[^/]+')")
        .message("repo must begin with oci://, https:// or git+https:// and name a host, such as oci://registry.example.com/charts"))]
    #[x_kube(validation = Rule::new("!self.startsWith('git+ssh://')")
        .message("git+ssh:// is not supported: write git+https://, with a token or a password in auth.secretRef"))]
    pub repo: String,

    /// The chart's name in the repository.
    #[schemars(length(min = 1, max = 250))]
    #[x_kube(validation = Rule::new("self.matches('^[A-Za-z0-9][A-Za-z0-9._-]*$')")
        .message("name is the chart's name alone, such as ingress-nginx; the path before it belongs into repo"))]
    pub name: String,

    /// The chart's exact version. No ranges, no "latest": what runs is what was named.
    #[schemars(length(max = 128))]
    #[x_kube(validation = Rule::new("self.matches('^v?[0-9]+([.][0-9]+){0,2}(-[0-9A-Za-z.-]+)?([+][0-9A-Za-z.-]+)?$')")
        .message("version must be one exact version such as 1.4.2: ranges, wildcards and words like latest are not taken, because two turns of them may give two different charts"))]
    pub version: String,

    /// The chart's folder in a repository of git, such as charts/web. Default: the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    #[x_kube(validation = Rule::new("self.matches('^[^/]+(/[^/]+)*/?$') && !self.matches('(^|/)[.][.]?(/|$)')")
        .message("path is the chart's folder below the root of the repository, such as charts/web: no / in front, and no . or .. in it"))]
    pub path: Option<String>,

    /// The exact commit of a repository of git: its whole id, 40 (or, for SHA-256, 64) hexadecimal
    /// digits. No branch, no tag: what runs is what was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^([0-9a-f]{40}|[0-9a-f]{64})$')")
        .message("commit must be the whole id of one commit, 40 or 64 hexadecimal digits as git rev-parse prints them: branches, tags and shortened ids are not taken, because they may be another commit tomorrow"))]
    pub commit: Option<String>,

    /// Only an archive with this digest is taken: sha256:<64 hexadecimal digits>.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 71))]
    #[x_kube(validation = Rule::new("self.matches('^sha256:[0-9a-f]{64}$')")
        .message("digest must be sha256: followed by 64 hexadecimal digits in lower case"))]
    pub digest: Option<String>,

    /// The values, over the chart's own and over `valuesFrom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "values_schema")]
    pub values: Option<Map<String, Value>>,

    /// Values from ConfigMaps and Secrets of this namespace, merged in order, below `values`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub values_from: Vec<ValuesReference>,

    /// A failed install is removed, and a failed upgrade goes back to the last good revision.
    #[serde(default = "yes")]
    pub atomic: bool,

    /// The release counts as deployed when every object is ready.
    #[serde(default = "yes")]
    pub wait: bool,

    /// How long hooks and waiting may take.
    #[serde(default = "five_minutes")]
    pub timeout: GoDuration,

    /// The release's name in Helm. Default: the name of this HelmRelease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 53))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')")
        .message("releaseName must be lower case letters, digits, - and ., at most 53 characters"))]
    pub release_name: Option<String>,

    /// The namespace of the release and of its objects. Default: the namespace of this HelmRelease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub target_namespace: Option<String>,

    /// Create the target namespace where it is missing.
    #[serde(default)]
    pub create_namespace: bool,

    /// The safety net: every object is compared with what was applied this often. Changes to
    /// objects are seen by watches long before.
    #[serde(default = "ten_minutes")]
    #[x_kube(validation = Rule::new("self != '0s'").message("interval must be longer than nothing"))]
    pub interval: GoDuration,

    /// Touch nothing until this is false again.
    #[serde(default)]
    pub suspend: bool,

    /// How many revisions Helm's storage keeps; 0 keeps all.
    #[serde(default = "ten")]
    // The API server warns of every format that it does not know, and uint32 is one.
    #[schemars(range(max = 1000), extend("format" = "int32"))]
    pub history_max: u32,

    /// How often inputs that failed are tried again before the release is Stalled.
    #[serde(default = "three")]
    #[schemars(range(max = 100), extend("format" = "int32"))]
    pub retries: u32,

    /// What happens when somebody changes or deletes what the release applied.
    #[serde(default)]
    pub drift: Drift,

    /// What happens with the definitions in the chart's crds/ folder.
    #[serde(default)]
    pub crds: CrdPolicy,

    /// Whether an upgrade or a rollback that would delete a PersistentVolumeClaim, a Namespace or a
    /// CustomResourceDefinition that has objects waits until the annotation
    /// confirm.pintle.dev/plan names its plan: On or "Off". Off needs its quotes, as YAML reads it
    /// as false without them.
    #[serde(default)]
    pub guard: Guard,

    /// What happens with an object whose change the API server refuses because a field of it is
    /// immutable. Jobs that have ended and Pods are deleted and created anew in any case;
    /// PersistentVolumeClaims never are.
    #[serde(default)]
    pub replace: Replace,

    /// Whether the passwords, keys and certificates that templates make (randAlphaNum, genCA and
    /// their kind) stay what they were at the first install, or are made anew by every upgrade.
    #[serde(default)]
    pub randomness: Randomness,

    /// The chart's tests, which `helm test` runs.
    #[serde(default)]
    pub test: Test,

    /// What happens with the release when this HelmRelease is deleted.
    #[serde(default)]
    pub deletion: Deletion,

    /// Take plain HTTP. Only where the controller runs with --allow-insecure-sources.
    #[serde(default)]
    pub insecure: bool,

    /// What is asked of the images that the rendered objects name. Default: as the annotations
    /// images.pintle.dev/floatingTags and images.pintle.dev/requireDigest of this namespace say, and
    /// then as the controller does.
    #[serde(default)]
    pub images: Images,

    /// How to log in to the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,

    /// Whom to trust on TLS connections, and who to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,

    /// An HTTP proxy on the way to the repository: a Secret of this namespace with the key address
    /// (http://host:port), and username and password where it asks for them. Default: as the
    /// controller's environment says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<SecretReference>,

    /// Take the chart only where somebody trusted has signed it. Without a signature that holds
    /// nothing is installed or upgraded, and what runs is left as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Verify>,
}

/// Who must have signed the chart: whoever has one of the keys of secretRef, or one of the identities
/// that trustRoot vouches for.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[x_kube(validation = Rule::new("has(self.secretRef) != has(self.trustRoot)")
    .message("verify takes exactly one of secretRef, for public keys, and trustRoot, for identities"))]
#[x_kube(validation = Rule::new("!has(self.trustRoot) || self.provider == 'cosign'")
    .message("trustRoot is for cosign: what pgp signs is trusted by keys, in secretRef"))]
#[x_kube(validation = Rule::new("has(self.trustRoot) == has(self.identities)")
    .message("trustRoot needs identities, and they need it: a signature by anybody at all proves nothing"))]
#[serde(rename_all = "camelCase")]
pub struct Verify {
    /// What signed it: cosign the manifest in a registry, or pgp the provenance file that
    /// `helm package --sign` writes.
    pub provider: VerifyProvider,
    /// A Secret of this namespace with the public keys that are trusted: for cosign in keys that
    /// end in .pub, for pgp in all keys, as `gpg --export` writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretName>,
    /// The authorities and logs that vouch for who signed, where cosign signs without a key that
    /// lasts: a trusted_root.json of sigstore's. Nothing else is asked, so this works without
    /// internet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_root: Option<TrustRoot>,
    /// Who is trusted to sign; one of them must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub identities: Option<Vec<SignerIdentity>>,
}

/// Where a trusted_root.json stands.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[x_kube(validation = Rule::new("has(self.secretRef) != has(self.configMapRef)")
    .message("trustRoot takes exactly one of secretRef and configMapRef"))]
#[serde(rename_all = "camelCase")]
pub struct TrustRoot {
    /// A Secret of this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<TrustRootKey>,
    /// A ConfigMap of this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<TrustRootKey>,
}

/// The object, and its key, that holds a trusted_root.json.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct TrustRootKey {
    /// The object's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The key that holds the trusted root.
    #[serde(default = "trusted_root_json")]
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// Somebody who is trusted to sign, as the certificate of a signature names them. An expression
/// matches from the beginning of a name to its end.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[x_kube(validation = Rule::new("has(self.issuer) != has(self.issuerRegExp)")
    .message("an identity takes exactly one of issuer and issuerRegExp: a subject alone can be anybody's"))]
#[x_kube(validation = Rule::new("has(self.subject) != has(self.subjectRegExp)")
    .message("an identity takes exactly one of subject and subjectRegExp"))]
#[serde(rename_all = "camelCase")]
pub struct SignerIdentity {
    /// Who vouches for the subject, such as `https://token.actions.githubusercontent.com`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub issuer: Option<String>,
    /// A regular expression for whole issuers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub issuer_reg_exp: Option<String>,
    /// Who signed: an address, or what ran, such as
    /// `https://github.com/example/charts/.github/workflows/release.yaml@refs/heads/main`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub subject: Option<String>,
    /// A regular expression for whole subjects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub subject_reg_exp: Option<String>,
}

/// What signs charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum VerifyProvider {
    Cosign,
    Pgp,
}

/// What is asked of the images that the rendered objects name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Images {
    /// What happens with images of the tag latest, or without tag and digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floating_tags: Option<FloatingTags>,
    /// Nothing is applied where an image is not named by its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_digest: Option<bool>,
}

/// What happens with images that may be others tomorrow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum FloatingTags {
    /// Nothing.
    #[default]
    Allow,
    /// An event tells of them.
    Warn,
    /// Nothing is applied, and the condition names them.
    Deny,
}

impl Images {
    /// These, and what they leave open as the others say.
    pub fn or(self, others: Self) -> Self {
        Self {
            floating_tags: self.floating_tags.or(others.floating_tags),
            require_digest: self.require_digest.or(others.require_digest),
        }
    }

    /// Whether there is nothing to ask.
    pub fn ask_nothing(self) -> bool {
        let tags = self.floating_tags.unwrap_or_default();
        tags == FloatingTags::Allow && !self.require_digest.unwrap_or_default()
    }
}

impl std::str::FromStr for FloatingTags {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "Allow" => Ok(Self::Allow),
            "Warn" => Ok(Self::Warn),
            "Deny" => Ok(Self::Deny),
            _ => Err(format!("{text:?} is none of Allow, Warn and Deny")),
        }
    }
}

/// How to log in to the chart's repository: one of a Secret, an account's pull secrets, and a cloud.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[x_kube(validation = Rule::new("[has(self.secretRef), has(self.serviceAccountName), has(self.provider)].filter(x, x).size() == 1")
    .message("auth takes exactly one of secretRef, serviceAccountName and provider"))]
#[serde(rename_all = "camelCase")]
pub struct Auth {
    /// A Secret of this namespace: keys username and password, or token, or a Secret of type
    /// kubernetes.io/dockerconfigjson.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretName>,
    /// A ServiceAccount of this namespace, whose imagePullSecrets hold the login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub service_account_name: Option<String>,
    /// The cloud whose own registries take the controller's workload identity. Only where the
    /// controller runs with --cloud-logins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<CloudProvider>,
    /// Show the login to other hosts, too, that the index of an https:// repository names for its
    /// archives. Without this it goes to the repository's own host alone.
    #[serde(default)]
    pub pass_credentials: bool,
}

/// Whom to trust on TLS connections, and who to be.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[x_kube(validation = Rule::new("has(self.secretRef) || has(self.serverName)")
    .message("tls takes secretRef, serverName or both"))]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    /// A Secret of this namespace: keys ca.crt, tls.crt and tls.key, each optional. The client
    /// certificate is shown to the repository's own host alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretName>,
    /// The name that the certificate of the repository's own host must bear, in place of the host's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub server_name: Option<String>,
}

/// A cloud whose registries take a workload identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum CloudProvider {
    /// Elastic Container Registry: ACCOUNT.dkr.ecr.REGION.amazonaws.com.
    Aws,
    /// Artifact Registry: LOCATION-docker.pkg.dev and gcr.io.
    Google,
    /// Azure Container Registry: NAME.azurecr.io.
    Azure,
}

/// A Secret in the HelmRelease's own namespace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretReference {
    /// The Secret.
    pub secret_ref: SecretName,
}

/// The name of a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct SecretName {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// Values that stand in a ConfigMap or Secret.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValuesReference {
    /// ConfigMap or Secret.
    pub kind: ValuesKind,
    /// The object's name, in the HelmRelease's own namespace.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The key that holds the values.
    #[serde(default = "values_yaml")]
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
    /// Take what the key holds as one value, and set it at this path (as `helm --set` spells it).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub target_path: Option<String>,
    /// Go on where the object or the key is missing.
    #[serde(default)]
    pub optional: bool,
}

/// Where values can stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[allow(missing_docs)]
pub enum ValuesKind {
    ConfigMap,
    Secret,
}

/// What to do about drift.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Drift {
    /// Correct it, only Warn of it, or "Off": do not look. Off needs its quotes, as YAML reads it
    /// as false without them.
    #[serde(default)]
    pub mode: DriftMode,
    /// Fields that others may change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub ignore: Vec<DriftIgnore>,
}

/// What to do about drift.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum DriftMode {
    /// Put it back at once.
    #[default]
    Correct,
    /// Say so in a condition and an event.
    Warn,
    /// Do not look.
    Off,
}

/// Fields of objects that others may change.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct DriftIgnore {
    /// The objects' kind. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The object's name. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The object's namespace. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Labels that the object has in the chart. Default: any.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// JSON pointers to the fields, such as /spec/replicas: upgrades leave them alone, too. None: the
    /// whole object, which upgrades change only where the new revision's differs from the last one's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub paths: Vec<String>,
}

/// What to do with the definitions in crds/.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum CrdPolicy {
    /// Create missing ones, and leave others alone, as Helm does.
    Create,
    /// Create missing ones, and bring others to what the chart holds.
    #[default]
    Upgrade,
    /// Do not touch definitions.
    Skip,
}

/// Whether to ask before something is deleted that cannot be brought back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Guard {
    /// Ask.
    #[default]
    On,
    /// Delete it, as Helm does.
    Off,
}

/// What to do with an object that cannot be changed as the chart asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Replace {
    /// The upgrade fails, as Helm's does.
    #[default]
    Never,
    /// Delete it and create it anew. Pods run on where the new object selects them.
    WhenImmutable,
}

/// What becomes of what templates make by chance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Randomness {
    /// Each call gives what it gave at first, for the life of the release; a certificate is renewed
    /// by the first upgrade after two thirds of its time.
    #[default]
    Stable,
    /// Every upgrade makes all of it anew, as Helm's do.
    Helm,
}

/// Whether the chart's tests are run, and what follows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Test {
    /// Run the tests after each install and upgrade. The release is Ready once they succeeded.
    #[serde(default)]
    pub enabled: bool,
    /// Be Ready though a test failed. A failed test is never a reason to roll back.
    #[serde(default)]
    pub ignore_failures: bool,
}

/// What to do with the release when its HelmRelease is deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deletion {
    /// Uninstall the release, or leave it and its record to Helm.
    #[serde(default)]
    pub policy: DeletionPolicy,
    /// Ask before an uninstall, too; never where the whole namespace is being deleted.
    #[serde(default)]
    pub guard: bool,
    /// Keep the uninstalled release's record, as `helm uninstall --keep-history` does.
    #[serde(default)]
    pub keep_history: bool,
}

/// What to do with the release when its HelmRelease is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum DeletionPolicy {
    /// Delete its objects and its record.
    #[default]
    Uninstall,
    /// Leave everything in place.
    Orphan,
}

fn yes() -> bool {
    true
}

fn three() -> u32 {
    3
}

fn ten() -> u32 {
    10
}

fn five_minutes() -> GoDuration {
    GoDuration::from_secs(300)
}

fn ten_minutes() -> GoDuration {
    GoDuration::from_secs(600)
}

fn trusted_root_json() -> String {
    "trusted_root.json".to_owned()
}

fn values_yaml() -> String {
    "values.yaml".to_owned()
}

/// Values are a table of anything.
fn values_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}
