//! Why a query failed, in Athena's words.

/// A place in the text of a query, both counted from 1 as Trino counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    pub line: usize,
    pub column: usize,
}

impl Spot {
    /// The place of a byte of the text.
    pub fn of(text: &str, byte: usize) -> Spot {
        let before = text.get(..byte).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Spot { line, column }
    }
}

/// A failed query: `NAME: line 1:8: message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Trino's name of the error: `TABLE_NOT_FOUND`. Empty for Hive's `FAILED: …` texts.
    pub name: String,
    pub spot: Option<Spot>,
    pub message: String,
}

impl Failure {
    pub fn new(name: &str, message: impl Into<String>) -> Failure {
        Failure { name: name.to_owned(), spot: None, message: message.into() }
    }

    pub fn at(mut self, spot: Spot) -> Failure {
        self.spot = Some(spot);
        self
    }

    /// At this place unless it has one.
    pub fn or_at(self, spot: Spot) -> Failure {
        if self.spot.is_some() { self } else { self.at(spot) }
    }

    /// A statement that cannot be read: StartQueryExecution refuses it.
    pub fn malformed(spot: Spot, message: impl Into<String>) -> Failure {
        Failure::new(MALFORMED, message).at(spot)
    }

    pub fn syntax(message: impl Into<String>) -> Failure {
        Failure::new("SYNTAX_ERROR", message)
    }

    pub fn unsupported(what: impl Into<String>) -> Failure {
        Failure::new("NOT_SUPPORTED", what)
    }

    pub fn internal(message: impl Into<String>) -> Failure {
        Failure::new("GENERIC_INTERNAL_ERROR", message)
    }

    /// Hive's text of a failed DDL statement.
    pub fn ddl(message: impl Into<String>) -> Failure {
        Failure::new("", format!("FAILED: {}", message.into()))
    }

    pub fn is_malformed(&self) -> bool {
        self.name == MALFORMED
    }

    /// Athena's category: 1 its own fault, 2 the user's.
    pub fn category(&self) -> u8 {
        if self.name.starts_with("GENERIC_INTERNAL") { 1 } else { 2 }
    }

    /// Athena's error type: 200 for an internal error of the engine, 1306 for data that cannot be
    /// read, 1001 for other faults of the query.
    pub fn kind(&self) -> u32 {
        match self.name.as_str() {
            "GENERIC_INTERNAL_ERROR" => 200,
            name if name.starts_with("HIVE_") => 1306,
            _ => 1001,
        }
    }

    /// The text without the name, as StartQueryExecution's refusal has it.
    pub fn detail(&self) -> String {
        match self.spot {
            Some(Spot { line, column }) => format!("line {line}:{column}: {}", self.message),
            None => self.message.clone(),
        }
    }
}

const MALFORMED: &str = "MALFORMED_QUERY";

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.name.is_empty() {
            f.write_str(&self.detail())
        } else {
            write!(f, "{}: {}", self.name, self.detail())
        }
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_from_one_in_characters() {
        assert_eq!(Spot::of("SELECT x", 7), Spot { line: 1, column: 8 });
        assert_eq!(Spot::of("SELECT 'é'\n  , y", 16), Spot { line: 2, column: 5 });
        let failure =
            Failure::new("TABLE_NOT_FOUND", "Table 'a.b.c' does not exist").at(Spot { line: 1, column: 15 });
        assert_eq!(failure.to_string(), "TABLE_NOT_FOUND: line 1:15: Table 'a.b.c' does not exist");
    }
}
