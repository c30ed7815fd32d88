//! Where queries run: each on threads of its own, which end with it. The system shares the processors
//! between them, so that one that never waits holds up neither the others nor the server.
//!
//! A task is only dropped where it waits, and a query may work on one batch for minutes. So every query has
//! a flag besides, which [`check`] reads wherever much may be done at a stretch.

use std::any::Any;
use std::sync::Arc;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::common::Result;
use datafusion::common::runtime::{JoinSetTracer, set_join_set_tracer};
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::optimizer::{Optimizer, OptimizerConfig, OptimizerRule};
use futures::future::{BoxFuture, FutureExt};
use tokio::runtime::Runtime;

use super::scan::fail;
use crate::local::athena::failure::Failure;

/// Plans are deep, and unoptimised builds use much stack for each level.
const STACK: usize = 256 << 20;

/// Whether the query is to end.
type Flag = Arc<AtomicBool>;

tokio::task_local! {
    /// The flag of the query that the current task works for.
    static STOPPED: Flag;
}

/// Fails when nobody waits for the current query any more.
pub fn check() -> Result<(), Failure> {
    match STOPPED.try_with(|flag| flag.load(Ordering::Relaxed)) {
        Ok(true) => Err(stopped()),
        _ => Ok(()),
    }
}

fn stopped() -> Failure {
    Failure::internal("the query was stopped")
}

/// A step of the optimiser that looks whether the query is to end: the others may take long.
#[derive(Debug)]
struct Look;

impl OptimizerRule for Look {
    fn name(&self) -> &str {
        "look"
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        check().map_err(fail)?;
        Ok(Transformed::no(plan))
    }
}

type Rules = Vec<Arc<dyn OptimizerRule + Send + Sync>>;

/// The engine's own steps of optimising, between which a query may end.
pub fn rules() -> Rules {
    let steps = Optimizer::new().rules.into_iter();
    steps.flat_map(|step| [Arc::new(Look) as _, step]).collect()
}

/// Hands the flag on to the tasks that the engine starts by itself.
struct HandOn;

impl JoinSetTracer for HandOn {
    fn trace_future(
        &self,
        task: BoxFuture<'static, Box<dyn Any + Send>>,
    ) -> BoxFuture<'static, Box<dyn Any + Send>> {
        match STOPPED.try_with(Flag::clone) {
            Ok(flag) => STOPPED.scope(flag, task).boxed(),
            Err(_) => task,
        }
    }

    fn trace_block(
        &self,
        work: Box<dyn FnOnce() -> Box<dyn Any + Send> + Send>,
    ) -> Box<dyn FnOnce() -> Box<dyn Any + Send> + Send> {
        match STOPPED.try_with(Flag::clone) {
            Ok(flag) => Box::new(move || STOPPED.sync_scope(flag, work)),
            Err(_) => work,
        }
    }
}

/// The threads of one query. Dropping them stops it.
struct Threads {
    /// There until it is dropped.
    runtime: Option<Runtime>,
    flag: Flag,
}

impl Threads {
    fn start(count: usize) -> Result<Threads, Failure> {
        static ONCE: Once = Once::new();
        // It is set already where another part of the process has set it: then only the flag of tasks
        // that the engine starts is missing.
        ONCE.call_once(|| drop(set_join_set_tracer(&HandOn)));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(count)
            .thread_name("sql")
            .thread_stack_size(STACK)
            .enable_time()
            .build()
            .map_err(|e| Failure::internal(format!("the SQL engine could not start: {e}")))?;
        Ok(Threads { runtime: Some(runtime), flag: Flag::default() })
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.flag.store(true, Ordering::Relaxed);
        // Dropped from asynchronous code, where waiting for the threads is not allowed.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Runs `work` on as many threads. Dropping the future stops it.
pub async fn run<T: Send + 'static>(
    count: usize,
    work: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    let threads = Threads::start(count)?;
    let Some(runtime) = &threads.runtime else { return Err(stopped()) };
    match runtime.spawn(STOPPED.scope(threads.flag.clone(), work).boxed()).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => Err(Failure::internal("the SQL engine failed on this query")),
        Err(_) => Err(stopped()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::common::runtime::SpawnedTask;

    #[tokio::test]
    async fn what_is_dropped_stops_where_it_looks_and_so_do_its_tasks() {
        let (tell, told) = std::sync::mpsc::channel();
        let busy = move |name: &'static str| {
            let tell = tell.clone();
            move || {
                tell.send(name).unwrap();
                // Never waits.
                while check().is_ok() {
                    std::hint::spin_loop();
                }
                tell.send("ended").unwrap();
            }
        };
        let (own, task) = (busy("own"), busy("task"));
        let first = tokio::spawn(run(1, async move {
            own();
            Ok(())
        }));
        let second = tokio::spawn(run(1, async move {
            let task = SpawnedTask::spawn(async move { task() });
            task.join().await.map_err(|e| Failure::internal(e.to_string()))
        }));
        let next = async || {
            loop {
                match told.try_recv() {
                    Ok(name) => return name,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        };
        let mut begun = [next().await, next().await];
        begun.sort_unstable();
        assert_eq!(begun, ["own", "task"]);
        // Another one is not held up.
        assert_eq!(run(1, async { Ok(7) }).await, Ok(7));
        first.abort();
        second.abort();
        assert_eq!([next().await, next().await], ["ended"; 2]);
    }
}
