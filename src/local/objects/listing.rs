//! Listing a bucket: prefix, delimiter, pages.

use std::ops::ControlFlow;

use super::{OBJECTS, Object, ObjectStore, decode};
use crate::local::fault::Fault;

/// What a page is to show.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub prefix: String,
    /// Keys that share a beginning up to it count as one common prefix. Empty for none.
    pub delimiter: String,
    /// Only keys after this one.
    pub after: String,
    /// `after` ends a page: if it is a common prefix, all keys under it were shown.
    pub resumed: bool,
    /// Objects and common prefixes together.
    pub limit: usize,
}

#[derive(Debug, Default)]
pub struct Page {
    pub objects: Vec<(String, Object)>,
    pub prefixes: Vec<String>,
    pub truncated: bool,
    /// The last key or common prefix shown: where the next page goes on.
    pub last: String,
}

impl Page {
    pub fn count(&self) -> usize {
        self.objects.len() + self.prefixes.len()
    }
}

impl ObjectStore {
    /// One page in key order, or `NoSuchBucket`.
    pub fn page(&self, bucket: &str, wanted: &Wanted) -> Result<Page, Fault> {
        self.bucket(bucket)?;
        let mut page = Page::default();
        if wanted.limit == 0 {
            return Ok(page);
        }
        let skip = bucket.len() + 1;
        let mut after = match wanted.after.as_str() {
            "" => String::new(),
            key => format!("{bucket}/{key}"),
        };
        if wanted.resumed && common(&wanted.after, wanted).is_some_and(|c| c == wanted.after) {
            after.push(char::MAX);
        }
        let mut broken = None;
        loop {
            // A common prefix is left by one jump behind all its keys.
            let mut jump = None;
            self.bus.store.scan(OBJECTS, &format!("{bucket}/{}", wanted.prefix), &after, |row, value| {
                let key = &row[skip..];
                if page.count() == wanted.limit {
                    page.truncated = true;
                    return ControlFlow::Break(());
                }
                if let Some(prefix) = common(key, wanted) {
                    page.last = prefix.to_owned();
                    page.prefixes.push(prefix.to_owned());
                    jump = Some(format!("{bucket}/{prefix}{}", char::MAX));
                    return ControlFlow::Break(());
                }
                match decode(value) {
                    Ok(object) => {
                        page.last = key.to_owned();
                        page.objects.push((key.to_owned(), object));
                        ControlFlow::Continue(())
                    }
                    Err(fault) => {
                        broken = Some(fault);
                        ControlFlow::Break(())
                    }
                }
            })?;
            match (broken.take(), jump) {
                (Some(fault), _) => return Err(fault),
                (None, Some(next)) => after = next,
                (None, None) => return Ok(page),
            }
        }
    }
}

/// The common prefix a key belongs to, if any.
fn common<'a>(key: &'a str, wanted: &Wanted) -> Option<&'a str> {
    if wanted.delimiter.is_empty() {
        return None;
    }
    let rest = key.strip_prefix(wanted.prefix.as_str())?;
    let end = rest.find(&wanted.delimiter)? + wanted.delimiter.len();
    Some(&key[..wanted.prefix.len() + end])
}
