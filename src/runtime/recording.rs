//! An opt-in record of everything that reached the console, one JSON line a fact, for finding out later
//! what happened. Large answers are told by kind and size; pasted text by length only, since a person may
//! paste a secret.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use chrono::Utc;

use crate::domain::problem::Problem;
use crate::ui::msg::Msg;

/// Characters of a fact that are kept.
const MOST: usize = 400;

/// The open file, or nothing.
pub(crate) struct Recording(Option<BufWriter<File>>);

impl Recording {
    /// Opens a new file; one that exists is not overwritten.
    pub(crate) fn open(path: Option<&Path>) -> Result<Recording, Problem> {
        let Some(path) = path else { return Ok(Recording(None)) };
        let file = File::options().write(true).create_new(true).open(path).map_err(|error| {
            Problem::new(format!("The recording {} could not be created", path.display()))
                .detail(error.to_string())
                .hint("Choose a file that does not exist yet")
        })?;
        Ok(Recording(Some(BufWriter::new(file))))
    }

    /// Writes a fact down. A disk that is full ends the recording, not the console.
    pub(crate) fn write(&mut self, msg: &Msg) {
        let Some(file) = &mut self.0 else { return };
        let text = match msg {
            Msg::Pasted(text) => format!("Pasted({} characters)", text.chars().count()),
            Msg::Ticked(_) => return,
            other => format!("{other:?}"),
        };
        let kept: String = text.chars().take(MOST).collect();
        let line = serde_json::json!({ "at": Utc::now(), "fact": kept, "length": text.len() });
        if writeln!(file, "{line}").and_then(|()| file.flush()).is_err() {
            self.0 = None;
        }
    }
}
