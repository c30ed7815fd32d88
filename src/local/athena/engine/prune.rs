//! Which row groups of a Parquet file a query reads: those whose statistics leave its conditions a chance.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;

use super::adapt::{Fields, adapt};

/// What statistics are asked. `None` when the conditions say nothing that statistics could answer.
pub fn predicate(
    conditions: &[&Expr],
    schema: &SchemaRef,
    session: &dyn Session,
) -> Option<Arc<PruningPredicate>> {
    let condition = conjunction(conditions.iter().map(|c| (*c).clone()))?;
    let named = DFSchema::try_from(schema.clone()).ok()?;
    // What cannot be asked of statistics is asked of every row.
    let physical = session.create_physical_expr(condition, &named).ok()?;
    PruningPredicateBuilder::new().with_file_schema(schema.clone()).build(physical)
}

/// The statistics of a file, in the types of the table.
pub struct Statistics<'a> {
    pub read: &'a ArrowReaderMetadata,
    /// The columns of the table that the query wants.
    pub schema: &'a SchemaRef,
    /// For each of them, the column of the file.
    pub roots: &'a [Option<usize>],
}

impl Statistics<'_> {
    /// The row groups that may hold rows; all of them when their statistics cannot be read.
    pub fn groups(&self, predicate: &PruningPredicate) -> Vec<usize> {
        let all = 0..self.num_containers();
        match predicate.prune(self) {
            Ok(fit) => all.zip(fit).filter(|(_, fit)| *fit).map(|(n, _)| n).collect(),
            Err(_) => all.collect(),
        }
    }

    fn converter(&self, column: &Column) -> Option<StatisticsConverter<'_>> {
        let at = self.schema.index_of(&column.name).ok()?;
        let root = (*self.roots.get(at)?)?;
        let file = self.read.schema();
        let name = file.fields().get(root)?.name();
        StatisticsConverter::try_new(name, file, self.read.parquet_schema()).ok()
    }

    fn adapted(&self, column: &Column, found: &ArrayRef) -> Option<ArrayRef> {
        let field = self.schema.field_with_name(&column.name).ok()?;
        adapt(found, field.data_type(), Fields::ByName).ok()
    }
}

impl PruningStatistics for Statistics<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        let found = self.converter(column)?.row_group_mins(self.read.metadata().row_groups()).ok()?;
        self.adapted(column, &found)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        let found = self.converter(column)?.row_group_maxes(self.read.metadata().row_groups()).ok()?;
        self.adapted(column, &found)
    }

    fn num_containers(&self) -> usize {
        self.read.metadata().num_row_groups()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let converter = self.converter(column)?.with_missing_null_counts_as_zero(false);
        let found = converter.row_group_null_counts(self.read.metadata().row_groups()).ok()?;
        Some(Arc::new(found))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let rows = self.read.metadata().row_groups().iter().map(|group| u64::try_from(group.num_rows()).ok());
        Some(Arc::new(rows.collect::<datafusion::arrow::array::UInt64Array>()))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use datafusion::arrow::array::{Int64Array, RecordBatch, StringArray};
    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    use parquet::arrow::ArrowWriter;
    use parquet::file::properties::WriterProperties;

    use super::*;
    use crate::local::athena::tests::Lake;
    use crate::local::bus::Objects;

    /// Numbers from 0 to 999 with a text each, a hundred to a row group.
    fn file() -> Bytes {
        let fields = vec![Field::new("n", DataType::Int64, true), Field::new("name", DataType::Utf8, true)];
        let schema = Arc::new(Schema::new(fields));
        let numbers: Int64Array = (0..1000).map(|n| (n % 100 != 7).then_some(n)).collect();
        let names: StringArray = (0..1000).map(|n| Some(format!("name {n:04}"))).collect();
        let rows = RecordBatch::try_new(schema.clone(), vec![Arc::new(numbers), Arc::new(names)]).unwrap();
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(100)).build();
        let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties)).unwrap();
        writer.write(&rows).unwrap();
        writer.into_inner().unwrap().into()
    }

    #[tokio::test]
    async fn row_groups_without_a_chance_are_neither_read_nor_counted() {
        let lake = Lake::empty();
        lake.objects.write("lake", "numbers/1.parquet", file(), "").await.unwrap();
        lake.run("CREATE DATABASE healthcare_pipeline").await.unwrap();
        lake.run(
            "CREATE EXTERNAL TABLE numbers (n bigint, name string) STORED AS PARQUET LOCATION 's3://lake/numbers/'",
        )
        .await
        .unwrap();
        let scanned = async |sql: &str| {
            let done = lake.finished(&lake.start(sql).await.unwrap()).await;
            assert_eq!(done["Status"]["State"], "SUCCEEDED", "{done}");
            done["Statistics"]["DataScannedInBytes"].as_u64().unwrap()
        };
        let all = scanned("SELECT sum(n), max(name) FROM numbers").await;
        for (condition, count, groups) in [
            ("n = 250", 1, 1),
            ("n BETWEEN 150 AND 249", 99, 2),
            ("n < 100", 99, 1),
            ("n IN (5, 905)", 2, 2),
            ("name = 'name 0300'", 1, 1),
            ("n > 5000", 0, 0),
            ("n IS NULL AND name > 'name 0850'", 1, 2),
            ("n % 10 = 3", 100, 10),
            ("abs(n) = 250", 1, 10),
        ] {
            let sql = format!("SELECT count(*), max(name) FROM numbers WHERE {condition}");
            assert_eq!(lake.rows(&sql).await[0].split('|').next(), Some(&*count.to_string()), "{condition}");
            let sql = format!("SELECT sum(n), max(name) FROM numbers WHERE {condition}");
            let some = scanned(&sql).await;
            // Row groups of these numbers are of about one size.
            assert_eq!((some * 10 + all / 2) / all, groups, "{condition}: {some} of {all} bytes");
        }
    }
}
