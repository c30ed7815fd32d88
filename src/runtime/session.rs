//! What is there again at the next start: the place, the filter and the order of the lists.

use std::path::Path;

use crate::domain::problem::Problem;
use crate::ui::model::Model;
use crate::ui::session::Session;

/// Reads the state file; anything wrong with it means a fresh start.
pub(crate) fn load(path: Option<&Path>) -> Session {
    let text = path.and_then(|path| std::fs::read_to_string(path).ok());
    text.map(|text| Session::parse(&text)).unwrap_or_default()
}

/// Writes the state file, silently: a full disk must not get in the way of leaving.
pub(crate) fn save(path: Option<&Path>, model: &Model) {
    let Some(path) = path else { return };
    let text = Session::of(model).to_text();
    if std::fs::read_to_string(path).is_ok_and(|present| present == text) {
        return;
    }
    let Some(folder) = path.parent() else { return };
    let new = path.with_extension("new");
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&new, text));
    if written.is_ok() {
        let _ = std::fs::rename(&new, path);
    }
}

/// The person's own saved queries: `queries/*.sql` in the configuration folder.
pub(crate) async fn saved_queries() -> Vec<(String, String)> {
    let Some(folder) = super::options::config_folder() else { return Vec::new() };
    let read = move || {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder.join("queries")).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
            if path.extension().is_some_and(|ending| ending == "sql")
                && let (Some(name), Ok(text)) = (name, std::fs::read_to_string(&path))
            {
                found.push((name, text));
            }
        }
        found.sort();
        found
    };
    tokio::task::spawn_blocking(read).await.unwrap_or_default()
}

/// The text of a file that the person named: the input of an execution. `~/` is the home folder.
pub(crate) async fn read_file(path: &str) -> Result<String, Problem> {
    let full = match (path.strip_prefix("~/"), etcetera::home_dir()) {
        (Some(rest), Ok(home)) => home.join(rest),
        _ => std::path::PathBuf::from(path),
    };
    let read = move || {
        let size = std::fs::metadata(&full)?.len();
        if size > LARGEST {
            return Err(std::io::Error::other(format!("it has {size} bytes, an input has at most 262144")));
        }
        std::fs::read_to_string(&full)
    };
    let answer = tokio::task::spawn_blocking(read).await.unwrap_or_else(|error| Err(error.into()));
    answer.map_err(|error| {
        Problem::new(format!("{path} could not be read"))
            .detail(error.to_string())
            .hint("Name a file of JSON text that this user may read")
    })
}

/// Bytes of a file that may be an input; white space makes some difference.
const LARGEST: u64 = 1 << 20;
