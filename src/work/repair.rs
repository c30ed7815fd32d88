//! Repaired copies of files of records: canonical, one record a line, each id once. The originals are
//! never touched.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::source::Source;
use super::validate::Record;
use crate::domain::problem::Problem;
use crate::domain::record;
use crate::domain::text::shown;

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Good and in canonical form already.
    Kept,
    /// Something was wrong, or laid out or spelled another way, and no longer is.
    Repaired,
    /// Its id was there before.
    Dropped,
    /// What is wrong cannot be repaired without guessing.
    LeftOut,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Kept => "kept",
            Outcome::Repaired => "repaired",
            Outcome::Dropped => "dropped",
            Outcome::LeftOut => "left out",
        }
    }
}

/// Where the copies go.
pub struct Repairs {
    into: PathBuf,
}

/// The copy of one file, invisible until [`Copy::finish`].
pub struct Copy {
    path: PathBuf,
    part: PathBuf,
    file: BufWriter<File>,
    lines: usize,
}

impl Repairs {
    /// Makes the folder. Refuses one that holds a source, lies inside a source folder or would be given
    /// two copies of one name.
    pub fn new(into: &Path, roots: &[PathBuf], sources: &[Source]) -> Result<Repairs, Problem> {
        let shown_into = shown(&into.to_string_lossy()).into_owned();
        let failed = |e: io::Error| {
            Problem::new(format!("{shown_into} cannot be written to"))
                .detail(e.to_string())
                .hint("Name another folder with --into")
        };
        let refused = |why: String| {
            Problem::new(format!("{shown_into} cannot take the copies"))
                .detail(why)
                .hint("Originals are never touched: name another folder with --into")
        };
        // Asked before the folder is made, so that a refusal leaves nothing behind.
        let place = resolved(into).map_err(failed)?;
        for root in roots.iter().filter(|root| root.is_dir()) {
            let root = root.canonicalize().map_err(failed)?;
            if place.starts_with(&root) {
                return Err(refused(format!(
                    "it is, or is inside, the source {}",
                    shown(&root.to_string_lossy())
                )));
            }
        }
        let mut names = std::collections::HashMap::new();
        for source in sources.iter().filter(|source| !source.is_stdin()) {
            let original = source.path.canonicalize().map_err(failed)?;
            if original.parent() == Some(&place) || place.join(&source.name) == original {
                return Err(refused(format!("it holds the source {}", source.shown())));
            }
            if let Some(other) = names.insert(&source.name, source) {
                let why = format!("{} and {} would have one copy", other.shown(), source.shown());
                return Err(refused(why));
            }
        }
        fs::create_dir_all(into).map_err(failed)?;
        Ok(Repairs { into: into.to_owned() })
    }

    /// Starts the copy of a file.
    pub fn copy(&self, source: &Source) -> io::Result<Copy> {
        let path = self.into.join(&source.name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut part = path.clone().into_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        // A link of that name, left by somebody else, must not lead us to a file elsewhere.
        match fs::remove_file(&part) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let file = BufWriter::new(File::create_new(&part)?);
        Ok(Copy { path, part, file, lines: 0 })
    }
}

impl Copy {
    /// Writes the record in canonical form, if that leaves nothing wrong with it.
    pub fn take(&mut self, record: &Record) -> io::Result<Outcome> {
        let Ok(facility) = &record.examined.facility else { return Ok(Outcome::LeftOut) };
        if record.repeats.is_some() {
            return Ok(Outcome::Dropped);
        }
        let line = facility.to_line();
        if record::examine(line.as_bytes(), (1, 1)).all().next().is_some() {
            return Ok(Outcome::LeftOut);
        }
        self.file.write_all(line.as_bytes())?;
        self.file.write_all(b"\n")?;
        self.lines += 1;
        Ok(if record.is_good() && record.canonical { Outcome::Kept } else { Outcome::Repaired })
    }

