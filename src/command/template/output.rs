//! What is printed of a rendered chart, in which order, and where to.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use pintle::manifest::HookEvent;
use pintle::render::Rendered;

use super::arguments::Options;
use super::settings::{Settings, clean};
use super::{Failed, select, without_debug};
use crate::command::files::{PathError, make_folders};
use crate::command::flags::Flags;

/// What `--help` prints.
// cobra: command.go defaultHelpFunc, defaultUsageFunc
pub(super) fn help(flags: &Flags<Options>) -> Result<(), Failed> {
    let mut defaults = Options::new(Settings::from_environment());
    let (own, inherited) = (
        flags.listing(false, &mut defaults),
        flags.listing(true, &mut defaults),
    );
    write([&format!(
        "Renders a chart and prints the manifests, as helm template does.\n\n\
         Usage:\n  pintle template [NAME] [CHART] [flags]\n\n\
         Flags:\n{own}\nGlobal Flags:\n{inherited}"
    )])
}

/// The manifest, then the hooks; to standard output or into files.
/// helm: pkg/cmd/template.go
pub(super) fn print(options: &Options, release: &str, rendered: &Rendered) -> Result<(), Failed> {
    let (manifest, hooks): (&str, String) = if options.output_dir.is_empty() {
        let hooks = hooks(options, rendered);
        let hooks = hooks.map(|(path, hook)| format!("---\n# Source: {path}\n{hook}\n"));
        (rendered.manifest.trim(), hooks.collect())
    } else {
        write_files(options, release, rendered)?;
        // Helm prints its manifest all the same, which is empty then.
        ("", String::new())
    };
    if options.show_only.is_empty() {
        // The manifest of a large chart is large: it is not copied once more.
        return write([manifest, "\n", &hooks]);
    }
    let text = format!("{manifest}\n{hooks}");
    write([&select::show_only(&text, &options.show_only)?])
}

/// What was rendered before an error, which `--debug` shows; the error is what is left to say.
// helm: pkg/cmd/template.go
pub(super) fn print_broken(options: &Options, partial: &str, error: Failed) -> Failed {
    let mut text = format!("{}\n", partial.trim());
    if !options.show_only.is_empty() {
        match select::show_only(&text, &options.show_only) {
            Ok(shown) => text = shown,
            // The manifest is thought to be too broken for its parts to be found.
            Err(_) => return error,
        }
    }
    // The error is what matters, so one of printing is not.
    let _ = write([&text]);
    error
}

fn write<const PARTS: usize>(parts: [&str; PARTS]) -> Result<(), Failed> {
    let mut out = std::io::stdout().lock();
    let mut parts = parts.into_iter();
    let written = parts.try_for_each(|part| out.write_all(part.as_bytes()));
    match written.and_then(|()| out.flush()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| Failed::of(&error)),
    }
}

fn hooks<'r>(
    options: &Options,
    rendered: &'r Rendered,
) -> impl Iterator<Item = (&'r str, &'r str)> {
    let (none, no_tests) = (options.no_hooks, options.skip_tests);
    let shown = rendered
        .hooks
        .iter()
        .filter(move |hook| !none && (!no_tests || !hook.runs_at(HookEvent::Test)));
    shown.map(|hook| (hook.path.as_str(), hook.manifest.as_str()))
}

/// One file for each template, below the folder, and below the release's name if that is asked
/// for; but not those of `crds/`.
// helm: pkg/action/action.go renderResources, pkg/cmd/template.go
fn write_files(options: &Options, release: &str, rendered: &Rendered) -> Result<(), Failed> {
    let folder = &options.output_dir;
    let below = if options.release_name {
        let joined = Path::new(folder).join(release);
        joined.to_string_lossy().into_owned()
    } else {
        folder.clone()
    };
    let crds: Vec<String> = rendered
        .chart
        .crds()
        .into_iter()
        .map(|crd| crd.path)
        .collect();
    let mut written: Vec<&str> = Vec::new();
    for (path, content) in rendered.manifests() {
        let is_crd = crds.iter().any(|crd| crd == path);
        let folder = if is_crd { folder } else { &below };
        let again = written.contains(&path);
        write_file(folder, path, content, again).map_err(|Failed(words)| {
            if options.settings.debug {
                Failed(words)
            } else {
                without_debug(&words)
            }
        })?;
        written.push(path);
    }
    for (path, content) in hooks(options, rendered) {
        let again = Path::new(&below).join(path).exists();
        write_file(&below, path, content, again)?;
    }
    Ok(())
}

// helm: pkg/cmd/template.go writeToFile
fn write_file(folder: &str, path: &str, content: &str, again: bool) -> Result<(), Failed> {
    let name = format!("{folder}/{path}");
    let failed = |action, path: &Path, error| {
        let path = path.to_string_lossy().into_owned();
        Failed::of(&PathError {
            action,
            path,
            error,
        })
    };
    let file = Path::new(&name);
    if let Some(parent) = file.parent() {
        // Go makes the folders of the path without its dots, and opens the path with them.
        let parent = &clean(parent);
        match fs::metadata(parent) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(failed("stat", parent, error));
            }
            _ => make_folders(parent).map_err(|error| Failed::of(&error))?,
        }
    }
    let mut options = fs::OpenOptions::new();
    if again {
        options.append(true);
    } else {
        options.create(true).write(true).truncate(true);
    }
    let text = format!("---\n# Source: {path}\n{content}\n");
    let mut open = options
        .open(file)
        .map_err(|error| failed("open", file, error))?;
    open.write_all(text.as_bytes())
        .map_err(|error| failed("write", file, error))?;
    write([&format!("wrote {name}\n")])
}
