//! Rows into objects: CREATE TABLE AS, INSERT and UNLOAD.

mod parquet;
mod text;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use datafusion::arrow::array::{ArrayRef, RecordBatch, UInt32Array, new_null_array};
use datafusion::arrow::compute::take_record_batch;
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::physical_plan::execute_stream;
use futures::StreamExt;

use self::parquet::ParquetFile;
use self::text::TextFile;
use super::adapt::{Fields, adapt};
use super::format::Format;
use super::{Ask, Machine, Meter, arrow, at_once, errors, print};
use crate::local::athena::catalog::{Catalog, Column, Partition, Table};
use crate::local::athena::ddl;
use crate::local::athena::failure::Failure;
use crate::local::athena::fresh::Fresh;
use crate::local::athena::types::Type;
use crate::local::athena::{partitions, projection};

/// Partitions that one statement may write.
const OPEN: usize = 100;
/// A file of this many bytes is done, and another begun.
const LARGE: usize = 32 << 20;

/// How files are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
    Snappy,
    Zstd,
}

impl Compression {
    /// What a table's properties or an option say; GZIP when they say nothing, as on Athena.
    pub fn read(text: Option<&str>) -> Result<Compression, Failure> {
        Ok(match text.unwrap_or("GZIP").to_ascii_uppercase().as_str() {
            "NONE" | "UNCOMPRESSED" => Compression::None,
            "GZIP" => Compression::Gzip,
            "SNAPPY" => Compression::Snappy,
            "ZSTD" => Compression::Zstd,
            other => {
                return Err(Failure::unsupported(format!(
                    "the local cloud does not write {other} compression"
                )));
            }
        })
    }
}

/// Where rows go.
#[derive(Clone)]
pub struct Write {
    /// Says the format, the columns and the place.
    pub table: Table,
    pub compression: Compression,
    /// For each column of the table, partition columns last, the column of the query.
    pub places: Vec<Option<usize>>,
    /// Partitions that have a place of their own.
    pub known: Vec<Partition>,
    /// What the names of the files begin with.
    pub stem: String,
}

/// What was written.
#[derive(Debug)]
pub struct Written {
    pub rows: u64,
    pub files: Fresh,
    /// The partitions that got rows.
    pub partitions: Vec<Partition>,
    /// Time until the plan stood.
    pub planning: Duration,
}

pub async fn run(
    machine: &Machine,
    catalog: &Catalog,
    ask: &Ask,
    write: Write,
    files: Fresh,
    meter: Arc<Meter>,
) -> Result<Written, Failure> {
    let began = Instant::now();
    let failed = |e| errors::failure(&e, &ask.sql);
    let (_, plan) = machine.plan(catalog, ask, &meter).await?;
    let state = at_once(&machine.state);
    let physical = state.create_physical_plan(&plan).await.map_err(failed)?;
    let mut batches = execute_stream(physical, state.task_ctx()).map_err(failed)?;
    let mut files = Files::new(write, files)?;
    files.written.planning = began.elapsed();
    let outcome = async {
        while let Some(batch) = batches.next().await {
            files.batch(&batch.map_err(failed)?).await?;
        }
        files.finish().await
    }
    .await;
    if let Err(failure) = outcome {
        files.written.files.remove().await;
        return Err(failure);
    }
    Ok(files.written)
}

/// A file that rows go to.
enum File {
    Parquet(Box<ParquetFile>),
    Text(TextFile),
}

impl File {
    fn new(write: &Write, format: &Format, schema: &SchemaRef) -> Result<File, Failure> {
        match format {
            Format::Parquet { .. } => {
                ParquetFile::new(schema, write.compression).map(Box::new).map(File::Parquet)
            }
            text => TextFile::new(text, schema, write.compression).map(File::Text),
        }
    }

    fn rows(&mut self, rows: &RecordBatch) -> Result<(), Failure> {
        match self {
            File::Parquet(file) => file.rows(rows),
            File::Text(file) => file.rows(rows),
        }
    }

    fn size(&self) -> usize {
        match self {
            File::Parquet(file) => file.size(),
            File::Text(file) => file.size(),
        }
    }

    fn bytes(self) -> Result<Vec<u8>, Failure> {
        match self {
            File::Parquet(file) => file.bytes(),
            File::Text(file) => file.bytes(),
        }
    }
}

struct Files {
    write: Write,
    format: Format,
    /// The columns in the files, and after them those of partitions.
    schema: SchemaRef,
    inside: usize,
    /// By the partition's values.
    open: BTreeMap<Vec<String>, Option<File>>,
    written: Written,
}

fn fields(columns: &[Column]) -> Result<Vec<Field>, Failure> {
    let field = |c: &Column| {
        let kind = c.read()?;
        writable(&kind)?;
        Ok(Field::new(&c.name, arrow::to(&kind), true))
    };
    columns.iter().map(field).collect()
}

