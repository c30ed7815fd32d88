//! Names of formats and the classes that Hive knows them by. Pure.

/// The classes of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storage {
    pub serde: &'static str,
    pub input: &'static str,
    pub output: &'static str,
}

pub const LAZY_SIMPLE: &str = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";
pub const HIVE_JSON: &str = "org.apache.hive.hcatalog.data.JsonSerDe";
const TEXT_INPUT: &str = "org.apache.hadoop.mapred.TextInputFormat";
const TEXT_OUTPUT: &str = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat";

pub const TEXT: Storage = Storage { serde: LAZY_SIMPLE, input: TEXT_INPUT, output: TEXT_OUTPUT };
pub const JSON: Storage = Storage { serde: HIVE_JSON, input: TEXT_INPUT, output: TEXT_OUTPUT };
pub const PARQUET: Storage = Storage {
    serde: "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    input: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    output: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
};

/// What STORED AS means; `None` for a word that Hive does not know.
pub fn of(stored_as: &str) -> Option<Storage> {
    Some(match stored_as {
        "TEXTFILE" => TEXT,
        "JSONFILE" | "JSON" => JSON,
        "PARQUET" => PARQUET,
        "ORC" => Storage {
            serde: "org.apache.hadoop.hive.ql.io.orc.OrcSerde",
            input: "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat",
            output: "org.apache.hadoop.hive.ql.io.orc.OrcOutputFormat",
        },
        "AVRO" => Storage {
            serde: "org.apache.hadoop.hive.serde2.avro.AvroSerDe",
            input: "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat",
            output: "org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat",
        },
        "SEQUENCEFILE" => Storage {
            serde: LAZY_SIMPLE,
            input: "org.apache.hadoop.mapred.SequenceFileInputFormat",
            output: "org.apache.hadoop.hive.ql.io.HiveSequenceFileOutputFormat",
        },
        "RCFILE" => Storage {
            serde: "org.apache.hadoop.hive.serde2.columnar.LazyBinaryColumnarSerDe",
            input: "org.apache.hadoop.hive.ql.io.RCFileInputFormat",
            output: "org.apache.hadoop.hive.ql.io.RCFileOutputFormat",
        },
        "ION" => Storage {
            serde: "com.amazon.ionhiveserde.IonHiveSerDe",
            input: "com.amazon.ionhiveserde.formats.IonInputFormat",
            output: "com.amazon.ionhiveserde.formats.IonOutputFormat",
        },
        _ => return None,
    })
}
