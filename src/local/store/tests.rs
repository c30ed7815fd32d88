//! Commits, failures and reopening.

use super::*;

const NOTES: Table = "test.notes";

async fn put(store: &Store, key: &'static str, value: &'static str) -> Result<(), Error> {
    store
        .transact(move |tx| {
            tx.put(NOTES, key, value);
            Ok(())
        })
        .await
}

#[tokio::test]
async fn what_was_answered_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Some(folder.path())).unwrap();
    put(&store, "a", "1").await.unwrap();
    store.close().await;
    assert!(matches!(store.get(NOTES, "a"), Err(Error::Closed)));
    assert!(matches!(put(&store, "b", "2").await, Err(Error::Closed)));
    let store = Store::open(Some(folder.path())).unwrap();
    assert_eq!(store.get(NOTES, "a").unwrap().unwrap(), b"1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_under_way_is_over_before_the_file_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Some(folder.path())).unwrap();
    let (begin, begun) = std::sync::mpsc::channel();
    let (end, ended) = std::sync::mpsc::channel();
    let writer = store.clone();
    let writing = tokio::spawn(async move {
        let slow = move |tx: &mut Tx<'_>| {
            tx.put(NOTES, "a", "1");
            begin.send(()).unwrap();
            ended.recv().unwrap();
            Ok::<_, Error>(())
        };
        writer.transact(slow).await
    });
    tokio::task::spawn_blocking(move || begun.recv().unwrap()).await.unwrap();
    let (shared, path) = (store.shared.clone(), folder.path().to_path_buf());
    let closing = tokio::task::spawn_blocking(move || {
        shared.close();
        Store::open(Some(&path))
    });
    while !matches!(store.get(NOTES, "a"), Err(Error::Closed)) {
        tokio::task::yield_now().await;
    }
    end.send(()).unwrap();
    writing.await.unwrap().unwrap();
    let again = closing.await.unwrap().unwrap();
    assert_eq!(again.get(NOTES, "a").unwrap().unwrap(), b"1");
}

#[tokio::test]
async fn an_error_or_a_panic_writes_nothing_and_the_next_write_works() {
    let store = Store::open(None).unwrap();
    let failed: Result<(), Error> = store
        .transact(|tx| {
            tx.put(NOTES, "a", "1");
            Err(Error::Disk("no".into()))
        })
        .await;
    assert!(failed.is_err());
    let panicked: Result<(), Error> = store.transact(|_| panic!("on purpose")).await;
    assert!(panicked.is_err());
    assert_eq!(store.get(NOTES, "a").unwrap(), None);
    put(&store, "b", "2").await.unwrap();
    assert_eq!(store.get(NOTES, "b").unwrap().unwrap(), b"2");
}

#[tokio::test]
async fn a_transaction_sees_its_own_writes() {
    let store = Store::open(None).unwrap();
    put(&store, "p/1", "old").await.unwrap();
    put(&store, "p/2", "kept").await.unwrap();
    let (first, all) = store
        .transact(|tx| {
            tx.delete(NOTES, "p/1");
            tx.put(NOTES, "p/3", "new");
            tx.put(NOTES, "q", "elsewhere");
            Ok::<_, Error>((tx.first(NOTES, "p/")?, tx.scan(NOTES, "p/")?))
        })
        .await
        .unwrap();
    assert_eq!(first.unwrap().0, "p/2");
    assert_eq!(all.into_iter().map(|(k, _)| k).collect::<Vec<_>>(), ["p/2", "p/3"]);
}

#[test]
fn a_store_in_use_and_a_damaged_one_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Store::open(Some(folder.path())).unwrap();
    let second = Store::open(Some(folder.path())).err().unwrap().to_string();
    assert!(second.contains("in use by another process"), "{second}");

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cloud.redb"), vec![b'x'; 8192]).unwrap();
    let damaged = Store::open(Some(folder.path())).err().unwrap().to_string();
    assert!(damaged.contains("move it away"), "{damaged}");
}

#[tokio::test]
async fn the_file_is_opened_again_while_others_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Some(folder.path())).unwrap();
    put(&store, "a", "1").await.unwrap();
    store.shared.reopen().unwrap();
    assert_eq!(store.get(NOTES, "a").unwrap().unwrap(), b"1");
    put(&store, "b", "2").await.unwrap();
}

#[tokio::test]
async fn a_file_that_cannot_be_made_whole_leaves_nothing_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let (file, new) = (folder.path().join("cloud.redb"), folder.path().join("cloud.redb.new"));
    // A folder in the place of the new file: making it fails, as on a full disk.
    std::fs::create_dir(&new).unwrap();
    assert!(Store::open(Some(folder.path())).is_err());
    assert!(!file.exists());
    std::fs::remove_dir(&new).unwrap();
    // What a process left that was killed while it made one.
    std::fs::write(&new, [7; 4096]).unwrap();
    let store = Store::open(Some(folder.path())).unwrap();
    put(&store, "a", "1").await.unwrap();
    assert!(file.exists() && !new.exists());
}
