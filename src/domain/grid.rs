//! Named, typed columns and rows: any query result.

/// What a column holds, as far as showing and sorting it is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// Whole and decimal numbers: right-aligned, sorted by value.
    Number,
    Boolean,
    /// Dates and timestamps: ISO text, so text order is time order.
    Time,
    /// Arrays, maps, rows and JSON.
    Nested,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// The service's own type name: `varchar`, `bigint`, `array(varchar)`.
    pub type_name: String,
    pub kind: Kind,
}

/// A result: every row has exactly one cell per column; `None` is SQL NULL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Option<String>>>,
}
