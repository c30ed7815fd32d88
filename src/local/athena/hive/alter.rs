//! ALTER TABLE, behind the table's name.

use super::table::{self, NewColumn, Partition};
use super::{Properties, Words};
use crate::local::athena::failure::Failure;

/// What is to be changed of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    AddPartitions {
        lenient: bool,
        partitions: Vec<Partition>,
    },
    /// Every partition that one of the specifications fits.
    DropPartitions {
        lenient: bool,
        partitions: Vec<Vec<Bound>>,
    },
    RenamePartition {
        from: Properties,
        to: Properties,
    },
    /// Of the table, or of one partition.
    SetLocation {
        partition: Option<Properties>,
        location: String,
    },
    SetProperties(Properties),
    AddColumns(Vec<NewColumn>),
    ReplaceColumns(Vec<NewColumn>),
    EditColumn {
        old: String,
        new: NewColumn,
        place: Option<Place>,
    },
}

/// Where a changed column goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    First,
    After(String),
}

/// A comparison of DROP PARTITION: `dt < '2026-01-01'`.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    pub column: String,
    /// `=`, `<>`, `<`, `<=`, `>` or `>=`.
    pub operator: String,
    pub value: String,
}

pub fn read(words: &mut Words<'_>) -> Result<Change, Failure> {
    if words.take("ADD COLUMNS") {
        return table::columns(words).map(Change::AddColumns);
    }
    if words.take("REPLACE COLUMNS") {
        return table::columns(words).map(Change::ReplaceColumns);
    }
    if words.take("CHANGE") {
        words.take("COLUMN");
        let old = words.name()?;
        let new = table::column(words)?;
        let place = if words.take("FIRST") {
            Some(Place::First)
        } else if words.take("AFTER") {
            Some(Place::After(words.name()?))
        } else {
            None
        };
        return Ok(Change::EditColumn { old, new, place });
    }
    if words.take("ADD") {
        let lenient = words.take("IF NOT EXISTS");
        return Ok(Change::AddPartitions { lenient, partitions: table::partitions(words)? });
    }
    if words.take("DROP") {
        let lenient = words.take("IF EXISTS");
        let mut partitions = Vec::new();
        words.must("PARTITION")?;
        loop {
            partitions.push(bounds(words)?);
            words.take(",");
            if !words.take("PARTITION") {
                break;
            }
        }
        words.take("PURGE");
        return Ok(Change::DropPartitions { lenient, partitions });
    }
    let partition = if words.take("PARTITION") { Some(table::values(words)?) } else { None };
    if let Some(from) = &partition
        && words.take("RENAME TO PARTITION")
    {
        return Ok(Change::RenamePartition { from: from.clone(), to: table::values(words)? });
    }
    if words.take("SET LOCATION") {
        return Ok(Change::SetLocation { partition, location: words.string()? });
    }
    if partition.is_none() && words.take("SET TBLPROPERTIES") {
        return words.properties().map(Change::SetProperties);
    }
    Err(words.mismatch("'ADD', 'CHANGE', 'DROP', 'PARTITION', 'REPLACE', 'SET'"))
}

/// `(a = '1', b >= 2)`
fn bounds(words: &mut Words<'_>) -> Result<Vec<Bound>, Failure> {
    words.must("(")?;
    let mut found = Vec::new();
    loop {
        let column = words.name()?;
        let Some(operator) = ["=", "<>", "!=", "<=", ">=", "<", ">"].into_iter().find(|o| words.take(o))
        else {
            return Err(words.mismatch("'=', '<>', '<', '<=', '>', '>='"));
        };
        let operator = if operator == "!=" { "<>" } else { operator };
        found.push(Bound { column, operator: operator.into(), value: words.value()? });
        if !words.take(",") {
            break;
        }
    }
    words.must(")")?;
    Ok(found)
}
