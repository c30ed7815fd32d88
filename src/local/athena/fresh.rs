//! The objects of a statement that writes. They stay once its end is written; of a statement that fails or
//! is cancelled they are removed, as far as they can be: Athena too leaves them only in some cases
//! ("Locate orphaned files", <https://docs.aws.amazon.com/athena/latest/ug/ctas-considerations-limitations.html>).

use std::sync::Arc;

use crate::local::bus::Objects;

/// Objects that go away with it unless they are kept.
pub struct Fresh {
    objects: Arc<dyn Objects>,
    /// `s3://bucket/key`
    paths: Vec<String>,
}

impl std::fmt::Debug for Fresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fresh({:?})", self.paths)
    }
}

impl Fresh {
    pub fn new(objects: Arc<dyn Objects>) -> Fresh {
        Fresh { objects, paths: Vec::new() }
    }

    /// Takes in an object that is about to be written.
    pub fn add(&mut self, path: String) {
        self.paths.push(path);
    }

    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    pub fn keep(mut self) {
        self.paths.clear();
    }

    /// Removes them and waits for it.
    pub async fn remove(mut self) {
        remove(&*self.objects, std::mem::take(&mut self.paths)).await;
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let paths = std::mem::take(&mut self.paths);
        if paths.is_empty() {
            return;
        }
        // Dropped in the middle of a statement that was stopped, where nothing can be waited for.
        match tokio::runtime::Handle::try_current() {
            Ok(handle) => {
                let objects = self.objects.clone();
                handle.spawn(async move { remove(&*objects, paths).await });
            }
            Err(_) => tracing::warn!(?paths, "the files of a stopped statement stay"),
        }
    }
}

async fn remove(objects: &dyn Objects, paths: Vec<String>) {
    for path in paths {
        let Some((bucket, key)) = path.strip_prefix("s3://").and_then(|p| p.split_once('/')) else {
            continue;
        };
        if let Err(fault) = objects.delete(bucket, key).await {
            tracing::warn!(path, "a file of a statement that did not succeed stays: {}", fault.message);
        }
    }
}
