//! What is printed of a rendered chart, in which order, and where to.

use std::fs;
use std::io::Write;
use std::path::Path;

use pintle::manifest::HookEvent;
use pintle::render::Rendered;

use super::select;
use super::{Failed, TemplateArguments};

/// The manifest, then the hooks; to standard output or into files.
/// helm: pkg/cmd/template.go
pub(super) fn print(
    arguments: &TemplateArguments,
    release: &str,
    rendered: &Rendered,
) -> Result<(), Failed> {
    if let Some(folder) = &arguments.output_dir {
        return write_files(arguments, folder, release, rendered);
    }
    let mut text = format!("{}\n", rendered.manifest.trim());
    for (path, manifest) in hooks(arguments, rendered) {
        text.push_str(&format!("---\n# Source: {path}\n{manifest}\n"));
    }
    if !arguments.show_only.is_empty() {
        text = select::show_only(&text, &arguments.show_only)?;
    }
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| Failed::of(&error)),
    }
}

fn hooks<'r>(
    arguments: &TemplateArguments,
    rendered: &'r Rendered,
) -> impl Iterator<Item = (&'r str, &'r str)> {
    let (none, no_tests) = (arguments.no_hooks, arguments.skip_tests);
    let shown = rendered
        .hooks
        .iter()
        .filter(move |hook| !none && (!no_tests || !hook.runs_at(HookEvent::Test)));
    shown.map(|hook| (hook.path.as_str(), hook.manifest.as_str()))
}

/// One file for each template, below the folder, and below the release's name if that is asked
/// for; but not those of `crds/`. helm: pkg/action/action.go renderResources
fn write_files(
    arguments: &TemplateArguments,
    folder: &Path,
    release: &str,
    rendered: &Rendered,
) -> Result<(), Failed> {
    let below = if arguments.release_name {
        folder.join(release)
    } else {
        folder.to_owned()
    };
    let crds: Vec<String> = rendered
        .chart
        .crds()
        .into_iter()
        .map(|crd| crd.path)
        .collect();
    let mut written: Vec<&str> = Vec::new();
    for (path, content) in rendered.manifests().chain(hooks(arguments, rendered)) {
        let is_crd = crds.iter().any(|crd| crd == path);
        let file = if is_crd { folder } else { &below }.join(path);
        let text = format!("---\n# Source: {path}\n{content}\n");
        append(&file, &text, written.contains(&path))
            .map_err(|error| Failed(format!("open {}: {error}", file.display())))?;
        written.push(path);
        println!("wrote {}", file.display());
    }
    // Helm prints its manifest all the same, which is empty then.
    println!();
    Ok(())
}

fn append(file: &Path, text: &str, again: bool) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = fs::OpenOptions::new();
    options
        .create(true)
        .write(true)
        .append(again)
        .truncate(!again);
    options.open(file)?.write_all(text.as_bytes())
}
