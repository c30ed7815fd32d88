//! Parquet objects into the columns of a table.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::physical_optimizer::pruning::PruningPredicate;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use super::columns::Column;
use super::format::{Place, Source, constant};
use super::pieces::{Access, Object, Piece, Stream};
use super::prune::Statistics;
use super::scan::ROWS;
use super::{adapt, arrow};
use crate::local::athena::failure::Failure;

/// Smaller objects are read at once, bytes.
const SMALL: u64 = 1 << 20;

/// An object that Parquet's reader asks for ranges of.
struct Chunks {
    object: Arc<Object>,
    access: Access,
    /// All of a small object.
    whole: Option<Bytes>,
}

impl Chunks {
    fn new(object: Arc<Object>, access: Access) -> Result<Chunks, Failure> {
        let whole = if object.size <= SMALL { Some(access.whole(&object)?) } else { None };
        Ok(Chunks { object, access, whole })
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.whole.as_ref().map_or(self.object.size, |all| all.len() as u64)
    }
}

impl ChunkReader for Chunks {
    type T = Box<dyn Read>;

    /// Asked for at the head of each page, of which little is read.
    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(match &self.whole {
            Some(all) => Box::new(all.slice((start as usize).min(all.len())..).reader()),
            None => Box::new(Stream::unmetered(self.object.clone(), self.access.clone(), start)),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let end = start.saturating_add(length as u64);
        if end > self.len() {
            return Err(ParquetError::EOF("Unexpected end of the file".into()));
        }
        if let Some(all) = &self.whole {
            return Ok(all.slice(start as usize..end as usize));
        }
        let read = self.access.range(&self.object, start, end);
        read.map_err(|failure| ParquetError::External(Box::new(failure)))
    }
}

fn broken(error: &(dyn std::error::Error + 'static), path: &str) -> Failure {
    let mut source = Some(error);
    while let Some(inner) = source {
        if let Some(failure) = inner.downcast_ref::<Failure>() {
            return failure.clone();
        }
        source = inner.source();
    }
    Failure::new("HIVE_BAD_DATA", format!("Not valid Parquet file: {path}: {error}"))
}

/// Some objects, one after the other.
pub struct Reading {
    schema: SchemaRef,
    sources: Vec<Source>,
    by_index: bool,
    /// Chooses row groups.
    predicate: Option<Arc<PruningPredicate>>,
    left: VecDeque<Piece>,
    current: Option<Open>,
    access: Access,
}

/// An object that is being read.
struct Open {
    object: Arc<Object>,
    rows: Rows,
    /// For each column that is wanted, which of the columns read it is.
    places: Vec<Option<usize>>,
}

enum Rows {
    Columns(Box<ParquetRecordBatchReader>),
    /// No column of the file is wanted: only how many rows are left.
    Count(usize),
}

impl Reading {
    pub fn new(
        schema: SchemaRef,
        sources: Vec<Source>,
        by_index: bool,
        predicate: Option<Arc<PruningPredicate>>,
        left: VecDeque<Piece>,
        access: Access,
    ) -> Reading {
        Reading { schema, sources, by_index, predicate, left, current: None, access }
    }

    pub fn batch(&mut self) -> Result<Option<RecordBatch>, Failure> {
        loop {
            let open = match &mut self.current {
                Some(open) => open,
                None => {
                    let Some(piece) = self.left.pop_front() else { return Ok(None) };
                    let open = self.open(piece.object)?;
                    self.current.insert(open)
                }
            };
            let path = &open.object.path;
            let (columns, rows): (Vec<ArrayRef>, usize) = match &mut open.rows {
                Rows::Count(left) => {
                    let rows = (*left).min(ROWS);
                    *left -= rows;
                    (Vec::new(), rows)
                }
                Rows::Columns(reader) => match reader.next() {
                    Some(batch) => {
                        let batch = batch.map_err(|e| broken(&e, path))?;
                        (batch.columns().to_vec(), batch.num_rows())
                    }
                    None => (Vec::new(), 0),
                },
            };
            if rows == 0 {
                self.current = None;
                continue;
            }
            return finish(&self.schema, &self.sources, open, &columns, rows).map(Some);
        }
    }

    fn open(&self, object: Arc<Object>) -> Result<Open, Failure> {
        let path = object.path.clone();
        let chunks = Chunks::new(object.clone(), self.access.clone())?;
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let read = ArrowReaderMetadata::load(&chunks, options).map_err(|e| broken(&e, &path))?;
        let file = read.schema().clone();
        // The file's columns that are wanted, in the file's order: so the reader gives them.
        let mut roots: Vec<usize> = Vec::new();
        let found: Vec<Option<usize>> = self
            .sources
            .iter()
            .map(|source| {
                let Source::Field { key, position } = source else { return None };
                let root = if self.by_index {
                    (*position < file.fields().len()).then_some(*position)
                } else {
                    file.fields().iter().position(|f| f.name().eq_ignore_ascii_case(key))
                };
                roots.extend(root);
                root
            })
            .collect();
        roots.sort_unstable();
        roots.dedup();
        let places = found.iter().map(|root| root.and_then(|r| roots.binary_search(&r).ok())).collect();
        if roots.is_empty() {
            let rows: i64 = read.metadata().row_groups().iter().map(|g| g.num_rows()).sum();
            return Ok(Open { object, rows: Rows::Count(usize::try_from(rows).unwrap_or(0)), places });
        }
        let mask = ProjectionMask::roots(read.parquet_schema(), roots);
        let groups = match &self.predicate {
            Some(predicate) => {
                Statistics { read: &read, schema: &self.schema, roots: &found }.groups(predicate)
            }
            None => (0..read.metadata().num_row_groups()).collect(),
        };
        // Compressed bytes of the columns read, as Athena counts them.
        let chunks_read = groups.iter().flat_map(|group| {
            let columns = read.metadata().row_group(*group).columns().iter().enumerate();
            columns.filter(|(leaf, _)| mask.leaf_included(*leaf))
        });
        let bytes: i64 = chunks_read.map(|(_, chunk)| chunk.compressed_size()).sum();
        self.access.meter.add(u64::try_from(bytes).unwrap_or(0))?;
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(chunks, read)
            .with_projection(mask)
            .with_row_groups(groups)
            .with_batch_size(ROWS)
            .build()
            .map_err(|e| broken(&e, &path))?;
        Ok(Open { object, rows: Rows::Columns(Box::new(reader)), places })
    }
}

fn finish(
    schema: &SchemaRef,
    sources: &[Source],
    open: &Open,
    columns: &[ArrayRef],
    rows: usize,
) -> Result<RecordBatch, Failure> {
    let object = &open.object;
    let mut arrays = Vec::with_capacity(sources.len());
    for ((source, field), place) in sources.iter().zip(schema.fields()).zip(&open.places) {
        let array = match (source, place.and_then(|n| columns.get(n))) {
            (Source::Field { .. }, Some(found)) => {
                adapt::adapt(found, field.data_type(), adapt::Fields::ByName).map_err(|_| {
                    Failure::new(
                        "HIVE_BAD_DATA",
                        format!(
                            "Field {}'s type {} in parquet file {} is incompatible with type {} defined in table schema",
                            field.name(),
                            arrow::from(found.data_type()).trino(),
                            object.path,
                            arrow::from(field.data_type()).trino()
                        ),
                    )
                })?
            }
            (Source::Field { .. }, None) => new_null_array(field.data_type(), rows),
            (other, _) => {
                let mut column = Column::new(field.data_type())?;
                let place = Place { path: &object.path, partition: &object.partition };
                for _ in 0..rows {
                    constant(other, &mut column, &place)?;
                }
                column.finish()?
            }
        };
        arrays.push(array);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), arrays, &options)
        .map_err(|e| Failure::internal(e.to_string()))
}
