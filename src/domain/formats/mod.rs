//! Rows to text, one file a format. Every text that came from data leaves here without a character a
//! terminal would obey, so any of these may be printed or written to a file.

pub mod csv;
pub mod icalendar;
pub mod json;
pub mod markdown;
pub mod ndjson;

/// The formats facilities are exported in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    Csv,
    Json,
    Ndjson,
    Icalendar,
    Markdown,
}

impl Format {
    pub const ALL: [Format; 5] =
        [Format::Csv, Format::Json, Format::Ndjson, Format::Icalendar, Format::Markdown];

    /// The name people choose it by, which is also how its files end.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Json => "json",
            Format::Ndjson => "ndjson",
            Format::Icalendar => "ics",
            Format::Markdown => "md",
        }
    }

    /// The format a file name's ending asks for.
    pub fn of_file(name: &str) -> Option<Format> {
        let (_, extension) = name.rsplit_once('.')?;
        let extension = extension.to_ascii_lowercase();
        Format::ALL.into_iter().find(|format| format.extension() == extension)
    }
}
