//! Adding, finding, moving and dropping partitions.

use std::cmp::Ordering;

use super::{Ddl, Shown, execution_error, lines, location, not_a_location, semantic};
use crate::local::athena::catalog::{Column, Partition, Replaced, Table};
use crate::local::athena::failure::Failure;
use crate::local::athena::hive::{self, Bound, Name};
use crate::local::athena::partitions as names;

/// The values of a specification in the order of the table's partition columns.
fn ordered(table: &Table, spec: &[(String, String)]) -> Result<Vec<String>, Failure> {
    let value = |c: &Column| spec.iter().find(|(name, _)| *name == c.name).map(|(_, v)| v.clone());
    let values: Option<Vec<String>> = table.partitioned_by.iter().map(value).collect();
    match values {
        Some(values) if !values.is_empty() && values.len() == spec.len() => Ok(values),
        _ => {
            let spec: Vec<String> = spec.iter().map(|(k, v)| format!("{k}={v}")).collect();
            Err(semantic(format!(
                "Partition spec {{{}}} does not name the partition columns of {}.{}",
                spec.join(", "),
                table.database,
                table.name
            )))
        }
    }
}

fn not_found(name: &str) -> Failure {
    Failure::ddl(format!("SemanticException [Error 10006]: Partition not found {name}"))
}

impl Bound {
    /// Numbers compare as numbers where the column holds such, all else as text.
    fn holds(&self, table: &Table, partition: &Partition) -> bool {
        let Some(at) = table.partitioned_by.iter().position(|c| c.name == self.column) else { return false };
        let Some(value) = partition.values.get(at) else { return false };
        let whole =
            matches!(table.partitioned_by[at].kind.as_str(), "int" | "bigint" | "smallint" | "tinyint");
        let order = match (value.parse::<i64>(), self.value.parse::<i64>()) {
            (Ok(a), Ok(b)) if whole => a.cmp(&b),
            _ => value.as_str().cmp(&self.value),
        };
        match self.operator.as_str() {
            "<>" => order != Ordering::Equal,
            "<" => order == Ordering::Less,
            "<=" => order != Ordering::Greater,
            ">" => order == Ordering::Greater,
            ">=" => order != Ordering::Less,
            _ => order == Ordering::Equal,
        }
    }
}