/// Types that Hive has no word for are not kept.
pub fn writable(kind: &Type) -> Result<(), Failure> {
    match kind {
        Type::Json | Type::Time | Type::TimestampTz | Type::IntervalDaySecond | Type::IntervalYearMonth => {
            Err(Failure::unsupported(format!("Unsupported Hive type: {}", kind.trino())))
        }
        Type::Unknown => Err(Failure::new("COLUMN_TYPE_UNKNOWN", "Column type is unknown")),
        Type::Array(of) => writable(of),
        Type::Map(key, value) => writable(key).and_then(|()| writable(value)),
        Type::Row(fields) => fields.iter().try_for_each(|(_, kind)| writable(kind)),
        _ => Ok(()),
    }
}

impl Files {
    fn new(write: Write, files: Fresh) -> Result<Files, Failure> {
        let mut all = fields(&write.table.columns)?;
        let inside = all.len();
        all.extend(fields(&write.table.partitioned_by)?);
        Ok(Files {
            format: Format::of(&write.table)?,
            schema: Arc::new(Schema::new(all)),
            inside,
            write,
            open: BTreeMap::new(),
            written: Written { rows: 0, files, partitions: Vec::new(), planning: Duration::ZERO },
        })
    }

    async fn batch(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let wrong =
            |e: datafusion::arrow::error::ArrowError| Failure::new("INVALID_CAST_ARGUMENT", e.to_string());
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        for (field, place) in self.schema.fields().iter().zip(&self.write.places) {
            arrays.push(match place.and_then(|n| batch.columns().get(n)) {
                Some(array) => adapt(array, field.data_type(), Fields::ByPlace).map_err(wrong)?,
                None => new_null_array(field.data_type(), batch.num_rows()),
            });
        }
        self.written.rows += batch.num_rows() as u64;
        let rows = RecordBatch::try_new(self.schema.clone(), arrays).map_err(wrong)?;
        let all: Vec<usize> = (0..self.inside).collect();
        let inner = rows.project(&all).map_err(wrong)?;
        if self.write.table.partitioned_by.is_empty() {
            return self.rows(Vec::new(), &inner).await;
        }
        let mut groups: BTreeMap<Vec<String>, Vec<u32>> = BTreeMap::new();
        for row in 0..rows.num_rows() {
            let values = rows.columns()[self.inside..].iter().map(|array| value(array, row)).collect();
            // A batch has a few thousand rows.
            groups.entry(values).or_default().push(row as u32);
        }
        for (values, picked) in groups {
            let some = take_record_batch(&inner, &UInt32Array::from(picked)).map_err(wrong)?;
            self.rows(values, &some).await?;
        }
        Ok(())
    }

    async fn rows(&mut self, values: Vec<String>, rows: &RecordBatch) -> Result<(), Failure> {
        if !self.open.contains_key(&values) && self.open.len() >= OPEN {
            return Err(Failure::new(
                "HIVE_TOO_MANY_OPEN_PARTITIONS",
                format!("Exceeded limit of {OPEN} open writers for partitions/buckets"),
            ));
        }
        let schema = rows.schema();
        let slot = self.open.entry(values.clone()).or_default();
        let file = match slot {
            Some(file) => file,
            None => slot.insert(File::new(&self.write, &self.format, &schema)?),
        };
        file.rows(rows)?;
        if file.size() > LARGE
            && let Some(done) = slot.take()
        {
            self.put(&values, done).await?;
        }
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), Failure> {
        for (values, file) in std::mem::take(&mut self.open) {
            if let Some(file) = file {
                self.put(&values, file).await?;
            }
        }
        Ok(())
    }

    /// Writes a file as an object of its partition.
    async fn put(&mut self, values: &[String], file: File) -> Result<(), Failure> {
        let table = &self.write.table;
        let at = if values.is_empty() {
            table.location.clone()
        } else {
            match self.write.known.iter().find(|p| p.values == values) {
                Some(known) => known.location.clone(),
                None => projection::location(table, values),
            }
        };
        let Some((bucket, prefix)) = ddl::location(&at) else {
            return Err(Failure::new("HIVE_METASTORE_ERROR", format!("Bad location {at}")));
        };
        let packed = matches!(file, File::Text(_)) && self.write.compression == Compression::Gzip;
        let ending = if packed { ".gz" } else { "" };
        let key = format!("{prefix}{}_{}{ending}", self.write.stem, uuid::Uuid::new_v4());
        let path = format!("s3://{bucket}/{key}");
        let body = Bytes::from(file.bytes()?);
        self.written.files.write(&bucket, &key, body).await.map_err(|fault| {
            Failure::new("HIVE_WRITER_OPEN_ERROR", format!("Error writing to {path}: {}", fault.message))
        })?;
        if !values.is_empty() && !self.written.partitions.iter().any(|p| p.values == values) {
            self.written.partitions.push(Partition { values: values.to_vec(), location: at });
        }
        Ok(())
    }
}

/// The value of a partition as text.
fn value(array: &ArrayRef, row: usize) -> String {
    let mut out = String::new();
    if print::cell(array, row, &mut out) && !out.is_empty() { out } else { partitions::NULL.to_owned() }
}
