//! Tables over objects: which objects, in which pieces, decoded by their SerDe.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::array::RecordBatchOptions;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};

use super::arrow;
use super::columns::Column;
use super::format::{Decoder, Format, Source};
use crate::local::athena::catalog::{Partition, Table};
use crate::local::athena::ddl;
use crate::local::athena::failure::Failure;
use crate::local::bus::Objects;

/// A failure on its way through the engine.
pub fn fail(failure: Failure) -> DataFusionError {
    DataFusionError::External(Box::new(failure))
}

/// The hidden column that names the object of a row.
pub const PATH: &str = "$path";

/// Larger objects are read in pieces of this many bytes, side by side.
const PIECE: u64 = 8 << 20;
const ROWS: usize = 8192;

/// A table of the catalog, as the engine reads it.
pub struct S3Table {
    format: Format,
    schema: SchemaRef,
    sources: Vec<Source>,
    /// Folders with the values of their partition columns.
    folders: Vec<Partition>,
    objects: Arc<dyn Objects>,
    scanned: Arc<AtomicU64>,
}

impl std::fmt::Debug for S3Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "S3Table({:?})", self.folders)
    }
}

impl S3Table {
    /// `with_path` adds the hidden column; `scanned` counts the bytes that are read.
    pub fn new(
        table: &Table,
        partitions: Vec<Partition>,
        with_path: bool,
        objects: Arc<dyn Objects>,
        scanned: Arc<AtomicU64>,
    ) -> Result<S3Table, Failure> {
        let format = Format::of(table)?;
        let (mut fields, mut sources) = (Vec::new(), Vec::new());
        for (position, column) in table.columns.iter().enumerate() {
            fields.push(Field::new(&column.name, arrow::to(&column.read()?), true));
            let key = match &format {
                Format::Json { renamed, options } => {
                    let key =
                        renamed.iter().find(|(c, _)| *c == column.name).map_or(&column.name, |(_, k)| k);
                    if options.fold_case { key.to_lowercase() } else { key.clone() }
                }
                Format::Delimited { .. } => column.name.clone(),
            };
            sources.push(Source::Field { key, position });
        }
        for (position, column) in table.partitioned_by.iter().enumerate() {
            fields.push(Field::new(&column.name, arrow::to(&column.read()?), true));
            sources.push(Source::Partition(position));
        }
        if with_path {
            fields.push(Field::new(PATH, DataType::Utf8, true));
            sources.push(Source::Path);
        }
        let folders = if table.partitioned_by.is_empty() {
            vec![Partition { values: Vec::new(), location: table.location.clone() }]
        } else {
            partitions
        };
        Ok(S3Table { format, schema: Arc::new(Schema::new(fields)), sources, folders, objects, scanned })
    }

    /// The pieces of all objects, in the order of their keys.
    fn pieces(&self) -> Result<Vec<Piece>, Failure> {
        let mut found = Vec::new();
        for folder in &self.folders {
            let (bucket, prefix) = ddl::location(&folder.location).ok_or_else(|| {
                Failure::new("HIVE_METASTORE_ERROR", format!("Bad location {}", folder.location))
            })?;
            let listed = self.objects.list(&bucket, &prefix).map_err(|fault| {
                Failure::new(
                    "HIVE_CURSOR_ERROR",
                    format!("Failed to list {}: {}", folder.location, fault.message),
                )
            })?;
            for object in listed {
                let name = object.key.rsplit('/').next().unwrap_or_default();
                // Hive's rule for files that are no data.
                if object.size == 0 || name.is_empty() || name.starts_with(['_', '.']) {
                    continue;
                }
                let path: Arc<str> = format!("s3://{bucket}/{}", object.key).into();
                let mut start = 0;
                while start < object.size {
                    let end = if object.size - start < PIECE * 2 { object.size } else { start + PIECE };
                    found.push(Piece {
                        bucket: bucket.clone(),
                        key: object.key.clone(),
                        path: path.clone(),
                        start,
                        end,
                        size: object.size,
                        partition: folder.values.clone(),
                    });
                    start = end;
                }
            }
        }
        Ok(found)
    }
}

/// Bytes `start..end` of an object: the lines that begin in them.
#[derive(Clone, Debug)]
struct Piece {
    bucket: String,
    key: String,
    path: Arc<str>,
    start: u64,
    end: u64,
    size: u64,
    partition: Vec<String>,
}

