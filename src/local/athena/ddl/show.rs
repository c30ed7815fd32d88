//! SHOW.

use super::{Ddl, Shown, execution_error, lines, semantic, text};
use crate::local::athena::catalog::Table;
use crate::local::athena::failure::Failure;
use crate::local::athena::hive::{Statement, fits, matches};
use crate::local::athena::partitions as names;

impl Ddl<'_> {
    pub(super) fn show(&self, statement: Statement) -> Result<Shown, Failure> {
        let wanted = |like: &Option<String>, name: &str| like.as_ref().is_none_or(|p| fits(p, name));
        Ok(match statement {
            Statement::ShowDatabases { like } => {
                let names = self.catalog.databases()?.into_iter().map(|d| d.name);
                lines("database_name", names.filter(|n| like.as_ref().is_none_or(|p| matches(p, n))))
            }
            Statement::ShowTables { database, like } => {
                let tables = self.catalog.tables(&self.existing(database)?)?;
                lines("tab_name", tables.into_iter().map(|t| t.name).filter(|n| wanted(&like, n)))
            }
            Statement::ShowViews { database, like } => {
                let tables = self.catalog.tables(&self.existing(database)?)?;
                let views = tables.into_iter().filter(Table::is_view).map(|t| t.name);
                lines("views", views.filter(|n| wanted(&like, n)))
            }
            Statement::ShowColumns(name) => {
                let table = self.table(&name)?;
                let names = table.columns.into_iter().chain(table.partitioned_by).map(|c| c.name);
                lines("field", names.map(|name| format!("{name:<20}")))
            }
            Statement::ShowPartitions(name) => {
                let table = self.table(&name)?;
                if table.partitioned_by.is_empty() {
                    return Err(execution_error(format!(
                        "Table {}.{} is not a partitioned table",
                        table.database, table.name
                    )));
                }
                let found = self.catalog.partitions(&table.database, &table.name)?;
                lines("partition", found.iter().map(|p| names::name(&table.partitioned_by, &p.values)))
            }
            Statement::ShowCreateTable(name) => {
                let table = self.table(&name)?;
                if table.is_view() {
                    return Err(semantic(format!(
                        "{}.{} is a view: use SHOW CREATE VIEW",
                        table.database, table.name
                    )));
                }
                lines("createtab_stmt", text::create_table(&table))
            }
            Statement::ShowCreateView(name) => {
                let table = self.table(&name)?;
                let Some(sql) = &table.view else {
                    return Err(semantic(format!("{}.{} is not a view", table.database, table.name)));
                };
                let text = format!("CREATE VIEW {}.{} AS\n{sql}", table.database, table.name);
                lines("create view", text.lines().map(str::to_owned))
            }
            Statement::ShowProperties(name, wanted) => {
                let table = self.table(&name)?;
                let of = |key: &str| table.properties.iter().find(|(k, _)| k == key);
                match wanted {
                    Some(key) => {
                        let line = of(&key).map_or_else(
                            || {
                                format!(
                                    "Table {}.{} does not have property: {key}",
                                    table.database, table.name
                                )
                            },
                            |(_, value)| value.clone(),
                        );
                        lines("prpt_name", [line])
                    }
                    None => {
                        let external = of("EXTERNAL")
                            .is_none()
                            .then(|| "EXTERNAL\tTRUE".to_owned())
                            .filter(|_| !table.is_view());
                        let all = table.properties.iter().map(|(k, v)| format!("{k}\t{v}"));
                        lines("prpt_name", external.into_iter().chain(all))
                    }
                }
            }
            Statement::Describe { table, detail, column } => {
                self.describe(&table, detail, column.as_deref())?
            }
            other => return Err(Failure::internal(format!("{other:?} shows nothing"))),
        })
    }
}
