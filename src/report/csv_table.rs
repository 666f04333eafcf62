//! CSV tables. Each is one list of columns with name and value side by side, so that neither the order nor the number of
//! the names can differ from those of the values.

use schemars::JsonSchema;
use serde::Serialize;

use crate::results::schema_of_output;

/// A CSV table: `table!(rows, |row| [("name", row.value), ...])`. A value is a number, a text, a truth value or a word for
/// programs; `None` is an empty field.
macro_rules! table {
    ($rows:expr, |$row:pat_param| [$(($name:expr, $value:expr)),+ $(,)?]) => {
        $crate::report::csv_table::write(
            &[$($name),+],
            $rows.into_iter().map(|$row| vec![$(serde_json::json!($value)),+]),
        )
    };
}
pub(super) use table;

/// A CSV table of records that a JSON document holds as well. Columns are their fields, in the order of declaration, which is
/// that of the fields that their schema requires.
pub(super) fn records<T: Serialize + JsonSchema>(records: impl IntoIterator<Item = T>) -> Vec<u8> {
    let schema = schema_of_output::<T>();
    let names = schema["required"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
    write(&names.collect::<Vec<_>>(), records)
}

/// A table from its header and its records. The header is written here rather than by serde, so that it is there even where
/// no record follows.
pub(super) fn write<T: Serialize>(header: &[&str], records: impl IntoIterator<Item = T>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(header).expect(IN_MEMORY);
    for record in records {
        writer.serialize(record).expect(IN_MEMORY);
    }
    writer.into_inner().expect(IN_MEMORY)
}

const IN_MEMORY: &str = "records are flat, as long as their header, and memory takes every byte";

/// Name of a service or operation, `*` for all.
pub(super) fn or_all(name: Option<&String>) -> &str {
    name.map_or("*", String::as_str)
}
