//! `ward data`: from a survey to records in the bucket.

use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::consent::Consent;
use super::context::Context;
use super::exit::Exit;
use super::output::Output;
use super::{upload, validate};
use crate::domain::formats::json as json_text;
use crate::domain::problem::Problem;
use crate::domain::text::shown;
use crate::domain::units;
use crate::work::{generate, import};

/// Make, check and upload facility records
#[derive(Args, Debug)]
pub struct Data {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Print a made-up survey file: the same bytes for the same count, seed and --as-of
    Generate {
        /// How many rows
        #[arg(long, default_value_t = 250)]
        count: u64,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Write it to this file instead
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Make a facility record of every row of a survey file; one JSON line each
    ///
    /// Staff, services and accreditations, which a survey does not hold, are made up from --seed and
    /// --as-of, and the record says so. Exit status 1 if a row could not be imported.
    Import {
        /// The survey file, or - for standard input
        csv: PathBuf,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Write one file a facility into this folder instead
        #[arg(long, value_name = "FOLDER")]
        into: Option<PathBuf>,
    },
    /// Name everything that is wrong with records, each with its place
    ///
    /// Reads files and folders of JSON: one record, one a line, or an array. Exit status 1 if anything is
    /// bad; with --fix, if something was left out of the copies.
    Validate {
        /// Files, folders, or - for standard input
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Write repaired copies: canonical fields, one record a line, each id once
        #[arg(long, requires = "into")]
        fix: bool,
        /// Where the copies go; never where the originals are
        #[arg(long, value_name = "FOLDER", requires = "fix")]
        into: Option<PathBuf>,
    },
    /// Put records into the bucket, one object each, in canonical form; unchanged ones are skipped
    Upload {
        /// Files and folders
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Upload the good records although others are bad
        #[arg(long)]
        skip_bad: bool,
        #[command(flatten)]
        consent: Consent,
    },
}

impl Data {
    pub async fn run(self, cx: &Context, out: &mut Output) -> Result<Exit, Problem> {
        match self.verb {
            Verb::Generate { count, seed, to } => generate(cx, out, count, seed, to.as_deref()),
            Verb::Import { csv, seed, into } => import(cx, out, &csv, seed, into.as_deref()),
            Verb::Validate { paths, fix: _, into } => validate::run(out, &paths, into.as_deref()),
            Verb::Upload { paths, skip_bad, consent } => {
                upload::run(cx, out, &paths, skip_bad, consent).await
            }
        }
    }
}

/// Bytes to stdout, as a writer.
struct Stdout<'a>(&'a mut Output);

impl Write for Stdout<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.closed() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.0.bytes(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that could not be written.
pub(super) fn unwritten(path: &Path, error: &io::Error) -> Problem {
    Problem::new(format!("{} could not be written", shown(&path.to_string_lossy())))
        .detail(error.to_string())
        .hint("Check the path, its permissions and the space on the disk")
}

fn generate(
    cx: &Context,
    out: &mut Output,
    count: u64,
    seed: u64,
    to: Option<&Path>,
) -> Result<Exit, Problem> {
    let Some(path) = to else {
        // Whether stdout took it is known, and told, by `out`.
        let _ = generate::survey(count, seed, cx.as_of, BufWriter::with_capacity(64 << 10, Stdout(out)));
        return Ok(Exit::Done);
    };
    let written = std::fs::File::create(path)
        .and_then(|file| generate::survey(count, seed, cx.as_of, BufWriter::new(file)));
    written.map_err(|e| unwritten(path, &e))?;
    let rows = if count == 1 { "row" } else { "rows" };
    out.say(&format!("{count} {rows} in {}", path.display()));
    Ok(Exit::Done)
}

fn import(
    cx: &Context,
    out: &mut Output,
    csv: &Path,
    seed: u64,
    into: Option<&Path>,
) -> Result<Exit, Problem> {
    let name = if csv.as_os_str() == "-" { "the standard input".into() } else { csv.to_string_lossy() };
    let unread = |detail: String| {
        Problem::new(format!("{} is not a survey file", shown(&name)))
            .detail(detail)
            .hint("`ward data generate --count 3` prints one")
    };
    let input: Box<dyn Read> = match csv.as_os_str() == "-" {
        true => Box::new(io::stdin().lock()),
        false => Box::new(std::fs::File::open(csv).map_err(|e| {
            Problem::new(format!("{} cannot be read", shown(&name)))
                .detail(e.to_string())
                .hint("Check the path")
        })?),
    };
    let rows = match import::facilities(input, seed, cx.as_of) {
        Ok(rows) => rows,
        Err(error) => {
            out.problem(&unread(error.to_string()));
            return Ok(Exit::No);
        }
    };
    if let Some(folder) = into {
        std::fs::create_dir_all(folder).map_err(|e| unwritten(folder, &e))?;
    }
    let (mut good, mut bad) = (0, 0);
    for row in rows {
        match (row, into) {
            (Err(error), _) => {
                bad += 1;
                out.say(&format!("{name}, {error}"));
            }
            (Ok((row, facility)), Some(folder)) => {
                let path = folder.join(import::file_name(row));
                std::fs::write(&path, facility.to_line() + "\n").map_err(|e| unwritten(&path, &e))?;
                good += 1;
            }
            (Ok((_, facility)), None) => {
                out.bytes((json_text::line(&facility.to_value()) + "\n").as_bytes());
                good += 1;
            }
        }
        if out.closed() {
            return Ok(Exit::Done);
        }
    }
    let to = into.map_or(String::new(), |folder| format!(" in {}", folder.display()));
    let facilities = units::count(good, "facility", "facilities");
    out.say(&match bad {
        0 => format!("{facilities}{to}"),
        bad => format!("{facilities}{to}; {} could not be imported", units::count(bad, "row", "rows")),
    });
    Ok(if bad == 0 { Exit::Done } else { Exit::No })
}