impl Piece {
    fn read(&self, objects: &dyn Objects, scanned: &AtomicU64) -> Result<Bytes, Failure> {
        let get = |start: u64, end: u64| {
            objects.read(&self.bucket, &self.key, Some(start..end)).map_err(|fault| {
                Failure::new(
                    "HIVE_CANNOT_OPEN_SPLIT",
                    format!("Error opening {}: {}", self.path, fault.message),
                )
            })
        };
        // One byte before the piece tells whether a line begins right at its start.
        let from = self.start.saturating_sub(1);
        let mut data = get(from, self.end)?;
        scanned.fetch_add(self.end - self.start, Ordering::Relaxed);
        if self.start > 0 {
            let first = data.iter().position(|b| *b == b'\n').map_or(data.len(), |n| n + 1);
            data = data.slice(first..);
        }
        if self.end == self.size || data.is_empty() || data.ends_with(b"\n") {
            return Ok(data);
        }
        // The last line ends in the next piece.
        let mut whole = BytesMut::from(&data[..]);
        let mut at = self.end;
        while at < self.size {
            let more = get(at, (at + 65_536).min(self.size))?;
            if more.is_empty() {
                break;
            }
            at += more.len() as u64;
            match more.iter().position(|b| *b == b'\n') {
                Some(n) => {
                    whole.extend_from_slice(&more[..=n]);
                    break;
                }
                None => whole.extend_from_slice(&more),
            }
        }
        Ok(whole.freeze())
    }
}

/// Some pieces, one after the other.
struct Pieces {
    schema: SchemaRef,
    format: Format,
    sources: Vec<Source>,
    pieces: Vec<Piece>,
    objects: Arc<dyn Objects>,
    scanned: Arc<AtomicU64>,
}

impl std::fmt::Debug for Pieces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pieces({})", self.pieces.len())
    }
}

/// Where a stream of batches is.
struct Reading {
    schema: SchemaRef,
    decoder: Decoder,
    left: VecDeque<Piece>,
    current: Option<(Piece, Bytes, usize)>,
    objects: Arc<dyn Objects>,
    scanned: Arc<AtomicU64>,
}

impl Reading {
    fn batch(&mut self) -> Result<Option<RecordBatch>, Failure> {
        while self.decoder.rows < ROWS {
            let (piece, data, at) = match &mut self.current {
                Some(current) => current,
                None => {
                    let Some(piece) = self.left.pop_front() else { break };
                    let data = piece.read(&*self.objects, &self.scanned)?;
                    let mut at = 0;
                    if piece.start == 0 {
                        for _ in 0..self.decoder.skipped_lines() {
                            at += line_length(&data[at..]);
                        }
                    }
                    self.current.insert((piece, data, at))
                }
            };
            if *at >= data.len() {
                self.current = None;
                continue;
            }
            let length = line_length(&data[*at..]);
            self.decoder.line(&data[*at..*at + length], &piece.path, &piece.partition)?;
            *at += length;
        }
        if self.decoder.rows == 0 {
            return Ok(None);
        }
        let arrays = self.decoder.columns.iter_mut().map(Column::finish).collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(std::mem::take(&mut self.decoder.rows)));
        RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)
            .map(Some)
            .map_err(|e| Failure::internal(e.to_string()))
    }
}

fn line_length(data: &[u8]) -> usize {
    data.iter().position(|b| *b == b'\n').map_or(data.len(), |n| n + 1)
}

impl PartitionStream for Pieces {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let columns =
            self.schema.fields().iter().map(|f| Column::new(f.data_type())).collect::<Result<Vec<_>, _>>();
        let reading = columns.map(|columns| Reading {
            schema: self.schema.clone(),
            decoder: Decoder::new(self.format.clone(), self.sources.clone(), columns),
            left: self.pieces.iter().cloned().collect(),
            current: None,
            objects: self.objects.clone(),
            scanned: self.scanned.clone(),
        });
        let batches = futures::stream::try_unfold(reading, |reading| async move {
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

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted: Vec<usize> = projection.cloned().unwrap_or_else(|| (0..self.sources.len()).collect());
        let schema = Arc::new(self.schema.project(&wanted)?);
        let sources: Vec<Source> = wanted.iter().map(|n| self.sources[*n].clone()).collect();
        let pieces = self.pieces().map_err(fail)?;
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
                    sources: sources.clone(),
                    pieces,
                    objects: self.objects.clone(),
                    scanned: self.scanned.clone(),
                }) as Arc<dyn PartitionStream>
            })
            .collect();
        Ok(Arc::new(StreamingTableExec::try_new(schema, partitions, None, [], false, limit)?))
    }
}
