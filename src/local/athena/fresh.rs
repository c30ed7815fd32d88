//! The objects of a statement that writes. They stay once its end is written; of a statement that fails or
//! is cancelled they are removed, as far as they can be: Athena too leaves them only in some cases
//! ("Locate orphaned files", <https://docs.aws.amazon.com/athena/latest/ug/ctas-considerations-limitations.html>).

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::local::bus::Objects;
use crate::local::fault::Fault;

/// Objects that go away with it unless they are kept.
pub struct Fresh {
    objects: Arc<dyn Objects>,
    /// Of the server: what a statement runs on ends with it.
    server: Handle,
    /// `s3://bucket/key`
    paths: Vec<String>,
    /// The object that is being written.
    writing: Option<JoinHandle<Result<(), Fault>>>,
}

impl std::fmt::Debug for Fresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fresh({:?})", self.paths)
    }
}

impl Fresh {
    pub fn new(objects: Arc<dyn Objects>, server: Handle) -> Fresh {
        Fresh { objects, server, paths: Vec::new(), writing: None }
    }

    /// Writes an object. It goes on when the statement is stopped meanwhile, so that the object is removed
    /// after it was written and not before.
    pub async fn write(&mut self, bucket: &str, key: &str, body: Bytes) -> Result<(), Fault> {
        self.paths.push(format!("s3://{bucket}/{key}"));
        let (objects, bucket, key) = (self.objects.clone(), bucket.to_owned(), key.to_owned());
        let write = async move { objects.write(&bucket, &key, body, "application/octet-stream").await };
        let written = self.writing.insert(self.server.spawn(write.boxed())).await;
        self.writing = None;
        written.unwrap_or_else(|error| Err(Fault::internal(error.to_string())))
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
        let (paths, writing) = (std::mem::take(&mut self.paths), self.writing.take());
        if paths.is_empty() {
            return;
        }
        // Dropped in the middle of a statement that was stopped, where nothing can be waited for.
        let objects = self.objects.clone();
        self.server.spawn(
            async move {
                if let Some(writing) = writing
                    && let Err(error) = writing.await
                {
                    tracing::warn!("a file of a stopped statement was not written: {error}");
                }
                remove(&*objects, paths).await;
            }
            .boxed(),
        );
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
