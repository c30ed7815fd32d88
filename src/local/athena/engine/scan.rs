//! Tables over objects: which objects, in which pieces, decoded by their format.

use std::collections::VecDeque;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_optimizer::pruning::PruningPredicate;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};

use super::columns::Column;
use super::format::{self, Decoder, Format, Place, Source};
use super::pieces::{self, Access, Lines, Object, PIECE, Piece};
use super::{arrow, folders, functions, parquet, prune};
use crate::local::athena::catalog::{Catalog, Partition, Table};
use crate::local::athena::ddl;
use crate::local::athena::failure::Failure;

/// A failure on its way through the engine.
pub fn fail(failure: Failure) -> DataFusionError {
    DataFusionError::External(Box::new(failure))
}

/// The hidden column that names the object of a row.
pub const PATH: &str = "$path";

pub const ROWS: usize = 8192;

/// A table of the catalog, as the engine reads it.
pub struct S3Table {
    table: Table,
    catalog: Catalog,
    format: Format,
    schema: SchemaRef,
    sources: Vec<Source>,
    access: Access,
}

impl std::fmt::Debug for S3Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "S3Table({}.{})", self.table.database, self.table.name)
    }
}

impl S3Table {
    /// `with_path` adds the hidden column.
    pub fn new(table: Table, catalog: Catalog, with_path: bool, access: Access) -> Result<S3Table, Failure> {
        let format = Format::of(&table)?;
        let (mut fields, mut sources) = (Vec::new(), Vec::new());
        for (position, column) in table.columns.iter().enumerate() {
            let kind = column.read()?;
            fields.push(arrow::declared(&column.name, arrow::to(&kind), &kind));
            sources.push(Source::Field { key: format.key(&column.name), position });
        }
        for (position, column) in table.partitioned_by.iter().enumerate() {
            let kind = column.read()?;
            fields.push(arrow::declared(&column.name, arrow::to(&kind), &kind));
            sources.push(Source::Partition(position));
        }
        if with_path {
            fields.push(Field::new(PATH, DataType::Utf8, true));
            sources.push(Source::Path);
        }
        Ok(S3Table { table, catalog, format, schema: Arc::new(Schema::new(fields)), sources, access })
    }

    /// Whether a condition is of partition columns alone.
    fn chooses_folders(&self, filter: &Expr) -> bool {
        let columns = filter.column_refs();
        let ours = |name: &str| self.table.partitioned_by.iter().any(|c| c.name == name);
        !columns.is_empty() && columns.iter().all(|c| ours(&c.name))
    }

    /// The conditions within a filter that are of partition columns alone.
    fn of_folders<'a>(&self, filter: &'a Expr) -> Vec<&'a Expr> {
        functions::terms(filter).into_iter().filter(|term| self.chooses_folders(term)).collect()
    }

    /// The pieces of all objects, in the order of their keys.
    fn pieces(&self, folders: &[Partition]) -> Result<Vec<Piece>, Failure> {
        let splits = !matches!(self.format, Format::Parquet { .. });
        let mut found = Vec::new();
        for folder in folders {
            let (bucket, prefix) = ddl::location(&folder.location).ok_or_else(|| {
                Failure::new("HIVE_METASTORE_ERROR", format!("Bad location {}", folder.location))
            })?;
            let listed = self.access.objects.list(&bucket, &prefix).map_err(|fault| {
                Failure::new(
                    "HIVE_METASTORE_ERROR",
                    format!(
                        "Failed to list directory {}: {} ({})",
                        folder.location, fault.message, fault.code
                    ),
                )
            })?;
            let partition = Arc::new(folder.values.clone());
            for object in listed {
                // Hive's rule for files and folders that are no data.
                let mut parts = object.key[prefix.len()..].split('/');
                if object.size == 0 || object.key.ends_with('/') || parts.any(|p| p.starts_with(['_', '.'])) {
                    continue;
                }
                let object = Object {
                    path: format!("s3://{bucket}/{}", object.key),
                    bucket: bucket.clone(),
                    key: object.key,
                    size: object.size,
                    etag: object.etag,
                    partition: partition.clone(),
                };
                pieces::cut(object, splits, &mut found);
            }
        }
        Ok(found)
    }
}

/// Some pieces, one after the other.
struct Pieces {
    schema: SchemaRef,
    format: Format,
    skip: usize,
    sources: Vec<Source>,
    /// Chooses row groups of Parquet files.
    predicate: Option<Arc<PruningPredicate>>,
    pieces: Vec<Piece>,
    access: Access,
}

impl std::fmt::Debug for Pieces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pieces({})", self.pieces.len())
    }
}

/// Where a stream of batches is.
enum Reading {
    Lines {
        schema: SchemaRef,
        decoder: Box<Decoder>,
        /// Lines at the head of each object that hold no data.
        skip: usize,
        left: VecDeque<Piece>,
        current: Option<(Piece, Lines)>,
        access: Access,
    },
    Parquet(parquet::Reading),
}

