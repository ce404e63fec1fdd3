//! A chart's folder in a commit: which files it takes, and what Helm would see of them on a disk.
//!
//! In: objects, and a [`Checkout`]. Out: the ids of the files below the folder, and, once their bytes
//! are there, the files in the order in which Helm walks a folder. Never: a file out of the folder,
//! be it by a link; a part of another repository; more entries or bytes than a chart may have.

use std::collections::HashSet;
use std::sync::Arc;

use gix_hash::ObjectId;
use gix_object::tree::EntryKind;
use gix_object::{CommitRefIter, Kind, TreeRefIter};

use super::checkout::Checkout;
use super::pack::{Fault, Objects};
use crate::chart::ignore::Rules;
use crate::chart::{File, MAX_CHART_SIZE};

/// Files and folders that a chart may have.
const MAX_ENTRIES: usize = 100_000;
/// Folders in folders.
const MAX_DEPTH: usize = 200;
/// Links that may stand in one path.
// go: path/filepath EvalSymlinks
const MAX_LINKS: usize = 255;

/// Why there are no files.
#[derive(Debug, PartialEq, Eq)]
pub enum Problem {
    /// The commit has no such folder.
    Missing,
    /// What the server sent is not what it should be.
    Objects(String),
    /// What is in the folder cannot be a chart.
    Chart(String),
}

fn broken(reason: impl ToString) -> Problem {
    Problem::Objects(reason.to_string())
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Broken(reason) => Self::Objects(reason),
            Fault::Bound(reason) => Self::Chart(reason),
        }
    }
}

/// The chart's folder.
#[derive(Debug)]
pub struct Folder {
    tree: ObjectId,
    /// When the commit was made, in seconds since 1970.
    pub time: u64,
}

/// What stands under a name.
struct Entry {
    /// As it can be shown.
    name: String,
    /// Whether that is its name, and one that an archive can hold.
    plain: bool,
    kind: EntryKind,
    id: ObjectId,
}

impl Folder {
    /// Finds the folder.
    pub fn find(objects: &mut Objects, checkout: &Checkout) -> Result<Self, Problem> {
        if let Some(kind) = objects.kind_of(&checkout.commit)
            && kind != Kind::Commit
        {
            return Err(chart(format!(
                "the id is that of a {kind}, and not of a commit"
            )));
        }
        let commit = objects.get(&checkout.commit, Kind::Commit)?;
        let mut fields = CommitRefIter::from_bytes(&commit, objects.kind());
        let mut tree = fields.tree_id().map_err(broken)?;
        let time = fields.committer().and_then(|committer| committer.time());
        // Some old commits have none that can be read.
        let time = time.map_or(0, |time| u64::try_from(time.seconds).unwrap_or(0));
        for part in checkout.path.split('/').filter(|part| !part.is_empty()) {
            let entries = entries(objects, &tree)?;
            let found = entries
                .into_iter()
                .find(|entry| entry.plain && entry.name == part);
            let found = found.ok_or(Problem::Missing)?;
            let what = match found.kind {
                EntryKind::Tree => {
                    tree = found.id;
                    continue;
                }
                EntryKind::Commit => "a submodule, which is another repository",
                EntryKind::Link => "a symbolic link",
                EntryKind::Blob | EntryKind::BlobExecutable => "a file",
            };
            let path = &checkout.path;
            let reason = format!("{part:?} in the path {path:?} is no folder but {what}");
            return Err(Problem::Chart(reason));
        }
        Ok(Self { tree, time })
    }

    /// The files below it whose bytes are not there.
    pub fn missing(&self, objects: &mut Objects) -> Result<Vec<ObjectId>, Problem> {
        let (mut missing, mut known) = (Vec::new(), HashSet::new());
        let mut trees = vec![self.tree];
        let mut count = 0;
        while let Some(tree) = trees.pop() {
            for entry in entries(objects, &tree)? {
                count += 1;
                check_count(count)?;
                match entry.kind {
                    EntryKind::Tree if known.insert(entry.id) => trees.push(entry.id),
                    EntryKind::Tree | EntryKind::Commit => {}
                    EntryKind::Blob | EntryKind::BlobExecutable | EntryKind::Link => {
                        if objects.kind_of(&entry.id).is_none() && known.insert(entry.id) {
                            missing.push(entry.id);
                        }
                    }
                }
            }
        }
        Ok(missing)
    }

    /// The files, as Helm would read them from a disk.
    // helm: pkg/chart/v2/loader LoadDir
    pub fn files(&self, objects: &mut Objects) -> Result<Vec<File>, Problem> {
        let mut walk = Walk {
            objects,
            rules: Rules::default(),
            files: Vec::new(),
            remaining: MAX_CHART_SIZE,
            count: 0,
        };
        let top = vec![self.tree];
        let ignore = walk.follow(&top, ".helmignore", &mut 0);
        let text = match ignore {
            Ok(Node::File(id)) => walk.objects.get(&id, Kind::Blob)?,
            Ok(Node::Submodule | Node::Folder(_)) => return Err(chart(".helmignore is no file")),
            // helm: a link that leads nowhere is no .helmignore
            Err(Problem::Missing) => Vec::new(),
            Err(problem) => return Err(problem),
        };
        let rules = Rules::parse(&text).map_err(|error| chart(format!(".helmignore: {error}")));
        walk.rules = rules?;
        walk.folder(&top, "", 0)?;
        Ok(walk.files)
    }
}

fn chart(reason: impl Into<String>) -> Problem {
    Problem::Chart(reason.into())
}

