//! Making, changing and dropping tables.

use super::{Ddl, execution_error, location, not_a_location, semantic, set};
use crate::local::athena::catalog::{Column, Table};
use crate::local::athena::failure::Failure;
use crate::local::athena::hive::{Change, Name, NewColumn, NewTable};
use crate::local::athena::storage;

/// The property that Hive keeps the time of the last change in, seconds since the epoch.
const CHANGED: &str = "transient_lastDdlTime";

fn kept(column: NewColumn) -> Column {
    Column { name: column.name, kind: column.kind.hive(), comment: column.comment }
}

impl Ddl<'_> {
    pub(super) async fn create_table(&self, new: NewTable) -> Result<(), Failure> {
        let database = self.existing(new.name.0.clone())?;
        if new.location.is_empty() {
            return Err(execution_error("MetaException(message:LOCATION is missing)"));
        }
        location(&new.location).ok_or_else(|| not_a_location(&new.location))?;
        let repeated = new.partitioned_by.iter().find(|p| new.columns.iter().any(|c| c.name == p.name));
        if let Some(column) = repeated {
            let text = format!("Column repeated in partitioning columns: {}", column.name);
            return Err(execution_error(text));
        }
        let name = new.name.1.clone();
        // What STORED AS means, or text.
        let stored = new.stored_as.as_deref().and_then(storage::of).unwrap_or(storage::TEXT);
        let mut properties = new.properties;
        set(&mut properties, vec![(CHANGED.into(), self.now.to_string())]);
        let table = Table {
            database,
            name: new.name.1,
            columns: new.columns.into_iter().map(kept).collect(),
            partitioned_by: new.partitioned_by.into_iter().map(kept).collect(),
            comment: new.comment,
            location: new.location,
            serde: new.serde.or_else(|| Some(stored.serde.into())),
            serde_properties: new.serde_properties,
            stored_as: None,
            input_format: new.input_format.or_else(|| Some(stored.input.into())),
            output_format: new.output_format.or_else(|| Some(stored.output.into())),
            properties,
            view: None,
            created: self.now,
        };
        if !self.catalog.put_table(table, false).await? && !new.lenient {
            return Err(execution_error(format!(
                "AlreadyExistsException(message:Table {name} already exists)"
            )));
        }
        Ok(())
    }

    pub(super) async fn drop_table(&self, name: Name, lenient: bool, view: bool) -> Result<(), Failure> {
        let database = match self.existing(name.0.clone()) {
            Err(_) if lenient => return Ok(()),
            found => found?,
        };
        match self.catalog.table(&database, &name.1)? {
            Some(table) if view && !table.is_view() => {
                Err(semantic(format!("{database}.{} is not a view", name.1)))
            }
            Some(_) => self.catalog.drop_table(&database, &name.1).await.map(|_| ()),
            None if lenient => Ok(()),
            None => Err(missing(&database, &name.1)),
        }
    }

    /// Changes of the table itself.
    pub(super) async fn alter_table(&self, table: &Table, change: Change) -> Result<(), Failure> {
        let now = self.now;
        let changed = self
            .catalog
            .change_table(&table.database, &table.name, move |table| altered(table, change, now))
            .await?;
        if changed { Ok(()) } else { Err(missing(&table.database, &table.name)) }
    }
}

/// Changes a table; a change that does not fit it changes nothing that is kept.
fn altered(table: &mut Table, change: Change, now: i64) -> Result<(), Failure> {
    match change {
        Change::SetLocation { location: at, .. } => {
            location(&at).ok_or_else(|| not_a_location(&at))?;
            table.location = at;
        }
        Change::SetProperties(properties) => set(&mut table.properties, properties),
        Change::AddColumns(columns) => table.columns.extend(columns.into_iter().map(kept)),
        Change::ReplaceColumns(columns) => table.columns = columns.into_iter().map(kept).collect(),
        Change::EditColumn { old, new, place } => {
            let Some(at) = table.columns.iter().position(|c| c.name == old) else {
                return Err(execution_error(format!("Invalid column reference {old}")));
            };
            let mut column = kept(new);
            let before = table.columns.remove(at);
            column.comment = column.comment.or(before.comment);
            let to = match place {
                None => at,
                Some(place) => place.position(&table.columns)?,
            };
            table.columns.insert(to, column);
        }
        other => return Err(Failure::internal(format!("{other:?} is no change of a table"))),
    }
    let all = table.columns.iter().chain(&table.partitioned_by);
    let mut names: Vec<&str> = all.map(|c| c.name.as_str()).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(execution_error(format!("Duplicate column name: {}", twice[0])));
    }
    set(&mut table.properties, vec![(CHANGED.into(), now.to_string())]);
    Ok(())
}

fn missing(database: &str, name: &str) -> Failure {
    semantic(format!("Table not found {database}.{name}"))
}

impl crate::local::athena::hive::Place {
    fn position(self, columns: &[Column]) -> Result<usize, Failure> {
        match self {
            Self::First => Ok(0),
            Self::After(name) => match columns.iter().position(|c| c.name == name) {
                Some(at) => Ok(at + 1),
                None => Err(execution_error(format!("Invalid column reference {name}"))),
            },
        }
    }
}