impl Reading {
    fn batch(&mut self) -> Result<Option<RecordBatch>, Failure> {
        let (schema, decoder, skip, left, current, access) = match self {
            Reading::Parquet(reading) => return reading.batch(),
            Reading::Lines { schema, decoder, skip, left, current, access } => {
                (schema, decoder, *skip, left, current, access)
            }
        };
        while decoder.rows < ROWS {
            let (piece, lines) = match current {
                Some(current) => current,
                None => {
                    let Some(piece) = left.pop_front() else { break };
                    let mut lines = Lines::open(&piece, access)?;
                    if piece.start == 0 {
                        for _ in 0..skip {
                            lines.next(&piece.object.path)?;
                        }
                    }
                    current.insert((piece, lines))
                }
            };
            let object = &piece.object;
            let place = Place { path: &object.path, partition: &object.partition };
            match lines.next(&object.path)? {
                Some(line) => decoder.line(line, &place)?,
                None => *current = None,
            }
        }
        if decoder.rows == 0 {
            return Ok(None);
        }
        let arrays = decoder.columns.iter_mut().map(Column::finish).collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(std::mem::take(&mut decoder.rows)));
        RecordBatch::try_new_with_options(schema.clone(), arrays, &options)
            .map(Some)
            .map_err(|e| Failure::internal(e.to_string()))
    }
}

impl Pieces {
    fn reading(&self) -> Result<Reading, Failure> {
        let left = self.pieces.iter().cloned().collect();
        if let Format::Parquet { by_index } = self.format {
            let (schema, sources) = (self.schema.clone(), self.sources.clone());
            return Ok(Reading::Parquet(parquet::Reading::new(
                schema,
                sources,
                by_index,
                self.predicate.clone(),
                left,
                self.access.clone(),
            )));
        }
        let columns = self.schema.fields().iter().map(|f| Column::new(f.data_type()));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        Ok(Reading::Lines {
            schema: self.schema.clone(),
            decoder: Box::new(Decoder::new(self.format.clone(), self.sources.clone(), columns)),
            skip: self.skip,
            left,
            current: None,
            access: self.access.clone(),
        })
    }
}

impl PartitionStream for Pieces {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batches = futures::stream::try_unfold(self.reading(), |reading| async move {
            // Between batches a cancelled query ends and others get their turn.
            tokio::task::yield_now().await;
            let mut reading = reading.map_err(fail)?;
            let batch = reading.batch().map_err(fail)?;
            Ok(batch.map(|batch| (batch, Ok(reading))))
        });
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), batches))
    }
}

#[async_trait::async_trait]
impl TableProvider for S3Table {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Conditions of partition columns choose folders, and others row groups of Parquet files; they are
    /// judged again with every row.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let parquet = matches!(self.format, Format::Parquet { .. });
        let judge = |filter: &&Expr| {
            if !filter.is_volatile() && (parquet || !self.of_folders(filter).is_empty()) {
                TableProviderFilterPushDown::Inexact
            } else {
                TableProviderFilterPushDown::Unsupported
            }
        };
        Ok(filters.iter().map(judge).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted: Vec<usize> = projection.cloned().unwrap_or_else(|| (0..self.sources.len()).collect());
        let schema = Arc::new(self.schema.project(&wanted)?);
        let sources: Vec<Source> = wanted.iter().map(|n| self.sources[*n].clone()).collect();
        let of_folders: Vec<Expr> = filters.iter().flat_map(|f| self.of_folders(f)).cloned().collect();
        let of_rows: Vec<&Expr> = filters.iter().filter(|filter| !self.chooses_folders(filter)).collect();
        let folders = folders::wanted(&self.table, &self.catalog, &of_folders, state).map_err(fail)?;
        let predicate = prune::predicate(&of_rows, &schema, state);
        let pieces = self.pieces(&folders).map_err(fail)?;
        let bytes: u64 = pieces.iter().map(|p| p.end - p.start).sum();
        // Little data is read by one: more would cost more than they gain.
        let groups =
            if bytes < PIECE { 1 } else { state.config().target_partitions().min(pieces.len()).max(1) };
        let mut shares: Vec<Vec<Piece>> = vec![Vec::new(); groups];
        for (n, piece) in pieces.into_iter().enumerate() {
            shares[n % groups].push(piece);
        }
        let partitions = shares
            .into_iter()
            .map(|pieces| {
                Arc::new(Pieces {
                    schema: schema.clone(),
                    format: self.format.clone(),
                    skip: format::skipped_lines(&self.table),
                    sources: sources.clone(),
                    predicate: predicate.clone(),
                    pieces,
                    access: self.access.clone(),
                }) as Arc<dyn PartitionStream>
            })
            .collect();
        Ok(Arc::new(StreamingTableExec::try_new(schema, partitions, None, [], false, limit)?))
    }
}
