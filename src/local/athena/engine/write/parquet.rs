//! Rows into a Parquet file.

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression as Codec, GzipLevel, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::Compression;
use crate::local::athena::failure::Failure;

/// What a group of rows may hold before it is written, bytes.
const GROUP: usize = 16 << 20;

pub struct ParquetFile(ArrowWriter<Vec<u8>>);

fn wrong(error: &ParquetError) -> Failure {
    Failure::new("HIVE_WRITER_DATA_ERROR", error.to_string())
}

impl ParquetFile {
    pub fn new(schema: &SchemaRef, compression: Compression) -> Result<ParquetFile, Failure> {
        let codec = match compression {
            Compression::None => Codec::UNCOMPRESSED,
            Compression::Gzip => Codec::GZIP(GzipLevel::default()),
            Compression::Snappy => Codec::SNAPPY,
            Compression::Zstd => Codec::ZSTD(ZstdLevel::default()),
        };
        // Types and names as other readers of Parquet know them.
        let properties = WriterProperties::builder().set_compression(codec).set_coerce_types(true).build();
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        ArrowWriter::try_new_with_options(Vec::new(), schema.clone(), options)
            .map(ParquetFile)
            .map_err(|e| wrong(&e))
    }

    pub fn rows(&mut self, rows: &RecordBatch) -> Result<(), Failure> {
        self.0.write(rows).map_err(|e| wrong(&e))?;
        if self.0.in_progress_size() > GROUP {
            self.0.flush().map_err(|e| wrong(&e))?;
        }
        Ok(())
    }

    pub fn size(&self) -> usize {
        self.0.bytes_written() + self.0.in_progress_size()
    }

    pub fn bytes(self) -> Result<Vec<u8>, Failure> {
        self.0.into_inner().map_err(|e| wrong(&e))
    }
}