fn check_count(count: usize) -> Result<(), Problem> {
    match count > MAX_ENTRIES {
        true => Err(chart(format!(
            "the folder holds more than {MAX_ENTRIES} entries"
        ))),
        false => Ok(()),
    }
}

/// What a folder holds, in the order of the names.
fn entries(objects: &mut Objects, tree: &ObjectId) -> Result<Vec<Entry>, Problem> {
    let bytes = objects.get(tree, Kind::Tree)?;
    let mut found = Vec::new();
    for entry in TreeRefIter::from_bytes(&bytes, objects.kind()) {
        let entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(entry.filename).into_owned();
        // git: read-cache.c verify_path; and what would be another path in an archive
        let plain = name.as_bytes() == &**entry.filename
            && !matches!(&*name, "" | "." | "..")
            && !name.contains(['/', '\\']);
        found.push(Entry {
            name,
            plain,
            kind: entry.mode.kind(),
            id: entry.oid.to_owned(),
        });
    }
    found.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let same = |pair: &[Entry]| pair[0].plain && pair[1].plain && pair[0].name == pair[1].name;
    if found.windows(2).any(same) {
        return Err(broken(format!(
            "two entries of the tree {tree} have one name"
        )));
    }
    Ok(found)
}

/// Where a path leads.
enum Node {
    /// The folders from the chart's own to this one.
    Folder(Vec<ObjectId>),
    File(ObjectId),
    Submodule,
}

struct Walk<'a> {
    objects: &'a mut Objects,
    rules: Rules,
    files: Vec<File>,
    remaining: u64,
    count: usize,
}

impl Walk<'_> {
    /// Adds the files of the folder at the end of `folders`, which are named below `prefix`.
    fn folder(&mut self, folders: &[ObjectId], prefix: &str, links: usize) -> Result<(), Problem> {
        let Some(tree) = folders.last() else {
            return Ok(());
        };
        if folders.len() > MAX_DEPTH || prefix.matches('/').count() > MAX_DEPTH {
            return Err(chart(format!(
                "more than {MAX_DEPTH} folders stand in each other"
            )));
        }
        for entry in entries(self.objects, tree)? {
            self.count += 1;
            check_count(self.count)?;
            let name = format!("{prefix}{}", entry.name);
            let (node, links) = match entry.kind {
                EntryKind::Link => {
                    let mut links = links;
                    let node = self.follow(folders, &entry.name, &mut links);
                    let node = node.map_err(|problem| match problem {
                        Problem::Missing => chart(format!("the link {name} leads nowhere")),
                        Problem::Chart(reason) => chart(format!("the link {name}: {reason}")),
                        problem => problem,
                    })?;
                    (node, links)
                }
                EntryKind::Tree => (Node::Folder([folders, &[entry.id]].concat()), links),
                EntryKind::Commit => (Node::Submodule, links),
                EntryKind::Blob | EntryKind::BlobExecutable => (Node::File(entry.id), links),
            };
            // helm: internal/sympath Walk: a link is followed before it is looked up in .helmignore
            if self.rules.ignores(&name, !matches!(node, Node::File(_))) {
                continue;
            }
            if !entry.plain {
                return Err(chart(format!("the name {name:?} cannot stand in a chart")));
            }
            match node {
                Node::Folder(folders) => self.folder(&folders, &format!("{name}/"), links)?,
                Node::File(id) => self.file(name, &id)?,
                Node::Submodule => {
                    let reason = "is a submodule: what another repository holds is not fetched";
                    return Err(chart(format!("{name} {reason}")));
                }
            }
        }
        Ok(())
    }

    // helm: pkg/chart/loader/archive BudgetedReader
    fn file(&mut self, name: String, id: &ObjectId) -> Result<(), Problem> {
        let data = self.objects.get(id, Kind::Blob)?;
        let left = self.remaining.checked_sub(data.len() as u64);
        self.remaining = left.ok_or_else(|| {
            chart(format!(
                "its files hold more than the {MAX_CHART_SIZE} bytes of a chart"
            ))
        })?;
        self.files.push(File {
            name,
            data: Arc::from(data),
            modified: None,
        });
        Ok(())
    }

    /// Where a path below the folder at the end of `folders` leads, through links.
    fn follow(
        &mut self,
        folders: &[ObjectId],
        path: &str,
        links: &mut usize,
    ) -> Result<Node, Problem> {
        let outside = || chart("it leads out of the chart's folder");
        if path.starts_with('/') {
            return Err(outside());
        }
        let mut at = Node::Folder(folders.to_vec());
        for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
            let Node::Folder(mut folders) = at else {
                return Err(Problem::Missing);
            };
            if part == ".." {
                folders.pop();
                if folders.is_empty() {
                    return Err(outside());
                }
                at = Node::Folder(folders);
                continue;
            }
            let Some(tree) = folders.last() else {
                return Err(outside());
            };
            let found = entries(self.objects, tree)?;
            let found = found
                .into_iter()
                .find(|entry| entry.plain && entry.name == part);
            let found = found.ok_or(Problem::Missing)?;
            at = match found.kind {
                EntryKind::Tree => {
                    folders.push(found.id);
                    Node::Folder(folders)
                }
                EntryKind::Blob | EntryKind::BlobExecutable => Node::File(found.id),
                EntryKind::Commit => Node::Submodule,
                EntryKind::Link => {
                    *links += 1;
                    if *links > MAX_LINKS {
                        return Err(chart("it leads through too many links"));
                    }
                    let target = self.objects.get(&found.id, Kind::Blob)?;
                    let target = String::from_utf8(target).map_err(|_| Problem::Missing)?;
                    self.follow(&folders, &target, links)?
                }
            };
        }
        Ok(at)
    }
}
