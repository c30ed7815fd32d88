//! Saved queries: those that ship, and the person's own folder (`queries/` beside the configuration).

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::NaiveDate;

use super::globals::default_config;
use super::input;
use crate::domain::expiry::Window;
use crate::domain::problem::Problem;
use crate::settings::Settings;
use crate::sql::{parameters, shipped};

/// A query that can be run by its name.
pub struct Saved {
    pub name: String,
    pub title: String,
    pub parameters: Vec<String>,
    /// `ward`, or the file it stands in.
    pub from: String,
}

/// The folder of the person's own queries: every `*.sql` in it is one.
pub fn folder() -> Option<PathBuf> {
    Some(default_config()?.parent()?.join("queries"))
}

/// The person's own first, then those that ship.
pub fn all() -> Vec<Saved> {
    let mut own: Vec<(String, String, String)> = folder()
        .and_then(|folder| std::fs::read_dir(folder).ok())
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?.strip_suffix(".sql")?.to_owned();
            let text = std::fs::read_to_string(&path).ok()?;
            Some((name, text, path.display().to_string()))
        })
        .collect();
    own.sort();
    let shipped = shipped::SAVED.iter().map(|(name, text)| ((*name).into(), (*text).into(), "ward".into()));
    own.into_iter()
        .chain(shipped)
        .map(|(name, text, from): (String, String, String)| match parameters::read(&text) {
            Ok(saved) => {
                let parameters = saved.parameters.into_iter().map(|one| one.name).collect();
                Saved { name, title: saved.title, parameters, from }
            }
            Err(error) => Saved { name, title: format!("cannot be read: {error}"), parameters: vec![], from },
        })
        .collect()
}

/// The text of a saved query.
pub fn find(name: &str) -> Result<String, Problem> {
    let plain = !name.is_empty() && !name.contains(['/', '\\']) && !name.starts_with('.');
    if let Some(folder) = folder().filter(|_| plain) {
        let path = folder.join(format!("{name}.sql"));
        if path.is_file() {
            return input::file(&path.display().to_string());
        }
    }
    let shipped = shipped::SAVED.iter().find(|(known, _)| *known == name);
    shipped.map(|(_, text)| (*text).to_owned()).ok_or_else(|| {
        Problem::new(format!("There is no saved query {name}"))
            .hint("`ward query list --saved` names them; -e runs SQL, -f a file")
    })
}

/// The statement with its parameters filled in: what was given, else settings, else its defaults.
pub fn fill(
    text: &str,
    given: BTreeMap<String, String>,
    settings: &Settings,
    as_of: NaiveDate,
) -> Result<String, Problem> {
    let saved = parameters::read(text)
        .map_err(|error| Problem::new("The query's header cannot be read").detail(error.to_string()))?;
    if let Some(name) = given.keys().find(|name| !saved.parameters.iter().any(|one| one.name == **name)) {
        let known: Vec<&str> = saved.parameters.iter().map(|one| one.name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(
            Problem::new(format!("The query has no parameter {name}")).hint(format!("It has: {known}"))
        );
    }
    let mut values = BTreeMap::from([
        ("database".to_owned(), settings.database.clone()),
        ("table".to_owned(), settings.table.clone()),
        ("bucket".to_owned(), settings.bucket.clone()),
        ("prefix".to_owned(), settings.prefix.clone()),
        ("as_of".to_owned(), as_of.to_string()),
    ]);
    let months = Window::parse(&settings.within).ok().and_then(Window::months);
    values.extend(months.map(|months| ("months".to_owned(), months.to_string())));
    values.extend(given);
    saved.fill(&values).map_err(|error| {
        Problem::new("The query's parameters do not fit").detail(error.to_string()).hint("--param name=value")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_comes_before_settings_and_defaults() {
        let text =
            "-- title: T\n-- param: table name facilities\n-- param: n integer 6\nSELECT :n FROM {{table}}";
        let settings = Settings { table: "other".into(), ..Settings::default() };
        let day = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        let given = BTreeMap::from([("n".to_owned(), "7".to_owned())]);
        assert_eq!(fill(text, given, &settings, day).unwrap(), "SELECT 7 FROM other");
        let unknown = BTreeMap::from([("m".to_owned(), "7".to_owned())]);
        let problem = fill(text, unknown, &settings, day).unwrap_err();
        assert_eq!(problem.hint.as_deref(), Some("It has: table, n"));
    }

    #[test]
    fn a_name_is_no_path() {
        assert!(find("../../etc/passwd").is_err());
        assert!(find("facility_metrics").is_ok());
    }
}
