//! What can be wrong with a chart or its values, in Helm's words.

use crate::yaml;

use super::decode;

/// Why a chart was refused. The text and the texts of its sources, joined by `": "`, are Helm's.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are no gzip stream.
    #[error("stream does not appear to be a valid chart file (details: gzip: invalid header)")]
    NoGzip,
    /// The archive is broken or not allowed.
    #[error("unable to load chart archive")]
    Archive(#[source] ArchiveError),
    /// The archive found under a file name is broken; Helm does not say why.
    #[error("unable to load chart archive")]
    ArchiveFile,
    /// The file is not even gzip.
    #[error("{0}")]
    NotAnArchive(String),
    /// The archive has no `Chart.yaml`.
    #[error("unable to detect chart version, no Chart.yaml found")]
    Undetected,
    /// `Chart.yaml` asks for an API version that Helm does not know.
    #[error("unsupported chart version")]
    UnsupportedVersion,
    /// The files hold no `Chart.yaml`.
    #[error("Chart.yaml file is missing")]
    MissingMetadata,
    /// A file of the chart does not parse.
    #[error("cannot load {file}")]
    File {
        /// The file's name.
        file: &'static str,
        /// What is wrong with it.
        #[source]
        source: DataError,
    },
    /// `Chart.yaml` breaks a rule.
    #[error("validation: {0}")]
    Invalid(String),
    /// A file in `charts/` is not where an archive belongs.
    #[error("error unpacking subchart tar in {chart}: expected {expected}, got {found}")]
    SubchartName {
        /// The chart that has the dependency.
        chart: String,
        /// The archive's name.
        expected: String,
        /// The file's path.
        found: String,
    },
    /// A dependency in `charts/` does not load.
    #[error("error unpacking subchart {subchart} in {chart}")]
    Subchart {
        /// The folder or archive in `charts/`.
        subchart: String,
        /// The chart that has the dependency.
        chart: String,
        /// Why it does not load.
        #[source]
        source: Box<Error>,
    },
    /// A packaged dependency is no archive that can be read.
    #[error(transparent)]
    SubchartArchive(ArchiveError),
    /// Charts within charts, deeper than any real one.
    #[error("charts are nested deeper than {0} levels")]
    Depth(usize),
    /// More charts within a chart than any real one has.
    #[error("chart comes to more than {0} charts with its dependencies")]
    Breadth(usize),
    /// Values that hold one another, or that come to more than any real ones.
    #[error("values are nested too deeply")]
    ValuesDepth,
    /// A value that should be the table of a dependency is none.
    #[error("type mismatch on {chart}: {value}")]
    TypeMismatch {
        /// The dependency.
        chart: String,
        /// What stands there, in Go's words.
        value: String,
    },
    /// A document of values does not parse.
    #[error("{context}")]
    Document {
        /// What was read.
        context: &'static str,
        /// What is wrong with it.
        #[source]
        source: DataError,
    },
    /// A schema refuses the values.
    #[error(
        "values don't meet the specifications of the schema(s) in the following chart(s):\n{0}"
    )]
    Schema(String),
    /// Only applications can be installed.
    #[error("{0} charts are not installable")]
    NotInstallable(String),
    /// Dependencies that `Chart.yaml` names are not there.
    #[error(
        "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: {0}"
    )]
    Dependencies(String),
    /// The chart's API version is known, but nothing can be made of it.
    #[error("invalid chart apiVersion")]
    ApiVersion,
    /// The chart is not made for this cluster.
    #[error(
        "chart requires kubeVersion: {constraint} which is incompatible with Kubernetes {cluster}"
    )]
    KubeVersion {
        /// What the chart asks for.
        constraint: String,
        /// What the cluster is.
        cluster: String,
    },
    /// A rule of `.helmignore` cannot be read.
    #[error(transparent)]
    Ignore(#[from] super::ignore::Error),
}

/// What is wrong with the text of a file.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// It is no YAML.
    #[error(transparent)]
    Yaml(#[from] yaml::Error),
    /// It is YAML, but not of the shape that is wanted.
    #[error(transparent)]
    Shape(#[from] decode::Mismatch),
    /// Tables and lists within one another, deeper than any real values.
    #[error("values are nested deeper than {0} levels")]
    Depth(usize),
    /// A document of several is wrong.
    #[error("{context}")]
    Document {
        /// What was done with it.
        context: &'static str,
        /// What is wrong with it.
        #[source]
        source: Box<DataError>,
    },
}

/// What is wrong with an archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// No gzip stream.
    #[error("gzip: invalid header")]
    Gzip,
    /// The compressed stream ends early or is damaged.
    #[error("{0}")]
    Stream(String),
    /// No tar archive.
    #[error("archive/tar: invalid tar header")]
    Header,
    /// A path that begins at the root.
    #[error("chart illegally contains absolute paths")]
    Absolute,
    /// A file that is in no folder.
    #[error("chart illegally contains content outside the base directory: {0}")]
    Outside(String),
    /// A path that leaves the chart.
    #[error("chart illegally references parent directory")]
    Parent,
    /// A path with a drive letter.
    #[error("chart contains illegally named files")]
    Drive,
    /// `Chart.yaml` is in no folder.
    #[error("chart yaml not in base directory")]
    Base,
    /// More bytes than a chart may have.
    #[error(
        "decompressed chart is larger than the maximum size {}",
        super::MAX_CHART_SIZE
    )]
    Size,
    /// More entries than a chart may have.
    #[error("chart archive has more than {0} entries")]
    Entries(usize),
    /// A sparse file, which no chart has.
    #[error("chart archive holds a sparse file: {0}")]
    Sparse(String),
    /// A link, which Helm takes for an empty file, wherever it leads.
    #[error("chart archive holds a link: {0}")]
    Link(String),
    /// Two files that say which chart it is.
    #[error("chart archive holds {0} twice")]
    Twice(String),
    /// Nothing in it.
    #[error("no files in chart archive")]
    Empty,
}
