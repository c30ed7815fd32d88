//! Files of facility records on this machine: which ones, in which order, and cut into pieces.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::domain::problem::Problem;
use crate::domain::split::{Piece, Splitter};
use crate::domain::text::shown;

/// How the files of a folder end that hold records.
const ENDS: [&str; 3] = ["json", "ndjson", "jsonl"];

/// A file of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// `-` is the standard input.
    pub path: PathBuf,
    /// Its path below the folder that was named, or its file name: what a copy of it is called.
    pub name: PathBuf,
}

impl Source {
    /// The path for people.
    pub fn shown(&self) -> String {
        match self.is_stdin() {
            true => "the standard input".into(),
            false => shown(&self.path.to_string_lossy()).into_owned(),
        }
    }

    pub fn is_stdin(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    /// Cuts the file into pieces, a chunk at a time; the first `Err` of `each` ends it.
    pub fn pieces(&self, mut each: impl FnMut(Piece) -> io::Result<()>) -> io::Result<()> {
        let mut input: Box<dyn Read> = match self.is_stdin() {
            true => Box::new(io::stdin().lock()),
            false => Box::new(File::open(&self.path)?),
        };
        let mut splitter = Splitter::default();
        let mut chunk = vec![0; 64 << 10];
        let mut pieces = Vec::new();
        loop {
            let read = match input.read(&mut chunk) {
                Ok(read) => read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            if read == 0 {
                break;
            }
            splitter.push(&chunk[..read], &mut pieces);
            pieces.drain(..).try_for_each(&mut each)?;
        }
        splitter.finish(&mut pieces);
        pieces.drain(..).try_for_each(each)
    }
}

/// The files that the paths name: a file as it is, a folder with everything below it that ends in .json,
/// .ndjson or .jsonl, in the order people count (`…-2.json` before `…-10.json`).
pub fn sources(paths: &[PathBuf]) -> Result<Vec<Source>, Problem> {
    let mut sources = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            sources.push(Source { path: path.clone(), name: "stdin.ndjson".into() });
        } else if path.is_dir() {
            let before = sources.len();
            folder(path, path, &mut sources).map_err(|e| unreadable(path, &e))?;
            if sources.len() == before {
                return Err(Problem::new(format!("{} holds no records", shown(&path.to_string_lossy())))
                    .hint("Records are looked for in files that end in .json, .ndjson or .jsonl"));
            }
        } else {
            std::fs::metadata(path).map_err(|e| unreadable(path, &e))?;
            let name = path.file_name().map_or_else(|| path.clone(), PathBuf::from);
            sources.push(Source { path: path.clone(), name });
        }
    }
    Ok(sources)
}

fn folder(root: &Path, at: &Path, sources: &mut Vec<Source>) -> io::Result<()> {
    let mut entries = std::fs::read_dir(at)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_cached_key(|entry| natural(&entry.file_name().to_string_lossy()));
    for entry in entries {
        let path = entry.path();
        // A link to a folder could lead round in a circle; a link to a file is a file, and one that leads
        // nowhere is a file that cannot be read.
        if entry.file_type()?.is_dir() {
            folder(root, &path, sources)?;
        } else if path.extension().is_some_and(|end| ENDS.iter().any(|known| end == *known))
            && path.metadata().map_or(true, |what| what.is_file())
        {
            let name = path.strip_prefix(root).unwrap_or(&path).to_owned();
            sources.push(Source { path, name });
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    let path = shown(&path.to_string_lossy()).into_owned();
    Problem::new(format!("{path} cannot be read")).detail(error.to_string()).hint("Check the path")
}

/// A name in the order people count in: stretches of digits compare as numbers.
fn natural(name: &str) -> Vec<(u64, String)> {
    let mut parts: Vec<(u64, String)> = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (before, after) = rest.split_at(text);
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let (number, next) = after.split_at(digits);
        // The text before a number compares first, then the number.
        parts.push((0, before.to_owned()));
        parts.push((number.parse().unwrap_or(u64::MAX), number.to_owned()));
        rest = next;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_in_the_order_people_count() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        for name in ["f-10.json", "f-2.json", "sub/x.ndjson", "notes.txt", "f-1.json"] {
            std::fs::write(folder.path().join(name), "{}").unwrap();
        }
        let found = sources(&[folder.path().to_owned()]).unwrap();
        let names: Vec<String> = found.iter().map(|s| s.name.display().to_string()).collect();
        assert_eq!(names, ["f-1.json", "f-2.json", "f-10.json", "sub/x.ndjson"]);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_not_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        std::fs::write(folder.path().join("a.json"), "{}").unwrap();
        std::os::unix::fs::symlink("a.json", folder.path().join("b.json")).unwrap();
        std::os::unix::fs::symlink("nowhere.json", folder.path().join("c.json")).unwrap();
        std::os::unix::fs::symlink("sub", folder.path().join("d.json")).unwrap();
        let found = sources(&[folder.path().to_owned()]).unwrap();
        let names: Vec<String> = found.iter().map(|s| s.name.display().to_string()).collect();
        assert_eq!(names, ["a.json", "b.json", "c.json"]);
        assert!(found[2].pieces(|_| Ok(())).is_err());
    }

    #[test]
    fn what_is_not_there_is_named() {
        let problem = sources(&["/nowhere/at-all.json".into()]).unwrap_err();
        assert_eq!(problem.title, "/nowhere/at-all.json cannot be read");
        let empty = tempfile::tempdir().unwrap();
        assert!(sources(&[empty.path().to_owned()]).unwrap_err().title.ends_with("holds no records"));
    }
}