impl Ddl<'_> {
    pub(super) async fn add_partitions(
        &self,
        table: &Table,
        lenient: bool,
        new: Vec<hive::Partition>,
    ) -> Result<(), Failure> {
        let mut found = Vec::new();
        for partition in new {
            let values = ordered(table, &partition.values)?;
            let name = names::name(&table.partitioned_by, &values);
            let at = partition
                .location
                .unwrap_or_else(|| format!("{}/{name}/", table.location.trim_end_matches('/')));
            location(&at).ok_or_else(|| not_a_location(&at))?;
            found.push((name, Partition { values, location: at }));
        }
        let present = self.catalog.add_partitions(&table.database, &table.name, found).await?;
        match present.first() {
            Some(name) if !lenient => Err(execution_error(format!(
                "AlreadyExistsException(message:Partition already exists: {name})"
            ))),
            _ => Ok(()),
        }
    }

    pub(super) async fn drop_partitions(
        &self,
        table: &Table,
        lenient: bool,
        specs: Vec<Vec<Bound>>,
    ) -> Result<(), Failure> {
        let all = self.catalog.partitions(&table.database, &table.name)?;
        let mut dropped = Vec::new();
        for spec in &specs {
            if let Some(bound) =
                spec.iter().find(|b| !table.partitioned_by.iter().any(|c| c.name == b.column))
            {
                return Err(semantic(format!(
                    "{} is not a partition column of {}.{}",
                    bound.column, table.database, table.name
                )));
            }
            let fitting: Vec<String> = all
                .iter()
                .filter(|p| spec.iter().all(|b| b.holds(table, p)))
                .map(|p| names::name(&table.partitioned_by, &p.values))
                .collect();
            if fitting.is_empty() && !lenient {
                let bounds = spec.iter().map(|b| format!("{} {} '{}'", b.column, b.operator, b.value));
                let text = bounds.collect::<Vec<_>>().join(", ");
                return Err(Failure::ddl(format!(
                    "SemanticException [Error 10006]: Partition not found ({text})"
                )));
            }
            dropped.extend(fitting);
        }
        self.catalog.drop_partitions(&table.database, &table.name, dropped).await.map(|_| ())
    }

    fn partition(&self, table: &Table, spec: &[(String, String)]) -> Result<(String, Partition), Failure> {
        let values = ordered(table, spec)?;
        let name = names::name(&table.partitioned_by, &values);
        let all = self.catalog.partitions(&table.database, &table.name)?;
        match all.into_iter().find(|p| p.values == values) {
            Some(partition) => Ok((name, partition)),
            None => Err(not_found(&name)),
        }
    }

    /// RENAME TO: other values, the same folder.
    pub(super) async fn rename_partition(
        &self,
        table: &Table,
        from: &[(String, String)],
        to: &[(String, String)],
    ) -> Result<(), Failure> {
        let (old, mut partition) = self.partition(table, from)?;
        partition.values = ordered(table, to)?;
        let new = names::name(&table.partitioned_by, &partition.values);
        self.replace_partition(table, old, (new, partition)).await
    }

    async fn replace_partition(
        &self,
        table: &Table,
        old: String,
        new: (String, Partition),
    ) -> Result<(), Failure> {
        let names = (old.clone(), new.0.clone());
        match self.catalog.replace_partition(&table.database, &table.name, old, new).await? {
            Replaced::Done => Ok(()),
            Replaced::Missing => Err(not_found(&names.0)),
            Replaced::Present => Err(execution_error(format!(
                "AlreadyExistsException(message:Partition already exists: {})",
                names.1
            ))),
        }
    }

    pub(super) async fn move_partition(
        &self,
        table: &Table,
        spec: &[(String, String)],
        at: String,
    ) -> Result<(), Failure> {
        location(&at).ok_or_else(|| not_a_location(&at))?;
        let (name, mut partition) = self.partition(table, spec)?;
        partition.location = at;
        self.replace_partition(table, name.clone(), (name, partition)).await
    }

    /// MSCK REPAIR TABLE: every `a=1/b=2/` folder below the table's location becomes a partition.
    pub(super) async fn repair(&self, name: Name) -> Result<Shown, Failure> {
        let table = self.table(&name)?;
        let (bucket, prefix) = location(&table.location).ok_or_else(|| not_a_location(&table.location))?;
        let objects = self.objects.list(&bucket, &prefix).map_err(|fault| execution_error(fault.message))?;
        let mut found: Vec<(String, Partition)> = Vec::new();
        for object in objects {
            let Some((values, length)) = names::read(&table.partitioned_by, &object.key[prefix.len()..])
            else {
                continue;
            };
            let name = names::name(&table.partitioned_by, &values);
            if !values.is_empty() && found.last().is_none_or(|(last, _)| *last != name) {
                let at = format!("s3://{bucket}/{}", &object.key[..prefix.len() + length]);
                found.push((name, Partition { values, location: at }));
            }
        }
        let names: Vec<String> = found.iter().map(|(name, _)| name.clone()).collect();
        let present = self.catalog.add_partitions(&table.database, &table.name, found).await?;
        let added: Vec<String> = names
            .into_iter()
            .filter(|n| !present.contains(n))
            .map(|n| format!("{}:{n}", table.name))
            .collect();
        if added.is_empty() {
            return Ok(Shown::default());
        }
        let head = format!("Partitions not in metastore:\t{}", added.join("\t"));
        let tail = added.iter().map(|n| format!("Repair: Added partition to metastore {n}"));
        Ok(lines("Result", std::iter::once(head).chain(tail)))
    }
}