    /// Puts the copy in its place; a copy without records is none, and an older one goes.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.flush()?;
        if self.lines > 0 {
            return fs::rename(&self.part, &self.path);
        }
        fs::remove_file(&self.part)?;
        match fs::remove_file(&self.path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }
}

/// The absolute path a folder has or will have, links resolved.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let mut missing = Vec::new();
    let mut at = path.as_path();
    loop {
        match at.canonicalize() {
            Ok(mut found) => {
                found.extend(missing.iter().rev());
                return Ok(found);
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let (Some(parent), Some(name)) = (at.parent(), at.file_name()) else { return Err(e) };
                missing.push(name.to_owned());
                at = parent;
            }
            Err(e) => return Err(e),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::source::sources;
    use crate::work::validate::Validator;

    /// Repairs a folder of these files; answers the outcomes and the copies by name.
    fn repaired(files: &[(&str, &str)]) -> (Vec<Outcome>, Vec<(String, String)>) {
        let folder = tempfile::tempdir().unwrap();
        let (from, into) = (folder.path().join("from"), folder.path().join("into/new"));
        fs::create_dir(&from).unwrap();
        files.iter().for_each(|(name, text)| fs::write(from.join(name), text).unwrap());
        let found = sources(std::slice::from_ref(&from)).unwrap();
        let repairs = Repairs::new(&into, std::slice::from_ref(&from), &found).unwrap();
        let (mut validator, mut outcomes) = (Validator::default(), Vec::new());
        for source in &found {
            let mut copy = repairs.copy(source).unwrap();
            let all = validator.file(source, |record| {
                outcomes.push(copy.take(&record)?);
                Ok(())
            });
            all.unwrap().unwrap();
            copy.finish().unwrap();
        }
        for (name, text) in files {
            assert_eq!(&fs::read_to_string(from.join(name)).unwrap(), text, "the original is as it was");
        }
        let mut copies: Vec<(String, String)> = fs::read_dir(&into)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|e| (e.file_name().into_string().unwrap(), fs::read_to_string(e.path()).unwrap()))
            .collect();
        copies.sort();
        (outcomes, copies)
    }

    #[test]
    fn what_can_be_repaired_without_guessing_is() {
        let canonical = |id: &str| {
            format!(
                r#"{{"facility_id":"{id}","facility_name":"N","employee_count":12,"services":["ICU"],"accreditations":[{{"name":"CAP","expiry_date":"2026-02-17"}}],"state":"TX"}}"#
            )
        };
        let pretty = "{\n \"facility_id\": \" A \", \"facility_name\": \"N\", \"employee_count\": \"12\",\n \"services\": [\"ICU\"], \"location\": {\"state\": \"TX\"},\n \"accreditations\": [{\"accreditation_body\": \"CAP\", \"valid_until\": \"2026-02-17T00:00:00Z\"}]\n}";
        let broken = canonical("D").replace("2026-02-17", "2026-02-30");
        let many =
            format!("{}\n{}\nnot json\n{}\n{broken}\n", canonical("A"), canonical("B"), canonical("C"));
        let (outcomes, copies) = repaired(&[("1.json", pretty), ("2.ndjson", &many), ("3.json", &broken)]);
        use Outcome::{Dropped, Kept, LeftOut, Repaired};
        assert_eq!(outcomes, [Repaired, Dropped, Kept, LeftOut, Kept, LeftOut, Dropped]);
        let one =
            canonical("A").replace("\"state\":\"TX\"", "\"state\":\"TX\",\"location\":{\"state\":\"TX\"}");
        let expected = [
            ("1.json".to_owned(), one + "\n"),
            ("2.ndjson".to_owned(), format!("{}\n{}\n", canonical("B"), canonical("C"))),
        ];
        assert_eq!(copies, expected);
    }

    #[test]
    fn the_source_is_refused_as_the_place_of_the_copies() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from");
        fs::create_dir(&from).unwrap();
        let file = from.join("a.json");
        fs::write(&file, "{}").unwrap();
        for (roots, into) in [
            (vec![from.clone()], from.clone()),
            (vec![from.clone()], from.join("deeper/new")),
            (vec![from.clone()], from.join("../from")),
            (vec![file.clone()], from.clone()),
        ] {
            let found = sources(&roots).unwrap();
            let refused = Repairs::new(&into, &roots, &found).err().unwrap();
            assert!(refused.title.contains("cannot take the copies"), "{refused}");
        }
        assert_eq!(fs::read_dir(&from).unwrap().count(), 1, "nothing was made");
    }
}
