//! One transaction among those that are committed together.

use std::collections::BTreeMap;

use redb::ReadableTable;

use super::{Error, Table, definition};

/// One writer's view: what is committed, what earlier writers of the group wrote, and its own.
pub struct Tx<'a> {
    write: &'a redb::WriteTransaction,
    pending: BTreeMap<(Table, String), Option<Vec<u8>>>,
}

impl<'a> Tx<'a> {
    pub(super) fn new(write: &'a redb::WriteTransaction) -> Tx<'a> {
        Tx { write, pending: BTreeMap::new() }
    }

    pub fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>, Error> {
        if let Some(pending) = self.pending.get(&(table, key.to_owned())) {
            return Ok(pending.clone());
        }
        let table = self.write.open_table(definition(table))?;
        Ok(table.get(key)?.map(|value| value.value().to_vec()))
    }

    /// The first entry whose key starts with `prefix`.
    pub fn first(&self, table: Table, prefix: &str) -> Result<Option<(String, Vec<u8>)>, Error> {
        let gone: Vec<&str> =
            self.pending_of(table, prefix).filter(|(_, v)| v.is_none()).map(|(k, _)| k).collect();
        let written = self.pending_of(table, prefix).find_map(|(k, v)| Some((k.to_owned(), v?.to_vec())));
        let mut found = None;
        let table = self.write.open_table(definition(table))?;
        for entry in table.range(prefix..)? {
            let (key, value) = entry?;
            if !key.value().starts_with(prefix) {
                break;
            }
            if gone.contains(&key.value()) {
                continue;
            }
            found = Some((key.value().to_owned(), value.value().to_vec()));
            break;
        }
        Ok(match (found, written) {
            (Some(found), Some(written)) => Some(if written.0 <= found.0 { written } else { found }),
            (found, written) => found.or(written),
        })
    }

    fn pending_of<'s>(
        &'s self,
        table: Table,
        prefix: &'s str,
    ) -> impl Iterator<Item = (&'s str, Option<&'s [u8]>)> {
        self.pending
            .range((table, prefix.to_owned())..)
            .take_while(move |((t, key), _)| *t == table && key.starts_with(prefix))
            .map(|((_, key), value)| (key.as_str(), value.as_deref()))
    }

    pub fn put(&mut self, table: Table, key: impl Into<String>, value: impl Into<Vec<u8>>) {
        self.pending.insert((table, key.into()), Some(value.into()));
    }

    pub fn delete(&mut self, table: Table, key: impl Into<String>) {
        self.pending.insert((table, key.into()), None);
    }

    /// All entries whose key starts with `prefix`, in key order.
    pub fn scan(&self, table: Table, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let mut found = BTreeMap::new();
        {
            let table = self.write.open_table(definition(table))?;
            for entry in table.range(prefix..)? {
                let (key, value) = entry?;
                if !key.value().starts_with(prefix) {
                    break;
                }
                found.insert(key.value().to_owned(), value.value().to_vec());
            }
        }
        for (key, value) in self.pending_of(table, prefix) {
            match value {
                Some(value) => found.insert(key.to_owned(), value.to_vec()),
                None => found.remove(key),
            };
        }
        Ok(found.into_iter().collect())
    }

    /// Whether there was anything to write.
    pub(super) fn apply(self) -> Result<bool, Error> {
        let any = !self.pending.is_empty();
        for ((table, key), value) in self.pending {
            let mut table = self.write.open_table(definition(table))?;
            match value {
                Some(value) => table.insert(key.as_str(), value.as_slice())?,
                None => table.remove(key.as_str())?,
            };
        }
        Ok(any)
    }
}
