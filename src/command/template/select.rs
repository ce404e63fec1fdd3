//! `--show-only`: the documents that some templates rendered.

use pintle::manifest::split;

use super::Failed;

/// The documents under a `# Source:` that one of the patterns names, pattern by pattern.
/// helm: pkg/cmd/template.go
pub(super) fn show_only(text: &str, patterns: &[String]) -> Result<String, Failed> {
    let documents: Vec<(&str, &str)> = split(text)
        .into_iter()
        .filter_map(|document| Some((template(document)?, document)))
        .collect();
    let mut shown = String::new();
    for pattern in patterns {
        let before = shown.len();
        for (template, document) in &documents {
            if matches(pattern, template) {
                shown.push_str(&format!("---\n{document}\n"));
            }
        }
        if shown.len() == before {
            return Err(Failed(format!(
                "could not find template {pattern} in chart"
            )));
        }
    }
    Ok(shown)
}

/// The template below the chart, in the first line of the document that names one: Helm's regular
/// expression `# Source: [^/]+/(.+)`.
fn template(document: &str) -> Option<&str> {
    document.lines().find_map(|line| {
        let (_, source) = line.split_once("# Source: ")?;
        let (chart, template) = source.split_once('/')?;
        (!chart.is_empty() && !template.is_empty()).then_some(template)
    })
}

/// Go's `filepath.Match`; a pattern that is none matches nothing.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    pintle::chart::ignore::matches(&pattern, &name).unwrap_or(false)
}
