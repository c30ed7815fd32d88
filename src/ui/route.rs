//! Places, as values and as text: `facilities/FAC004`, for `--open`, breadcrumbs and history.

use std::fmt;

/// The five screens, in the order of their tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Screen {
    Overview,
    Facilities,
    Queries,
    Workflows,
    Activity,
}

impl Screen {
    pub const ALL: [Screen; 5] =
        [Screen::Overview, Screen::Facilities, Screen::Queries, Screen::Workflows, Screen::Activity];

    pub fn title(self) -> &'static str {
        match self {
            Screen::Overview => "Overview",
            Screen::Facilities => "Facilities",
            Screen::Queries => "Queries",
            Screen::Workflows => "Workflows",
            Screen::Activity => "Activity",
        }
    }

    /// The word in a route's text.
    pub fn word(self) -> &'static str {
        match self {
            Screen::Overview => "overview",
            Screen::Facilities => "facilities",
            Screen::Queries => "queries",
            Screen::Workflows => "workflows",
            Screen::Activity => "activity",
        }
    }
}

/// A place: a screen, what is chosen on it, and the filter that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub screen: Screen,
    /// A facility id, a query id, the ARN of an execution or state machine.
    pub object: Option<String>,
    /// `None` leaves the screen's filter as it is.
    pub filter: Option<String>,
}

impl Route {
    pub fn new(screen: Screen) -> Self {
        Route { screen, object: None, filter: None }
    }

    pub fn object(mut self, object: impl Into<String>) -> Self {
        self.object = Some(object.into());
        self
    }

    pub fn filter(mut self, filter: impl Into<String>) -> Self {
        self.filter = Some(filter.into());
        self
    }

    /// Reads `screen[/object][?filter]`. The error is one sentence with the words that exist.
    pub fn parse(text: &str) -> Result<Route, String> {
        let (place, filter) = match text.split_once('?') {
            Some((place, filter)) => (place, Some(filter.to_string())),
            None => (text, None),
        };
        let (word, object) = match place.split_once('/') {
            Some((word, object)) if !object.is_empty() => (word, Some(object.to_string())),
            Some((word, _)) => (word, None),
            None => (place, None),
        };
        match Screen::ALL.into_iter().find(|screen| screen.word() == word) {
            Some(screen) => Ok(Route { screen, object, filter }),
            None => {
                let words: Vec<_> = Screen::ALL.iter().map(|screen| screen.word()).collect();
                Err(format!("There is no place called `{word}`: a place starts with {}", words.join(", ")))
            }
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.screen.word())?;
        if let Some(object) = &self.object {
            write!(f, "/{object}")?;
        }
        if let Some(filter) = &self.filter {
            write!(f, "?{filter}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for text in
            ["overview", "facilities/FAC004", "facilities?tier:critical", "workflows/arn:aws:states:x/y:z"]
        {
            assert_eq!(Route::parse(text).map(|route| route.to_string()).as_deref(), Ok(text));
        }
        assert!(Route::parse("nowhere/1").is_err_and(|error| error.contains("overview, facilities")));
    }
}
