//! What went wrong, for people.

/// Something that went wrong, in the words of the person who has to deal with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What happened, one line: `Table facilities was not found`.
    pub title: String,
    /// Why, as far as known: the service's own message, the file and line. May be empty.
    pub detail: String,
    /// What to do next: the exact command or key, where there is one.
    pub hint: Option<String>,
    /// Whether the same attempt may succeed later without any change.
    pub retry: bool,
}

impl Problem {
    pub fn new(title: impl Into<String>) -> Self {
        Problem { title: title.into(), detail: String::new(), hint: None, retry: false }
    }

    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn retry(mut self) -> Self {
        self.retry = true;
        self
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.title)?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}
